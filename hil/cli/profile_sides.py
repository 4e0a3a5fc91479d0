"""What differs between profiles of a vehicle at a DC charger and of limits at an AC charging point."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

from hil.bench.ac import AcBench
from hil.bench.ac_profiles import KINDS, AcTwin, judge_session
from hil.bench.ac_profiles import replay as carry_out_ac
from hil.bench.bench import Bench
from hil.bench.core import Core, Sink
from hil.bench.judge import Judge
from hil.bench.opening import kind_of
from hil.bench.profiles import ProfileOutcome, judged
from hil.bench.profiles import replay as carry_out
from hil.bench.setup import Setup
from hil.bench.twin import Twin
from hil.bench.virtual import build_virtual
from hil.conformance.catalogue import Requirement, requirements
from hil.conformance.verdict import Measurement
from hil.profile.ac.model import AcProfile
from hil.profile.kinds import AnyProfile
from hil.profile.model import LoadProfile
from hil.profile.reduce import P
from hil.protocol.gbt27930 import edition
from hil.pytest_plugin.plan import RunPlan
from hil.world.pipe import World

_OPENED_AS = {"signals": "ACPROFILE/AP.21", "registers": "ACPROFILE/AP.01", "console": "ACPROFILE/AP.20"}
"""The requirement in whose name a bench on real ports is opened, by the interface that limits are asked for over."""
_DC, _DC_OPENED_AS = "gbt27930", "LOADPROFILE/LP.20"


class ProfileTwin(Protocol[P]):
    """Fresh virtual benches, one for each profile."""

    base: Setup

    def run(self, profile: P, cases: tuple[str, ...] = (), /) -> ProfileOutcome[P]:
        """Replay a profile in a world of its own and judge it by these cases, or by all."""

    def smallest(self, profile: P, case: str, /) -> P:
        """The smallest profile found that fails a case."""


def dc_twin(plan: RunPlan, seed: int = 0) -> Twin:
    """The virtual twin of a rig with a DC charger: its edition, readings and faults."""
    setup = Setup(
        edition=plan.edition,
        vehicle=plan.rig.bench.vehicle,
        readings=dict(plan.readings),
        instruments=tuple(plan.rig.instruments.values()),
        faults=tuple(each.name for each in plan.faults),
    )
    return Twin(setup, _build(_DC, plan), seed=seed, envelope=plan.rig.envelope)


def ac_twin(plan: RunPlan, interface: str = "registers") -> AcTwin:
    """The virtual twin of a rig with an AC charger, whose limits are asked for over an interface."""
    setup = Setup(
        readings=dict(plan.readings),
        validity=plan.rig.bench.validity,
        safe_current=plan.rig.bench.safe_current,
        map=plan.rig.dut.map,
        instruments=tuple(plan.rig.instruments.values()),
        faults=tuple(each.name for each in plan.faults),
    )
    kind = KINDS[interface]
    return AcTwin(setup, _build(kind, plan), kind=kind)


def _build(name: str, plan: RunPlan) -> Callable[[Setup], World]:
    kind = kind_of(name)
    return lambda setup: build_virtual(kind, setup, {}, plan.rig.envelope)


def open_virtual(profile: AnyProfile, plan: RunPlan, sink: Sink) -> Bench | AcBench:
    """A fresh virtual bench for a profile, which shows ``sink`` what is seen."""
    if isinstance(profile, AcProfile):
        return ac_twin(plan, profile.interface).open(profile, sink)
    twin = dc_twin(plan)
    bench = Bench(twin.world(profile), edition(twin.base.edition), Judge(), twin.base.readings, sink)
    bench.measure_with(twin.base.instruments)
    return bench


def opened_as(profile: AnyProfile) -> Requirement:
    """The requirement in whose name a bench on real ports is opened for a profile."""
    return requirements()[_OPENED_AS[profile.interface] if isinstance(profile, AcProfile) else _DC_OPENED_AS]


def as_profiled(plan: RunPlan, profile: AnyProfile) -> RunPlan:
    """The plan of a rig whose vehicle stands at the start as the profile has it, as on the virtual bench."""
    if isinstance(profile, AcProfile):
        return plan
    settings = dataclasses.replace(
        plan.rig.bench, vehicle=profile.vehicle, soc=profile.soc, temperature=profile.temperature
    )
    return dataclasses.replace(plan, rig=dataclasses.replace(plan.rig, bench=settings))


def play(bench: Core[Any], profile: AnyProfile) -> None:
    """Carry a profile out on a bench of its kind; :class:`Inconclusive` where it cannot be begun."""
    if isinstance(profile, AcProfile):
        assert isinstance(bench, AcBench), "the bench was opened for the profile"
        carry_out_ac(bench, profile)
    else:
        assert isinstance(bench, Bench), "the bench was opened for the profile"
        carry_out(bench, profile)


def judge_played(bench: Core[Any]) -> dict[str, list[Measurement]]:
    """What a bench has seen of a profile, by the case of each invariant."""
    if isinstance(bench, AcBench):
        return judge_session(bench)
    assert isinstance(bench, Bench), "the bench was opened for a profile"
    return judged(bench)


def anchor_of(profile: AnyProfile) -> str:
    """From what a profile's instants count."""
    return "the first CCS" if isinstance(profile, LoadProfile) else "the authorisation"
