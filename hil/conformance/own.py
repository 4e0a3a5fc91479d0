"""Suites of a user's own: a folder of test files, and the requirements that they judge beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from hil.conformance.catalogue import Requirement, read_requirements
from hil.errors import CatalogueError, UsageError

FILES = "requirements*.toml"
"""Names of a folder's requirement files, in the form of the shipped ones."""


def has_requirements(folder: Path) -> bool:
    """Whether a folder says what its cases judge."""
    return any(folder.glob(FILES))


def read_suite(folder: Path) -> tuple[Requirement, ...]:
    """The requirements of a folder, in the order of its files.

    Raises :class:`UsageError` naming the file for one that cannot be read or contradicts itself, and for a folder
    without such a file or without a test.
    """
    paths = sorted(folder.glob(FILES))
    if not paths:
        raise UsageError(f"suite {folder}: there is no {FILES} that says what its cases judge")
    if not any(folder.rglob("test_*.py")):
        raise UsageError(f"suite {folder}: there is no test_*.py")
    found: list[Requirement] = []
    for path in paths:
        try:
            found += read_requirements(str(path), path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}: {error}") from error
        except CatalogueError as error:
            raise UsageError(str(error)) from error
    return tuple(found)


def join(known: Mapping[str, Requirement], added: Iterable[Requirement], folder: Path) -> dict[str, Requirement]:
    """A catalogue with the requirements of a folder behind the known ones.

    Each has an id, a case and a suite of its own; raises :class:`UsageError` where one of them is taken.
    """
    joined = dict(known)
    cases = {requirement.case: requirement.id for requirement in known.values()}
    suites = {requirement.suite for requirement in known.values()}
    for requirement in added:
        where = f"suite {folder}: requirement {requirement.id}"
        if requirement.id in joined:
            raise UsageError(f"{where}: the id is taken; give the file another prefix")
        if requirement.case in cases:
            raise UsageError(f"{where}: case {requirement.case} is taken by {cases[requirement.case]}")
        if requirement.suite in suites:
            raise UsageError(f"{where}: a suite {requirement.suite!r} is there already; give yours another name")
        joined[requirement.id] = requirement
        cases[requirement.case] = requirement.id
    return joined
