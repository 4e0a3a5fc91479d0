"""The output against demand and limits: how high, how soon, how exact (sheet 4.9, 3.5, 3.7)."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator

from hil.conformance.verdict import Measurement
from hil.profile.invariants.basis import CV, FAR, Context, Worst, time_for, tolerance, voltage_tolerance
from hil.units import Instant, seconds

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
        while falls and falls[0][0] <= demand.t:
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
        index = max(bisect_right(steps, charge.begin, key=lambda step: step[0]) - 1, 0)
        while index < len(steps) and steps[index][0] < end:
            at, level = steps[index]
            until = steps[index + 1][0] if index + 1 < len(steps) else FAR
            begin, stop = max(at, charge.begin), min(until, end)
            for t, _, high in context.current.stretches(begin, stop):
                worst.see(high, high=level + tolerance(level), at=t)
            index += 1
    yield from worst.measurements()


def within_limits(context: Context) -> Iterator[Measurement]:
    """LP.02: never beyond what BCP and CML allow, at no instant."""
    current = Worst("output current against BCP and CML", "A")
    voltage = Worst("output voltage against BCP and CML", "V")
    failed_stage = any(
        note.kind == "stimulus" and note.what.startswith("over_voltage_fault") for note in context.seen.notes
    )
    amperes, volts = context.most_current, context.most_voltage
    for charge, end in context.charges():
        for t, _, high in context.current.stretches(charge.begin, end):
            current.see(high, high=amperes + tolerance(amperes), at=t)
        if not failed_stage:
            for t, _, high in context.voltage.stretches(charge.begin, end):
                voltage.see(high, high=volts + voltage_tolerance(volts), at=t)
    yield from current.measurements()
    yield from voltage.measurements()


def current_follows(context: Context) -> Iterator[Measurement]:
    """LP.03: a demand that holds is met within the adjustment time."""
    falling = Worst("adjustment time, falling", "s")
    for charge, end in context.charges():
        demands = [each for each in (context.seen.demand_at(charge.begin),) if each] + context.seen.demands_in(
            charge.begin, end
        )
        for number, demand in enumerate(demands):
            until = demands[number + 1].t if number + 1 < len(demands) else end
            asked = context.asked(demand)
            begin = max(demand.t, charge.begin)
            present = context.current.value(begin)
            if present is None or asked >= present:
                continue
            limit = time_for(present - asked)
            if begin + limit >= until:
                continue
            reached = context.current.first_in(float("-inf"), asked + tolerance(asked), begin, until)
            took = seconds((until if reached is None else reached) - begin)
            falling.see(took, high=seconds(limit), at=until if reached is None else reached)
    yield from falling.measurements()


__all__ = ["CV", "allowed_current", "current_follows", "current_not_above_demand", "within_limits"]
