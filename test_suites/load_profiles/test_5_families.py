"""Load profiles: named families, each judged by every invariant."""

from __future__ import annotations

from hil.cases import Bench, judge_family, requirement


@requirement("LOADPROFILE/LP.20")
def test_LP_20(bench: Bench, variant: str) -> None:
    """TP: over a named family of load profiles every invariant holds."""
    judge_family(bench, variant)
