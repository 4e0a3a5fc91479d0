"""Requests as they are seen on a line: for monitors and traces."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from hil.protocol.modbus.pdu import (
    BIT_READS,
    MAX_PDU,
    OFF,
    ON,
    QUANTITIES,
    READ_WRITE_WRITES,
    REGISTER_READS,
    SINGLE_WRITES,
    Function,
    MaskWrite,
    RawPdu,
    Read,
    ReadWrite,
    Request,
    WriteCoils,
    WriteRegisters,
    WriteSingle,
    unpack_bits,
)


def decode_request(pdu: bytes) -> Request:
    """The request that a PDU is; :class:`RawPdu` for an unknown function code and for a wrong size.

    A count or byte count that contradicts the data is kept as such. Never raises.
    """
    decoder = _DECODERS.get(pdu[0]) if pdu else None
    found = decoder(pdu) if decoder is not None else None
    return RawPdu(pdu) if found is None else found


def violations(request: Request) -> tuple[str, ...]:
    """What the application protocol does not allow in a request, in words (standards map, section 8)."""
    return tuple(_violations(request))


def _violations(request: Request) -> list[str]:
    if isinstance(request, RawPdu):
        return _raw_violations(request)
    found = []
    for what, address, count, most in _spans(request):
        if not 1 <= count <= most:
            found.append(f"{what} {count} is not 1..{most}")
        if address + max(count, 1) > 1 << 16:
            found.append(f"address {address} and {what} {count} go beyond 65535")
    if isinstance(request, WriteSingle) and request.function == Function.WRITE_SINGLE_COIL:
        if request.value not in (ON, OFF):
            found.append(f"a coil's value is {request.value:04X}, neither FF00 nor 0000")
    elif isinstance(request, WriteCoils | WriteRegisters | ReadWrite):
        found += _contradictions(request)
    return found


def _raw_violations(request: RawPdu) -> list[str]:
    if not request.data:
        return ["there is no function code"]
    if len(request.data) > MAX_PDU:
        return [f"{len(request.data)} bytes are more than {MAX_PDU}"]
    if request.function in _DECODERS:
        return [f"{len(request.data)} bytes are not a request of function {request.function:02X}"]
    return [] if 0 < request.function < 1 << 7 else [f"function code {request.function:02X} is not 01..7F"]


def _spans(request: Request) -> list[tuple[str, int, int, int]]:
    """Name, address, count and the most of every span that a request touches."""
    if isinstance(request, Read):
        return [("count", request.address, request.count, QUANTITIES.get(request.function, 1))]
    if isinstance(request, WriteCoils | WriteRegisters):
        written = len(request.bits if isinstance(request, WriteCoils) else request.values)
        count = written if request.count is None else request.count
        return [("count", request.address, count, QUANTITIES[request.function])]
    if isinstance(request, ReadWrite):
        count = len(request.values) if request.write_count is None else request.write_count
        return [
            ("read count", request.read_address, request.read_count, QUANTITIES[request.function]),
            ("write count", request.write_address, count, READ_WRITE_WRITES),
        ]
    return []


def _contradictions(request: WriteCoils | WriteRegisters | ReadWrite) -> list[str]:
    if isinstance(request, WriteCoils):
        count, held = request.count, len(request.bits)
        due = ((held if count is None else count) + 7) // 8
        present = (held + 7) // 8
    else:
        count = request.write_count if isinstance(request, ReadWrite) else request.count
        held = len(request.values)
        due = 2 * (held if count is None else count)
        present = 2 * held
    stated = present if request.byte_count is None else request.byte_count
    if stated != due:
        return [f"the byte count is {stated}, due is {due}"]
    return [] if present == due else [f"{present} bytes of data, due are {due}"]


def _read(pdu: bytes) -> Request | None:
    return Read(*struct.unpack(">BHH", pdu)) if len(pdu) == 5 else None


def _write_single(pdu: bytes) -> Request | None:
    return WriteSingle(*struct.unpack(">BHH", pdu)) if len(pdu) == 5 else None


def _mask_write(pdu: bytes) -> Request | None:
    return MaskWrite(*struct.unpack(">HHH", pdu[1:])) if len(pdu) == 7 else None


def _write_coils(pdu: bytes) -> Request | None:
    if len(pdu) < 6:
        return None
    address, count, size = struct.unpack(">HHB", pdu[1:6])
    data = pdu[6:]
    whole = size == len(data) == (count + 7) // 8
    if whole and int.from_bytes(data, "little") >> count:
        return None  # bits beyond the count, which no value of ours would give back
    return WriteCoils(address, unpack_bits(data, count if whole else 8 * len(data)), *_unlike(whole, count, size))


def _write_registers(pdu: bytes) -> Request | None:
    if len(pdu) < 6 or len(pdu) % 2:
        return None
    address, count, size = struct.unpack(">HHB", pdu[1:6])
    values = struct.unpack(f">{(len(pdu) - 6) // 2}H", pdu[6:])
    return WriteRegisters(address, values, *_unlike(size == 2 * len(values) == 2 * count, count, size))


def _read_write(pdu: bytes) -> Request | None:
    if len(pdu) < 10 or len(pdu) % 2:
        return None
    read_address, read_count, address, count, size = struct.unpack(">HHHHB", pdu[1:10])
    values = struct.unpack(f">{(len(pdu) - 10) // 2}H", pdu[10:])
    unlike = _unlike(size == 2 * len(values) == 2 * count, count, size)
    return ReadWrite(read_address, read_count, address, values, *unlike)


def _unlike(whole: bool, count: int, size: int) -> tuple[int | None, int | None]:
    return (None, None) if whole else (count, size)


_DECODERS: Mapping[int, Callable[[bytes], Request | None]] = {
    **dict.fromkeys((*BIT_READS, *REGISTER_READS), _read),
    **dict.fromkeys(SINGLE_WRITES, _write_single),
    Function.WRITE_MULTIPLE_COILS: _write_coils,
    Function.WRITE_MULTIPLE_REGISTERS: _write_registers,
    Function.MASK_WRITE_REGISTER: _mask_write,
    Function.READ_WRITE_MULTIPLE_REGISTERS: _read_write,
}
