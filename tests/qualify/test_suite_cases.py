"""Qualification runs what ``hil run`` runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hil.bench.bench import Bench
from hil.errors import CatalogueError
from hil.pytest_plugin.options import Options
from hil.qualify import make_request, qualify
from hil.qualify.suite import SuiteCase, suite_cases
from hil.resources import root
from tests.qualify.conftest import BCL_LOST


def test_the_cases_are_those_that_pytest_collects() -> None:
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", str(root() / "test_suites")]
    done = subprocess.run(
        words,
        cwd=root(),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    collected = {line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line}
    ours = {f"{case.path.relative_to(root()).as_posix()}::{case.name}" for case in suite_cases().values()}
    assert ours == collected


def test_a_run_comes_to_what_hil_run_comes_to(tmp_path: Path) -> None:
    found = qualify(make_request(Options(), only=("lost-bcl-late",)))
    repeat = found.faults[0].repeat.split()
    assert repeat[0] == "hil"
    words = [sys.executable, "-m", "hil.cli", *repeat[1:], "--out", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (case,) = json.loads((tmp_path / "conformance.json").read_text("utf-8"))["cases"]
    assert case["verdict"] == "fail"
    measured = next(each for each in case["measurements"] if each["verdict"] == "fail")
    assert f"{measured['name']}: {measured['value']:.6g} s" in found.faults[0].detail


@pytest.mark.parametrize("fault", ["lost-bcl-late", "zero-demand-in-constant-voltage"])
def test_nothing_is_written_by_a_run(fault: str, tmp_path: Path) -> None:
    qualify(make_request(Options(out=str(tmp_path / "out")), only=(fault,)))
    assert list(tmp_path.iterdir()) == []


def wants_more(bench: Bench, tmp_path: Path) -> None:
    """TP: this asks for a fixture that only pytest has."""


def test_a_case_that_needs_more_than_the_bench_is_refused() -> None:
    with pytest.raises(CatalogueError, match="asks for tmp_path; allowed are bench and variant"):
        SuiteCase(BCL_LOST, wants_more, Path("x.py"))
