"""Register maps: what a Modbus device keeps at which address, and how it is read and written.

A map is data (one TOML file a device, :mod:`hil.codec.map_file`). Codec, reading plan, documentation and
range checks are derived from it. Function codes are plain numbers here; the wire is :mod:`hil.protocol.modbus`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from types import MappingProxyType

from hil.codec.register import BIT_TABLES, Register, Value
from hil.errors import CodecError

READS: Mapping[str, tuple[int, ...]] = {"coil": (1,), "discrete": (2,), "input": (4, 3), "holding": (3, 4, 23)}
"""Functions that read a table, the usual one first."""
WRITE_ONE: Mapping[str, int] = {"coil": 5, "holding": 6}
WRITE_MANY: Mapping[str, int] = {"coil": 15, "holding": 16}
OTHER_WRITES: Mapping[str, tuple[int, ...]] = {"holding": (22, 23)}


@dataclass(frozen=True)
class Limits:
    """What one request may ask for. Those of the protocol, unless the device has its own."""

    read: int = 125
    write: int = 123
    read_bits: int = 2000
    write_bits: int = 1968
    blocks: bool = True
    """Several values in one request."""
    gap: int = 0
    """Undeclared registers that a block may span."""


@dataclass(frozen=True)
class Behaviour:
    """What the device does at the edges; "" where the source does not say."""

    unlisted: str = ""
    partial_write: str = ""
    foreign_unit: str = ""
    unknown_function: str = ""
    broadcast: str = ""
    clients: int = 0
    idle_close: float = 0
    read_interval: float = 0
    write_interval: float = 0


@dataclass(frozen=True)
class Watchdog:
    """What keeps a device from falling back. ``by`` names registers, ``timeout`` one or a time in seconds."""

    fed_by: str
    by: tuple[str, ...] = ()
    timeout: str | float = ""
    fallback: str = ""


@dataclass(frozen=True)
class Roles:
    """Which registers hold what a bench asks of any charger or meter; "" and () where the device has none."""

    voltage: tuple[str, ...] = ()
    current: tuple[str, ...] = ()
    power: str = ""
    energy: str = ""
    insulation: str = ""
    state: str = ""
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Values of ``state`` as texts, and the states of the pilot (``A`` .. ``F``) that each may stand for."""
    set_current: str = ""
    applied_current: str = ""
    set_safe_current: str = ""
    set_validity: str = ""
    release: str = ""
    alarms: str = ""
    alarm_bits: Mapping[str, int] = field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        """Every register that has a role."""
        measured = (*self.voltage, *self.current, self.power, self.energy, self.insulation)
        limits = (self.set_current, self.applied_current, self.set_safe_current, self.set_validity, self.release)
        return tuple(filter(None, (*measured, self.state, *limits, self.alarms)))


@dataclass(frozen=True, slots=True)
class ReadBlock:
    """One request of a reading plan."""

    unit_id: int
    function: int
    address: int
    count: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WriteBlock:
    """One request that writes a value; ``single`` for functions 5 and 6."""

    unit_id: int
    function: int
    address: int
    values: tuple[int, ...]

    @property
    def single(self) -> bool:
        """Whether the request carries one value without a count."""
        return self.function in WRITE_ONE.values()


