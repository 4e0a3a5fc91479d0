"""An AC profile as a stimulus plan: everything declared beforehand, anchored at the authorisation of the session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from hil.plant.ac_signals import limit_name
from hil.profile.ac.model import AcEvent, AcProfile, What
from hil.profile.events import span_of
from hil.profile.plan import AUTHORISED
from hil.units import Span, s
from hil.world.plan import Action, Rule, Stimulate, Tell

LEAKAGE = 40.0
"""mA AC."""
OVERDRAW = 1.3
_VEHICLE = "vehicle"
BEFORE: Span = s(2)
"""From the vehicle's connection to the authorisation: a charger may supply it at once."""
AFTERWARDS: Span = s(6)
"""Watched after the end: the last limit has had its time to show, and stands for another second."""


class Interface(Protocol):
    """How a limit is asked for on a bench."""

    def ask(self, current: float, /) -> tuple[Action, ...]:
        """Ask for a limit in A and repeat it."""

    def hush(self) -> tuple[Action, ...]:
        """Ask no more."""


_ONCE: dict[What, Action] = {
    "plug": Stimulate("plugged", 1),
    "unplug": Stimulate("plugged", 0),
    "start": Stimulate("start_press", 1),
    "stop": Stimulate("stop_press", 1),
    "want": Tell(_VEHICLE, "want", {"on": True}),
    "rest": Tell(_VEHICLE, "want", {"on": False}),
}
_WHILE: dict[What, tuple[Action, Action]] = {
    "overdraw": (Tell(_VEHICLE, "exceed", {"factor": OVERDRAW}), Tell(_VEHICLE, "exceed", {"factor": 1.0})),
    "short": (Stimulate("cp_shorted", 1), Stimulate("cp_shorted", 0)),
    "leak": (Stimulate("leak_ac", LEAKAGE), Stimulate("leak_ac", 0)),
    "mains_lost": (Stimulate("mains", 0), Stimulate("mains", 1)),
    "earth_lost": (Stimulate("pe_broken", 1), Stimulate("pe_broken", 0)),
}


def rules(profile: AcProfile, interface: Interface) -> Iterator[Rule]:
    """Rules that carry the profile out; their names tell what the judge has to know of it."""
    for number, (start, segment) in enumerate(zip(profile.starts(), profile.segments, strict=True)):
        actions = interface.hush() if segment.limit is None else interface.ask(segment.limit)
        yield Rule(limit_name(number, segment.limit), AUTHORISED, actions, start)
        for index, event in enumerate(segment.events):
            yield from _events(event, f"segments[{number}].events[{index}]", start)


def _events(event: AcEvent, place: str, start: Span) -> Iterator[Rule]:
    at = start + span_of(event.at, "at_s")
    name = f"{place}: {event.do}"
    if event.do in _ONCE:
        yield Rule(name, AUTHORISED, (_ONCE[event.do],), at)
        return
    begin, end = _WHILE[event.do]
    yield Rule(name, AUTHORISED, (begin,), at)
    yield Rule(f"{name} ends", AUTHORISED, (end,), at + span_of(event.lasts, "for_s"))
