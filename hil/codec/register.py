"""One register of a map: where it lies, how its words are put together, what its numbers mean."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from hil.errors import CodecError

INTEGERS: Mapping[str, tuple[int, bool]] = {
    "u16": (1, False),
    "s16": (1, True),
    "u32": (2, False),
    "s32": (2, True),
    "u64": (4, False),
    "s64": (4, True),
}
"""Registers and sign of whole numbers."""
FLOATS: Mapping[str, tuple[int, str]] = {"float32": (2, ">f"), "float64": (4, ">d")}
SIZED = ("string", "bytes")
"""Types whose count of registers is declared."""
TYPES = (*INTEGERS, *FLOATS, *SIZED, "bits", "bool")
TABLES = ("coil", "discrete", "input", "holding")
BIT_TABLES = ("coil", "discrete")
ACCESS = ("ro", "rw", "wo")
ORDERS = ("high-first", "low-first")
NAN = "nan"
"""The sentinel of a float that was not measured."""

Value = float | int | str | bytes | None
"""None: the device tells by a sentinel that there is no value."""


@dataclass(frozen=True)
class Register:
    """Declaration of a value. ``address`` is the wire's, counted from 0; ``size`` counts registers, or bits."""

    name: str
    table: str
    address: int
    type: str
    unit_id: int
    size: int = 1
    text: str = ""
    scale: Fraction = Fraction(1)
    unit: str = ""
    access: str = "ro"
    low: float | None = None
    high: float | None = None
    also: tuple[float, ...] = ()
    """Allowed beside the range, as 0 for a pause."""
    choices: Mapping[int, str] = field(default_factory=dict)
    flags: Mapping[int, str] = field(default_factory=dict)
    """Meaning of single bits, by their number; bit 0 is the lowest."""
    absent: tuple[int | str, ...] = ()
    """Raw values, or ``nan``, that say that there is no value; -1 is all ones."""
    mask: int | None = None
    """The bits of the raw value that are this value's, moved down to bit 0."""
    word_order: str = "high-first"
    byte_order: str = "high-first"
    quirk: str = ""
    source: str = ""

    @property
    def end(self) -> int:
        """The address behind it."""
        return self.address + self.size

    @property
    def readable(self) -> bool:
        """Whether a client may read it."""
        return self.access != "wo"

    @property
    def writable(self) -> bool:
        """Whether a client may write it."""
        return self.access != "ro"

    # --- words -------------------------------------------------------------------------------------

    def _to_bytes(self, registers: Sequence[int]) -> bytes:
        """The value's bytes, highest first."""
        words = registers if self.word_order == "high-first" or self.type in SIZED else registers[::-1]
        order: Any = "big" if self.byte_order == "high-first" else "little"
        return b"".join(word.to_bytes(2, order) for word in words)

    def _to_registers(self, data: bytes) -> tuple[int, ...]:
        order: Any = "big" if self.byte_order == "high-first" else "little"
        words = [int.from_bytes(data[at : at + 2], order) for at in range(0, len(data), 2)]
        return tuple(words if self.word_order == "high-first" or self.type in SIZED else words[::-1])

    # --- decoding ----------------------------------------------------------------------------------

    def decode(self, registers: Sequence[int]) -> Value:
        """The value of registers (of one bit for ``bool``), None for "no value".

        Any content decodes; use :meth:`in_range` to judge it. Raises :class:`CodecError` for a wrong
        number of registers and for what is no register.
        """
        if len(registers) != self.size:
            raise CodecError(f"{self.name}: {len(registers)} registers given, it has {self.size}")
        if self.type == "bool":
            return bool(registers[0])
        try:
            data = self._to_bytes(registers)
        except (OverflowError, AttributeError):
            raise CodecError(f"{self.name}: {list(registers)!r}: registers are integers of 0..65535") from None
        if self.type in FLOATS:
            return self._take_float(data)
        if self.type == "string":
            return data.split(b"\0", 1)[0].decode("ascii", "backslashreplace").rstrip(" ")
        if self.type == "bytes":
            return data
        return self._take_integer(data)

    def _take_float(self, data: bytes) -> float | None:
        value: float = struct.unpack(FLOATS[self.type][1], data)[0]
        if math.isnan(value) and NAN in self.absent:
            return None
        return value if self.scale == 1 else value * self.scale.numerator / self.scale.denominator

    def _take_integer(self, data: bytes) -> float | int | None:
        if int.from_bytes(data, "big") in self._sentinels:
            return None
        raw = int.from_bytes(data, "big", signed=self._signed)
        return self.physical(raw if self.mask is None else (raw & self.mask) >> self._shift)

    @cached_property
    def _sentinels(self) -> frozenset[int]:
        """Raw values of :attr:`absent` without a sign: -1 is all ones, whatever the type."""
        return frozenset(each % (1 << 16 * self.size) for each in self.absent if isinstance(each, int))

    @property
    def _signed(self) -> bool:
        return INTEGERS.get(self.type, (0, False))[1]

    @cached_property
    def _shift(self) -> int:
        return 0 if self.mask is None else (self.mask & -self.mask).bit_length() - 1

    def physical(self, raw: int) -> float | int:
        """What a raw number means, on the wire's grid: 2304 at a scale of 0.1 is 230.4."""
        value = raw * self.scale.numerator
        return value if self.scale.denominator == 1 else value / self.scale.denominator

    # --- encoding ----------------------------------------------------------------------------------

    def encode(self, value: Value) -> tuple[int, ...]:
        """Registers of a value: the nearest step of the wire's grid. A choice may be given by its text.

        Raises :class:`CodecError` naming register, value and what is allowed.
        """
        if value is None:
            return self._put_absent()
        if self.type == "bool":
            if value not in (0, 1):
                raise CodecError(f"{self.name}: {value!r} is neither true nor false")
            return (int(value),)
        if self.type in SIZED:
            return self._put_text(value)
        if self.type in FLOATS:
            return self._put_float(self._number(value))
        return self._put_integer(self._number(value))

    def _put_absent(self) -> tuple[int, ...]:
        if NAN in self.absent:
            return self._to_registers(struct.pack(FLOATS[self.type][1], math.nan))
        if self._sentinels:
            return self._to_registers(min(self._sentinels).to_bytes(2 * self.size, "big"))
        raise CodecError(f"{self.name}: None: it has no sentinel for a missing value; {self.range_text()}")

    def _put_text(self, value: Value) -> tuple[int, ...]:
        try:
            data = value.encode("ascii") if isinstance(value, str) and self.type == "string" else bytes(value)  # type: ignore[arg-type]  # what is no bytes raises
        except (TypeError, ValueError):
            data = b"\0" * (2 * self.size + 1)
        if len(data) > 2 * self.size or isinstance(value, int):
            what = "ASCII text" if self.type == "string" else "bytes"
            raise CodecError(f"{self.name}: {value!r}: allowed is {what} of at most {2 * self.size} characters")
        return self._to_registers(data.ljust(2 * self.size, b"\0"))

    def _number(self, value: Value) -> float:
        if isinstance(value, str):
            for number, text in self.choices.items():
                if text == value:
                    return number
            raise CodecError(f"{self.name}: {value!r} is none of {self._choices_text()}")
        if not isinstance(value, int | float):
            raise CodecError(f"{self.name}: {value!r} is not a number; {self.range_text()}")
        return value

    def _put_float(self, value: float) -> tuple[int, ...]:
        self._refuse(value, value)
        try:
            data = struct.pack(FLOATS[self.type][1], value * self.scale.denominator / self.scale.numerator)
        except OverflowError:
            raise CodecError(f"{self.name}: {value!r} does not fit {self.type}") from None
        return self._to_registers(data)

    def _put_integer(self, value: float) -> tuple[int, ...]:
        try:
            step = round(Fraction(value) / self.scale)
        except (ValueError, OverflowError):
            raise CodecError(f"{self.name}: {value!r} is not a number; {self.range_text()}") from None
        least, most = self._raw_range
        if not least <= step <= most:
            raise CodecError(f"{self.name}: {self._shown(value)} is out of range; {self.range_text()}")
        self._refuse(value, self.physical(step))
        raw = step << self._shift
        return self._to_registers(raw.to_bytes(2 * self.size, "big", signed=self._signed))

    def _refuse(self, given: float, value: float) -> None:
        """Raise for what the device does not allow."""
        if self.allows(value):
            return
        if self.choices and self.low is None and self.high is None:
            raise CodecError(f"{self.name}: {given!r} is none of {self._choices_text()}")
        raise CodecError(f"{self.name}: {self._shown(given)} is out of range; {self.range_text()}")

    @cached_property
    def _raw_range(self) -> tuple[int, int]:
        """Least and most raw number that the wire carries."""
        if self.mask is not None:
            return 0, self.mask >> self._shift
        width = 16 * self.size
        return (-(1 << width - 1), (1 << width - 1) - 1) if self._signed else (0, (1 << width) - 1)

    # --- what is allowed ---------------------------------------------------------------------------

    def allows(self, value: float) -> bool:
        """Whether a number is one that the device declares: a choice, in the range, or beside it."""
        if value in self.also or value in self.choices:
            return True
        if self.low is None and self.high is None:
            return not self.choices
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def in_range(self, value: Value) -> bool:
        """Whether a decoded value is one that is declared; None and texts are."""
        return not isinstance(value, int | float) or isinstance(value, bool) or self.allows(value)

    def range_text(self) -> str:
        """What is allowed, in words."""
        if self.type in SIZED:
            return f"allowed are {2 * self.size} characters"
        if self.choices and self.low is None and self.high is None:
            return f"allowed is {self._choices_text()}"
        low, high = self.low, self.high
        if self.type not in FLOATS and self.type != "bool":
            least, most = self._raw_range
            low = self.physical(least) if low is None else low
            high = self.physical(most) if high is None else high
        also = "".join(f", {each:g}" for each in self.also)
        if low is None and high is None:
            return f"allowed is any {self.type}"
        least_text = "-inf" if low is None else f"{low:.10g}"
        return f"allowed is {least_text} .. {'inf' if high is None else f'{high:.10g}'}{also} {self.unit}".rstrip()

    def _choices_text(self) -> str:
        return ", ".join(f"{number} ({text})" for number, text in self.choices.items())

    def _shown(self, value: float) -> str:
        return f"{value!r} {self.unit}".rstrip()

    # --- showing -----------------------------------------------------------------------------------

    def set_flags(self, value: Value) -> tuple[str, ...]:
        """The meaning of the bits that are set; a bit without a meaning as ``bit 7``."""
        if not isinstance(value, int):
            return ()
        return tuple(self.flags.get(bit, f"bit {bit}") for bit in range(value.bit_length()) if value >> bit & 1)

    def show(self, value: Value) -> str:
        """A value as a reader wants it: with its unit, its choice or its bits."""
        if value is None:
            return "no value"
        if isinstance(value, bytes):
            return value.hex(" ").upper()
        if isinstance(value, str):
            return value
        if self.type == "bits":
            return f"{int(value):#0{2 + 4 * self.size}x} ({', '.join(self.set_flags(value)) or 'none'})"
        if value in self.choices:
            return f"{value} ({self.choices[int(value)]})"
        if isinstance(value, bool):
            return "on" if value else "off"
        return f"{value:.10g} {self.unit}".rstrip()
