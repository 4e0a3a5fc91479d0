"""Replaying AC profiles on a bench over whatever interface it has, and judging what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from hil.bench.ac import AcBench
from hil.bench.ac_modbus import CLIENT, AcModbusBench
from hil.bench.core import Sink, ignore
from hil.bench.guard import spoilt_by
from hil.bench.judge import Inconclusive, Judge
from hil.bench.measured_profiles import measured_signals
from hil.bench.opening import kind_of
from hil.bench.profiles import ProfileOutcome
from hil.bench.rapi import CLIENT as CONSOLE
from hil.bench.rapi import RapiBench
from hil.bench.setup import Setup
from hil.conformance.catalogue import requirements
from hil.conformance.checks import ease
from hil.conformance.verdict import Measurement, Verdict
from hil.errors import UsageError, WorldError
from hil.profile.ac.generate import THEMES, generated
from hil.profile.ac.invariants import INVARIANTS, PREFIX, Context, judged
from hil.profile.ac.model import AcProfile
from hil.profile.ac.plan import AFTERWARDS, BEFORE, Interface, rules
from hil.profile.ac.reduce import reduced
from hil.profile.ac.seen import AcSeen
from hil.profile.model import Found
from hil.units import Span, ms, s
from hil.world.pipe import World
from hil.world.plan import Action, Stimulate, Tell

KINDS = {"signals": "ac", "registers": "ac_modbus", "console": "rapi"}
"""The kind of bench by the interface that limits are asked for over."""
_METER: Span = s(5)
_COUNT = 10
"""Profiles of a theme."""
Build = Callable[[Setup], World]


class _Signals:
    """The plant's own request for a limit, as by an energy management that is wired."""

    def ask(self, current: float) -> tuple[Action, ...]:
        return Stimulate("limit_set", current), Stimulate("limit_silent", 0)

    def hush(self) -> tuple[Action, ...]:
        return (Stimulate("limit_silent", 1),)


class _Registers:
    """Writes that are repeated; a map that allows no 0 A pauses by its release."""

    def __init__(self, bench: AcModbusBench) -> None:
        self._name, self._every = bench.told("set_current"), bench.repeat
        self._register = bench.map[self._name]
        self._release = bench.roles.release
        self._allows_pause = bench.pauses_by_limit

    def ask(self, current: float) -> tuple[Action, ...]:
        low, high = self._register.low, self._register.high
        pauses = current < (low or 0.0)
        value = 0.0 if pauses else min(current, high if high is not None else current)
        keep = Tell(CLIENT, "keep", {"name": self._name, "value": value, "every": self._every})
        release = () if not self._release else (self._written(0 if pauses else 1),)
        if pauses and not self._allows_pause:
            return self.hush() + release
        return (*release, keep)

    def hush(self) -> tuple[Action, ...]:
        return (Tell(CLIENT, "release", {"name": self._name}),)

    def _written(self, value: int) -> Action:
        return Tell(CLIENT, "write", {"ticket": 0, "name": self._release, "value": value})


class _Console:
    """RAPI's current limit, in whole A; it counts until the next one, and less than 6 A puts to sleep."""

    _LEAST = 6

    def ask(self, current: float) -> tuple[Action, ...]:
        if current < self._LEAST:
            return (self._command("FS"),)
        return self._command("FE"), self._command("SC", str(int(current)), "V")

    def hush(self) -> tuple[Action, ...]:
        return ()

    def _command(self, name: str, *parameters: str) -> Action:
        return Tell(CONSOLE, "request", {"name": name, "parameters": list(parameters)})


def interface_of(bench: AcBench) -> Interface:
    """How limits are asked for on a bench."""
    if isinstance(bench, AcModbusBench):
        return _Registers(bench)
    return _Console() if isinstance(bench, RapiBench) else _Signals()


def replay(bench: AcBench, profile: AcProfile) -> None:
    """Carry a profile out on a bench that has not started a session, and watch up to its end.

    :class:`UsageError` for a bench with another interface than the profile's.
    """
    if type(bench) is not _bench_of(profile.interface):
        raise UsageError(f"{profile.name} asks for limits over {profile.interface}, which this bench has not")
    if isinstance(bench, AcModbusBench) and bench.roles.energy:
        quantities = [["energy", bench.roles.energy, 0.001, "kWh"]]
        bench.do(Tell(CLIENT, "poll", {"every": _METER, "quantities": quantities}))
    bench.let(BEFORE)
    bench.plug_in()
    bench.let(BEFORE)
    interface = interface_of(bench)
    for rule in rules(profile, interface):
        bench.on(rule.trigger, *rule.actions, delay=rule.delay, name=rule.name)
    bench.start()
    bench.until(bench.now + profile.span + AFTERWARDS)


def _bench_of(interface: str) -> type[AcBench]:
    return {"signals": AcBench, "registers": AcModbusBench, "console": RapiBench}[interface]


def judge_session(bench: AcBench, cases: tuple[str, ...] = ()) -> dict[str, list[Measurement]]:
    """What a bench has seen, and its instruments have told, judged by these cases, or by all."""
    repeat = bench.repeat if isinstance(bench, AcModbusBench) else ms(1) if type(bench) is AcBench else 0
    context = Context(
        AcSeen(bench.record.observations, bench.now, dict(measured_signals(bench))),
        bench.readings,
        rated=bench.rated_current,
        safe=bench.safe_current,
        validity=bench.validity,
        repeat=repeat,
        uncertainty=bench.judge.signals,
    )
    return judged(context, cases)


