"""Every failure is repeated byte for byte by the line that it prints, in another process."""

from __future__ import annotations

import json
import random
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hil.conformance.catalogue import requirements
from hil.conformance.verdict import CaseResult, Verdict
from hil.dut.faults import SeededFault, all_faults
from hil.pytest_plugin.options import Options
from hil.pytest_plugin.plan import make_plan
from hil.pytest_plugin.run import CaseRun
from hil.qualify.suite import suite_cases

COUNT = 50
LONGEST = 200.0
"""Seconds of a session in its own time: the few longer ones take as long as all others together."""
AGAIN = """
import json, shlex, sys
from pathlib import Path
from hil.cli.app import app

codes = []
for number, line in enumerate(json.load(sys.stdin)):
    words = shlex.split(line)
    assert words[0] == "hil"
    codes.append(app([*words[1:], "--out", f"{sys.argv[1]}/{number}"], standalone_mode=False))
Path(sys.argv[1], "codes.json").write_text(json.dumps(codes))
"""


def failures(fault: SeededFault[Any], case: str, seed: int, out: Path) -> list[CaseResult]:
    """The runs of a case that fail with a fault in the charger, here and now, with their traces."""
    requirement = requirements()[case]
    plan = make_plan(Options(requirement=(case,), fault=(fault.name,), seed=seed, out=str(out)))
    found = []
    for run in plan.runs(requirement):
        opened = CaseRun(run, plan)
        raised: Exception | None = None
        try:
            suite_cases()[case](opened.bench, run.variant)
        except Exception as error:
            raised = error
        result = opened.conclude(raised)
        if result.verdict is Verdict.FAIL and result.duration_s < LONGEST:
            found.append(result)
    return found


def files(out: Path, result: CaseResult) -> dict[str, bytes]:
    """Trace and stream of a result."""
    assert result.trace is not None
    assert result.stream is not None
    return {name: (out / name).read_bytes() for name in (result.trace, result.stream)}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, CaseResult]]:
    """Failures of faults and cases drawn at random, always the same ones."""
    rng = random.Random("failures to repeat")
    pairs = [(fault, case) for fault in all_faults().values() for case in fault.breaks if case in suite_cases()]
    rng.shuffle(pairs)
    drawn: list[tuple[Path, CaseResult]] = []
    while len(drawn) < COUNT:
        fault, case = pairs.pop()
        out = tmp_path_factory.mktemp("first")
        found = failures(fault, case, rng.randrange(2**31), out)
        if found:
            drawn.append((out, rng.choice(found)))
    return drawn


def test_fifty_failures_come_again_byte_for_byte(first: list[tuple[Path, CaseResult]], tmp_path: Path) -> None:
    lines = [result.repeat for _, result in first]
    assert len(set(lines)) == COUNT
    done = subprocess.run(
        [sys.executable, "-c", AGAIN, str(tmp_path)],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    # An advisory failure is told and does not fail the run.
    codes = [0 if result.advisory else 1 for _, result in first]
    assert json.loads((tmp_path / "codes.json").read_text("utf-8")) == codes
    for number, (out, result) in enumerate(first):
        again = tmp_path / str(number)
        (case,) = json.loads((again / "conformance.json").read_text("utf-8"))["cases"]
        assert (case["verdict"], case["reason"]) == ("fail", result.reason), result.repeat
        for name, kept in files(out, result).items():
            assert (again / name).read_bytes() == kept, f"{name} differs: {result.repeat}"


def test_the_line_is_told_to_whoever_runs_it(first: list[tuple[Path, CaseResult]], tmp_path: Path) -> None:
    line = next(result for _, result in first if not result.advisory).repeat
    words = [*shlex.split(line)[1:], "--out", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", "hil.cli", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert line in done.stdout
