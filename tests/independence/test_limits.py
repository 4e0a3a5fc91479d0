"""The charger's numbers and the judge's are two sets: each moves without the other, and both count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from hil.bench.actions import first, hold, silence, stimulate, stop_charging, vehicle_contactors
from hil.bench.setup import Setup, build
from hil.conformance import catalogue
from hil.conformance.monitors import MonitorSet
from hil.conformance.register import resolve
from hil.dut.gbt27930 import reference
from hil.dut.gbt27930.spec import ChargerSpec
from hil.protocol.gbt27930 import BCL, BCP, BCS, BRM, BRO, BSD, BST, CCS, CHM, CRO
from hil.soak import Outcome, draw, run_session
from hil.units import Span, s
from hil.world.observation import Observation
from hil.world.plan import Action, Advance, Do, Plan, Rule, Trigger

READINGS = resolve({}, None)


# --- the judge's numbers do not reach the wire ------------------------------------------------------


def forget() -> None:
    """Limits are made anew when they are asked for next."""
    for make in (catalogue.timeout, catalogue.partner, catalogue.period, catalogue.tail, catalogue.limit):
        make.cache_clear()
    catalogue.quantity.cache_clear()


@pytest.fixture
def halved(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every number of ``limits.toml`` is half of what it is."""
    true = catalogue._limits()
    changed = msgspec.convert(halve(msgspec.to_builtins(true)), type(true))
    assert changed != true
    monkeypatch.setattr(catalogue, "_limits", lambda: changed)
    forget()
    yield
    monkeypatch.undo()
    forget()


def halve(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: halve(each) for key, each in value.items()}
    if isinstance(value, list):
        return [halve(each) for each in value]
    return value / 2 if isinstance(value, int | float) and not isinstance(value, bool) else value


def with_a_loss(seed: int) -> bool:
    plan = draw(seed)
    losses = [loss for visit in plan.visits for loss in visit.losses if loss.reconnects]
    return bool(losses) and plan.length < s(60)


SEEDS = [seed for seed in range(150) if with_a_loss(seed)][:2]
PLANS = {seed: draw(seed) for seed in SEEDS}
"""Sessions with time-outs and reconnections in them, drawn while the catalogue is as it is."""


def session(seed: int) -> tuple[list[Observation], Outcome]:
    seen: list[Observation] = []
    outcome = run_session(PLANS[seed], seen.extend)
    return seen, outcome


TRUE = {seed: session(seed) for seed in SEEDS}


@pytest.mark.parametrize("seed", SEEDS)
def test_other_limits_change_the_judgement_and_no_trace(seed: int, halved: None) -> None:
    seen, outcome = session(seed)
    assert seen == TRUE[seed][0]
    assert TRUE[seed][1].problems == ()
    assert len(outcome.problems) > 5


# --- the charger's numbers reach the verdict --------------------------------------------------------


def judged(charger: ChargerSpec, rules: tuple[Rule, ...], until: Span) -> set[str]:
    """Which monitors find something of the charger in one session with these stimuli."""
    world = build(Setup(seed=3, readings=READINGS), lambda _: charger)
    monitors = MonitorSet("2015", READINGS, sides=("charger",))
    for command in (
        Plan(rules),
        Do((stimulate("plugged", 1),)),
        Advance(s(1)),
        Do((stimulate("start_press", 1),)),
        Advance(until),
    ):
        monitors.feed(world.execute(command).observations)
    return {finding.requirement.removeprefix("MON/") for finding in monitors.finish(until)}


def when(trigger: Trigger, *actions: Action, delay: Span = 0) -> Rule:
    return Rule("stimulus", trigger, actions, delay)


HANDSHAKE, CHARGING = first(CHM), first(CCS)
SCENES: dict[str, tuple[tuple[Rule, ...], Span]] = {
    "nominal": ((when(CHARGING, stop_charging("soc_reached"), delay=s(3)),), s(20)),
    "no BRM": ((when(HANDSHAKE, silence(BRM)),), s(12)),
    "no BCP": ((when(HANDSHAKE, silence(BCP)),), s(15)),
    "no BRO": ((when(HANDSHAKE, silence(BRO)),), s(15)),
    "BRO(00)": ((when(HANDSHAKE, hold("prepare")),), s(100)),
    "BRO ends": (
        (when(HANDSHAKE, vehicle_contactors(close=False)), when(first(CRO, ready=0x00), silence(BRO), delay=s(2))),
        s(20),
    ),
    "no BCL": ((when(HANDSHAKE, silence(BCL)),), s(10)),
    "no BCS": ((when(HANDSHAKE, silence(BCS)),), s(16)),
    "BCL ends": ((when(CHARGING, silence(BCL), delay=s(3)),), s(15)),
    "BCS ends": ((when(CHARGING, silence(BCS), delay=s(3)),), s(20)),
    "no BST": ((when(CHARGING, silence(BST), stimulate("stop_press", 1), delay=s(3)),), s(20)),
    "no BSD": ((when(CHARGING, silence(BSD), stimulate("stop_press", 1), delay=s(3)),), s(30)),
}
"""Stimuli, and how long to look."""
PERIODS = {
    "CHM": "nominal",
    "CRM00": "no BRM",
    "CRMAA": "no BCP",
    "CML": "no BRO",
    "CTS": "no BRO",
    "CRO00": "BRO ends",
    "CROAA": "no BCL",
    "CCS": "nominal",
    "CST": "nominal",
    "CSD": "nominal",
    "CEM": "no BRM",
}
TIMEOUTS = {
    "T1": "no BRM",
    "T2": "no BCP",
    "T3": "no BRO",
    "T4": "BRO(00)",
    "T5": "BRO ends",
    "T6": "no BCL",
    "T7": "no BCS",
    "T8": "BCL ends",
    "T9": "BCS ends",
    "T10": "no BST",
    "T11": "no BSD",
}


@pytest.mark.parametrize("scene", SCENES)
def test_the_reference_is_blamed_for_nothing(scene: str) -> None:
    assert judged(reference(READINGS), *SCENES[scene]) == set()


@pytest.mark.parametrize("send", PERIODS)
@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_another_period_of_the_charger_is_a_finding(send: str, factor: float) -> None:
    spec = reference(READINGS)
    found = judged(spec.timing(**{send: round(factor * spec.spans[send])}), *SCENES[PERIODS[send]])
    assert f"PERIOD.{send[:3]}" in found


@pytest.mark.parametrize("name", TIMEOUTS)
@pytest.mark.parametrize("factor", [0.7, 1.4])
def test_another_time_out_of_the_charger_is_a_finding(name: str, factor: float) -> None:
    spec = reference(READINGS)
    found = judged(spec.timing(**{name: round(factor * spec.spans[name])}), *SCENES[TIMEOUTS[name]])
    assert found & {f"TIMEOUT.{name}", "ERROR.cause"}
