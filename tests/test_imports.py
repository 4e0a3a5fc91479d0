"""The direction of imports: a layer imports only what stands above it in the list."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = (
    *("native", "errors", "units", "resources", "marks", "safety"),
    *("codec", "protocol", "plant", "bus", "world", "dut", "tester"),
    *("conformance", "profile", "rig", "transport", "bench", "cases", "evidence", "check", "soak"),
    *("pytest_plugin", "qualify", "cli"),
)
APART = {
    "dut": {"tester", "conformance"},
    "tester": {"dut"},
    # The judge takes neither limits nor opinions from either side.
    "conformance": {"dut", "tester"},
    "evidence": {"dut", "tester"},
}
DOORS = ("hil.cases", "hil.bench.steps", "hil.bench.link", "hil.protocol")
"""What a case may import of hil."""
FOREIGN_TO_CASES = {"__future__", "itertools", "math"}
ONLY_TRANSPORT = {"socket", "select", "serial", "asyncio", "time"}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute name of every import of a file, also of those inside functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            module = node.module or ""
            if module == "hil":
                yield from ((node.lineno, f"hil.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, module


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT / "hil").with_suffix("").parts[0]


MODULES = [path for path in sorted((ROOT / "hil").rglob("*.py")) if path != ROOT / "hil" / "__init__.py"]


def test_every_module_belongs_to_a_layer() -> None:
    assert {layer_of(path) for path in MODULES} <= set(LAYERS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_layer_imports_only_what_stands_above_it(path: Path) -> None:
    layer = layer_of(path)
    for line, name in imports(path):
        if name.split(".")[0] != "hil" or name == "hil":
            continue
        imported = name.split(".")[1]
        assert LAYERS.index(imported) <= LAYERS.index(layer), f"{path}:{line}: {layer} imports {imported} from below"
        assert imported not in APART.get(layer, ()), f"{path}:{line}: {layer} must not know {imported}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_transport_knows_clocks_and_ports(path: Path) -> None:
    if layer_of(path) == "transport":
        return
    for line, name in imports(path):
        assert name.split(".")[0] not in ONLY_TRANSPORT, f"{path}:{line}: {name}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "test_suites").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_case_imports_only_the_doors_of_hil(path: Path) -> None:
    for line, name in imports(path):
        door = any(name == each or name.startswith(f"{each}.") for each in DOORS)
        assert door or name in FOREIGN_TO_CASES, f"{path}:{line}: {name}"


@pytest.mark.parametrize("path", sorted((ROOT / "fixtures").glob("*.py")), ids=lambda path: path.name)
def test_a_fixture_knows_the_plugin_and_the_bench_only(path: Path) -> None:
    for line, name in imports(path):
        if name.startswith("hil."):
            assert name.split(".")[1] in {"bench", "errors", "pytest_plugin"}, f"{path}:{line}: {name}"


def test_the_root_conftest_only_loads() -> None:
    tree = ast.parse((ROOT / "conftest.py").read_text("utf-8"))
    assert [type(node) for node in tree.body] == [ast.Expr, ast.Assign]
