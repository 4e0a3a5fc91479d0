"""Control pilot of AC chargers: idle, connection, sequences (sheet iec61851_control_pilot.md, sections 8 and 3)."""

from __future__ import annotations

from itertools import pairwise

from hil.cases import AcBench, AcPhase, Limit, limit, ms, quantity, requirement, s, seconds, window

REQUEST = 10.0
CABLE = 680.0
CABLES = {"iec61851": 20.0, "gbt18487": 16.0}
"""What a resistor of 680 ohm means, A (sheet 4 and 7)."""


def _matching_until(bench: AcBench, after: int, until: int) -> int:
    """Up to when a pilot stays in state B: to an instant, or until 5 % ends without digital communication.

    X1, E or F stand then (sheet 6); CP.29 judges them.
    """
    bench.until(until)
    told = bench.record.samples("cp_duty", after, until) if bench.digital else []
    ends = (each.t for before, each in pairwise(told) if _means(before.value) == "5 %" != _means(each.value))
    return next(ends, until + 1) - 1


def _b(bench: AcBench) -> tuple[float, float]:
    level = bench.by_standard("pilot-b", "pilot-b-gbt")
    assert level.low is not None, "limits.toml gives it"
    return level.low, level.most


@requirement("IEC61851-1/CP.01")
def test_CP_01(bench: AcBench) -> None:
    """TP: without a vehicle the pilot is steady at +12 V, the output is dead and the plug unlocked."""
    bench.let(s(5))

    bench.check_quantity("pilot", bench.signal("cp_high"), bench.by_standard("pilot-a", "pilot-a-gbt"), at=bench.now)
    bench.expect_at_no_instant("cp_frequency", "pilot's frequency", high=0.0, after=s(1), until=bench.now)
    bench.expect_dead("output", after=0, until=bench.now)
    bench.check("plug locked", bench.signal("lock_engaged"), equals=0.0, at=bench.now)


@requirement("IEC61851-1/CP.02")
def test_CP_02(bench: AcBench) -> None:
    """TP: a vehicle that is connected brings the pilot to state B, and the output stays dead until it asks."""
    bench.vehicle.want(False)
    plugged = bench.plug_in()
    low, high = _b(bench)
    shown = bench.expect_change("state B", "cp_high", low, high, after=plugged)
    if shown is not None:
        stands = _matching_until(bench, shown, shown + s(20))
        bench.expect_at_no_instant("cp_high", "pilot", low=low, high=high, after=shown, until=stands)
    bench.expect_dead("output", after=plugged, until=bench.now)


@requirement("IEC61851-1/CP.03")
def test_CP_03(bench: AcBench, variant: str) -> None:
    """TP: when power is available the pilot oscillates, and its duty cycle tells the least of all limits."""
    if variant == "cable":
        bench.prepare("pp", CABLE)
    if variant == "request":
        bench.ask_limit(REQUEST)
    reached = bench.reach(AcPhase.OFFERED)

    if variant == "ready":
        duty = bench.by_standard("ready-duty", "ready-duty-gbt")
        bench.check_quantity("duty cycle", bench.signal("cp_duty"), duty, at=bench.now)
        frequency = bench.by_standard("pilot-frequency", "pilot-frequency-gbt")
        bench.check_quantity("frequency", bench.signal("cp_frequency"), frequency, at=bench.now)
        bench.check_quantity("negative half", bench.signal("cp_low"), quantity("pilot-negative"), at=bench.now)
        bench.expect_dead("output", after=reached, until=bench.now)
    else:
        cable = CABLES[bench.reading("pilot-standard")]
        least = {"installation": bench.rated_current, "cable": cable, "request": REQUEST}[variant]
        bench.check_duty("duty cycle", least, at=bench.now, strictly=True)


@requirement("IEC61851-1/CP.04")
def test_CP_04(bench: AcBench) -> None:
    """TP: when the vehicle closes S2, the output is on in time."""
    bench.reach(AcPhase.OFFERED)
    edge = _close(bench)

    bench.expect_on("output on after S2", after=edge, within=limit("ac-supply-on"))


def _close(bench: AcBench) -> int:
    low, high = _b(bench)
    return bench.edge("cp_high", high=(low + high) / 2 - 1.0, after=bench.vehicle.s2(closed=True))


def _open(bench: AcBench) -> int:
    low, high = _b(bench)
    return bench.edge("cp_high", low=low, high=high, after=bench.vehicle.s2(closed=False))


@requirement("IEC61851-1/CP.05")
def test_CP_05(bench: AcBench) -> None:
    """TP: when the vehicle opens S2, the output is off in time."""
    bench.reach(AcPhase.CHARGING)
    edge = _open(bench)

    opened = bench.expect_off("output off after S2", after=edge, within=limit("ac-supply-off"))
    if opened is not None:
        bench.expect_dead("output afterwards", after=opened, until=opened + s(5))


@requirement("IEC61851-1/CP.06")
def test_CP_06(bench: AcBench) -> None:
    """TP: when the vehicle closes S2 again within a second, the output is on again in time."""
    bench.reach(AcPhase.CHARGING)
    edge = _open(bench)
    bench.expect_off("output off after S2", after=edge, within=limit("ac-supply-off"))
    bench.until(edge + ms(800))
    again = _close(bench)

    bench.expect_on("output on after S2", after=again, within=limit("ac-supply-on"))


@requirement("IEC61851-1/CP.07")
def test_CP_07(bench: AcBench, variant: str) -> None:
    """TP: when the vehicle is unplugged while charging, the output is off in time, and then the PWM."""
    bench.reach(AcPhase.CHARGING)
    unplugged = bench.unplug()

    if variant == "supply-off":
        bench.expect_off("output off after unplugging", after=unplugged, within=limit("ac-supply-off"))
    else:
        bench.expect_pwm_off("PWM off after unplugging", after=unplugged, within=limit("ac-pwm-off"))


