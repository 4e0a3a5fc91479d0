"""A battery beyond the DUT's output range is stood against it only where that is known and possible."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hil.bench.setup import resting_voltages
from hil.conformance.catalogue import requirements
from hil.pytest_plugin.battery import lacks_battery
from hil.pytest_plugin.options import Options
from hil.pytest_plugin.plan import make_plan

FITS = requirements()["GBT34657.1-2017/D0.3001"]
PLAN = make_plan(Options())


def claiming(output_voltage: Any, **fields: Any) -> Any:
    dut = replace(PLAN.rig.dut, claims={**PLAN.rig.dut.claims, "output_voltage": output_voltage})
    return replace(PLAN.rig, dut=dut, **fields)


def test_the_shipped_rig_claims_the_range_of_its_reference_charger() -> None:
    told = {run.variant: run.not_applicable for run in PLAN.runs(FITS)}
    assert told == dict.fromkeys(FITS.variants)


def test_a_vehicle_of_a_variant_takes_the_place_of_the_rigs_with_the_soc() -> None:
    plan = replace(PLAN, rig=replace(PLAN.rig, bench=replace(PLAN.rig.bench, soc=5.0)))
    chosen = {run.variant: plan.setup(run) for run in plan.runs(FITS)}
    assert (chosen["above"].vehicle, chosen["above"].soc) == ("car-400v", 5.0)
    assert (chosen["above-range"].vehicle, chosen["above-range"].soc) == ("pack-1020v", None)


@pytest.mark.parametrize(
    ("claim", "below", "above"),
    [
        ((150, 950), None, None),
        ((150, 1000), None, None),
        (None, "the DUT claims no output_voltage", "the DUT claims no output_voltage"),
        ((100, 1000), "the DUT claims 100 .. 1000 V: a battery of 141 .. 142 V is none out of range", None),
        ((200, 1000), "the DUT claims 200 .. 1000 V: BHM of a battery of 141 .. 142 V is refused before", None),
        ((150, 1016), None, "the DUT claims 150 .. 1016 V: a battery of 1015 .. 1024 V is none out of range"),
    ],
)
def test_a_claim_that_covers_the_battery_or_none_leaves_nothing_to_judge(
    claim: Any, below: str | None, above: str | None
) -> None:
    rig = claiming(claim)
    assert lacks_battery("pack-140v", rig) == below
    assert lacks_battery("pack-1020v", rig) == above
    assert lacks_battery("", rig) is None
    runs = {run.variant: run.not_applicable for run in replace(PLAN, rig=rig).runs(FITS)}
    assert (runs["below-range"], runs["above-range"], runs["above"]) == (below, above, None)


def test_a_battery_of_hardware_is_what_it_is() -> None:
    rig = claiming((150, 950), plant="hardware")
    assert (
        lacks_battery("pack-140v", rig) == "the battery of rig virtual is none of the bench's: it cannot be pack-140v"
    )


def test_resting_voltages_are_those_of_the_cells() -> None:
    # lfp_battery.md 2: 3.274 V at 30 %, 3.303 V at 60 %.
    assert resting_voltages("pack-140v") == pytest.approx((43 * 3.274, 43 * 3.303))
