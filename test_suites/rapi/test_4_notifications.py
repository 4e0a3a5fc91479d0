"""What a console tells by itself (sheet serial, 1.6)."""

from __future__ import annotations

from collections.abc import Callable

from hil.cases import AcPhase, RapiBench, requirement, s
from hil.world.observation import Note

CONNECTED, CHARGING = 0x02, 0x03
STATE = ("notification AT", "notification ST")
"""Very old firmware tells of a state by ``$ST``."""
PATIENCE, BOOT = s(5), s(20)
FIRST, LIMITS = 10, (16, 12)


def _tells(field: str, value: int) -> Callable[[Note], bool]:
    """A notification of a change, with this value in a field."""
    return lambda note: note.what in STATE and note.details.get(field) == value


@requirement("RAPI/AT.01")
def test_AT_01(bench: RapiBench) -> None:
    """TP: the console tells of state B and of state C when they are reached."""
    bench.ask("GV")
    start = bench.now
    bench.reach(AcPhase.CHARGING)
    for name, state in (("B", CONNECTED), ("C", CHARGING)):
        bench.expect_notified(f"state {name}", _tells("state", state), after=start, within=PATIENCE)


@requirement("RAPI/AT.02")
def test_AT_02(bench: RapiBench) -> None:
    """TP: the console tells of another capacity."""
    bench.ask("GV")
    bench.plug_in()
    bench.let(PATIENCE)
    old = bench.notified(0, lambda note: note.what == "notification ST") is not None
    bench.assume(not old, "this firmware tells of states alone")
    bench.ask("SC", FIRST)
    for amps in LIMITS:
        asked = bench.ask("SC", amps).asked
        bench.expect_notified(f"capacity {amps} A", _tells("capacity", amps), after=asked, within=PATIENCE)


@requirement("RAPI/AT.03")
def test_AT_03(bench: RapiBench) -> None:
    """TP: a notification that a command causes comes after the command's reply."""
    bench.ask("SC", FIRST)
    for amps in LIMITS:
        answer = bench.ask("SC", amps)
        bench.let(PATIENCE)
        told = bench.notified(answer.asked, _tells("capacity", amps))
        bench.assume(told is not None, "the console does not tell of a capacity")
        bench.check("notification after the reply", told is not None and told.t >= answer.at, equals=True, at=bench.now)


@requirement("RAPI/AT.04")
def test_AT_04(bench: RapiBench) -> None:
    """TP: a console that restarts says so."""
    bench.ask("GV")
    start = bench.now
    bench.ask("FR")
    bench.expect_notified("boot", lambda note: note.what == "notification AB", after=start, within=BOOT)
