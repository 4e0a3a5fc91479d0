"""What the judge sees: breakpoints, extremes, few of them, always the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.units import SECOND, Instant, ms, s

Rigs = Callable[..., Any]
_FAST = ("output_voltage", "output_current", "battery_side_voltage", "pack_voltage")
_RIPPLE = {"output_voltage": 0.2, "battery_side_voltage": 0.2, "pack_voltage": 0.0}

_EXPLORE = settings(max_examples=80, deadline=None, derandomize=True, database=None)

_DEEDS = st.one_of(
    st.tuples(st.just("voltage_setpoint"), st.sampled_from([0.0, 300.0, 345.0, 357.0, 360.0, 394.2, 500.0])),
    st.tuples(st.just("current_setpoint"), st.sampled_from([0.0, 2.0, 30.0, 100.0, 299.5])),
    st.tuples(
        st.sampled_from(["output_enable", "k1k2_command", "k5k6_command", "discharge_command"]),
        st.sampled_from([0, 1]),
    ),
    st.tuples(st.sampled_from(["plugged", "ac_supply"]), st.sampled_from([0, 1])),
    st.tuples(st.just("pack_soc"), st.sampled_from([5.0, 89.99, 98.9, 100.0])),
    st.tuples(st.just("pack_temperature"), st.sampled_from([-10.0, 10.0, 40.0])),
    st.tuples(st.just("over_voltage_fault"), st.sampled_from([0.0, 40.0])),
    st.tuples(st.just("heating_power"), st.sampled_from([0.0, 20_000.0])),
)
_PLAN = st.lists(
    st.tuples(st.sampled_from([0, 1, 999, ms(5), ms(50), ms(333), s(2), s(7)]), _DEEDS), min_size=1, max_size=25
)
_SHARES = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=4)


def _carry_out(
    plant: Any, plan: list[Any], between: Callable[[Any, Instant], None] = lambda plant, until: None
) -> None:
    plant.charge(120.0)
    plant.until(s(2))
    for delay, (name, value) in plan:
        until = plant.now + delay
        between(plant, until)
        plant.until(until)
        if name in ("plugged", "ac_supply", "pack_soc", "pack_temperature", "over_voltage_fault", "heating_power"):
            plant.stimulate(**{name: value})
        else:
            plant.set(**{name: value})
    end = plant.now + s(5)
    between(plant, end)
    plant.until(end)


@given(plan=_PLAN, soc=st.floats(1.0, 99.9))
@_EXPLORE
def test_straight_lines_between_samples_tell_the_truth(
    rig: Rigs, line: Callable[..., Any], plan: list[Any], soc: float
) -> None:
    """Within 0.1 V and 0.1 A at any instant, whatever is done; and no instant lies beyond the extremes."""
    plant = rig(soc=soc)
    seen: list[tuple[Instant, str, float]] = []

    def look(plant: Any, until: Instant) -> None:
        start = plant.now
        for part in (0.07, 0.3, 0.5, 0.81, 0.93):
            at = start + round((until - start) * part)
            plant.until(at)
            seen.extend((at, name, plant.sense(name)) for name in _FAST)

    _carry_out(plant, plan, look)
    lines = {name: line(plant.of(name)) for name in _FAST}
    for at, name, value in seen:
        shown = lines[name].at(at)
        if shown is None:
            continue
        assert value == pytest.approx(shown, abs=0.1), (name, at)
        _, after = lines[name].bracket(at)
        assert after.low - 0.021 <= value <= after.high + 0.021, (name, at)


@given(plan=_PLAN, shares=_SHARES)
@_EXPLORE
def test_reading_and_waking_leave_no_trace(rig: Rigs, plan: list[Any], shares: list[float]) -> None:
    """The same calls give the same samples and changes, whoever looks in between."""
    alone, watched = rig(), rig()

    def disturb(plant: Any, until: Instant) -> None:
        start = plant.now
        for share in sorted(shares):
            at = start + round((until - start) * share)
            plant.until(at)
            plant.plant.wake(at)
            for name in ("output_voltage", "soc", "meter_energy", "charge_current_limit"):
                plant.sense(name)

    _carry_out(alone, plan)
    _carry_out(watched, plan, disturb)
    assert watched.samples == alone.samples
    assert watched.changes == alone.changes


@given(plan=_PLAN)
@_EXPLORE
def test_reading_late_equals_reading_after_every_event(rig: Rigs, plan: list[Any]) -> None:
    """A reader far behind the plant's deadlines gets what a world that served them all would get."""
    served, late = rig(), rig()
    names = (*_FAST, "soc", "meter_energy", "temperature_max", "inrush_current", "k1k2_closed")
    _carry_out(served, plan)
    _carry_out(late, plan)
    served.until(served.now + s(20))
    assert [served.sense(name) for name in names] == [late.plant.sense(name, served.now) for name in names]


