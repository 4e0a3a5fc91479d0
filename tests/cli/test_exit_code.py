"""The exit code by results: the highest wins, advisory findings aside."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hil.cli.run import exit_code
from hil.conformance.verdict import CaseResult, Verdict


def result(verdict: Verdict, *, advisory: bool = False) -> CaseResult:
    return CaseResult("DN.1", "s", "S/DN.1", "sheet", "S2", "purpose", verdict, "", advisory=advisory)


PASS, FAIL = result(Verdict.PASS), result(Verdict.FAIL)
UNSURE, ERROR = result(Verdict.INCONCLUSIVE), result(Verdict.ERROR)
SKIPPED = result(Verdict.NOT_APPLICABLE)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([PASS, SKIPPED], 0),
        ([PASS, result(Verdict.FAIL, advisory=True), result(Verdict.INCONCLUSIVE, advisory=True)], 0),
        ([PASS, FAIL], 1),
        ([UNSURE, PASS], 1),
        ([FAIL, ERROR, PASS], 3),
        ([result(Verdict.ERROR, advisory=True)], 3),
    ],
)
def test_the_worst_result_decides(results: Sequence[CaseResult], expected: int) -> None:
    assert exit_code(results, 0, []) == expected


def test_what_pytest_came_to_counts_too() -> None:
    assert exit_code([PASS], 1, []) == 1
    assert exit_code([PASS], 2, []) == 3
    assert exit_code([FAIL], 3, []) == 3
    assert exit_code([PASS], 0, ["a worker was lost"]) == 3
