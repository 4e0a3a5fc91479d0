"""Control pilot of AC chargers: faults (sheet iec61851_control_pilot.md, sections 8, 4 and 5)."""

from __future__ import annotations

from hil.cases import AcBench, AcPhase, limit, quantity, requirement, s, seconds

R2, R3 = 1300.0, 2740.0
TOLERANCE = 0.03
ACCEPTED = {
    "both-low": (R2 * (1 - TOLERANCE), R3 * (1 - TOLERANCE)),
    "both-high": (R2 * (1 + TOLERANCE), R3 * (1 + TOLERANCE)),
    "r3-1870": (R2, 1870.0),
    "r3-4610": (R2, 4610.0),
    "r2-909": (909.0, R3),
    "r2-1723": (1723.0, R3),
}
"""R2 and R3 in ohm (sheet 1)."""
REFUSED = {"r3-200": (R2, 200.0), "r2-200": (200.0, R3), "r2-4000": (4000.0, R3)}
VENTILATION = 270.0
"""ohm behind S2: state D."""
OPEN = 1e9
RESIDUAL = {
    "dc-3": ("leak_dc", 3.0, ""),
    "dc-6": ("leak_dc", 6.0, "ac-dc-6"),
    "dc-60": ("leak_dc", 60.0, "ac-dc-60"),
    "dc-200": ("leak_dc", 200.0, "ac-dc-200"),
    "ac-30": ("leak_ac", 30.0, "ac-residual-30"),
    "ac-60": ("leak_ac", 60.0, "ac-residual-60"),
    "ac-150": ("leak_ac", 150.0, "ac-residual-150"),
}
"""Stimulus, mA, limit (sheet 5)."""
OVER = {"margin": 2.0, "factor": 1.1}
OUTAGE = {"short": s(1), "long": s(30)}


@requirement("IEC61851-1/CP.14")
def test_CP_14(bench: AcBench) -> None:
    """TP: when the pilot is shorted to earth while charging, the output is off in time and stays off."""
    bench.reach(AcPhase.CHARGING)
    shorted = bench.stimulate("cp_shorted", 1)

    opened = bench.expect_off("output off after the short", after=shorted, within=limit("ac-pilot-fault"))
    if opened is not None:
        bench.expect_dead("output afterwards", after=opened, until=opened + s(10))


@requirement("IEC61851-1/CP.15")
def test_CP_15(bench: AcBench) -> None:
    """TP: when the pilot opens while charging, the output is off in time."""
    bench.reach(AcPhase.CHARGING)
    broken = bench.stimulate("cp_open", 1)

    opened = bench.expect_off("output off after the break", after=broken, within=limit("ac-earth"))
    if opened is not None:
        bench.expect_dead("output afterwards", after=opened, until=opened + s(10))


@requirement("IEC61851-1/CP.16")
def test_CP_16(bench: AcBench) -> None:
    """TP: when the vehicle's diode is shorted while charging, the output is off in time."""
    bench.reach(AcPhase.CHARGING)
    shorted = bench.stimulate("diode_shorted", 1)

    bench.expect_off("output off after the diode's short", after=shorted, within=limit("ac-fault"))


@requirement("IEC61851-1/CP.17")
def test_CP_17(bench: AcBench) -> None:
    """TP: a vehicle whose diode is shorted before it closes S2 never gets the output."""
    bench.reach(AcPhase.OFFERED)
    shorted = bench.stimulate("diode_shorted", 1)
    bench.let(s(1))
    bench.vehicle.s2(closed=True)
    bench.let(s(20))

    bench.expect_dead("output", after=shorted, until=bench.now)


@requirement("IEC61851-1/CP.19")
def test_CP_19(bench: AcBench) -> None:
    """TP: when the protective earth is interrupted while charging, the output is off in time."""
    bench.reach(AcPhase.CHARGING)
    broken = bench.stimulate("pe_broken", 1)

    opened = bench.expect_off("output off after the break", after=broken, within=limit("ac-earth"))
    if opened is not None:
        bench.expect_dead("output afterwards", after=opened, until=opened + s(10))


@requirement("IEC61851-1/CP.20")
def test_CP_20(bench: AcBench, variant: str) -> None:
    """TP: a vehicle that wants ventilation gets the output only where there is some."""
    if variant == "while-charging":
        bench.reach(AcPhase.CHARGING)
        asked = bench.stimulate("r2", VENTILATION)
        opened = bench.expect_off("output off after the request", after=asked, within=limit("ac-supply-off"))
        if opened is not None:
            bench.expect_dead("output afterwards", after=opened, until=opened + s(10))
        return
    bench.prepare("r2", VENTILATION)
    offered = bench.reach(AcPhase.OFFERED)
    closed = bench.vehicle.s2(closed=True)
    if variant == "at-start":
        bench.let(s(20))
        bench.expect_dead("output", after=offered, until=bench.now)
    else:
        bench.expect_on("output on after S2", after=closed, within=limit("ac-supply-on"))
        bench.check("ventilation on", bench.signal("ventilation_on"), equals=1.0, at=bench.now)


@requirement("IEC61851-1/CP.21")
def test_CP_21(bench: AcBench, variant: str) -> None:
    """TP: a vehicle whose resistors are at the limits of what must be accepted is charged as any other."""
    r2, r3 = ACCEPTED[variant]
    bench.prepare("r2", r2)
    bench.prepare("r3", r3)
    bench.expect_offer()
    closed = bench.vehicle.s2(closed=True)

    bench.expect_on("output on after S2", after=closed, within=limit("ac-supply-on"))
    opened = bench.vehicle.s2(closed=False)
    bench.expect_off("output off after S2", after=opened, within=limit("ac-supply-off"))


