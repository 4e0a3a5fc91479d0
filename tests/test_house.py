"""House rules that no other tool keeps: what is tracked, what is declared and used, what cases look like."""

from __future__ import annotations

import ast
import contextlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hil.conformance import catalogue
from hil.conformance.register import register
from hil.dut.faults import all_faults
from hil.marks import requirement_of

ROOT = Path(__file__).resolve().parents[1]
CODE = ("hil", "fixtures", "test_suites", "tests", "benchmarks", "docs", "tools", ".ci")
LARGE = 600
LONG = 40
TABLES: dict[str, str] = {}
"""Modules that may be longer than :data:`LARGE` lines, with the reason."""


@cache
def tracked() -> tuple[Path, ...]:
    """Files under version control; skips where there is none, as in an unpacked source package."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"not under version control: {error}")
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def lines() -> Iterator[tuple[str, str]]:
    """Place and text of every line of every tracked text but this one, which has to name what it forbids."""
    for path in tracked():
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def python_files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def project() -> dict[str, object]:
    found: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return found


# --- what is tracked ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "forbidden",
    [
        pytest.param(r"(?<![\w.])/(work|farm|home|root|Users)/\w", id="paths of one machine"),
        pytest.param(r"https?://[^ )\"]*/(simple|pool|registry)/|index-url", id="package registries"),
        pytest.param(r"(?i)\b(developer session|claude|as an ai|llm)\b", id="how it was made"),
        pytest.param(r"(?i)\bissue #?\d+\b", id="numbers of a tracker"),
        pytest.param(r"\b(TODO|FIXME|XXX|NotImplementedError)\b", id="unfinished work"),
    ],
)
def test_no_tracked_file_speaks_of(forbidden: str) -> None:
    found = [f"{place}: {line.strip()[:100]}" for place, line in lines() if re.search(forbidden, line)]
    assert not found, "\n".join(found)


def test_every_exception_from_a_check_has_its_reason() -> None:
    bare = re.compile(r"#\s*(noqa(:\s*[A-Z0-9, ]+)?|type: ignore(\[[\w, -]+\])?)\s*$")
    found = [
        f"{place}: {line.strip()}"
        for place, line in lines()
        if place.split(":")[0].endswith(".py") and bare.search(line)
    ]
    assert not found, "\n".join(found)


def test_pinned_versions_are_names_and_versions_only() -> None:
    pins = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    wrong = [line for line in pins if not re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+", line)]
    assert not wrong


# --- dependencies ---------------------------------------------------------------------------------

MODULES = {
    "allure-python-commons": "allure_commons",
    "can-isotp": "isotp",
    "can-j1939": "j1939",
    "myst-parser": "myst_parser",
    "pyserial": "serial",
    "python-can": "can",
}
"""Modules of distributions that are not called like them."""
NEVER_IMPORTED = {
    "allure-pytest": "a plugin of pytest",
    "pyserial": "serial ports of rigs",
    "pytest-xdist": "a plugin of pytest",
    "asammdf": "python-can reads MF4 logs through it",
    "build": "a program",
    "cairosvg": "loaded where a PNG is asked for",
    "furo": "named in docs/conf.py",
    "hatchling": "the build's backend",
    "mypy": "a program",
    "myst-parser": "named in docs/conf.py",
    "ruff": "a program",
    "setuptools": "tools/native.py builds with it",
    "types-jsonschema": "types only",
}


def distributions(declared: object) -> dict[str, str]:
    """Distribution to module."""
    assert isinstance(declared, list)
    names = [re.split(r"[<>=!~ \[]", each, maxsplit=1)[0] for each in declared]
    return {name: MODULES.get(name, name).replace("-", "_") for name in names}


def third_party(paths: list[Path]) -> set[str]:
    """Modules that files import, but for Python's own, ours, and helpers that stand beside tests and pages."""
    found: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").split(".")[0])
    own = {*CODE, *(path.stem for path in paths if "hil" not in path.relative_to(ROOT).parts)}
    return {name for name in found if name not in sys.stdlib_module_names and name not in own}


def test_what_the_package_imports_is_what_it_declares() -> None:
    declared = distributions(project()["dependencies"])
    imported = {"pytest" if name == "_pytest" else name for name in third_party(python_files("hil", "fixtures"))}
    imported.discard("mypy_extensions")  # only the type checker and the compiler look there
    check_declared(declared, imported)


def test_what_only_development_imports_is_declared_for_it() -> None:
    extras = project()["optional-dependencies"]
    assert isinstance(extras, dict)
    declared = {**distributions(project()["dependencies"])}
    for extra in extras.values():
        declared |= distributions(extra)
    # docutils comes with sphinx, mypyc and mypy_extensions with mypy, packaging with pytest
    imported = third_party(python_files(*CODE)) - {"_pytest", "docutils", "mypy_extensions", "mypyc", "packaging"}
    check_declared(declared, imported)


def check_declared(declared: dict[str, str], imported: set[str]) -> None:
    """Everything imported is declared, and everything declared is imported or has a reason not to be."""
    assert imported <= set(declared.values())
    assert {module for name, module in declared.items() if name not in NEVER_IMPORTED} <= imported


