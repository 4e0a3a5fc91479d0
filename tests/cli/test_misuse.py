"""What is given by mistake is refused in one line that says what was meant: suites as words, and no place for files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from hil.cli.app import app

ROOT = typer.main.get_command(app)


def writing(command: Any, *words: str) -> Iterator[tuple[str, ...]]:
    """The words of every command that has ``--out``."""
    if any("--out" in each.opts for each in command.params):
        yield words
    for name, each in getattr(command, "commands", {}).items():
        yield from writing(each, *words, name)


WRITING = list(writing(ROOT))


def test_commands_that_write_are_found() -> None:
    assert {("run",), ("qualify",), ("record",), ("profile", "replay"), ("profile", "shrink")} <= set(WRITING)


@pytest.mark.parametrize("words", WRITING, ids=" ".join)
def test_an_empty_place_is_refused_by_every_command(words: tuple[str, ...], capsys: Any) -> None:
    with pytest.raises(SystemExit) as left:
        ROOT.main([*words, "--out", ""], prog_name="hil")
    assert left.value.code == 2
    assert "error: --out '': it names no place; allowed is a path" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("modbus",), "error: modbus: a suite is named by its option, --suite modbus"),
        (("own",), "error: own: a suite is named by its option, --suite own"),
        (("modbsu",), "error: modbsu: no suite and no file; allowed are --suite with ac_charger, dlt645, "),
    ],
)
def test_a_word_behind_run_is_no_suite(
    words: tuple[str, ...], told: str, capsys: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "requirements.toml").touch()
    with pytest.raises(SystemExit) as left:
        ROOT.main(["run", *words], prog_name="hil")
    assert left.value.code == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "report").exists()
