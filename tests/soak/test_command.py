"""``hil soak``: figures, what is told of a failing session, and that session again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hil.cli.soak
from hil.cli.app import app
from hil.soak import Outcome, draw, run_session, session_seeds
from hil.units import s
from hil.world.observation import FrameSeen, Observation

SHORT = next(seed for seed in session_seeds(0, 200) if draw(seed).length < s(15))
RUNNER = CliRunner()


def test_one_session_by_its_seed_leaves_its_trace(tmp_path: Path) -> None:
    done = RUNNER.invoke(app, ["soak", "--session-seed", str(SHORT), "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "1 sessions" in done.output
    seen: list[Observation] = []
    outcome = run_session(draw(SHORT), seen.extend)
    figures = json.loads((tmp_path / "soak.json").read_text("utf-8"))
    assert (figures["sessions"], figures["frames"], figures["failing"]) == (1, outcome.frames, [])
    log = (tmp_path / "traces" / f"soak-{SHORT}.log").read_text("utf-8")
    assert sum(isinstance(each, FrameSeen) for each in seen) == outcome.frames
    assert log.count("#") >= outcome.frames


def test_a_failing_session_is_told_with_the_line_that_repeats_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Outcome(7, ("1.0 s MON/PERIOD.CCS (charger): expected this, seen that",), 10, s(1), ("default",))
    fine = Outcome(8, (), 10, s(1), ("default", "strict"))
    monkeypatch.setattr(hil.cli.soak, "soak", lambda seeds, workers: iter([failing, fine]))
    done = RUNNER.invoke(app, ["soak", "--sessions", "2", "--out", str(tmp_path)])
    assert done.exit_code == 1
    assert "MON/PERIOD.CCS" in done.output
    assert "hil soak --session-seed 7" in done.output
    assert "hil soak --session-seed 8" not in done.output
    assert "1 with findings" in done.output
    figures = json.loads((tmp_path / "soak.json").read_text("utf-8"))
    assert figures["features"] == {"default": 2, "strict": 1}
    assert [each["seed"] for each in figures["failing"]] == [7]


@pytest.mark.parametrize("wrong", [("--sessions", "0"), ("-n", "0"), ("--seed", "-1"), ("--session-seed", "x")])
def test_wrong_options_are_refused(wrong: tuple[str, ...], tmp_path: Path) -> None:
    done = RUNNER.invoke(app, ["soak", *wrong, "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert not list(tmp_path.iterdir())
