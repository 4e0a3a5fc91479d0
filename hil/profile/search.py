"""Driving generated profiles towards the worst case: Hypothesis climbs a score, the worst found are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import MappingProxyType
from typing import Generic

from hypothesis import strategies as st
from hypothesis import target
from msgspec.structs import replace

from hil.conformance.verdict import Measurement
from hil.errors import UsageError
from hil.profile.generate import each
from hil.profile.kinds import requirement_of
from hil.profile.model import Found
from hil.profile.reduce import P
from hil.profile.strategies import LEGAL_EVENTS

GOALS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "overshoot": ("LP.01", "LP.02"),
        "slow-cutoff": ("LP.07",),
        "adjustment": ("LP.04",),
        "precision": ("LP.05", "LP.06"),
        "ccs": ("LP.10",),
        "pause": ("LP.13", "LP.14"),
        "periods": ("LP.17",),
    }
)
"""What a search may look for, and the cases whose measurements tell how near it came."""
AC_GOALS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "limit": ("AP.01",),
        "overcurrent": ("AP.02",),
        "slow-opening": ("AP.03",),
        "fallback": ("AP.05",),
        "early-fallback": ("AP.06",),
        "meter": ("AP.07",),
        "waiting": ("AP.08",),
    }
)
"""The same for AC profiles."""
_STOPS = (
    "stop",
    "stop_button",
    "alarm",
    "lose_bcl",
    "lose_all",
    "vehicle_error",
    "switch_s",
    "cc1",
    "earth",
    "supply",
    "emergency_stop",
    "unplug",
)
"""What ends a charge, beside BST at the end of the profile."""
_BATCH = 100
"""Examples between two seeds: a climb that is stuck begins elsewhere."""


def events_of(goal: str) -> tuple[str, ...]:
    """Kinds of events that a search for a goal draws; :class:`UsageError` for a goal that there is not.

    A cut-off is only as slow as that of the slowest cause: those that end a charge are drawn for it.
    """
    cases_of(goal)
    return (*LEGAL_EVENTS, *_STOPS) if goal == "slow-cutoff" else LEGAL_EVENTS


def cases_of(goal: str, goals: Mapping[str, tuple[str, ...]] = GOALS) -> tuple[str, ...]:
    """The cases of a goal; :class:`UsageError` for one that there is not."""
    if goal not in goals:
        raise UsageError(f"no goal {goal!r}; there are {', '.join(goals)}")
    return goals[goal]


def score(measured: Mapping[str, Iterable[Measurement]]) -> tuple[float, Measurement | None]:
    """How near the worst of these came to its limit, 1.0 at the limit and more beyond, and which it was."""
    worst, found = 0.0, None
    for values in measured.values():
        for measurement in values:
            ratio = _ratio(measurement)
            if ratio > worst:
                worst, found = ratio, measurement
    return worst, found


def _ratio(measurement: Measurement) -> float:
    value = measurement.value
    if not isinstance(value, float):
        return 0.0
    if measurement.high is not None and measurement.high > 0:
        return value / measurement.high
    if measurement.low is not None and measurement.low < 0:
        return value / measurement.low
    if measurement.low is not None and value > 0:
        return measurement.low / value
    return 0.0


@dataclass
class Corpus(Generic[P]):
    """The worst profiles so far, worst first, no two of the same demand."""

    size: int = 10
    worst: list[tuple[float, P]] = field(default_factory=list)

    def offer(self, value: float, profile: P) -> bool:
        """Keep a profile if it is bad enough; True where it was."""
        if value <= 0 or any(profile.segments == kept.segments for _, kept in self.worst):
            return False
        self.worst.append((value, profile))
        self.worst.sort(key=lambda pair: -pair[0])
        del self.worst[self.size :]
        return any(profile is kept for _, kept in self.worst)

    def joined(self, profiles: Iterable[P], size: int) -> Corpus[P]:
        """The worst of these, which were kept with their scores, and of those here."""
        whole: Corpus[P] = Corpus(size)
        for profile in profiles:
            whole.offer(_scored(profile.found), profile)
        for _, kept in self.worst:
            whole.offer(_scored(kept.found), kept)
        return whole


def _scored(found: Found | None) -> float:
    return 0.0 if found is None or found.score is None else found.score


class _Over(BaseException):  # not an Exception, which Hypothesis would take for a failing example
    """The time is up."""


def search(
    strategy: st.SearchStrategy[P],
    run: Callable[[P], Mapping[str, Iterable[Measurement]]],
    goal: str,
    seed: int,
    go_on: Callable[[], bool],
) -> Corpus[P]:
    """Generate, replay by ``run`` and climb until ``go_on`` says no; the worst found, with their scores."""
    corpus: Corpus[P] = Corpus()
    requirement = requirement_of(cases_of(goal, {**GOALS, **AC_GOALS})[0])

    def see(profile: P) -> None:
        if not go_on():
            raise _Over
        value, measurement = score(run(profile))
        target(value, label=goal)
        if measurement is not None:
            found = Found(requirement=requirement, what=measurement.name, at=measurement.at, score=round(value, 4))
            corpus.offer(value, replace(profile, name=f"{goal} {value:.3f}", found=found))

    try:
        for number in count():
            each(strategy, _BATCH, seed + number, see)
    except _Over:
        pass
    return corpus
