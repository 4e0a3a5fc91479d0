"""An AC profile as a value: the limit that is asked for over time, and what happens, in engineering units."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from hil.errors import UsageError
from hil.profile.events import span_of
from hil.profile.model import Found
from hil.units import Span

KIND = "ac"
_MOST_SEGMENTS = 10_000
_AMPERES = Annotated[float, msgspec.Meta(ge=0, le=80, description="A each phase; less than 6 A pauses")]
_SECONDS = Annotated[float, msgspec.Meta(ge=0, le=86_400, description="seconds, in steps of 1 ms")]
What = Literal[
    "plug", "unplug", "start", "stop", "want", "rest", "overdraw", "short", "leak", "mains_lost", "earth_lost"
]
LASTING: tuple[What, ...] = ("overdraw", "short", "leak", "mains_lost", "earth_lost")
"""Events that go on for a while and then end."""
FAULTS: tuple[What, ...] = ("short", "leak", "earth_lost", "mains_lost", "overdraw")
"""Events after which a charger need not go on by itself."""


class AcEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something at an instant. ``at`` counts from the start of the segment that holds it.

    ``plug`` and ``unplug`` the vehicle, ``start`` (authorise) and ``stop`` the session at the charger, the vehicle
    ``want``s to charge or is at ``rest`` (S2 open), and for ``for_s``: it draws 30 % more than it may (``overdraw``),
    the pilot is shorted (``short``), 40 mA AC leak (``leak``), mains or protective earth are lost.
    """

    do: What
    at: _SECONDS = msgspec.field(name="at_s", default=0.0)
    lasts: _SECONDS = msgspec.field(name="for_s", default=0.0)

    def check(self) -> None:
        """Raise :class:`UsageError` naming field and value for what cannot be done."""
        span_of(self.at, "at_s")
        span_of(self.lasts, "for_s")
        if (self.lasts > 0) != (self.do in LASTING):
            raise UsageError(f"for_s: {self.lasts:g} s; above 0 for {', '.join(LASTING)}, else 0 is allowed")


class AcSegment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stretch of one limit that is repeated; None: whoever asks has fallen silent."""

    duration: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = msgspec.field(name="duration_s")
    limit: _AMPERES | None = msgspec.field(name="limit_a")
    events: tuple[AcEvent, ...] = ()


class AcProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Segments that follow each other from the authorisation of the session on; a vehicle is connected before.

    Raises :class:`UsageError` naming field and value for what cannot be carried out. ``seed`` draws what neither
    profile nor requirement fixes on a virtual bench.
    """

    name: str
    segments: tuple[AcSegment, ...]
    note: str = ""
    kind: Literal["ac"] = "ac"
    interface: Literal["signals", "registers", "console"] = "registers"
    """What limits are asked for over."""
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    found: Found | None = None

    def __post_init__(self) -> None:
        """Check what types cannot say."""
        if not self.name.strip():
            raise UsageError("name: it is empty")
        if not 1 <= len(self.segments) <= _MOST_SEGMENTS:
            raise UsageError(f"segments: {len(self.segments)}; allowed are 1 to {_MOST_SEGMENTS}")
        for number, segment in enumerate(self.segments):
            place = f"segments[{number}]"
            try:
                span_of(segment.duration, "duration_s")
                for index, event in enumerate(segment.events):
                    place = f"segments[{number}].events[{index}]"
                    event.check()
            except UsageError as error:
                raise UsageError(f"{place}.{error}") from error
            late = next((each for each in segment.events if each.at > segment.duration), None)
            if late is not None:
                raise UsageError(f"segments[{number}]: {late.do} at {late.at:g} s is after its end")

    @property
    def span(self) -> Span:
        """From the authorisation to the end."""
        return sum(span_of(segment.duration, "duration_s") for segment in self.segments)

    def starts(self) -> list[Span]:
        """When each segment starts, from the authorisation."""
        starts: list[Span] = []
        at: Span = 0
        for segment in self.segments:
            starts.append(at)
            at += span_of(segment.duration, "duration_s")
        return starts
