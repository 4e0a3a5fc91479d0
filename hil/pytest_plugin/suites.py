"""Which suites a run is about: shipped ones by name, a user's own by folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hil.bench.opening import kind_of
from hil.conformance.catalogue import Requirement, requirements, suites
from hil.conformance.own import has_requirements, join, read_suite
from hil.errors import UsageError
from hil.pytest_plugin.near import known_name


@dataclass(frozen=True)
class Suites:
    """What can be judged, and what of it was asked for."""

    catalogue: Mapping[str, Requirement] = field(default_factory=requirements)
    """Every requirement by id: the shipped ones, then a user's own."""
    folders: Mapping[str, str] = field(default_factory=dict)
    """Names of a user's own suites and where they are, as it was said."""
    asked: tuple[str, ...] = ()
    """Names of the suites that were asked for; none for all."""

    def with_folder(self, folder: str) -> Suites:
        """The same with a user's suite; :class:`UsageError` for one that cannot be."""
        added = read_suite(Path(folder))
        for requirement in added:
            kind_of(requirement.bench)
        names = dict.fromkeys(requirement.suite for requirement in added)
        catalogue = join(self.catalogue, added, Path(folder))
        return Suites(catalogue, {**self.folders, **dict.fromkeys(names, folder)}, (*self.asked, *names))

    def with_folder_of(self, test: Path) -> Suites:
        """The same with the suite that a test file belongs to, where a folder above it has requirements of its own."""
        for folder in test.parents:
            if has_requirements(folder):
                if any(Path(known).resolve() == folder.resolve() for known in self.folders.values()):
                    return self  # read already: what the test names is not in it
                found = self.with_folder(_shown(folder))
                return Suites(found.catalogue, found.folders, self.asked)
        return self


def choose(given: Sequence[str]) -> Suites:
    """The suites of a command line, each given by name or by folder; :class:`UsageError` for one that is neither."""
    chosen = Suites()
    for name in dict.fromkeys(given):
        if name in suites():
            chosen = Suites(chosen.catalogue, chosen.folders, (*chosen.asked, name))
        elif Path(name).is_dir():
            chosen = chosen.with_folder(name)
        elif any(separator in name for separator in _separators()):
            raise UsageError(f"no suite {name!r}: there is no such folder")
        else:
            known_name("suite", name, suites())
    return chosen


def _separators() -> Iterator[str]:
    return (each for each in (os.sep, os.altsep) if each)


def _shown(folder: Path) -> str:
    here = Path.cwd()
    return str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)
