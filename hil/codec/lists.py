"""Messages of variable length: one element repeated until the payload ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from hil.codec.message import Message, check_layout
from hil.codec.signal import Signal
from hil.errors import CodecError


class ListMessage(Message, pgn=-1, length=0):
    """A message whose payload is a list. ``entries`` holds one tuple of physical values per element.

    An element cut off at the end of a payload is not an element; the bytes left over are ignored.
    """

    __slots__ = ()
    element: ClassVar[Mapping[str, Signal]]
    element_size: ClassVar[int]
    most: ClassVar[int]

    def __init_subclass__(cls, *, element: Mapping[str, Any], size: int, most: int, **arguments: Any) -> None:
        super().__init_subclass__(**{"length": size, **arguments})
        cls.element = {key: value.named(key) for key, value in element.items()}
        check_layout(cls.name, size, cls.element)
        cls.element_size = size
        cls.most = most
        cls.__new__ = _new  # type: ignore[assignment]  # one keyword for the whole list
        cls._encode = _encode
        cls._decode = _decode

    @property
    def entries(self) -> tuple[tuple[Any, ...], ...]:
        """The elements, in order."""
        return tuple(self)

    def __repr__(self) -> str:
        return f"{type(self).name}({len(self)} entries: {list(self)!r})"

    def items(self) -> Any:
        """Names such as ``cell_voltage[3]`` and physical values."""
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


def _new(cls: type[ListMessage], *, entries: Iterable[Iterable[Any]]) -> ListMessage:
    return tuple.__new__(cls, (tuple(entry) for entry in entries))


def _encode(message: Any) -> bytes:
    cls = type(message)
    if not 1 <= len(message) <= cls.most:
        raise CodecError(f"{cls.name}: {len(message)} entries; allowed is 1 .. {cls.most}")
    parts = []
    for number, entry in enumerate(message, start=1):
        raw = (1 << 8 * cls.element_size) - 1
        for declared, value in zip(cls.element.values(), entry, strict=True):
            try:
                bits = declared.to_raw(value)
            except CodecError as error:
                raise CodecError(f"{cls.name}[{number}].{error}") from None
            raw = raw & ~(declared.mask << declared.start) | bits << declared.start
        parts.append(raw.to_bytes(cls.element_size, "little"))
    return b"".join(parts)


def _decode(cls: type[ListMessage], data: bytes) -> ListMessage:
    size = cls.element_size
    if len(data) < size:
        raise CodecError(f"{cls.name}: {len(data)} bytes, at least {size} are needed")
    entries = []
    for start in range(0, len(data) - size + 1, size)[: cls.most]:
        part = data[start : start + size]
        entries.append(tuple(declared.physical(declared.extract(part)) for declared in cls.element.values()))  # type: ignore[arg-type]  # lists hold numbers only
    return tuple.__new__(cls, entries)
