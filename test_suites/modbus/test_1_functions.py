"""Function codes that a device's map claims, the one that it does not, and exceptions (standards map, section 8)."""

from __future__ import annotations

from hil.cases import ModbusBench, limit, requirement
from hil.protocol.modbus import Function

BUSY, FAILURE = 6, 4


@requirement("MODBUS/FC.01")
def test_FC_01(bench: ModbusBench, variant: str) -> None:
    """TP: function 01 reads coils, one alone as the same as in a block."""
    bench.line(variant).expect_parts(Function.READ_COILS)


@requirement("MODBUS/FC.02")
def test_FC_02(bench: ModbusBench, variant: str) -> None:
    """TP: function 02 reads discrete inputs, one alone as the same as in a block."""
    bench.line(variant).expect_parts(Function.READ_DISCRETE_INPUTS)


@requirement("MODBUS/FC.03")
def test_FC_03(bench: ModbusBench, variant: str) -> None:
    """TP: function 03 reads holding registers, one alone as the same as in a block."""
    bench.line(variant).expect_parts(Function.READ_HOLDING_REGISTERS)


@requirement("MODBUS/FC.04")
def test_FC_04(bench: ModbusBench, variant: str) -> None:
    """TP: function 04 reads input registers, one alone as the same as in a block."""
    bench.line(variant).expect_parts(Function.READ_INPUT_REGISTERS)


@requirement("MODBUS/FC.05")
def test_FC_05(bench: ModbusBench, variant: str) -> None:
    """TP: function 05 writes one coil, repeats the request, and the coil reads as written."""
    bench.line(variant).expect_written(Function.WRITE_SINGLE_COIL)


@requirement("MODBUS/FC.06")
def test_FC_06(bench: ModbusBench, variant: str) -> None:
    """TP: function 06 writes one register, repeats the request, and the register reads as written."""
    bench.line(variant).expect_written(Function.WRITE_SINGLE_REGISTER)


@requirement("MODBUS/FC.15")
def test_FC_15(bench: ModbusBench, variant: str) -> None:
    """TP: function 15 writes coils, answers address and count, and the coils read as written."""
    bench.line(variant).expect_row_written(Function.WRITE_MULTIPLE_COILS)


@requirement("MODBUS/FC.16")
def test_FC_16(bench: ModbusBench, variant: str) -> None:
    """TP: function 16 writes registers, answers address and count, and the registers read as written."""
    bench.line(variant).expect_row_written(Function.WRITE_MULTIPLE_REGISTERS)


@requirement("MODBUS/FC.22")
def test_FC_22(bench: ModbusBench, variant: str) -> None:
    """TP: function 22 changes the bits outside the AND mask to those of the OR mask and keeps the others."""
    bench.line(variant).expect_masked()


@requirement("MODBUS/FC.23")
def test_FC_23(bench: ModbusBench, variant: str) -> None:
    """TP: function 23 writes first and then reads, so that what is read of the span is what was written."""
    bench.line(variant).expect_read_write()


@requirement("MODBUS/EX.01")
def test_EX_01(bench: ModbusBench, variant: str) -> None:
    """TP: a function code that the device does not know is refused with exception 01."""
    line = bench.line(variant)
    line.expect_unknown(bench.places.unknown_function)
    line.expect_served()


@requirement("MODBUS/EX.02")
def test_EX_02(bench: ModbusBench, variant: str) -> None:
    """TP: the last address of a run is read alone, and what goes beyond is answered as the map says, else with 02."""
    bench.line(variant).expect_end_of_run()


@requirement("MODBUS/EX.03")
def test_EX_03(bench: ModbusBench, variant: str) -> None:
    """TP: a span beyond address 65535 is refused with exception 02."""
    line = bench.line(variant)
    line.expect_wrap_refused()
    line.expect_served()


@requirement("MODBUS/EX.04")
def test_EX_04(bench: ModbusBench, variant: str) -> None:
    """TP: a request whose function code has the error bit is not answered, or refused with exception 01."""
    line = bench.line(variant)
    line.expect_error_bit_refused()
    line.expect_served()


@requirement("MODBUS/EX.05")
def test_EX_05(bench: ModbusBench, variant: str) -> None:
    """TP: a device that is busy refuses with exception 06, and answers again when it is not."""
    line = bench.line(variant)
    bench.set_state("busy")
    line.expect_exception(bench.places.any_run().one(), BUSY)

    bench.set_state("")
    line.expect_served("a good request when it is well")


@requirement("MODBUS/EX.06")
def test_EX_06(bench: ModbusBench, variant: str) -> None:
    """TP: a device that has failed refuses with exception 04, and answers again when it is well."""
    line = bench.line(variant)
    bench.set_state("failed")
    line.expect_exception(bench.places.any_run().one(), FAILURE)

    bench.set_state("")
    line.expect_served("a good request when it is well")


@requirement("MODBUS/UN.01")
def test_UN_01(bench: ModbusBench, variant: str) -> None:
    """TP: a request for another unit is not answered on a serial line, and on TCP as the map says."""
    line = bench.line(variant)
    line.expect_foreign_unit()
    line.expect_served()


@requirement("MODBUS/RS.01")
def test_RS_01(bench: ModbusBench, variant: str) -> None:
    """TP: every one of a row of requests is answered in time, and the times are told."""
    bench.line(variant).expect_prompt(limit("modbus-response"))
