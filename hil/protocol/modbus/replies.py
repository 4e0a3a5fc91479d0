"""What is due in answer to a request, and what is wrong with what came instead.

Nothing here raises for bytes of the wire: they become a reply or a :class:`Malformed`, which keeps
them beside what was due.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hil.protocol.modbus.pdu import (
    BIT_READS,
    ERROR_BIT,
    REGISTER_READS,
    SINGLE_WRITES,
    Bits,
    ExceptionReply,
    Function,
    MaskWrite,
    RawPdu,
    Read,
    ReadWrite,
    Registers,
    Reply,
    Request,
    WriteCoils,
    WriteRegisters,
    WriteSingle,
    Written,
    unpack_bits,
)

EXCEPTION_SIZE = 2
"""Bytes of an exception."""
_ECHO = 5


class Fault(StrEnum):
    """What is wrong with a frame."""

    SHORT_FRAME = "short frame"
    STRAY_BYTES = "stray bytes"
    WRONG_UNIT = "wrong unit"
    WRONG_FUNCTION = "wrong function code"
    WRONG_ERROR_BIT = "wrong error bit in the function code"
    WRONG_BYTE_COUNT = "wrong byte count"
    WRONG_ECHO = "wrong echo"
    WRONG_TRANSACTION = "wrong transaction id"
    WRONG_PROTOCOL = "wrong protocol id"
    WRONG_LENGTH = "impossible length field"
    BAD_CRC = "bad CRC"
    INNER_GAP = "gap inside the frame"
    FLAW = "flaw of the line"
    UNDUE = "answer where none is due"


@dataclass(frozen=True, slots=True)
class Malformed:
    """Bytes that are not what was due."""

    fault: Fault
    data: bytes
    """As they came: the whole frame, or the PDU where only that was judged."""
    due: str
    """What was due, as hexadecimal bytes; ``??`` for one that may be anything."""
    text: str
    """What is wrong, in words."""
    reply: Reply | None = None
    """The good reply that is among the bytes, if there is one."""


def due_pdu(request: Request) -> tuple[int | None, ...] | None:
    """The bytes of a good reply, None for one that may be anything; None when the request has no known reply."""
    function = request.function
    if isinstance(request, Read | ReadWrite):
        size = _read_size(request)
        return (function, size, *[None] * size) if size < 1 << 8 else None
    if isinstance(request, WriteSingle | MaskWrite):
        return tuple(request.encode())
    if isinstance(request, WriteCoils | WriteRegisters):
        return tuple(request.encode()[:_ECHO])
    return None


def reply_size(request: Request) -> int | None:
    """Bytes of a good reply's PDU; None when the request has no known reply. An exception has 2."""
    due = due_pdu(request)
    return None if due is None else len(due)


def show_due(request: Request, before: str = "", after: str = "") -> str:
    """What is due in words: the good reply or the exception, with what stands before and after each."""
    due = due_pdu(request)
    if due is None:
        good = [f"{request.function & 0xFF:02X}", "..."]
    else:
        good = ["??" if each is None else f"{each:02X}" for each in due]
    refusal = [f"{(request.function | ERROR_BIT) & 0xFF:02X}", "??"]
    return " or ".join(" ".join(filter(None, (before, *each, after))) for each in (good, refusal))


def decode_reply(request: Request, pdu: bytes) -> Reply | Malformed:
    """The reply that a PDU is to a request. Never raises; bits are cut to the count that was asked for."""
    function = request.function
    if not pdu:
        return _malformed(Fault.SHORT_FRAME, request, pdu, "there is no function code")
    if pdu[0] == function:
        return _DECODERS.get(function, _raw)(request, pdu) if not isinstance(request, RawPdu) else RawPdu(pdu)
    if pdu[0] == function | ERROR_BIT:
        return _exception(request, pdu)
    if len(pdu) == EXCEPTION_SIZE and (pdu[0] ^ function).bit_count() == 1:
        text = f"the exception's function code is {pdu[0]:02X}, due is {function | ERROR_BIT:02X}"
        return _malformed(Fault.WRONG_ERROR_BIT, request, pdu, text, ExceptionReply(function, pdu[1]))
    text = f"the function code is {pdu[0]:02X}, due is {function:02X} or {function | ERROR_BIT:02X}"
    return _malformed(Fault.WRONG_FUNCTION, request, pdu, text)


def _malformed(fault: Fault, request: Request, pdu: bytes, text: str, reply: Reply | None = None) -> Malformed:
    return Malformed(fault, pdu, show_due(request), text, reply)


def _sized(request: Request, pdu: bytes, size: int, reply: Callable[[], Reply]) -> Reply | Malformed:
    """The reply when the PDU has its size, else what is wrong with it."""
    if len(pdu) == size:
        return reply()
    if len(pdu) < size:
        return _malformed(Fault.SHORT_FRAME, request, pdu, f"{len(pdu)} bytes of {size}")
    return _malformed(Fault.STRAY_BYTES, request, pdu, f"{len(pdu) - size} bytes too many", reply())


def _exception(request: Request, pdu: bytes) -> Reply | Malformed:
    return _sized(request, pdu, EXCEPTION_SIZE, lambda: ExceptionReply(request.function, pdu[1]))


def _raw(request: Request, pdu: bytes) -> Reply:
    return RawPdu(pdu)


def _read_size(request: Request) -> int:
    if isinstance(request, ReadWrite):
        return 2 * request.read_count
    assert isinstance(request, Read), "only reads have a byte count"
    return (request.count + 7) // 8 if request.function in BIT_READS else 2 * request.count


def _counted(request: Request, pdu: bytes) -> Reply | Malformed:
    size = _read_size(request)
    if len(pdu) > 1 and pdu[1] != size:
        text = f"the byte count is {pdu[1]}, due is {size}; {len(pdu) - 2} bytes follow"
        return _malformed(Fault.WRONG_BYTE_COUNT, request, pdu, text)
    if isinstance(request, Read) and request.function in BIT_READS:
        return _sized(request, pdu, 2 + size, lambda: Bits(request.function, unpack_bits(pdu[2:], request.count)))
    values = struct.Struct(f">{size // 2}H")
    return _sized(request, pdu, 2 + size, lambda: Registers(request.function, values.unpack_from(pdu, 2)))


def _echo(request: Request, pdu: bytes) -> Reply | Malformed:
    due = request.encode()
    if isinstance(request, WriteCoils | WriteRegisters):
        due = due[:_ECHO]
    found = _sized(request, pdu, len(due), lambda: _echoed(pdu))
    if isinstance(found, Malformed) or pdu == due:
        return found
    return _malformed(Fault.WRONG_ECHO, request, pdu, "the reply does not repeat the request", found)


def _echoed(pdu: bytes) -> Reply:
    first, second = struct.unpack_from(">HH", pdu, 1)
    if pdu[0] in SINGLE_WRITES:
        return WriteSingle(pdu[0], first, second)
    if pdu[0] == Function.MASK_WRITE_REGISTER:
        return MaskWrite(first, second, struct.unpack_from(">H", pdu, _ECHO)[0])
    return Written(pdu[0], first, second)


_DECODERS: Mapping[int, Callable[[Request, bytes], Reply | Malformed]] = {
    **dict.fromkeys((*BIT_READS, *REGISTER_READS, Function.READ_WRITE_MULTIPLE_REGISTERS), _counted),
    **dict.fromkeys((*SINGLE_WRITES, Function.WRITE_MULTIPLE_COILS, Function.WRITE_MULTIPLE_REGISTERS), _echo),
    Function.MASK_WRITE_REGISTER: _echo,
}