@requirement("IEC61851-1/CP.08")
def test_CP_08(bench: AcBench, variant: str) -> None:
    """TP: when the vehicle is unplugged after it has stopped, PWM and lock are off in time."""
    bench.reach(AcPhase.CHARGING)
    bench.vehicle.want(False)
    bench.let(s(5))
    unplugged = bench.unplug()

    if variant == "unlock":
        bench.expect_open("lock_engaged", "plug unlocked", after=unplugged, within=limit("ac-unlock"))
        bench.expect_dead("output", after=unplugged, until=bench.now)
    else:
        bench.expect_pwm_off("PWM off after unplugging", after=unplugged, within=limit("ac-pwm-off"))


@requirement("IEC61851-1/CP.09")
def test_CP_09(bench: AcBench) -> None:
    """TP: a charger that is told to stop ends the PWM."""
    bench.reach(AcPhase.CHARGING)
    told = bench.stop()

    ended = bench.expect_change("end of the PWM", "cp_frequency", 0.0, 0.0, after=told)
    if ended is not None:
        level = bench.by_standard("pilot-c", "pilot-c-gbt")
        bench.check_quantity("pilot, steady", bench.signal("cp_low", ended), level, at=ended)


@requirement("IEC61851-1/CP.10")
def test_CP_10(bench: AcBench) -> None:
    """TP: after the charger's stop the output is off in time when the vehicle opens S2."""
    bench.reach(AcPhase.CHARGING)
    told = bench.stop()
    if bench.expect_change("end of the PWM", "cp_frequency", 0.0, 0.0, after=told) is None:
        return
    low, high = _b(bench)
    edge = bench.edge("cp_high", low=low, high=high, after=told, within=s(20))

    bench.expect_off("output off after S2", after=edge, within=limit("ac-supply-off"))


@requirement("IEC61851-1/CP.11")
def test_CP_11(bench: AcBench) -> None:
    """TP: when the vehicle does not react to the end of the PWM, the output opens under load not before its time."""
    bench.reach(AcPhase.CHARGING)
    bench.vehicle.stubborn()
    told = bench.stop()
    ended = bench.expect_change("end of the PWM", "cp_frequency", 0.0, 0.0, after=told)
    if ended is None:
        return

    if bench.reading("pilot-standard") == "gbt18487":
        bench.expect_off("output off after the PWM", after=ended, within=limit("ac-forced-open"))
        return
    earliest = limit("ac-no-forced-open").high
    bench.expect_at_no_instant(
        "output_voltage",
        "output before its time",
        low=quantity("supply-threshold").most,
        after=ended,
        until=ended + earliest - 1,
    )
    opened = bench.time_in_range("output_voltage", 0.0, quantity("supply-threshold").most, ended, ended + 2 * earliest)
    bench.report("output off after the PWM", None if opened is None else seconds(opened - ended), "s")


@requirement("IEC61851-1/CP.18")
def test_CP_18(bench: AcBench) -> None:
    """TP: a vehicle whose S2 is always closed gets no output without PWM, and with it in time."""
    bench.see_an_offer()
    bench.prepare("s2_stuck", 1)
    plugged = bench.plug_in()
    bench.start()
    bench.let(s(20))

    on = bench.time_in_range("output_voltage", quantity("supply-threshold").most, 1e9, plugged, bench.now)
    pwm = bench.time_in_range("cp_frequency", 1.0, 1e9, plugged, bench.now)
    bench.report("simplified pilot taken", on is not None)
    if on is None:
        bench.expect_dead("output", after=plugged, until=bench.now)
    else:
        bench.check("PWM before the output", pwm is not None and pwm < on, equals=True, at=on)
        if pwm is not None:
            bench.check_window("output on after PWM", on - pwm, limit("ac-supply-on"), at=on)


@requirement("IEC61851-1/CP.29")
def test_CP_29(bench: AcBench) -> None:
    """TP: between 5 % without digital communication and the nominal duty cycle stands X1, E or F for its time."""
    bench.vehicle.want(False)
    plugged = bench.plug_in()
    bench.start()
    bench.let(s(60))

    told = [(each.t, _means(each.value)) for each in bench.record.samples("cp_duty", plugged, bench.now)]
    told = [(at, what) for at, what in told if what]
    nominal = [at for at, what in told if what == "nominal"]
    bench.check("5 % first", bool(told) and told[0][1] == "5 %", equals=True, at=plugged)
    bench.check("nominal duty cycle in the end", bool(nominal), equals=True, at=bench.now)
    for (left, before), (reached, after) in pairwise(told):
        if before != after:
            _check_step(bench, f"between {before} and {after}", left, reached)


def _means(duty: float) -> str:
    if 3.0 <= duty <= 7.0:
        return "5 %"
    return "nominal" if 8.0 <= duty <= 97.0 else ""


def _check_step(bench: AcBench, where: str, left: int, reached: int) -> None:
    """What stood between: X1 for 3 s, or E or F for 4 s."""
    begin = next(each.t for each in bench.record.samples("cp_duty", left, reached) if each.t > left)
    steady = bench.signal("cp_high", begin) > 0.0
    least: Limit = limit("ac-step-x1") if steady else limit("ac-step-ef")
    far = window(least.name, least.high, s(60), least.source)
    bench.check_window(f"{'X1' if steady else 'E or F'} {where}", reached - begin, far, at=reached)
