"""A failing AC profile made small: without segments and events that it does not need, with shorter segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from hil.profile.ac.model import AcProfile, AcSegment

Fails = Callable[[AcProfile], bool]
_LEAST = 1.0
"""s; shorter segments say nothing."""
_MOST_TRIES = 400


def reduced(profile: AcProfile, fails: Fails) -> AcProfile:
    """The smallest profile that is found and still fails."""
    tries = 0
    while True:
        for candidate in _smaller(profile):
            tries += 1
            if tries > _MOST_TRIES:
                return profile
            if fails(candidate):
                profile = candidate
                break
        else:
            return profile


def _smaller(profile: AcProfile) -> Iterator[AcProfile]:
    """Smaller ones, the boldest steps first."""
    segments = profile.segments
    width = len(segments) // 2
    while width:
        for start in range(0, len(segments) - width + 1, width):
            if width < len(segments):
                yield replace(profile, segments=(*segments[:start], *segments[start + width :]))
        width //= 2
    for index, segment in enumerate(segments):
        for each in _simpler(segment):
            yield replace(profile, segments=(*segments[:index], each, *segments[index + 1 :]))


def _simpler(segment: AcSegment) -> Iterator[AcSegment]:
    for index in range(len(segment.events)):
        yield replace(segment, events=(*segment.events[:index], *segment.events[index + 1 :]))
    shorter = round(segment.duration / 2, 1)
    if shorter >= _LEAST and all(event.at <= shorter for event in segment.events):
        yield replace(segment, duration=shorter)
