"""What a console tells by itself (sheet serial, 1.6)."""

from __future__ import annotations

from hil.cases import AcPhase, RapiBench, requirement, s

CONNECTED, CHARGING = 0x02, 0x03
STATE = ("AT", "ST")
"""Very old firmware tells of a state by ``$ST``."""
PATIENCE, BOOT = s(5), s(20)
FIRST, LIMITS = 10, (16, 12)


@requirement("RAPI/AT.01")
def test_AT_01(bench: RapiBench) -> None:
    """TP: the console tells of state B and of state C when they are reached."""
    bench.ask("GV")
    start = bench.now
    bench.reach(AcPhase.CHARGING)
    for name, state in (("B", CONNECTED), ("C", CHARGING)):
        bench.expect_notified(f"state {name}", *STATE, after=start, within=PATIENCE, state=state)


@requirement("RAPI/AT.02")
def test_AT_02(bench: RapiBench) -> None:
    """TP: the console tells of another capacity."""
    bench.ask("GV")
    bench.plug_in()
    bench.let(PATIENCE)
    old = bench.notified("ST") is not None
    bench.assume(not old, "this firmware tells of states alone")
    bench.ask("SC", FIRST)
    for amps in LIMITS:
        asked = bench.ask("SC", amps).asked
        bench.expect_notified(f"capacity {amps} A", "AT", after=asked, within=PATIENCE, capacity=amps)


@requirement("RAPI/AT.03")
def test_AT_03(bench: RapiBench) -> None:
    """TP: a notification that a command causes comes after the command's reply."""
    bench.ask("SC", FIRST)
    for amps in LIMITS:
        answer = bench.ask("SC", amps)
        bench.let(PATIENCE)
        told = bench.notified("AT", after=answer.asked, capacity=amps)
        bench.assume(told is not None, "the console does not tell of a capacity")
        bench.check("notification after the reply", told is not None and told.t >= answer.at, equals=True, at=bench.now)


@requirement("RAPI/AT.04")
def test_AT_04(bench: RapiBench) -> None:
    """TP: a console that restarts says so."""
    bench.ask("GV")
    start = bench.now
    bench.ask("FR")
    bench.expect_notified("boot", "AB", after=start, within=BOOT)
