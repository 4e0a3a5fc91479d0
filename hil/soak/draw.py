"""Draws whole sessions from a seed. Everything in them is legal by sheet and catalogue."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from hil.bench.setup import Setup
from hil.conformance.register import PRESETS, register, resolve
from hil.dut.gbt27930 import reference
from hil.protocol.gbt27930 import edition
from hil.soak.happenings import BY_SOC, draw_visits
from hil.soak.plan import Plan, Visit
from hil.soak.sides import draw_charger, draw_vehicle
from hil.soak.timing import draw_intervals, draw_transfers
from hil.tester.gbt27930 import VEHICLES

_EDITION = "2015"
_FREE = (
    *("dn2007-2009", "demand-zero", "dlc", "reserved-bits", "reconnections", "period-10ms", "period-tolerance"),
    *("bhm-silence", "t3-bro", "cst-cause", "ccs-accuracy"),
)
"""Entries of the register to whose every choice the reference charger can be built."""


def draw(seed: int) -> Plan:
    """The plan of a session; equal seeds give equal plans, in any process."""
    rng = random.Random(f"soak:{seed}")  # noqa: S311 - repeatable on purpose
    messages = edition(_EDITION)
    preset, readings = _readings(rng)
    setup = Setup(
        seed=seed,
        edition=_EDITION,
        vehicle=rng.choice(sorted(VEHICLES)),
        soc=round(rng.uniform(2.0, 97.0), 2),
        temperature=round(rng.uniform(-10.0, 45.0), 1),
        readings=readings,
    )
    vehicle = VEHICLES[setup.vehicle]
    charger = draw_charger(rng, reference(readings), vehicle)
    vehicle = draw_vehicle(rng, vehicle, charger.power, readings)
    ours, theirs = (draw_intervals(rng, side, messages, readings) for side in ("charger", "bms"))
    transfers = draw_transfers(rng, theirs, vehicle.cells)
    charger = charger.timing(**ours.periods).but(wander=ours.wander, tp=transfers.answers, tp_timing=transfers.receiver)
    vehicle = replace(
        vehicle,
        spans={**vehicle.spans, **theirs.periods},
        wander=theirs.wander,
        tp=transfers.allows,
        tp_timing=transfers.sender,
        optional=transfers.optional,
    )
    visits = draw_visits(rng, charger.power, vehicle, may_reconnect=charger.reconnections > 0)
    if len(visits) == 1 and visits[0].length and rng.random() < 0.06:
        assert setup.soc is not None, "drawn above"
        vehicle = replace(vehicle, stop_soc=setup.soc + rng.uniform(0.005, 0.05))
        visits = (replace(visits[0], stop=BY_SOC),)
    plan = Plan(seed, setup, charger, vehicle, rng.randint(1, 4), visits, ())
    return replace(plan, features=tuple(dict.fromkeys((preset, *transfers.features, *_features(plan)))))


def _readings(rng: random.Random) -> tuple[str, dict[str, str]]:
    """Default, strict or field, or single entries chosen freely."""
    preset = rng.choice(("default", *PRESETS, "field", "mixed"))
    if preset != "mixed":
        return preset, resolve({}, None if preset == "default" else preset)
    chosen = {name: rng.choice(list(register()[name].choices)) for name in rng.sample(_FREE, 3)}
    return preset, resolve(chosen, None)


def _features(plan: Plan) -> Iterator[str]:
    """What a plan has that others have not."""
    vehicle, charger = plan.vehicle, plan.charger
    yield plan.setup.vehicle
    if "CTS" not in charger.states["configure"].sends:
        yield "no CTS"
    if "CTS" in charger.content:
        yield "empty CTS"
    if vehicle.padded:
        yield "vehicle pads"
    if vehicle.clear_bits:
        yield "vehicle clears reserved bits"
    if vehicle.spans["early_end"]:
        yield "BST ends early"
    for number, visit in enumerate(plan.visits):
        if number:
            yield "further charge, replugged" if visit.replug else "further charge, same plug"
        yield from _of_visit(visit)


def _of_visit(visit: Visit) -> Iterator[str]:
    yield f"stop: {visit.stop.what}" if visit.length else "stop while preparing"
    for loss in visit.losses:
        yield "loss with reconnection" if loss.reconnects else "short loss"
        if loss.shorted:
            yield "line shorted"
    for step in visit.steps:
        if not step.what.endswith("over"):
            yield step.what
