"""The JSON Schema of rig files, for editors: derived from the declaration in :mod:`hil.rig.fields`.

``python -m hil.rig.schema`` writes the shipped file again after the declaration or the register changed.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from hil.rig.combinations import LIVE_ONLY
from hil.rig.field import Field, Named, Table
from hil.rig.fields import NAMED, REQUIRED_TABLES, SCHEMA, tables, tables_below
from hil.rig.live_fields import INTERLOCK

NAME = "rig.schema.json"
_TYPES: dict[str, str | list[str]] = {
    "text": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "texts": "array",
    "range": "array",
    "integer or text": ["integer", "string"],
    "map of texts": "object",
    "map of values": "object",
}


def shipped_schema() -> str:
    """The text of the schema that travels with the package."""
    return files("hil.rig").joinpath(NAME).read_text("utf-8")


def rig_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) as JSON values."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Rig file of hil, schema {SCHEMA}",
    }
    return head | _table("") | {"allOf": [_when("virtual", _without(LIVE_ONLY)), _when("live", _LIVE)]}


_LIVE = {
    "required": ["ports", "roles"],
    "properties": {"ports": {"minProperties": 1}, "roles": {"minProperties": 1}},
}


def _when(kind: str, then: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": {"kind": {"const": kind}}}, "then": then}


def _without(names: tuple[str, ...]) -> dict[str, Any]:
    """No such table, or an empty one."""
    schema: dict[str, Any] = {"properties": {}}
    for name in names:
        at = schema
        *outer, last = name.split(".")
        for part in outer:
            at = at["properties"].setdefault(part, {"properties": {}})
        at["properties"][last] = {"maxProperties": 0}
    return schema


def _table(name: str) -> dict[str, Any]:
    below = tables_below(name)
    schema = _object(tables()[name])
    if name == "signals":  # an interlock is bound as a signal is, and has the name that [envelope] gives it
        schema["additionalProperties"] = _field(INTERLOCK)
    for key in below:
        place = f"{name}.{key}" if name else key
        schema["properties"][key] = _named(NAMED[place]) if place in NAMED else _table(place)
        schema["required"] += [key] if place in REQUIRED_TABLES else []
    return schema


def _object(fields: Table) -> dict[str, Any]:
    required = [key for key, field in fields.items() if field.required]
    properties = {key: _field(field) for key, field in fields.items()}
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _named(named: Named) -> dict[str, Any]:
    """Tables whose names are the user's."""
    forms = []
    for variant, fields in named.variants.items():
        form = _object(fields)
        if named.by:
            form["required"] = [named.by, *form["required"]]
            form["properties"] = {named.by: {"const": variant}, **form["properties"]}
        form["properties"] |= {key: _named(each) for key, each in named.below.items()}
        forms.append(form)
    form = forms[0] if len(forms) == 1 else {"oneOf": forms}
    schema: dict[str, Any] = {"type": "object", "description": named.text}
    if named.names is None:
        return schema | {"additionalProperties": form}
    return schema | {"additionalProperties": False, "properties": dict.fromkeys(named.names(), form)}


def _field(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": _TYPES[field.type], "description": field.text}
    allowed = list(field.allowed()) if field.allowed is not None else None
    if field.type == "texts":
        schema["items"] = {"type": "string"} if allowed is None else {"type": "string", "enum": allowed}
        if field.low is not None:
            schema["minItems"] = field.low
    elif field.type == "range":
        schema |= {"items": {"type": "number", "minimum": 0}, "minItems": 2, "maxItems": 2}
    elif field.type.startswith("map"):
        values = ["string"] if field.type == "map of texts" else ["string", "number", "boolean"]
        schema["additionalProperties"] = {"type": values}
    elif allowed is not None:
        schema["enum"] = allowed
    if field.form:
        schema["pattern"] = f"^({field.form})$"
    if field.type in ("integer", "number"):
        schema |= _bounds(field)
    if field.default is not None:
        schema["default"] = field.default
    return schema


def _bounds(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    if field.low is not None:
        schema["minimum"] = field.low
    if field.high is not None:
        schema["maximum"] = field.high
    return schema


def text() -> str:
    """The schema as the shipped file holds it."""
    return json.dumps(rig_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name(NAME).write_text(text(), encoding="utf-8")
