"""A profile as a stimulus plan: anchored at the first CCS, serialisable, and carried out as written."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings

from hil.bench.profiles import replay
from hil.bench.twin import Twin
from hil.errors import UsageError
from hil.profile import LoadProfile, Segment
from hil.profile.events import Lose, Pause, Reset, SwitchS
from hil.profile.plan import CHARGING, rules
from hil.profile.upsets import upset_profiles
from hil.tester.gbt27930.course import Course
from hil.units import ms, s
from hil.world.plan import Plan

Make = Callable[..., LoadProfile]
Open = Callable[..., Twin]


@settings(max_examples=50, deadline=None, database=None)
@given(upset_profiles())
def test_a_plan_crosses_to_another_process_unchanged(profile: LoadProfile) -> None:
    plan = Plan(tuple(rules(profile)))

    again = msgspec.msgpack.decode(msgspec.msgpack.encode(plan), type=Plan)

    assert again == plan


def test_every_rule_waits_for_an_observed_frame(make: Make) -> None:
    profile = make((2.0, 50.0), (3.0, 80.0, Pause(at=1.0, span=0.5)))

    found = {rule.name: (rule.trigger, rule.delay) for rule in rules(profile)}

    assert found == {
        "profile made: demand": (CHARGING, 0),
        "segments[1].events[0]: pause": (CHARGING, s(3)),
        "segments[1].events[0]: pause ends": (CHARGING, s(3.5)),
        "profile made: end": (CHARGING, s(5)),
    }


def test_bcl_carries_the_demand_of_its_instant(make: Make, twin: Open) -> None:
    profile = make((2.0, 50.0))
    ramp = Segment(duration=4.0, current=90.0, voltage=390.0, ramp=True)
    profile = msgspec.structs.replace(profile, segments=(*profile.segments, ramp))
    bench = twin().open(profile)

    replay(bench, profile)

    begin = bench.record.all("CCS")[0].t
    for bcl in bench.record.all("BCL", begin, begin + s(6) - 1):
        passed = (bcl.t - ms(0.5) - begin) / 1e9  # half a millisecond of frame
        expected = 50.0 if passed < 2 else 50.0 + 40.0 * (passed - 2) / 4
        assert -bcl.current_demand == pytest.approx(expected, abs=0.1)
    assert bench.record.all("BST")[0].t - begin == pytest.approx(s(6), abs=ms(1))


def test_what_is_lost_comes_again(make: Make, twin: Open) -> None:
    profile = make((1.0, 50.0), (3.0, 50.0, Lose(messages=("BSM",), span=1.5)))
    bench = twin().open(profile)

    replay(bench, profile)

    begin = bench.record.all("CCS")[0].t
    times = [each.t - begin for each in bench.record.all("BSM")]
    gaps = [after - before for before, after in pairwise(times)]
    assert s(1.4) < max(gaps) < s(2)


def test_a_bms_that_restarts_is_recognised_again(make: Make, twin: Open) -> None:
    profile = make((2.0, 50.0), (12.0, 50.0, Reset(span=1.5)))
    bench = twin().open(profile)

    replay(bench, profile)

    assert len(bench.record.all("CEM")) > 0
    assert bench.record.all("CCS")[-1].t > bench.record.all("CEM")[-1].t


def test_the_same_profile_does_the_same_again(make: Make, twin: Open) -> None:
    profile = make((2.0, 50.0), (2.0, 90.0, SwitchS(closed=False)))
    first, second = twin().open(profile), twin().open(profile)

    replay(first, profile)
    replay(second, profile)

    assert first.record.observations == second.record.observations


def test_a_world_is_not_exchanged_once_something_has_happened(make: Make, twin: Open) -> None:
    profile = make((1.0, 50.0))
    bench = twin().open(profile)
    bench.let(s(1))

    with pytest.raises(UsageError, match="cannot be exchanged"):
        bench.adopt(twin().world(profile))


@pytest.mark.parametrize("points", [[], [[5, 1.0, 1.0, 2, 0]], [[0, 1.0, 1.0, 2, 0], [-1, 1.0, 1.0, 2, 0]]])
def test_a_course_that_makes_no_sense_is_refused(points: list[list[float]]) -> None:
    with pytest.raises(UsageError, match="a course"):
        Course(points, 0)
