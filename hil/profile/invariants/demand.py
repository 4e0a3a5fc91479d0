"""The output against demand and limits: how high, how soon, how exact (sheet 4.9, 3.5, 3.7)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from hil.conformance.catalogue import limit
from hil.conformance.reading import Reading
from hil.conformance.verdict import Measurement
from hil.profile.invariants.basis import (
    CV,
    FAR,
    Context,
    Worst,
    least_of,
    most_of,
    spent,
    time_for,
    tolerance,
    voltage_tolerance,
)
from hil.profile.seen import Demand
from hil.units import Instant, Span, seconds

Step = tuple[Instant, float]


def allowed_current(context: Context) -> list[Step]:
    """The highest current that demands allow, in A, as steps over time.

    A higher demand counts at once; a lower one from the end of the adjustment time that its difference
    from what was allowed takes. A demand that rises again takes back what was asked for below it.
    """
    steps: list[Step] = []
    level = 0.0
    falls: deque[Step] = deque()  # deadlines and levels, both in order
    for demand in context.seen.demands:
        while falls and falls[0][0] < demand.t:
            at, level = falls.popleft()
            steps.append((at, level))
        asked = context.asked(demand)
        if asked >= level:
            falls.clear()
            level = asked
            steps.append((demand.t, level))
            continue
        while falls and falls[-1][1] < asked:
            falls.pop()
        falls.append((demand.t + time_for(level - asked), asked))
        while len(falls) > 1 and falls[-2][0] >= falls[-1][0]:
            del falls[-2]  # a lower demand that is due sooner leaves nothing to ask of this one
    steps.extend(falls)
    return steps


def current_not_above_demand(context: Context) -> Iterator[Measurement]:
    """LP.01: never above the demand and its control error once the response time is over."""
    steps = allowed_current(context)
    worst = Worst("output current against what the demand allows", "A")
    for charge, end in context.charges():
        for number, (at, level) in enumerate(steps):
            until = steps[number + 1][0] if number + 1 < len(steps) else FAR
            if until <= charge.begin or at >= end:
                continue
            high = level + tolerance(level)
            for t, _, peak in context.current.stretches(max(at, charge.begin), min(until, end)):
                worst.see(peak, high=high, at=t)
    yield from worst.measurements()


def within_limits(context: Context) -> Iterator[Measurement]:
    """LP.02: never beyond what BCP and CML allow, at no instant, whatever is demanded."""
    current = Worst("output current against BCP and CML", "A")
    voltage = Worst("output voltage against BCP and CML", "V")
    amperes, volts = context.most_current, context.most_voltage
    for charge, end in context.charges():
        for t, _, high in context.current.stretches(charge.begin, end):
            current.see(high, high=amperes + tolerance(amperes), at=t)
        if not context.failed_stage:
            for t, _, high in context.voltage.stretches(charge.begin, end):
                voltage.see(high, high=volts + voltage_tolerance(volts), at=t)
    yield from current.measurements()
    yield from voltage.measurements()


def zero_demand(context: Context) -> Iterator[Measurement]:
    """LP.03: for a demand of 0 the output is the charger's minimum, or nothing, as the reading has it."""
    worst = Worst("output current for a demand of 0", "A")
    for demand, begin, end in _holds(context):
        if demand.current != 0.0 or context.paused(demand.t, end):
            continue
        begin += _settling(context, demand, begin)
        expected = context.asked(demand)
        width = tolerance(expected)
        if begin < end and not context.voltage_rules(demand, begin, end):
            for t, least, most in context.current.stretches(begin, end):
                worst.see(most, high=expected + width, at=t)
                worst.see(least, low=expected - width, at=t)
    yield from worst.measurements()


