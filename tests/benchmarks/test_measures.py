"""The shape of what benchmarks tell; how fast anything is depends on the machine and is not judged here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import can
import pytest

from benchmarks import __main__ as command
from benchmarks import bus, check, codec, modbus, session
from hil.evidence.trace import read_stream
from hil.units import Span, s
from hil.world.observation import FrameSeen, Sample

KEYS = {"name", "value", "unit", "peer", "peer_value", "ratio", "goal", "met"}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes at which nothing is worth measuring."""
    monkeypatch.setattr(session, "QUICK_LENGTH", s(4))
    monkeypatch.setattr(session, "SLICE", s(2))
    monkeypatch.setattr(session, "REPEATS", 1)
    monkeypatch.setattr(bus, "FRAMES", 320)
    monkeypatch.setattr(codec, "COUNT", 20)
    monkeypatch.setattr(modbus, "COUNT", 20)
    monkeypatch.setattr(check, "QUICK_FRAMES", 500)
    monkeypatch.setattr(check, "REPEATS", 1)


@pytest.mark.usefixtures("tiny")
def test_quick_writes_measures_of_every_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = command.main(["--quick"])
    document = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert set(document) == {"measures"}
    measures: list[dict[str, Any]] = document["measures"]
    assert code == (0 if all(each["met"] for each in measures) else 1)
    names = [each["name"] for each in measures]
    assert len(set(names)) == len(names), "a measure is found by its name"
    for each in measures:
        assert set(each) - {"goal_is", "also"} == KEYS
        assert each["value"] > 0
        assert each.get("goal_is", "at most") == "at most"
        judged = each["value"] if each["ratio"] is None else each["ratio"]
        assert each["met"] is (judged <= each["goal"] if "goal_is" in each else judged >= each["goal"]) or (
            judged == pytest.approx(each["goal"], abs=0.01)  # rounded for show
        )
    assert "one receiver" in measures[0]["peer"]
    assert "two receivers" in measures[0]["also"]["peer"]
    for part in (
        "of charging",
        "peak memory",
        "bus frames",
        "decode CCS",
        "encode BSM",
        "Modbus",
        "check a",
    ):
        assert any(part in name for name in names), part
    assert "Speed and memory" in capsys.readouterr().out


@pytest.mark.usefixtures("tiny")
def test_one_module_may_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command.main(["--quick", "codec"])
    measures = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))["measures"]
    assert {each["unit"] for each in measures} == {"messages/s"}


def test_a_missed_goal_is_an_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missed = dict.fromkeys(KEYS) | {"name": "it", "value": 2, "unit": "s", "goal": 1, "met": False}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "MODULES", {"it": lambda *, quick: [missed]})
    assert command.main([]) == 1
    monkeypatch.setattr(command, "MODULES", {"it": lambda *, quick: [missed | {"met": True}]})
    assert command.main([]) == 0


def test_the_session_is_charging_at_full_rate_and_all_of_it_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    length: Span = s(5)
    monkeypatch.setattr(session, "SLICE", s(1))
    counts = [count for count, _ in session.charge(length, tmp_path)]
    # BCL and CCS every 50 ms, BSM and a BCS of five frames every 250 ms
    assert counts == [pytest.approx(20 + 20 + 4 + 4 * 5, abs=5)] * 5
    (stream,) = tmp_path.glob("*.jsonl")
    observations = list(read_stream(stream))
    assert sum(isinstance(each, FrameSeen) for each in observations) > sum(counts)
    assert any(isinstance(each, Sample) and each.name == "output_current" and each.value > 200 for each in observations)
    (log,) = tmp_path.glob("*.log")
    assert sum(1 for _ in can.CanutilsLogReader(log)) == sum(isinstance(each, FrameSeen) for each in observations)
