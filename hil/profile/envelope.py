"""Written profiles against the envelope of a rig: checked as a whole, before anything is energised."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import inf, sqrt
from typing import NamedTuple

from hil.errors import UsageError
from hil.profile.events import AnyEvent, Say
from hil.profile.model import LoadProfile
from hil.safety.envelope import Envelope
from hil.units import Instant, s, seconds, show_span


class Violation(NamedTuple):
    """The first instant at which a profile leaves an envelope, from its first CCS."""

    t: Instant
    what: str
    value: float
    allowed: float


def first_violation(profile: LoadProfile, envelope: Envelope) -> Violation | None:
    """Where a profile first demands more than an envelope allows; None where it never does.

    Along a ramp voltage and current are straight and power is their parabola: the crossing is computed. What an event
    ``say`` puts into BCL is a demand like any other, and stays one to the end: only a later ``say`` takes its place.
    """
    told = sorted(_told(profile), key=lambda each: each[0])
    volts, amperes = profile.segments[0].voltage, profile.segments[0].current
    for start, segment in zip(profile.starts(), profile.segments, strict=True):
        if not segment.ramp:
            volts, amperes = segment.voltage, segment.current
        span = s(segment.duration)
        cuts = [at - start for at, _, _ in told if start < at < start + span]
        for begin, end in pairwise((0, *cuts, span)):
            said = {signal: value for at, signal, value in told if at <= start + begin}
            part = _beyond(
                _between((volts, segment.voltage), begin / span, end / span, said.get(_VOLTAGE)),
                _between((amperes, segment.current), begin / span, end / span, said.get(_CURRENT)),
                envelope,
            )
            if part is not None:
                share, what, value, allowed = part
                return Violation(start + begin + round((end - begin) * share), what, value, allowed)
        volts, amperes = segment.voltage, segment.current
    if seconds(profile.span) > envelope.max_duration:
        return Violation(s(envelope.max_duration), "duration", seconds(profile.span), envelope.max_duration)
    return None


_Ends = tuple[float, float]
_VOLTAGE, _CURRENT = "voltage_demand", "current_demand"


def _told(profile: LoadProfile) -> Iterator[tuple[Instant, str, float]]:
    """Demands that events put into BCL: from when, which signal, and how much. Those before charging hold from 0."""
    for event in profile.before:
        yield from _told_by(event, 0)
    for start, segment in zip(profile.starts(), profile.segments, strict=True):
        for event in segment.events:
            yield from _told_by(event, start + s(event.at))


def _told_by(event: AnyEvent, at: Instant) -> Iterator[tuple[Instant, str, float]]:
    if isinstance(event, Say) and event.message == "BCL" and event.signal in (_VOLTAGE, _CURRENT):
        yield at, event.signal, abs(event.value)  # BCL tells current into the battery below 0


def _between(ends: _Ends, begin: float, end: float, said: float | None) -> _Ends:
    """A part of a straight line, by its shares of it; flat where something else was told."""
    if said is not None:
        return said, said
    rise = ends[1] - ends[0]
    return ends[0] + rise * begin, ends[0] + rise * end


def _beyond(volts: _Ends, amperes: _Ends, envelope: Envelope) -> tuple[float, str, float, float] | None:
    """Share of the segment, quantity, value and limit of the first excess."""
    rise, slope = volts[1] - volts[0], amperes[1] - amperes[0]
    found = []
    for what, square, linear, begin, allowed in (
        ("voltage", 0.0, rise, volts[0], envelope.max_voltage),
        ("current", 0.0, slope, amperes[0], envelope.max_current),
        ("power", rise * slope, volts[0] * slope + amperes[0] * rise, volts[0] * amperes[0], envelope.max_power),
    ):
        share = _crossing(square, linear, begin - allowed)
        if share is not None:
            # Where it is just met, the excess that follows is told by the greater end.
            value = max(begin, begin + linear + square, begin + linear * share + square * share * share)
            found.append((share, what, value, allowed))
    return min(found, default=None)


def _crossing(square: float, linear: float, constant: float) -> float | None:
    """The least x of 0..1 from which ``square x² + linear x + constant`` is above 0; None where it never is."""
    if constant > 0:
        return 0.0
    if constant == -inf:
        return None
    if square == 0.0:
        share = -constant / linear if linear > 0 else inf
        return share if share < 1 else None
    root = linear * linear - 4 * square * constant
    if root <= 0:
        return None
    share = (-linear + sqrt(root)) / (2 * square)
    return share if 0 <= share < 1 else None


_UNITS = {"voltage": "V", "current": "A", "power": "W", "duration": "s"}


def refuse_beyond(profile: LoadProfile, envelope: Envelope) -> None:
    """Raise :class:`UsageError` with the first violating instant of a profile that leaves the envelope."""
    refuse(profile.name, first_violation(profile, envelope), "the first CCS")


def refuse(name: str, found: Violation | None, anchor: str) -> None:
    """Raise :class:`UsageError` with the violation of a profile, if it has one, so long after ``anchor``."""
    if found is not None:
        unit = _UNITS[found.what]
        raise UsageError(
            f"profile {name!r} leaves the envelope {show_span(found.t)} after {anchor}: "
            f"{found.what} {found.value:g} {unit}, allowed is {found.allowed:g} {unit}"
        )
