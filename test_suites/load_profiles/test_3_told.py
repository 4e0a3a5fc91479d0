"""Load profiles: what the charger says against what was so (sheet 3.11, 3.15, 3.17, 5.2)."""

from __future__ import annotations

from hil.cases import Bench, judge_generated, requirement


@requirement("LOADPROFILE/LP.10")
def test_LP_10(bench: Bench) -> None:
    """TP: CCS tells the output voltage and current of its instant."""
    judge_generated(bench, "LP.10")


@requirement("LOADPROFILE/LP.11")
def test_LP_11(bench: Bench) -> None:
    """TP: CST names what ended the charge where one thing alone did."""
    judge_generated(bench, "LP.11")


@requirement("LOADPROFILE/LP.12")
def test_LP_12(bench: Bench) -> None:
    """TP: CSD tells energy and time of the session as meter and clock have them."""
    judge_generated(bench, "LP.12")


@requirement("LOADPROFILE/LP.17")
def test_LP_17(bench: Bench) -> None:
    """TP: the charger's messages keep their period whatever is demanded."""
    judge_generated(bench, "LP.17")


@requirement("LOADPROFILE/LP.18")
def test_LP_18(bench: Bench) -> None:
    """TP: beside its messages the charger sends answers to the vehicle's transport only, however long it goes on."""
    judge_generated(bench, "LP.18")
