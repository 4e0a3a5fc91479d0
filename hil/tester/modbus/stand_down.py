"""What a bench has asked of a charger by its registers, and what takes that back: its "do not charge"."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from hil.codec.register import BIT_TABLES, Register
from hil.codec.registers import RegisterMap, WriteBlock
from hil.errors import CodecError
from hil.protocol.modbus import (
    Bits,
    ExceptionReply,
    Function,
    MaskWrite,
    Read,
    ReadWrite,
    Registers,
    Reply,
    Request,
    WriteCoils,
    WriteRegisters,
    WriteSingle,
    encode_rtu,
    encode_tcp,
)
from hil.protocol.modbus.pdu import OFF, ON
from hil.units import Instant, Span, ms

Words = tuple[int, ...]
_UNKNOWN: Words = ()
"""What stands in a register of which a part was written, or by a mask."""
_APART: Span = ms(100)
"""From one last write to the next: nobody waits for its answer, and the device has to take it."""
_TRANSACTION = 0xFFFF
"""Of last writes; a client counts its own from 1."""
_WRITES = (Function.WRITE_SINGLE_COIL, Function.WRITE_SINGLE_REGISTER)


@dataclass(frozen=True)
class _Point:
    """A charging point: what releases it, and what limits it."""

    release: Register | None
    current: Register | None

    def registers(self) -> Iterator[Register]:
        """Those that there are."""
        return (each for each in (self.release, self.current) if each is not None)


class StandDown:
    """Watches what is written to the registers of the roles ``release`` and ``set_current``, those of other members of
    a group too, and tells what ends it. What was put back to what was read before is no change, nor is what the device
    refused.
    """

    def __init__(self, registers: RegisterMap) -> None:
        self._map = registers
        self._points = _points(registers)
        self._found: dict[str, Words] = {}
        self._last: dict[str, Words] = {}
        self._before: dict[str, Words | None] = {}
        """What :attr:`_last` was before the latest write."""

    def asked(self, unit: int, request: Request) -> None:
        """A request goes out."""
        for bits, address, words, count in _writes(request):
            for register in self._touched(unit, bits=bits, address=address, count=count):
                at = register.address - address
                whole = at >= 0 and at + register.size <= len(words)
                self._before[register.name] = self._last.get(register.name)
                self._last[register.name] = words[at : at + register.size] if whole else _UNKNOWN

    def answered(self, unit: int, request: Request, reply: Reply) -> None:
        """Its answer has come."""
        if isinstance(reply, ExceptionReply):
            for bits, address, _, count in _writes(request):
                for register in self._touched(unit, bits=bits, address=address, count=count):
                    self._take_back(register.name)
        elif isinstance(request, Read) and isinstance(reply, Registers | Bits):
            words = reply.values if isinstance(reply, Registers) else tuple(map(int, reply.bits))
            bits = request.function == Function.READ_COILS
            if bits or request.function == Function.READ_HOLDING_REGISTERS:
                self._read(unit, request, words, bits=bits)

    def _take_back(self, name: str) -> None:
        before = self._before.pop(name, None)
        if before is None:
            self._last.pop(name, None)
        else:
            self._last[name] = before

    def _read(self, unit: int, request: Read, words: Words, *, bits: bool) -> None:
        for register in self._touched(unit, bits=bits, address=request.address, count=request.count):
            at = register.address - request.address
            if at >= 0 and at + register.size <= len(words) and register.name not in self._last:
                self._found[register.name] = words[at : at + register.size]

    def _touched(self, unit: int, *, bits: bool, address: int, count: int) -> list[Register]:
        return [
            register
            for point in self._points
            for register in point.registers()
            if (register.table in BIT_TABLES) is bits
            and register.address < address + count
            and address < register.end
            # A unit that the map does not know may be anybody, as the one that is everybody.
            and (unit == register.unit_id or unit not in self._map.unit_ids)
        ]

    # --- the end --------------------------------------------------------------------------------------

    def words(self) -> list[WriteBlock]:
        """The writes after which nothing charges by what the bench has asked for; empty where it has asked nothing.

        That is no release where the map has a register for that; else a limit of 0, or of the least where the map
        allows no 0.
        """
        changed = (point for point in self._points if any(map(self._energises, point.registers())))
        return [block for block in map(self._off, changed) if block is not None]

    def _energises(self, register: Register) -> bool:
        last = self._last.get(register.name)
        if last is None or last == self._found.get(register.name):
            return False
        return last == _UNKNOWN or _value(register, last) != 0

    def _off(self, point: _Point) -> WriteBlock | None:
        for register in point.registers():
            if register.allows(0):
                return self._map.write(register.name, 0)
        current = point.current
        if current is None or current.low is None:
            return None
        last = self._last.get(current.name, _UNKNOWN)
        least = current.encode(current.low)
        return None if last == least else self._map.write_words(current.name, least)


class LastWrites:
    """Writes for one line, one at a time; each is said once."""

    def __init__(self, blocks: list[WriteBlock]) -> None:
        self._left = deque(blocks)
        self._free_at: Instant = 0

    @property
    def said(self) -> bool:
        """Whether none is left."""
        return not self._left

    def take(self, now: Instant) -> WriteBlock | None:
        """The next; None while the one before has only just gone."""
        if not self._left or now < self._free_at:
            return None
        self._free_at = now + _APART
        return self._left.popleft()


def request_of(block: WriteBlock) -> Request:
    """The request that writes a block."""
    if block.single:
        value = block.values[0]
        coil = block.function == Function.WRITE_SINGLE_COIL
        return WriteSingle(block.function, block.address, (ON if value else OFF) if coil else value)
    if block.function == Function.WRITE_MULTIPLE_COILS:
        return WriteCoils(block.address, tuple(map(bool, block.values)))
    return WriteRegisters(block.address, block.values)


def frame_of(block: WriteBlock, *, tcp: bool) -> bytes:
    """The bytes of a write that nobody waits for."""
    pdu = request_of(block).encode()
    return encode_tcp(_TRANSACTION, block.unit_id, pdu) if tcp else encode_rtu(block.unit_id, pdu)


def _points(registers: RegisterMap) -> tuple[_Point, ...]:
    """The point that has the roles, and every other member of its group."""
    roles = registers.roles
    releases, currents = _members(registers, roles.release), _members(registers, roles.set_current)
    prefixes = dict.fromkeys([*releases, *currents])
    return tuple(_Point(releases.get(each), currents.get(each)) for each in prefixes)


def _members(registers: RegisterMap, name: str) -> dict[str, Register]:
    """By the member's name; empty where there is none or it cannot be written."""
    own = name.rpartition(".")[2]
    alike = (each for each in registers.registers.values() if name and each.name.rpartition(".")[2] == own)
    return {each.name.rpartition(".")[0]: each for each in alike if each.writable}


def _value(register: Register, words: Words) -> object:
    try:
        return register.decode(words)
    except CodecError:
        return None


def _writes(request: Request) -> Iterator[tuple[bool, int, Words, int]]:
    """Whether bits are written, from where, what (nothing where that is not known), and how many."""
    if isinstance(request, WriteSingle) and request.function in _WRITES:
        coil = request.function == Function.WRITE_SINGLE_COIL
        yield coil, request.address, (int(request.value != OFF) if coil else request.value,), 1
    elif isinstance(request, WriteCoils):
        yield True, request.address, tuple(map(int, request.bits)), len(request.bits)
    elif isinstance(request, WriteRegisters):
        yield False, request.address, request.values, len(request.values)
    elif isinstance(request, MaskWrite):
        yield False, request.address, _UNKNOWN, 1
    elif isinstance(request, ReadWrite):
        yield False, request.write_address, request.values, len(request.values)
