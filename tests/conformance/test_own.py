"""A user's own requirement files: read beside the shipped ones, and refused where they clash."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.conformance.catalogue import requirements
from hil.conformance.own import has_requirements, join, read_suite
from hil.errors import UsageError

FILE = """\
prefix = "ACME"
suite = "acme"
title = "acceptance"
source = "ACME 12"
basis = "S1"
editions = ["2015"]

[[requirement]]
case = "A.01"
title = "warm-up"

[[requirement]]
case = "A.02"
title = "restart"
"""


def folder(tmp_path: Path, text: str = FILE, test: str = "test_acme.py", name: str = "requirements.toml") -> Path:
    (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / test).write_text("", encoding="utf-8")
    return tmp_path


def test_a_folder_brings_its_requirements_in_the_order_of_its_files(tmp_path: Path) -> None:
    folder(tmp_path)
    folder(tmp_path, FILE.replace("A.0", "B.0"), name="requirements_b.toml")
    (tmp_path / "rig.toml").write_text("no catalogue", encoding="utf-8")
    added = read_suite(tmp_path)
    assert [each.id for each in added] == ["ACME/A.01", "ACME/A.02", "ACME/B.01", "ACME/B.02"]
    joined = join(requirements(), added, tmp_path)
    assert [*joined] == [*requirements(), *(each.id for each in added)]


def test_tests_may_lie_deeper(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    assert len(read_suite(folder(tmp_path, test="deeper/test_acme.py"))) == 2


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("ACME", "GBT34658-2017", None),
        ('"A.01"', '"DN.3006"', "requirement ACME/DN.3006: case DN.3006 is taken by GBT34658-2017/DN.3006"),
        ('"acme"', '"modbus"', "requirement ACME/A.01: a suite 'modbus' is there already"),
    ],
)
def test_what_clashes_is_refused(tmp_path: Path, old: str, new: str, why: str | None) -> None:
    added = read_suite(folder(tmp_path, FILE.replace(old, new, 1)))
    if why is None:  # a prefix alone clashes with nobody
        assert len(join(requirements(), added, tmp_path)) == len(requirements()) + 2
        return
    with pytest.raises(UsageError) as caught:
        join(requirements(), added, tmp_path)
    assert str(caught.value).startswith(f"suite {tmp_path}: {why}")


def test_an_id_that_is_taken_is_refused(tmp_path: Path) -> None:
    taken = FILE.replace("ACME", "GBT34658-2017").replace("A.01", "DN.3006")
    with pytest.raises(UsageError, match=r"GBT34658-2017/DN\.3006: the id is taken; give the file another prefix"):
        join(requirements(), read_suite(folder(tmp_path, taken)), tmp_path)


def test_two_folders_must_not_say_the_same(tmp_path: Path) -> None:
    added = read_suite(folder(tmp_path))
    once = join(requirements(), added, tmp_path)
    with pytest.raises(UsageError, match=r"ACME/A\.01: the id is taken"):
        join(once, added, tmp_path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("prefix = 1", r"requirements\.toml: "),
        ("prefix", r"requirements\.toml: "),
        (FILE.replace("basis", "base"), r"requirements\.toml: "),
        (FILE + 'needs = ["wings"]\n', r"requirements\.toml: ACME/A\.02: no capability 'wings'; there are start, "),
        (FILE.replace("A.02", "A.01"), r"requirements\.toml: ACME/A\.01 is declared twice"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_what_is_allowed(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        read_suite(folder(tmp_path, text))


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "requirements.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"requirements\.toml: 'utf-8' codec"):
        read_suite(tmp_path)


def test_a_folder_needs_both_requirements_and_tests(tmp_path: Path) -> None:
    assert not has_requirements(tmp_path)
    with pytest.raises(UsageError, match=r"there is no requirements\*\.toml that says what its cases judge"):
        read_suite(tmp_path)
    (tmp_path / "requirements.toml").write_text(FILE, encoding="utf-8")
    assert has_requirements(tmp_path)
    with pytest.raises(UsageError, match=r"there is no test_\*\.py"):
        read_suite(tmp_path)
