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
