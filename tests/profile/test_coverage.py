"""What generated profiles reach: ranges, events, and the rows of the charger's table."""

from __future__ import annotations

from collections.abc import Callable

from hil.bench.profiles import replay
from hil.bench.twin import Twin
from hil.profile import LoadProfile
from hil.profile.coverage import Coverage
from hil.profile.generate import examples
from hil.profile.upsets import upset_profiles
from hil.world.observation import Note
from hil.world.plan import Describe

Make = Callable[..., LoadProfile]
Open = Callable[..., Twin]
EXAMPLES = 500
SHARE = 0.95
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
    assert coverage.current[0] < 5
    assert coverage.current[1] > 200


def test_statistics_say_what_was_reached(make: Make, twin: Open) -> None:
    profile = make((2.0, 30.0), (3.0, 80.0))
    bench = twin().open(profile)
    replay(bench, profile)
    bench.execute(Describe())
    coverage = Coverage()

    coverage.add(profile, bench.record.observations)

    document = coverage.document()
    assert document["current_a"] == (30.0, 80.0)
    assert document["duration_s"] == (2.0, 3.0)
    assert document["phases"]["statistics"] == 1
    assert document["machines"]["charger"]["rows"]["idle: start [may_start] -> locking"] == 1
    assert 0 < document["machines"]["charger"]["taken"] < 1


def test_a_world_tells_its_tables_only_when_asked(make: Make, twin: Open) -> None:
    profile = make((1.0, 30.0))
    bench = twin().open(profile)
    replay(bench, profile)
    assert not [note for note in bench.record.notes if note.kind == "coverage"]

    bench.execute(Describe())

    assert [note.what for note in bench.record.notes if note.kind == "coverage"] == ["charger", "vehicle"]
    assert all(isinstance(note, Note) for note in bench.record.notes)
