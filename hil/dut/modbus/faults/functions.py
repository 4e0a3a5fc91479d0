"""Faults in functions and exceptions."""

from __future__ import annotations

from hil.dut.modbus.fault import Fault, cases, pdu_of, with_pdu

_ERROR = 0x80


def _bit_3(line: str, asked: bytes, reply: bytes) -> tuple[tuple[int, bytes], ...]:
    """The error bit is bit 3 (seen on esp32-evse)."""
    pdu = pdu_of(line, reply)
    if pdu[0] & _ERROR:
        reply = with_pdu(line, reply, bytes((pdu[0] & ~_ERROR | 0x08,)) + pdu[1:])
    return ((0, reply),)


def _wrong_byte_count(line: str, asked: bytes, reply: bytes) -> tuple[tuple[int, bytes], ...]:
    pdu = pdu_of(line, reply)
    if pdu[0] == 0x03:
        reply = with_pdu(line, reply, pdu[:1] + bytes((pdu[1] // 2,)) + pdu[2:])
    return ((0, reply),)


FAULTS = (
    Fault(
        "modbus-byte-count-in-registers",
        cases("FC.03"),
        "counts registers where bytes are to be counted",
        "content",
        lambda d: d.but(say=_wrong_byte_count),
    ),
    Fault(
        "modbus-error-bit-3",
        cases("EX.01"),
        "sets bit 3 of the function code for bit 7 in an exception",
        "content",
        lambda d: d.but(say=_bit_3),
    ),
    Fault(
        "modbus-unknown-function-silent",
        cases("EX.01"),
        "does not answer an unknown function",
        "content",
        lambda d: d.serving(unknown_function="silent"),
    ),
)
