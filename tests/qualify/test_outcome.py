"""What becomes of a fault, by the cases that were run with it."""

from __future__ import annotations

import pytest

from hil.conformance.verdict import Verdict
from hil.qualify.outcome import CaseOutcome, RunOutcome, judge_fault

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
OPEN, NONE = Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE


def case(name: str, *verdicts: Verdict, advisory: bool = False) -> CaseOutcome:
    return CaseOutcome(
        f"S/{name}",
        tuple(
            RunOutcome(f"{name}[{number}]", verdict, advisory, f"because of {number}", f"hil run --case {name}")
            for number, verdict in enumerate(verdicts)
        ),
    )


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ((PASS, PASS), PASS),
        ((PASS, FAIL, OPEN), FAIL),
        ((FAIL, ERROR, PASS), ERROR),
        ((PASS, OPEN), OPEN),
        ((NONE, NONE), NONE),
        ((NONE, PASS), PASS),
    ],
)
def test_the_verdict_of_a_case_is_that_of_the_run_that_tells_most(
    verdicts: tuple[Verdict, ...], whole: Verdict
) -> None:
    outcome = case("A", *verdicts)
    assert outcome.verdict is whole
    decisive = outcome.decisive
    assert decisive is not None
    assert decisive.name == f"A[{verdicts.index(whole)}]"


@pytest.mark.parametrize(
    ("named", "others", "status"),
    [
        ([case("A", PASS, FAIL)], [], "killed"),
        ([case("A", FAIL, advisory=True)], [], "killed"),
        ([case("A", FAIL), case("B", FAIL)], [case("C", PASS)], "killed"),
        ([case("A", FAIL), case("B", NONE)], [], "killed"),
        ([case("A", FAIL), case("B", PASS)], [], "partly"),
        ([case("A", FAIL), case("B", OPEN)], [], "partly"),
        ([case("A", PASS)], [case("C", FAIL)], "seen_by_others"),
        ([case("A", PASS)], [case("C", PASS)], "survived"),
        ([case("A", OPEN)], [], "survived"),
        ([case("A", FAIL), case("B", ERROR)], [], "infrastructure_error"),
        ([case("A", NONE)], [], "not_applicable"),
    ],
)
def test_status(named: list[CaseOutcome], others: list[CaseOutcome], status: str) -> None:
    assert judge_fault("f", "timing", "is wrong", named, others).status == status


@pytest.mark.parametrize(
    ("by_plant", "others", "status"),
    [
        (FAIL, (), "undecided"),
        (FAIL, (case("A", FAIL),), "undecided"),
        (FAIL, (case("C", PASS),), "partly"),
        (PASS, (), "survived"),
        (OPEN, (), "survived"),
    ],
)
def test_what_only_the_instruments_leave_open_is_no_survivor(
    by_plant: Verdict, others: tuple[CaseOutcome, ...], status: str
) -> None:
    run = RunOutcome("B", OPEN, False, "within ± 1 A by meter", "hil run --case B", by_plant)
    killed = [case("K", FAIL)] if status == "partly" else []
    outcome = judge_fault("f", "timing", "is wrong", [*killed, *others, CaseOutcome("S/B", (run,))], [])
    assert outcome.status == status
    if status == "undecided":
        assert outcome.detail == "B inconclusive: within ± 1 A by meter"
    passing = CaseOutcome("S/B", (run, RunOutcome("B[x]", FAIL, False, "", "")))
    assert judge_fault("f", "timing", "is wrong", [passing], []).status == "killed"


def test_what_let_a_fault_through_is_told_with_the_line_that_shows_it() -> None:
    outcome = judge_fault("f", "timing", "is wrong", [case("A", FAIL), case("B", OPEN)], [case("C", FAIL)])
    assert (outcome.killed_by, outcome.survived, outcome.seen_by) == (("S/A",), ("S/B",), ("S/C",))
    assert outcome.detail == "B[0] inconclusive: because of 0"
    assert outcome.repeat == "hil run --case B"


def test_a_killed_fault_tells_what_convicted_it() -> None:
    outcome = judge_fault("f", "timing", "is wrong", [case("A", PASS, FAIL)], [])
    assert outcome.detail == "A[1] fail: because of 1"
