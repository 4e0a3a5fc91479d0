"""How seeded faults of the reference Modbus device are written, and what they are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pymodbus.framer import FramerRTU

from hil.dut.faults import SeededFault
from hil.dut.modbus.device import RTU, DeviceSpec, Pieces
from hil.dut.modbus.spec import Data, Refused
from hil.units import Instant

ERROR_BIT = 0x80
Read = Callable[[Data, int, int, int, int, Instant], Sequence[int] | Refused]
"""Data, unit, function, address, count, now."""
Write = Callable[[Data, int, int, int, Sequence[int], Instant], Refused | None]
"""Data, unit, function, address, values, now."""


class Fault(SeededFault[DeviceSpec]):
    """One defect of the reference Modbus device."""

    dut = "modbus"


def cases(*names: str) -> tuple[str, ...]:
    """Requirement ids of the Modbus suite."""
    return tuple(f"MODBUS/{name}" for name in names)


class Tampered:
    """Data that reads or writes in another way."""

    def __init__(self, data: Data, read: Read | None = None, write: Write | None = None) -> None:
        self._data = data
        self._read, self._write = read, write

    def read(self, unit: int, function: int, address: int, count: int, now: Instant) -> Sequence[int] | Refused:
        """As many values as asked for."""
        if self._read is None:
            return self._data.read(unit, function, address, count, now)
        return self._read(self._data, unit, function, address, count, now)

    def write(self, unit: int, function: int, address: int, values: Sequence[int], now: Instant) -> Refused | None:
        """Take values."""
        if self._write is None:
            return self._data.write(unit, function, address, values, now)
        return self._write(self._data, unit, function, address, values, now)


def reading(read: Read) -> Callable[[DeviceSpec], DeviceSpec]:
    """The edit that lets a device read in another way."""
    return lambda device: device.but(data=lambda data: Tampered(data, read=read))


def writing(write: Write) -> Callable[[DeviceSpec], DeviceSpec]:
    """The edit that lets a device write in another way."""
    return lambda device: device.but(data=lambda data: Tampered(data, write=write))


def saying(function: int, change: Callable[[bytes], bytes]) -> Callable[[DeviceSpec], DeviceSpec]:
    """The edit that changes the PDU of replies with that function code."""

    def say(line: str, asked: bytes, reply: bytes) -> Pieces:
        pdu = pdu_of(line, reply)
        return ((0, with_pdu(line, reply, change(pdu)) if pdu[0] == function else reply),)

    return lambda device: device.but(say=say)


def taking(change: Callable[[bytes], bytes]) -> Callable[[DeviceSpec], DeviceSpec]:
    """The edit that lets a device take a PDU for another."""
    return lambda device: device.but(take=lambda line, unit, pdu: (unit, change(pdu)))


def pdu_of(line: str, frame: bytes) -> bytes:
    """The PDU in a frame."""
    return frame[1:-2] if line == RTU else frame[7:]


def with_pdu(line: str, frame: bytes, pdu: bytes) -> bytes:
    """A frame with another PDU, right in all else."""
    if line == RTU:
        return checked(frame[:1] + pdu)
    return frame[:4] + (1 + len(pdu)).to_bytes(2, "big") + frame[6:7] + pdu


def checked(body: bytes) -> bytes:
    """Address and PDU with their CRC."""
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")
