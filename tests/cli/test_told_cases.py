"""What cases tell of a charger without judging it."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("reading", "told"),
    [("amd1", "silent as dn2007-2009=print has it"), ("print", "CEM as dn2007-2009=amd1 has it")],
)
def test_a_charger_that_meets_only_the_other_reading_is_told_as_such(shell: Any, reading: str, told: str) -> None:
    words = ("run", "--case", "DN.2009", "--reading", f"dn2007-2009={reading}")
    shell.hil(*words, "--out", "right")
    shell.hil(*words, "--fault", "bro00-ends-or-not", "--out", "other")
    for out, verdict, meets in (("right", "pass", False), ("other", "fail", True)):
        (case,) = shell.report(out)["cases"]
        assert case["verdict"] == verdict
        assert {each["name"]: (each["value"], each["verdict"]) for each in case["measurements"]}[told] == (
            meets,
            "none",
        )


@pytest.mark.parametrize(("fault", "seconds", "note"), [("", 0.1, ""), ("abnormal-bsm-7-s", 7.1, "outside")])
def test_the_time_to_the_stop_is_told_beside_one_second(shell: Any, fault: str, seconds: float, note: str) -> None:
    shell.hil("run", "--case", "DP.3003[overcurrent]", *(("--fault", fault) if fault else ()))
    (case,) = shell.report()["cases"]
    (told,) = [each for each in case["measurements"] if each["name"] == "first abnormal BSM to first CST"]
    assert (told["unit"], told["high"], told["verdict"]) == ("s", 1.0, "none")
    assert seconds - 0.1 <= told["value"] <= seconds
    assert told["note"].startswith(note)
    assert bool(told["note"]) == bool(note)
