"""What a register map offers to a case: runs, gaps, values that may be written and values that may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from hil.bench.judge import Inconclusive
from hil.codec.register import BIT_TABLES, Register, Value
from hil.codec.registers import READS, RegisterMap
from hil.codec.set_points import set_points
from hil.errors import CodecError
from hil.protocol.modbus import (
    BROADCAST,
    Function,
    Read,
    Request,
    WriteCoils,
    WriteRegisters,
    WriteSingle,
    write_coil,
)

LAST = 0xFFFF
"""The highest address there is."""
_SAMPLES: tuple[Value, ...] = (258, 1286, 7, 0x01020304, 0x05060708, 3.5, 12.25, "AB", "C")
Words = tuple[int, ...]


@dataclass(frozen=True)
class Run:
    """Addresses without a gap that may be read at once."""

    function: int
    edges: tuple[int, ...]
    """Where a value begins, and the address behind the last one. A request between two edges cuts no value, which a
    device may refuse (WR.06): only where that is asked for may a case do it."""

    @property
    def address(self) -> int:
        """The first one."""
        return self.edges[0]

    @property
    def end(self) -> int:
        """The address behind it."""
        return self.edges[-1]

    @property
    def count(self) -> int:
        """Registers, or bits."""
        return self.end - self.address

    def read(self, count: int, skip: int = 0) -> Read:
        """A request for so many of it."""
        return Read(self.function, self.address + skip, count)

    def one(self) -> Read:
        """A request for the first value."""
        return self.value(0)

    def value(self, index: int) -> Read:
        """A request for a value; -1 is the last one."""
        begin, end = list(pairwise(self.edges))[index]
        return Read(self.function, begin, end - begin)

    def block(self, most: int) -> Run:
        """As many values from the first one on as so many addresses hold; the first one in any case."""
        held = sum(edge <= self.address + most for edge in self.edges)
        return Run(self.function, self.edges[: max(held, 2)])

    def whole(self, count: int) -> bool:
        """Whether so many addresses from the first one on are declared, and cut no value."""
        return self.address + count in self.edges


TRANSPORTS = ("tcp", "rtu")
USUAL_FORMAT = "19200 8E1"
"""What Serial Line V1.02 has every device speak by default."""


class Places:
    """Places of one map. What it does not offer is :class:`Inconclusive`, with what is missing."""

    broadcast = BROADCAST

    def __init__(self, registers: RegisterMap) -> None:
        self.map = registers
        self.unit = registers.unit_id

    @property
    def foreign(self) -> int:
        """A unit that is none of the device's, nor one with a meaning of its own (0, 248 to 255)."""
        return next(unit for unit in range(1, 248) if unit not in self.map.unit_ids)

    @property
    def unknown_function(self) -> int:
        """A function code that the device does not know."""
        return next(code for code in range(0x41, 0x48) if code not in self.map.all_functions)

    def knows(self, function: int) -> None:
        """Go on only with a device that has this function."""
        if function not in self.map.all_functions:
            raise Inconclusive(f"the map {self.map.name} has no function {function}")

    def lacks(self, feature: str) -> str | None:
        """Why the map does not offer a feature (:data:`hil.conformance.catalogue.MAP_FEATURES`); None when it does."""
        try:
            FEATURES[feature](self)
        except Inconclusive as missing:
            return str(missing)
        return None

    def transport(self, name: str) -> None:
        """Go on only with a device that can be reached so."""
        if name not in self.map.transports:
            raise Inconclusive(f"the map {self.map.name} is not of a device on {name.upper()}")

    def obeys_broadcasts(self) -> None:
        """Go on only with a device that carries out what is written to all stations."""
        if self.map.behaviour.broadcast == "ignored":
            raise Inconclusive(f"the device of map {self.map.name} ignores broadcasts")

    def parity(self) -> None:
        """Go on only with a serial line that has a parity bit."""
        if (self.map.serial or USUAL_FORMAT).partition(" ")[2][1] == "N":
            raise Inconclusive(f"the serial line of {self.map.name} has no parity")

    def several(self) -> None:
        """Go on only with a device that has several values in a row, and gives them in one request."""
        if len(self.any_run().edges) <= 2 or not self.map.limits.blocks:
            raise Inconclusive(f"the map {self.map.name} has no two values for one request")

    def writes_many(self) -> None:
        """Go on only with a device that writes several registers in one request."""
        self.knows(Function.WRITE_MULTIPLE_REGISTERS)

    # --- reading ----------------------------------------------------------------------------------

    def run(self, function: int) -> Run:
        """The longest run that a function reads."""
        self.knows(function)
        table = self.map.table_of(function) or ""
        runs = list(self._runs(table))
        if not runs:
            raise Inconclusive(f"the map {self.map.name} declares nothing to be read by function {function}")
        return Run(function, max(runs, key=lambda each: each[-1] - each[0]))

    def any_run(self) -> Run:
        """A run of any table, of whole registers if there is one."""
        for table in ("holding", "input", "coil", "discrete"):
            for function in READS[table]:
                if function in self.map.functions.get(table, ()) and any(self._runs(table)):
                    return self.run(function)
        raise Inconclusive(f"the map {self.map.name} declares nothing to be read")

    def _runs(self, table: str) -> Iterator[tuple[int, ...]]:
        """The edges of each run; of a device that refuses blocks, every value is one."""
        edges: list[int] = []
        end = -1
        for each in self.map.at(self.unit, table):
            if not each.readable or each.end <= end:
                continue
            if edges and (each.address > end or not self.map.limits.blocks):
                yield (*edges, end)
                edges = []
            if not edges or each.address >= end:  # one that overlaps the value before it begins no other
                edges.append(each.address)
            end = each.end
        if edges:
            yield (*edges, end)

    def most(self, function: int) -> int:
        """The most values that the map lets one request read."""
        limits = self.map.limits
        return limits.read_bits if self.map.table_of(function) in BIT_TABLES else limits.read

    def gap(self, run: Run) -> int:
        """The first undeclared address behind a run."""
        declared = self.map.at(self.unit, self.map.table_of(run.function) or "")
        held = {at for each in declared for at in range(each.address, each.end)}
        found = next((at for at in range(run.end, LAST + 1) if at not in held), None)
        if found is None:
            raise Inconclusive(f"the map {self.map.name} declares every address behind {run.end - 1}")
        return found

    # --- writing ----------------------------------------------------------------------------------

    def register(self, table: str, *, size: int = 1, ranged: bool = False) -> Register:
        """One that can be written with two values, and read back."""
        for each in self._both_ways(table):
            if each.size == size and len(allowed(each)) > 1 and (not ranged or refused(each)):
                return each
        what = "of a range " if ranged else ""
        raise Inconclusive(f"the map {self.map.name} has no {table} {what}of {size} to write and read")

    def _both_ways(self, table: str) -> Iterator[Register]:
        release = self.map.roles.release
        for each in self.map.at(self.unit, table):
            if each.readable and each.writable and each.mask is None and not each.quirk and each.name != release:
                yield each

    def any_writable(self) -> Register:
        """One that can be written and read, of one register if there is one."""
        found = sorted(self._both_ways("holding"), key=lambda each: each.size)
        if not found or not allowed(found[0]):
            raise Inconclusive(f"the map {self.map.name} has nothing to write and read")
        return found[0]

    def wide(self) -> Register:
        """One of several registers that can be written and read; one that limits a charger where there is no other."""
        limits = set_points(self.map)
        for each in sorted(self._both_ways("holding"), key=lambda each: each in limits):
            if each.size > 1 and len(allowed(each)) > 1:
                return each
        raise Inconclusive(f"the map {self.map.name} has no value of several registers to write and read")

    def read_only(self) -> Register:
        """A holding register that can only be read."""
        for each in self.map.at(self.unit, "holding"):
            if not each.writable and each.readable and each.size == 1:
                return each
        raise Inconclusive(f"the map {self.map.name} has no holding register that can only be read")

    def couple(self) -> tuple[Register, Register]:
        """Two neighbours that can be written, the second of which has a range."""
        known = {each.address: each for each in self._both_ways("holding")}
        for each in known.values():
            second = known.get(each.end)
            if second is not None and len(allowed(each)) > 1 and refused(second):
                return each, second
        raise Inconclusive(f"the map {self.map.name} has no two neighbours, the second with a range")

    def before_gap(self) -> tuple[Register, Words]:
        """One that can be written with nothing behind it, and the words of a write that goes beyond it."""
        known = list(self.map.at(self.unit, "holding"))
        for each in self._both_ways("holding"):
            contents = allowed(each)
            if contents and not any(other.address <= each.end < other.end for other in known):
                return each, (*contents[-1], 1)
        raise Inconclusive(f"the map {self.map.name} has no register to be written before a gap")

    def row(self, function: int, most: int) -> tuple[int, int]:
        """Address and count of the longest row of plain values of one register (bit) that can be written."""
        self.knows(function)
        best = begin = end = 0
        found = (0, 0)
        for each in self._both_ways(self.map.table_of(function) or ""):
            if each.size > 1 or not plain(each):
                continue
            begin, end = (begin, each.end) if each.address == end and end else (each.address, each.end)
            if end - begin > best:
                best, found = end - begin, (begin, end - begin)
        if not best:
            raise Inconclusive(f"the map {self.map.name} has nothing to be written by function {function}")
        return found[0], min(found[1], most)

    def write(self, register: Register, words: Words) -> Request:
        """The request that writes a register's words, by the single form where the device has it."""
        known = self.map.functions[register.table]
        if register.table == "coil":
            if Function.WRITE_SINGLE_COIL in known:
                return write_coil(register.address, bool(words[0]))
            return WriteCoils(register.address, (bool(words[0]),))
        if register.size == 1 and Function.WRITE_SINGLE_REGISTER in known:
            return WriteSingle(Function.WRITE_SINGLE_REGISTER, register.address, words[0])
        return WriteRegisters(register.address, words)

    def read(self, register: Register) -> Read:
        """The request that reads a register."""
        functions = self.map.functions[register.table]
        return Read(next(code for code in READS[register.table] if code in functions), register.address, register.size)


