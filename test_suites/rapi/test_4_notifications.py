"""What a console tells by itself (sheet serial, 1.6)."""

from __future__ import annotations

from hil.cases import AcPhase, RapiBench, requirement, s

CONNECTED, CHARGING = 0x02, 0x03
STATE = ("AT", "ST")
"""Very old firmware tells of a state by ``$ST``."""
PATIENCE, BOOT = s(5), s(20)
FIRST, LIMITS = 10, (16, 12)
BEAT = 5
LOCKED = 0x0008
STOPS = {"disabled": ("FD", 0xFF), "asleep": ("FS", 0xFE)}


@requirement("RAPI/AT.01")
def test_AT_01(bench: RapiBench) -> None:
    """TP: the console tells of state B and of state C when they are reached."""
    bench.ask("GV")
    start = bench.now
    reached = bench.reach(AcPhase.CHARGING)
    for name, state in (("B", CONNECTED), ("C", CHARGING)):
        within = reached - start + PATIENCE  # one that switches its relay may tell of it seconds later
        bench.expect_notified(f"state {name}", *STATE, after=start, within=within, state=state)


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
    """TP: a notification that a command causes comes before or behind the command's reply, never inside it."""
    bench.ask("SC", FIRST)
    for amps in LIMITS:
        answer = bench.expect(f"reply for {amps} A", f"OK {amps}", "SC", amps)
        bench.let(PATIENCE)
        told = bench.notified("AT", after=answer.asked, capacity=amps)
        bench.assume(told is not None, "the console does not tell of a capacity")


@requirement("RAPI/AT.04")
def test_AT_04(bench: RapiBench) -> None:
    """TP: a console that restarts says so."""
    bench.ask("GV")
    start = bench.now
    bench.ask("FR")
    bench.expect_notified("boot", "AB", after=start, within=BOOT)


@requirement("RAPI/AT.05")
def test_AT_05(bench: RapiBench, variant: str) -> None:
    """TP: the console tells when it is disabled and when it is asleep."""
    command, state = STOPS[variant]
    bench.ask("GV")
    bench.plug_in()
    bench.let(PATIENCE)
    asked = bench.expect(variant, "OK", command).asked
    bench.expect_notified(f"state {state:02x}", *STATE, after=asked, within=PATIENCE, state=state)
    bench.expect("enable", "OK", "FE")


@requirement("RAPI/AT.06")
def test_AT_06(bench: RapiBench) -> None:
    """TP: the console tells of the authorisation lock."""
    bench.ask("GV")
    bench.plug_in()
    bench.let(PATIENCE)
    bench.assume(bench.notified("ST") is None, "this firmware tells of states alone")
    bench.unplug()
    bench.let(PATIENCE)
    asked = bench.expect("lock", "OK", "S4", 1).asked
    note = bench.notified_flag(LOCKED, after=asked, within=PATIENCE)
    bench.check("lock told", note is not None, equals=True, at=bench.now)
    bench.expect("unlock", "OK", "S4", 0)


@requirement("RAPI/AT.07")
def test_AT_07(bench: RapiBench) -> None:
    """TP: the console tells of the capacity that a missed heartbeat leaves."""
    bench.ask("SC", LIMITS[0])
    bench.plug_in()
    bench.let(PATIENCE)
    bench.assume(bench.notified("ST") is None, "this firmware tells of states alone")
    asked = bench.ask("SY", BEAT, FIRST).asked
    bench.expect_notified(f"capacity {FIRST} A", "AT", after=asked, within=s(BEAT) + PATIENCE, capacity=FIRST)
    bench.ask("SY", 0, FIRST)


@requirement("RAPI/AT.08")
def test_AT_08(bench: RapiBench) -> None:
    """TP: with the button switched off, the console tells of a press instead of obeying it."""
    bench.assume(bench.ask("FF", "B", 0).bare == "OK", "this build cannot switch the button off")
    state = bench.get("GS").number("state")
    asked = bench.ask("F1").asked
    bench.expect_notified("short press", "AN", after=asked, within=PATIENCE, press=0)
    bench.check("state kept", bench.get("GS").number("state"), equals=state, at=bench.now)
    bench.expect("button on", "OK", "FF", "B", 1)
