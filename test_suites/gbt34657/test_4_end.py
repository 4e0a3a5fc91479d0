"""GB/T 34657.1-2017: normal end, stop rate, control sequence and CC1 limits (sheet 5.4, 4.8, 4.9)."""

from __future__ import annotations

from itertools import pairwise

from hil.bench.steps import check_cause, is_crm00, is_ready
from hil.cases import Bench, MessageSeen, Phase, limit, partner, quantity, requirement, s, seconds, stimulate
from hil.protocol.gbt27930 import BST, CCS, CHM, CRM, CRO, CSD, CST

NO_POWER = quantity("no-power").most
FORCED = {"3.66V": 3.66, "4.36V": 4.36, "below-3.2V": 3.1, "above-4.8V": 4.9}
FULL_DEMAND = 200.0


def _stop(bench: Bench, variant: str) -> MessageSeen:
    """End the charge from the charger's side (active) or the vehicle's (passive); returns the first CST."""
    if variant == "active":
        bench.do(stimulate("stop_press", 1))
    else:
        bench.vehicle.stop("soc_reached")
    return bench.reach(Phase.STOPPING)


@requirement("GBT34657.1-2017/D0.5001")
def test_D0_5001(bench: Bench, variant: str) -> None:
    """TP: a normal end tells its cause, opens K1/K2 at 5 A or less, discharges the output and opens K3/K4."""
    bench.reach(Phase.CHARGING)
    cst = _stop(bench, variant)

    check_cause(bench, cst, "manual_stop" if variant == "active" else "bms_stopped")
    opened = bench.expect_open("k1k2_closed", "K1/K2 open", after=cst, within=limit("stop-current"))
    csd = bench.expect(CSD, after=cst, within=partner("T20"), name="CST to first CSD")
    bench.let(s(5))
    if opened is not None:
        current = bench.signal("k1k2_open_current", bench.now)
        bench.check_quantity("output current when K1/K2 opened", current, quantity("opening-current"), at=opened)
        bench.expect_signal(
            "output_voltage",
            high=quantity("discharged").high or 0.0,
            after=max(opened, csd.t),
            within=limit("discharge"),
            label="output discharged below 60 V",
        )
    bench.expect_open("k3k4_closed", "K3/K4 open", after=csd, within=limit("shutdown"))


@requirement("GBT34657.1-2017/D0.5101")
def test_D0_5101(bench: Bench, variant: str) -> None:
    """TP: on a stop the current falls by at least 100 A/s until 5 A."""
    bench.reach(Phase.CHARGING)
    bench.vehicle.demand(current=FULL_DEMAND)
    bench.let(s(12))
    before = bench.signal("output_current")
    cst = _stop(bench, variant)

    if variant == "active":
        begin = bench.time_in_range("output_current", -1.0, before - 1.0, cst.t - s(1), cst.t + s(10))
    else:
        begin = bench.matching(BST)[0].t
    end = bench.time_in_range("output_current", -1.0, NO_POWER or 0.0, cst.t - s(1), cst.t + s(20))
    if begin is None or end is None:
        bench.check("current falls to 5 A", False, equals=True, at=cst)
        return
    span = max(seconds(end - begin), 1e-6)
    bench.check_quantity("stop rate", (before - (NO_POWER or 0.0)) / span, quantity("stop-rate"), at=end)


@requirement("GBT34657.1-2017/D0.6001")
def test_D0_6001(bench: Bench) -> None:
    """TP: lock, auxiliary supply, handshake, insulation test, identification, contactors and end keep their order."""
    bench.reach(Phase.CHARGING)
    bench.vehicle.stop("soc_reached")
    bench.reach(Phase.END)
    bench.let(s(8))

    steps = _steps(bench)
    csd = ("first CSD", _time(bench.record.first(CSD.name)))
    for (earlier, before), (later, after) in [*pairwise(steps), (steps[-4], csd), (csd, steps[-2])]:
        order = before is not None and after is not None and before <= after
        at = after if after is not None else before
        bench.check(f"{earlier} before {later}", order, equals=True, at=at)


def _steps(bench: Bench) -> list[tuple[str, int | None]]:
    closed = [t for t, value in bench.changes("k1k2_closed") if value]
    opened = [t for t, value in bench.changes("k1k2_closed") if not value]
    aux = {value: t for t, value in bench.changes("k3k4_closed")}
    lock = {value: t for t, value in bench.changes("lock_engaged")}
    vehicle = {value: t for t, value in bench.changes("k5k6_closed")}
    ready = bench.record.first(CRO.name, where=is_ready)
    return [
        ("plug locked", lock.get(1.0)),
        ("K3/K4 closed", aux.get(1.0)),
        ("first CHM", _time(bench.record.first(CHM.name))),
        ("K1/K2 closed for the insulation test", closed[0] if closed else None),
        ("K1/K2 open again", opened[0] if opened else None),
        ("first CRM(00)", _time(bench.record.first(CRM.name, where=is_crm00))),
        ("K5/K6 closed", vehicle.get(1.0)),
        ("K1/K2 closed for charging", closed[1] if len(closed) > 1 else None),
        ("first CRO(AA)", _time(ready)),
        ("first CCS", _time(bench.record.first(CCS.name))),
        ("first CST", _time(bench.record.first(CST.name))),
        ("K1/K2 open at the end", opened[-1] if len(opened) > 1 else None),
        ("K3/K4 open", aux.get(0.0)),
        ("plug unlocked", lock.get(0.0)),
    ]


def _time(seen: MessageSeen | None) -> int | None:
    return None if seen is None else seen.t


@requirement("GBT34657.1-2017/D0.6002")
def test_D0_6002(bench: Bench, variant: str) -> None:
    """TP: the charger charges with CC1 at 3.65 to 4.37 V, and stops below 3.2 V and above 4.8 V."""
    bench.reach(Phase.CHARGING)
    forced = bench.now
    bench.do(stimulate("cc1_forced", FORCED[variant]))

    if variant in ("3.66V", "4.36V"):
        bench.expect_none(CST, after=forced, during=s(10))
        bench.check("output current goes on", bench.signal("output_current"), low=50.0, unit="A", at=bench.now)
        return
    cst = bench.expect(CST, after=forced, within=limit("cc1-open"), name="time to CST")
    bench.expect_open("k1k2_closed", "K1/K2 open", after=forced, within=limit("cc1-open"))
    bench.expect_no_power(after=cst)
