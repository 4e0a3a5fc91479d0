"""Ends: how soon the output is off, what the contactors do, what must not flow outside (sheet 4.8, 4.9)."""

from __future__ import annotations

from collections.abc import Iterator

from hil.conformance.catalogue import Limit, limit, quantity
from hil.conformance.verdict import Measurement
from hil.profile.invariants.basis import FAR, Context, Worst
from hil.profile.invariants.causes import Cause
from hil.profile.seen import Charge
from hil.units import SECOND, Instant, ms, s, seconds

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
        for label, reached, since, within in _awaited(context, charge, first):
            deadline = since + within.high
            if reached is None and deadline >= context.seen.end:
                continue
            at = min(context.seen.end if reached is None else reached, context.seen.end)
            kept = worst.setdefault(label, Worst(label, "s", context.unsure))
            kept.see(seconds(max(at - since, 0)), high=seconds(within.high), at=at, note=within.source)
    for each in worst.values():
        yield from each.measurements()


Awaited = tuple[str, Instant | None, Instant, Limit]


def _awaited(context: Context, charge: Charge, first: Cause) -> Iterator[Awaited]:
    """Label, instant, reference and limit of what must come after a cause."""
    at, kind = first
    off = _off(context, at)
    if kind == "switch_s":
        yield "switch S open to no power", off, at, limit("switch-s")
    elif kind == "cc1":
        yield "CC1 lost to K1/K2 open", _open(context, at), at, limit("cc1-open")
        yield "CC1 lost to CST", _cst(context, at), at, limit("cc1-open")
    elif kind == "earth":
        yield "earth lost to no power", off, at, limit("pe-lost")
    elif kind == "supply":
        yield "AC lost to K1/K2 open", _open(context, at), at, limit("ac-lost")
    elif kind == "excess":
        yield "output above the vehicle's limit to no power", off, at, limit("over-voltage")
    elif kind == "emergency":
        yield "emergency stop to CST", _cst(context, at), at, limit("other-fault")
    elif kind == "error":
        yield "error to no power", off, at, limit("shutdown")
        yield "error to K1/K2 open", _open(context, at), at, limit("shutdown")
    else:
        yield from _normal(context, charge, first)


def _normal(context: Context, charge: Charge, first: Cause) -> Iterator[Awaited]:
    """BST counts from its first frame; what the charger ends itself, from its first CST."""
    since: Instant | None = first.t if first.kind == "bst" else _cst(context, first.t)
    if since is None:
        return
    present = context.current.value(since) or 0.0
    rate = quantity("stop-rate").low
    assert rate is not None, "limits.toml gives it"
    allowed = limit("stop-small")
    if present >= _LARGE_CURRENT:
        allowed = Limit("stop rate", 0, round((present - quantity("no-power").most) / rate * SECOND), allowed.source)
    yield "stop to no power", _off(context, since), since, allowed


def _off(context: Context, since: Instant) -> Instant | None:
    return context.current.first_in(float("-inf"), quantity("no-power").most, since, FAR)


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
    for charge in [*context.seen.charges, None]:
        end = context.seen.end if charge is None else charge.begin
        for t, _, high in context.current.stretches(begin, max(end, begin)) if begin < end else ():
            rushes = any(abs(t - closing) <= _CLOSING for closing in closings)
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
                current = context.seen.signal("k1k2_open_current").value(t)
                if current is not None:
                    worst.see(current, high=quantity("opening-current").most, at=t)
    yield from worst.measurements()
