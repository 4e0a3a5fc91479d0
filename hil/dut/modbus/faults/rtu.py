"""Faults on the serial line."""

from __future__ import annotations

from hil.dut.modbus.device import RTU
from hil.dut.modbus.fault import Fault, cases, checked


def _mended(line: str, frame: bytes) -> bytes:
    return checked(frame[:-2]) if line == RTU else frame


FAULTS = (
    Fault(
        "modbus-crc-ignored",
        cases("RT.01"),
        "does not look at the CRC",
        "robustness",
        lambda d: d.but(frame=_mended),
    ),
)
