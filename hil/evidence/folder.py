"""The folder that the user has asked evidence to be put in."""

from __future__ import annotations

from pathlib import Path

from hil.errors import UsageError

_TRIAL = ".hil-writable"


def make_ready(folder: Path, option: str = "--out ") -> None:
    """Make the folder, and try whether files can be put there, before a run that would be lost.

    ``option`` is what the user has named it by.

    Raises :class:`UsageError`: another folder can be given. A disk that refuses later is no matter of usage.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial = folder / _TRIAL
        trial.write_bytes(b"")
        trial.unlink()
    except OSError as error:
        raise UsageError(
            f"{option}{folder}: nothing can be written there ({error.strerror or error}); choose another folder"
        ) from error
