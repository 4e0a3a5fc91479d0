"""Messages of variable length: one element repeated until the payload ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from hil.codec.message import Message, check_layout
from hil.codec.signal import Signal
from hil.errors import CatalogueError, CodecError, UsageError


class ListMessage(Message, pgn=-1, length=0):
    """A message whose payload is a list. ``entries`` holds one tuple of physical values per element.

    Bytes that do not fill an element are accepted when they are all ones (a short frame sent with
    DLC 8, sheet 1.3) and are malformed otherwise. Signals are numbers and have no default.
    """

    __slots__ = ()
    element: ClassVar[Mapping[str, Signal]]
    element_size: ClassVar[int]
    most: ClassVar[int]

    def __init_subclass__(cls, *, element: Mapping[str, Any], size: int, most: int, **arguments: Any) -> None:
        super().__init_subclass__(length=size, lengths=tuple(range(size, size * most + 1, size)), **arguments)
        cls.element = {key: value.named(key) for key, value in element.items()}
        check_layout(cls.name, size, cls.element)
        for key, declared in cls.element.items():
            if declared.kind != "uint":
                raise CatalogueError(f"{cls.name}.{key}: a list holds numbers, not {declared.kind}")
        cls.element_size = size
        cls.most = most

    @classmethod
    def _compile(cls) -> None:
        """Lists are rare on the bus (10 s, sheet 2.1) and stay interpreted."""

    def __new__(cls, *, entries: Iterable[Iterable[Any]], **unknown: Any) -> Self:
        """A list of elements, each a tuple of physical values in the order of the declaration."""
        if unknown:
            raise UsageError(f"{cls.name} has no signal {', '.join(map(repr, unknown))}; it has entries")
        try:
            rows = tuple(tuple(entry) for entry in entries)
        except TypeError:
            raise UsageError(f"{cls.name}: entries are tuples of {', '.join(cls.element)}, not {entries!r}") from None
        for number, row in enumerate(rows, start=1):
            if len(row) != len(cls.element):
                raise UsageError(f"{cls.name}[{number}]: {row!r} is not a tuple of {', '.join(cls.element)}")
        return tuple.__new__(cls, rows)

    @property
    def entries(self) -> tuple[tuple[Any, ...], ...]:
        """The elements, in order."""
        return tuple(self)

    def replace(self, **values: Any) -> Self:
        """The same message with other ``entries``."""
        return type(self)(**{"entries": self.entries, **values})

    def encode(self) -> bytes:
        """The payload. Raises :class:`CodecError` naming message, element, signal, value and range."""
        cls = type(self)
        if not 1 <= len(self) <= cls.most:
            raise CodecError(f"{cls.name}: {len(self)} entries; allowed is 1 .. {cls.most}")
        parts = []
        for number, entry in enumerate(self, start=1):
            bits = (1 << 8 * cls.element_size) - 1
            for declared, value in zip(cls.element.values(), entry, strict=True):
                try:
                    raw = declared.to_raw(value)
                except CodecError as error:
                    raise CodecError(f"{cls.name}[{number}].{error}") from None
                assert isinstance(raw, int)  # checked when the list was declared
                bits = bits & ~(declared.mask << declared.start) | raw << declared.start
            parts.append(bits.to_bytes(cls.element_size, "little"))
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The list in a payload; a length that no list has raises :class:`CodecError`."""
        return tuple.__new__(
            cls,
            [
                tuple(declared.take(declared.extract(part)) for declared in cls.element.values())
                for part in cls._split(data)
            ],
        )

    @classmethod
    def decode_raw(cls, data: bytes) -> dict[str, int | bytes]:
        """The raw values in a payload, by names such as ``voltage[3]``."""
        return {
            f"{key}[{number}]": declared.extract(part)
            for number, part in enumerate(cls._split(data), start=1)
            for key, declared in cls.element.items()
        }

    @classmethod
    def _split(cls, data: bytes) -> list[bytes]:
        size = cls.element_size
        count, rest = divmod(len(data), size)
        if not 1 <= count <= cls.most:
            raise CodecError(f"{cls.name}: {len(data)} bytes; allowed is {size} .. {size * cls.most}")
        if rest and data[-rest:] != b"\xff" * rest:
            raise CodecError(f"{cls.name}: {len(data)} bytes; an element has {size}")
        return [data[start : start + size] for start in range(0, count * size, size)]

    def items(self) -> Iterator[tuple[str, Any]]:
        """Names such as ``voltage[3]`` and physical values."""
        for number, entry in enumerate(self, start=1):
            for key, value in zip(type(self).element, entry, strict=True):
                yield f"{key}[{number}]", value

    def out_of_range(self) -> list[str]:
        """Elements whose value lies outside the range that the standard prints."""
        found = []
        for number, entry in enumerate(self, start=1):
            for (key, declared), value in zip(type(self).element.items(), entry, strict=True):
                if not declared.in_range(value):
                    found.append(f"{key}[{number}]")
        return found

    def __repr__(self) -> str:
        return f"{type(self).name}({len(self)} entries: {list(self)!r})"
