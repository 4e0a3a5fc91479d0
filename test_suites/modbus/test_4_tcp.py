"""Header and connections of Modbus TCP (standards map, section 8)."""

from __future__ import annotations

from hil.cases import ModbusBench, ms, requirement, s

IDS = (0, 1, 255, 256, 32768, 65535)
TCP, SECOND = "tcp", "second"
FOREIGN_PROTOCOL = 1
LENGTHS = {"zero": 0, "one": 1, "huge": 65535}
CUTS = {"header": (3,), "function": (7,), "bytes": tuple(range(1, 12))}
PAUSE = ms(20)
UNTOLD_IDLE = s(30)


@requirement("MODBUS/TC.01")
def test_TC_01(bench: ModbusBench) -> None:
    """TP: a reply repeats the transaction id of its request, whatever it is."""
    bench.line(TCP).expect_transactions(IDS)


@requirement("MODBUS/TC.02")
def test_TC_02(bench: ModbusBench) -> None:
    """TP: a frame of another protocol is not answered, and the next request is."""
    line = bench.line(TCP)
    line.expect_silence(bench.places.any_run().one(), "answer to another protocol", protocol=FOREIGN_PROTOCOL)
    line.expect_served()


@requirement("MODBUS/TC.03")
def test_TC_03(bench: ModbusBench, variant: str) -> None:
    """TP: a frame whose length field is impossible is not answered, and a new connection is served."""
    line = bench.line(TCP)
    line.expect_silence(bench.places.any_run().one(), "answer to its length", length=LENGTHS[variant])
    bench.line(SECOND).expect_served("a good request on a new connection")


@requirement("MODBUS/TC.04")
def test_TC_04(bench: ModbusBench, variant: str) -> None:
    """TP: requests that are sent before the reply to the first has come are all answered, each with its own values."""
    bench.line(TCP).expect_pipelined(one_segment=variant == "one-segment")


@requirement("MODBUS/TC.05")
def test_TC_05(bench: ModbusBench, variant: str) -> None:
    """TP: a request that comes in several segments is answered as one that comes whole."""
    line = bench.line(TCP)
    line.expect_reply(bench.places.any_run().one(), "reply to what came in parts", cuts=CUTS[variant], gap=PAUSE)
    line.expect_served()


@requirement("MODBUS/TC.06")
def test_TC_06(bench: ModbusBench) -> None:
    """TP: a connection is served while it is idle for less than the map says, and is closed in order afterwards."""
    bench.line(TCP).expect_idle_served(bench.idle_close or UNTOLD_IDLE)


@requirement("MODBUS/TC.07")
def test_TC_07(bench: ModbusBench) -> None:
    """TP: clients that vanish without a word do not keep a new one from being served."""
    bench.leave_half_open()

    bench.line(SECOND).expect_served("a new client after those that vanished")


@requirement("MODBUS/TC.08")
def test_TC_08(bench: ModbusBench) -> None:
    """TP: as many clients as the map says are served at a time, also after one more has come."""
    bench.expect_clients()


@requirement("MODBUS/TC.09")
def test_TC_09(bench: ModbusBench) -> None:
    """TP: a connection that is reset within a request leaves nothing to the next one."""
    line = bench.line(TCP)
    line.send_half(bench.places.any_run().one())
    bench.let(PAUSE)
    line.disconnect(reset=True)

    bench.line(SECOND).expect_served("a new client")


@requirement("MODBUS/TC.10")
def test_TC_10(bench: ModbusBench) -> None:
    """TP: two clients that use the same transaction id each get their own answer."""
    bench.expect_apart(bench.line(TCP), bench.line(SECOND))


@requirement("MODBUS/TC.11")
def test_TC_11(bench: ModbusBench) -> None:
    """TP: a request is answered once."""
    bench.expect_one_answer(bench.line(TCP))
