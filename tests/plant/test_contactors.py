"""Contactors, lock, precharge and inrush, discharge, and what each side of K1/K2 and K5/K6 sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hil.units import ms, s

Rigs = Callable[..., Any]


@pytest.mark.parametrize(
    ("command", "feedback"),
    [("k1k2_command", "k1k2_closed"), ("k3k4_command", "k3k4_closed"), ("k5k6_command", "k5k6_closed")],
)
def test_contactors_travel_for_tens_of_milliseconds(rig: Rigs, command: str, feedback: str) -> None:
    plant = rig()
    plant.set(**{command: 1})
    plant.until(s(1))
    plant.set(**{command: 0})
    plant.until(s(2))
    (closed, _, one), (opened, _, nought) = (change for change in plant.changes if change[1] == feedback)
    assert (one, nought) == (1.0, 0.0)
    assert ms(20) <= closed <= ms(40)
    assert ms(20) <= opened - s(1) <= ms(40)


def test_command_taken_back_in_time_moves_nothing(rig: Rigs) -> None:
    plant = rig()
    plant.set(k1k2_command=1)
    plant.until(ms(10))
    plant.set(k1k2_command=0)
    plant.until(s(1))
    assert plant.changes == []


def test_repeated_command_does_not_begin_the_travel_anew(rig: Rigs) -> None:
    once, twice = rig(), rig()
    for plant in (once, twice):
        plant.set(k1k2_command=1)
    twice.until(ms(20))
    twice.set(k1k2_command=0.9)  # another value, still on
    for plant in (once, twice):
        plant.until(s(1))
    assert once.changes == twice.changes


def test_lock_needs_the_plug_and_goes_with_it(rig: Rigs) -> None:
    plant = rig()
    plant.set(lock_command=1)
    plant.until(s(1))
    assert plant.sense("lock_engaged") == 0.0
    plant.set(lock_command=0)
    plant.stimulate(plugged=1)
    plant.set(lock_command=1)
    plant.until(s(2))
    assert plant.sense("lock_engaged") == 1.0
    plant.stimulate(plugged=0)
    assert plant.sense("lock_engaged") == 0.0


@pytest.mark.parametrize("plugged", [0, 1])
@pytest.mark.parametrize("vehicle_closed", [0, 1])
def test_battery_side_sees_the_pack_through_plug_and_k5k6_only(rig: Rigs, plugged: int, vehicle_closed: int) -> None:
    plant = rig()
    plant.stimulate(plugged=plugged)
    plant.set(k5k6_command=vehicle_closed)
    plant.until(s(1))
    pack = plant.sense("pack_voltage")
    assert plant.sense("battery_side_voltage") == (pack if plugged and vehicle_closed else 0.0)
    assert plant.sense("inlet_voltage") == (pack if vehicle_closed else 0.0)
    assert plant.sense("output_voltage") == 0.0


def test_test_voltage_stands_on_both_sides_of_closed_k1k2(rig: Rigs) -> None:
    """The insulation test: output up, then K1/K2, K5/K6 open (sheet 4.8)."""
    plant = rig()
    plant.stimulate(plugged=1)
    plant.set(voltage_setpoint=394.2, current_setpoint=2, output_enable=1)
    plant.until(s(1))
    assert plant.sense("output_voltage") == pytest.approx(394.2)
    assert plant.sense("battery_side_voltage") == 0.0
    plant.set(k1k2_command=1)
    plant.until(s(2))
    assert plant.sense("battery_side_voltage") == plant.sense("inlet_voltage") == pytest.approx(394.2)
    assert plant.sense("output_current") == 0.0


def test_without_the_plug_nothing_reaches_the_vehicle(rig: Rigs) -> None:
    plant = rig()
    plant.set(voltage_setpoint=394.2, output_enable=1, k1k2_command=1)
    plant.until(s(1))
    assert plant.sense("battery_side_voltage") == pytest.approx(394.2)
    assert plant.sense("inlet_voltage") == 0.0


@pytest.mark.parametrize("reader_first", [False, True])
def test_contacts_are_there_at_the_very_instant_they_arrive(rig: Rigs, reader_first: bool) -> None:
    """Whether a controller reads or the world wakes the plant first must not matter."""
    plant = rig()
    plant.set(k1k2_command=1)
    due = plant.plant.next_deadline()
    if not reader_first:
        plant.plant.wake(due)
    assert plant.plant.sense("k1k2_closed", due) == 1.0
    plant.plant.wake(due)
    assert plant.plant.take_changes() == [(due, "k1k2_closed", 1.0)]


# --- precharge and inrush -----------------------------------------------------------------------------


@pytest.mark.parametrize("below", [-30.0, -5.0, 1.0, 5.0, 10.0, 40.0])
def test_inrush_follows_the_difference(rig: Rigs, below: float) -> None:
    plant = rig()
    plant.connect(below)
    peak = plant.sense("inrush_current")
    assert peak == pytest.approx(abs(below) / 0.6, rel=1e-6)
    low, high = _extremes(plant, "output_current")
    assert (low, high) == pytest.approx((-peak, 0.0) if below > 0 else (0.0, peak))
    assert plant.of("inrush_current")[-1].value == peak


def test_inrush_within_ten_volts_keeps_the_sheets_limit(rig: Rigs) -> None:
    """At most 20 A when precharged to 1..10 V below the battery (sheet 4.8)."""
    plant = rig()
    plant.connect(10.0)
    assert 0.0 < plant.sense("inrush_current") <= 20.0


def test_after_closing_the_output_stands_at_the_pack(rig: Rigs) -> None:
    plant = rig()
    plant.connect(8.0)
    pack = plant.sense("pack_voltage")
    assert plant.sense("output_voltage") == pack
    before, after = [sample for sample in plant.of("output_voltage") if sample.t == ms(950)]
    assert (before.value, after.value) == pytest.approx((pack - 8.0, pack))
    assert (after.low, after.high) == pytest.approx((pack - 8.0, pack))


# --- opening --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amperes", [3.0, 120.0])
def test_current_at_which_k1k2_opened_is_shown(rig: Rigs, amperes: float) -> None:
    plant = rig()
    plant.charge(amperes)
    plant.until(s(5))
    plant.set(k1k2_command=0)
    plant.until(s(6))
    assert plant.sense("k1k2_open_current") == pytest.approx(amperes)
    assert plant.of("k1k2_open_current")[-1].value == pytest.approx(amperes)
    before, after = [sample for sample in plant.of("output_current") if sample.t == s(5) + ms(20)]
    assert (before.value, after.value) == (pytest.approx(amperes), 0.0)


def test_without_current_k1k2_open_at_nought(rig: Rigs) -> None:
    plant = rig()
    plant.charge(50.0)
    plant.until(s(5))
    plant.set(output_enable=0)
    plant.until(s(5) + ms(10))
    plant.set(k1k2_command=0)
    plant.until(s(6))
    assert plant.sense("k1k2_open_current") == 0.0


@pytest.mark.parametrize("how", ["k5k6", "plug"])
def test_the_vehicles_side_can_part_the_circuit_too(rig: Rigs, how: str) -> None:
    plant = rig()
    plant.charge(50.0)
    plant.until(s(5))
    if how == "plug":
        plant.stimulate(plugged=0)
    else:
        plant.set(k5k6_command=0)
    plant.until(s(6))
    assert plant.sense("output_current") == plant.sense("pack_current") == 0.0
    assert plant.of("output_current")[-1].value == 0.0
    assert plant.sense("output_voltage") == pytest.approx(394.2), "the stage, now unloaded, goes to its voltage limit"
    assert plant.sense("battery_side_voltage") == plant.sense("output_voltage")


def test_current_parted_begins_anew_from_nought(rig: Rigs) -> None:
    plant = rig()
    plant.charge(50.0)
    plant.until(s(5))
    plant.stimulate(plugged=0)
    plant.stimulate(plugged=1)
    assert plant.sense("output_current") == 0.0
    plant.until(s(6))
    assert plant.sense("output_current") == pytest.approx(50.0)


# --- the output when unloaded ---------------------------------------------------------------------------


def test_output_stays_charged_when_switched_off(rig: Rigs) -> None:
    plant = rig()
    plant.set(voltage_setpoint=500, output_enable=1)
    plant.until(s(1))
    assert plant.sense("output_voltage") == pytest.approx(500.0)
    plant.set(output_enable=0)
    plant.until(s(2))
    assert 480.0 < plant.sense("output_voltage") < 500.0
    plant.until(s(61))
    assert plant.sense("output_voltage") == pytest.approx(500.0 / 2.71828, rel=1e-3)
    plant.until(s(3600))
    assert plant.sense("output_voltage") == pytest.approx(0.0, abs=0.02)
    assert plant.plant.next_deadline() is None, "nothing more happens by itself"


def test_output_bleeds_down_to_a_lower_set_point(rig: Rigs) -> None:
    plant = rig()
    plant.set(voltage_setpoint=500, output_enable=1)
    plant.until(s(1))
    plant.set(voltage_setpoint=450)
    plant.until(s(2))
    assert plant.sense("output_voltage") > 490.0
    plant.until(s(60))
    assert plant.sense("output_voltage") == pytest.approx(450.0, abs=0.001)
    assert min(sample.value for sample in plant.of("output_voltage") if sample.t > s(1)) >= 449.999


def test_live_unloaded_output_shows_its_ripple_each_second(rig: Rigs) -> None:
    plant = rig()
    plant.set(voltage_setpoint=400, output_enable=1)
    plant.until(s(10))
    held = [sample for sample in plant.of("output_voltage") if sample.t > s(1)]
    assert len(held) >= 9
    assert all((sample.low, sample.high) == pytest.approx((399.8, 400.2)) for sample in held)


@pytest.mark.parametrize("volts", [323.3, 394.2, 950.0])
def test_discharge_is_well_within_a_second(rig: Rigs, volts: float) -> None:
    """Below 60 V; limit 1 s (sheet 4.8)."""
    plant = rig()
    plant.set(voltage_setpoint=volts, output_enable=1)
    plant.until(s(2))
    plant.set(output_enable=0, discharge_command=1)
    plant.until(s(2) + ms(500))
    assert plant.sense("output_voltage") < 60.0
    low, _ = _extremes(plant, "output_voltage")
    assert low == 0.0
    assert min(sample.value for sample in plant.of("output_voltage")) == 0.0


def test_discharge_does_not_pull_a_live_output_down(rig: Rigs) -> None:
    plant = rig()
    plant.set(voltage_setpoint=400, output_enable=1)
    plant.until(s(1))
    plant.set(discharge_command=1)
    plant.until(s(2))
    assert plant.sense("output_voltage") == pytest.approx(400.0)


def _extremes(plant: Any, name: str) -> tuple[float, float]:
    samples = plant.of(name)
    return min(sample.low for sample in samples), max(sample.high for sample in samples)
