"""A qualification as a whole: who is killed, who is blamed, and that nothing else enters."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace

import pytest

from hil.bench.bench import Bench
from hil.conformance.catalogue import requirements
from hil.conformance.verdict import Verdict
from hil.dut.gbt27930.spec import ChargerSpec
from hil.errors import UsageError
from hil.pytest_plugin.options import Options
from hil.qualify import KNOBS, Qualification, make_request, qualify
from hil.qualify.deviation import Deviation
from hil.qualify.engine import Job, jobs_of
from hil.qualify.outcome import CaseOutcome
from tests.qualify.conftest import (
    BCL_LOST,
    BRO_FALLS,
    CHM,
    SOME,
    Make,
    breaking,
    cases,
    fault,
    harmless,
    library,
    replaced,
    seen_elsewhere,
)


def test_the_library_is_killed_by_what_it_names(small: Qualification) -> None:
    assert [outcome.status for outcome in small.faults] == ["killed"] * 4
    assert small.exit_code == 0
    assert small.sensitivity == 1.0
    late = next(outcome for outcome in small.faults if outcome.name == "lost-bcl-late")
    assert late.killed_by == (BCL_LOST,)
    assert late.detail.startswith("DN.3006 fail: time to the first CEM: 1.40")
    assert late.repeat == "hil run --case DN.3006 --seed 0 --fault lost-bcl-late"


def test_a_fault_that_nothing_can_see_is_told_as_survived(request_for: Make) -> None:
    found = qualify(request_for(fault("harmless", harmless), cases(CHM)))
    (outcome,) = found.faults
    assert (outcome.status, outcome.survived, outcome.killed_by) == ("survived", (CHM,), ())
    assert outcome.detail.startswith("DP.1001 pass: ")
    assert found.exit_code == 1
    assert found.sensitivity == 0.0


def test_a_fault_that_one_of_its_cases_lets_through_is_not_killed(request_for: Make) -> None:
    found = qualify(request_for(fault("half", seen_elsewhere, CHM, BCL_LOST), cases(CHM, BCL_LOST)))
    (outcome,) = found.faults
    assert (outcome.status, outcome.killed_by, outcome.survived) == ("partly", (CHM,), (BCL_LOST,))
    assert found.exit_code == 1


def test_the_whole_matrix_shows_who_else_sees_a_fault(request_for: Make) -> None:
    faults = fault("elsewhere", seen_elsewhere, BCL_LOST)
    named_only = qualify(request_for(faults, cases(CHM, BCL_LOST)))
    assert [outcome.status for outcome in named_only.faults] == ["survived"]
    full = qualify(request_for(faults, cases(CHM, BCL_LOST), full=True))
    (outcome,) = full.faults
    assert (outcome.status, outcome.seen_by) == ("seen_by_others", (CHM,))
    assert full.exit_code == 1


def blaming(bench: Bench) -> None:
    """TP: no charger can meet this."""
    bench.check("what nobody can do", 1.0, high=0.0)


def undecided(bench: Bench) -> None:
    """TP: this comes to no judgement."""


def broken(bench: Bench) -> None:
    """TP: this case is broken."""
    raise ZeroDivisionError("a case that divides by nothing")


@pytest.mark.parametrize(("function", "verdict"), [(blaming, Verdict.FAIL), (undecided, Verdict.INCONCLUSIVE)])
def test_a_reference_that_does_not_pass_is_blamed(request_for: Make, function: object, verdict: Verdict) -> None:
    assert callable(function)
    found = qualify(request_for(library("chm-too-fast"), replaced(CHM, function)))
    assert [(run.name, run.verdict, run.repeat) for run in found.blamed] == [
        ("DP.1001", verdict, "hil run --case DP.1001 --seed 0")
    ]
    assert found.exit_code == 1


def test_a_broken_case_is_an_error_on_our_side(request_for: Make) -> None:
    found = qualify(request_for(library("chm-too-fast"), replaced(CHM, broken)))
    assert [outcome.status for outcome in found.faults] == ["infrastructure_error"]
    assert found.killed == found.survivors == []
    assert found.faults[0].detail == "DP.1001 error: ZeroDivisionError: a case that divides by nothing"
    assert found.exit_code == 3


def test_a_broken_edit_is_an_error_on_our_side(request_for: Make) -> None:
    found = qualify(request_for(fault("broken", breaking), cases(CHM)))
    assert [outcome.status for outcome in found.faults] == ["infrastructure_error"]
    assert "ZeroDivisionError: an edit that cannot be made" in found.faults[0].detail
    assert found.blamed == []
    assert found.exit_code == 3


def dying(spec: ChargerSpec) -> ChargerSpec:
    """Takes the worker process with it."""
    os.kill(os.getpid(), signal.SIGKILL)
    return spec


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="edits of a test reach a worker by fork only")
def test_a_worker_that_dies_costs_its_own_job_only(request_for: Make) -> None:
    faults = {**fault("dying", dying), **library(*SOME)}
    found = qualify(request_for(faults, cases(CHM, BCL_LOST), workers=2))
    status = {outcome.name: outcome.status for outcome in found.faults}
    assert status == {"dying": "infrastructure_error", **dict.fromkeys(SOME, "killed")}
    assert found.blamed == []
    assert found.exit_code == 3


def test_neither_the_number_of_workers_nor_the_order_changes_anything(request_for: Make) -> None:
    knobs = {name: KNOBS[name] for name in ("T8 late", "CHM period too long")}
    one = qualify(request_for(library(*SOME), cases(CHM, BCL_LOST), knobs=knobs, full=True))
    three = qualify(request_for(library(*SOME), cases(CHM, BCL_LOST), knobs=knobs, full=True, workers=3))
    assert one.faults == three.faults
    assert one.reference == three.reference
    assert one.cells == three.cells
    assert one.deviations == three.deviations
    turned = qualify(request_for(library(*reversed(SOME)), cases(BCL_LOST, CHM), knobs=knobs, full=True))
    assert {outcome.name: outcome.detail for outcome in turned.faults} == {
        outcome.name: outcome.detail for outcome in one.faults
    }
    assert turned.cells == one.cells


def test_every_reading_and_variant_is_run(request_for: Make) -> None:
    found = qualify(request_for(library("bro00-ends-or-not"), cases(BRO_FALLS)))
    assert [run.name for run in found.reference[0].runs] == [
        "DN.2009[dn2007-2009=amd1]",
        "DN.2009[dn2007-2009=print]",
    ]


def test_progress_hears_of_every_job(request_for: Make) -> None:
    heard: list[tuple[Job, CaseOutcome | Deviation]] = []
    request = request_for(library(*SOME), cases(CHM, BCL_LOST))
    qualify(request, lambda job, result: heard.append((job, result)))
    assert [job for job, _ in heard] == jobs_of(request)


def test_the_whole_matrix_leaves_out_cases_that_generate_unless_their_suite_is_asked_for() -> None:
    everything = make_request(Options(), full=True)
    outsider, own = everything.faults["chm-too-fast"], everything.faults["overshoots-after-a-long-rise"]
    generating = [name for name in requirements() if name.startswith("LOADPROFILE/")]
    assert not set(everything.reached(outsider)) & set(generating)
    assert set(everything.reached(own)) & set(generating) == set(own.breaks)
    asked = make_request(Options(suite=("load_profiles",)), full=True)
    assert set(asked.reached(own)) == set(generating)


# --- what is asked for ------------------------------------------------------------------------------


def test_by_default_everything_that_is_shipped_is_asked_for() -> None:
    request = make_request(Options())
    assert list(request.cases) == list(requirements())
    assert set(request.knobs) == set(KNOBS)


def test_a_suite_brings_the_faults_that_name_its_cases() -> None:
    request = make_request(Options(suite=("gbt34657",)))
    assert {requirements()[name].suite for name in request.cases} == {"gbt34657"}
    both = request.faults["cst-no-cause"]
    assert all(name in request.cases for name in request.named(both))
    assert len(request.named(both)) < len(both.breaks)
    assert "chm-too-fast" not in request.faults


def test_faults_by_name_bring_their_cases_and_no_limits() -> None:
    request = make_request(Options(), only=("lost_bcl_late",))
    assert list(request.faults) == ["lost-bcl-late"]
    assert list(request.cases) == ["GBT34658-2017/DN.3006", "GBT34658-2017/DN.3008"]
    assert request.knobs == {}


@pytest.mark.parametrize(
    ("options", "only", "workers", "told"),
    [
        (Options(), ("lost-bcl-lat",), 1, "did you mean lost-bcl-late"),
        (Options(requirement=(CHM,)), ("lost-bcl-late",), 1, "no case that was asked for"),
        (Options(), (), 0, "-n 0: allowed is 1 and more"),
        (Options(suite=("gbt",)), (), 1, "no suite 'gbt'"),
        (Options(case=("DN.9999",)), (), 1, "no case 'DN.9999'"),
    ],
)
def test_what_cannot_be_asked_for(options: Options, only: tuple[str, ...], workers: int, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        make_request(options, only=only, workers=workers)


def test_a_hang_is_cut_off_and_told(request_for: Make) -> None:
    request = request_for(library("chm-too-fast"), cases(CHM))
    plan = request.plan
    hasty = replace(request, plan=replace(plan, options=replace(plan.options, max_real_time=1e-9)))
    found = qualify(hasty)
    assert [outcome.status for outcome in found.faults] == ["infrastructure_error"]
    assert "real time" in found.faults[0].detail