def plain(register: Register) -> bool:
    """Whether any value may be written to it."""
    return register.type == "bool" or (register.low is None and register.high is None and not register.choices)


def allowed(register: Register) -> list[Words]:
    """Up to two contents that the map allows to be written."""
    if register.type == "bool":
        return [(0,), (1,)]
    given = [each for each in (register.low, register.high) if each is not None]
    wanted: list[Value] = [*(register.choices or given or _SAMPLES)]
    found: list[Words] = []
    for value in wanted:
        words = _words(register, value)
        if words is not None and words not in found:
            found.append(words)
    return found[:2]


def refused(register: Register) -> Words | None:
    """A content that the map does not allow; None where everything is."""
    if register.type == "bool" or register.size > 1:
        return None
    tries = range(LAST, LAST - 4, -1)
    return next(((raw,) for raw in tries if _words(register, register.decode((raw,))) is None), None)


def _words(register: Register, value: Value) -> Words | None:
    try:
        return register.encode(value)
    except CodecError:
        return None


def _all(*lookups: Callable[[Places], object]) -> Callable[[Places], object]:
    return lambda places: [lookup(places) for lookup in lookups]


FEATURES: Mapping[str, Callable[[Places], object]] = {
    "tcp": lambda places: places.transport("tcp"),
    "rtu": lambda places: places.transport("rtu"),
    "broadcast": Places.obeys_broadcasts,
    "parity": Places.parity,
    "gap": lambda places: places.gap(places.any_run()),
    "row": Places.several,
    "coils": lambda places: places.run(Function.READ_COILS),
    "contacts": lambda places: places.run(Function.READ_DISCRETE_INPUTS),
    "holding": lambda places: places.run(Function.READ_HOLDING_REGISTERS),
    "inputs": lambda places: places.run(Function.READ_INPUT_REGISTERS),
    "write-coil": _all(lambda places: places.knows(Function.WRITE_SINGLE_COIL), lambda places: places.register("coil")),
    "write-register": _all(
        lambda places: places.knows(Function.WRITE_SINGLE_REGISTER), lambda places: places.register("holding")
    ),
    "write-coils": lambda places: places.row(Function.WRITE_MULTIPLE_COILS, 1),
    "write-registers": lambda places: places.row(Function.WRITE_MULTIPLE_REGISTERS, 1),
    "mask": lambda places: places.knows(Function.MASK_WRITE_REGISTER),
    "read-write": lambda places: places.knows(Function.READ_WRITE_MULTIPLE_REGISTERS),
    "one": lambda places: places.register("holding"),
    "any": Places.any_writable,
    "read-only": Places.read_only,
    "range": lambda places: places.register("holding", ranged=True),
    "range-several": _all(Places.writes_many, lambda places: places.register("holding", ranged=True)),
    "couple": _all(Places.writes_many, Places.couple),
    "end": _all(Places.writes_many, Places.before_gap),
    "wide": _all(Places.writes_many, Places.wide),
}
"""How each feature is looked for."""
