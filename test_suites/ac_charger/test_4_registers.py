"""Registers of AC chargers (sheet modbus_chargers.md): they tell what the pilot and the output are, and move them."""

from __future__ import annotations

from hil.cases import AcModbusBench, AcPhase, limit, quantity, requirement, s

LIMITS = (6.0, 16.0, 10.0, 25.0, 32.0)
USUAL, HIGH, ABOVE, BELOW = 16.0, 20.0, 63.0, 3.0
NEW_SAFE, NEW_VALIDITY = 8.0, 20.0
"""A and s that a client sets."""
ON = quantity("supply-threshold").most
RESIDUAL = 40.0
"""mA."""
TRIPPED = {"iec61851": ("E", "F"), "gbt18487": ("B1", "C1")}
"""What the pilot shows of a fault (sheet pilot, 1 and 7)."""


@requirement("ACMODBUS/MB.01")
def test_MB_01(bench: AcModbusBench) -> None:
    """TP: the registers of voltage, current, power and energy tell what the output has."""
    bench.ask_limit(HIGH)
    bench.reach(AcPhase.CHARGING)
    bench.expect_meter(f"at {HIGH:g} A", "voltage", "current", "power")
    bench.let(s(60))
    bench.expect_meter("after a minute", "energy")
    bench.ask_limit(6.0)
    bench.let(s(5))
    bench.expect_meter("at 6 A", "current", "power")
    bench.let(s(120))

    bench.expect_meter("in the end", "energy")


@requirement("ACMODBUS/MB.02")
def test_MB_02(bench: AcModbusBench) -> None:
    """TP: the state that the registers tell is the one that the pilot shows."""
    bench.expect_state("without a vehicle", "A")
    bench.ask_limit(USUAL)
    bench.reach(AcPhase.OFFERED)
    bench.expect_state("offered", "B2")
    bench.vehicle.want(True)
    bench.come("output_voltage", low=ON)  # until then the charger may tell that it is not charging yet
    bench.expect_state("charging", "C2")
    bench.pause()
    bench.expect_state("paused", "B1")
    bench.resume(USUAL)
    bench.come("output_voltage", low=ON)
    bench.expect_state("resumed", "C2")
    bench.stimulate("cp_shorted", 1)
    bench.expect_state("pilot shorted", "E")
    bench.stimulate("cp_shorted", 0)
    bench.let(s(10))
    bench.unplug()
    bench.let(s(5))

    bench.expect_state("unplugged", "A")


@requirement("ACMODBUS/MB.03")
def test_MB_03(bench: AcModbusBench) -> None:
    """TP: a limit that is written is told by the duty cycle, and by the register of the limit in force."""
    bench.ask_limit(LIMITS[0])
    bench.reach(AcPhase.CHARGING)
    for current in (each for each in LIMITS if each <= bench.rated_current):
        bench.ask_limit(current)
        bench.let(s(3))
        bench.expect_limit(f"{current:g} A", current)


@requirement("ACMODBUS/MB.04")
def test_MB_04(bench: AcModbusBench) -> None:
    """TP: a limit out of range is refused and changes nothing, or becomes the nearest that may be offered."""
    usual = min(USUAL, bench.rated_current)
    bench.ask_limit(usual)
    bench.reach(AcPhase.CHARGING)
    bench.fall_silent()
    bench.expect_taken_or_refused(f"{ABOVE:g} A", ABOVE, usual)
    bench.write(bench.told("set_current"), usual)
    bench.let(s(3))

    bench.expect_paused_or_refused(f"{BELOW:g} A", BELOW, usual)


@requirement("ACMODBUS/MB.05")
def test_MB_05(bench: AcModbusBench) -> None:
    """TP: a limit that is repeated stays; when nobody repeats it, the safe current takes its place in time."""
    high = min(HIGH, bench.rated_current)
    bench.ask_limit(high)
    bench.reach(AcPhase.CHARGING)
    bench.let(2 * bench.validity)
    bench.expect_limit("repeated", high)
    bench.fall_silent()
    last = bench.last_kept
    bench.ask_often(last + bench.validity - s(5))

    bench.expect_fallback("safe current after", bench.safe_current, after=last, validity=bench.validity)
    bench.let(s(5))
    bench.fall_silent(False)
    bench.let(s(5))
    bench.expect_limit("repeated again", high)


@requirement("ACMODBUS/MB.06")
def test_MB_06(bench: AcModbusBench) -> None:
    """TP: the charger falls back to the safe current, and after the validity, that a client has set."""
    bench.write(bench.told("set_safe_current"), NEW_SAFE)
    bench.write(bench.told("set_validity"), NEW_VALIDITY)
    bench.validity = s(NEW_VALIDITY)
    high = min(HIGH, bench.rated_current)
    bench.ask_limit(high)
    bench.reach(AcPhase.CHARGING)
    bench.let(s(3 * NEW_VALIDITY))
    bench.expect_limit("repeated", high)
    bench.fall_silent()

    bench.expect_fallback("safe current after", NEW_SAFE, after=bench.last_kept, validity=bench.validity)


@requirement("ACMODBUS/MB.07")
def test_MB_07(bench: AcModbusBench) -> None:
    """TP: a pause over Modbus ends PWM and output; when it is over, the output comes on in time."""
    bench.ask_limit(USUAL)
    bench.reach(AcPhase.CHARGING)
    paused = bench.pause()
    bench.expect_change("end of the PWM", "cp_frequency", 0.0, 0.0, after=paused)
    off = bench.expect_change("the output's end", "output_voltage", 0.0, 50.0, after=paused)
    bench.let(s(20))
    if off is not None:
        bench.expect_dead("output in the pause", after=off, until=bench.now)
    resumed = bench.resume(USUAL)
    pwm = bench.expect_change("PWM again", "cp_frequency", 1.0, 1e9, after=resumed)
    if pwm is not None:
        ready = bench.edge("cp_high", high=7.0, after=pwm)
        bench.expect_on("output on", after=ready, within=limit("ac-supply-on"))


@requirement("ACMODBUS/MB.08")
def test_MB_08(bench: AcModbusBench) -> None:
    """TP: a trip by a residual current is told by state and alarms, and gone when its cause and the vehicle are."""
    bench.ask_limit(USUAL)
    bench.reach(AcPhase.CHARGING)
    bench.expect_no_alarm("no alarm before")
    bench.stimulate("leak_ac", RESIDUAL)
    bench.expect_state("tripped", *TRIPPED[bench.reading("pilot-standard")])
    bench.expect_alarm("alarm", "residual")
    bench.stimulate("leak_ac", 0.0)
    bench.let(s(10))
    bench.unplug()
    bench.let(s(10))

    bench.expect_no_alarm("no alarm afterwards")
    bench.expect_state("unplugged", "A")
