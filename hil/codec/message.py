"""Messages declared once: layout, scaling, ranges and choices; the codec is compiled from them.

A message is an immutable tuple of physical values with names. Values lie on the wire's grid as
``raw / 10`` and so on, so that 285.2 == 285.2. Encoding takes the nearest step and refuses what is
out of range; decoding accepts surplus bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any, ClassVar, Self, dataclass_transform

from hil.codec.compiler import compile_decoder, compile_encoder, compile_new
from hil.codec.signal import Signal, signal, status
from hil.errors import CatalogueError, CodecError
from hil.units import Span

__all__ = ["Malformed", "Message", "Signal", "signal", "status"]


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(signal, status))
class Message(tuple[Any, ...]):
    """Base of all declared messages.

    Subclass with ``pgn``, ``length`` (bytes), ``priority``, ``sender`` ("charger", "bms" or None for
    both), ``period`` (ns) and ``transport`` (sent by the transport protocol), and one
    :func:`signal` per field. A table that contradicts itself raises :class:`CatalogueError` at import.
    Making a message raises :class:`UsageError` for a signal that it does not have.
    """

    __slots__ = ()
    name: ClassVar[str]
    pgn: ClassVar[int]
    length: ClassVar[int]
    lengths: ClassVar[tuple[int, ...]]
    priority: ClassVar[int]
    sender: ClassVar[str | None]
    period: ClassVar[Span | None]
    transport: ClassVar[bool]
    can_id: ClassVar[int | None]
    signals: ClassVar[Mapping[str, Signal]]

    def __init_subclass__(
        cls,
        *,
        pgn: int,
        length: int,
        priority: int = 6,
        sender: str | None = None,
        period: Span | None = None,
        transport: bool = False,
        lengths: tuple[int, ...] = (),
        name: str = "",
        can_id: int | None = None,
    ) -> None:
        cls.name = name or cls.__name__
        cls.pgn, cls.length, cls.priority, cls.sender, cls.period = pgn, length, priority, sender, period
        cls.transport = transport
        cls.lengths = lengths or (length,)
        cls.can_id = can_id
        declared = {key: value.named(key) for key, value in vars(cls).items() if isinstance(value, Signal)}
        check_layout(cls.name, length, declared)
        cls.signals = declared
        for index, key in enumerate(declared):
            setattr(cls, key, property(itemgetter(index), doc=declared[key].describe()))
        cls._compile()

    @classmethod
    def _compile(cls) -> None:
        """Put generated functions in the place of the interpreted ones, which they fall back to."""
        cls.__new__ = compile_new(cls.name, cls.signals)  # type: ignore[method-assign]  # same meaning, generated
        encode = compile_encoder(cls.name, cls.length, cls.signals, Message.encode)
        cls.encode = encode  # type: ignore[assignment, method-assign]  # same meaning, generated
        interpreted = vars(Message)["decode"].__func__
        decode = compile_decoder(cls.name, cls.length, cls.signals, interpreted)
        cls.decode = classmethod(decode)  # type: ignore[assignment, method-assign]  # same meaning, generated

    def encode(self) -> bytes:
        """The payload. Raises :class:`CodecError` naming message, signal, value and range."""
        declared = type(self)
        payload = (1 << 8 * declared.length) - 1
        for key, value in self.items():
            each = declared.signals[key]
            try:
                raw = each.to_raw(value)
            except CodecError as error:
                raise CodecError(f"{declared.name}.{error}") from None
            bits = int.from_bytes(raw, "little") if isinstance(raw, bytes) else raw
            payload = payload & ~(each.mask << each.start) | bits << each.start
        return payload.to_bytes(declared.length, "little")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The message in a payload; surplus bytes are ignored, too few raise :class:`CodecError`."""
        raws = cls.decode_raw(data)
        try:
            return tuple.__new__(cls, (cls.signals[key].take(raw) for key, raw in raws.items()))
        except CodecError as error:
            raise CodecError(f"{cls.name}.{error}") from None

    @classmethod
    def decode_raw(cls, data: bytes) -> dict[str, int | bytes]:
        """The raw values in a payload, by signal."""
        if len(data) < cls.length:
            raise CodecError(f"{cls.name}: {len(data)} bytes, {cls.length} are defined")
        return {key: declared.extract(data) for key, declared in cls.signals.items()}

    def raw(self, name: str) -> int | bytes:
        """The raw value that a signal has on the wire."""
        return self.decode_raw(self.encode())[name]

    def replace(self, **values: Any) -> Self:
        """The same message with other values."""
        return type(self)(**{**dict(self.items()), **values})

    def items(self) -> Iterator[tuple[str, Any]]:
        """Signal names and physical values, in the order of the wire."""
        return zip(type(self).signals, self, strict=True)

    def out_of_range(self) -> list[str]:
        """Signals whose value lies outside the range that the standard prints."""
        return [key for key, value in self.items() if not type(self).signals[key].in_range(value)]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((type(self).name, tuple(self)))

    def __repr__(self) -> str:
        parts = [f"{key}={type(self).signals[key].show(value)}" for key, value in self.items()]
        return f"{type(self).name}({', '.join(parts)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), tuple(self))


def _rebuild(cls: type[Message], values: tuple[Any, ...]) -> Message:
    return tuple.__new__(cls, values)


class Malformed:
    """Bytes that are not the message they claim to be: a value, never an exception."""

    __slots__ = ("data", "name", "reason")

    def __init__(self, name: str, data: bytes, reason: str) -> None:
        self.name = name
        self.data = data
        self.reason = reason

    def __repr__(self) -> str:
        return f"Malformed({self.name}: {self.reason}; {self.data.hex(' ').upper()})"


def check_layout(name: str, length: int, signals: Mapping[str, Signal]) -> None:
    """Raise :class:`CatalogueError` for signals that overlap, leave the message or cannot have a value."""
    taken: dict[int, str] = {}
    for key, declared in signals.items():
        if declared.length < 1 or declared.start < 0 or declared.start + declared.length > 8 * length:
            raise CatalogueError(f"{name}.{key} lies outside the {length} bytes of {name}")
        if declared.kind != "uint" and (declared.start % 8 or declared.length % 8):
            raise CatalogueError(f"{name}.{key}: {declared.kind} must consist of whole bytes")
        if declared.kind == "year" and declared.length != 16:
            raise CatalogueError(f"{name}.{key}: a year has two bytes, not {declared.length} bits")
        if (declared.offset * declared.divisor).denominator != 1:
            raise CatalogueError(f"{name}.{key}: offset {declared.offset} is not on the grid of {declared.scale}")
        if declared.raw_low > declared.raw_high:
            raise CatalogueError(f"{name}.{key}: no raw value lies in {declared.low} .. {declared.high}")
        for bit in range(declared.start, declared.start + declared.length):
            if bit in taken:
                raise CatalogueError(f"{name}.{key} overlaps {name}.{taken[bit]} at bit {bit}")
            taken[bit] = key
