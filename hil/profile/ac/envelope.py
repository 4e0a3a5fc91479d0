"""AC profiles against the envelope of a rig: checked as a whole, before anything is energised.

What is asked for counts from the instant at which it is asked for. What a charger offers before, it offers of itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from hil.plant.ac import MAINS, PHASES
from hil.profile.ac.model import AcProfile
from hil.profile.ac.plan import AFTERWARDS, BEFORE, OVERDRAW
from hil.profile.envelope import Violation, refuse
from hil.profile.events import span_of
from hil.safety.envelope import Envelope
from hil.units import Instant, s, seconds

_LEAST = 6.0
"""A; a lower limit pauses (sheet pilot, 2)."""


def first_violation(profile: AcProfile, envelope: Envelope, *, safe: float, rated: float) -> Violation | None:
    """Where a profile first asks for more than an envelope allows, from the authorisation; None where it never does.

    Currents in A each phase. Silence lets the last limit stand and leads to the ``safe`` current, or the ``rated``
    one where nothing was asked for. A vehicle that draws more than it may counts. Voltage (line to neutral) and phases
    are the envelope's; where it has none, those of the bench's plant. The duration is that of the whole session,
    from the vehicle's connection until nothing more is watched.
    """
    mains = envelope.nominal_voltage or MAINS
    if envelope.max_voltage < mains:
        return Violation(0, "voltage", mains, envelope.max_voltage)
    for t, current in _currents(profile, safe, rated):
        for what, value, allowed in (
            ("current", current, envelope.max_current),
            ("power", current * mains * (envelope.phases or PHASES), envelope.max_power),
        ):
            if value > allowed:
                return Violation(t, what, value, allowed)
    whole = seconds(BEFORE + profile.span + AFTERWARDS)
    if whole > envelope.max_duration:
        return Violation(max(s(envelope.max_duration) - BEFORE, 0), "duration", whole, envelope.max_duration)
    return None


def refuse_ac_beyond(profile: AcProfile, envelope: Envelope, *, safe: float, rated: float) -> None:
    """Raise :class:`UsageError` with the first violating instant of a profile that leaves the envelope."""
    refuse(profile.name, first_violation(profile, envelope, safe=safe, rated=rated), "the authorisation")


def _currents(profile: AcProfile, safe: float, rated: float) -> Iterator[tuple[Instant, float]]:
    """From when on how much may flow, in order."""
    starts = profile.starts()
    overdrawn = [
        (start + span_of(event.at, "at_s"), start + span_of(event.at + event.lasts, "for_s"))
        for start, segment in zip(starts, profile.segments, strict=True)
        for event in segment.events
        if event.do == "overdraw"
    ]
    asked: list[float] = []
    last: float | None = None
    for segment in profile.segments:
        last = segment.limit if segment.limit is not None else last
        silent = rated if last is None else max(last, safe)
        current = silent if segment.limit is None else segment.limit
        asked.append(current if current >= _LEAST else 0.0)
    for t in sorted({*starts, *(begin for begin, _ in overdrawn)}):
        factor = OVERDRAW if any(begin <= t < end for begin, end in overdrawn) else 1.0
        yield t, asked[bisect_right(starts, t) - 1] * factor
