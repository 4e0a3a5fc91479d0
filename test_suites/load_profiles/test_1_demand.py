"""Load profiles: the output against what the vehicle demands and allows (sheet 4.9, 3.5, 3.7)."""

from __future__ import annotations

from hil.cases import Bench, judge_generated, requirement


@requirement("LOADPROFILE/LP.01")
def test_LP_01(bench: Bench) -> None:
    """TP: the output current is never above the demand and its control error once the response time is over."""
    judge_generated(bench, "LP.01")


@requirement("LOADPROFILE/LP.02")
def test_LP_02(bench: Bench) -> None:
    """TP: whatever is demanded, the output is at no instant beyond what BCP and CML allow."""
    judge_generated(bench, "LP.02")


@requirement("LOADPROFILE/LP.03")
def test_LP_03(bench: Bench) -> None:
    """TP: for a demand of 0 the output is the charger's minimum, or nothing, as the reading has it."""
    judge_generated(bench, "LP.03", "named", "holding", "sweeping")


@requirement("LOADPROFILE/LP.04")
def test_LP_04(bench: Bench) -> None:
    """TP: a demand that holds is met within the adjustment time."""
    judge_generated(bench, "LP.04")


@requirement("LOADPROFILE/LP.05")
def test_LP_05(bench: Bench) -> None:
    """TP: in constant-current mode the settled current is within the control error of the demand."""
    judge_generated(bench, "LP.05")


@requirement("LOADPROFILE/LP.06")
def test_LP_06(bench: Bench) -> None:
    """TP: where the voltage demand rules, the settled voltage is within the control error of it."""
    judge_generated(bench, "LP.06")