@dataclass(frozen=True)
class RegisterMap:
    """A device. Registers of a group carry its name and number: ``socket1.voltage_l1``."""

    name: str
    title: str
    kind: str
    source: str
    unit_id: int
    transports: tuple[str, ...]
    registers: Mapping[str, Register]
    functions: Mapping[str, tuple[int, ...]]
    limits: Limits = Limits()
    behaviour: Behaviour = Behaviour()
    watchdog: Watchdog | None = None
    roles: Roles = Roles()
    serial: str = ""
    quirks: tuple[str, ...] = ()
    base: int = 0
    """What the first address is called in the file; addresses here count from 0 whatever it is."""
    confidence: str = ""
    groups: Mapping[str, int] = field(default_factory=dict)
    """Members of each group."""

    def __getitem__(self, name: str) -> Register:
        """A register by its name; :class:`CodecError` with near matches for an unknown one."""
        try:
            return self.registers[name]
        except KeyError:
            near = get_close_matches(name, self.registers, n=3)
            hint = f"did you mean {' or '.join(near)}? " if near else ""
            raise CodecError(f"{self.name} has no register {name!r}: {hint}it has {len(self.registers)}") from None

    @cached_property
    def unit_ids(self) -> tuple[int, ...]:
        """Every unit id that the device answers to."""
        return tuple(sorted({each.unit_id for each in self.registers.values()} or {self.unit_id}))

    @cached_property
    def all_functions(self) -> frozenset[int]:
        """Every function code that the device knows."""
        return frozenset(code for codes in self.functions.values() for code in codes)

    def table_of(self, function: int) -> str | None:
        """The table that a function code reads or writes; None for one that the device does not know."""
        return self._tables.get(function)

    @cached_property
    def _tables(self) -> Mapping[int, str]:
        return {code: table for table, codes in self.functions.items() for code in codes}

    @cached_property
    def _by_place(self) -> Mapping[tuple[int, str], tuple[Register, ...]]:
        places: dict[tuple[int, str], list[Register]] = {}
        for each in sorted(self.registers.values(), key=lambda register: register.address):
            places.setdefault((each.unit_id, each.table), []).append(each)
        return {place: tuple(registers) for place, registers in places.items()}

    def at(self, unit_id: int, table: str) -> tuple[Register, ...]:
        """The registers of a unit's table, by address."""
        return self._by_place.get((unit_id, table), ())

    def on_unit(self, unit_id: int) -> RegisterMap:
        """The same device with another unit id; what stands on other units than the map's own stays there."""
        moved = (replace(r, unit_id=unit_id) if r.unit_id == self.unit_id else r for r in self.registers.values())
        return replace(self, unit_id=unit_id, registers=frozen(moved))

    # --- values -----------------------------------------------------------------------------------

    def decode(self, name: str, registers: Sequence[int]) -> Value:
        """The value of a register's words; see :meth:`Register.decode`."""
        return self[name].decode(registers)

    def encode(self, name: str, value: Value) -> tuple[int, ...]:
        """The words of a value; raises :class:`CodecError` naming map, register, value and what is allowed."""
        try:
            return self[name].encode(value)
        except CodecError as error:
            raise CodecError(f"{self.name}: {error}") from None

    # --- requests ---------------------------------------------------------------------------------

    def plan(self, names: Iterable[str] | None = None) -> tuple[ReadBlock, ...]:
        """As few reads as the device's limits allow, by unit, table and address. Without names, all that is readable.

        Raises :class:`CodecError` for an unknown name and for one that can only be written.
        """
        wanted = [self[name] for name in dict.fromkeys(names)] if names is not None else list(self.registers.values())
        if names is None:
            wanted = [each for each in wanted if each.readable]
        unreadable = [each.name for each in wanted if not each.readable]
        if unreadable:
            raise CodecError(f"{self.name}: {', '.join(unreadable)} can only be written")
        wanted.sort(key=lambda each: (each.unit_id, each.table, each.address))
        blocks: list[list[Register]] = []
        for each in wanted:
            if blocks and self._joins(blocks[-1], each):
                blocks[-1].append(each)
            else:
                blocks.append([each])
        return tuple(self._block(block) for block in blocks)

    def _joins(self, block: Sequence[Register], register: Register) -> bool:
        first = block[0]
        if (first.unit_id, first.table) != (register.unit_id, register.table):
            return False
        if (first.address, first.size) == (register.address, register.size):
            return True  # fields of one register
        most = self.limits.read_bits if first.table in BIT_TABLES else self.limits.read
        near = register.address - max(each.end for each in block) <= self.limits.gap
        return self.limits.blocks and near and register.end - first.address <= most

    def _block(self, registers: Sequence[Register]) -> ReadBlock:
        first = registers[0]
        function = next(code for code in READS[first.table] if code in self.functions[first.table])
        end = max(each.end for each in registers)
        names = tuple(each.name for each in registers)
        return ReadBlock(first.unit_id, function, first.address, end - first.address, names)

    def take(self, block: ReadBlock, values: Sequence[int]) -> dict[str, Value]:
        """The values of a block's registers; :class:`CodecError` for another number of words than was planned."""
        if len(values) != block.count:
            raise CodecError(f"{self.name}: {len(values)} words given, the block at {block.address} has {block.count}")
        found = {}
        for name in block.names:
            register = self.registers[name]
            start = register.address - block.address
            found[name] = register.decode(values[start : start + register.size])
        return found

    def write(self, name: str, value: Value) -> WriteBlock:
        """The request that writes a value, by the single form where the device has it.

        Raises :class:`CodecError` for what cannot be written and for a value that is not allowed.
        """
        if not self[name].writable:
            raise CodecError(f"{self.name}: {name} can only be read")
        return self.write_words(name, self.encode(name, value))

    def write_words(self, name: str, values: Sequence[int]) -> WriteBlock:
        """The request that writes words as they are, allowed or not."""
        register = self[name]
        known = self.functions[register.table]
        one, many = WRITE_ONE[register.table], WRITE_MANY[register.table]
        function = one if one in known and register.size == 1 else many
        return WriteBlock(register.unit_id, function, register.address, tuple(values))


def frozen(registers: Iterable[Register]) -> Mapping[str, Register]:
    """Registers by their names, in the order given."""
    return MappingProxyType({each.name: each for each in registers})
