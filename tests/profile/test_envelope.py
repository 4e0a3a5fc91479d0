"""Written profiles against an envelope: the first violating instant, computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import UsageError
from hil.profile import LoadProfile, Segment
from hil.profile.envelope import first_violation, refuse_beyond
from hil.profile.events import Say
from hil.profile.strategies import load_profiles
from hil.safety.envelope import Envelope
from hil.units import s

Make = Callable[..., LoadProfile]


def test_what_lies_inside_is_let_through(make: Make) -> None:
    assert first_violation(make((5.0, 100.0)), Envelope(max_voltage=400, max_current=100, max_power=40_000)) is None


def test_the_first_excess_of_a_ramp_is_where_it_crosses(make: Make) -> None:
    ramp = Segment(duration=10.0, current=200.0, voltage=394.2, ramp=True)
    profile = LoadProfile(name="x", segments=(*make((5.0, 100.0)).segments, ramp))

    found = first_violation(profile, Envelope(max_current=150.0))

    assert found is not None
    assert (found.t, found.what) == (s(10), "current")


def test_power_between_the_ends_of_a_ramp_counts() -> None:
    begin = Segment(duration=1.0, current=0.0, voltage=400.0)
    ramp = Segment(duration=10.0, current=200.0, voltage=0.0, ramp=True)
    profile = LoadProfile(name="x", segments=(begin, ramp))

    found = first_violation(profile, Envelope(max_power=15_000.0))

    # 400 (1 - x) V times 200 x A: 15 kW at x = 1/4, 20 kW in the middle, 0 at both ends.
    assert found is not None
    assert found.t == pytest.approx(s(1) + s(2.5), abs=10)


def test_a_profile_that_is_too_long_is_refused_with_the_instant(make: Make) -> None:
    with pytest.raises(UsageError, match=r"leaves the envelope 60 s after the first CCS: duration 90 s"):
        refuse_beyond(make((90.0, 1.0)), Envelope(max_duration=60.0))


def say(value: float, signal: str = "current_demand", at: float = 2.0) -> Say:
    return Say(at=at, message="BCL", signal=signal, value=value)


def test_a_demand_that_is_only_said_counts(make: Make) -> None:
    profile = make((5.0, 100.0), (10.0, 100.0, say(-220.0)), (5.0, 10.0))

    found = first_violation(profile, Envelope(max_current=150.0))

    assert found is not None
    assert (found.t, found.what, found.value) == (s(7), "current", 220.0)


def test_a_voltage_that_was_said_meets_the_current_that_follows(make: Make) -> None:
    profile = make((5.0, 10.0, say(800.0, "voltage_demand")), (5.0, 100.0))

    found = first_violation(profile, Envelope(max_power=50_000.0))

    assert found is not None
    assert (found.t, found.what, found.value) == (s(5), "power", 80_000.0)


def test_what_is_said_on_the_way_to_charging_is_demanded_from_the_start(make: Make) -> None:
    found = first_violation(make((5.0, 1.0), before=(say(-220.0),)), Envelope(max_current=150.0))

    assert found is not None
    assert found.t == 0


def test_what_is_said_takes_the_place_of_a_ramp_and_of_what_was_said(make: Make) -> None:
    ramp = Segment(duration=10.0, current=200.0, voltage=394.2, ramp=True, events=(say(-10.0), say(-180.0, at=9.0)))
    profile = LoadProfile(name="x", segments=(*make((5.0, 100.0)).segments, ramp))

    found = first_violation(profile, Envelope(max_current=150.0))

    assert found is not None
    assert (found.t, found.value) == (s(14), 180.0), "the ramp itself would pass 150 A at 10 s"


@settings(max_examples=80, deadline=None, database=None)
@given(st.floats(20, 300), st.floats(5_000, 90_000), st.data())
def test_legal_profiles_keep_within_their_envelope(current: float, power: float, data: st.DataObject) -> None:
    limits = Envelope(max_current=current, max_power=power)

    profile = data.draw(load_profiles("truck-lfp-800v", limits))

    assert first_violation(profile, limits) is None


@pytest.mark.parametrize("field", ["max_voltage", "max_current", "max_power", "max_duration"])
def test_an_envelope_that_allows_nothing_is_our_misuse(field: str) -> None:
    nothing: dict[str, Any] = {field: 0.0}
    with pytest.raises(UsageError, match=field):
        Envelope(**nothing)
