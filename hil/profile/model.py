"""A load profile as a value: what the vehicle demands and what happens, over time, in engineering units."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from hil.errors import UsageError
from hil.profile.events import AnyEvent, span_of
from hil.tester.gbt27930 import VEHICLES
from hil.units import Instant, Span

Mode = Literal["cc", "cv"]
MODES: dict[Mode, int] = {"cv": 1, "cc": 2}
"""BCL's charging mode (sheet 3.9)."""
_MOST_SEGMENTS = 100_000
MOST_VOLTAGE = 6553.5
"""V, and A below: what BCL can tell (sheet 3.9)."""
MOST_CURRENT = 400.0
_VOLTS = Annotated[float, msgspec.Meta(ge=0, le=MOST_VOLTAGE, description="V, as BCL can tell it")]
_AMPERES = Annotated[float, msgspec.Meta(ge=0, le=MOST_CURRENT, description="A, positive charges, as BCL can tell it")]


class Segment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stretch of one demand: reached at once, or along a straight line from the demand before."""

    duration: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = msgspec.field(name="duration_s")
    current: _AMPERES = msgspec.field(name="current_a")
    voltage: _VOLTS = msgspec.field(name="voltage_v")
    mode: Mode = "cc"
    """``cc`` constant current, ``cv`` constant voltage."""
    ramp: bool = False
    """Go straight from the demand before to this one, over the whole segment."""
    events: tuple[AnyEvent, ...] = ()


class Found(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a profile brought to light, where it was kept for that."""

    requirement: str
    what: str
    """The measurement, in words."""
    at: Instant | None = msgspec.field(name="at_ns", default=None)
    """Instant of the violation in the virtual world."""
    score: float | None = None
    """How bad, where a search drove towards it: larger is worse."""
    faults: tuple[str, ...] = ()
    """Seeded faults of the reference charger that it was found with."""


class LoadProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Segments that follow each other from the first CCS on, and how everything stands before.

    At the end the vehicle stops the charge by BST. Raises :class:`UsageError` naming field and value for
    what cannot be carried out. ``seed`` draws what neither profile nor requirement fixes on a virtual
    bench; a real one ignores it.
    """

    name: str
    segments: tuple[Segment, ...]
    note: str = ""
    vehicle: str = "car-400v"
    soc: Annotated[float, msgspec.Meta(ge=0, le=100)] = msgspec.field(name="soc_percent", default=50.0)
    temperature: Annotated[float, msgspec.Meta(ge=-50, le=100)] = msgspec.field(name="temperature_c", default=25.0)
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    before: tuple[AnyEvent, ...] = ()
    """Events on the way to charging; their offsets count from the authorisation of the session."""
    found: Found | None = None

    def __post_init__(self) -> None:
        """Check what types cannot say."""
        if not self.name.strip():
            raise UsageError("name: it is empty")
        if self.vehicle not in VEHICLES:
            raise UsageError(f"vehicle: no {self.vehicle!r}; there are {', '.join(VEHICLES)}")
        if not 1 <= len(self.segments) <= _MOST_SEGMENTS:
            raise UsageError(f"segments: {len(self.segments)}; allowed are 1 to {_MOST_SEGMENTS}")
        for number, event in enumerate(self.before):
            _checked(event, f"before[{number}]")
        for number, segment in enumerate(self.segments):
            _check_segment(segment, f"segments[{number}]")

    @property
    def span(self) -> Span:
        """From the first CCS to the end."""
        return sum(span_of(segment.duration, "duration_s") for segment in self.segments)

    def starts(self) -> list[Span]:
        """When each segment starts, from the first CCS."""
        starts: list[Span] = []
        at: Span = 0
        for segment in self.segments:
            starts.append(at)
            at += span_of(segment.duration, "duration_s")
        return starts


def _check_segment(segment: Segment, place: str) -> None:
    try:
        span = span_of(segment.duration, "duration_s")
    except UsageError as error:
        raise UsageError(f"{place}.{error}") from error
    if not span:
        raise UsageError(f"{place}.duration_s: {segment.duration:g} s is less than a millisecond")
    for number, event in enumerate(segment.events):
        _checked(event, f"{place}.events[{number}]")
        if event.at > segment.duration:
            raise UsageError(
                f"{place}.events[{number}].at_s: {event.at:g} s is after the segment's end, {segment.duration:g} s"
            )


def _checked(event: AnyEvent, place: str) -> None:
    try:
        event.check()
    except UsageError as error:
        raise UsageError(f"{place}.{error}") from error