@given(plan=_PLAN)
@_EXPLORE
def test_samples_come_in_order_and_never_in_a_flood(rig: Rigs, plan: list[Any]) -> None:
    plant = rig()
    _carry_out(plant, plan)
    times = [sample.t for sample in plant.samples]
    assert times == sorted(times)
    assert all(sample.low <= sample.value <= sample.high for sample in plant.samples)
    spent = plant.now / SECOND
    assert plant.events < 20 * spent + 40 * (len(plan) + 10)


@given(plan=_PLAN)
@_EXPLORE
def test_current_never_flows_backwards_nor_above_its_limit(rig: Rigs, plan: list[Any]) -> None:
    plant = rig()
    _carry_out(plant, plan)
    samples = plant.of("output_current")
    assert min(sample.value for sample in samples) >= 0.0
    assert max(sample.value for sample in samples) <= 300.0
    for a, b in pairwise(samples):
        assert b.value - a.value <= 100.0 * (b.t - a.t) / SECOND + 1e-6, "never faster than the stage's ramp"


def test_extremes_carry_the_ripple(rig: Rigs) -> None:
    plant = rig()
    plant.charge(100.0)
    plant.until(s(20))
    current, volts = plant.of("output_current")[-1], plant.of("output_voltage")[-1]
    assert (current.low, current.high) == pytest.approx((99.7, 100.3))
    assert current.value == plant.sense("output_current") == pytest.approx(100.0), "sensors are filtered"
    assert volts.high - volts.value == pytest.approx(0.2)
    assert current.high - current.low < 2 * 0.01 * 100.0, "inside the control error of sheet 4.9"


def test_a_step_is_two_samples_at_one_instant(rig: Rigs) -> None:
    plant = rig()
    plant.charge(80.0)
    plant.until(s(5))
    plant.stimulate(plugged=0)
    at_step = [sample.value for sample in plant.of("output_current") if sample.t == s(5)]
    assert at_step == [pytest.approx(80.0), 0.0]


def test_a_step_of_a_resting_signal_shows_both_sides(rig: Rigs) -> None:
    plant = rig()
    plant.stimulate(plugged=1)
    plant.until(s(5))
    plant.set(k5k6_command=1)
    plant.until(s(6))
    stepped = [sample.value for sample in plant.of("battery_side_voltage") if sample.t == s(5) + ms(30)]
    assert stepped == [0.0, plant.sense("pack_voltage")]


def test_a_step_of_a_moving_signal_shows_how_far_it_had_come(rig: Rigs) -> None:
    plant = rig("small-car")
    plant.charge(300.0)
    plant.until(s(60))
    plant.set(output_enable=0)
    plant.until(s(61))
    plant.set(k1k2_command=0)
    plant.until(s(65))
    plant.set(k5k6_command=0)
    plant.until(s(70))
    side, pack = (
        [sample.value for sample in plant.of(name) if sample.t == s(65) + ms(25)]
        for name in ("battery_side_voltage", "pack_voltage")
    )
    assert side == [pack[0], 0.0]


