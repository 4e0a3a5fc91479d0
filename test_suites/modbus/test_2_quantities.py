"""How many values one request may ask for, and what contradicts itself (standards map, section 8)."""

from __future__ import annotations

from hil.cases import ModbusBench, requirement
from hil.protocol.modbus import Function


@requirement("MODBUS/QT.01")
def test_QT_01(bench: ModbusBench, variant: str) -> None:
    """TP: 1 to 2000 coils are read, 0 and 2001 are refused with exception 03."""
    bench.line(variant).expect_read_quantities(Function.READ_COILS)


@requirement("MODBUS/QT.02")
def test_QT_02(bench: ModbusBench, variant: str) -> None:
    """TP: 1 to 2000 discrete inputs are read, 0 and 2001 are refused with exception 03."""
    bench.line(variant).expect_read_quantities(Function.READ_DISCRETE_INPUTS)


@requirement("MODBUS/QT.03")
def test_QT_03(bench: ModbusBench, variant: str) -> None:
    """TP: 1 to 125 holding registers are read, 0 and 126 are refused with exception 03."""
    bench.line(variant).expect_read_quantities(Function.READ_HOLDING_REGISTERS)


@requirement("MODBUS/QT.04")
def test_QT_04(bench: ModbusBench, variant: str) -> None:
    """TP: 1 to 125 input registers are read, 0 and 126 are refused with exception 03."""
    bench.line(variant).expect_read_quantities(Function.READ_INPUT_REGISTERS)


@requirement("MODBUS/QT.15")
def test_QT_15(bench: ModbusBench, variant: str) -> None:
    """TP: 1 to 1968 coils are written, 0 and 1969 are refused with exception 03."""
    bench.line(variant).expect_write_quantities(Function.WRITE_MULTIPLE_COILS)


@requirement("MODBUS/QT.16")
def test_QT_16(bench: ModbusBench, variant: str) -> None:
    """TP: 1 to 123 registers are written, 0 and 124 are refused with exception 03."""
    bench.line(variant).expect_write_quantities(Function.WRITE_MULTIPLE_REGISTERS)


@requirement("MODBUS/QT.23")
def test_QT_23(bench: ModbusBench, variant: str) -> None:
    """TP: function 23 reads 1 to 125 and writes 1 to 121 registers, and refuses 0 and more with exception 03."""
    bench.line(variant).expect_read_write_quantities()


@requirement("MODBUS/BC.15")
def test_BC_15(bench: ModbusBench, variant: str) -> None:
    """TP: a byte count that contradicts the quantity of coils is refused with exception 03 and changes nothing."""
    bench.line(variant).expect_byte_count_refused(Function.WRITE_MULTIPLE_COILS)


@requirement("MODBUS/BC.16")
def test_BC_16(bench: ModbusBench, variant: str) -> None:
    """TP: a byte count that contradicts the quantity of registers is refused with exception 03 and changes nothing."""
    bench.line(variant).expect_byte_count_refused(Function.WRITE_MULTIPLE_REGISTERS)


@requirement("MODBUS/CV.05")
def test_CV_05(bench: ModbusBench, variant: str) -> None:
    """TP: function 05 takes no values but 0000 and FF00, refuses others with 03, and keeps the coil."""
    bench.line(variant).expect_coil_values_refused()
