"""Other legal chargers than the reference pass the cases too: a few of each here, such as depend on timing."""

from __future__ import annotations

import random
from functools import partial

import pytest

from hil.conformance.catalogue import requirements
from hil.conformance.verdict import Verdict
from hil.dut.gbt27930.spec import ChargerSpec
from hil.protocol.gbt27930 import edition
from hil.protocol.j1939 import TpBehaviour, TpTiming
from hil.pytest_plugin.options import Options
from hil.pytest_plugin.plan import make_plan
from hil.pytest_plugin.run import CaseRun
from hil.qualify.suite import suite_cases
from hil.soak.sides import draw_charger
from hil.soak.timing import draw_intervals, draw_transfers
from hil.tester.gbt27930 import VEHICLES
from hil.units import ms

PLAN = make_plan(Options())
VEHICLE = VEHICLES["car-400v"]
CASES = (
    *("DP.1001", "DP.2001", "DP.3001", "DP.3004", "DN.1001", "DN.2001", "DN.2003", "DN.3005", "DN.3006", "DN.3007"),
    *("DN.3009", "DN.4001", "LL.01", "LL.02", "LL.07", "LL.08", "LL.12"),
)


def late_acknowledgement(spec: ChargerSpec) -> ChargerSpec:
    """Prompt with its time-outs, slow to acknowledge (up to 27 ms in the field, sheet 7; Tr is 200 ms)."""
    return spec.but(tp=TpBehaviour(answer_after=ms(60)))


def holding(spec: ChargerSpec) -> ChargerSpec:
    """Holds every transfer, then asks for one packet at a time."""
    return spec.but(tp=TpBehaviour(holds=1, packets_per_cts=1), tp_timing=TpTiming(th=ms(500)))


def slow(spec: ChargerSpec) -> ChargerSpec:
    """Rises as slowly as a charger may."""
    return spec.powered(rise_ramp=22.0)


def drawn(spec: ChargerSpec, seed: int) -> ChargerSpec:
    """A charger as soak sessions have them, strong enough for what the cases demand."""
    rng = random.Random(f"charger:{seed}")
    messages, readings = edition("2015"), dict(PLAN.readings)
    charger = draw_charger(rng, spec, VEHICLE)
    ours, theirs = (draw_intervals(rng, side, messages, readings) for side in ("charger", "bms"))
    transfers = draw_transfers(rng, theirs, VEHICLE.cells)
    charger = charger.powered(max_current=spec.power.max_current).timing(**ours.periods)
    return charger.but(wander=ours.wander, tp=transfers.answers, tp_timing=transfers.receiver)


@pytest.mark.parametrize(
    "edit",
    [
        late_acknowledgement,
        holding,
        slow,
        *(pytest.param(partial(drawn, seed=seed), id=f"drawn {seed}") for seed in range(3)),
    ],
)
def test_a_legal_charger_passes(edit: partial[ChargerSpec]) -> None:
    blamed = []
    for requirement in requirements().values():
        if requirement.case not in CASES:
            continue
        for run in PLAN.runs(requirement):
            opened = CaseRun(run, PLAN, edits={"gbt27930": edit}, traced=False)
            raised: Exception | None = None
            try:
                suite_cases()[requirement.id](opened.bench, run.variant)
            except Exception as error:
                raised = error
            result = opened.conclude(raised)
            if result.verdict is not Verdict.PASS:
                blamed.append(f"{requirement.case}[{run.variant}]: {result.reason}")
    assert not blamed, "\n".join(blamed)
