"""Reading and writing load profiles: versioned JSON. A file never makes anything run.

Errors name the file, the field and the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hil.errors import HilError, UsageError
from hil.profile.model import LoadProfile
from hil.profile.refusal import reason_of

FORMAT = "hil-load-profile"
VERSION = 1
SUFFIX = ".json"
_MOST_BYTES = 64 * 1024 * 1024
P = TypeVar("P")


def load(path: Path) -> LoadProfile:
    """The profile in a JSON file; :class:`UsageError` naming file, field and reason for what is none."""
    return read(path, loads)


def loads(data: bytes | str) -> LoadProfile:
    """The profile in a JSON text."""
    return parse(data, LoadProfile)


def read(path: Path, parsed: Callable[[bytes], P]) -> P:
    """What a file of profiles holds, by its parser; :class:`UsageError` naming the file for one that cannot be read."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{path}: more than {_MOST_BYTES // 2**20} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        return parsed(data)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def parse(data: bytes | str, kind: type[P]) -> P:
    """A JSON text of our format and version as a profile of a kind; :class:`UsageError` with field and reason."""
    try:
        document = json_of(data)
    except UsageError as error:
        raise UsageError(f"no JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise UsageError(f"format: no {FORMAT!r} file")
    version = document.get("version")
    if version != VERSION:
        raise UsageError(f"version: {version!r} is not known; this program reads {VERSION}")
    values = {key: value for key, value in document.items() if key not in ("format", "version")}
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, UsageError):
            raise error.__cause__ from error
        raise UsageError(reason_of(str(error), kind, values)) from error


def json_of(data: bytes | str) -> Any:
    """The value of a JSON text; :class:`UsageError` with the reason where it is none, or names a field twice."""
    try:
        return json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise UsageError(str(error)) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A file edited by hand tells one value a field: of two, the reader would silently drop one."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"field {name!r} is there twice: {json.dumps(found[name])} and {json.dumps(value)}")
        found[name] = value
    return found


def dumps(profile: LoadProfile) -> str:
    """JSON for people: one segment a line, what is by default left out."""
    values: dict[str, Any] = msgspec.to_builtins(profile)
    shown = {key: value for key, value in values.items() if key not in ("segments", "before", "found")}
    head: dict[str, Any] = {"format": FORMAT, "version": VERSION, **shown}
    if values["found"]:
        head["found"] = values["found"]
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    if values["before"]:
        lines.append(f'  "before": {json.dumps(values["before"], ensure_ascii=False)}')
    rows = ",\n".join(f"    {json.dumps(_short(row), ensure_ascii=False)}" for row in values["segments"])
    lines.append(f'  "segments": [\n{rows}\n  ]')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _short(segment: dict[str, Any]) -> dict[str, Any]:
    defaults: dict[str, Any] = {"ramp": False, "events": []}
    return {key: value for key, value in segment.items() if key not in defaults or value != defaults[key]}


def save(profile: LoadProfile, path: Path) -> None:
    """Write a profile as JSON, whole or not at all; :class:`HilError` when the disk refuses."""
    write(path, dumps(profile))


def write(path: Path, text: str) -> None:
    """Put a text in the place of a file; :class:`HilError` when the disk refuses."""
    beside = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(path)
    except OSError as error:
        raise HilError(f"cannot write {path}: {error.strerror or error}") from error
