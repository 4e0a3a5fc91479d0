"""Set-points among the writes of a Modbus master, by the register map of the device."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from math import inf, isnan
from typing import NamedTuple

from hil.bench.guard.readers import Asked
from hil.codec.register import Register
from hil.codec.registers import RegisterMap
from hil.codec.set_points import SET_POINT_UNITS, alike, set_points
from hil.errors import CodecError
from hil.protocol.modbus import MAX_RTU, Function, TcpFrame, TcpStream, crc_right
from hil.protocol.modbus.pdu import REGISTER_READS
from hil.safety.envelope import SetPoint

_HEAD = 7
"""Bytes of the MBAP header before the PDU."""


class _Write(NamedTuple):
    address: int
    words: tuple[int, ...] | None
    """None: what comes of it depends on what is there, as with a mask."""


class RegisterReader:
    """What is written to the registers of a map that are set-points.

    These are its roles ``set_current`` and ``set_safe_current``, the same registers of every member of a group, and
    whatever else can be written to a charger in V, A, W or VA. Every unit id counts as the device's. A write to a part
    of such a register, and one by a mask, is beyond every limit: what comes of it is not known. What is written to the
    role ``release``, if it is not 0, permits a charge.
    ``power_of`` tells the power of a current in A each phase.
    """

    def __init__(self, registers: RegisterMap, power_of: Callable[[float], float], *, tcp: bool) -> None:
        self._points = {register.name: register for register in set_points(registers)}
        self._releases = alike(registers, registers.roles.release)
        self._points |= {name: each for name, each in registers.registers.items() if name in self._releases}
        self._fallbacks = alike(registers, registers.roles.set_safe_current)
        self._power_of = power_of
        self._stream = TcpStream() if tcp else None
        self._tail = b""

    def read(self, data: bytes) -> Asked:
        """What the requests that these bytes complete write."""
        alone, crossing = self._of_rtu(data) if self._stream is None else self._of_tcp(self._stream, data)
        begun = self._asked(crossing)
        return Asked(self._asked(alone) + begun, begun=bool(begun))

    def _asked(self, pdus: list[bytes]) -> list[SetPoint]:
        return [point for pdu in pdus for write in _writes(pdu) for point in self._written(write)]

    @staticmethod
    def _of_tcp(stream: TcpStream, data: bytes) -> tuple[list[bytes], list[bytes]]:
        """PDUs that a chunk holds, and those of which a part came before. Where a header's length is wrong, what stands
        behind the header is taken too."""
        begun = bool(stream.rest)
        pdus = [each.pdu for each in stream.feed(data) if isinstance(each, TcpFrame)]
        if begun:
            return pdus[1:], pdus[:1]
        right = bool(pdus) and not stream.rest and all(_size(pdu) in (None, len(pdu)) for pdu in pdus)
        return pdus if right or data[_HEAD:] in pdus else [*pdus, data[_HEAD:]], []

    def _of_rtu(self, data: bytes) -> tuple[list[bytes], list[bytes]]:
        """Where a chunk begins a frame begins, whatever its check; elsewhere one is known by its right check."""
        if crc_right(data):
            self._tail = b""
            return [data[1:-2]], []
        held, before, ends = self._tail + data, len(self._tail), 0
        alone, crossing = [data[1:-2]], [held[1:-2]] if before else []
        for start in range(len(held)):
            size = _size(held[start + 1 :])
            if size is not None and crc_right(held[start : start + size + 3]):
                (alone if start >= before else crossing).append(held[start + 1 : start + 1 + size])
                ends = start + size + 3
        self._tail = held[ends:][-MAX_RTU:]
        return alone, crossing

    def _written(self, write: _Write) -> Iterator[SetPoint]:
        end = write.address + (1 if write.words is None else len(write.words))
        for register in self._points.values():
            if register.address < end and write.address < register.end:
                whole = write.words is not None and write.address <= register.address and register.end <= end
                words = write.words[register.address - write.address :][: register.size] if whole else None  # type: ignore[index]  # whole has words
                yield self._point(register, words)

    def _point(self, register: Register, words: tuple[int, ...] | None) -> SetPoint:
        if register.name in self._releases:
            return SetPoint(register.name, releases=words is None or any(words))
        quantity, factor = SET_POINT_UNITS.get(register.unit, ("current", 1.0))
        value = inf if words is None else abs(_number(register, words)) * factor
        power = self._power_of(value) if quantity == "current" and value else 0.0
        asked = {"power": power, quantity: value}
        return SetPoint(register.name, fallback=register.name in self._fallbacks, releases=False, **asked)


def _number(register: Register, words: tuple[int, ...]) -> float:
    try:
        value = register.decode(words)
    except CodecError:
        return inf
    return inf if not isinstance(value, int | float) or isnan(value) else float(value)


def _size(pdu: bytes) -> int | None:
    """How long a PDU that begins so is, of those about registers; None for others."""
    function = pdu[0] if pdu else 0
    if function in (*REGISTER_READS, Function.WRITE_SINGLE_REGISTER):
        return 5
    if function == Function.MASK_WRITE_REGISTER:
        return 7
    if function == Function.WRITE_MULTIPLE_REGISTERS and len(pdu) > 5:
        return 6 + pdu[5]
    if function == Function.READ_WRITE_MULTIPLE_REGISTERS and len(pdu) > 9:
        return 10 + pdu[9]
    return None


def _writes(pdu: bytes) -> list[_Write]:
    """What a PDU writes, its counts left aside: what is there may be taken."""
    function = pdu[0] if pdu else 0
    if function == Function.WRITE_SINGLE_REGISTER and len(pdu) >= 5:
        return [_Write(_word(pdu, 1), (_word(pdu, 3),))]
    if function == Function.MASK_WRITE_REGISTER and len(pdu) >= 5:
        return [_Write(_word(pdu, 1), None)]
    if function == Function.WRITE_MULTIPLE_REGISTERS and len(pdu) >= 8:
        return [_Write(_word(pdu, 1), _words(pdu[6:]))]
    if function == Function.READ_WRITE_MULTIPLE_REGISTERS and len(pdu) >= 12:
        return [_Write(_word(pdu, 5), _words(pdu[10:]))]
    return []


def _word(pdu: bytes, at: int) -> int:
    return int.from_bytes(pdu[at : at + 2], "big")


def _words(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(data) // 2}H", data[: len(data) // 2 * 2])
