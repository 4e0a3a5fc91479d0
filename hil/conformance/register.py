"""The interpretation register: readings of what the sources leave open, as data.

``register.toml`` beside this file names each question, the readings, the one taken and why. A strict
and a field-tolerant run can differ only through it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec

from hil.errors import CatalogueError, UsageError

PRESETS = ("strict", "field")


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question. ``choices`` maps each reading's name to its text."""

    question: str
    source: str
    why: str
    choices: dict[str, str]
    default: str
    strict: str
    field: str
    advisory: bool = False
    """No source gives a fact that could fail a charger here."""

    def taken(self, preset: str | None) -> str:
        """The reading under a preset; None is the default."""
        if preset is None:
            return self.default
        return self.strict if preset == "strict" else self.field


@cache
def register() -> Mapping[str, Entry]:
    """Every entry by name. A register that contradicts itself raises :class:`CatalogueError`."""
    return read_register(files("hil.conformance").joinpath("register.toml").read_text("utf-8"))


def read_register(text: str, file: str = "register.toml") -> Mapping[str, Entry]:
    """The entries of a file; contradictions raise :class:`CatalogueError` naming file and entry."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{file}: {error}") from error
    entries: dict[str, Entry] = {}
    for name, values in document.items():
        try:
            entry = msgspec.convert(values, Entry)
        except msgspec.ValidationError as error:
            raise CatalogueError(f"{file}, {name}: {error}") from error
        for choice in (entry.default, entry.strict, entry.field):
            if choice not in entry.choices:
                raise CatalogueError(f"{file}, {name}: {choice!r} is not among {', '.join(entry.choices)}")
        entries[name] = entry
    return MappingProxyType(entries)


def resolve(chosen: Mapping[str, str], preset: str | None = None) -> dict[str, str]:
    """A choice for every entry: those given, else those of the preset, else the defaults.

    Unknown presets, names and choices raise :class:`UsageError` with what is allowed.
    """
    if preset is not None and preset not in PRESETS:
        raise UsageError(f"no preset of readings {preset!r}; there are {', '.join(PRESETS)}")
    entries = register()
    for name, choice in chosen.items():
        if name not in entries:
            near = get_close_matches(name, entries, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(entries)}"
            raise UsageError(f"the interpretation register has no reading {name!r}; {hint}")
        if choice not in entries[name].choices:
            allowed = ", ".join(entries[name].choices)
            raise UsageError(f"reading {name}: no choice {choice!r}; allowed is {allowed}")
    return {name: chosen.get(name, entry.taken(preset)) for name, entry in entries.items()}
