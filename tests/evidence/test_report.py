"""JUnit, Allure and the whole folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from hil.conformance.verdict import CaseResult, Verdict
from hil.errors import HilError
from hil.evidence.allure import history_id
from hil.evidence.log import ResultLog, read_results
from hil.evidence.report import write_reports
from hil.evidence.run import RunInfo


@pytest.fixture
def out(tmp_path: Path, info: RunInfo, results: list[CaseResult]) -> Path:
    """A folder with a whole report."""
    write_reports(tmp_path, info, results)
    return tmp_path


def junit(out: Path) -> ElementTree.Element:
    return ElementTree.parse(out / "junit.xml").getroot()


def allure(out: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((out / "allure-results").glob("*-result.json"))]


def test_everything_is_there(out: Path) -> None:
    found = {path.name for path in out.iterdir()}
    assert {"conformance.json", "junit.xml", "index.html", "allure-results", "traces"} <= found
    assert not [name for name in found if name.endswith(".new")]


def test_the_files_of_a_run_have_their_digests(
    tmp_path: Path, info: RunInfo, result: Callable[..., CaseResult], failed: Callable[..., CaseResult]
) -> None:
    (tmp_path / "traces").mkdir()
    (tmp_path / "traces/a.log").write_bytes(b"(0000000000.000000) can0 1826F456#010100\n")
    write_reports(tmp_path, info, [result(trace="traces/a.log"), failed(trace="traces/gone.log")])
    cases = json.loads((tmp_path / "conformance.json").read_text("utf-8"))["cases"]
    digest = "214c0d0ecd393b4f17b79c5e7595f128e85250ead28c8497acf98f9b7be2af2e"
    assert [case["sha256"] for case in cases] == [{"traces/a.log": digest}, {}]
    assert f"{digest}  traces/a.log" in (tmp_path / "index.html").read_text("utf-8")


def test_junit_counts_agree_with_its_cases(out: Path) -> None:
    root = junit(out)
    (suite,) = root.findall("testsuite")
    for element in (root, suite):
        assert element.get("tests") == "7"
        assert element.get("failures") == str(len(suite.findall("testcase/failure"))) == "2"
        assert element.get("errors") == str(len(suite.findall("testcase/error"))) == "1"
        assert element.get("skipped") == str(len(suite.findall("testcase/skipped"))) == "1"
    assert float(suite.get("time", "")) == sum(float(case.get("time", "")) for case in suite.findall("testcase"))


def test_junit_tells_verdicts_apart(out: Path) -> None:
    cases = {case.get("name", ""): case for case in junit(out).iter("testcase")}
    assert {case.get("classname") for case in cases.values()} == {"gbt27930"}
    failure = cases["DN.3008[short]"].find("failure")
    assert failure is not None
    assert failure.get("type") == "fail"
    assert "Repeat with:" in (failure.text or "")
    unjudged = cases["DN.2009[dn2007-2009=print]"].find("failure")
    assert unjudged is not None
    assert unjudged.get("type") == "inconclusive"
    assert cases["DP.1001"].find("error") is not None
    skipped = cases["DP.3002"].find("skipped")
    assert skipped is not None
    assert "<script>" in skipped.get("message", "")
    finding = cases["LL.1"]
    assert finding.find("failure") is None
    assert "advisory finding (fail)" in (finding.findtext("system-out") or "")
    assert list(cases["DN.3006"]) == []


def test_junit_names_the_run(out: Path, info: RunInfo) -> None:
    properties = {each.get("name"): each.get("value") for each in junit(out).iter("property")}
    assert properties["rig.sha256"] == info.rig["sha256"]
    assert properties["seed"] == "0"
    assert properties["reading.dn2007-2009"] == "amendment1"


def test_junit_holds_what_xml_forbids(tmp_path: Path, info: RunInfo, failed: Callable[..., CaseResult]) -> None:
    write_reports(tmp_path, info, [failed(reason="a\x00b\x1b[31m \ufffe <&>", id="X\x01")])
    failure = next(junit(tmp_path).iter("failure"))
    assert "a\ufffdb\ufffd[31m" in failure.get("message", "")


def test_two_suites_are_two_suites(tmp_path: Path, info: RunInfo, result: Callable[..., CaseResult]) -> None:
    write_reports(tmp_path, info, [result(), result(suite="link"), result(id="DN.3008")])
    assert [(each.get("name"), each.get("tests")) for each in junit(tmp_path)] == [("gbt27930", "2"), ("link", "1")]


def test_allure_has_one_result_per_run(out: Path) -> None:
    found = {each["fullName"]: each for each in allure(out)}
    assert {name: each["status"] for name, each in found.items()} == {
        "gbt27930.DN.3006": "passed",
        "gbt27930.DN.3008[short]": "failed",
        "gbt27930.DP.3006": "passed",
        "gbt27930.DN.2009[dn2007-2009=print]": "unknown",
        "gbt27930.DP.1001": "broken",
        "gbt27930.DP.3002": "skipped",
        "gbt27930.LL.1": "passed",
    }
    late = found["gbt27930.DN.3008[short]"]
    assert {"name": "variant", "value": "short"} in late["parameters"]
    assert {"name": "requirement", "value": "GBT34658-2017/DN.3008"} in late["labels"]
    assert [step["status"] for step in late["steps"]] == ["failed", "passed"]
    assert "1.402 s (0.99 .. 1.2 s)" in late["steps"][0]["name"]
    assert "Repeat with:" in late["statusDetails"]["trace"]
    finding = found["gbt27930.LL.1"]
    assert {"name": "tag", "value": "advisory-finding"} in finding["labels"]
    assert finding["statusDetails"]["message"].startswith("advisory finding (fail)")


def test_allure_carries_the_traces(out: Path) -> None:
    passed = next(each for each in allure(out) if each["fullName"] == "gbt27930.DN.3006")
    trace, stream = passed["attachments"]
    folder = out / "allure-results"
    assert (folder / trace["source"]).read_bytes() == (out / "traces/DN.3006.log").read_bytes()
    assert (folder / stream["source"]).read_bytes() == (out / "traces/DN.3006.jsonl").read_bytes()


def test_allure_times_follow_the_start(out: Path) -> None:
    begin = 1772359200000
    spans = sorted((each["start"], each["stop"]) for each in allure(out))
    assert spans[0] == (begin, begin + 6000)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    steps = next(each["steps"] for each in allure(out) if each["fullName"] == "gbt27930.DN.3006")
    assert steps[0]["start"] == begin + 5002


def test_allure_histories_keep_rigs_and_runs_apart(info: RunInfo, result: Callable[..., CaseResult]) -> None:
    other_rig = msgspec.structs.replace(info, rig={**info.rig, "sha256": "cd" * 32})
    other_name = msgspec.structs.replace(info, rig={**info.rig, "name": "lab"})
    ids = {
        history_id(info, result()),
        history_id(other_rig, result()),
        history_id(other_name, result()),
        history_id(info, result(variant="short")),
        history_id(info, result(reading="a=b")),
        history_id(info, result(suite="link")),
    }
    assert len(ids) == 6
    assert history_id(info, result(verdict=Verdict.FAIL)) == history_id(info, result())


def test_allure_shows_the_environment(out: Path) -> None:
    lines = (out / "allure-results/environment.properties").read_text().splitlines()
    assert "rig=virtual" in lines
    assert "seed=0" in lines
    categories = json.loads((out / "allure-results/categories.json").read_text())
    assert {status for category in categories for status in category["matchedStatuses"]} >= {"failed", "broken"}


def test_the_same_run_twice_in_one_report_is_kept_twice(
    tmp_path: Path, info: RunInfo, result: Callable[..., CaseResult]
) -> None:
    write_reports(tmp_path, info, [result(), result()])
    assert len(allure(tmp_path)) == 2


def test_without_a_start_the_clock_begins_at_zero(tmp_path: Path, info: RunInfo, results: list[CaseResult]) -> None:
    write_reports(tmp_path, msgspec.structs.replace(info, started=None), results)
    assert min(each["start"] for each in allure(tmp_path)) == 1
    assert all("timestamp" not in suite.attrib for suite in junit(tmp_path))


def test_equal_runs_leave_equal_files(tmp_path: Path, info: RunInfo, results: list[CaseResult]) -> None:
    def files() -> dict[str, bytes]:
        return {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    write_reports(tmp_path, info, results)
    first = files()
    write_reports(tmp_path, info, results)
    assert files() == first


def test_reports_can_be_written_from_the_log(tmp_path: Path, info: RunInfo, results: list[CaseResult]) -> None:
    write_reports(tmp_path, info, results)
    whole = (tmp_path / "conformance.json").read_bytes()
    with ResultLog(tmp_path) as log:
        for each in results:
            log.append(each)
    write_reports(tmp_path, info, read_results(tmp_path))
    assert (tmp_path / "conformance.json").read_bytes() == whole


def test_a_lost_trace_is_told_and_stops_nothing(
    tmp_path: Path, info: RunInfo, failed: Callable[..., CaseResult]
) -> None:
    write_reports(tmp_path, info, [failed(trace="traces/gone.log", stream="traces/gone.jsonl")])
    assert "cannot read the stream" in (tmp_path / "index.html").read_text()
    assert "attachments" not in allure(tmp_path)[0]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, info: RunInfo) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HilError, match=r"cannot write the report to .*file"):
        write_reports(tmp_path / "file", info, [])


def test_a_report_that_cannot_be_written_leaves_no_half_of_one(tmp_path: Path, info: RunInfo) -> None:
    (tmp_path / "conformance.json").mkdir()
    with pytest.raises(HilError, match=r"cannot write the report to .*"):
        write_reports(tmp_path, info, [])
    assert [path.name for path in tmp_path.iterdir()] == ["conformance.json"]
