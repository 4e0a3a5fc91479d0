"""Malformed replies: what is wrong with them, and the bytes beside what was due."""

from __future__ import annotations

import pytest

from hil.protocol.modbus import (
    Bits,
    ExceptionReply,
    Fault,
    Malformed,
    MaskWrite,
    RawPdu,
    Read,
    Registers,
    Reply,
    Request,
    TcpFrame,
    TcpStream,
    WriteRegisters,
    WriteSingle,
    Written,
    crc16,
    decode_reply,
    encode_rtu,
    encode_tcp,
    judge_rtu,
    judge_tcp,
    read_holding,
    write_register,
)

READ = read_holding(0x10, 2)
GOOD = bytes.fromhex("03 04 00 01 00 02")
TWO = Registers(3, (1, 2))


@pytest.mark.parametrize(
    ("request_", "pdu", "fault", "text"),
    [
        (READ, "", Fault.SHORT_FRAME, "there is no function code"),
        (READ, "03", Fault.SHORT_FRAME, "1 bytes of 6"),
        (READ, "03 04 00 01 00", Fault.SHORT_FRAME, "5 bytes of 6"),
        (READ, "03 04 00 01 00 02 FF", Fault.STRAY_BYTES, "1 bytes too many"),
        (READ, "03 02 00 01", Fault.WRONG_BYTE_COUNT, "the byte count is 2, due is 4; 2 bytes follow"),
        (READ, "04 04 00 01 00 02", Fault.WRONG_FUNCTION, "the function code is 04, due is 03 or 83"),
        (READ, "83", Fault.SHORT_FRAME, "1 bytes of 2"),
        (READ, "83 02 00", Fault.STRAY_BYTES, "1 bytes too many"),
        (READ, "0B 02", Fault.WRONG_ERROR_BIT, "the exception's function code is 0B, due is 83"),
        (write_register(1, 2), "0E 02", Fault.WRONG_ERROR_BIT, "the exception's function code is 0E, due is 86"),
        (WriteRegisters(1, (2,)), "18 02", Fault.WRONG_ERROR_BIT, "the exception's function code is 18, due is 90"),
        (write_register(1, 2), "06 00 01 00 03", Fault.WRONG_ECHO, "the reply does not repeat the request"),
        (WriteRegisters(1, (2, 3)), "10 00 01 00 01", Fault.WRONG_ECHO, "the reply does not repeat the request"),
        (MaskWrite(1, 2, 3), "16 00 01 00 02 00 04", Fault.WRONG_ECHO, "the reply does not repeat the request"),
        (Read(1, 0, 9), "01 01 FF", Fault.WRONG_BYTE_COUNT, "the byte count is 1, due is 2; 1 bytes follow"),
        (read_holding(0, 200), "03 90", Fault.WRONG_BYTE_COUNT, "the byte count is 144, due is 400; 0 bytes follow"),
    ],
)
def test_a_malformed_pdu(request_: Request, pdu: str, fault: Fault, text: str) -> None:
    found = decode_reply(request_, bytes.fromhex(pdu))
    assert isinstance(found, Malformed)
    assert (found.fault, found.text, found.data) == (fault, text, bytes.fromhex(pdu))


@pytest.mark.parametrize(
    ("request_", "pdu", "reply"),
    [
        (READ, "03 04 00 01 00 02", TWO),
        (READ, "83 02", ExceptionReply(3, 2)),
        (READ, "83 63", ExceptionReply(3, 0x63)),
        (Read(2, 0, 9), "02 02 FF 01", Bits(2, (True,) * 9)),
        (write_register(1, 2), "06 00 01 00 02", WriteSingle(6, 1, 2)),
        (WriteRegisters(1, (2, 3)), "10 00 01 00 02", Written(16, 1, 2)),
        (RawPdu(b"\x41\x91"), "41 00 07", RawPdu(b"\x41\x00\x07")),
        (RawPdu(b"\x41\x91"), "C1 01", ExceptionReply(0x41, 1)),
    ],
)
def test_a_good_pdu(request_: Request, pdu: str, reply: Reply) -> None:
    assert decode_reply(request_, bytes.fromhex(pdu)) == reply


