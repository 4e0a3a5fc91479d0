"""A suite of a user's own, by the command and by plain pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FILE = """\
prefix = "ACME"
suite = "acme"
title = "acceptance"
source = "ACME 12"
basis = "S1"
editions = ["2015"]

[[requirement]]
case = "A.02"
title = "answer"

[[requirement]]
case = "A.01"
title = "first message"
variants = ["soon", "at-once"]
"""
TESTS = '''
from hil.cases import Bench, ms, requirement, s, window
from hil.protocol.gbt27930 import CHM

WITHIN = {"soon": s(3), "at-once": ms(1)}


@requirement("ACME/A.01")
def test_A_01(bench: Bench, variant: str) -> None:
    """TP: the first CHM comes soon after the start."""
    bench.plug_in()
    start = bench.now
    bench.start()
    bench.expect(CHM, after=start, within=window("chm", 0, WITHIN[variant], "ACME 12, 3"))


@requirement("ACME/A.02")
def test_A_02(bench: Bench) -> None:
    """TP: the answer is 42."""
    bench.check("answer", 42.0, equals=42)
'''
VERDICTS = [("A.02", None, "pass"), ("A.01", "soon", "pass"), ("A.01", "at-once", "fail")]


@pytest.fixture
def acme(shell: Any) -> Path:
    """A folder with a suite, in the shell's."""
    place: Path = shell.path / "acme suite"
    place.mkdir()
    (place / "requirements.toml").write_text(FILE, encoding="utf-8")
    (place / "test_acme.py").write_text(TESTS, encoding="utf-8")
    return place


def verdicts(shell: Any) -> list[tuple[str, str | None, str]]:
    return [(case["id"], case["variant"], case["verdict"]) for case in shell.report()["cases"]]


@pytest.mark.usefixtures("acme")
def test_a_folder_is_judged_and_reported_like_a_shipped_suite(shell: Any) -> None:
    done = shell.hil("run", "--suite", "acme suite")
    assert done.returncode == 1, done.stderr
    assert verdicts(shell) == VERDICTS
    failed = shell.report()["cases"][2]
    assert (failed["requirement"], failed["suite"], failed["source"]) == ("ACME/A.01", "acme", "ACME 12")
    assert failed["repeat"] == "hil run --case 'A.01[at-once]' --seed 0 --suite 'acme suite'"
    assert "FAIL  A.01[at-once]  first message" in done.stdout
    assert "first message" in (shell.path / "report" / "index.html").read_text("utf-8")


@pytest.mark.usefixtures("acme")
def test_its_cases_are_chosen_and_listed_beside_shipped_suites(shell: Any) -> None:
    done = shell.hil("run", "--suite", "acme suite", "--suite", "gbt27930", "--list", "--case", "a_01")
    assert done.returncode == 0, done.stderr
    assert "ACME/A.01" in done.stdout
    assert "1 case in 2 runs" in done.stdout
    done = shell.hil("run", "--suite", "acme suite", "--suite", "gbt27930", "--case", "A.02", "--case", "DN.3006")
    assert done.returncode == 0, done.stderr
    assert [case["id"] for case in shell.report()["cases"]] == ["DN.3006", "A.02"]


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "workers"])
def test_plain_pytest_finds_the_requirements_beside_the_tests(shell: Any, workers: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "acme suite/test_acme.py", *workers],
        cwd=shell.path,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert sorted(verdicts(shell), key=str) == sorted(VERDICTS, key=str)


@pytest.mark.parametrize("more", [(), ("--list",), ("--", "-k", "A_01")], ids=" ".join)
def test_a_requirement_that_no_case_judges_is_usage(shell: Any, acme: Path, more: tuple[str, ...]) -> None:
    (acme / "requirements.toml").write_text(FILE + '[[requirement]]\ncase = "A.03"\ntitle = "x"\n', encoding="utf-8")
    done = shell.hil("run", "--suite", "acme suite", *more)
    assert done.returncode == 2, done.stdout
    assert "no case judges ACME/A.03: 1 of the suite's requirements" in done.stderr


def test_workers_tell_of_it_too(shell: Any, acme: Path) -> None:
    (acme / "requirements.toml").write_text(FILE + '[[requirement]]\ncase = "A.03"\ntitle = "x"\n', encoding="utf-8")
    done = shell.hil("run", "--suite", "acme suite", "--", "-n", "2")
    assert done.returncode == 3, done.stdout
    assert done.stderr.count("no case judges ACME/A.03: 1 of the suite's requirements") == 1
    assert [case["id"] for case in shell.report()["cases"]] == ["A.02", "A.01", "A.01"], "the others have run"


def test_a_clash_is_usage(shell: Any, acme: Path) -> None:
    (acme / "requirements.toml").write_text(FILE.replace("A.02", "DN.3006"), encoding="utf-8")
    done = shell.hil("run", "--suite", "acme suite")
    assert done.returncode == 2
    assert "case DN.3006 is taken by GBT34658-2017/DN.3006" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "--suite", "./gone"), "no suite './gone': there is no such folder"),
        (("run", "--suite", "gbt2793"), "no suite 'gbt2793': did you mean gbt27930"),
        (("run", "--suite", "empty"), "suite empty: there is no requirements*.toml that says what its cases judge"),
        (("qualify", "--suite", "acme suite"), "--suite acme suite: only the shipped suites have seeded faults"),
    ],
)
@pytest.mark.usefixtures("acme")
def test_what_is_no_suite_is_told(shell: Any, words: tuple[str, ...], message: str) -> None:
    (shell.path / "empty").mkdir()
    done = shell.hil(*words)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_requirement_that_its_suite_does_not_have_is_told(shell: Any, acme: Path) -> None:
    (acme / "test_acme.py").write_text(TESTS.replace("ACME/A.02", "ACME/A.20"), encoding="utf-8")
    done = shell.hil("run", "--suite", "acme suite")
    assert done.returncode == 2
    assert "the catalogue has no requirement 'ACME/A.20'; did you mean ACME/A.02?" in done.stderr


def test_a_kind_of_bench_that_there_is_not_is_told(shell: Any, acme: Path) -> None:
    (acme / "requirements.toml").write_text('bench = "toaster"\n' + FILE, encoding="utf-8")
    done = shell.hil("run", "--suite", "acme suite")
    assert done.returncode == 2
    assert "no kind of bench 'toaster'; there are ac, " in done.stderr
