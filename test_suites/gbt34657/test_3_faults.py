"""GB/T 34657.1-2017: interruption of communication and faults while charging (sheet 5.4, 4.4, 4.8)."""

from __future__ import annotations

from hil.bench.steps import came_about, check_cause
from hil.cases import (
    Bench,
    Limit,
    MessageSeen,
    Phase,
    break_line,
    limit,
    mend_line,
    quantity,
    requirement,
    s,
    short_line,
    stimulate,
    timeout,
    window,
)
from hil.protocol.gbt27930 import BCL, CCS, CEM, CHM, CRM, CST

NO_POWER = quantity("no-power").most
CUTS = {"broken": break_line, "shorted": short_line}


@requirement("GBT34657.1-2017/D0.4501")
def test_D0_4501(bench: Bench, variant: str) -> None:
    """TP: lost communication ends in CEM and open contactors; it recovers, or is interrupted after the attempts."""
    how, _, outcome = variant.partition("-")
    bench.reach(Phase.CHARGING)
    last = bench.vehicle.silence(BCL) if how == "silent" else _cut(bench, how)
    if how == "silent":
        bench.vehicle.silence()
        bench.expect(CEM, lambda seen: seen.bcl == 1, after=last, within=timeout("T8"), name="last BCL to CEM")
    opened = bench.expect_open("k1k2_closed", "K1/K2 open after the last BCL", after=last, within=_shutdown())
    begin = bench.now if opened is None else opened

    if outcome == "recovers":
        bench.vehicle.resume() if how == "silent" else bench.do(mend_line(shorted=how == "shorted"))
        _expect_recovery(bench, last, begin)
    elif how == "silent":
        bench.expect_interruption(after=last)
    else:
        within = _interruption(bench)
        bench.expect_open("k3k4_closed", "K3/K4 open after the last BCL", after=last, within=within)
        bench.until(last.t + within.high)
        bench.do(mend_line(shorted=how == "shorted"))
        bench.let(s(2))
        again_at = bench.now
        bench.start()
        bench.expect_none(CHM, after=again_at, during=s(30), name="CHM without replugging")


def _cut(bench: Bench, how: str) -> MessageSeen:
    bench.do(CUTS[how]())
    last = bench.record.last(BCL.name)
    assert last is not None, "charging was reached"
    return last


def _expect_recovery(bench: Bench, last: MessageSeen, begin: int) -> None:
    """From now on both hear each other again."""
    back = "CRM(00) after the vehicle came back"
    # What was stuck in the charger may leave first.
    bench.expect(CRM, lambda seen: seen.result == 0x00, after=bench.now, within=limit("reconnect"), name=back)
    again = bench.reach(Phase.CHARGING)
    bench.check_window("time to charging again", again.t - begin, limit("reconnect"), at=again)
    bench.expect_none(CHM, after=last, during=again.t - last.t, name="CHM in a reconnection")
    bench.check("output current again", bench.signal("output_current"), low=50.0, unit="A", at=again)


def _interruption(bench: Bench) -> Limit:
    """All attempts in vain, none of which shows on a line that is cut, and 10 s from the last time-out (sheet 4.4)."""
    lost, again, unheard, shut = timeout("T8"), limit("reconnect"), bench.under(timeout("T1")), limit("shutdown")
    low = bench.under(lost).low + bench.reconnections * unheard.low
    high = bench.under(lost).high + bench.reconnections * (again.high + unheard.high) + shut.high
    return window("interruption", low, high, f"{lost.source}; {shut.source}")


def _shutdown() -> Limit:
    """The time-out of BCL, and 10 s from it (sheet 4.4)."""
    lost, shut = timeout("T8"), limit("shutdown")
    return window("shutdown", 0, lost.high + shut.high, f"{lost.source}; {shut.source}")


