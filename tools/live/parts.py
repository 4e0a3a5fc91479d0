"""Sessions beside each other: the cases of two suites take more than an hour of real time one after the other."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.live.session import HIL, name_of

SUITES = ("--suite", "gbt27930", "--suite", "gbt34657")
_OVERHEAD = 5.0
"""s that a case takes beside its session."""
_PRINTING = threading.Lock()


def virtual_durations() -> Mapping[str, float]:
    """Every applicable run of the suites, with its span on the virtual bus in s: about what it takes on a real one.

    Raises :class:`RuntimeError` where one does not pass there.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [*HIL, "run", *SUITES, "--out", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
        if done.returncode:
            raise RuntimeError(f"on the virtual bus the suites end with {done.returncode}: {done.stdout[-2000:]}")
        cases = json.loads(Path(folder, "conformance.json").read_text("utf-8"))["cases"]
    return {name_of(case): case["duration_s"] for case in cases if case["verdict"] != "not_applicable"}


def split(durations: Mapping[str, float], parts: int) -> Sequence[Sequence[str]]:
    """The names in parts that take about as long as each other; none is empty."""
    chosen: list[list[str]] = [[] for _ in range(min(parts, len(durations)))]
    spans = [0.0] * len(chosen)
    for name in sorted(durations, key=lambda name: -durations[name]):
        shortest = spans.index(min(spans))
        chosen[shortest].append(name)
        spans[shortest] += durations[name] + _OVERHEAD
    return chosen


def beside(commands: Mapping[str, Sequence[str]], at_once: int) -> Mapping[str, int]:
    """Exit code by label; what they print is printed with the label before it."""
    with ThreadPoolExecutor(at_once) as pool:
        return dict(zip(commands, pool.map(_relay, commands, commands.values()), strict=True))


def _relay(label: str, command: Sequence[str]) -> int:
    with subprocess.Popen(  # noqa: S603 - this program again
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None, "it is a pipe"
        for line in process.stdout:
            with _PRINTING:
                print(f"{label}: {line.rstrip()}", flush=True)
    return process.returncode


def again(*arguments: str) -> list[str]:
    """The words that run this program with other arguments."""
    return [sys.executable, "-m", "tools.live", *arguments]
