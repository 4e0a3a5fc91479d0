"""The library of seeded faults: several of different kinds for each requirement."""

from __future__ import annotations

from collections import defaultdict

import pytest

from hil.conformance.catalogue import Requirement, requirements
from hil.dut.faults import KINDS, AnyFault, all_faults
from hil.pytest_plugin.options import Options
from hil.pytest_plugin.plan import make_plan

PLAN = make_plan(Options())
APPLICABLE = [
    requirement
    for requirement in requirements().values()
    if any(run.not_applicable is None for run in PLAN.runs(requirement))
]
BY_COMMUNICATION = [each for each in APPLICABLE if each.id.startswith("GBT34658-2017/")]


def breaking() -> dict[str, list[AnyFault]]:
    found: dict[str, list[AnyFault]] = defaultdict(list)
    for fault in all_faults().values():
        for requirement in fault.breaks:
            found[requirement].append(fault)
    return found


def test_every_fault_breaks_requirements_that_there_are() -> None:
    assert breaking().keys() <= requirements().keys()


@pytest.mark.parametrize("requirement", APPLICABLE, ids=lambda each: each.id)
def test_every_requirement_has_a_fault(requirement: Requirement) -> None:
    assert breaking()[requirement.id]


@pytest.mark.parametrize("requirement", BY_COMMUNICATION, ids=lambda each: each.case)
def test_a_case_of_gbt_34658_has_five_faults_of_two_kinds(requirement: Requirement) -> None:
    faults = breaking()[requirement.id]
    assert len(faults) >= 5
    assert len({fault.kind for fault in faults}) >= 2


def test_every_kind_of_fault_is_seeded() -> None:
    assert {fault.kind for fault in all_faults().values()} == set(KINDS)


def test_summaries_tell_faults_apart() -> None:
    told: dict[str, list[str]] = defaultdict(list)
    for fault in all_faults().values():
        told[fault.summary].append(fault.name)
    assert {summary: names for summary, names in told.items() if len(names) > 1} == {}
