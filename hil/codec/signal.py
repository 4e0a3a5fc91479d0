"""One signal of a message: where it lies, what its numbers mean, what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from hil.codec.kinds import put_ascii, put_bcd, put_bytes, put_year, take_ascii, take_bcd, take_bytes, take_year
from hil.errors import CatalogueError, CodecError

KINDS = ("uint", "ascii", "bytes", "bcd", "year")
"""``year``: two bytes in either order, told apart by plausibility (sheet 3.4, D8)."""

_TAKE_RAW: Mapping[str, Callable[[int, int], int | None]] = {"bcd": take_bcd, "year": take_year}
_TAKE_BYTES: Mapping[str, Callable[[bytes], str | bytes | None]] = {"ascii": take_ascii, "bytes": take_bytes}
_PUT: Mapping[str, Callable[[Any, int], int | bytes]] = {
    "ascii": put_ascii,
    "bytes": put_bytes,
    "bcd": put_bcd,
    "year": put_year,
}


@dataclass(frozen=True)
class Signal:
    """Declaration of a signal. ``start`` and ``length`` count bits, bit 0 is byte 1's lowest."""

    spn: int
    start: int
    length: int
    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: Mapping[int, str] = field(default_factory=dict)
    optional: bool = False
    default: Any = ...
    kind: str = "uint"
    closed: bool = False
    """A raw value that is none of the choices makes the message malformed."""
    name: str = ""

    def named(self, name: str) -> Signal:
        """The same with its name."""
        return replace(self, name=name)

    @cached_property
    def is_text(self) -> bool:
        """Whether the raw value is bytes rather than a number."""
        return self.kind in _TAKE_BYTES

    @cached_property
    def mask(self) -> int:
        """All ones of the signal's length: its highest raw value, and "not supplied" where optional."""
        return (1 << self.length) - 1

    @cached_property
    def size(self) -> int:
        """Bytes of a signal that consists of whole bytes."""
        return self.length // 8

    @cached_property
    def divisor(self) -> int:
        """Raw steps are multiplied by ``numerator`` and divided by this."""
        return self.scale.denominator

    @cached_property
    def shift(self) -> int:
        """The offset in units of ``1 / divisor``; whole, as the layout check demands."""
        return (self.offset * self.divisor).numerator

    def extract(self, data: bytes) -> int | bytes:
        """The raw value (bytes for text and opaque kinds)."""
        if self.is_text:
            return bytes(data[self.start // 8 : (self.start + self.length) // 8])
        return int.from_bytes(data, "little") >> self.start & self.mask

    def take(self, raw: int | bytes) -> Any:
        """The value of a raw value; None for "not supplied". Raises :class:`CodecError` when closed and unlisted."""
        if isinstance(raw, bytes):
            return _TAKE_BYTES[self.kind](raw)
        if self.kind != "uint":
            return _TAKE_RAW[self.kind](raw, self.size)
        if self.closed and raw not in self.choices:
            raise CodecError(f"{self.name}: {raw} is none of {self._choices_text()}")
        return None if self.optional and raw == self.mask else self.physical(raw)

    def physical(self, raw: int) -> float | int:
        """What a raw number means, on the wire's grid."""
        value = raw * self.scale.numerator + self.shift
        return value if self.divisor == 1 else value / self.divisor

    def to_raw(self, value: Any) -> int | bytes:
        """The nearest step; raises :class:`CodecError` with what is allowed for a value that cannot be sent."""
        if self.kind != "uint":
            try:
                return _PUT[self.kind](value, self.size)
            except (TypeError, ValueError, AttributeError):
                raise CodecError(f"{self.name}: {value!r} does not fit {self.kind} of {self.size} bytes") from None
        if value is None and self.optional:
            return self.mask
        try:
            raw: int = round((value * self.divisor - self.shift) / self.scale.numerator)
        except (TypeError, ValueError, OverflowError):
            raise CodecError(f"{self.name}: {value!r} is not a number; {self.range_text()}") from None
        if not self.raw_low <= raw <= self.raw_high:
            unit = f" {self.unit}" if self.unit else ""
            raise CodecError(f"{self.name}: {value!r}{unit} is out of range; {self.range_text()}")
        if self.closed and raw not in self.choices:
            raise CodecError(f"{self.name}: {value!r} is none of {self._choices_text()}")
        return raw

    @cached_property
    def raw_low(self) -> int:
        """Lowest raw value that may be encoded."""
        return 0 if self.low is None else max(0, self._exact(self.low))

    @cached_property
    def raw_high(self) -> int:
        """Highest raw value that may be encoded; all ones means "not supplied" where the signal is optional."""
        most = self.mask - 1 if self.optional else self.mask
        return most if self.high is None else min(most, self._exact(self.high))

    def _exact(self, value: float) -> int:
        return round((Fraction(str(value)) * self.divisor - self.shift) / self.scale.numerator)

    def range_text(self) -> str:
        """What is allowed, in words."""
        return f"allowed is {self.physical(self.raw_low)} .. {self.physical(self.raw_high)} {self.unit}".rstrip()

    def _choices_text(self) -> str:
        return ", ".join(f"{value} ({text})" for value, text in self.choices.items())

    def in_range(self, value: Any) -> bool:
        """Whether a decoded value lies in the printed range (not supplied counts as in it)."""
        if value is None or not isinstance(value, int | float):
            return True
        if self.choices and isinstance(value, int):
            return value in self.choices
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def show(self, value: Any) -> str:
        """A value as a reader wants it: with its unit or its choice's name."""
        if value is None:
            return "not supplied"
        if isinstance(value, int) and value in self.choices:
            return f"{value} ({self.choices[value]})"
        if isinstance(value, bytes):
            return value.hex(" ").upper()
        return f"{value} {self.unit}".rstrip()

    def describe(self) -> str:
        """One line for documentation."""
        return f"SPN {self.spn}, {self.length} bit from bit {self.start}, {self.unit or 'no unit'}"


def signal(
    spn: int,
    *,
    start: int,
    length: int,
    scale: str = "1",
    offset: str = "0",
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: Mapping[int, str] | None = None,
    optional: bool = False,
    default: Any = ...,
    kind: str = "uint",
    closed: bool = False,
) -> Any:
    """Declare a signal. ``scale`` and ``offset`` are decimal texts so that the grid is exact.

    A signal with a ``default`` need not be given when a message is made; type checkers see it only
    where it is written.
    """
    if kind not in KINDS:
        raise CatalogueError(f"SPN {spn}: kind {kind!r}; there are {', '.join(KINDS)}")
    if kind != "uint" and not optional:
        raise CatalogueError(f"SPN {spn}: {kind} decodes to None where it is not supplied, so it must be optional")
    if closed and not choices:
        raise CatalogueError(f"SPN {spn}: closed without choices")
    return Signal(
        spn,
        start,
        length,
        Fraction(scale),
        Fraction(offset),
        unit,
        low,
        high,
        choices or {},
        optional,
        default,
        kind,
        closed,
    )


def status(spn: int, *, start: int, choices: Mapping[int, str], default: int) -> Any:
    """Declare a two-bit status field; ``default`` is what it is when nothing is to be said."""
    return signal(spn, start=start, length=2, choices=choices, default=default)
