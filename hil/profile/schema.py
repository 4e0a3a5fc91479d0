"""The JSON Schemas of profile files, derived from their models."""

from __future__ import annotations

from typing import Any

import msgspec

from hil.profile.ac.model import AcProfile
from hil.profile.files import FORMAT, VERSION
from hil.profile.model import LoadProfile

_TITLES = {LoadProfile: "Load profile", AcProfile: "AC profile"}


def schema(kind: type[LoadProfile | AcProfile] = LoadProfile) -> dict[str, Any]:
    """JSON Schema (2020-12) of a file of that kind."""
    derived: dict[str, Any] = msgspec.json.schema(kind)
    definitions = derived["$defs"]
    root = definitions.pop(kind.__name__)
    root["properties"] = {
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        **root["properties"],
    }
    told = ["kind"] if kind is AcProfile else []  # without it a file is a load profile
    root["required"] = ["format", "version", *told, *root["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **root,
        "title": f"{_TITLES[kind]} of hil, version {VERSION}",
        "$defs": definitions,
    }
