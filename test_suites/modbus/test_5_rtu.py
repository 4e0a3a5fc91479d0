"""Frames and silences of the serial line (standards map, section 8; modbus_chargers.md 24)."""

from __future__ import annotations

from hil.cases import ModbusBench, requirement

RTU = "rtu"
WRONG_CRC = 0
JUNK = "55aa55"
LONG_INNER, SHORT_INNER, BETWEEN = 2.0, 1.0, 4.5
"""Silences in characters: t1.5 and t3.5 lie between them. With the character behind it, the first is not yet t3.5,
which matters to receivers that notice a character when it has ended."""
MIDDLE = (4,)
TOO_LONG = 300
BABBLE = 40


@requirement("MODBUS/RT.01")
def test_RT_01(bench: ModbusBench) -> None:
    """TP: a frame with a wrong check is not answered, and the next request is."""
    line = bench.line(RTU)
    line.expect_silence(bench.places.any_run().one(), "answer to a wrong CRC", crc=WRONG_CRC)
    line.expect_served()


@requirement("MODBUS/RT.02")
def test_RT_02(bench: ModbusBench) -> None:
    """TP: a write to all stations is carried out and not answered."""
    bench.line(RTU).expect_broadcast_written()


@requirement("MODBUS/RT.03")
def test_RT_03(bench: ModbusBench) -> None:
    """TP: a read to all stations is not answered, and the next request is."""
    line = bench.line(RTU)
    line.expect_silence(bench.places.any_run().one(), "answer to a broadcast", unit=bench.places.broadcast)
    line.expect_served()


@requirement("MODBUS/RT.04")
def test_RT_04(bench: ModbusBench) -> None:
    """TP: a frame with a gap of more than 1.5 characters is not answered, and the next request is."""
    line = bench.line(RTU)
    gap = bench.characters(LONG_INNER)
    line.expect_silence(bench.places.any_run().one(), "answer to a frame with a gap", cuts=MIDDLE, gap=gap)
    line.expect_served()


@requirement("MODBUS/RT.05")
def test_RT_05(bench: ModbusBench) -> None:
    """TP: a frame with a gap of less than 1.5 characters is answered."""
    gap = bench.characters(SHORT_INNER)
    bench.line(RTU).expect_reply(bench.places.any_run().one(), "reply", cuts=MIDDLE, gap=gap)


@requirement("MODBUS/RT.06")
def test_RT_06(bench: ModbusBench) -> None:
    """TP: a request that follows another station's frame after 3.5 characters of silence is answered."""
    bench.line(RTU).expect_served_after(bench.characters(BETWEEN))


@requirement("MODBUS/RT.07")
def test_RT_07(bench: ModbusBench) -> None:
    """TP: the answer begins no sooner than 3.5 characters after the request and has no gaps."""
    bench.line(RTU).expect_silences_kept()


@requirement("MODBUS/RT.08")
def test_RT_08(bench: ModbusBench) -> None:
    """TP: a frame with a parity error is not answered, and the next request is."""
    line = bench.line(RTU)
    bench.spoil_parity()
    line.expect_silence(bench.places.any_run().one(), "answer to a parity error")
    line.expect_served()


@requirement("MODBUS/RT.09")
def test_RT_09(bench: ModbusBench, variant: str) -> None:
    """TP: junk right before a request spoils it, junk before the silence does not."""
    line = bench.line(RTU)
    request = bench.places.any_run().one()
    if variant == "joined":
        line.expect_silence(request, "answer to junk and request", before=JUNK)
    else:
        bench.babble(bytes.fromhex(JUNK))
        line.expect_reply(request, "reply after junk")
    line.expect_served()


@requirement("MODBUS/RT.10")
def test_RT_10(bench: ModbusBench) -> None:
    """TP: a request with junk right behind it is not answered, and the next one is."""
    line = bench.line(RTU)
    line.expect_silence(bench.places.any_run().one(), "answer to request and junk", after=JUNK)
    line.expect_served()


@requirement("MODBUS/RT.11")
def test_RT_11(bench: ModbusBench) -> None:
    """TP: a device that hears its own answer on the line does not answer that."""
    bench.expect_one_answer(bench.line(RTU))


@requirement("MODBUS/RT.12")
def test_RT_12(bench: ModbusBench) -> None:
    """TP: requests to another station and its answers are left alone."""
    line = bench.line(RTU)
    bench.expect_aloof(line)
    line.expect_served()


@requirement("MODBUS/RT.13")
def test_RT_13(bench: ModbusBench) -> None:
    """TP: a frame of more than 256 bytes is not answered, and the next request is."""
    bench.expect_passed_over(bench.line(RTU), bench.overlong(TOO_LONG))


@requirement("MODBUS/RT.14")
def test_RT_14(bench: ModbusBench) -> None:
    """TP: a request that another station spoils by sending is not answered, and the next one is."""
    line = bench.line(RTU)
    line.expect_silence(bench.places.any_run().one(), "answer to a collision", over=BABBLE)
    line.expect_served()


@requirement("MODBUS/RT.15")
def test_RT_15(bench: ModbusBench) -> None:
    """TP: frames of one, two and three bytes are not answered, and the next request is."""
    bench.expect_short_passed_over(bench.line(RTU))