def test_every_declared_dependency_is_pinned() -> None:
    extras = project()["optional-dependencies"]
    assert isinstance(extras, dict)
    pins = {line.partition("==")[0].lower() for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()}
    for declared in (project()["dependencies"], *extras.values()):
        assert {name.lower() for name in distributions(declared)} <= pins


def test_the_pins_agree_with_what_the_dependencies_need() -> None:
    """As ``pip check`` does, but with the extras that are asked for: those it leaves out."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = {canonicalize_name(name): pin for name, _, pin in (line.partition("==") for line in lines) if pin}
    extras = project()["optional-dependencies"]
    assert isinstance(extras, dict)
    todo = [Requirement(each) for group in (project()["dependencies"], *extras.values()) for each in group]
    wrong, seen = [], set()
    while todo:
        needed = todo.pop()
        name = canonicalize_name(needed.name)
        if str(needed) in seen:
            continue
        seen.add(str(needed))
        if name in pins and not needed.specifier.contains(pins[name], prereleases=True):
            wrong.append(f"{needed} is needed, {pins[name]} pinned")
        with contextlib.suppress(PackageNotFoundError):  # an extra that is not installed here
            for each in map(Requirement, requires(needed.name) or ()):
                asked = ({"extra": extra} for extra in ("", *needed.extras))
                if each.marker is None or any(each.marker.evaluate(extra) for extra in asked):
                    todo.append(each)
    assert not wrong


# --- sizes ----------------------------------------------------------------------------------------


def test_no_module_is_large_without_a_reason() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in python_files("hil")}
    large = {name: size for name, size in sizes.items() if size > LARGE and name not in TABLES}
    assert not large, f"look for a cut: {large}"


def test_no_function_is_long() -> None:
    found = []
    for path in python_files("hil", "fixtures", "test_suites"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                first = node.body[1] if ast.get_docstring(node) is not None and len(node.body) > 1 else node.body[0]
                length = (node.end_lineno or 0) - first.lineno + 1
                if length > LONG:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} has {length} lines")
    assert not found, "\n".join(found)


# --- catalogue, cases, register, faults -----------------------------------------------------------


def cases() -> dict[str, tuple[Path, ast.FunctionDef]]:
    """Requirement id to the case that is tied to it."""
    found: dict[str, tuple[Path, ast.FunctionDef]] = {}
    for path in python_files("test_suites"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                ties = [each for each in node.decorator_list if isinstance(each, ast.Call)]
                assert [ast.unparse(tie.func) for tie in ties] == ["requirement"], f"{path}: {node.name}"
                identifier = ast.literal_eval(ties[0].args[0])
                assert identifier not in found, f"{identifier} has two cases"
                found[identifier] = (path, node)
    return found


def test_every_requirement_has_one_case_and_every_case_its_requirement() -> None:
    assert set(cases()) == set(catalogue.requirements())


def test_a_case_lies_in_its_suite_under_its_name() -> None:
    for identifier, (path, case) in cases().items():
        requirement = catalogue.requirements()[identifier]
        assert path.parent.name == requirement.suite
        assert case.name == "test_" + requirement.case.replace(".", "_")
    assert {path.parent.name for path, _ in cases().values()} == set(catalogue.suites())


def test_a_case_states_its_purpose_in_one_sentence() -> None:
    for identifier, (_, case) in cases().items():
        purpose = " ".join((ast.get_docstring(case) or "").split("\n\n")[0].split())
        assert re.fullmatch(r"TP: [^.\s].*[^.]\.", purpose), f"{identifier}: {purpose!r}"
        assert not re.search(r"\. [A-Z]", purpose), f"{identifier}: more than one sentence: {purpose}"


def test_a_mark_is_what_the_plugin_finds() -> None:
    from hil.cases import requirement  # what a case imports

    assert requirement_of(requirement("X/1")(lambda: None)) == "X/1"


@cache
def uses() -> str:
    """Everything in which a register entry or a limit may be used."""
    files = [*python_files("hil", "test_suites"), *sorted((ROOT / "hil" / "conformance").rglob("*.toml"))]
    return "\n".join(path.read_text("utf-8") for path in files if path.name != "register.toml")


@pytest.mark.parametrize("name", register())
def test_a_register_entry_is_used(name: str) -> None:
    decided = len(register()[name].choices) > 1
    assert f'"{name}"' in uses() or (not decided and f"(register: {name})" in uses())


@pytest.mark.parametrize("table", ["timeouts", "spans", "quantities"])
def test_a_limit_is_used(table: str) -> None:
    assert not [name for name in catalogue.names(table) if f'"{name}"' not in uses().replace(f"[{table}.", "")]


def test_every_capability_is_needed_by_some_requirement() -> None:
    needed: set[str] = set()
    for each in catalogue.requirements().values():
        needed.update(each.needs, *each.variant_needs.values())
    assert set(catalogue.CAPABILITIES) == needed


def test_every_requirement_has_a_seeded_fault() -> None:
    broken = {identifier for fault in all_faults().values() for identifier in fault.breaks}
    assert broken <= set(catalogue.requirements())
    by_person = {each.id for each in catalogue.requirements().values() if "inspection" in each.needs}
    assert set(catalogue.requirements()) - broken == by_person


# --- releases -------------------------------------------------------------------------------------


def test_the_changelog_begins_with_the_version() -> None:
    heads = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    version = project()["version"]
    assert isinstance(version, str)
    assert heads[0] in (version, "Unreleased")
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
