"""Making a failing profile small: by predicates with a known smallest profile, and by seeded faults."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import shrinking
from hil.bench.profile_cases import THEMES, generated
from hil.bench.twin import Twin
from hil.conformance.verdict import Verdict
from hil.dut.faults import all_faults
from hil.profile import LoadProfile, Segment
from hil.profile.events import Pause, Reset, Stop
from hil.profile.generate import examples
from hil.profile.reduce import reduced
from hil.profile.strategies import EVENTS, load_profiles

Make = Callable[..., LoadProfile]
Open = Callable[..., Twin]
MOST_SEGMENTS = 3
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "shrinking.md"


def high(profile: LoadProfile) -> bool:
    """A step of more than 90 A upwards."""
    currents = [each.current for each in profile.segments]
    return any(after - before > 90 for before, after in pairwise(currents))


def paused(profile: LoadProfile) -> bool:
    return any(isinstance(event, Pause) for each in profile.segments for event in each.events)


@pytest.mark.parametrize(("fails", "segments"), [(high, 2), (paused, 1)])
def test_the_smallest_profile_does_not_depend_on_where_it_began(
    fails: Callable[[LoadProfile], bool], segments: int
) -> None:
    found = set()
    for seed in range(20):
        failing = next(filter(fails, examples(load_profiles(events=("pause", "soc")), 60, seed)), None)
        assert failing is not None
        smallest = reduced(failing, fails, trials=2000)
        assert fails(smallest)
        found.add((len(smallest.segments), *((each.current, each.duration) for each in smallest.segments)))

    assert {each[0] for each in found} == {segments}
    assert len(found) == 1, found


@settings(max_examples=40, deadline=None, database=None)
@given(load_profiles(events=tuple(EVENTS)), st.integers(0, 30))
def test_no_more_trials_are_made_than_allowed(profile: LoadProfile, trials: int) -> None:
    tried: list[LoadProfile] = []

    def fails(candidate: LoadProfile) -> bool:
        tried.append(candidate)
        return False

    assert reduced(profile, fails, trials).segments == profile.segments
    assert len(tried) <= trials


def test_beginnings_that_edits_leave_apart_meet_from_below() -> None:
    """Two demands that take 12.3 s together: shortening either alone stops where the other one happens to be."""

    def fails(profile: LoadProfile) -> bool:
        first, second = (*profile.segments, *profile.segments)[:2]
        return first.current != second.current and first.duration + second.duration >= 12.3

    found = set()
    for long in (3.0, 4.0, 5.0, 6.0, 9.0):
        demands = ((long, 35.0), (13.0 - long, 71.0))
        segments = tuple(Segment(duration=span, current=current, voltage=394.2) for span, current in demands)
        found.add(reduced(LoadProfile(name="x", segments=segments), fails).segments)

    assert [[(each.duration, each.current) for each in only] for only in found] == [[(0.1, 100.0), (20.0, 50.0)]]


def test_a_simpler_event_takes_the_place_of_one_that_fails_alike() -> None:
    def fails(profile: LoadProfile) -> bool:
        return any(isinstance(event, Stop | Reset) for each in profile.segments for event in each.events)

    found = set()
    for event in (Stop(at=2.0, reason="insulation_fault"), Reset(at=1.0, span=6.0)):
        profile = LoadProfile(name="x", segments=(Segment(duration=9.0, current=30.0, voltage=394.2, events=(event,)),))
        found.add(reduced(profile, fails).segments)

    assert [each.events for each in found.pop()] == [(Stop(),)]
    assert not found


def documented() -> dict[str, str]:
    """Rows of the table by their fault."""
    rows = PAGE.read_text("utf-8").splitlines()
    return {line.split("`")[1]: line for line in rows if line.startswith("| `")}


def test_a_row_of_the_documented_table_comes_out_again() -> None:
    name, line = next(iter(documented().items()))

    assert shrinking.row(name, 20).markdown() == line


def test_each_documented_fault_comes_to_one_profile_of_three_segments_at_most() -> None:
    assert set(documented()) == set(shrinking.FAULTS)
    for line in documented().values():
        after, different, missed = line.split(" | ")[3:6]
        assert int(after.rpartition("..")[2]) <= MOST_SEGMENTS
        assert (different, missed) == ("1", "0"), line


@pytest.mark.parametrize("name", ["loses-quick-demands", "opens-by-the-clock", "bst-ignored-in-a-pause"])
def test_a_fault_that_only_a_profile_exposes_comes_to_a_few_segments(twin: Open, name: str) -> None:
    """Rows of the table in docs/reference/shrinking.md."""
    case = all_faults()[name].breaks[0].rpartition("/")[2]
    broken = twin(name)
    outcomes = (broken.run(profile, (case,)) for theme in THEMES for profile in generated(broken, theme))
    failing = next(each for each in outcomes if each.verdict(case) is Verdict.FAIL)

    smallest = broken.smallest(failing.profile, case)

    assert len(smallest.segments) <= MOST_SEGMENTS
    assert broken.run(smallest, (case,)).verdict(case) is Verdict.FAIL
    assert twin().run(smallest, (case,)).verdict(case) is Verdict.PASS, "the reference passes it"


def test_a_profile_that_fails_nothing_is_given_back(make: Make, twin: Open) -> None:
    profile = make((3.0, 50.0))

    assert twin().smallest(profile, "LP.01") is profile
