"""``hil check``: what it prints and writes, and its exit codes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hil.cli.app import app

CHM = "1826F456#010100"


def log(path: Path, *, gap: float = 0.25, count: int = 12) -> Path:
    path.write_text("".join(f"({number * gap:.6f}) can0 {CHM}\n" for number in range(count)))
    return path


def invoke(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", *map(str, arguments)], env={"COLUMNS": "200"})
    return result.exit_code, result.output


def test_a_clean_log_exits_with_0(tmp_path: Path) -> None:
    code, output = invoke(log(tmp_path / "a.log"))
    assert code == 0, output
    assert "0 deviations of the charger" in output
    assert "|CHM" in output


def test_a_deviation_exits_with_1_and_is_told(tmp_path: Path) -> None:
    code, output = invoke(log(tmp_path / "a.log", gap=0.3), "--resolution", "0.001", "--out", tmp_path / "out")
    assert code == 1, output
    assert "MON/PERIOD.CHM" in output
    document = json.loads((tmp_path / "out" / "check.json").read_text("utf-8"))
    assert document["summary"]["charger"] == len(document["findings"]) == 10
    assert document["counts"][0]["count"] == 10
    assert document["phases"][0]["phase"] == "handshake"
    page = (tmp_path / "out" / "check.html").read_text("utf-8")
    assert page.count("MON/PERIOD.CHM") >= 10
    assert "<svg" in page
    digest = hashlib.sha256((tmp_path / "a.log").read_bytes()).hexdigest()
    assert document["sha256"] == digest
    assert document["tool"].startswith("hil ")
    assert digest in page
    assert f"judged by {document['tool']}" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_names_from_a_file_cannot_break_the_page(tmp_path: Path) -> None:
    path = tmp_path / "<b>&.log"
    path.write_text("<script>alert(1)</script> can0 x\n" + f"(0.000000) can0 {CHM}\n" * 3)
    invoke(path, "--out", tmp_path / "out")
    page = (tmp_path / "out" / "check.html").read_text("utf-8")
    assert "<script>" not in page
    assert "<b>&.log" not in page


def test_a_reading_changes_the_judgement(tmp_path: Path) -> None:
    path = log(tmp_path / "a.log", gap=0.3)
    assert invoke(path, "--resolution", "0.001", "--reading", "field")[0] == 0
    assert invoke(path, "--resolution", "0.001", "--reading", "period-tolerance=40-percent")[0] == 0
    assert invoke(path, "--resolution", "0.1")[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("missing.log",),
        ("a.log", "--reading", "lenient"),
        ("a.log", "--reading", "dlc=any"),
        ("a.log", "--edition", "2031"),
        ("a.log", "--resolution", "-1"),
        ("empty.log",),
    ],
)
def test_usage_errors_exit_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    monkeypatch.chdir(tmp_path)
    log(tmp_path / "a.log")
    (tmp_path / "empty.log").write_text("nothing\n")
    code, output = invoke(*arguments)
    assert code == 2, output
