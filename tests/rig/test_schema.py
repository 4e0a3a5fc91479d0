"""The JSON Schema for editors says the same as the loader."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hil.errors import RigError
from hil.resources import resource, rig_names
from hil.rig import load_rig
from hil.rig.fields import tables
from hil.rig.schema import rig_schema, shipped_schema, text

DOCUMENT = tomllib.loads(resource("rigs/virtual.toml").read_text("utf-8"))


def test_the_shipped_schema_is_the_declared_one() -> None:
    assert shipped_schema() == text(), "write it again with `python -m hil.rig.schema`"
    jsonschema.Draft202012Validator.check_schema(json.loads(shipped_schema()))


def test_every_shipped_rig_is_valid() -> None:
    for name in rig_names():
        path = resource(f"rigs/{name}.toml")
        jsonschema.validate(tomllib.loads(path.read_text("utf-8")), rig_schema())
        assert load_rig(path).name == name


def test_every_key_is_explained() -> None:
    for table in tables().values():
        assert all(field.text for field in table.values())


@pytest.mark.parametrize(
    "edit",
    [
        {"kind": "live"},
        {"schema": 2},
        {"extra": 1},
        {"name": 3},
        {"bench": {"soc": 101}},
        {"bench": {"seed": -1}},
        {"judging": {"opt_in": ["X"]}},
        {"readings": {"dlc": "other"}},
        {"dut": {}},
    ],
)
def test_what_the_loader_refuses_the_schema_refuses(tmp_path: Path, edit: dict[str, Any]) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(_toml(DOCUMENT | edit), encoding="utf-8")
    with pytest.raises(RigError):
        load_rig(path)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(DOCUMENT | edit, rig_schema())


def _toml(document: dict[str, Any], name: str = "") -> str:
    plain = {key: value for key, value in document.items() if not isinstance(value, dict)}
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in plain.items())
    for key, value in document.items():
        if isinstance(value, dict):
            path = f"{name}.{key}" if name else key
            text += f"[{path}]\n{_toml(value, path)}"
    return text