@requirement("GBT34657.1-2017/D0.4502")
def test_D0_4502(bench: Bench) -> None:
    """TP: switch S opens while charging: the output falls to 5 A or less within 50 ms, and CST tells a fault."""
    bench.reach(Phase.CHARGING)
    opened = bench.now
    bench.do(stimulate("switch_s_closed", 0))

    bench.expect_signal(
        "output_current", high=NO_POWER, after=opened, within=limit("switch-s"), label="output at most 5 A"
    )
    cst = bench.expect(CST, after=opened, within=limit("reaction"), name="time to CST")
    check_cause(bench, cst, "fault_stop")
    bench.expect_no_power(after=cst)


@requirement("GBT34657.1-2017/D0.4503")
def test_D0_4503(bench: Bench) -> None:
    """TP: CC1 breaks while charging: CST and open K1/K2 within 100 ms, K3/K4 open only after the statistics."""
    bench.reach(Phase.CHARGING)
    broken = bench.now
    bench.do(stimulate("cc1_broken", 1))

    cst = bench.expect(CST, after=broken, within=limit("cc1-open"), name="time to CST")
    check_cause(bench, cst, "fault_stop")
    bench.expect_open("k1k2_closed", "K1/K2 open", after=broken, within=limit("cc1-open"))
    csd = bench.reach(Phase.END)
    opened = bench.expect_open("k3k4_closed", "K3/K4 open after the statistics", after=csd, within=limit("shutdown"))
    bench.check("K3/K4 open after CSD", opened is not None and opened > csd.t, equals=True, at=csd)


@requirement("GBT34657.1-2017/D0.4504")
def test_D0_4504(bench: Bench) -> None:
    """TP: an output above the vehicle's maximum voltage is stopped within 1 s, K1 to K4 open."""
    bench.reach(Phase.CHARGING)
    bcp = bench.record.last("BCP")
    assert bcp is not None, "no charging without one"
    highest = float(bcp.max_total_voltage)
    failed = bench.now
    bench.do(stimulate("over_voltage_fault", highest - bench.signal("output_voltage") + 40.0))
    above = bench.time_in_range("output_voltage", highest, float("inf"), failed, failed + s(1))

    start = came_about(above, f"output above the vehicle's maximum{bench.seen_by('output_voltage')}")
    bench.expect_signal("output_current", high=NO_POWER, after=start, within=limit("over-voltage"), label="output off")
    bench.expect_open("k1k2_closed", "K1/K2 open", after=start, within=limit("over-voltage"))
    bench.expect_open("k3k4_closed", "K3/K4 open", after=start, within=limit("shutdown"))
    bench.expect_no_power(after=start)


@requirement("GBT34657.1-2017/D0.4505")
def test_D0_4505(bench: Bench) -> None:
    """TP: protective earth is lost while charging: power is off within 100 ms."""
    bench.reach(Phase.CHARGING)
    lost = bench.now
    bench.do(stimulate("pe_broken", 1))

    bench.expect_signal("output_current", high=NO_POWER, after=lost, within=limit("pe-lost"), label="output off")
    bench.expect_no_power(after=lost)


@requirement("GBT34657.1-2017/D0.4506")
def test_D0_4506(bench: Bench, variant: str) -> None:
    """TP: emergency stop: CST within 100 ms; loss of AC: K1/K2 open within 1 s and no session resumes by itself."""
    bench.reach(Phase.CHARGING)
    begin = bench.now
    if variant == "emergency-stop":
        bench.do(stimulate("emergency_press", 1))
        cst = bench.expect(CST, after=begin, within=limit("other-fault"), name="time to CST")
        check_cause(bench, cst, "fault_stop")
        bench.expect_no_power(after=cst)
        return
    bench.do(stimulate("ac_supply", 0))
    bench.expect_open("k1k2_closed", "K1/K2 open", after=begin, within=limit("ac-lost"))
    if variant == "ac-returns":
        bench.until(begin + s(20))
        returned = bench.now
        bench.do(stimulate("ac_supply", 1))
        for message in (CCS, CST):
            name = f"{message.name} after the AC supply returned"
            bench.expect_none(message, after=returned, during=s(20), name=name)
        bench.expect_at_no_instant(
            "output_current",
            "output current after the AC supply returned",
            high=NO_POWER,
            after=returned,
            until=bench.now,
        )
