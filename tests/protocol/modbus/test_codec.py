"""Every good frame of ours is decoded by pymodbus, and every one of its frames by us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus import pdu as theirs
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import bit_message as bits_pdu
from pymodbus.pdu import register_message as registers_pdu

from hil.errors import CodecError, UsageError
from hil.protocol.modbus import (
    EXCEPTIONS,
    MAX_PDU,
    QUANTITIES,
    READ_WRITE_WRITES,
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
    RtuTiming,
    TcpFrame,
    TcpStream,
    WriteCoils,
    WriteRegisters,
    WriteSingle,
    Written,
    crc16,
    crc_right,
    decode_reply,
    decode_request,
    encode_rtu,
    encode_tcp,
    judge_rtu,
    judge_tcp,
    read_holding,
    reply_size,
    violations,
    write_coil,
)
from hil.units import SECOND, us

WORD = st.integers(0, 0xFFFF)
BYTE = st.integers(0, 0xFF)


def words(most: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(WORD, min_size=1, max_size=most).map(tuple)


def reads(function: int) -> st.SearchStrategy[Request]:
    return st.builds(Read, st.just(function), WORD, st.integers(1, QUANTITIES[function]))


REQUESTS: dict[int, st.SearchStrategy[Request]] = {
    **{function: reads(function) for function in (1, 2, 3, 4)},
    5: st.builds(WriteSingle, st.just(5), WORD, st.sampled_from((0, 0xFF00))),
    6: st.builds(WriteSingle, st.just(6), WORD, WORD),
    15: st.builds(WriteCoils, WORD, st.lists(st.booleans(), min_size=1, max_size=QUANTITIES[15]).map(tuple)),
    16: st.builds(WriteRegisters, WORD, words(QUANTITIES[16])),
    22: st.builds(MaskWrite, WORD, WORD, WORD),
    23: st.builds(ReadWrite, WORD, st.integers(1, QUANTITIES[23]), WORD, words(READ_WRITE_WRITES)),
}
"""Good requests by function code."""
GOOD = st.one_of(*REQUESTS.values())
each_function = pytest.mark.parametrize("function", [*Function])
some = settings(max_examples=25)


@st.composite
def answered(draw: st.DrawFn, function: int) -> tuple[Request, Reply]:
    """A request and one of its good replies."""
    request = draw(REQUESTS[function])
    if draw(st.integers(0, 4)) == 0:
        return request, ExceptionReply(request.function, draw(st.sampled_from([*EXCEPTIONS])))
    if isinstance(request, Read) and request.function in (1, 2):
        bits = draw(st.lists(st.booleans(), min_size=request.count, max_size=request.count))
        return request, Bits(request.function, tuple(bits))
    if isinstance(request, Read | ReadWrite):
        count = request.count if isinstance(request, Read) else request.read_count
        return request, Registers(request.function, tuple(draw(st.lists(WORD, min_size=count, max_size=count))))
    if isinstance(request, WriteCoils):
        return request, Written(15, request.address, len(request.bits))
    if isinstance(request, WriteRegisters):
        return request, Written(16, request.address, len(request.values))
    assert isinstance(request, WriteSingle | MaskWrite)
    return request, request


# --- ours to theirs -------------------------------------------------------------------------------


def fields(found: Any) -> tuple[Any, ...]:
    """What pymodbus made of a request, as the fields of ours."""
    function = found.function_code
    if function in (1, 2, 3, 4):
        return (function, found.address, found.count)
    if function == 5:
        return (function, found.address, 0xFF00 if found.bits[0] else 0)
    if function == 6:
        return (function, found.address, found.registers[0])
    if function == 15:
        return (found.address, tuple(found.bits))
    if function == 16:
        return (found.address, tuple(found.registers))
    if function == 22:
        return (found.address, found.and_mask, found.or_mask)
    return (found.read_address, found.read_count, found.write_address, tuple(found.write_registers))


def ours(request: Request) -> tuple[Any, ...]:
    if isinstance(request, Read):
        return (request.function, request.address, request.count)
    if isinstance(request, WriteSingle):
        return (request.function, request.address, request.value)
    if isinstance(request, WriteCoils):
        return (request.address, request.bits)
    if isinstance(request, WriteRegisters):
        return (request.address, request.values)
    if isinstance(request, MaskWrite):
        return (request.address, request.and_mask, request.or_mask)
    assert isinstance(request, ReadWrite)
    return (request.read_address, request.read_count, request.write_address, request.values)


@each_function
@some
@given(st.data(), BYTE, WORD)
def test_pymodbus_decodes_our_requests(function: int, data: st.DataObject, unit: int, transaction: int) -> None:
    request = data.draw(REQUESTS[function])
    decoder = theirs.DecodePDU(is_server=True)
    tcp = encode_tcp(transaction, unit, request.encode())
    used, found = FramerSocket(decoder).handleFrame(tcp, 0, 0)
    assert found is not None
    assert (used, found.dev_id, found.transaction_id) == (len(tcp), unit, transaction)
    assert found.function_code == function
    assert fields(found) == ours(request)
    rtu = encode_rtu(unit, request.encode())
    used, found = FramerRTU(decoder).handleFrame(rtu, 0, 0)
    assert found is not None
    assert (used, found.dev_id, fields(found)) == (len(rtu), unit, ours(request))


@each_function
@some
@given(st.data(), BYTE, WORD)
def test_pymodbus_decodes_our_replies(function: int, data: st.DataObject, unit: int, transaction: int) -> None:
    _, reply = data.draw(answered(function))
    decoder = theirs.DecodePDU(is_server=False)
    tcp, rtu = encode_tcp(transaction, unit, reply.encode()), encode_rtu(unit, reply.encode())
    used, found = FramerSocket(decoder).handleFrame(tcp, 0, 0)
    assert found is not None
    assert (used, found.dev_id, found.transaction_id) == (len(tcp), unit, transaction)
    _same_reply(found, function, reply)
    used, found = FramerRTU(decoder).handleFrame(rtu, 0, 0)
    assert found is not None
    assert (used, found.dev_id) == (len(rtu), unit)
    _same_reply(found, function, reply)


def _same_reply(found: Any, function: int, reply: Reply) -> None:
    if isinstance(reply, ExceptionReply):
        assert (found.function_code, found.exception_code) == (function | 0x80, reply.code)
        return
    assert found.function_code == function
    if isinstance(reply, Bits):
        assert tuple(found.bits[: len(reply.bits)]) == reply.bits
    elif isinstance(reply, Registers):
        assert tuple(found.registers) == reply.values
    elif isinstance(reply, Written):
        assert (found.address, found.count) == (reply.address, reply.count)
    else:
        assert fields(found) == ours(reply)


# --- theirs to ours -------------------------------------------------------------------------------

THEIRS: dict[int, st.SearchStrategy[theirs.ModbusPDU]] = {
    1: st.builds(bits_pdu.ReadCoilsRequest, address=WORD, count=st.integers(1, 2000)),
    2: st.builds(bits_pdu.ReadDiscreteInputsRequest, address=WORD, count=st.integers(1, 2000)),
    3: st.builds(registers_pdu.ReadHoldingRegistersRequest, address=WORD, count=st.integers(1, 125)),
    4: st.builds(registers_pdu.ReadInputRegistersRequest, address=WORD, count=st.integers(1, 125)),
    5: st.builds(bits_pdu.WriteSingleCoilRequest, address=WORD, bits=st.tuples(st.booleans())),
    6: st.builds(registers_pdu.WriteSingleRegisterRequest, address=WORD, registers=st.tuples(WORD)),
    15: st.builds(
        bits_pdu.WriteMultipleCoilsRequest, address=WORD, bits=st.lists(st.booleans(), min_size=1, max_size=1968)
    ),
    16: st.builds(registers_pdu.WriteMultipleRegistersRequest, address=WORD, registers=words(123)),
    22: st.builds(registers_pdu.MaskWriteRegisterRequest, WORD, WORD, WORD),
    23: st.builds(registers_pdu.ReadWriteMultipleRegistersRequest, WORD, st.integers(1, 125), WORD, words(121)),
}


@each_function
@some
@given(st.data())
def test_we_decode_requests_of_pymodbus(function: int, data: st.DataObject) -> None:
    sent = data.draw(THEIRS[function])
    sent.dev_id, sent.transaction_id = data.draw(BYTE), data.draw(WORD)
    (frame,) = TcpStream().feed(FramerSocket(theirs.DecodePDU(is_server=True)).buildFrame(sent))
    assert isinstance(frame, TcpFrame)
    assert (frame.transaction, frame.protocol, frame.unit) == (sent.transaction_id, 0, sent.dev_id)
    found = decode_request(frame.pdu)
    assert not isinstance(found, RawPdu)
    assert ours(found) == fields(sent)
    assert [each for each in violations(found) if "beyond" not in each] == []
    rtu = FramerRTU(theirs.DecodePDU(is_server=True)).buildFrame(sent)
    assert crc_right(rtu)
    assert rtu[1:-2] == frame.pdu


def _answer(request: Request, reply: Reply) -> theirs.ModbusPDU:
    """The same reply, made by pymodbus."""
    makers: dict[int, Callable[[Any], theirs.ModbusPDU]] = {
        1: lambda each: bits_pdu.ReadCoilsResponse(bits=list(each.bits)),
        2: lambda each: bits_pdu.ReadDiscreteInputsResponse(bits=list(each.bits)),
        3: lambda each: registers_pdu.ReadHoldingRegistersResponse(registers=list(each.values)),
        4: lambda each: registers_pdu.ReadInputRegistersResponse(registers=list(each.values)),
        5: lambda each: bits_pdu.WriteSingleCoilResponse(address=each.address, bits=[each.value == 0xFF00]),
        6: lambda each: registers_pdu.WriteSingleRegisterResponse(address=each.address, registers=[each.value]),
        15: lambda each: bits_pdu.WriteMultipleCoilsResponse(address=each.address, count=each.count),
        16: lambda each: registers_pdu.WriteMultipleRegistersResponse(address=each.address, count=each.count),
        22: lambda each: registers_pdu.MaskWriteRegisterResponse(each.address, each.and_mask, each.or_mask),
        23: lambda each: registers_pdu.ReadWriteMultipleRegistersResponse(registers=list(each.values)),
    }
    if isinstance(reply, ExceptionReply):
        return theirs.ExceptionResponse(reply.function, reply.code)
    return makers[request.function](reply)


@each_function
@some
@given(st.data(), BYTE, WORD)
def test_we_decode_replies_of_pymodbus(function: int, data: st.DataObject, unit: int, transaction: int) -> None:
    request, reply = data.draw(answered(function))
    sent = _answer(request, reply)
    sent.dev_id, sent.transaction_id = unit, transaction
    (frame,) = TcpStream().feed(FramerSocket(theirs.DecodePDU(is_server=False)).buildFrame(sent))
    assert isinstance(frame, TcpFrame)
    assert judge_tcp(transaction, unit, request, frame) == reply
    if unit:  # nobody answers a broadcast on a serial line
        assert judge_rtu(unit, request, FramerRTU(theirs.DecodePDU(is_server=False)).buildFrame(sent)) == reply
    pdu = bytes([sent.function_code]) + sent.encode()
    assert decode_reply(request, pdu) == reply
    assert pdu == reply.encode()
    assert len(pdu) == (2 if isinstance(reply, ExceptionReply) else reply_size(request))


# --- our own --------------------------------------------------------------------------------------


@given(GOOD)
def test_a_request_is_decoded_as_itself(request: Request) -> None:
    assert decode_request(request.encode()) == request


@given(st.binary(max_size=MAX_PDU + 5))
def test_any_request_keeps_its_bytes(pdu: bytes) -> None:
    assert decode_request(pdu).encode() == pdu


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (read_holding(0, 0), "count 0 is not 1..125"),
        (read_holding(0, 126), "count 126 is not 1..125"),
        (Read(1, 0, 2001), "count 2001 is not 1..2000"),
        (read_holding(0xFFFF, 2), "address 65535 and count 2 go beyond 65535"),
        (WriteSingle(5, 0, 1), "a coil's value is 0001, neither FF00 nor 0000"),
        (WriteCoils(0, (True,) * 1969), "count 1969 is not 1..1968"),
        (WriteRegisters(0, (1,) * 124), "count 124 is not 1..123"),
        (WriteRegisters(0, (1, 2), byte_count=3), "the byte count is 3, due is 4"),
        (WriteRegisters(0, (1, 2), count=1, byte_count=2), "4 bytes of data, due are 2"),
        (ReadWrite(0, 126, 0, (1,)), "read count 126 is not 1..125"),
        (ReadWrite(0, 1, 0, (1,) * 122), "write count 122 is not 1..121"),
        (RawPdu(b"\x03\x00"), "2 bytes are not a request of function 03"),
        (RawPdu(b""), "there is no function code"),
        (RawPdu(b"\x83\x00"), "function code 83 is not 01..7F"),
        (RawPdu(b"\x41" * 254), "254 bytes are more than 253"),
    ],
)
def test_what_the_protocol_does_not_allow_is_named_and_can_be_sent(request_: Request, text: str) -> None:
    assert text in violations(request_)
    assert decode_request(request_.encode()).encode() == request_.encode()


@pytest.mark.parametrize(
    "wrong",
    [read_holding(-1, 1), read_holding(0, 65536), WriteRegisters(0, (70000,)), WriteRegisters(0, (1,), byte_count=256)],
)
def test_what_does_not_fit_its_field_is_our_own_mistake(wrong: Request) -> None:
    with pytest.raises(CodecError, match=r"0\.\.65535"):
        wrong.encode()


def test_a_unit_is_a_byte() -> None:
    with pytest.raises(CodecError, match=r"allowed is 0\.\.255"):
        encode_rtu(256, b"\x03")
    with pytest.raises(CodecError, match=r"unit is 0\.\.255"):
        encode_tcp(0, 256, b"\x03")


def test_a_printed_frame_of_a_meter() -> None:
    """The worked example of the meter sheet, section 1: read total power of unit 1."""
    assert encode_rtu(1, Read(4, 0x34, 2).encode()) == bytes.fromhex("01 04 00 34 00 02 30 05")


def test_crc_of_the_check_string() -> None:
    """CRC-16/MODBUS in every catalogue of checks."""
    assert crc16(b"123456789") == 0x4B37


@given(st.lists(GOOD, min_size=1, max_size=5), st.data())
def test_a_stream_may_be_cut_anywhere(requests: list[Request], data: st.DataObject) -> None:
    frames = [encode_tcp(number, 1, each.encode()) for number, each in enumerate(requests)]
    whole = b"".join(frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    stream, found = TcpStream(), []
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        found += [each.data for each in stream.feed(whole[start:end]) if isinstance(each, TcpFrame)]
    assert found == frames
    assert stream.rest == b""


@pytest.mark.parametrize(
    ("baud", "bits", "character", "inner", "between"),
    [
        (9600, 11, 1_145_833, 1_718_750, 4_010_417),
        (9600, 10, 1_041_667, 1_562_500, 3_645_833),
        (19200, 11, 572_917, 859_375, 2_005_208),
        (38400, 11, 286_458, us(750), us(1750)),
        (115200, 10, 86_806, us(750), us(1750)),
    ],
)
def test_silences_of_a_line(baud: int, bits: int, character: int, inner: int, between: int) -> None:
    timing = RtuTiming.of(baud, bits)
    assert (timing.character, timing.inner, timing.between) == (character, inner, between)
    assert timing.span(baud) == pytest.approx(bits * SECOND, rel=1e-5)


def test_a_line_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="0 baud"):
        RtuTiming.of(0)


def test_a_coil_is_written_by_its_two_values() -> None:
    assert write_coil(1, True).encode().hex() == "050001ff00"
    assert write_coil(1, False).encode().hex() == "0500010000"
