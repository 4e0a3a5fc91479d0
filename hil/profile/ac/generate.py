"""Generated AC profiles: legal ones, equal for equal seeds. Each theme strains another part of a charger."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType

from hil.profile.ac.model import LASTING, AcEvent, AcProfile, AcSegment, What

_LIMITS = (0.0, 3.0, 6.0, 7.5, 10.0, 13.0, 16.0, 20.0, 25.0, 32.0, 40.0, 63.0)
_SEGMENTS = (4, 10)
_SILENT = 0.2
Draw = Callable[[random.Random], AcProfile]


def _duration(draw: random.Random, low: float, high: float) -> float:
    return round(draw.uniform(low, high), 1)


def _mixed(
    draw: random.Random, events: tuple[What, ...], each: float, low: float = 5.0, high: float = 40.0
) -> AcProfile:
    """Limits that change, with events in some segments."""
    segments = []
    for _ in range(draw.randint(*_SEGMENTS)):
        duration = _duration(draw, low, high)
        found: tuple[AcEvent, ...] = ()
        if events and draw.random() < each:
            found = tuple(_event(draw, draw.choice(events), duration) for _ in range(draw.randint(1, 2)))
        segments.append(AcSegment(duration=duration, limit=draw.choice(_LIMITS), events=found))
    return AcProfile(name="generated", segments=tuple(segments))


def _event(draw: random.Random, what: What, duration: float) -> AcEvent:
    lasts = _duration(draw, 1.0, 15.0) if what in LASTING else 0.0
    return AcEvent(do=what, at=round(draw.uniform(0, duration), 1), lasts=lasts)


def _silent(draw: random.Random) -> AcProfile:
    """Stretches in which nobody asks, shorter and longer than any validity."""
    whole = _mixed(draw, (), 0.0, 5.0, 20.0)
    segments = []
    for segment in whole.segments:
        segments.append(segment)
        if draw.random() < 2 * _SILENT:
            segments.append(AcSegment(duration=_duration(draw, 10.0, 130.0), limit=None))
    return AcProfile(name="generated", segments=tuple(segments))


def _plugging(draw: random.Random) -> AcProfile:
    return _mixed(draw, ("plug", "unplug", "want", "rest", "start", "stop"), 0.8)


def _upset(draw: random.Random) -> AcProfile:
    return _mixed(draw, ("short", "leak", "mains_lost", "earth_lost", "overdraw", "unplug", "plug"), 0.6)


def _limits(draw: random.Random) -> AcProfile:
    return _mixed(draw, (), 0.0)


THEMES: Mapping[str, Draw] = MappingProxyType(
    {"limits": _limits, "silent": _silent, "plugging": _plugging, "upset": _upset}
)
"""Kinds of profiles by name."""


def generated(theme: str, count: int, seed: int) -> list[AcProfile]:
    """So many profiles of a theme."""
    draw = random.Random(f"{seed}:{theme}")  # noqa: S311 - repeatable on purpose
    return [THEMES[theme](draw) for _ in range(count)]
