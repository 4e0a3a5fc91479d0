"""Commands that show what there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import cantools
import pytest
from typer.testing import CliRunner

from hil.cli.app import app
from hil.conformance.register import register
from hil.dut.faults import all_faults
from hil.protocol.gbt27930 import edition

RUNNER = CliRunner(env={"COLUMNS": "200"})


def test_every_fault_is_listed_with_what_it_breaks() -> None:
    shown = RUNNER.invoke(app, ["faults"])
    assert shown.exit_code == 0
    rows = {line.split()[0]: line for line in shown.output.splitlines()[1:] if line.strip()}
    assert set(rows) == set(all_faults())
    for fault in all_faults().values():
        assert fault.summary in rows[fault.name]
        assert all(identifier in rows[fault.name] for identifier in fault.breaks)


def test_the_register_is_shown_whole() -> None:
    shown = RUNNER.invoke(app, ["readings"])
    assert shown.exit_code == 0
    for name, entry in register().items():
        assert entry.question in shown.output
        assert all(f"{name}={choice}" in shown.output for choice in entry.choices)


@pytest.mark.parametrize("name", ["2011", "2015"])
def test_the_dbc_is_exported(name: str, tmp_path: Path) -> None:
    path = tmp_path / "out.dbc"
    told = RUNNER.invoke(app, ["dbc", "gbt27930", "--edition", name])
    written = RUNNER.invoke(app, ["dbc", "gbt27930", "--edition", name, "--out", str(path)])
    assert (told.exit_code, written.exit_code, written.output) == (0, 0, "")
    assert path.read_text("utf-8") == told.output
    database = cantools.database.load_string(told.output, "dbc")
    assert isinstance(database, cantools.database.Database)
    declared = {message.name for message in edition(name).messages}
    assert {"CRM", "BCL", "CEM"} < {message.name.partition("_")[0] for message in database.messages} <= declared


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["dbc", "gbt27390"], 2, "no protocol 'gbt27390': did you mean gbt27930?"),
        (["dbc", "gbt27930", "--edition", "1999"], 2, "no edition '1999' of GB/T 27930; there are 2011, 2015"),
        (
            ["dbc", "gbt27930", "--out", "/no/such/folder/x.dbc"],
            2,
            "--out /no/such/folder/x.dbc: cannot be written",
        ),
    ],
)
def test_a_dbc_that_cannot_be_exported_is_told_in_one_line(args: list[str], code: int, message: str) -> None:
    shown = RUNNER.invoke(app, args)
    assert shown.exit_code == code
    assert shown.stderr.startswith(f"error: {message}")
    assert shown.stderr.count("\n") == 1


def test_a_dbc_has_the_same_bytes_in_every_locale() -> None:
    asked = [sys.executable, "-m", "hil.cli", "dbc", "gbt27930"]
    done = subprocess.run(asked, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "°C" in done.stdout.decode("utf-8")


def test_version_and_help() -> None:
    assert RUNNER.invoke(app, ["--version"]).output.startswith("hil ")
    shown = RUNNER.invoke(app, ["run", "--help"]).output
    for option in (
        *("--rig", "--suite", "--edition", "--reading", "--requirement", "--case", "--seed", "--fault"),
        *("--max-real-time", "--list", "--out", "Examples", "Exit code"),
    ):
        assert option in shown
    assert "DN.2004[short]" in shown
    assert set(re.findall(r"--fault ([a-z-]+)", shown)) <= set(all_faults())


def test_a_defect_of_ours_leaves_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("of our own making")

    monkeypatch.setattr("hil.cli.listing.show_readings", broken)
    shown = RUNNER.invoke(app, ["readings"])
    assert shown.exit_code == 3
    assert "ZeroDivisionError: of our own making" in shown.stderr
