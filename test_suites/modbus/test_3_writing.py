"""What a device takes, what it refuses, and what a refused request leaves (standards map, section 8)."""

from __future__ import annotations

from hil.cases import ModbusBench, requirement


@requirement("MODBUS/WR.01")
def test_WR_01(bench: ModbusBench) -> None:
    """TP: a write to a register that can only be read is refused and changes nothing."""
    bench.usual_line().expect_read_only()


@requirement("MODBUS/WR.02")
def test_WR_02(bench: ModbusBench, variant: str) -> None:
    """TP: a value outside the range of its register is refused and changes nothing."""
    bench.usual_line().expect_range(several=variant == "several")


@requirement("MODBUS/WR.03")
def test_WR_03(bench: ModbusBench, variant: str) -> None:
    """TP: a write of which one part is refused changes no other part."""
    bench.usual_line().expect_all_or_nothing(beyond=variant == "address")


@requirement("MODBUS/WR.04")
def test_WR_04(bench: ModbusBench) -> None:
    """TP: a write of half a wide value is refused and changes nothing, or is taken, as the map says."""
    bench.usual_line().expect_half_written()


@requirement("MODBUS/WR.05")
def test_WR_05(bench: ModbusBench) -> None:
    """TP: a value of several registers reads as it was written in one request."""
    bench.usual_line().expect_wide_written()


@requirement("MODBUS/WR.06")
def test_WR_06(bench: ModbusBench) -> None:
    """TP: a part of a wide value reads as that part, or is refused."""
    bench.usual_line().expect_half_read()


@requirement("MODBUS/WR.07")
def test_WR_07(bench: ModbusBench) -> None:
    """TP: function 23 whose read is refused has written nothing."""
    bench.usual_line().expect_unread_unwritten()
