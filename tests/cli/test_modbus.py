"""``hil modbus``."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hil.cli.app import app
from hil.codec import map_file

RUNNER = CliRunner(env={"COLUMNS": "200"})
SHIPPED = Path(map_file.__file__).parent / "maps"


def test_every_shipped_map_is_listed() -> None:
    shown = RUNNER.invoke(app, ["modbus", "list"])
    assert shown.exit_code == 0
    rows = {line.split()[0]: line for line in shown.output.splitlines()[1:] if line.strip()}
    assert set(rows) == {path.stem for path in SHIPPED.glob("*.toml")}
    for name, row in rows.items():
        found = map_file.shipped_map(name)
        assert found.title in row
        assert found.kind in row


@pytest.mark.parametrize("name", map_file.map_names())
def test_a_map_that_can_be_used(name: str) -> None:
    shown = RUNNER.invoke(app, ["modbus", "map", "check", str(SHIPPED / f"{name}.toml")])
    assert (shown.exit_code, shown.output.split(":")[0]) == (0, name)


def test_a_map_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text((SHIPPED / "keba-p30.toml").read_text("utf-8").replace('"u32"', '"u31"'), "utf-8")
    shown = RUNNER.invoke(app, ["modbus", "map", "check", str(path)])
    assert shown.exit_code == 1
    lines = shown.stderr.splitlines()
    assert len(lines) > 10
    assert all(line.startswith(f"error: {path}, line ") and '= "u31": allowed is "u16"' in line for line in lines)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    shown = RUNNER.invoke(app, ["modbus", "map", "check", str(tmp_path / "none.toml")])
    assert shown.exit_code == 2
    assert "give the path of a register map" in shown.stderr