@requirement("IEC61851-1/CP.22")
def test_CP_22(bench: AcBench, variant: str) -> None:
    """TP: a vehicle whose resistors show no state of charging does not get the output."""
    r2, r3 = REFUSED[variant]
    bench.see_an_offer()
    bench.prepare("r2", r2)
    bench.prepare("r3", r3)
    plugged = bench.plug_in()
    bench.start()
    bench.let(s(5))
    bench.vehicle.s2(closed=True)
    bench.let(s(20))

    bench.expect_dead("output", after=plugged, until=bench.now)


@requirement("IEC61851-1/CP.23")
def test_CP_23(bench: AcBench) -> None:
    """TP: a vehicle that draws more than the limit by a tenth and 2 A is stopped in time by GB/T."""
    bench.ask_limit(16.0)
    bench.reach(AcPhase.CHARGING)
    begun = bench.vehicle.draw(16.0 * OVER["factor"] + OVER["margin"])

    if bench.reading("pilot-standard") == "gbt18487":
        bench.expect_off("output off after the overcurrent", after=begun, within=limit("ac-overcurrent"))
        return
    most = quantity("supply-threshold").most
    opened = bench.time_in_range("output_voltage", 0.0, most, begun, begun + s(30))
    bench.report("output off after the overcurrent", None if opened is None else seconds(opened - begun), "s")
    bench.check("overcurrent drawn", bench.extremes("line_current", begun, begun + s(1))[1], low=16.0, unit="A")


@requirement("IEC61851-1/CP.24")
def test_CP_24(bench: AcBench, variant: str) -> None:
    """TP: without a cable that is coded there is neither PWM nor output."""
    bench.see_an_offer()
    bench.prepare("pp", OPEN if variant == "open" else 50.0)
    plugged = bench.plug_in()
    bench.start()
    bench.let(s(5))
    bench.vehicle.s2(closed=True)
    bench.let(s(20))

    bench.expect_at_no_instant("cp_frequency", "pilot's frequency", high=0.0, after=plugged, until=bench.now)
    bench.expect_dead("output", after=plugged, until=bench.now)


@requirement("IEC61851-1/CP.25")
def test_CP_25(bench: AcBench, variant: str) -> None:
    """TP: the duty cycle tells no more than the cable's ampacity, over the whole range of its resistor."""
    ampere, _, ohm = variant.partition("A-")
    bench.prepare("pp", float(ohm))
    reached = bench.reach(AcPhase.OFFERED)

    bench.check_no_more_than("duty cycle by the cable", float(ampere), after=reached, until=bench.now)


@requirement("IEC61851-1/CP.26")
def test_CP_26(bench: AcBench) -> None:
    """TP: when the proximity is interrupted while charging, the output is off in time."""
    bench.reach(AcPhase.CHARGING)
    broken = bench.stimulate("pp", OPEN)

    bench.expect_off("output off after the break", after=broken, within=limit("ac-pilot-fault"))


@requirement("IEC61851-1/CP.27")
def test_CP_27(bench: AcBench, variant: str) -> None:
    """TP: a residual current trips in time, and one below the threshold does not."""
    stimulus, milliampere, name = RESIDUAL[variant]
    bench.reach(AcPhase.CHARGING)
    leaking = bench.stimulate(stimulus, milliampere)

    if not name:
        most = quantity("supply-threshold").most
        bench.expect_at_no_instant("output_voltage", "output", low=most, after=leaking, until=leaking + s(20))
        return
    opened = bench.expect_off("output off after the residual current", after=leaking, within=limit(name))
    if opened is not None:
        bench.expect_dead("output afterwards", after=opened, until=opened + s(10))


@requirement("IEC61851-1/CP.30")
def test_CP_30(bench: AcBench, variant: str) -> None:
    """TP: after a loss of mains the output comes on again only after the vehicle has shown state B with PWM."""
    bench.reach(AcPhase.CHARGING)
    bench.vehicle.stubborn()
    bench.stimulate("mains", 0)
    bench.let(OUTAGE[variant])
    restored = bench.stimulate("mains", 1)
    bench.let(s(20))
    bench.expect_dead("output while the vehicle stays in C", after=restored, until=bench.now)

    released = bench.vehicle.stubborn(False)
    pwm = bench.expect_change("PWM again", "cp_frequency", 1.0, 1e9, after=released)
    if pwm is not None:
        closed = bench.edge("cp_high", high=7.0, after=pwm)
        bench.expect_on("output on after S2", after=closed, within=limit("ac-supply-on"))


@requirement("IEC61851-1/CP.31")
def test_CP_31(bench: AcBench, variant: str) -> None:
    """TP: levels and frequency of the pilot lie within their limits."""
    bench.reach(AcPhase.OFFERED if variant == "B2" else AcPhase.CHARGING)

    level = ("pilot-b", "pilot-b-gbt") if variant == "B2" else ("pilot-c", "pilot-c-gbt")
    bench.check_quantity("positive half", bench.signal("cp_high"), bench.by_standard(*level), at=bench.now)
    bench.check_quantity("negative half", bench.signal("cp_low"), quantity("pilot-negative"), at=bench.now)
    frequency = bench.by_standard("pilot-frequency", "pilot-frequency-gbt")
    bench.check_quantity("frequency", bench.signal("cp_frequency"), frequency, at=bench.now)
