"""What generated profiles reach: ranges, events, and the rows of the charger's table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import msgspec
import pytest

from hil.bench.profiles import replay
from hil.bench.twin import Twin
from hil.errors import UsageError
from hil.profile import LoadProfile
from hil.profile.coverage import Coverage, coverage_schema, load_coverage, save_coverage
from hil.profile.events import Pause, Stop
from hil.profile.generate import examples
from hil.profile.upsets import upset_profiles
from hil.world.observation import Note
from hil.world.plan import Describe

Make = Callable[..., LoadProfile]
Open = Callable[..., Twin]
EXAMPLES = 500
SHARE = 0.95
SHIPPED = Path(__file__).resolve().parents[2] / "hil" / "profile" / "coverage.schema.json"
UNREACHABLE = {
    "ready: T9 [bcs_seen] -> error": "T6 reports after 1 s already that BCL stayed away, T9 waits 5 s",
    "statistics: statistics -> stay / wait_statistics": "the output is at rest sooner than the statistics take",
    "closed_down: T23 [at_rest] -> idle": "contactors of a sound plant open within the 5 s",
    "verify|precharge|closing: BRO00 [ends_on_bro00] -> closed_down": "a vehicle that was ready does not fall back",
}
"""Rows that no order of demands and events leads to, and why."""


def test_500_examples_reach_the_charger_s_transitions(twin: Open) -> None:
    chosen = (twin(), twin(bhm_silence="identify-after-5s"))
    coverage = Coverage()
    for number, profile in enumerate(examples(upset_profiles(), EXAMPLES, seed=0)):
        bench = chosen[number % 8 == 0].open(profile)
        replay(bench, profile)
        bench.execute(Describe())
        coverage.add(profile, bench.record.observations)
        bench.close()

    missed = set(coverage.missed("charger"))
    rows = coverage.rows["charger"]
    assert UNREACHABLE.keys() <= rows.keys(), "every row that is argued away exists"
    assert not missed & {row for row in UNREACHABLE if rows[row]}
    reachable = rows.keys() - UNREACHABLE.keys()
    assert len(reachable - missed) / len(reachable) >= SHARE, sorted(missed - UNREACHABLE.keys())
    assert coverage.profiles == EXAMPLES
    assert coverage.taken("vehicle") > 0.4
    assert coverage.current is not None
    assert coverage.current[0] < 5
    assert coverage.current[1] > 200
    assert all(coverage.phases[state] for state in ("charging", "error", "waiting", "stop", "statistics"))
    assert sum(1 for events in coverage.events_by_phase.values() if events.total() > 10) >= 5


def test_statistics_say_what_was_reached(make: Make, twin: Open) -> None:
    profile = make((2.0, 30.0), (3.0, 80.0))
    bench = twin().open(profile)
    replay(bench, profile)
    bench.execute(Describe())
    coverage = Coverage()

    coverage.add(profile, bench.record.observations)

    found = coverage.statistics()
    assert found.current == (30.0, 80.0)
    assert found.duration == (2.0, 3.0)
    assert found.phases["statistics"] == 1
    assert found.machines["charger"].rows["idle: start [may_start] -> locking"] == 1
    assert 0 < found.machines["charger"].taken < 1


def test_events_are_counted_by_the_phase_in_which_they_happen(make: Make, twin: Open) -> None:
    profile = make((4.0, 30.0, Pause(at=1.0, span=1.0)), (4.0, 30.0, Stop()), (4.0, 30.0, Pause(at=3.0)))
    coverage = Coverage()

    twin().run(profile, coverage=coverage)

    supplied = coverage.events_by_phase.pop("supplied")
    assert supplied == {"pause": 1, "stop": 1}, "the end of a pause is no event of its own"
    (afterwards,) = coverage.events_by_phase.values()
    assert afterwards == {"pause": 1}
    assert coverage.events == {"pause": 2, "stop": 1}


def test_statistics_of_two_halves_are_those_of_the_whole(make: Make, twin: Open, tmp_path: Path) -> None:
    profiles = [make((2.0, 30.0)), make((3.0, 80.0, Pause(span=1.0))), make((1.0, 0.0))]
    whole, parts = Coverage(), Coverage()
    for number, profile in enumerate(profiles):
        part = Coverage()
        twin().run(profile, coverage=whole)
        twin().run(profile, coverage=part)
        save_coverage(part, tmp_path / f"{number}.json")
        parts.merge(load_coverage(tmp_path / f"{number}.json"))

    assert parts.statistics() == whole.statistics()
    assert list(parts.summary()) == list(whole.summary())
    assert dict(whole.summary())["demand"] == "0 .. 80 A, 394.2 .. 394.2 V, held 1 .. 3 s"


def test_a_file_fits_the_shipped_schema(make: Make, twin: Open, tmp_path: Path) -> None:
    path = tmp_path / "coverage.json"
    shipped = json.loads(SHIPPED.read_text("utf-8"))
    assert shipped == json.loads(json.dumps(coverage_schema()))
    coverage = Coverage()
    for _ in range(2):  # before anything was seen, too
        save_coverage(coverage, path)
        jsonschema.Draft202012Validator(shipped).validate(json.loads(path.read_text("utf-8")))
        twin().run(make((1.0, 30.0)), coverage=coverage)


def test_what_is_no_such_file_is_refused_with_the_reason(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "coverage.json"
    path.write_bytes(msgspec.json.encode({"format": "hil-load-profile"}))
    with pytest.raises(UsageError, match=r"coverage\.json: .*format"):
        load_coverage(path)
    with pytest.raises(UsageError, match="cannot read"):
        load_coverage(tmp_path / "none.json")


def test_a_world_tells_its_tables_only_when_asked(make: Make, twin: Open) -> None:
    profile = make((1.0, 30.0))
    bench = twin().open(profile)
    replay(bench, profile)
    assert not [note for note in bench.record.notes if note.kind == "coverage"]

    bench.execute(Describe())

    assert [note.what for note in bench.record.notes if note.kind == "coverage"] == ["charger", "vehicle"]
    assert all(isinstance(note, Note) for note in bench.record.notes)
