"""Load profiles: how charges end, and what must not flow outside of them (sheet 4.8, 4.9, 4.4)."""

from __future__ import annotations

from hil.cases import Bench, judge_generated, requirement


@requirement("LOADPROFILE/LP.07")
def test_LP_07(bench: Bench) -> None:
    """TP: after whatever ends a charge the output is off within the limit for that cause."""
    judge_generated(bench, "LP.07")


@requirement("LOADPROFILE/LP.08")
def test_LP_08(bench: Bench) -> None:
    """TP: no power flows before a charge begins, nor once its end has had its time."""
    judge_generated(bench, "LP.08")


@requirement("LOADPROFILE/LP.09")
def test_LP_09(bench: Bench) -> None:
    """TP: in a normal stop K1/K2 open at 5 A or less."""
    judge_generated(bench, "LP.09")
