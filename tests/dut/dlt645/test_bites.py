"""The suite against the reference meter and each of its seeded faults."""

from __future__ import annotations

import pytest

from hil.dut.faults import all_faults
from hil.pytest_plugin.options import Options
from hil.qualify import Qualification, make_request, qualify

FAULTS = {name: fault for name, fault in all_faults().items() if fault.dut == "dlt645"}


@pytest.fixture(scope="module")
def qualification() -> Qualification:
    return qualify(make_request(Options(suite=("dlt645",)), faults=FAULTS, knobs={}))


def test_the_reference_passes_every_case(qualification: Qualification) -> None:
    assert [f"{run.name}: {run.reason}" for run in qualification.blamed] == []
    assert len(qualification.reference) == 37


def test_every_fault_is_killed_by_each_case_that_it_names(qualification: Qualification) -> None:
    assert [(each.name, each.survived, each.detail) for each in qualification.survivors] == []
    assert qualification.errors == []
    assert len(qualification.killed) == len(FAULTS) > 35


def test_every_case_is_broken_by_a_fault(qualification: Qualification) -> None:
    assert qualification.without_fault == []