def current_follows(context: Context) -> Iterator[Measurement]:
    """LP.04: a demand that holds is met within the adjustment time; a higher one as the reading has it."""
    rising_counts = context.readings["adjustment-direction"] == "both"
    falling = Worst("adjustment time, falling", "s", context.unsure)
    rising = Worst("adjustment time, rising", "s", context.unsure)
    for demand, begin, end in _holds(context):
        asked = context.asked(demand)
        present = context.current.value(begin)
        if present is None or context.paused(begin, end):
            continue
        allowed, slack = _allowed(present, asked)
        if begin + allowed + slack >= end:
            continue
        width = tolerance(asked)
        if most_of(present) > asked + width:
            came = context.current.entered(float("-inf"), asked + width, begin, end)
            took, at = spent(begin, came, end, slack=slack)
            falling.see(took, high=seconds(allowed), at=at)
        elif least_of(present) < asked - width and rising_counts and not context.voltage_rules(demand, begin, end):
            came = context.current.entered(asked - width, float("inf"), begin, end)
            took, at = spent(begin, came, end, slack=slack)
            rising.see(took, high=seconds(allowed), at=at)
    yield from falling.measurements()
    yield from rising.measurements()


def current_error(context: Context) -> Iterator[Measurement]:
    """LP.05: in constant-current mode the settled current is within the control error."""
    worst = Worst("current error, settled", "A")
    for demand, begin, end in _holds(context):
        asked = context.asked(demand)
        if demand.mode == CV or asked != demand.current or demand.current == 0.0:
            continue
        begin += _settling(context, demand, begin)
        if begin >= end or context.paused(demand.t, end) or context.voltage_rules(demand, begin, end):
            continue
        width = tolerance(asked)
        for t, least, most in context.current.stretches(begin, end):
            worst.see(most - asked, high=width, at=t)
            worst.see(least - asked, low=-width, at=t)
    yield from worst.measurements()


def voltage_error(context: Context) -> Iterator[Measurement]:
    """LP.06: where the voltage demand rules, the settled voltage is within the control error."""
    worst = Worst("voltage error, settled", "V")
    for demand, begin, end in _holds(context):
        asked = context.asked(demand)
        begin += _settling(context, demand, begin)
        if begin >= end or demand.current == 0.0 or context.paused(demand.t, end):
            continue
        small = tolerance(asked)
        volts = min(demand.voltage, context.most_voltage)
        width = voltage_tolerance(volts)
        for t, least, most in context.voltage.stretches(begin, end):
            amperes = context.current.value(t) or 0.0
            if least_of(amperes) > small:  # a pack above the demand keeps its voltage, and takes nothing
                worst.see(most - volts, high=width, at=t)
            if most_of(amperes) < asked - 2 * small:
                worst.see(least - volts, low=-width, at=t)
    yield from worst.measurements()


def _holds(context: Context) -> Iterator[tuple[Demand, Instant, Instant]]:
    """A demand, and the stretch for which it held while a charge went on."""
    for charge, end in context.charges():
        first = context.seen.demand_at(charge.begin)
        demands = ([] if first is None else [first]) + context.seen.demands_in(charge.begin, end)
        for number, demand in enumerate(demands):
            until = demands[number + 1].t if number + 1 < len(demands) else end
            begin = max(demand.t, charge.begin)
            if begin < until:
                yield demand, begin, until


def _settling(context: Context, demand: Demand, begin: Instant) -> Span:
    """After this span a demand that holds has settled: the adjustment time, and for what rises the time
    that any reaction may take (sheet 4.3, default rule), as the later edition limits only what falls.
    """
    present = context.current.value(begin) or 0.0
    asked = context.asked(demand)
    return max(_settles(each, asked) for each in {least_of(present), most_of(present)})


def _settles(present: float, asked: float) -> Span:
    allowed = time_for(present - asked)
    return allowed if asked < present else allowed + limit("reaction").high


def _allowed(present: float, asked: float) -> tuple[Span, Span]:
    """The adjustment time from a current that was measured to one that is asked for, and how unsure it is."""
    if not isinstance(present, Reading):
        return time_for(present - asked), 0
    shortest, longest = sorted(time_for(each - asked) for each in (least_of(present), most_of(present)))
    middle = (shortest + longest) // 2
    return middle, longest - middle
