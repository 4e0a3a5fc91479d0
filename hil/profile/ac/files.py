"""Reading and writing AC profiles: the same versioned JSON as load profiles, with ``"kind": "ac"``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from hil.profile.ac.model import KIND, AcProfile
from hil.profile.files import FORMAT, VERSION, parse, read, write


def is_ac(path: Path) -> bool:
    """Whether a file says that it is a profile of an AC charging point; what is no JSON is not."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("kind") == KIND


def load(path: Path) -> AcProfile:
    """The profile in a JSON file; :class:`UsageError` naming file, field and reason for what is none."""
    return read(path, loads)


def loads(data: bytes | str) -> AcProfile:
    """The profile in a JSON text."""
    return parse(data, AcProfile)


def dumps(profile: AcProfile) -> str:
    """JSON for people: one segment a line, events that are not there left out."""
    values: dict[str, Any] = msgspec.to_builtins(profile)
    head = {"format": FORMAT, "version": VERSION, **values}
    segments = head.pop("segments")
    lines = [
        f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in head.items()
        if value not in ("", None)
    ]
    rows = ",\n".join(
        f"    {json.dumps({key: value for key, value in row.items() if value or key != 'events'}, ensure_ascii=False)}"
        for row in segments
    )
    return "{\n" + ",\n".join([*lines, f'  "segments": [\n{rows}\n  ]']) + "\n}\n"


def save(profile: AcProfile, path: Path) -> None:
    """Write a profile, whole or not at all; :class:`HilError` when the disk refuses."""
    write(path, dumps(profile))
