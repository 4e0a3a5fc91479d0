"""Exact length of a CAN 2.0 data frame in bits, stuff bits counted from the actual bits.

Stuffing runs from the start of frame to the end of the CRC sequence: after five equal bits one of
the other kind is inserted. Header states are kept per identifier and length, payload and CRC go
through tables by bytes.
"""

from __future__ import annotations

from functools import lru_cache

from hil.codec.frame import CanFrame
from hil.errors import UsageError

INTERMISSION = 3
"""Bits between frames."""
ERROR_FRAME = 6 + 6 + 8
"""Longest usual error frame: two overlapping flags and the delimiter."""
ERROR_ALONE = 6 + 8
"""Error frame of a node that is alone on its line: one flag and the delimiter."""
AFTER_ACKNOWLEDGE = 1 + 7
"""Acknowledge delimiter and end of frame: what a frame still has to go when its acknowledge is missing."""
_TAIL = 1 + 2 + 7
"""CRC delimiter, acknowledge slot and delimiter, end of frame: not stuffed."""
_CRC_BITS = 15
_CRC_POLYNOMIAL = 0x4599
_STATES = 8
"""Stuffing state: the last bit and how often it stood in a row (1 to 4)."""
_LONGEST = 8


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte << 7
        for _ in range(8):
            crc = (crc << 1 ^ _CRC_POLYNOMIAL if crc & 0x4000 else crc << 1) & 0x7FFF
        table.append(crc)
    return tuple(table)


def _feed(state: int, bits: int, count: int) -> tuple[int, int]:
    """Stuff bits within ``count`` bits, and the state after them."""
    last, run = state >> 2, (state & 3) + 1
    stuffed = 0
    for position in range(count - 1, -1, -1):
        bit = bits >> position & 1
        run = run + 1 if bit == last else 1
        last = bit
        if run == 5:
            stuffed += 1
            last, run = 1 - bit, 1
    return stuffed, last << 2 | run - 1


_CRC = _crc_table()
_BYTES = tuple(tuple(_feed(state, byte, 8) for byte in range(256)) for state in range(_STATES))
_SEVEN = tuple(tuple(_feed(state, bits, 7)[0] for bits in range(128)) for state in range(_STATES))


@lru_cache(maxsize=4096)
def _header(identifier: int, size: int, extended: bool) -> tuple[int, int, int, int]:
    """CRC, stuffing state, stuff bits and length after SOF, arbitration and control fields."""
    if not 0 <= identifier < 1 << (29 if extended else 11):
        raise UsageError(f"identifier 0x{identifier:X}: {29 if extended else 11} bits are allowed")
    if size > _LONGEST:
        raise UsageError(f"{size} bytes of data: a frame has at most {_LONGEST}")
    if extended:
        bits = (identifier >> 18) << 27 | 0b11 << 25 | (identifier & 0x3FFFF) << 7 | size
        count = 39
    else:
        bits, count = identifier << 7 | size, 19
    crc = 0
    for position in range(count - 1, -1, -1):
        bit = bits >> position & 1
        crc = (crc << 1 ^ _CRC_POLYNOMIAL if bit ^ crc >> 14 else crc << 1) & 0x7FFF
    # The bus is recessive before the start of frame, whose dominant bit opens the count.
    stuffed, state = _feed(0b000, bits, count - 1)
    return crc, state, stuffed, count


def frame_bits(identifier: int, data: bytes, extended: bool = True) -> int:
    """Bits from start of frame to end of frame, without the intermission.

    An identifier or a payload that no frame can carry raises :class:`UsageError`.
    """
    crc, state, stuffed, count = _header(identifier, len(data), extended)
    for byte in data:
        crc = (crc << 8 ^ _CRC[crc >> 7 ^ byte]) & 0x7FFF
        more, state = _BYTES[state][byte]
        stuffed += more
    more, state = _BYTES[state][crc >> 7]
    return count + 8 * len(data) + _CRC_BITS + stuffed + more + _SEVEN[state][crc & 0x7F] + _TAIL


def arbitration_key(identifier: int, extended: bool = True) -> int:
    """The arbitration field as a number: the lower one wins (a standard frame before its extended namesakes)."""
    if extended:
        return (identifier >> 18) << 19 | 1 << 18 | identifier & 0x3FFFF
    return identifier << 19


@lru_cache(maxsize=32768)
def frame_shape(frame: CanFrame) -> tuple[int, int]:
    """Arbitration key and length in bits of a frame; raises as :func:`frame_bits`. Most payloads come again."""
    identifier, extended = frame.id, frame.extended
    return arbitration_key(identifier, extended), frame_bits(identifier, frame.data, extended)
