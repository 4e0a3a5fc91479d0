"""``conformance.json`` and the log of results."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from hil.conformance.verdict import CaseResult, Measurement, Verdict
from hil.errors import HilError
from hil.evidence.document import render, schema, summary
from hil.evidence.log import ResultLog, read_results
from hil.evidence.run import RunInfo

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def document(info: RunInfo, results: list[CaseResult]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(render(info, results))
    return loaded


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_a_real_document_fits_the_schema(document: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema()).validate(document)


def test_an_empty_run_fits_the_schema(info: RunInfo) -> None:
    empty = json.loads(render(msgspec.structs.replace(info, started=None), []))
    jsonschema.Draft202012Validator(schema()).validate(empty)
    assert set(empty["summary"].values()) == {0}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda doc: doc.update(schema=2), id="other version"),
        pytest.param(lambda doc: doc.pop("seed"), id="no seed"),
        pytest.param(lambda doc: doc.update(extra=1), id="unknown key"),
        pytest.param(lambda doc: doc["rig"].pop("virtual"), id="rig without virtual"),
        pytest.param(lambda doc: doc["rig"].update(sha256="xyz"), id="sha256 that is none"),
        pytest.param(lambda doc: doc["tool"].pop("commit"), id="tool without commit"),
        pytest.param(lambda doc: doc["summary"].update({"pass": -1}), id="negative count"),
        pytest.param(lambda doc: doc["cases"][0].pop("suite"), id="case without suite"),
        pytest.param(lambda doc: doc["cases"][0].update(verdict="ok"), id="unknown verdict"),
        pytest.param(lambda doc: doc["cases"][0].update(verdict="none"), id="case not judged"),
        pytest.param(lambda doc: doc["cases"][0].update(basis="S3"), id="unknown basis"),
        pytest.param(lambda doc: doc["cases"][0].update(trace="/var/trace.log"), id="absolute path"),
        pytest.param(lambda doc: doc["cases"][0].update(reading="print"), id="reading without name"),
        pytest.param(lambda doc: doc["cases"][3].update(reason=""), id="inconclusive without reason"),
        pytest.param(lambda doc: doc["cases"][0]["measurements"][0].pop("at_s"), id="measurement without at_s"),
        pytest.param(lambda doc: doc["cases"][0]["findings"][0].update(side="vehicle"), id="finding of nobody"),
        pytest.param(lambda doc: doc["cases"][0]["measurements"][0].update(low="0"), id="limit that is text"),
    ],
)
def test_a_broken_document_does_not_fit(document: dict[str, Any], change: Change) -> None:
    broken = copy.deepcopy(document)
    change(broken)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate(broken)


def test_every_run_is_counted_once(document: dict[str, Any]) -> None:
    assert document["summary"] == {
        "pass": 2,
        "fail": 1,
        "inconclusive": 1,
        "error": 1,
        "not_applicable": 1,
        "advisory_findings": 1,
    }
    assert sum(document["summary"].values()) == len(document["cases"])


@pytest.mark.parametrize(
    ("verdict", "advisory", "counted"),
    [
        (Verdict.FAIL, False, "fail"),
        (Verdict.FAIL, True, "advisory_findings"),
        (Verdict.INCONCLUSIVE, True, "advisory_findings"),
        (Verdict.NONE, False, "inconclusive"),
        (Verdict.NONE, True, "advisory_findings"),
        (Verdict.ERROR, True, "error"),
        (Verdict.PASS, True, "pass"),
        (Verdict.NOT_APPLICABLE, True, "not_applicable"),
    ],
)
def test_where_a_verdict_counts(
    result: Callable[..., CaseResult], verdict: Verdict, advisory: bool, counted: str
) -> None:
    counts = summary([result(verdict=verdict, advisory=advisory)])
    assert counts.pop(counted) == 1
    assert set(counts.values()) == {0}


def test_content_of_a_case(document: dict[str, Any]) -> None:
    case = document["cases"][1]
    assert case["id"] == "DN.3008"
    assert case["variant"] == "short"
    assert case["decisive_s"] == 5.002
    assert case["trace"] == "traces/DN.3008-short.log"
    assert case["stream"] == "traces/DN.3008-short.jsonl"
    assert case["measurements"][0] == {
        "name": "time to the first CEM",
        "value": 1.402,
        "unit": "s",
        "low": 0.99,
        "high": 1.2,
        "verdict": "fail",
        "at_s": 5.002,
        "note": "",
        "uncertainty": None,
    }


def test_what_monitors_saw_is_told(document: dict[str, Any]) -> None:
    assert document["cases"][0]["findings"][0] == {
        "requirement": "PERIOD.CCS",
        "side": "charger",
        "expected": "45 .. 55 ms",
        "seen": "70 ms",
        "verdict": "fail",
        "at_s": 2.0,
        "source": "gbt27930.md 2.1",
        "advisory": False,
    }


def test_keys_keep_their_order(document: dict[str, Any]) -> None:
    assert list(document)[:6] == ["schema", "tool", "rig", "dut", "edition", "readings"]
    assert list(document["cases"][0])[:4] == ["id", "suite", "requirement", "clause"]


def test_equal_runs_give_equal_bytes(info: RunInfo, results: list[CaseResult]) -> None:
    again = msgspec.structs.replace(info, started="2027-01-01T00:00:00+00:00")
    assert render(info, results) == render(info, results)
    lines = zip(render(info, results).splitlines(), render(again, results).splitlines(), strict=True)
    assert [line.split(b":")[0].strip() for line, other in lines if line != other] == [b'"started"']


def test_numbers_that_json_cannot_hold_become_null(info: RunInfo, result: Callable[..., CaseResult]) -> None:
    endless = result(measurements=[Measurement("gap", float("inf"), "s", float("-inf"), None, Verdict.FAIL)])
    document = json.loads(render(info, [endless]), parse_constant=pytest.fail)
    assert document["cases"][0]["measurements"][0]["value"] is None
    jsonschema.Draft202012Validator(schema()).validate(document)


def test_results_come_back_from_the_log(tmp_path: Path, results: list[CaseResult]) -> None:
    with ResultLog(tmp_path / "out") as log:
        for each in results:
            log.append(each)
            assert read_results(tmp_path / "out")[-1] == each
    assert read_results(tmp_path / "out") == results


def test_results_survive_a_kill(tmp_path: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from hil.conformance.verdict import CaseResult, Verdict
from hil.evidence.log import ResultLog
log = ResultLog(Path({str(tmp_path)!r}))
for n in range(10):
    log.append(CaseResult(f"C.{{n}}", "s", "r", "x", "S2", "p", Verdict.PASS, ""))
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode < 0
    assert [each.id for each in read_results(tmp_path)] == [f"C.{n}" for n in range(10)]


def test_a_torn_result_is_left_out(tmp_path: Path, results: list[CaseResult]) -> None:
    with ResultLog(tmp_path) as log:
        for each in results:
            log.append(each)
    log.path.write_bytes(log.path.read_bytes()[:-10])
    assert read_results(tmp_path) == results[:-1]


def test_a_log_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(HilError, match=r"results\.jsonl"):
        read_results(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(HilError, match=r"file/results\.jsonl"):
        ResultLog(tmp_path / "file")
    (tmp_path / "results.jsonl").write_text("{}\n")
    with pytest.raises(HilError, match="no result log"):
        read_results(tmp_path)


def test_the_reference_page_names_every_key() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/report.md").read_text("utf-8")
    declared = schema()
    tables = [declared, declared["properties"]["summary"], *declared["$defs"].values()]
    keys = {key for table in tables for key in table.get("properties", {})}
    assert len(keys) > 40
    assert [key for key in sorted(keys) if f"| `{key}` |" not in page] == []
    for values in declared["$defs"]["case"]["properties"]["verdict"]["enum"]:
        assert f"`{values}`" in page