@pytest.mark.parametrize("last", [0.0, 150.0])
def test_lines_hold_where_a_small_pack_is_driven_hard(rig: Rigs, line: Callable[..., Any], last: float) -> None:
    """The steepest curves there are: 300 A up and down near full charge, then relaxing by itself."""
    plant = rig("small-car", soc=99.2)
    plant.charge(300.0, voltage=500.0)
    plant.until(s(4) + ms(10))
    plant.set(current_setpoint=last)
    truth = []
    for _ in range(2000):
        plant.until(plant.now + ms(7))
        truth.append((plant.now, plant.sense("pack_voltage")))
    plant.until(plant.now + s(10))
    shown = line(plant.of("pack_voltage"))
    errors = [abs(value - shown.at(at)) for at, value in truth if shown.at(at) is not None]
    assert len(errors) > 1900
    assert max(errors) < 0.06


def test_a_setting_repeated_is_no_event(rig: Rigs) -> None:
    plant = rig()
    plant.charge(100.0)
    plant.until(s(10) + ms(321))
    before = len(plant.samples), plant.plant.next_deadline()
    plant.set(current_setpoint=100.0, voltage_setpoint=394.2, output_enable=1, k1k2_command=1)
    assert (len(plant.samples), plant.plant.next_deadline()) == before


def test_what_drifts_is_told_when_a_stimulus_moves_it(rig: Rigs) -> None:
    plant = rig()
    plant.until(s(3))
    plant.stimulate(pack_soc=80, pack_temperature=5)
    told = {sample.name: (sample.t, sample.value) for sample in plant.samples}
    assert told["soc"] == (s(3), pytest.approx(80.0))
    assert told["temperature_max"] == (s(3), 6.0)
    assert told["pack_voltage"] == (s(3), pytest.approx(108 * 3.336))


def test_a_steady_hour_is_a_few_thousand_samples(rig: Rigs) -> None:
    plant = rig(soc=20.0)
    plant.charge(100.0)
    plant.until(s(3600))
    counts = Counter(sample.name for sample in plant.samples)
    assert 3000 < counts["output_current"] < 4000
    assert 3000 < counts["output_voltage"] < 4000
    assert 300 < counts["soc"] < 400
    gaps = [b.t - a.t for a, b in pairwise(plant.of("output_current"))]
    assert max(gaps) <= s(1)
    assert sum(counts.values()) < 20_000


def test_a_plant_at_rest_costs_nothing(rig: Rigs) -> None:
    plant = rig()
    assert plant.plant.next_deadline() is None
    before = len(plant.samples)
    plant.until(s(36_000))
    assert (plant.events, len(plant.samples)) == (0, before)
    assert plant.sense("pack_voltage") == pytest.approx(108 * 3.293)


def test_relaxing_after_a_charge_comes_to_an_end(rig: Rigs) -> None:
    plant = rig()
    plant.charge(300.0)
    plant.until(s(300))
    plant.set(output_enable=0)
    plant.until(s(310))
    plant.events = 0
    plant.until(s(7200))
    assert plant.plant.next_deadline() is None
    assert 0 < plant.events < 60
    told = [sample.t for sample in plant.of("pack_voltage") if sample.t > s(300)]
    assert max(b - a for a, b in pairwise(told)) <= s(10)


@pytest.mark.parametrize("period", [ms(50), ms(250)])
def test_a_profile_costs_a_few_events_for_each_change(rig: Rigs, period: int) -> None:
    plant = rig()
    plant.charge(50.0)
    plant.until(s(5))
    plant.events = 0
    for step in range(200):
        plant.until(s(5) + step * period)
        plant.set(current_setpoint=50.0 + 7.0 * (step * 37 % 11))
    assert plant.events <= 3 * 200
