"""Profiles of every kind: those of a vehicle at a DC charger, and those of limits at an AC charging point."""

from __future__ import annotations

from pathlib import Path

from hil.errors import UsageError
from hil.profile.ac import files as ac_files
from hil.profile.ac.invariants import INVARIANTS as AC_INVARIANTS
from hil.profile.ac.invariants import PREFIX
from hil.profile.ac.model import AcProfile
from hil.profile.files import SUFFIX, load, save, write
from hil.profile.invariants import INVARIANTS
from hil.profile.model import LoadProfile
from hil.profile.table import from_csv, is_table, to_csv

AnyProfile = LoadProfile | AcProfile
CSV = ".csv"


def read_profile(path: Path) -> AnyProfile:
    """A profile from JSON or CSV, told by its suffix; :class:`UsageError` with file and reason for what is none."""
    if path.suffix.lower() != CSV:
        return ac_files.load(path) if ac_files.is_ac(path) else load(path)
    try:
        return from_csv(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def keep_profile(profile: AnyProfile, path: Path) -> None:
    """Write a profile as JSON or CSV, told by its suffix as :func:`read_profile` does.

    Raises :class:`UsageError` for an AC profile as CSV, which has no such form.
    """
    if path.suffix.lower() != CSV:
        if isinstance(profile, AcProfile):
            ac_files.save(profile, path)
        else:
            save(profile, path)
    elif isinstance(profile, AcProfile):
        raise UsageError(f"{path}: AC profiles are written as {SUFFIX} only")
    else:
        write(path, to_csv(profile))


def files_in(folder: Path) -> list[Path]:
    """Every profile of a folder, JSON or CSV, in the order of their names; :class:`UsageError` for no folder.

    A table of something else, without the first line of a profile, is none. What JSON there is counts.
    """
    if not folder.is_dir():
        raise UsageError(f"no folder {folder}")
    found = [path for path in folder.iterdir() if path.suffix.lower() in (SUFFIX, CSV) and path.is_file()]
    return sorted(path for path in found if path.suffix.lower() == SUFFIX or is_table(path))


def invariants_of(profile: AnyProfile) -> tuple[str, ...]:
    """Cases of the invariants that a profile is judged by."""
    return tuple(AC_INVARIANTS if isinstance(profile, AcProfile) else INVARIANTS)


def requirement_of(case: str) -> str:
    """The requirement that an invariant belongs to, by its case."""
    return f"{PREFIX}/{case}" if case in AC_INVARIANTS else INVARIANTS[case].requirement
