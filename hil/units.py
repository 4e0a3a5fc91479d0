"""Spans of time as integer nanoseconds, and how instants are shown.

Every instant and span inside ``hil`` is an ``int`` of nanoseconds: instants count from the start
of a world, spans are differences of instants. Only ``hil.transport`` knows a real clock.
"""

from __future__ import annotations

Instant = int
"""Nanoseconds since the start of the world."""
Span = int
"""A difference of instants, in nanoseconds."""
FAR: Instant = 1 << 62
"""Later than any instant: the deadline of what waits for nothing."""

MICROSECOND: Span = 1_000
MILLISECOND: Span = 1_000_000
SECOND: Span = 1_000_000_000


def us(value: float) -> Span:
    """Microseconds as a span, rounded to the nearest nanosecond."""
    return round(value * MICROSECOND)


def ms(value: float) -> Span:
    """Milliseconds as a span, rounded to the nearest nanosecond."""
    return round(value * MILLISECOND)


def s(value: float) -> Span:
    """Seconds as a span, rounded to the nearest nanosecond."""
    return round(value * SECOND)


def minutes(value: float) -> Span:
    """Minutes as a span, rounded to the nearest nanosecond."""
    return round(value * 60 * SECOND)


def seconds(span: Span) -> float:
    """A span (or an instant) in seconds, for display and for physics."""
    return span / SECOND


def show_instant(instant: Instant) -> str:
    """An instant as ``12.345678 s``, the form used in reports and traces."""
    return f"{instant / SECOND:.6f} s"


def show_span(span: Span) -> str:
    """A span in the unit a reader expects: ``250 ms``, ``1.2 s``, ``10 min``."""
    magnitude = abs(span)
    if magnitude < MILLISECOND:
        return f"{span / MICROSECOND:g} us"
    if magnitude < SECOND:
        return f"{span / MILLISECOND:.6g} ms"
    if magnitude < 120 * SECOND:
        return f"{span / SECOND:.6g} s"
    return f"{span / (60 * SECOND):.6g} min"
