"""Length, reserved bits and values of one message, checked on its raw bytes (sheet 1.3, 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hil.codec.lists import ListMessage
from hil.codec.message import Message
from hil.codec.signal import Signal
from hil.conformance.monitors.ledger import Ledger
from hil.errors import CodecError
from hil.units import Instant

_FRAME = 8


class _Field(NamedTuple):
    name: str
    shift: int
    mask: int
    low: int
    high: int
    codes: frozenset[int] | None
    unsupplied: tuple[int, ...]
    """Raw values that say that an optional signal is not supplied."""


class Layout:
    """Checks payloads of a message against its declaration, as the readings have it."""

    def __init__(self, declared: type[Message], side: str, edition: str, readings: Mapping[str, str]) -> None:
        tolerant = edition == "2011" or readings["reserved-bits"] == "any"
        padded = not declared.transport and (edition == "2011" or readings["dlc"] == "padded")
        self.declared = declared
        self.sound = True
        """Whether the payload checked last has the defined length and values."""
        self._side = side
        self._list = issubclass(declared, ListMessage)
        self._padded = padded
        self._lengths = declared.lengths
        self._reserved = 0 if tolerant else _reserved(declared)
        self._fill = not tolerant and not padded
        self._fields = tuple(_field(signal, tolerant) for signal in declared.signals.values() if _judged(signal))
        self._decimal = () if tolerant else tuple(each for each in declared.signals.values() if each.kind == "bcd")

    def check(self, data: bytes, t: Instant, ledger: Ledger) -> int | None:
        """Judge a payload. Returns its raw number, or None where it is not the message at all."""
        self.sound = True
        if self._list:
            return self._check_list(data, t, ledger)
        length = self.declared.length
        size = len(data)
        if size not in self._lengths and not (self._padded and length <= size <= _FRAME):
            self.sound = False
            ledger.add("FORMAT.length", self._side, t, lambda: f"{self.declared.name} of {self._expected()}", f"{size}")
            if size < length:
                return None
        elif size > length and self._fill and data[length:] != b"\xff" * (size - length):
            name = self.declared.name
            ledger.add("FORMAT.reserved", self._side, t, f"{name} beyond byte {length} FF", lambda: _hex(data))
        raw = int.from_bytes(data[:length] if size > length else data, "little")
        if raw & self._reserved != self._reserved:
            ledger.add("FORMAT.reserved", self._side, t, f"{self.declared.name}: reserved bits 1", lambda: _hex(data))
        for name, shift, mask, low, high, codes, unsupplied in self._fields:
            value = raw >> shift & mask
            if (value not in codes if codes is not None else not low <= value <= high) and value not in unsupplied:
                self._wrong(name, data, t, ledger)
        for signal in self._decimal:
            if not _is_decimal(raw >> signal.start & signal.mask, signal.mask):
                self._wrong(signal.name, data, t, ledger)
        return raw

    def _wrong(self, name: str, data: bytes, t: Instant, ledger: Ledger) -> None:
        signal = self.declared.signals[name]
        self.sound = False

        def seen() -> str:
            raw = signal.extract(data[: self.declared.length])
            return f"raw {raw}" if isinstance(raw, int) else _hex(raw)

        def expected() -> str:
            text = ", ".join(f"{code}" for code in signal.choices) if signal.choices else signal.range_text()
            return f"{self.declared.name}.{name}: {text}"

        ledger.add("FORMAT.value", self._side, t, expected, seen)

    def _check_list(self, data: bytes, t: Instant, ledger: Ledger) -> int | None:
        try:
            wrong = self.declared.decode(data).out_of_range()
        except CodecError as error:
            ledger.add("FORMAT.length", self._side, t, f"{self.declared.name}: whole elements", str(error))
            return None
        if wrong:
            seen = f"{', '.join(wrong[:3])} out of range"
            ledger.add("FORMAT.value", self._side, t, f"{self.declared.name}: printed range", seen)
        return 0

    def _expected(self) -> str:
        if self._padded:
            return f"{self.declared.length} to {_FRAME} bytes"
        return " or ".join(str(length) for length in self._lengths) + " bytes"


def _hex(data: bytes) -> str:
    return data.hex(" ").upper()


def _reserved(declared: type[Message]) -> int:
    mask = (1 << 8 * declared.length) - 1
    for signal in declared.signals.values():
        mask &= ~(signal.mask << signal.start)
    return mask


def _judged(signal: Signal) -> bool:
    return signal.kind == "uint" and bool(signal.choices or signal.low is not None or signal.high is not None)


def _field(signal: Signal, tolerant: bool) -> _Field:
    unsupplied: tuple[int, ...] = ()
    if signal.optional:
        unsupplied = (signal.mask, 0) if tolerant else (signal.mask,)
    codes = frozenset(signal.choices) if signal.choices else None
    return _Field(signal.name, signal.start, signal.mask, signal.raw_low, signal.raw_high, codes, unsupplied)


def _is_decimal(raw: int, mask: int) -> bool:
    if raw == mask:
        return True
    while raw:
        if raw & 0xF > 9:
            return False
        raw >>= 4
    return True
