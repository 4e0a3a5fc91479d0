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


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('type = "tcp"', 'type = "udp"'),
        ("port = 502", "port = 0"),
        ("port = 502\n", ""),
        ("bitrate = 250000", "bitrate = 1"),
        ("receive_own_messages = true", "receive_own_messages = [1]"),
        ('can = "can0"', "can = 1"),
        ("tcp://127.0.0.1:9100", "tcp://127.0.0.1"),
        ("voltage = {", "volts = {"),
        ("relative = 0.001", "relative = 1"),
        ("2026-03-01", "1.3.2026"),
        ("max_duration = 3600.0\n", ""),
        ('["./charger", "--can", "vcan0"]', "[]"),
        ('KEY = "value"', "KEY = 1"),
        ('kind = "live"', 'kind = "virtual"'),
    ],
)
def test_the_same_of_a_live_rig(live: Path, old: str, new: str) -> None:
    right = live.read_text("utf-8")
    assert old in right
    jsonschema.validate(tomllib.loads(right), rig_schema())
    wrong = right.replace(old, new, 1)
    live.write_text(wrong, encoding="utf-8")
    with pytest.raises(RigError):
        load_rig(live)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(wrong), rig_schema())


def _toml(document: dict[str, Any], name: str = "") -> str:
    plain = {key: value for key, value in document.items() if not isinstance(value, dict)}
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in plain.items())
    for key, value in document.items():
        if isinstance(value, dict):
            path = f"{name}.{key}" if name else key
            text += f"[{path}]\n{_toml(value, path)}"
    return text
