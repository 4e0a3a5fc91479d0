"""Frames and silences of the serial line (standards map, section 8; modbus_chargers.md 24)."""

from __future__ import annotations

from hil.cases import ModbusBench, requirement

RTU = "rtu"
WRONG_CRC = 0


@requirement("MODBUS/RT.01")
def test_RT_01(bench: ModbusBench) -> None:
    """TP: a frame with a wrong check is not answered, and the next request is."""
    line = bench.line(RTU)
    line.expect_silence(bench.places.any_run().read(1), "answer to a wrong CRC", crc=WRONG_CRC)
    line.expect_served()
