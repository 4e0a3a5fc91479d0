"""Load profiles: the output against what the vehicle demands and allows (sheet 4.9, 3.5, 3.7)."""

from __future__ import annotations

from hil.cases import Bench, judge_generated, requirement


@requirement("LOADPROFILE/LP.01")
def test_LP_01(bench: Bench) -> None:
    """TP: the output current is never above the demand and its control error once the response time is over."""
    judge_generated(bench, "LP.01")
