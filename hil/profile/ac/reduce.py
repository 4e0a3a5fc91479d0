"""A failing AC profile made small: fewer segments and events, shorter, rounder, nearer to the ordinary limit.

The search is that of load profiles (:mod:`hil.profile.reduce`), by edits alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from hil.profile.ac.model import AcProfile
from hil.profile.reduce import Edit, Reducer, joined, shorter, with_segment, without_events

Fails = Callable[[AcProfile], bool]
_DURATIONS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 70.0, 90.0)
"""s: below and above the times that a charger has for a limit, a fault and its validity."""
_LASTING = (1.0, 2.0, 5.0, 10.0)
_LIMITS = (16.0, 32.0, 10.0, 6.0, 0.0)
"""A tried in this order: the ordinary limit first."""


def reduced(profile: AcProfile, fails: Fails, trials: int = 400) -> AcProfile:
    """The smallest profile found that still fails, within so many trials.

    ``profile`` must fail; ``fails`` must be deterministic. Profiles tried before are not tried again.
    """
    reducer = Reducer(profile, fails, trials, _EDITS)
    reducer.descend(spare=0)
    return reducer.best


def _plain_seed(profile: AcProfile) -> Iterator[AcProfile]:
    if profile.seed:
        yield replace(profile, seed=0)


def _durations(profile: AcProfile) -> Iterator[AcProfile]:
    return shorter(profile, _DURATIONS)


def _limits(profile: AcProfile) -> Iterator[AcProfile]:
    """The first of the usual limits that still fails."""
    for number, segment in enumerate(profile.segments):
        for limit in _LIMITS if segment.limit is not None else ():
            if limit == segment.limit:
                break
            yield with_segment(profile, number, limit=limit)


def _event_times(profile: AcProfile) -> Iterator[AcProfile]:
    """Events at the beginning of their segment, and shorter ones."""
    for number, segment in enumerate(profile.segments):
        for index, event in enumerate(segment.events):
            spans = [span for span in _LASTING if span < event.lasts]
            for simpler in (
                *((replace(event, at=0.0),) if event.at else ()),
                *(replace(event, lasts=span) for span in spans),
            ):
                events = (*segment.events[:index], simpler, *segment.events[index + 1 :])
                yield with_segment(profile, number, events=events)


_EDITS: tuple[Edit[AcProfile], ...] = (_plain_seed, joined, without_events, _durations, _limits, _event_times)
"""In the order in which they are tried."""
