"""Simple load profiles in a fixed order, made of the parts that a failing one is made of.

Reducing a profile ends wherever no single edit helps any more, which depends on where it began. The first of
these that fails does not: it depends only on how many segments and which kinds of events are needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from msgspec.structs import replace

from hil.profile import events as ev
from hil.profile.events import AnyEvent
from hil.profile.model import LoadProfile, Mode, Segment
from hil.tester.gbt27930 import VEHICLES

SOC = 50.0
TEMPERATURE = 25.0
_CURRENTS = {1: (100.0, 50.0, 0.0, 200.0, 20.0, 150.0), 2: (100.0, 50.0, 0.0, 200.0), 3: (100.0, 50.0, 200.0)}
"""A of each segment by their number, in this order: the ordinary demand first."""
_EVERY = tuple(float(each) for each in range(10, 401, 10))
"""A of a single segment that lasts for long, when none of these will do."""
_DURATIONS = {1: (0.1, 3.0, 20.0), 2: (0.1, 3.0, 20.0), 3: (0.1, 20.0)}
"""s by the number of segments: below, about and above an adjustment time."""
_WITH_EVENTS = 3
"""Currents of :data:`_CURRENTS` that are tried where events are needed too."""
_MOST_EVENTS = 2
_AT = (0.0, 1.0)
"""s from the start of the segment to the first event; a second one follows 1 s later."""
_SPANS = (3.0, 12.0, 0.5)
"""s that an event lasts which lasts."""
_KINDS: tuple[AnyEvent, ...] = (
    ev.Pause(span=3.0),
    ev.Pause(),
    ev.Stop(),
    ev.StopButton(),
    ev.VehicleError(),
    ev.Lose(messages=("BCL",), span=1.5),
    ev.Lose(span=1.5),
    ev.Reset(span=1.5),
    ev.Cc1(broken=True),
    ev.SwitchS(closed=False),
    ev.EmergencyStop(),
)
"""The simplest first."""


class _Form(NamedTuple):
    """What a simple profile has beside durations and currents."""

    mode: Mode
    ramp: bool
    voltage: float
    events: tuple[AnyEvent, ...]
    place: int
    """Index of the segment with the events."""


def simple_events(event: AnyEvent) -> Iterator[AnyEvent]:
    """Events that are simpler than this one, at its instant."""
    for each in _KINDS:
        if type(each) is type(event) and replace(each, at=event.at) == event:
            return
        yield replace(each, at=event.at)
        if type(each) is type(event) and each.lasts and event.lasts:
            return


def simple_profiles(like: LoadProfile) -> Iterator[LoadProfile]:
    """Profiles with no more segments and events than this one, of its modes, ramps, voltages and kinds of events."""
    most = VEHICLES[like.vehicle].max_total_voltage
    modes: Sequence[Mode] = ("cc", "cv") if any(each.mode == "cv" for each in like.segments) else ("cc",)
    ramps = (False, True) if any(each.ramp for each in like.segments) else (False,)
    voltages = sorted({most, *(each.voltage for each in like.segments)}, key=lambda each: abs(each - most))
    for count in range(1, min(len(like.segments), 3) + 1):
        for ramp, mode, volts in product(ramps if count > 1 else (False,), modes, voltages):
            for events in _events(like):
                for place in range(count) if events else (0,):
                    yield from _filled(like, count, _Form(mode, ramp, volts, events, place))


def _events(like: LoadProfile) -> Iterator[tuple[AnyEvent, ...]]:
    """Its events in order, apart and together, at fixed instants and for fixed spans."""
    yield ()
    found = [event for each in like.segments for event in each.events]
    if not 0 < len(found) <= _MOST_EVENTS:
        return
    for first, span in product(_AT, _SPANS if any(each.lasts for each in found) else (0.0,)):
        yield tuple(
            replace(each, at=first + number, **({"span": span} if each.lasts else {}))
            for number, each in enumerate(found)
        )


def _filled(like: LoadProfile, count: int, form: _Form) -> Iterator[LoadProfile]:
    """Every combination of durations, the shorter first, and of currents, the more ordinary first."""
    currents = _CURRENTS[count][: _WITH_EVENTS if form.events else None]
    latest = max((each.at for each in form.events), default=0.0)
    ranks = sorted(product(range(len(currents)), repeat=count), key=lambda each: (sum(each), each))
    for durations in sorted(product(_DURATIONS[count], repeat=count), key=lambda each: (sum(each), each)):
        if durations[form.place] > latest:
            for chosen in ranks:
                yield _profile(like, form, durations, [currents[rank] for rank in chosen])
    if count == 1 and not form.events:
        for current in _EVERY:
            yield _profile(like, form, (max(_DURATIONS[1]),), (current,))


def _profile(like: LoadProfile, form: _Form, durations: Sequence[float], currents: Sequence[float]) -> LoadProfile:
    segments = tuple(
        Segment(
            duration=seconds,
            current=current,
            voltage=form.voltage,
            mode=form.mode,
            ramp=form.ramp and number > 0,
            events=form.events if number == form.place else (),
        )
        for number, (seconds, current) in enumerate(zip(durations, currents, strict=True))
    )
    return replace(like, soc=SOC, temperature=TEMPERATURE, seed=0, segments=segments)
