"""A bench that lost frames of its own says nothing of the DUT; a run that means nothing is passed over."""

from __future__ import annotations

from typing import Any

CASES = """
import pytest

from hil.cases import Bench, Phase, break_line, mend_line, requirement, s, send_raw, short_line

def overflow(bench):
    bench.reach(Phase.HANDSHAKE)
    bench.do(*(send_raw(0x18FF0000, bytes(8)) for _ in range(5000)))
    bench.let(s(1))

@requirement("GBT34658-2017/DP.1001")
def test_passes_all_the_same(bench: Bench) -> None:
    overflow(bench)
    bench.check("value", 1, equals=1)

@requirement("GBT34658-2017/DP.1002")
def test_fails_all_the_same(bench: Bench) -> None:
    overflow(bench)
    bench.check("value", 2, equals=1)

@requirement("GBT34658-2017/DP.1003")
def test_broke_the_line_itself(bench: Bench) -> None:
    bench.do(break_line())
    bench.do(*(send_raw(0x18FF0000, bytes(8)) for _ in range(5000)))
    bench.let(s(1))
    bench.do(mend_line())
    bench.do(short_line())
    bench.do(mend_line(shorted=True))
    bench.check("value", 1, equals=1)

@requirement("GBT34658-2017/DN.1001")
def test_breaks_down(bench: Bench) -> None:
    overflow(bench)
    raise RuntimeError("boom")
"""


def test_lost_frames_of_the_bench_leave_a_case_open_unless_it_took_the_line_away(folder: Any) -> None:
    folder.write("test_cases.py", CASES)
    done = folder.pytest("test_cases.py")
    told = {case["id"]: case["faults_fired"] for case in folder.report()["cases"]}
    assert told["DP.1003"] == ["broken line", "shorted line"]
    cases = {case["id"]: (case["verdict"], case["reason"]) for case in folder.report()["cases"]}
    for identifier in ("DP.1001", "DP.1002"):
        verdict, reason = cases[identifier]
        assert verdict == "inconclusive"
        assert reason.startswith("the bench's own port had overflow at 1."), done.stdout
    assert cases["DP.1003"][0] == "pass"
    assert cases["DN.1001"] == ("error", "RuntimeError: boom")


VARIANTS = """
from hil.cases import Bench, requirement

@requirement("GBT34658-2017/DN.2004")
def test_DN_2004(bench: Bench, variant: str) -> None:
    bench.check("value", 1, equals=1)

@requirement("GBT27930-2015/RG.04")
def test_RG_04(bench: Bench) -> None:
    bench.check("value", 1, equals=1)
"""


def test_a_run_that_means_nothing_under_a_reading_is_passed_over_with_the_reason(folder: Any) -> None:
    folder.write("test_cases.py", VARIANTS)
    folder.pytest("test_cases.py", "--hil-reading", "dlc=padded", "--hil-reading", "reconnections=none")
    cases = [(case["id"], case["verdict"], case["reason"]) for case in folder.report()["cases"]]
    passed_over = [each for each in cases if each[1] == "not_applicable"]
    assert passed_over == [
        ("DN.2004", "not_applicable", "means nothing under the reading dlc=padded"),
        ("RG.04", "not_applicable", "means nothing under the reading reconnections=none"),
    ]
    assert [verdict for identifier, verdict, _ in cases if identifier == "DN.2004"].count("pass") == 5
