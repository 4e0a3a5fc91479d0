"""What a console tells, and whether it is so at the charging point (sheet serial, 1.3 and 1.7)."""

from __future__ import annotations

from hil.cases import AcPhase, RapiBench, requirement, s

NOT_CONNECTED, CONNECTED, CHARGING = 0x01, 0x02, 0x03
RELAY_CLOSED, VEHICLE = 0x0040, 0x0100
LOWER_HEX = ("GS", "GE", "GF")
CHARGED = s(60)
ABSENT = -1
MEASURED = {
    "session": ("GU", "session", "meter_energy", 1 / 3_600_000),
    "lifetime": ("GU", "lifetime", "meter_energy", 1 / 1000),
    "current": ("GG", "current", "line_current", 1 / 1000),
    "voltage": ("GG", "voltage", "mains_voltage", 1 / 1000),
}
"""Command, field, signal, and what a step of the field is in the signal's unit."""


@requirement("RAPI/GT.01")
def test_GT_01(bench: RapiBench, variant: str) -> None:
    """TP: a query is answered by the fields that it has, hexadecimal ones in lower case; one that is not there is not
    judged."""
    answer = bench.ask(variant)
    bench.assume(answer.bare != "NK", f"{variant} is answered NK: the console does not have it, or does not tell it")
    note = "; ".join(answer.wrong) or answer.text
    bench.check("fields", answer.ok and not answer.wrong, equals=True, at=answer.at, note=note)
    if variant in LOWER_HEX:
        fields = answer.bare.removeprefix("OK ")
        bench.check("lower case", fields, equals=fields.lower(), at=answer.at)


@requirement("RAPI/AG.01")
def test_AG_01(bench: RapiBench) -> None:
    """TP: state, pilot and flags are those of the charging point in A, B and C."""
    unplugged = ("A", NOT_CONNECTED, 0)
    _expect_state(bench, *unplugged, connected=0)
    bench.reach(AcPhase.OFFERED)
    _expect_state(bench, "B", CONNECTED, VEHICLE, connected=1)
    bench.vehicle.want(True)
    bench.come("output_voltage", low=100.0)
    bench.let(s(2))
    _expect_state(bench, "C", CHARGING, VEHICLE | RELAY_CLOSED, connected=1)


def _expect_state(bench: RapiBench, name: str, state: int, flags: int, *, connected: int) -> None:
    answer = bench.get("GS")
    bench.check(f"{name}, state", answer.number("state"), equals=state, at=answer.at, note=answer.text)
    bench.check(f"{name}, pilot", answer.number("pilot"), equals=state, at=answer.at, note=answer.text)
    seen = answer.number("flags") & (VEHICLE | RELAY_CLOSED)
    bench.check(f"{name}, flags", f"{seen:04x}", equals=f"{flags:04x}", at=answer.at, note=answer.text)
    bench.expect(f"{name}, connected", f"OK {connected}", "G0")


@requirement("RAPI/AG.02")
def test_AG_02(bench: RapiBench) -> None:
    """TP: the limit that the console tells is the one that the duty cycle tells, and is within the others."""
    bench.reach(AcPhase.OFFERED)
    limits = bench.get("GC")
    least, most, told = (limits.number(each) for each in ("min", "hardware_max", "pilot"))
    bench.check("least current", least, equals=6, unit="A", at=limits.at)
    bench.check("limit", told, low=least, high=most, unit="A", at=limits.at)
    bench.check_duty("duty cycle", float(told), at=limits.at)
    bench.check("limit of GE", bench.get("GE").number("amps"), equals=told, unit="A", at=bench.now)


@requirement("RAPI/AG.03")
def test_AG_03(bench: RapiBench, variant: str) -> None:
    """TP: energy, current and voltage are those at the output."""
    command, field, signal, step = MEASURED[variant]
    before = bench.get(command)
    start = bench.signal(signal, before.at) if variant == "lifetime" else 0.0
    bench.reach(AcPhase.CHARGING)
    bench.let(CHARGED)
    answer = bench.get(command)
    bench.assume(answer.number(field) != ABSENT, "the console does not measure it")
    told = answer.number(field) - (before.number(field) if variant == "lifetime" else 0)
    bench.expect_told(variant, start + told * step, signal, after=answer.asked, until=answer.at, step=step)
