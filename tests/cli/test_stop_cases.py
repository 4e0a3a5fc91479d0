"""What cases at the end of a charge put to the charger, and what of it they judge."""

from __future__ import annotations

from typing import Any

import can

BST, BSD, CST = 0x101956F4, 0x181C56F4, 0x101AF456


def test_nothing_but_malformed_bst_reaches_the_charger(shell: Any) -> None:
    shell.hil("run", "--case", "DN.3010[short]")
    (case,) = shell.report()["cases"]
    frames = list(can.LogReader(shell.path / "report" / case["trace"]))
    first = next(index for index, frame in enumerate(frames) if frame.arbitration_id == CST)
    heard = [frame for frame in frames[first:] if frame.arbitration_id & 0xFFFF == BST & 0xFFFF]
    told = [frame for frame in heard if frame.arbitration_id == BST]
    assert not [frame for frame in heard if frame.arbitration_id == BSD]
    assert {frame.dlc for frame in told} == {3}
    assert told[-1].timestamp - told[0].timestamp > 5.0


def test_the_cause_of_the_stop_counts_wherever_a_cst_is_judged(shell: Any) -> None:
    cases = ("DN.3009", "DN.3010[short]", "DN.4003", "DN.4004[short]")
    asked = [word for case in cases for word in ("--case", case)]
    shell.hil("run", *asked, "--fault", "manual-stop-wrong-cause", "--out", "manual")
    shell.hil("run", "--case", "DN.4001", "--case", "DN.4002[short]", "--fault", "bst-wrong-cause", "--out", "vehicle")
    found = [*shell.report("manual")["cases"], *shell.report("vehicle")["cases"]]
    assert [case["verdict"] for case in found] == ["fail"] * 6
    failed = {each["name"] for case in found for each in case["measurements"] if each["verdict"] == "fail"}
    assert failed == {"CST cause (SPN 3521)"}
