"""Judge and DUT know nothing of each other, not even through third modules."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = {"errors", "native", "units", "codec", "protocol", "plant", "bus", "world"}
"""What both sides may stand on: values, wire layers, the world they meet in, what compiles it. None of it judges."""
JUDGE = ("hil.conformance", "hil.evidence")
ASSEMBLY = tuple(
    f"hil.bench.{each}" for each in ("setup", "opening", "kinds", "door", "instruments", "live", "serving")
)
"""Where benches are put together, and so the only parts of the bench that know a side."""


def modules() -> dict[str, Path]:
    found = {}
    for path in (ROOT / "hil").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@cache
def imported(name: str) -> frozenset[str]:
    """Modules of ours that a module imports itself, wherever in it; packages on the way are run too."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for each in names:
            parts = each.split(".")
            found |= {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return frozenset((found & MODULES.keys()) - {"hil"})


def reachable(*packages: str) -> set[str]:
    """All modules that these packages import, directly or not, themselves included."""
    waiting = [name for name in MODULES if any(name == each or name.startswith(f"{each}.") for each in packages)]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += imported(name)
    return seen


def layers(names: set[str]) -> set[str]:
    return {name.split(".")[1] for name in names}


def test_the_graph_is_the_one_that_python_follows() -> None:
    """What an interpreter has loaded after importing the charger is in the graph."""
    code = "import sys, hil.dut.gbt27930; print(*(name for name in sys.modules if name.startswith('hil.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "hil.dut.gbt27930.charger" in loaded
    assert loaded <= reachable("hil.dut.gbt27930")


@pytest.mark.parametrize("side", ["dut", "tester"])
def test_a_side_stands_on_what_is_shared_and_on_itself(side: str) -> None:
    assert layers(reachable(f"hil.{side}")) <= SHARED | {side}


def test_the_judge_knows_neither_side() -> None:
    assert not layers(reachable(*JUDGE)) & {"dut", "tester", "bench"}


def test_what_judge_and_dut_have_in_common_judges_nothing() -> None:
    common = layers(reachable(*JUDGE) & reachable("hil.dut"))
    assert common <= SHARED


def test_checks_and_waits_of_the_bench_know_neither_side() -> None:
    """Of the bench, only what puts it together imports a side."""
    for name in sorted(MODULES):
        if name.startswith("hil.bench.") and not name.startswith(ASSEMBLY):
            assert not layers(set(imported(name))) & {"dut", "tester"}, name


def test_cases_reach_no_side_themselves() -> None:
    for path in sorted((ROOT / "test_suites").rglob("*.py")):
        names = {
            node.module or ""
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
        assert not {name for name in names if name.startswith(("hil.dut", "hil.tester"))}, path
