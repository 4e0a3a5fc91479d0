"""How cases are tied to the catalogue, and what the plugin does where there are none."""

from __future__ import annotations

from typing import Any

import pytest

FORMS = """
from hil.cases import Bench, requirement

@requirement("GBT34658-2017/DN.2004")
def test_DN_2004(bench: Bench, variant: str) -> None:
    bench.report("variant", variant)
    bench.check("x", 1, equals=1)

@requirement("GBT34658-2017/DN.2009")
def test_DN_2009(bench: Bench) -> None:
    bench.report("reading", bench.reading("dn2007-2009"))
    bench.check("x", 1, equals=1)
"""


def case(identifier: str) -> str:
    return (
        "from hil.cases import Bench, requirement\n"
        f"@requirement({identifier!r})\ndef test_case(bench: Bench) -> None:\n    bench.check('x', 1, equals=1)\n"
    )


def names(stdout: str) -> list[str]:
    return [line.rpartition("::")[2] for line in stdout.splitlines() if "::" in line]


def test_variants_and_readings_become_runs(folder: Any) -> None:
    folder.write("test_forms.py", FORMS)
    assert names(folder.pytest("--collect-only", "-q").stdout) == [
        "test_DN_2004[unused-pf]",
        "test_DN_2004[short]",
        "test_DN_2004[wrong-source]",
        "test_DN_2004[wrong-priority]",
        "test_DN_2004[too-long]",
        "test_DN_2004[wrong-content]",
        "test_DN_2009[dn2007-2009=amd1]",
        "test_DN_2009[dn2007-2009=print]",
    ]
    assert not (folder.path / "report").exists()


def test_each_run_has_its_variant_reading_and_worth(folder: Any) -> None:
    folder.write("test_forms.py", FORMS)
    assert folder.pytest().returncode == 0
    cases = folder.report()["cases"]
    told = {(each["id"], each["variant"], each["reading"]): each["measurements"][0]["value"] for each in cases}
    assert all(value in (variant, (reading or "").partition("=")[2]) for (_, variant, reading), value in told.items())
    advisory = [each["variant"] for each in cases if each["advisory"]]
    assert advisory == ["wrong-priority", "too-long", "wrong-content"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--hil-reading", "dn2007-2009=print"), ["test_DN_2009[dn2007-2009=print]"]),
        (("--hil-case", "dn_2004[short]"), ["test_DN_2004[short]"]),
        (("--hil-case", "DN.2009[dn2007-2009=amd1]"), ["test_DN_2009[dn2007-2009=amd1]"]),
        (("--hil-requirement", "GBT34658-2017/DN.2004", "-k", "short"), ["test_DN_2004[short]"]),
        (("--hil-suite", "gbt34657"), []),
        (("-m", "requirement", "-k", "DN_2009"), ["test_DN_2009[dn2007-2009=amd1]", "test_DN_2009[dn2007-2009=print]"]),
    ],
)
def test_runs_are_selected(folder: Any, options: tuple[str, ...], expected: list[str]) -> None:
    folder.write("test_forms.py", FORMS)
    found = names(folder.pytest("--collect-only", "-q", "-k", "not wrong", *options).stdout)
    assert [name for name in found if name in expected] == expected
    if "--hil-reading" not in options:
        assert found == expected


@pytest.mark.parametrize("extra", [(), ("-n", "1")])
def test_an_unknown_requirement_is_refused(folder: Any, extra: tuple[str, ...]) -> None:
    folder.write("test_own.py", case("GBT34658-2017/DN.9999"))
    done = folder.pytest(*extra)
    assert done.returncode != 0
    assert "test_own.py::test_case: the catalogue has no requirement 'GBT34658-2017/DN.9999'" in done.stdout


def test_two_cases_of_one_requirement_are_refused(folder: Any) -> None:
    folder.write("test_one.py", case("GBT34658-2017/DP.1001"))
    folder.write("test_two.py", case("GBT34658-2017/DP.1001"))
    done = folder.pytest()
    assert done.returncode == 2
    assert "GBT34658-2017/DP.1001 has two cases: test_one.py::test_case and test_two.py::test_case" in done.stdout


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--rig=nope", "no rig 'nope'"),
        ("--hil-reading=nope=1", "no reading 'nope'"),
        ("--hil-case=DN.2044", "no case 'DN.2044': did you mean DN.2004"),
        ("--hil-edition=gbt27930=2023", "allowed is gbt27930=2011 or gbt27930=2015"),
        ("--hil-seed=-1", "--seed -1: allowed is 0 and more"),
    ],
)
def test_a_bad_option_is_refused_at_once(folder: Any, option: str, message: str) -> None:
    done = folder.pytest(option)
    assert done.returncode == 4
    assert message in done.stderr


def test_a_run_without_cases_is_left_alone(folder: Any) -> None:
    folder.write(
        "test_plain.py",
        """
import sys, pytest

@pytest.mark.requirement("REQ-7: a mark of somebody else's")
def test_plain():
    assert "hil.bench.bench" not in sys.modules

@pytest.fixture
def bench():
    return "my own"

def test_own_fixture(bench):
    assert bench == "my own"
""",
    )
    with_plugin = folder.pytest("-q")
    without = folder.pytest("-q", "-p", "no:hil.pytest_plugin", "-W", "ignore")
    assert with_plugin.returncode == without.returncode == 0
    assert with_plugin.stdout.splitlines()[0] == without.stdout.splitlines()[0]
    assert "2 passed" in with_plugin.stdout
    assert [path.name for path in folder.path.iterdir()] == ["test_plain.py"]


def test_the_bench_needs_a_requirement(folder: Any) -> None:
    folder.write("test_own.py", "def test_without(bench):\n    pass\n")
    done = folder.pytest()
    assert done.returncode == 1
    assert "test_own.py::test_without uses the bench without a @requirement" in done.stdout
    assert not (folder.path / "report").exists()
