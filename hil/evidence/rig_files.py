"""The rig as it was: its file, and register maps that it names, kept beside the reports that rest on them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from hil.errors import HilError
from hil.evidence.trace import safe_name

FOLDER = "rig-file"
"""Ours alone: what lies there of an earlier run is taken away."""


def paths_of(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Where each file goes, relative to the folder of the reports; ``files`` are contents by the path they were read
    from, no two of which share a place."""
    taken: dict[str, bytes] = {}
    for source, content in files.items():
        path = Path(source)
        place = f"{FOLDER}/{safe_name(path.stem)}{path.suffix}"
        if place in taken:
            place = f"{FOLDER}/{safe_name(source)}{path.suffix}"
        taken[place] = content
    return taken


def digests_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 of each file by its place in the report, the rig file first."""
    return {place: hashlib.sha256(content).hexdigest() for place, content in paths_of(files).items()}


def keep_files(out: Path, files: Mapping[str, bytes]) -> None:
    """Put the files into the folder of the reports, in the place of those of an earlier run.

    Raises :class:`HilError` naming the path when the disk refuses.
    """
    try:
        if (out / FOLDER).is_dir():
            shutil.rmtree(out / FOLDER)
        for place, content in paths_of(files).items():
            (out / FOLDER).mkdir(exist_ok=True)
            (out / place).write_bytes(content)
    except OSError as error:
        raise HilError(f"cannot keep the rig file in {error.filename or out}: {error.strerror or error}") from error
