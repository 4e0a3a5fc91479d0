"""AC profiles: limits over time, plugging, silence and upsets, over each interface (sheet pilot, 2, 3 and 5)."""

from __future__ import annotations

from hil.cases import AcBench, AcModbusBench, RapiBench, judge_ac_profiles, requirement


@requirement("ACPROFILE/AP.01")
def test_AP_01(bench: AcModbusBench) -> None:
    """TP: once a limit has had time to show, the pilot tells no more than it, and nothing below 6 A."""
    judge_ac_profiles(bench, "AP.01")


@requirement("ACPROFILE/AP.02")
def test_AP_02(bench: AcModbusBench) -> None:
    """TP: a vehicle that draws more than the pilot tells is not supplied for longer than the limit."""
    judge_ac_profiles(bench, "AP.02")


@requirement("ACPROFILE/AP.03")
def test_AP_03(bench: AcModbusBench) -> None:
    """TP: the output is on in no state but C and D, for longer than opening may take."""
    judge_ac_profiles(bench, "AP.03")


@requirement("ACPROFILE/AP.04")
def test_AP_04(bench: AcModbusBench) -> None:
    """TP: no duty cycle stands that allows nothing or asks for digital communication."""
    judge_ac_profiles(bench, "AP.04")


@requirement("ACPROFILE/AP.05")
def test_AP_05(bench: AcModbusBench) -> None:
    """TP: when nobody repeats a limit, no more than the safe current is told after its validity."""
    judge_ac_profiles(bench, "AP.05")


@requirement("ACPROFILE/AP.06")
def test_AP_06(bench: AcModbusBench) -> None:
    """TP: within its validity a limit that nobody repeats stays."""
    judge_ac_profiles(bench, "AP.06")


@requirement("ACPROFILE/AP.07")
def test_AP_07(bench: AcModbusBench) -> None:
    """TP: the energy that the registers tell never falls, and is what the output has delivered."""
    judge_ac_profiles(bench, "AP.07")


@requirement("ACPROFILE/AP.08")
def test_AP_08(bench: AcModbusBench) -> None:
    """TP: a vehicle that wants to charge is supplied when nothing stands against it."""
    judge_ac_profiles(bench, "AP.08")


@requirement("ACPROFILE/AP.20")
def test_AP_20(bench: RapiBench) -> None:
    """TP: the invariants hold for limits that are asked for over the console."""
    judge_ac_profiles(bench, "AP.01", "AP.03", "AP.04")


@requirement("ACPROFILE/AP.21")
def test_AP_21(bench: AcBench) -> None:
    """TP: the invariants hold for limits that are asked for at the charger's own input."""
    judge_ac_profiles(bench, "AP.01", "AP.03", "AP.04", "AP.05", "AP.06")
