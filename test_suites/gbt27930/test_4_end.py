"""GB/T 34658-2017, family 4: end of charging, charger under test (sheet 5.3, 5.7)."""

from __future__ import annotations

from hil.bench.steps import check_cause, expect_error_report
from hil.cases import (
    Bench,
    Phase,
    answer_stop,
    limit,
    malform,
    ms,
    partner,
    period,
    requirement,
    s,
    seconds,
    stimulate,
    timeout,
)
from hil.protocol.gbt27930 import BSD, CHM, CSD, CST


@requirement("GBT34658-2017/DP.4001")
def test_DP_4001(bench: Bench) -> None:
    """TP: after BST and CST the charger exchanges statistics, then switches the supply off."""
    bench.do(answer_stop(after=ms(500), csd=5))
    bench.reach(Phase.CHARGING)
    bench.vehicle.stop("soc_reached")
    cst = bench.reach(Phase.STOPPING)
    bsd = bench.collect(BSD, 1, within=s(5))[0]

    csd = bench.expect(CSD, after=bsd, within=partner("T20"), name="BSD to first CSD")
    seen = bench.collect(CSD, 5, after=csd, within=s(5))
    bench.let(s(11))

    check_cause(bench, cst, "bms_stopped")
    bench.check_period(seen, period(CSD))
    bench.check_format(seen, CSD)
    bench.check_same_charger_number(seen[0])
    last = bench.matching(CSD)[-1]
    bench.check("time from first to last CSD", seconds(last.t - csd.t), high=10.0, unit="s", at=last)
    bench.expect_open("k3k4_closed", "auxiliary supply off", after=last, within=limit("aux-off"))


@requirement("GBT34658-2017/DP.4002")
def test_DP_4002(bench: Bench) -> None:
    """TP: after a class b fault only unplugging and plugging in again allows a new session."""
    bench.reach(Phase.CHARGING)
    last = bench.vehicle.silence()
    bench.expect_interruption(after=last)

    again = bench.now
    bench.start()
    bench.expect_none(CHM, after=again, during=s(30), name="CHM after a start without replugging")
    bench.vehicle.resume()
    bench.replug()
    replugged = bench.now
    bench.start()
    bench.expect(CHM, after=replugged, within=limit("restart"), name="replug and start to CHM")


def _stop_by_vehicle(bench: Bench) -> None:
    """BST for 0.5 s after the first CST, as the reading of DN.4001 and DN.4002 has it."""
    bench.do(answer_stop(after=s(0.5)))
    bench.reach(Phase.CHARGING)
    bench.vehicle.stop("soc_reached")


def _stop_by_charger(bench: Bench) -> None:
    """BST for 0.5 s after the first CST, as the reading of DN.4003 and DN.4004 has it."""
    bench.do(answer_stop(after=s(0.5)))
    bench.reach(Phase.CHARGING)
    bench.do(stimulate("stop_press", 1))


@requirement("GBT34658-2017/DN.4001")
def test_DN_4001(bench: Bench) -> None:
    """TP: a vehicle that stopped and sends no BSD is reported by SPN 3927, 10 s after the first CST."""
    bench.vehicle.silence(BSD)
    _stop_by_vehicle(bench)
    cst = bench.reach(Phase.STOPPING)

    check_cause(bench, cst, "bms_stopped")
    expect_error_report(bench, "bsd", after=cst, within=timeout("T11"), waiting=CST)


@requirement("GBT34658-2017/DN.4002")
def test_DN_4002(bench: Bench, variant: str) -> None:
    """TP: frames that do not match BSD's definition are no BSD."""
    bench.do(malform(BSD, variant))
    _stop_by_vehicle(bench)
    cst = bench.reach(Phase.STOPPING)

    check_cause(bench, cst, "bms_stopped")
    expect_error_report(bench, "bsd", after=cst, within=timeout("T11"), waiting=CST)


@requirement("GBT34658-2017/DN.4003")
def test_DN_4003(bench: Bench) -> None:
    """TP: a charger that stopped and receives no BSD reports it, 10 s after the first CST."""
    bench.vehicle.silence(BSD)
    _stop_by_charger(bench)
    cst = bench.reach(Phase.STOPPING)

    check_cause(bench, cst, "manual_stop")
    expect_error_report(bench, "bsd", after=cst, within=timeout("T11"), waiting=CST)


@requirement("GBT34658-2017/DN.4004")
def test_DN_4004(bench: Bench, variant: str) -> None:
    """TP: frames that do not match BSD's definition are no BSD."""
    bench.do(malform(BSD, variant))
    _stop_by_charger(bench)
    cst = bench.reach(Phase.STOPPING)

    check_cause(bench, cst, "manual_stop")
    expect_error_report(bench, "bsd", after=cst, within=timeout("T11"), waiting=CST)
