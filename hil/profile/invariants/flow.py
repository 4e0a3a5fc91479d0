"""The session's course: pauses, resumptions, ends of phases, reconnections (sheet 3.12, 4.3, 4.4)."""

from __future__ import annotations

from collections.abc import Iterator

from hil.conformance.catalogue import limit, partner, quantity, tail, timeout
from hil.conformance.verdict import Measurement
from hil.profile.invariants.basis import FAR, Context, Worst, missing, spent, time_for, tolerance
from hil.profile.seen import Charge
from hil.protocol.gbt27930 import CCS
from hil.units import Instant, seconds

_RECONNECTIONS = {"three": 3, "two": 2, "none": 0}


def pauses_output(context: Context) -> Iterator[Measurement]:
    """LP.13: when BSM forbids charging the output goes off, stays off and CCS says so; after 10 minutes CST."""
    time_off, current = Worst("pause to no power", "s", context.unsure), Worst("output current in a pause", "A")
    told, longest = Worst("pause to CCS 3929 = 00", "s", context.unsure), Worst("pause to CST", "s", context.unsure)
    within, most = context.under(limit("reaction")).high, quantity("no-power").most
    for charge, since, until in _pauses(context):
        off = context.current.entered(float("-inf"), most, since, until)
        if off.last is not None or since + within < until:
            took, at = spent(since, off, until)
            time_off.see(took, high=seconds(within), at=at)
        if since + within < until:
            for t, _, high in context.current.stretches(since + within, until):
                current.see(high, high=most, at=t)
            shown = next(
                (each.t for each in context.seen.all("CCS", since, until) if not each.message.charging_permitted), until
            )
            told.see(seconds(shown - since), high=seconds(within), at=shown)
        window = context.under(limit("pause"))
        if until - since > window.low:
            at = charge.end if charge.end < FAR else context.seen.end
            if at < context.seen.end or at - since > window.high:
                longest.see(seconds(at - since), high=seconds(window.high), at=at)
                longest.see(seconds(at - since), low=seconds(window.low), at=at)
    for each in (time_off, current, told, longest):
        yield from each.measurements()


def _pauses(context: Context) -> Iterator[tuple[Charge, Instant, Instant]]:
    """Charge, and the part of a pause that lies in it and that nothing else ended."""
    for charge, end in context.charges():
        first = context.cause(charge)
        until = end if first is None else min(end, first.t)
        for since, ended in context.pauses:
            begin, stop = max(since, charge.begin), min(ended, until)
            if since >= charge.begin and begin < stop:
                yield charge, begin, stop


def resumes_output(context: Context) -> Iterator[Measurement]:
    """LP.14: when BSM allows charging again, CCS says so and the demanded current comes back."""
    told, back = (
        Worst("permission to CCS 3929 = 01", "s", context.unsure),
        Worst("permission to the demanded current", "s", context.unsure),
    )
    reaction = context.under(limit("reaction")).high
    for charge, since, until in _pauses(context):
        first = context.cause(charge)
        end = min([charge.end, context.seen.end, *([] if first is None else [first.t])])
        again = next((each for each, _ in context.pauses if each > since), FAR)
        end = min(end, again)
        if until >= end:
            continue
        shown = next((each.t for each in context.seen.all("CCS", until, end) if each.message.charging_permitted), None)
        if shown is not None or until + reaction < end:
            at = end if shown is None else shown
            told.see(seconds(at - until), high=seconds(reaction), at=at)
        demand = context.seen.demand_at(until)
        if demand is None or demand.current == 0.0:
            continue
        asked = context.asked(demand)
        allowed = reaction + time_for(asked)
        late = until + allowed
        if late < end and not context.seen.demands_in(until, late) and not context.voltage_rules(demand, until, late):
            reached = context.current.entered(asked - tolerance(asked), float("inf"), until, end)
            took, at = spent(until, reached, end)
            back.see(took, high=seconds(allowed), at=at)
    yield from told.measurements()
    yield from back.measurements()


