"""GB/T 34657.1-2017: charging stage, control errors and adjustment time (sheet 5.4, 4.9)."""

from __future__ import annotations

from hil.bench.steps import check_ccs_accuracy, check_current_error, demanded
from hil.cases import Bench, Phase, adjustment_time, period, quantity, requirement, s
from hil.protocol.gbt27930 import BCL, CCS

CURRENTS = {"10A": 10.0, "29A": 29.0, "30A": 30.0, "100A": 100.0, "200A": 200.0}
STEPS = {
    "fall-20A": (120.0, 100.0),
    "fall-100A": (180.0, 80.0),
    "fall-180A": (200.0, 20.0),
    "rise-20A": (100.0, 120.0),
    "rise-100A": (80.0, 180.0),
}
ABOVE_PRESENT = {"low": 0.5, "high": 2.0}
CONSTANT_VOLTAGE = 1


@requirement("GBT34657.1-2017/D0.4001")
def test_D0_4001(bench: Bench) -> None:
    """TP: while charging the charger sends CCS at its period and follows BCL."""
    start = bench.reach(Phase.CHARGING)

    for current in (60.0, 30.0, 90.0):
        begin = bench.now
        bench.vehicle.demand(current=current)
        bench.let(adjustment_time(100.0).high + s(2))
        bench.report(f"time of the demand of {current:g} A", begin / 1e9, "s", at=begin)
        check_current_error(bench, current, after=bench.now - s(1), until=bench.now)

    bench.expect_through(CCS, after=start, until=bench.now, period=period(CCS))
    check_ccs_accuracy(bench, bench.collect(CCS, 1, within=s(1))[0])


@requirement("GBT34657.1-2017/D0.4101")
def test_D0_4101(bench: Bench, variant: str) -> None:
    """TP: in constant-voltage mode the settled output voltage is within 0.5 % of the demand."""
    bench.reach(Phase.CHARGING)
    bench.vehicle.demand(current=20.0)
    bench.let(s(8))
    voltage = round(bench.signal("output_voltage") + ABOVE_PRESENT[variant], 1)
    bench.vehicle.demand(voltage=voltage, current=200.0, mode=CONSTANT_VOLTAGE)
    bench.let(s(15))

    lowest, highest = bench.extremes("output_voltage", bench.now - s(2), bench.now)
    for label, value in (("lowest", lowest), ("highest", highest)):
        error = 100.0 * (value - voltage) / voltage
        bench.check_quantity(f"voltage error, {label}", error, quantity("voltage-error"), at=bench.now)
    bench.expect_at_no_instant(
        "output_current", "output current", high=200.0 * 1.01, after=bench.now - s(2), until=bench.now
    )


@requirement("GBT34657.1-2017/D0.4102")
def test_D0_4102(bench: Bench, variant: str) -> None:
    """TP: in constant-current mode the settled output current is within the control error of the demand."""
    current = CURRENTS[variant]
    bench.reach(Phase.CHARGING)
    bench.vehicle.demand(current=current)
    bench.let(adjustment_time(200.0).high + s(2))

    check_current_error(bench, current, after=bench.now - s(2), until=bench.now)


@requirement("GBT34657.1-2017/D0.4103")
def test_D0_4103(bench: Bench, variant: str) -> None:
    """TP: after a new demand the current is within the control error of it in the allowed time."""
    before, after = STEPS[variant]
    bench.reach(Phase.CHARGING)
    bench.vehicle.demand(current=before)
    bench.let(adjustment_time(200.0).high + s(2))
    bench.vehicle.demand(current=after)
    bcl = bench.collect(BCL, 1, where=lambda seen: -seen.current_demand == after, within=s(1))[0]

    width = 0.3 if after < 30.0 else 0.01 * after
    allowed = adjustment_time(before - after)
    if after < before or bench.reading("adjustment-direction") == "both":
        bench.expect_signal(
            "output_current", low=after - width, high=after + width, after=bcl, within=allowed, label="adjustment time"
        )
    else:
        reached = bench.time_in_range("output_current", after - width, after + width, bcl.t, bcl.t + 2 * allowed.high)
        bench.check("current follows a higher demand", reached is not None, equals=True, at=bcl)
        bench.report("adjustment time, rising", None if reached is None else (reached - bcl.t) / 1e9, "s", at=bcl)
    bench.until(bcl.t + allowed.high)
    bench.let(s(2))
    check_current_error(bench, demanded(bench), after=bench.now - s(1), until=bench.now)
