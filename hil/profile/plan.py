"""A load profile as a stimulus plan: everything declared beforehand and anchored at observed frames.

Demand and events count from the first CCS, so that the same file does the same on every bench.
"""

from __future__ import annotations

from collections.abc import Iterator

from hil.profile.events import AnyEvent, span_of
from hil.profile.model import MODES, LoadProfile, Segment
from hil.units import Span
from hil.world.plan import Action, OnMessage, OnSignal, Rule, Tell, Trigger

AUTHORISED = OnSignal("start_request", 0.5, 1.0)
"""Somebody authorises the session, as by card or app."""
CHARGING = OnMessage("CCS", sender="charger")
"""The first CCS."""
Point = list[float]


def initial_demand(profile: LoadProfile) -> Action:
    """What the vehicle demands until its first CCS: the demand with which the profile starts."""
    first = profile.segments[0]
    return Tell("vehicle", "demand", {"voltage": first.voltage, "current": first.current, "mode": MODES[first.mode]})


def rules(profile: LoadProfile) -> Iterator[Rule]:
    """Rules that carry the profile out, the demand first, the stop at the end last."""
    for number, event in enumerate(profile.before):
        yield from _events(event, f"before[{number}]", AUTHORISED, 0)
    points = {"points": course(profile), "ends": profile.span}
    yield Rule(f"profile {profile.name}: demand", CHARGING, (Tell("vehicle", "follow", points),))
    for number, (start, segment) in enumerate(zip(profile.starts(), profile.segments, strict=True)):
        for index, event in enumerate(segment.events):
            yield from _events(event, f"segments[{number}].events[{index}]", CHARGING, start)
    stop = Tell("vehicle", "stop", {"reason": "soc_reached"})
    yield Rule(f"profile {profile.name}: end", CHARGING, (stop,), profile.span)


def _events(event: AnyEvent, place: str, anchor: Trigger, start: Span) -> Iterator[Rule]:
    at = start + span_of(event.at, "at_s")
    for index, (delay, action) in enumerate(event.actions()):
        name = f"{place}: {event.__struct_config__.tag}" + (" ends" if index and delay else "")
        yield Rule(name, anchor, (action,), at + delay)


def course(profile: LoadProfile) -> list[Point]:
    """Points of the demand for the vehicle's order ``follow``: a segment's demand holds or is run up to."""
    points: list[Point] = []
    before: Segment | None = None
    for start, segment in zip(profile.starts(), profile.segments, strict=True):
        if segment.ramp and before is not None:
            points.append([start, before.voltage, before.current, MODES[segment.mode], 1])
            end = start + span_of(segment.duration, "duration_s")
            points.append([end, segment.voltage, segment.current, MODES[segment.mode], 0])
        else:
            points.append([start, segment.voltage, segment.current, MODES[segment.mode], 0])
        before = segment
    return points
