"""The JSON Schema of load profile files, derived from the model."""

from __future__ import annotations

from typing import Any

import msgspec

from hil.profile.files import FORMAT, VERSION
from hil.profile.model import LoadProfile


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a file."""
    derived: dict[str, Any] = msgspec.json.schema(LoadProfile)
    definitions = derived["$defs"]
    root = definitions.pop("LoadProfile")
    root["properties"] = {
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        **root["properties"],
    }
    root["required"] = ["format", "version", *root["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Load profile of hil, version {VERSION}",
        **root,
        "$defs": definitions,
    }
