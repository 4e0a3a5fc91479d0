"""Load profiles: pauses, resumptions, ends of phases, reconnections (sheet 3.12, 4.3, 4.4)."""

from __future__ import annotations

from hil.cases import Bench, judge_generated, requirement


@requirement("LOADPROFILE/LP.13")
def test_LP_13(bench: Bench) -> None:
    """TP: while BSM forbids charging the output is off and CCS says so, and after 10 minutes CST comes."""
    judge_generated(bench, "LP.13")


@requirement("LOADPROFILE/LP.14")
def test_LP_14(bench: Bench) -> None:
    """TP: when BSM allows charging again CCS says so and the demanded current comes back."""
    judge_generated(bench, "LP.14")


@requirement("LOADPROFILE/LP.15")
def test_LP_15(bench: Bench) -> None:
    """TP: what must follow a stop or a time-out follows in time, so that no phase goes on for ever."""
    judge_generated(bench, "LP.15")


@requirement("LOADPROFILE/LP.16")
def test_LP_16(bench: Bench) -> None:
    """TP: a time-out is followed by CRM(00) as often as is allowed since the last charge that succeeded."""
    judge_generated(bench, "LP.16")
