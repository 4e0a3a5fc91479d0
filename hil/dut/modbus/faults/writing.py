"""Faults in what is taken, refused and kept."""

from __future__ import annotations

from collections.abc import Sequence

from hil.dut.modbus.fault import Fault, cases, reading, writing
from hil.dut.modbus.reference import WORDS
from hil.dut.modbus.spec import ILLEGAL_ADDRESS, ILLEGAL_VALUE, Data, Refused
from hil.units import Instant

_WIDE = WORDS + 10
"""Address of the value of two registers."""


def _one_by_one(
    data: Data, unit: int, function: int, address: int, values: Sequence[int], now: Instant
) -> Refused | None:
    if address <= _WIDE < address + len(values):
        return data.write(unit, function, address, values, now)
    for index, value in enumerate(values):
        refused = data.write(unit, function, address + index, [value], now)
        if refused is not None:
            return refused
    return None


def _address_taken(
    data: Data, unit: int, function: int, address: int, values: Sequence[int], now: Instant
) -> Refused | None:
    """What cannot be written is passed over without a word."""
    refused = data.write(unit, function, address, values, now)
    return None if refused == ILLEGAL_ADDRESS else refused


def _value_taken(
    data: Data, unit: int, function: int, address: int, values: Sequence[int], now: Instant
) -> Refused | None:
    """What is out of range is passed over without a word."""
    refused = data.write(unit, function, address, values, now)
    return None if refused == ILLEGAL_VALUE else refused


def _clamped(data: Data, unit: int, function: int, address: int, values: Sequence[int], now: Instant) -> Refused | None:
    """What is out of range is refused, but the lowest value is taken."""
    refused = data.write(unit, function, address, values, now)
    if refused == ILLEGAL_VALUE:
        data.write(unit, function, address + len(values) - 1, [6], now)
    return refused


def _words_swapped(
    data: Data, unit: int, function: int, address: int, values: Sequence[int], now: Instant
) -> Refused | None:
    swapped = values[::-1] if address == _WIDE and len(values) > 1 else values
    return data.write(unit, function, address, swapped, now)


def _halves_taken(
    data: Data, unit: int, function: int, address: int, values: Sequence[int], now: Instant
) -> Refused | None:
    if address != _WIDE or len(values) != 1:
        return data.write(unit, function, address, values, now)
    present = data.read(unit, 0x03, address, 2, now)
    return present if isinstance(present, Refused) else data.write(unit, 0x10, address, [values[0], present[1]], now)


def _halves_from_the_begin(
    data: Data, unit: int, function: int, address: int, count: int, now: Instant
) -> Sequence[int] | Refused:
    return data.read(unit, function, _WIDE if address == _WIDE + 1 else address, count, now)


FAULTS = (
    Fault(
        "modbus-read-only-passed-over",
        cases("WR.01", "WR.04", "WR.03"),
        "answers a write to what cannot be written as if it were done",
        "content",
        writing(_address_taken),
    ),
    Fault(
        "modbus-range-passed-over",
        cases("WR.02", "WR.03"),
        "answers a write of what is out of range as if it were done",
        "content",
        writing(_value_taken),
    ),
    Fault(
        "modbus-range-clamped",
        cases("WR.02"),
        "refuses what is out of range and takes the lowest value",
        "content",
        writing(_clamped),
    ),
    Fault(
        "modbus-one-by-one",
        cases("WR.03"),
        "carries out the begin of a request that it then refuses",
        "robustness",
        writing(_one_by_one),
    ),
    Fault(
        "modbus-halves-taken",
        cases("WR.04"),
        "takes half of a wide value, although its map says that it does not",
        "content",
        writing(_halves_taken),
    ),
    Fault(
        "modbus-words-swapped",
        cases("WR.05"),
        "takes the low word for the high one when a wide value is written",
        "content",
        writing(_words_swapped),
    ),
    Fault(
        "modbus-half-from-the-begin",
        cases("WR.06"),
        "reads the first part of a wide value where the last is asked for",
        "content",
        reading(_halves_from_the_begin),
    ),
    Fault(
        "modbus-writes-before-it-reads",
        cases("WR.07"),
        "has written by function 23 before it finds that it cannot read",
        "robustness",
        lambda d: d.serving(checks_read_first=False),
    ),
)
