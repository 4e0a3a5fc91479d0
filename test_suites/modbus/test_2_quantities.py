"""How many values one request may ask for (standards map, section 8; modbus_chargers.md 24)."""

from __future__ import annotations

from hil.cases import ModbusBench, requirement
from hil.protocol.modbus import Function


@requirement("MODBUS/QT.03")
def test_QT_03(bench: ModbusBench, variant: str) -> None:
    """TP: 1 to 125 holding registers are read, 0 and 126 are refused with exception 03."""
    bench.line(variant).expect_read_quantities(Function.READ_HOLDING_REGISTERS)
