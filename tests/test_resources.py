"""Suites, fixtures and rigs are found in a checkout and in the wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hil import resources
from hil.conformance.catalogue import suites
from hil.errors import HilError

ROOT = Path(__file__).resolve().parents[1]
TOLD = """
from hil import resources
print(resources.root())
print(*resources.suite_names())
print(*resources.rig_names())
print(*(path.name for path in resources.fixture_modules()))
"""


def test_a_checkout_has_them_beside_the_package() -> None:
    assert resources.root() == ROOT
    assert resources.resource("rigs/virtual.toml") == ROOT / "rigs" / "virtual.toml"
    assert resources.suite_names() == tuple(sorted(suites()))
    assert "virtual" in resources.rig_names()
    assert {path.stem for path in resources.fixture_modules()} == {"bench", "run", "variant"}


@pytest.mark.parametrize("name", ["", "docs/x", "rigs/../pyproject.toml", "rigs/none.toml", "/etc/passwd"])
def test_only_what_is_shipped_is_a_resource(name: str) -> None:
    with pytest.raises(HilError, match="no resource"):
        resources.resource(name)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel, unpacked as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(folder), str(ROOT)]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    if built.returncode and "No matching distribution" in built.stderr:
        pytest.skip("no package index to get the build backend from")
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("hil-*.whl")
    target = folder / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def test_the_wheel_carries_them_inside_the_package(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TOLD],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    root, found_suites, rigs, fixtures = done.stdout.splitlines()
    assert Path(root) == installed / "hil" / "_bundled"
    assert tuple(found_suites.split()) == resources.suite_names()
    assert tuple(rigs.split()) == resources.rig_names()
    assert fixtures.split() == [path.name for path in resources.fixture_modules()]


def test_the_wheel_runs_a_case_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hil.cli", "run", "--case", "DN.3006"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "report" / "conformance.json").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
