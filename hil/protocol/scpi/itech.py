"""The classic binary frame of ITECH IT8500 and B&K 8500 loads: 26 bytes both ways (sheet serial 3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from hil.errors import CodecError

START, LENGTH, BROADCAST = 0xAA, 26, 0xFF
_DATA = 22


class Op(IntEnum):
    """Commands; the reading one of a pair is the setting one plus 1."""

    STATUS = 0x12
    REMOTE = 0x20
    LOAD = 0x21
    MAX_VOLTAGE = 0x22
    MAX_CURRENT = 0x24
    MAX_POWER = 0x26
    MODE = 0x28
    CC_CURRENT = 0x2A
    CV_VOLTAGE = 0x2C
    CW_POWER = 0x2E
    CR_RESISTANCE = 0x30
    FUNCTION = 0x5D
    READ_STATE = 0x5F
    PRODUCT = 0x6A


class Outcome(IntEnum):
    """Byte 3 of a status reply."""

    DONE = 0x80
    WRONG_CHECKSUM = 0x90
    BAD_PARAMETER = 0xA0
    REFUSED = 0xB0
    UNKNOWN = 0xC0


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet; ``data`` is filled with zeros to 22 bytes."""

    address: int
    command: int
    data: bytes = b""

    def __post_init__(self) -> None:
        """What fits no field raises :class:`CodecError`."""
        if not (0 <= self.address <= 0xFF and 0 <= self.command <= 0xFF and len(self.data) <= _DATA):
            raise CodecError(f"{self}: address and command 0..255, at most {_DATA} data bytes")

    def encode(self) -> bytes:
        """26 bytes."""
        body = bytes((START, self.address, self.command)) + self.data.ljust(_DATA, b"\0")
        return body + bytes((sum(body) & 0xFF,))

    def u32(self, at: int = 0) -> int:
        """Four data bytes as a number; 0 where there are none."""
        return int.from_bytes(self.data[at : at + 4], "little")


@dataclass(frozen=True, slots=True)
class State:
    """What :attr:`Op.READ_STATE` tells; V, A, W."""

    voltage: float
    current: float
    power: float
    operation: int
    demand: int


def read_state(packet: Packet) -> State:
    """The state in a reply."""
    data = packet.data.ljust(_DATA, b"\0")
    demand = int.from_bytes(data[13:15], "little")
    return State(packet.u32(0) / 1e3, packet.u32(4) / 1e4, packet.u32(8) / 1e3, data[12], demand)


class Framer:
    """Cuts a stream into packets with a right sum; anything else comes back as bytes."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Packet | bytes]:
        """What these bytes complete."""
        self._buffer += data
        items: list[Packet | bytes] = []
        buffer, junk = self._buffer, bytearray()
        while buffer:
            if buffer[0] == START and len(buffer) < LENGTH:
                break
            if buffer[0] == START and sum(buffer[: LENGTH - 1]) & 0xFF == buffer[LENGTH - 1]:
                if junk:
                    items.append(bytes(junk))
                    junk.clear()
                items.append(Packet(buffer[1], buffer[2], bytes(buffer[3 : LENGTH - 1])))
                del buffer[:LENGTH]
            else:
                junk.append(buffer.pop(0))
        if junk:
            items.append(bytes(junk))
        return items

    def drop(self) -> None:
        """The line has paused: half a packet is none."""
        self._buffer.clear()