def phases_end(context: Context) -> Iterator[Measurement]:
    """LP.15: no phase goes on for ever: what must follow a stop, a time-out or the statistics follows."""
    seen = context.seen
    answered, tails = Worst("BST to CST", "s", context.unsure), Worst("BST to the last CCS", "s", context.unsure)
    ending = context.under(tail(CCS)).high
    for charge in seen.charges:
        bst = seen.first("BST", charge.begin)
        if bst is None or any(each.t < bst.t for each in context.causes(charge)):
            continue
        cst = seen.first("CST", bst.t - 1)
        within = partner("T19").high
        if cst is not None or bst.t + within < seen.end:
            at = seen.end if cst is None else cst.t
            answered.see(seconds(at - bst.t), high=seconds(within), at=at)
        until = min((each.begin for each in seen.charges if each.begin > charge.begin), default=FAR)
        last = max((each.t for each in seen.all(CCS.name, bst.t, until - 1)), default=bst.t)
        tails.see(seconds(last - bst.t), high=seconds(ending), at=last)
    yield from answered.measurements()
    yield from tails.measurements()
    yield from _stopping_ends(context)


def _stopping_ends(context: Context) -> Iterator[Measurement]:
    """CST is followed by CSD, or by CEM within T11's window; after the last CSD K3/K4 open."""
    seen = context.seen
    over, aux = (
        Worst("first CST to CSD or CEM", "s", context.unsure),
        Worst("last CSD to K3/K4 open", "s", context.unsure),
    )
    window = context.under(timeout("T11")).high
    for charge in seen.charges:
        cst = seen.first("CST", charge.begin)
        if cst is None:
            continue
        ends = [told.t for name in ("CSD", "CEM") if (told := seen.first(name, cst.t)) is not None]
        if ends or cst.t + window < seen.end:
            at = min(ends, default=seen.end)
            over.see(seconds(at - cst.t), high=seconds(window), at=at)
    csd = seen.latest("CSD")
    if csd is not None:
        within = limit("aux-off").high
        opened = seen.signal("k3k4_closed").first_in(0.0, 0.5, csd.t, FAR)
        if opened is not None or csd.t + within < seen.end:
            at = seen.end if opened is None else opened
            aux.see(seconds(at - csd.t), high=seconds(within), at=at)
    yield from over.measurements()
    yield from aux.measurements()


def reconnections_start_over(context: Context) -> Iterator[Measurement]:
    """LP.16: a time-out is followed by CRM(00) as often as is allowed since the last charge that succeeded."""
    seen = context.seen
    allowed = _RECONNECTIONS[context.readings["reconnections"]]
    within = limit("reconnect").high
    worst = Worst("first CEM to CRM(00)", "s", context.unsure)
    failed, last = 0, -1
    for cem in seen.all("CEM"):
        begun = [charge.begin for charge in seen.charges if last < charge.begin < cem.t]
        again = seen.first("CRM", last) if last >= 0 else None
        if last >= 0 and (again is None or again.t > cem.t):
            last = cem.t  # one more of the same report
            continue
        failed = 0 if begun else failed + 1
        last = cem.t
        cst = seen.first("CST", max((each.begin for each in seen.charges if each.begin < cem.t), default=-1))
        if cst is not None and cst.t < cem.t:
            continue  # in the end phase there is no reconnection (sheet 4.4)
        follows = seen.first("CRM", cem.t)
        if failed >= allowed or _disturbed(context, cem.t, cem.t + within):
            continue
        if follows is None and cem.t + within >= seen.end:
            continue
        if follows is None:
            yield missing(worst.name, "s", within, cem.t + within)
        else:
            worst.see(seconds(follows.t - cem.t), high=seconds(within), at=follows.t)
    yield from worst.measurements()


def _disturbed(context: Context, begin: Instant, end: Instant) -> bool:
    """Something else that forbids a reconnection: lines, supply, buttons."""
    names = ("cc1_voltage", "pe_ok", "ac_present", "emergency_stop", "stop_button")
    return any(t <= end for name in names for t, _ in context.seen.signal(name).changes(begin))
