"""What a console switches, keeps and does by itself (sheet serial, 1.3 and 1.7)."""

from __future__ import annotations

from hil.cases import AcPhase, RapiBench, limit, minutes, quantity, requirement, s

ACKNOWLEDGED = {
    "F0": (1,),
    "FB": (2,),
    "FP": (0, 0, "hil"),
    "S0": (0,),
    "S2": (0,),
    "F1": (),
    "SB": (),
}
"""Commands whose effect nothing on the line shows, with parameters that do no harm."""
FEATURES = {"B": 0x8000, "D": 0x0002, "F": 0x0200, "G": 0x0008, "R": 0x0010, "T": 0x0400, "V": 0x0004}
"""Letter, and the flag of GE that tells that the feature is off."""
LEVEL_2, AUTO_OFF = 0x0001, 0x0020
LEVEL_1_MOST = 24
SLEEPING, CHARGING = 0xFE, 0x03
AT_LIMIT = {"time": 0x0014, "energy": 0x2004}
"""Flags: sleeping because of a limit, and which."""
QUARTER = minutes(15)
ONE_KWH, OVER = 1.0, 0.1
BEFORE, INSIDE = (26, 6, 5, 9, 50, 0), (26, 6, 5, 10, 0, 30)
WINDOW = (10, 0, 11, 0)
NONE = (0, 0, 0, 0)
SWITCHED = s(10)
"""A console that is deaf while it switches hears again by then."""


@requirement("RAPI/ST.01")
def test_ST_01(bench: RapiBench, variant: str) -> None:
    """TP: a command that shows nowhere is acknowledged, or refused by a build that lacks it."""
    answer = bench.ask(variant, *ACKNOWLEDGED[variant])
    bench.assume(answer.bare != "NK", f"this build lacks {variant}")
    bench.check(variant, answer.ok and not answer.wrong, equals=True, at=answer.at, note=answer.text)
    bench.ask("FE")


@requirement("RAPI/ST.02")
def test_ST_02(bench: RapiBench, variant: str) -> None:
    """TP: a feature that is switched off is told as off, and one that is switched on as on."""
    flag, before = FEATURES[variant], bench.get("GE").number("flags")
    was_on = not before & flag
    for on in (not was_on, was_on):
        answer = bench.ask("FF", variant, int(on))
        bench.assume(answer.bare != "NK", f"this build lacks feature {variant}")
        told = bench.get("GE")
        bench.check(f"{variant} {int(on)}", not told.number("flags") & flag, equals=on, at=told.at, note=told.text)


@requirement("RAPI/ST.03")
def test_ST_03(bench: RapiBench) -> None:
    """TP: the service level is told as it was set, level 1 allows 24 A at most, other letters are refused."""
    before = bench.get("GE").number("flags")
    bench.expect("level 1", "OK", "SL", 1)
    _expect_flags(bench, "level 1", AUTO_OFF)
    limits = bench.get("GC")
    bench.check("most of level 1", limits.number("hardware_max"), high=LEVEL_1_MOST, unit="A", at=limits.at)
    bench.expect("level 2", "OK", "SL", 2)
    _expect_flags(bench, "level 2", AUTO_OFF | LEVEL_2)
    bench.expect("another letter", "NK", "SL", "X")
    _expect_flags(bench, "level kept", AUTO_OFF | LEVEL_2)
    bench.ask("SL", 2 if before & LEVEL_2 else 1)
    if not before & AUTO_OFF:
        bench.expect("automatic", "OK", "SL", "A")


def _expect_flags(bench: RapiBench, label: str, due: int) -> None:
    told = bench.get("GE")
    seen = told.number("flags") & (LEVEL_2 | AUTO_OFF)
    bench.check(label, f"{seen:04x}", equals=f"{due:04x}", at=told.at, note=told.text)


@requirement("RAPI/ST.04")
def test_ST_04(bench: RapiBench, variant: str) -> None:
    """TP: a limit of time or energy that is reached ends the charge, and the console sleeps because of it."""
    dead = quantity("supply-threshold").most
    bench.reach(AcPhase.CHARGING)
    start = bench.expect("limit", "OK", "S3" if variant == "time" else "SH", 1).at
    energy = bench.signal("meter_energy", start)
    if variant == "time":
        ends = limit("rapi-session")
        bench.until(start + ends.low)
        bench.check("charges before", bench.signal("output_voltage"), low=dead, unit="V", at=bench.now)
        bench.until(start + ends.high)
    else:
        bench.come("output_voltage", high=dead, within=QUARTER)
        used = bench.signal("meter_energy") - energy
        bench.check("energy", round(used, 3), high=ONE_KWH + OVER, unit="kWh", at=bench.now)
    bench.check("output off", bench.signal("output_voltage"), high=dead, unit="V", at=bench.now)
    bench.expect_state("asleep", SLEEPING)
    told, due = bench.get("GS"), AT_LIMIT[variant]
    bench.check("flags", f"{told.number('flags') & due:04x}", equals=f"{due:04x}", at=told.at, note=told.text)
    bench.expect("enable", "OK", "FE")


@requirement("RAPI/ST.05")
def test_ST_05(bench: RapiBench) -> None:
    """TP: with the delay timer set, there is a charge inside its window and none outside."""
    dead = quantity("supply-threshold").most
    bench.reach(AcPhase.CHARGING)
    clock = bench.ask("GT")
    bench.assume(bench.ask("S1", *BEFORE).bare != "NK", "this build has no clock")
    bench.ask("ST", *WINDOW)
    bench.come("output_voltage", high=dead)
    bench.check("outside the window", bench.signal("output_voltage"), high=dead, unit="V", at=bench.now)
    bench.let(SWITCHED)
    bench.ask("S1", *INSIDE)
    bench.come("output_voltage", low=dead)
    bench.check("inside the window", bench.signal("output_voltage"), low=dead, unit="V", at=bench.now)
    bench.let(SWITCHED)
    bench.expect("cancelled", "OK", "ST", *NONE)
    if clock.ok:  # given back, late by what the case has taken
        bench.ask("S1", *clock.bare.split()[1:])


@requirement("RAPI/ST.06")
def test_ST_06(bench: RapiBench) -> None:
    """TP: a console that echoes repeats a command before its reply, until it is restarted."""
    bench.assume(bench.ask("FF", "E", 1).bare != "NK", "this build cannot echo")
    bench.let(s(1))
    bench.expect_echo("echo", on=True)
    bench.restart()
    bench.let(s(1))
    bench.expect_echo("echo after a restart", on=False)
