"""What an AC charger makes of limits (sheet iec61851_control_pilot.md, sections 2 to 5), contactor and lock."""

from __future__ import annotations

from hil.cases import AcBench, AcPhase, apart_from, current_of, limit, quantity, requirement, s

SWEEP = (6.0, 16.0, 3.0, 32.0, 0.0, 10.0, 6.5, 51.0, 5.0, 20.0)
DIGITAL = (3.0, 7.0)
ALLOWED = (8.0, 97.0)
CABLE_13A = 1500.0
CABLE_63A = 100.0
SEEN = s(4)
"""Longer than a fault may take to show (sheet 3, 12), which is [K] and not judged here."""
COUNT = s(1)
"""The remaining validity is counted in seconds."""


@requirement("IEC61851-1/CP.12")
def test_CP_12(bench: AcBench, variant: str) -> None:
    """TP: while charging, the duty cycle follows a limit that changes."""
    before, after = (20.0, 10.0) if variant == "down" else (10.0, 20.0)
    bench.ask_limit(before)
    bench.reach(AcPhase.CHARGING)
    duty = bench.signal("cp_duty")
    asked = bench.ask_limit(after)
    low, high = ALLOWED
    bench.expect_change(
        "new duty cycle",
        "cp_duty",
        low if after < before else duty + 1.0,
        duty - 1.0 if after < before else high,
        after=asked,
    )

    most = quantity("supply-threshold").most
    bench.expect_at_no_instant("output_voltage", "output", low=most, after=asked, until=asked + s(10))


@requirement("IEC61851-1/CP.13")
def test_CP_13(bench: AcBench, variant: str) -> None:
    """TP: a limit below 6 A pauses: the PWM ends, and no duty cycle tells less than 6 A."""
    bench.reach(AcPhase.CHARGING)
    asked = bench.ask_limit(float(variant.removesuffix("A")))

    ended = bench.expect_change("end of the PWM", "cp_frequency", 0.0, 0.0, after=asked)
    if ended is not None:
        bench.expect_at_no_instant(
            "cp_frequency", "pilot's frequency afterwards", high=0.0, after=ended, until=ended + s(10)
        )
        bench.expect_change("the output's end", "output_voltage", 0.0, quantity("supply-threshold").most, after=ended)


@requirement("ACCHARGER/AC.01")
def test_AC_01(bench: AcBench, variant: str) -> None:
    """TP: the duty cycle tells the limit that was asked for, by the formula of its range."""
    current = float(variant.removesuffix("A"))
    bench.assume(current <= bench.rated_current, f"the charger may offer {bench.rated_current:g} A only")
    bench.ask_limit(current)
    bench.expect_offer()
    bench.check_duty("duty cycle", current, at=bench.now, strictly=True)


@requirement("ACCHARGER/AC.02")
def test_AC_02(bench: AcBench, variant: str) -> None:
    """TP: a limit asked for above another limit changes nothing of what is told."""
    bench.prepare("pp", CABLE_63A)
    most = bench.rated_current
    if variant == "above-cable":
        bench.prepare("pp", CABLE_13A)
        most = 13.0
    if variant == "at-once":
        bench.ask_limit(10.0)
    reached = bench.reach(AcPhase.CHARGING)
    if variant == "at-once":
        bench.ask_limit(63.0)
        most = bench.rated_current
    else:
        bench.ask_limit(63.0)
    bench.let(s(10))

    bench.check_no_more_than("highest duty cycle", most, after=reached, until=bench.now)


@requirement("ACCHARGER/AC.03")
def test_AC_03(bench: AcBench) -> None:
    """TP: whatever limits are asked for, no duty cycle stands that allows nothing or asks for digital communication."""
    reached = bench.reach(AcPhase.CHARGING)
    for current in SWEEP:
        bench.ask_limit(current)
        bench.let(s(8))

    low, high = ALLOWED
    odd = [value for value in bench.duties(reached, bench.now) if not low <= value <= high and value != 100.0]
    told = ", ".join(f"{value:g} %" for value in odd) or "none"
    bench.check("duty cycles outside 8 to 97 %", told, equals="none", at=bench.now)


@requirement("ACCHARGER/AC.04")
def test_AC_04(bench: AcBench, variant: str) -> None:
    """TP: after a pause the charge goes on: PWM on, and the output in time."""
    bench.reach(AcPhase.CHARGING)
    if variant == "vehicle-waits":
        bench.vehicle.stubborn()
    asked = bench.ask_limit(0.0)
    bench.expect_change("end of the PWM", "cp_frequency", 0.0, 0.0, after=asked)
    bench.let(s(10))
    resumed = bench.ask_limit(16.0)
    pwm = bench.expect_change("PWM again", "cp_frequency", 1.0, 1e9, after=resumed)
    if pwm is None:
        return

    ready = pwm if variant == "vehicle-waits" else bench.edge("cp_high", high=7.0, after=pwm)
    bench.expect_on("output on", after=ready, within=limit("ac-supply-on"))


@requirement("ACCHARGER/AC.05")
def test_AC_05(bench: AcBench, variant: str) -> None:
    """TP: a limit that nobody repeats gives way to the safe current when its validity is over, not before."""
    bench.ask_limit(20.0)
    bench.reach(AcPhase.CHARGING)
    before = current_of(bench.signal("cp_duty"))
    silent = bench.fall_silent()
    if variant == "early":
        bench.until(silent + bench.validity - COUNT)
        bench.check_duty("duty cycle within the validity", before, at=bench.now)
        return

    bench.expect_fallback("safe current after", bench.safe_current, after=silent, validity=bench.validity)
    if variant == "return":
        bench.let(s(5))
        again = bench.fall_silent(False)
        low, high = apart_from(before)
        if bench.expect_change("former limit again", "cp_duty", low, high, after=again) is not None:
            bench.let(s(5))
            bench.check_duty("duty cycle of the former limit", before, at=bench.now)


@requirement("ACCHARGER/AC.06")
def test_AC_06(bench: AcBench, variant: str) -> None:
    """TP: with a contactor that is stuck closed no charge is offered any more."""
    if variant == "welded-idle":
        bench.see_an_offer()
        welded = bench.stimulate("contactor_welded", 1)
        bench.let(SEEN)
        bench.plug_in()
        bench.start()
    else:
        bench.reach(AcPhase.CHARGING)
        welded = bench.stimulate("contactor_welded", 1)
        bench.vehicle.want(False)
        bench.let(SEEN)
    start = max(welded, bench.now)
    bench.vehicle.want(True)
    bench.let(s(20))

    bench.expect_at_no_instant("cp_frequency", "pilot's frequency", high=0.0, after=start, until=bench.now)


@requirement("ACCHARGER/AC.07")
def test_AC_07(bench: AcBench, variant: str) -> None:
    """TP: the plug is locked at the latest when the output comes on, and unlocked only after it is off."""
    on = bench.reach(AcPhase.CHARGING)
    if variant == "locked":
        bench.check("plug locked when the output comes on", bench.signal("lock_engaged", on), equals=1.0, at=on)
        return
    unplugged = bench.unplug()
    off = bench.expect_change("the output's end", "output_voltage", 0.0, 50.0, after=unplugged)
    bench.let(s(10))

    opened = [t for t, value in bench.changes("lock_engaged", unplugged) if not value]
    bench.check("plug unlocked", bool(opened), equals=True, at=bench.now)
    bench.check("unlocked after the output", bool(opened) and off is not None and opened[0] >= off, equals=True)