def tcp(data: bytes) -> Reply | Malformed:
    (frame,) = TcpStream().feed(data)
    assert isinstance(frame, TcpFrame)
    return judge_tcp(frame.transaction, 0xFF, READ, frame)


def test_a_tcp_frame_is_shown_beside_what_was_due() -> None:
    found = tcp(encode_tcp(0x1234, 0xFF, GOOD[:-1]))
    assert isinstance(found, Malformed)
    assert found.data == bytes.fromhex("12 34 00 00 00 06 FF 03 04 00 01 00")
    assert found.due == "12 34 00 00 00 07 FF 03 04 ?? ?? ?? ?? or 12 34 00 00 00 03 FF 83 ??"


def test_header_of_a_tcp_frame() -> None:
    assert tcp(encode_tcp(1, 0xFF, GOOD)) == TWO
    wrong = tcp(encode_tcp(1, 0xFE, GOOD))
    assert isinstance(wrong, Malformed)
    assert (wrong.fault, wrong.text, wrong.reply) == (Fault.WRONG_UNIT, "the unit is FE, due is FF", TWO)
    wrong = tcp(encode_tcp(1, 0xFF, GOOD, protocol=7))
    assert isinstance(wrong, Malformed)
    assert (wrong.fault, wrong.reply) == (Fault.WRONG_PROTOCOL, TWO)


RTU = encode_rtu(5, GOOD)


@pytest.mark.parametrize(
    ("frame", "fault", "reply"),
    [
        (b"\xff\x00" + RTU, Fault.STRAY_BYTES, TWO),
        (RTU + b"\x00", Fault.STRAY_BYTES, TWO),
        (b"\x05\x03" + RTU + b"\x05\x03", Fault.STRAY_BYTES, TWO),
        (b"\x00" + encode_rtu(5, b"\x83\x02"), Fault.STRAY_BYTES, ExceptionReply(3, 2)),
        (RTU[:-1], Fault.SHORT_FRAME, None),
        (RTU[:3], Fault.SHORT_FRAME, None),
        (b"\x05", Fault.SHORT_FRAME, None),
        (encode_rtu(6, GOOD), Fault.WRONG_UNIT, None),
        (encode_rtu(5, GOOD, crc=0), Fault.BAD_CRC, None),
        (RTU[:-2] + RTU[:-3:-1], Fault.BAD_CRC, None),
        (encode_rtu(5, b"\x0b\x02"), Fault.WRONG_ERROR_BIT, ExceptionReply(3, 2)),
        (encode_rtu(5, GOOD + b"\x00"), Fault.STRAY_BYTES, TWO),
        (b"\x55" * 40, Fault.BAD_CRC, None),
    ],
)
def test_a_malformed_rtu_frame(frame: bytes, fault: Fault, reply: Reply | None) -> None:
    found = judge_rtu(5, READ, frame)
    assert isinstance(found, Malformed)
    assert (found.fault, found.reply, found.data) == (fault, reply, frame)
    assert found.due == "05 03 04 ?? ?? ?? ?? CRC CRC or 05 83 ?? CRC CRC"


def test_a_good_rtu_frame() -> None:
    assert judge_rtu(5, READ, RTU) == TWO


def test_the_right_check_is_told() -> None:
    found = judge_rtu(5, READ, encode_rtu(5, GOOD, crc=0))
    due = crc16(RTU[:-2])
    assert isinstance(found, Malformed)
    assert found.text == f"the CRC is 00 00, due is {due & 0xFF:02X} {due >> 8:02X}"


def test_a_broadcast_is_not_answered() -> None:
    found = judge_rtu(0, write_register(1, 2), encode_rtu(0, b"\x06\0\1\0\2"))
    assert isinstance(found, Malformed)
    assert (found.fault, found.due) == (Fault.UNDUE, "(none)")
