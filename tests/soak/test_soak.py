"""Random legal sessions find nothing; whatever is not legal is found; each is repeated by its seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from hil.conformance.catalogue import limit, period
from hil.dut.faults import apply_faults
from hil.errors import UsageError
from hil.protocol.gbt27930 import edition
from hil.soak import Plan, draw, run_session, session_seeds, soak
from hil.units import ms, s
from hil.world.observation import Observation

SHORT = s(25)
MANY = 400


def short(plan: Plan) -> bool:
    return plan.length < SHORT


PLANS = [draw(seed) for seed in session_seeds(0, MANY)]
"""The sessions that ``hil soak`` begins with. Only the short ones are run here: the full number is ``make soak``."""
SHORT_PLANS = [plan for plan in PLANS if short(plan)]


# --- no false alarm ---------------------------------------------------------------------------------


def test_nothing_is_found_in_legal_sessions() -> None:
    assert len(SHORT_PLANS) > 40
    found = [
        f"{problem}\n  hil soak --session-seed {plan.seed}"
        for plan in SHORT_PLANS
        for problem in run_session(plan).problems
    ]
    assert not found, "\n".join(found)


def test_the_sessions_have_what_there_is() -> None:
    counted = Counter(feature for plan in PLANS for feature in plan.features)
    for feature in (
        *("default", "strict", "field", "mixed", "car-400v", "truck-lfp-600v", "truck-lfp-800v"),
        *("BMV sent", "BMT sent", "BSP sent", "hold CTS", "packets per CTS", "slow answers"),
        *("no CTS", "empty CTS", "vehicle pads", "vehicle clears reserved bits", "BST ends early"),
        *("further charge, replugged", "further charge, same plug", "stop while preparing", "stop: SOC reached"),
        *("demand", "demand 0", "pause", "untrusted", "short loss", "loss with reconnection", "line shorted"),
        "stop: pause too long",
        *("stop: stop button", "stop: emergency stop", "stop: supply lost", "stop: earth lost", "stop: CC1 broken"),
        *("stop: BST overcurrent", "stop: BST insulation_fault", "stop: BSM connector = 1"),
    ):
        assert counted[feature], feature


@pytest.mark.parametrize("plan", PLANS[:60], ids=lambda plan: str(plan.seed))
def test_what_is_drawn_lies_within_the_limits(plan: Plan) -> None:
    messages = edition(plan.setup.edition).by_name
    for spec in (plan.charger, plan.vehicle):
        for send, steps in spec.wander.items():
            allowed = period(messages[send[:3]]).under(plan.setup.readings)
            for step in (0, *steps):
                assert allowed.low < spec.spans[send] + step < allowed.high, send
    response = limit("tp-response").high
    assert plan.charger.tp.answer_after < response
    assert plan.vehicle.tp_timing.first_packet < response
    assert all(gap < response for gaps in plan.vehicle.tp_timing.packet_gaps.values() for gap in gaps)
    assert all(visit.length == 0 or s(10) <= visit.length <= s(1200) for visit in plan.visits)


# --- it bites ---------------------------------------------------------------------------------------


def plain(plan: Plan) -> bool:
    """An ordinary charge without a loss, judged by the strict readings."""
    losses = any(visit.losses for visit in plan.visits)
    readings = plan.setup.readings
    strict = readings["period-tolerance"] == "10-percent" and readings["dlc"] == "defined"
    return plan.visits[0].length > 0 and not losses and strict


PLAIN = next(plan for plan in SHORT_PLANS if plain(plan))


@pytest.mark.parametrize(
    ("charger", "found"),
    [
        pytest.param({"spans": {"CCS": ms(58)}}, "MON/PERIOD.CCS (charger)", id="period"),
        pytest.param({"spans": {"statistics": s(12)}}, "MON/STOP.CSD (charger)", id="CSD too long"),
        pytest.param({"power": {"release_aux": False}}, "at the end K3/K4 shows 1.0", id="K3/K4"),
        pytest.param({"power": {"release_k1k2": False}}, "at the end K1/K2 shows 1.0", id="K1/K2"),
        pytest.param({"power": {"discharge": False}}, "at the end the output shows", id="discharge"),
    ],
)
def test_a_charger_that_is_not_legal_is_found(charger: dict[str, dict[str, Any]], found: str) -> None:
    spec = PLAIN.charger.timing(**charger.get("spans", {})).powered(**charger.get("power", {}))
    spec = spec.but(wander={})
    problems = run_session(replace(PLAIN, charger=spec)).problems
    assert any(found in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("vehicle", "found"),
    [
        pytest.param({"BCL": ms(60)}, "MON/PERIOD.BCL (bms)", id="period"),
        pytest.param({"early_end": s(3)}, "MON/SILENCE.BST (bms)", id="BST ends far too early"),
    ],
)
def test_a_vehicle_that_is_not_legal_is_found(vehicle: dict[str, int], found: str) -> None:
    spec = replace(PLAIN.vehicle, spans={**PLAIN.vehicle.spans, **vehicle}, wander={})
    problems = run_session(replace(PLAIN, vehicle=spec)).problems
    assert any(found in problem for problem in problems), problems


def test_a_seeded_fault_is_found() -> None:
    faulty = apply_faults("gbt27930", PLAIN.charger, ("csd-other-number",))
    assert any("CSD" in problem for problem in run_session(replace(PLAIN, charger=faulty)).problems)


# --- repeatable -------------------------------------------------------------------------------------


def test_a_seed_is_one_session() -> None:
    seed = SHORT_PLANS[0].seed
    assert draw(seed) == draw(seed) != draw(seed + 1)
    seen: list[list[Observation]] = [[], []]
    outcomes = [run_session(draw(seed), kept.extend) for kept in seen]
    assert outcomes[0] == outcomes[1]
    assert seen[0] == seen[1] != []


def test_a_longer_run_begins_with_the_same_sessions() -> None:
    assert session_seeds(7, 20)[:5] == session_seeds(7, 5)
    assert len(set(session_seeds(7, 1000))) == 1000
    assert session_seeds(8, 5) != session_seeds(7, 5)


def test_processes_share_the_work_and_change_nothing() -> None:
    seeds = [plan.seed for plan in SHORT_PLANS[:4]]
    assert list(soak(seeds, 2)) == list(soak(seeds))


@pytest.mark.parametrize(("count", "seed", "workers"), [(0, 0, 1), (1, -1, 1), (1, 0, 0)])
def test_misuse_is_refused(count: int, seed: int, workers: int) -> None:
    with pytest.raises(UsageError):
        list(soak(session_seeds(seed, count), workers))
