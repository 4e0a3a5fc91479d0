"""Whole frames judged beside the request that they should answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hil.protocol.modbus.adu import BROADCAST, MIN_RTU, TcpFrame, crc16, crc_right
from hil.protocol.modbus.pdu import ERROR_BIT, Reply, Request
from hil.protocol.modbus.replies import EXCEPTION_SIZE, Fault, Malformed, decode_reply, reply_size, show_due

_AROUND = 3
"""Address and CRC."""


def judge_tcp(transaction: int, unit: int, request: Request, frame: TcpFrame) -> Reply | Malformed:
    """What a frame is as the answer to a request. Its transaction id is taken to be right."""
    reply = decode_reply(request, frame.pdu)
    if frame.protocol:
        fault, text = Fault.WRONG_PROTOCOL, f"the protocol id is {frame.protocol:04X}, due is 0000"
    elif frame.unit != unit:
        fault, text = Fault.WRONG_UNIT, f"the unit is {frame.unit:02X}, due is {unit:02X}"
    elif isinstance(reply, Malformed):
        return replace(reply, data=frame.data, due=due_tcp(transaction, unit, request))
    else:
        return reply
    good = None if isinstance(reply, Malformed) else reply
    return Malformed(fault, frame.data, due_tcp(transaction, unit, request), text, good)


def due_tcp(transaction: int, unit: int, request: Request) -> str:
    """The bytes that are due, with their header."""
    size = reply_size(request)
    start = f"{transaction >> 8:02X} {transaction & 0xFF:02X} 00 00"
    length = "?? ??" if size is None else f"{size + 1 >> 8:02X} {size + 1 & 0xFF:02X}"
    good, _, refusal = show_due(request).partition(" or ")
    return f"{start} {length} {unit:02X} {good} or {start} 00 03 {unit:02X} {refusal}"


def judge_rtu(unit: int, request: Request, frame: bytes) -> Reply | Malformed:
    """What the bytes between two silences are as the answer to a request."""
    due = due_rtu(unit, request)
    if unit == BROADCAST:
        return Malformed(Fault.UNDUE, frame, due, "a broadcast is not answered")
    if crc_right(frame):
        if frame[0] != unit:
            text = f"the unit is {frame[0]:02X}, due is {unit:02X}"
            return Malformed(Fault.WRONG_UNIT, frame, due, text)
        reply = decode_reply(request, frame[1:-2])
        return replace(reply, data=frame, due=due) if isinstance(reply, Malformed) else reply
    found = _embedded(unit, request, frame)
    if found is not None:
        before, reply, after = found
        text = f"{before} bytes before the reply and {after} behind it"
        return Malformed(Fault.STRAY_BYTES, frame, due, text, reply)
    if _too_short(unit, request, frame):
        return Malformed(Fault.SHORT_FRAME, frame, due, f"{len(frame)} bytes, and the check is not right")
    check = crc16(frame[:-2])
    text = f"the CRC is {frame[-2:].hex(' ').upper()}, due is {check & 0xFF:02X} {check >> 8:02X}"
    return Malformed(Fault.BAD_CRC, frame, due, text)


def due_rtu(unit: int, request: Request) -> str:
    """The bytes that are due, with address and check."""
    if unit == BROADCAST:
        return "(none)"
    return show_due(request, f"{unit:02X}", "CRC CRC")


def due_size(request: Request) -> int:
    """Bytes of the longest frame that may answer on a serial line."""
    return max(size for _, size in _sizes(request))


def _sizes(request: Request) -> Iterator[tuple[int, int]]:
    """Function code and size of the frames that may answer."""
    size = reply_size(request)
    if size is not None:
        yield request.function, size + _AROUND
    yield (request.function | ERROR_BIT) & 0xFF, EXCEPTION_SIZE + _AROUND


def _too_short(unit: int, request: Request, frame: bytes) -> bool:
    if len(frame) < MIN_RTU:
        return True
    return frame[0] == unit and any(frame[1] == function and len(frame) < size for function, size in _sizes(request))


def _embedded(unit: int, request: Request, frame: bytes) -> tuple[int, Reply, int] | None:
    """A good reply among stray bytes, and how many of them stand before and behind it."""
    for function, size in _sizes(request):
        start = bytes((unit, function))
        at = frame.find(start)
        while at >= 0 and at + size <= len(frame):
            candidate = frame[at : at + size]
            if crc_right(candidate):
                reply = decode_reply(request, candidate[1:-2])
                if not isinstance(reply, Malformed):
                    return at, reply, len(frame) - at - size
            at = frame.find(start, at + 1)
    return None
