"""The JSON Schema of rig files, for editors: derived from the declaration in :mod:`hil.rig.fields`.

``python -m hil.rig.schema`` writes the shipped file again after the declaration or the register changed.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from hil.rig.fields import REQUIRED_TABLES, SCHEMA, Field, tables, tables_below

NAME = "rig.schema.json"
_TYPES = {"text": "string", "integer": "integer", "number": "number", "boolean": "boolean", "texts": "array"}


def shipped_schema() -> str:
    """The text of the schema that travels with the package."""
    return files("hil.rig").joinpath(NAME).read_text("utf-8")


def rig_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) as JSON values."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Rig file of hil, schema {SCHEMA}",
    }
    return head | _table("")


def _table(name: str) -> dict[str, Any]:
    fields = tables()[name]
    properties = {key: _field(field) for key, field in fields.items()}
    below = tables_below(name)
    for key in below:
        properties[key] = _table(f"{name}.{key}" if name else key)
    required = [key for key, field in fields.items() if field.required]
    required += [key for key in below if (f"{name}.{key}" if name else key) in REQUIRED_TABLES]
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _field(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": _TYPES[field.type], "description": field.text}
    allowed = list(field.allowed()) if field.allowed is not None else None
    if field.type == "texts":
        schema["items"] = {"type": "string"} if allowed is None else {"type": "string", "enum": allowed}
    elif allowed is not None:
        schema["enum"] = allowed
    if field.low is not None:
        schema["minimum"] = field.low
    if field.high is not None:
        schema["maximum"] = field.high
    if field.default is not None:
        schema["default"] = field.default
    return schema


def text() -> str:
    """The schema as the shipped file holds it."""
    return json.dumps(rig_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name(NAME).write_text(text(), encoding="utf-8")
