"""Ends: how soon the output is off, what the contactors do, what must not flow outside (sheet 4.8, 4.9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hil.conformance.catalogue import Limit, limit, quantity
from hil.conformance.verdict import Measurement
from hil.profile.invariants.basis import FAR, Context, Worst, least_of, most_of, spent
from hil.profile.invariants.causes import Cause
from hil.profile.seen import Charge, Entered
from hil.units import SECOND, Instant, Span, ms, s, seconds

_CLOSING = ms(50)
"""Around the instant at which contactors close, an inrush may be told."""
_NORMAL = ("bst", "manual")
_LARGE_CURRENT = 100.0
"""A from which the stop rate is judged as such; below it a stop takes 1 s at most (sheet 4.9)."""


def output_off(context: Context) -> Iterator[Measurement]:
    """LP.07: after whatever ends a charge the output is off within the limit for that cause."""
    worst: dict[str, Worst] = {}
    for charge in context.seen.charges:
        first = context.cause(charge)
        if first is None:
            continue
        for label, came, since, within, slack in _awaited(context, charge, first):
            deadline = since + within.high
            if came.last is None and deadline >= context.seen.end:
                continue
            if came.last is not None:
                came = came._replace(first=max(came.first or since, since), last=max(came.last, since))
            took, at = spent(since, came, context.seen.end, slack=slack)
            kept = worst.setdefault(label, Worst(label, "s", context.unsure))
            kept.see(took, high=seconds(within.high), at=at, note=within.source)
    for each in worst.values():
        yield from each.measurements()


class Awaited(NamedTuple):
    """What must come after a cause, and when it came."""

    label: str
    came: Entered
    since: Instant
    within: Limit
    slack: Span = 0
    """How unsure the span is beside what came."""


def _awaited(context: Context, charge: Charge, first: Cause) -> Iterator[Awaited]:
    """What must come after a cause."""
    at, kind, open_ = first
    if kind == "switch_s":
        yield Awaited("switch S open to no power", _off(context, at), at, limit("switch-s"))
    elif kind == "cc1":
        yield Awaited("CC1 lost to K1/K2 open", _opened(context, at), at, limit("cc1-open"))
        yield Awaited("CC1 lost to CST", _told(context, at), at, limit("cc1-open"))
    elif kind == "earth":
        yield Awaited("earth lost to no power", _off(context, at), at, limit("pe-lost"))
    elif kind == "supply":
        yield Awaited("AC lost to K1/K2 open", _opened(context, at), at, limit("ac-lost"))
    elif kind == "excess":
        label, middle = "output above the vehicle's limit to no power", at + open_ // 2
        yield Awaited(label, _off(context, at), middle, limit("over-voltage"), open_ - open_ // 2)
    elif kind == "emergency":
        yield Awaited("emergency stop to CST", _told(context, at), at, limit("other-fault"))
    elif kind == "error":
        yield Awaited("error to no power", _off(context, at), at, limit("shutdown"))
        yield Awaited("error to K1/K2 open", _opened(context, at), at, limit("shutdown"))
    else:
        yield from _normal(context, charge, first)


def _normal(context: Context, charge: Charge, first: Cause) -> Iterator[Awaited]:
    """BST counts from its first frame; what the charger ends itself, from its first CST."""
    since: Instant | None = first.t if first.kind == "bst" else _cst(context, first.t)
    if since is None:
        return
    present = context.current.value(since) or 0.0
    shortest, longest = (_stop_time(each) for each in (least_of(present), most_of(present)))
    middle = (shortest.high + longest.high) // 2
    allowed = Limit(shortest.name, 0, middle, shortest.source)
    yield Awaited("stop to no power", _off(context, since), since, allowed, abs(longest.high - middle))


def _stop_time(present: float) -> Limit:
    """How long a stop at a current may take."""
    rate, small = quantity("stop-rate").low, limit("stop-small")
    assert rate is not None, "limits.toml gives it"
    if present < _LARGE_CURRENT:
        return small
    return Limit("stop rate", 0, round((present - quantity("no-power").most) / rate * SECOND), small.source)


def _off(context: Context, since: Instant) -> Entered:
    return context.current.entered(float("-inf"), quantity("no-power").most, since, FAR)


def _opened(context: Context, since: Instant) -> Entered:
    opened = _open(context, since)
    return Entered(opened, opened)


def _told(context: Context, since: Instant) -> Entered:
    told = _cst(context, since)
    return Entered(told, told)


def _open(context: Context, since: Instant) -> Instant | None:
    return context.seen.signal("k1k2_closed").first_in(0.0, 0.5, since, FAR)


def _cst(context: Context, since: Instant) -> Instant | None:
    told = context.seen.first("CST", since)
    return None if told is None else told.t


def no_energy_outside(context: Context) -> Iterator[Measurement]:
    """LP.08: no power before a charge begins, nor once its end has had its time."""
    worst = Worst("output current outside of a charge", "A")
    most, inrush = quantity("no-power").most, quantity("inrush").most
    closings = [
        t for name in ("k1k2_closed", "k5k6_closed") for t, value in context.seen.signal(name).changes() if value
    ]
    begin: Instant = 0
    latency = context.current.latency
    for charge in [*context.seen.charges, None]:
        end = context.seen.end if charge is None else charge.begin
        for t, _, high in context.current.stretches(begin, max(end, begin)) if begin < end else ():
            rushes = any(abs(t - closing) <= _CLOSING + latency for closing in closings)
            worst.see(high, high=inrush if rushes else most, at=t)
        if charge is not None:
            latest = min(charge.end, context.seen.end) + limit("stop-current").high
            opened = _open(context, charge.end) if charge.end < context.seen.end else None
            begin = latest if opened is None else min(opened, latest)
    yield from worst.measurements()


def contactors_open_without_load(context: Context) -> Iterator[Measurement]:
    """LP.09: K1/K2 open at 5 A or less in a normal stop."""
    worst = Worst("output current when K1/K2 opened", "A")
    opened = [t for t, value in context.seen.signal("k1k2_closed").changes() if not value]
    for charge in context.seen.charges:
        found = context.causes(charge)
        if not found:
            continue
        for t in opened:
            normal = all(each.kind in _NORMAL for each in found if each.t <= t)
            if normal and charge.begin < t < found[0].t + s(10):
                current = _current_at_opening(context, t)
                if current is not None:
                    worst.see(current, high=quantity("opening-current").most, at=t)
    yield from worst.measurements()


def _current_at_opening(context: Context, t: Instant) -> float | None:
    """As the instrument tells it, where one measures the current; the plant has it of that very instant."""
    if context.current.polled:
        return context.current.value(t)
    current = context.seen.signal("k1k2_open_current").value(t)
    return None if current is None else context.current.reading(current)
