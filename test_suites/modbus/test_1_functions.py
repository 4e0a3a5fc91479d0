"""Function codes that a device's map claims, and the one that it does not (standards map, section 8)."""

from __future__ import annotations

from hil.cases import ModbusBench, requirement
from hil.protocol.modbus import Function


@requirement("MODBUS/FC.03")
def test_FC_03(bench: ModbusBench, variant: str) -> None:
    """TP: function 03 reads holding registers, one alone as the same as in a block."""
    bench.line(variant).expect_parts(Function.READ_HOLDING_REGISTERS)


@requirement("MODBUS/EX.01")
def test_EX_01(bench: ModbusBench, variant: str) -> None:
    """TP: a function code that the device does not know is refused with exception 01."""
    line = bench.line(variant)
    line.expect_unknown(bench.places.unknown_function)
    line.expect_served()
