"""Application data units: the MBAP header of TCP, address and CRC of RTU, and the line's silences."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from hil.errors import CodecError, UsageError
from hil.protocol.modbus.pdu import MAX_PDU
from hil.units import SECOND, Span, us

MBAP_SIZE = 7
"""Transaction id, protocol id, length (2 bytes each) and unit id."""
PREFIX_SIZE = 6
"""What the length field does not count."""
MAX_TCP = MBAP_SIZE + MAX_PDU
MAX_RTU = 1 + MAX_PDU + 2
"""256: address, PDU, CRC."""
MIN_RTU = 4
"""Address, function code, CRC."""
BROADCAST = 0
"""The unit that all devices of a serial line listen to and none answers."""
_LENGTHS = range(2, 1 + MAX_PDU + 1)
"""What the length field of a frame can be: unit id and at least a function code."""


@dataclass(frozen=True, slots=True)
class TcpFrame:
    """A frame as its length field cuts it."""

    transaction: int
    protocol: int
    unit: int
    pdu: bytes
    data: bytes
    """All of its bytes."""


def encode_tcp(transaction: int, unit: int, pdu: bytes, *, protocol: int = 0, length: int | None = None) -> bytes:
    """A frame for TCP. ``protocol`` and ``length`` only when they are to be wrong.

    Raises :class:`CodecError` for what does not fit its field.
    """
    size = 1 + len(pdu) if length is None else length
    try:
        return struct.pack(">HHHB", transaction, protocol, size, unit) + pdu
    except struct.error:
        fields = f"transaction {transaction}, protocol {protocol}, length {size}, unit {unit}"
        raise CodecError(f"MBAP header: {fields}: a unit is 0..255, the others 0..65535") from None


class TcpStream:
    """Cuts a stream of bytes into frames, however its segments are cut. Holds less than one frame."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[TcpFrame | bytes]:
        """Every frame that is complete. Bytes are yielded as such where the length field is impossible.

        A frame with a wrong protocol id is cut by its length like any other. After an impossible length
        nothing tells where the next frame begins: all that has come so far is given up.
        """
        buffer = self._buffer + data if self._buffer else data
        while len(buffer) >= PREFIX_SIZE:
            length = buffer[4] << 8 | buffer[5]
            if length not in _LENGTHS:
                self._buffer = b""
                yield buffer
                return
            end = PREFIX_SIZE + length
            if len(buffer) < end:
                break
            frame, buffer = buffer[:end], buffer[end:]
            self._buffer = buffer
            yield TcpFrame(frame[0] << 8 | frame[1], frame[2] << 8 | frame[3], frame[6], frame[7:], frame)
        self._buffer = buffer

    def flush(self) -> bytes:
        """Give up and return what is there of an unfinished frame."""
        rest, self._buffer = self._buffer, b""
        return rest

    @property
    def rest(self) -> bytes:
        """What is there of an unfinished frame."""
        return self._buffer


# --- RTU ------------------------------------------------------------------------------------------


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_CRC = _table()


def crc16(data: bytes) -> int:
    """CRC-16 of RTU: polynomial 0xA001 reflected, begun with 0xFFFF. It is sent low byte first."""
    crc, table = 0xFFFF, _CRC
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc


def crc_right(frame: bytes) -> bool:
    """Whether the last two bytes of a frame are the CRC of those before."""
    return len(frame) >= MIN_RTU and crc16(frame[:-2]) == frame[-2] | frame[-1] << 8


def encode_rtu(unit: int, pdu: bytes, *, crc: int | None = None) -> bytes:
    """A frame for RTU. ``crc`` only when it is to be wrong. Raises :class:`CodecError` for a unit beyond 0..255."""
    if not 0 <= unit <= 0xFF:
        raise CodecError(f"unit {unit}: allowed is 0..255")
    body = bytes((unit,)) + pdu
    return body + (crc16(body) if crc is None else crc & 0xFFFF).to_bytes(2, "little")


FAST = 19_200
"""Baud rate above which the silences are fixed (Serial Line V1.02, 2.5.1.1)."""
_FAST_INNER, _FAST_BETWEEN = us(750), us(1750)


@dataclass(frozen=True, slots=True)
class RtuTiming:
    """Spans of a serial line, in nanoseconds."""

    character: Span
    """One byte with its start, parity and stop bits."""
    inner: Span
    """t1.5: a longer gap inside a frame spoils it."""
    between: Span
    """t3.5: a silence as long ends a frame."""

    @classmethod
    def of(cls, baud: int, bits: int = 11) -> RtuTiming:
        """Of a baud rate; ``bits`` make up a byte: 11 with parity or two stop bits, 10 for 8N1.

        Above 19200 baud t1.5 is 750 us and t3.5 is 1.75 ms (standards map, section 8; Serial Line V1.02).
        Raises :class:`UsageError` for values that no line has.
        """
        if baud <= 0 or not 9 <= bits <= 12:
            raise UsageError(f"{baud} baud, {bits} bits a byte: allowed are a positive rate and 9..12 bits")
        character = Fraction(bits * SECOND, baud)
        if baud > FAST:
            return cls(round(character), _FAST_INNER, _FAST_BETWEEN)
        return cls(round(character), round(character * 3 / 2), round(character * 7 / 2))

    def span(self, count: int) -> Span:
        """How long so many bytes take when they follow each other at once."""
        return count * self.character
