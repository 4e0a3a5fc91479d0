"""Replaying load profiles on a bench, and judging what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Generic

from hil.bench.driver import Driver
from hil.bench.judge import Inconclusive
from hil.bench.measured_profiles import measured_signals
from hil.bench.phases import Phase
from hil.conformance.catalogue import limit
from hil.conformance.verdict import Measurement, Verdict, worst
from hil.profile.invariants import judge
from hil.profile.model import LoadProfile
from hil.profile.plan import initial_demand, rules
from hil.profile.reduce import P
from hil.profile.seen import Seen
from hil.protocol.gbt27930 import CEM, CRM
from hil.units import Span, s, show_instant
from hil.world.observation import FrameSeen

AFTERWARDS: Span = s(12)
"""Watched after the profile's end: CST, statistics and shutting down (sheet 4.3: T10, 4.4: 10 s)."""
_PLUGGED: Span = s(1)
"""From the plug's insertion to the authorisation of the session."""


@dataclass(frozen=True)
class ProfileOutcome(Generic[P]):
    """What came of one profile in one world."""

    profile: P
    measured: Mapping[str, list[Measurement]]
    """By case of the requirement."""
    problem: str = ""
    """Why charging was not reached, or what the envelope of the rig held back."""

    def verdict(self, case: str) -> Verdict:
        """Of one requirement; *none* where the session gave nothing to judge."""
        return worst(measurement.verdict for measurement in self.measured.get(case, ()))

    def failing(self, case: str) -> Measurement | None:
        """The first measurement that fails a case."""
        return next((each for each in self.measured.get(case, ()) if each.verdict is Verdict.FAIL), None)


Outcome = ProfileOutcome[LoadProfile]
"""What came of one load profile in one world."""


def replay(bench: Driver, profile: LoadProfile) -> None:
    """Carry a profile out on a bench that has not started a session, and watch up to its end.

    Everything is declared before the session starts. Raises :class:`Inconclusive` when charging is not
    reached, unless the profile itself disturbs the way there.
    """
    if begin(bench, profile):
        bench.until(bench.now + profile.span + AFTERWARDS)
        _await_reconnection(bench)
    elif not profile.before:
        raise Inconclusive(f"charging was not reached by {show_instant(bench.now)}")


def begin(bench: Driver, profile: LoadProfile) -> bool:
    """Declare all that a profile has and start the session; whether charging is reached."""
    bench.do(initial_demand(profile))
    for rule in rules(profile):
        bench.on(rule.trigger, *rule.actions, delay=rule.delay, name=rule.name, needed=not profile.before)
    bench.plug_in()
    bench.let(_PLUGGED)
    bench.start()
    return bench.wait(Phase.CHARGING.trigger, Phase.CHARGING.limit)


def _await_reconnection(bench: Driver) -> None:
    """After an error report, watch as long as a vehicle waits for CRM (sheet 4.3, T21)."""
    for each in reversed(bench.record.observations):
        if type(each) is FrameSeen and each.id in (CEM.can_id, CRM.can_id):
            if each.id == CEM.can_id:
                bench.until(each.t + limit("reconnect").high + s(1))
            return


def judged(bench: Driver, cases: tuple[str, ...] = ()) -> dict[str, list[Measurement]]:
    """What a bench has seen, and its instruments have told, judged by these cases, or by all."""
    seen = Seen(bench.messages)
    seen.add(bench.record.observations)
    for name, signal in measured_signals(bench):
        seen.measure(name, signal)
    unsure = partial(bench.judge.unsure, signal=True)
    return judge(seen, bench.readings, bench.judge.stamps, cases, unsure)