AcOutcome = ProfileOutcome[AcProfile]
"""What came of one AC profile in one world."""


@dataclass
class AcTwin:
    """Fresh virtual benches, one for each AC profile: where they are generated and made small."""

    base: Setup
    build: Build
    pools: dict[str, list[AcOutcome]] = field(default_factory=dict)
    """What was generated, for whoever gives the same dictionary."""
    seed: int = 0
    kind: str = "ac_modbus"

    def world(self, profile: AcProfile) -> World:
        """A fresh world for a profile."""
        return self.build(msgspec.structs.replace(self.base, seed=profile.seed))

    def open(self, profile: AcProfile, sink: Sink = ignore) -> AcBench:
        """A fresh bench for a profile, which shows ``sink`` what is seen; nothing has happened on it."""
        bench = kind_of(self.kind).bench(self.world(profile), self.base, Judge(), sink)
        assert isinstance(bench, AcBench), f"{self.kind} is a bench of an AC charger"
        bench.measure_with(self.base.instruments)
        return bench

    def run(self, profile: AcProfile, cases: tuple[str, ...] = ()) -> AcOutcome:
        """Replay a profile in a world of its own and judge it by these cases, or by all.

        Where the envelope of the rig has held something back, or ended the session, nothing is judged.
        """
        bench = self.open(profile)
        try:
            replay(bench, profile)
        except WorldError:
            if not spoilt_by(bench.record.notes):
                raise
        spoilt = spoilt_by(bench.record.notes)
        measured = {} if spoilt else judge_session(bench, cases)
        bench.close()
        return AcOutcome(profile, measured, spoilt)

    def pool(self, theme: str, interface: str) -> list[AcOutcome]:
        """The outcomes of a theme's profiles; run when first asked for."""
        key = f"ac {theme} {interface} {self.base.model} {sorted(self.base.readings.items())}"
        if key not in self.pools:
            profiles = generated(theme, _COUNT, self.seed)
            over = [msgspec.structs.replace(each, interface=interface) for each in profiles]
            self.pools[key] = [self.run(each) for each in over]
        return self.pools[key]

    def smallest(self, profile: AcProfile, case: str) -> AcProfile:
        """The smallest profile found that fails a case."""
        return reduced(profile, lambda each: self.run(each, (case,)).verdict(case) is Verdict.FAIL)


def judge_ac_profiles(bench: AcBench, *cases: str) -> None:
    """Judge these invariants over generated profiles of every theme, each in a fresh world.

    The bench then shows the smallest profile that fails one, or the first one that gave something to judge: among those
    that are left open, where there are any. Beside one that counts, an advisory invariant leaves open what it finds.
    Inconclusive where none did.
    """
    twin = bench.twin
    if twin is None:
        raise UsageError("this bench has no virtual twin: profiles are generated on virtual ones only")
    interface = next(name for name in KINDS if _bench_of(name) is type(bench))
    borne = _borne(cases)
    outcomes = [each for theme in THEMES for each in twin.pool(theme, interface)]
    judging = [each for each in outcomes if any(each.verdict(case) is not Verdict.NONE for case in cases)]
    if not judging:
        why = next((f": {each.problem}" for each in outcomes if each.problem), "")
        raise Inconclusive(f"none of {len(outcomes)} profiles gave {', '.join(cases)} anything to judge{why}")
    failing = ((each.profile, case) for case in cases for each in judging if each.verdict(case) is Verdict.FAIL)
    found = next((each for each in failing if each[1] not in borne), None)
    undecided = [each for each in judging if any(_open(each, case, borne) for case in cases)]
    profile = (undecided or judging)[0].profile if found is None else twin.smallest(*found)
    shown = cases if found is None else (found[1],)
    bench.adopt(twin.world(profile))
    replay(bench, profile)
    measured = judge_session(bench, shown)
    for case in shown:
        bench.judge.extend(map(ease, measured[case]) if case in borne else measured[case])
    bench.report("profiles that gave something to judge", float(len(judging)))
    if undecided:
        bench.report("of these, left open", float(len(undecided)))
    if found is not None:
        _keep(bench, profile, found[1], twin.base.faults)


def _borne(cases: tuple[str, ...]) -> tuple[str, ...]:
    """Those that are advisory beside some that count: what they find does not fail the others' case."""
    advisory = tuple(case for case in cases if requirements()[f"{PREFIX}/{case}"].advisory)
    return () if advisory == cases else advisory


def _open(outcome: AcOutcome, case: str, borne: tuple[str, ...]) -> bool:
    verdict = outcome.verdict(case)
    return verdict is Verdict.INCONCLUSIVE or (case in borne and verdict is Verdict.FAIL)


def _keep(bench: AcBench, profile: AcProfile, case: str, faults: tuple[str, ...]) -> None:
    """Hand the failing profile to whoever keeps the evidence."""
    decisive = bench.judge.decisive
    what, at = ("", None) if decisive is None else (decisive.name, decisive.at)
    found = Found(requirement=f"{PREFIX}/{case}", what=what, at=at, faults=faults)
    note = f"The smallest profile found that fails {case}."
    bench.profile = msgspec.structs.replace(profile, name=f"{case}, smallest", note=note, found=found)


__all__ = ["INVARIANTS", "KINDS", "AcOutcome", "AcTwin", "judge_ac_profiles", "judge_session", "replay"]
