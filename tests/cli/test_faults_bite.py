"""Seeded faults are seen where they are, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize("kind", ["untrusted", "also-in-another-byte", "in-the-upper-bits"])
def test_a_fault_of_one_report_is_in_no_other(shell: Any, kind: str) -> None:
    asked = ("--case", "DN.2001", "--case", "DN.2003", "--case", "DN.3006", "--case", "DN.3009")
    shell.hil("run", *asked, "--fault", f"cem-bst-{kind}")
    verdicts = {case["id"]: case["verdict"] for case in shell.report()["cases"]}
    assert verdicts == {"DN.2001": "pass", "DN.2003": "pass", "DN.3006": "pass", "DN.3009": "fail"}


def test_a_charger_gets_as_long_as_a_vehicle_waits_to_take_a_battery_that_does_not_fit(shell: Any) -> None:
    shell.hil("run", "--case", "D0.3001", "--fault", "battery-check-given-up-after-4.8-s")
    verdicts = {case["variant"]: case["verdict"] for case in shell.report()["cases"]}
    assert verdicts.pop("in-tolerance") == "pass"
    assert len(verdicts) == 4
    assert set(verdicts.values()) == {"fail"}


def test_only_a_shorted_line_shows_that_a_charger_never_comes_back_from_bus_off(shell: Any) -> None:
    shell.hil("run", "--case", "D0.4501", "--fault", "stays-bus-off")
    verdicts = {case["variant"]: case["verdict"] for case in shell.report()["cases"]}
    assert verdicts.pop("shorted-recovers") == "fail"
    assert len(verdicts) == 5
    assert set(verdicts.values()) == {"pass"}


def test_only_a_battery_out_of_range_shows_that_the_range_is_not_checked(shell: Any) -> None:
    shell.hil("run", "--case", "D0.3001", "--fault", "output-range-not-checked")
    verdicts = {case["variant"]: case["verdict"] for case in shell.report()["cases"]}
    assert verdicts == {
        **dict.fromkeys(("above", "below", "in-tolerance"), "pass"),
        **dict.fromkeys(("below-range", "above-range"), "fail"),
    }
