"""What happens in a soak session: demands, pauses, losses of the line, stops from either side, further visits."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping

from hil.bench.actions import alter, demand, restore, stimulate, stop_charging
from hil.dut.gbt27930.spec import Power
from hil.protocol.gbt27930 import BSM, BST
from hil.soak.plan import Loss, Step, Stop, Visit
from hil.tester.gbt27930 import VehicleSpec
from hil.units import Span, minutes, ms, s, seconds

SHORTEST, LONGEST = s(10), minutes(20)
_LATER_LONGEST = minutes(2)
_PAUSE_LIMIT = minutes(10)
_REASONS = tuple(name for name in BST.signals if name != "charger_stopped")
_ABNORMAL = (
    *(("cell_voltage_state", 1), ("cell_voltage_state", 2), ("soc_state", 1), ("soc_state", 2), ("overcurrent", 1)),
    *(("overtemperature", 1), ("insulation", 1), ("connector", 1)),
)
"""Items of BSM that end the charge (sheet 3.12)."""
_UNTRUSTED = ("overcurrent", "overtemperature", "insulation", "connector")
"""Items whose "untrusted" is no reason to act (sheet 3.12)."""
_STIMULI: Mapping[str, tuple[str, float, float | None]] = {
    "stop button": ("stop_press", 1, None),
    "emergency stop": ("emergency_press", 1, 0),
    "supply lost": ("ac_supply", 0, 1),
    "earth lost": ("pe_broken", 1, 0),
    "switch S opened": ("switch_s_closed", 0, 1),
    "CC1 broken": ("cc1_broken", 1, 0),
}
"""Stimulus, its value, and the value that undoes it."""
BY_SOC = Stop("SOC reached", (), within=minutes(30))
"""By the vehicle itself, at the SOC of its spec."""


def draw_visits(rng: random.Random, power: Power, vehicle: VehicleSpec, *, may_reconnect: bool) -> tuple[Visit, ...]:
    """One to three charges on one plug or on several; the line is cut for long only where that may be overcome."""
    count = rng.choices((1, 2, 3), (75, 20, 5))[0]
    return tuple(
        _draw_visit(rng, power, vehicle, number == 0, _LATER_LONGEST if number else LONGEST, may_reconnect)
        for number in range(count)
    )


def _draw_visit(
    rng: random.Random, power: Power, vehicle: VehicleSpec, first: bool, longest: Span, may_reconnect: bool
) -> Visit:
    if rng.random() < 0.03:
        return Visit(first or rng.random() < 0.6, rng.randint(ms(200), s(5)), (), (), 0, _by_vehicle(rng))
    length = round(math.exp(rng.uniform(math.log(SHORTEST), math.log(longest))))
    steps = _demands(rng, power, vehicle, length)
    steps += _pauses(rng, length)
    return Visit(
        replug=first or rng.random() < 0.6,
        rest=rng.randint(ms(200), s(5)),
        steps=tuple(sorted(steps, key=lambda step: step.at)),
        losses=_losses(rng, length, may_reconnect),
        length=length,
        stop=_stop(rng, length),
    )


def _demands(rng: random.Random, power: Power, vehicle: VehicleSpec, length: Span) -> list[Step]:
    most = min(vehicle.max_current, power.max_current)
    steps = []
    for _ in range(rng.randint(0, 4 + round(seconds(length) / 20))):
        amperes = round(rng.uniform(power.min_current, most), 1)
        if rng.random() < 0.05:
            amperes = 0.0
        volts = round(rng.uniform(0.97, 1.0) * vehicle.demand_voltage, 1)
        action = demand(voltage=volts, current=amperes, mode=rng.choice((1, 2)))
        steps.append(Step(rng.randint(0, length), "demand 0" if amperes == 0 else "demand", (action,)))
    return steps


def _pauses(rng: random.Random, length: Span) -> list[Step]:
    steps: list[Step] = []
    at = rng.randint(0, length)
    while at < length - s(1) and rng.random() < 0.4:
        kind = rng.random()
        lasts = rng.randint(ms(300), s(60))
        if kind < 0.7:
            what, fields = "pause", {"charging_permission": 0}
        else:
            what, fields = "untrusted", {rng.choice(_UNTRUSTED): 2}
        steps.append(Step(at, what, (alter(BSM, **fields),)))
        steps.append(Step(at + lasts, f"{what} over", (restore(BSM),)))
        at = rng.randint(at + lasts, max(length, at + lasts))
    return [step for step in steps if step.at < length]


def _losses(rng: random.Random, length: Span, may_reconnect: bool) -> tuple[Loss, ...]:
    if rng.random() > 0.15:
        return ()
    reconnects = may_reconnect and rng.random() < 0.6
    lasts = rng.randint(ms(1500), s(4)) if reconnects else rng.randint(ms(20), ms(600))
    return (Loss(rng.randint(0, length), lasts, reconnects, shorted=rng.random() < 0.3),)


def _stop(rng: random.Random, length: Span) -> Stop:
    kinds: tuple[Callable[[random.Random], Stop], ...] = (_by_vehicle, _by_charger, _by_state)
    if length > minutes(4) and rng.random() < 0.05:
        pause = (restore(BSM), alter(BSM, charging_permission=0))
        return Stop("pause too long", pause, within=_PAUSE_LIMIT + s(70))
    return rng.choices(kinds, (5, 4, 1))[0](rng)


def _by_vehicle(rng: random.Random) -> Stop:
    reason = rng.choice(_REASONS)
    return Stop(f"BST {reason}", (stop_charging(reason),))


def _by_charger(rng: random.Random) -> Stop:
    what = rng.choice(list(_STIMULI))
    name, value, back = _STIMULI[what]
    return Stop(what, (stimulate(name, value),), () if back is None else (stimulate(name, back),))


def _by_state(rng: random.Random) -> Stop:
    item, value = rng.choice(_ABNORMAL)
    return Stop(f"BSM {item} = {value}", (alter(BSM, **{item: value}),))
