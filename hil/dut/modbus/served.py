"""A register map served: every value is asked of the device and given to it by name.

What the map says of the edges is done: undeclared addresses read as an exception, as zeros or as ones;
a write that covers only part of a value is refused or taken; what can only be read is not written;
what is out of range is refused. Nothing of a refused request is carried out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hil.codec.register import BIT_TABLES, Register, Value
from hil.codec.registers import RegisterMap
from hil.dut.modbus.spec import ILLEGAL_ADDRESS, ILLEGAL_VALUE, Refused, ServerSpec
from hil.errors import CodecError
from hil.units import Instant, Span

_FILL = {"zero": 0, "ones": 0xFFFF}


class Values(Protocol):
    """What a device keeps behind its registers."""

    def get(self, name: str, now: Instant) -> Value | Refused:
        """The value of a register; None where there is none."""

    def put(self, name: str, value: Value, now: Instant) -> Refused | None:
        """Take a value that the map allows."""


def spec_of(registers: RegisterMap, *, latency: Span = 0) -> ServerSpec:
    """The behaviour on the line that a map declares; what it does not say is the protocol's."""
    behaviour = registers.behaviour
    return ServerSpec(
        functions=registers.all_functions,
        units=None if behaviour.foreign_unit == "answered" else frozenset(registers.unit_ids),
        foreign="gateway" if behaviour.foreign_unit == "gateway" else "silent",
        unknown_function="silent" if behaviour.unknown_function == "silent" else "exception",
        broadcast=frozenset() if behaviour.broadcast == "ignored" else frozenset({0}),
        latency=latency,
    )


class ServedMap:
    """Data of a :class:`hil.dut.modbus.Responder`."""

    def __init__(self, registers: RegisterMap, values: Values) -> None:
        self._map = registers
        self._values = values
        self._fill = _FILL.get(registers.behaviour.unlisted)
        self._places: dict[tuple[int, str], dict[int, list[Register]]] = {}

    def read(self, unit: int, function: int, address: int, count: int, now: Instant) -> Sequence[int] | Refused:
        """The words of every register that the span touches."""
        table, place = self._place(unit, function)
        limits = self._map.limits
        most = limits.read_bits if table in BIT_TABLES else limits.read
        if count > most:
            return ILLEGAL_VALUE if limits.blocks else ILLEGAL_ADDRESS
        touched = _touched(place, address, count, readable=True)
        if not limits.blocks and not any((each.address, each.size) == (address, count) for each in touched):
            return ILLEGAL_ADDRESS
        words: list[int | None] = [self._fill] * count
        for register in touched:
            for at in range(max(register.address, address), min(register.end, address + count)):
                words[at - address] = 0
        for register in touched:
            value = self._values.get(register.name, now)
            if isinstance(value, Refused):
                return value
            _lay(words, register, register.encode(value), address)
        filled = [word for word in words if word is not None]
        return filled if len(filled) == count else ILLEGAL_ADDRESS

    def write(self, unit: int, function: int, address: int, values: Sequence[int], now: Instant) -> Refused | None:
        """Judge every register that the span touches, then take them all."""
        _, place = self._place(unit, function)
        if len(values) > self._map.limits.write and function not in (5, 15):
            return ILLEGAL_VALUE
        taken: list[tuple[str, Value]] = []
        covered: set[int] = set()
        for register in _touched(place, address, len(values), readable=False):
            outcome = self._taken(register, address, values, now)
            if isinstance(outcome, Refused):
                return outcome
            taken.append((register.name, outcome))
            covered.update(range(max(register.address, address), min(register.end, address + len(values))))
        if len(covered) < len(values):
            return ILLEGAL_ADDRESS
        for name, value in taken:
            refused = self._values.put(name, value, now)
            if refused is not None:
                return refused
        return None

    def _taken(self, register: Register, address: int, values: Sequence[int], now: Instant) -> Value | Refused:
        """The value that a write gives to a register."""
        start, end = register.address - address, register.end - address
        if start >= 0 and end <= len(values):
            words = list(values[start:end])
        elif self._map.behaviour.partial_write == "accepted" and register.readable:
            present = self._values.get(register.name, now)
            if isinstance(present, Refused):
                return present
            words = list(register.encode(present))
            words[max(-start, 0) : len(values) - start] = values[max(start, 0) : max(end, 0)]
        else:
            return ILLEGAL_ADDRESS
        value = register.decode(words)
        try:
            register.encode(value)
        except CodecError:
            return ILLEGAL_VALUE
        return value

    def _place(self, unit: int, function: int) -> tuple[str, dict[int, list[Register]]]:
        """The table of a function, and every register of the unit by each of its addresses."""
        table = self._map.table_of(function) or ""
        if unit not in self._map.unit_ids:
            unit = self._map.unit_id
        place = self._places.get((unit, table))
        if place is None:
            place = self._places[unit, table] = {}
            for register in self._map.at(unit, table):
                for at in range(register.address, register.end):
                    place.setdefault(at, []).append(register)
        return table, place


def _touched(place: dict[int, list[Register]], address: int, count: int, *, readable: bool) -> list[Register]:
    """Registers in a span that may be read, or written, by address."""
    found: dict[str, Register] = {}
    for at in range(address, address + count):
        for register in place.get(at, ()):
            if register.readable if readable else register.writable:
                found[register.name] = register
    return list(found.values())


def _lay(words: list[int | None], register: Register, encoded: Sequence[int], address: int) -> None:
    """Put a register's words into a span; fields of one register complete each other."""
    for index, word in enumerate(encoded, register.address - address):
        if 0 <= index < len(words):
            words[index] = word | (words[index] or 0)
