"""Statistics of generated load profiles in a report: a part for each theme, and the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from hil.errors import HilError
from hil.profile.coverage import FOLDER, Coverage, load_coverage, save_coverage

FILE_NAME = "coverage.json"


class Generated(Protocol):
    """Generated load profiles that have been run."""

    theme: str
    coverage: Coverage

    @property
    def readings(self) -> Mapping[str, str]:
        """To which the reference was built."""


def keep_parts(out: Path, pools: Iterable[Generated], usual: Mapping[str, str]) -> None:
    """Write the statistics of each pool into the folder of a report, where they are not there yet.

    The name has the theme, and readings where they differ from the ``usual`` ones, so that processes that share
    the work write the same files. Raises :class:`hil.errors.HilError` when the disk refuses.
    """
    for pool in pools:
        differing = [f"{name}={choice}" for name, choice in sorted(pool.readings.items()) if usual.get(name) != choice]
        path = out / FOLDER / f"{'-'.join([pool.theme, *differing])}.json"
        if not path.exists():
            save_coverage(pool.coverage, path)


def merge_parts(out: Path) -> Coverage | None:
    """Add up the parts of a report and write the whole beside it; None where there are none."""
    parts = sorted((out / FOLDER).glob("*.json"))
    if not parts:
        return None
    whole = Coverage()
    for path in parts:
        whole.merge(load_coverage(path))
    save_coverage(whole, out / FILE_NAME)
    return whole


def forget_parts(out: Path) -> None:
    """Take away what an earlier run has left; :class:`hil.errors.HilError` naming the path when the disk refuses."""
    try:
        for path in (out / FOLDER).glob("*.json"):
            path.unlink()
        (out / FILE_NAME).unlink(missing_ok=True)
    except OSError as error:
        raise HilError(f"cannot replace {error.filename or out}: {error.strerror or error}") from error
