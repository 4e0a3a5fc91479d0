"""One judged session: the charger served by one process, judged by another, and what that came to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil.evidence.timing import Timings
from hil.evidence.trace import read_stream
from hil.transport.clock import monotonic
from hil.units import SECOND

HIL = [sys.executable, "-m", "hil.cli"]
_GOING = 20.0
"""s for a served device to end after it was asked to."""


@dataclass
class Outcome:
    """What ``hil run`` came to."""

    code: int
    seconds: float
    cases: list[Mapping[str, Any]] = field(default_factory=list)
    bench: str = ""
    """The bench's own lateness."""
    device: str = ""
    """The served device's."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Runs by verdict, *not applicable* aside."""
        return Counter(case["verdict"] for case in self.judged)

    @property
    def judged(self) -> list[Mapping[str, Any]]:
        """Runs that were applicable."""
        return [case for case in self.cases if case["verdict"] != "not_applicable"]

    def tell(self) -> None:
        """Print it."""
        verdicts = ", ".join(f"{number} {verdict}" for verdict, number in self.counts.items())
        session = sum(case["duration_s"] for case in self.cases)
        print(f"  {len(self.judged)} runs: {verdicts or 'no verdict'}")
        print(f"  {self.seconds:.0f} s, of which {session:.0f} s sessions")
        print(f"  bench:  {self.bench or 'sent nothing'}")
        print(f"  device: {self.device or 'told nothing'}")
        for case in self.judged:
            if case["verdict"] != "pass":
                print(f"  {case['verdict']:12} {name_of(case)}: {case['reason']}")
        sys.stdout.flush()


def name_of(case: Mapping[str, Any]) -> str:
    """A run as ``--case`` takes it."""
    return str(case["id"]) + (f"[{case['variant']}]" if case["variant"] else "")


def judge(rig: Path, out: Path, arguments: Sequence[str], *, fault: str = "") -> Outcome:
    """Serve the rig's charger, with a seeded fault, and judge it meanwhile; both keep their traces in ``out``."""
    with _served(rig, out / "served", fault) as told:
        start = monotonic()
        command = [*HIL, "run", "--rig", str(rig), "--out", str(out), *arguments]
        code = subprocess.run(command, check=False).returncode  # noqa: S603 - built above
        outcome = Outcome(code, (monotonic() - start) / SECOND)
    outcome.device = told[-1] if told else ""
    report = out / "conformance.json"
    if report.is_file():
        outcome.cases = json.loads(report.read_text("utf-8"))["cases"]
        outcome.bench = _lateness(out, outcome.cases)
    return outcome


@contextmanager
def _served(rig: Path, out: Path, fault: str) -> Iterator[list[str]]:
    """The charger in a process of its own while the block runs; afterwards the list has what it told.

    One that does not come up raises :class:`RuntimeError` with its words.
    """
    command = [*HIL, "serve", "--rig", str(rig), "--device", "gbt27930", "--out", str(out)]
    command += ["--fault", fault] if fault else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603 - ours
    assert process.stdout is not None, "it is a pipe"
    told: list[str] = []
    try:
        for line in process.stdout:
            told.append(line.rstrip())
            if told[-1] == "ready":
                break
        else:
            raise RuntimeError(f"the charger does not come up: {' / '.join(told)}")
        yield told
    finally:
        process.send_signal(signal.SIGINT)
        try:
            rest, _ = process.communicate(timeout=_GOING)
            told += rest.splitlines()
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _lateness(out: Path, cases: Sequence[Mapping[str, Any]]) -> str:
    timings = Timings()
    for case in cases:
        stream = out / str(case["stream"])
        if case["stream"] and stream.is_file():
            timings.feed(read_stream(stream))
    found = timings.timing()
    return "; ".join([found.summary, *(f"{port}: {clock}" for port, clock in found.clocks)])
