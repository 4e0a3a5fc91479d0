"""Hypothesis strategies for AC profiles: what a search climbs over.

They shrink towards one segment of 16 A for the shortest duration, without events.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from msgspec.structs import replace

from hil.profile.ac.model import LASTING, AcEvent, AcProfile, AcSegment, What

LIMITS = (16.0, 6.0, 32.0, 10.0, 0.0, 3.0, 7.5, 13.0, 20.0, 25.0, 40.0, 63.0)
"""A each phase: pauses, what every charger offers, and beyond what most may."""
DURATIONS = (1.0, 2.0, 5.0, 8.0, 12.0, 20.0, 40.0, 75.0, 130.0)
"""s: below and above the times that a charger has for a limit, a fault and its validity."""
LASTS = (0.1, 1.0, 3.0, 6.0, 15.0)
EVENTS: tuple[What, ...] = ("want", "rest", "start", "stop", "plug", "unplug", *LASTING)
_TENTHS = 10
_MOST_EVENTS = 2


def ac_events(kinds: Sequence[What] = EVENTS) -> st.SearchStrategy[tuple[What, int, float]]:
    """Kind of an event, tenths of its segment after which it comes, and s for which it lasts where it does."""
    return st.tuples(st.sampled_from(kinds), st.integers(0, _TENTHS), st.sampled_from(LASTS))


def ac_segments(kinds: Sequence[What] = EVENTS, *, silent: bool = True) -> st.SearchStrategy[AcSegment]:
    """One limit, or silence, with events in it."""
    limits = st.sampled_from((*LIMITS, None) if silent else LIMITS)
    events = st.lists(ac_events(kinds), max_size=_MOST_EVENTS) if kinds else st.just([])
    return st.tuples(limits, st.sampled_from(DURATIONS), events).map(lambda drawn: _segment(*drawn))


def ac_profiles(
    interface: str = "registers", kinds: Sequence[What] = EVENTS, *, most: int = 8
) -> st.SearchStrategy[AcProfile]:
    """One to so many segments, the first of which asks for a limit, over an interface (:class:`AcProfile` has them)."""
    usual = AcProfile(name="generated", segments=(AcSegment(duration=1.0, limit=16.0),))
    plain = replace(usual, interface=interface)
    return st.tuples(ac_segments(kinds, silent=False), st.lists(ac_segments(kinds), max_size=most - 1)).map(
        lambda drawn: replace(plain, segments=(drawn[0], *drawn[1]))
    )


def _segment(limit: float | None, duration: float, drawn: list[tuple[What, int, float]]) -> AcSegment:
    events = tuple(
        AcEvent(do=what, at=round(duration * tenths / _TENTHS, 3), lasts=lasts if what in LASTING else 0.0)
        for what, tenths, lasts in drawn
    )
    return AcSegment(duration=duration, limit=limit, events=events)
