"""Faults of headers and connections of Modbus TCP."""

from __future__ import annotations

from hil.dut.modbus.device import TCP, Pieces
from hil.dut.modbus.fault import Fault, cases


def _low_byte_id(line: str, asked: bytes, reply: bytes) -> Pieces:
    return ((0, b"\0" + reply[1:] if line == TCP else reply),)


FAULTS = (
    Fault(
        "modbus-id-one-byte",
        cases("TC.01"),
        "repeats only the low byte of the transaction id",
        "content",
        lambda d: d.but(say=_low_byte_id),
    ),
)
