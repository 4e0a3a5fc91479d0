"""The declared list is the whole interface: names, ranges, order of time, momentary buttons, pilot lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hil.errors import UsageError
from hil.plant import PRESETS, SIGNALS, Plant
from hil.units import ms, s

Rigs = Callable[..., Any]
_SENSORS = [signal for signal in SIGNALS if signal.kind == "sensor"]
_ACTUATORS = [signal for signal in SIGNALS if signal.kind == "actuator"]
_STIMULI = [signal for signal in SIGNALS if signal.kind == "stimulus"]


def _plant() -> Plant:
    return Plant(PRESETS["car-400v"], soc=50.0, temperature=25.0)


def test_names_are_unique() -> None:
    assert len({signal.name for signal in SIGNALS}) == len(SIGNALS)


@pytest.mark.parametrize("signal", _SENSORS, ids=lambda signal: signal.name)
def test_every_declared_sensor_can_be_read_within_its_range(rig: Rigs, signal: Any) -> None:
    plant = rig()
    assert signal.low <= plant.sense(signal.name) <= signal.high
    plant.charge(150.0)
    plant.until(s(5))
    assert signal.low <= plant.sense(signal.name) <= signal.high


@pytest.mark.parametrize("signal", _ACTUATORS, ids=lambda signal: signal.name)
@pytest.mark.parametrize("excess", [-1e6, 1e6])
def test_every_actuator_is_clamped(signal: Any, excess: float) -> None:
    clamped, edge = _plant(), _plant()
    for plant, value in ((clamped, excess), (edge, min(max(excess, signal.low), signal.high))):
        plant.actuate("voltage_setpoint", 300.0, 0)
        plant.actuate("output_enable", 1, 0)
        plant.actuate(signal.name, value, ms(500))
        plant.wake(s(5))
    assert clamped.take_samples() == edge.take_samples()


@pytest.mark.parametrize("signal", _STIMULI, ids=lambda signal: signal.name)
def test_every_stimulus_takes_its_range_and_refuses_beyond(signal: Any) -> None:
    plant = _plant()
    plant.stimulate(signal.name, signal.high, 0)
    plant.stimulate(signal.name, signal.low, s(1))
    for value in (signal.low - 1, signal.high + 1, float("nan")):
        with pytest.raises(UsageError, match=rf"{signal.name}: .* is not within"):
            plant.stimulate(signal.name, value, s(2))


def test_unknown_names_are_refused_with_near_ones() -> None:
    plant = _plant()
    with pytest.raises(UsageError, match=r"no sensor 'output_volts'.*output_voltage"):
        plant.sense("output_volts", 0)
    with pytest.raises(UsageError, match=r"no actuator 'k1k2_comand'.*k1k2_command"):
        plant.actuate("k1k2_comand", 1, 0)
    with pytest.raises(UsageError, match=r"no stimulus 'pluged'.*plugged"):
        plant.stimulate("pluged", 1, 0)


def test_each_kind_is_refused_through_the_other_doors() -> None:
    plant = _plant()
    with pytest.raises(UsageError, match="no sensor 'k1k2_command'"):
        plant.sense("k1k2_command", 0)
    with pytest.raises(UsageError, match="no actuator 'plugged'"):
        plant.actuate("plugged", 1, 0)
    with pytest.raises(UsageError, match="no stimulus 'output_enable'"):
        plant.stimulate("output_enable", 1, 0)


def test_values_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(UsageError, match="voltage_setpoint: nan"):
        _plant().actuate("voltage_setpoint", float("nan"), 0)


@pytest.mark.parametrize(("soc", "temperature"), [(-1.0, 25.0), (101.0, 25.0), (50.0, 200.0), (float("nan"), 25.0)])
def test_impossible_packs_are_refused(soc: float, temperature: float) -> None:
    with pytest.raises(UsageError, match="is not within"):
        Plant(PRESETS["car-400v"], soc=soc, temperature=temperature)


def test_time_runs_forward_only() -> None:
    plant = _plant()
    plant.actuate("output_enable", 1, s(2))
    with pytest.raises(UsageError, match=r"at 1\.000000 s: the plant is at 2\.000000 s already"):
        plant.actuate("output_enable", 0, s(1))
    with pytest.raises(UsageError, match="already"):
        plant.stimulate("plugged", 1, s(1))
    with pytest.raises(UsageError, match="already"):
        plant.sense("output_voltage", s(1))


# --- levels ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("plugged", "switch_closed", "volts"), [(0, 1, 6.0), (0, 0, 12.0), (1, 0, 6.0), (1, 1, 4.0)])
def test_cc1_levels(rig: Rigs, plugged: int, switch_closed: int, volts: float) -> None:
    """Sheet 4.8."""
    plant = rig()
    plant.stimulate(switch_s_closed=switch_closed, plugged=plugged)
    assert plant.sense("cc1_voltage") == volts
    assert plant.of("cc1_voltage")[-1].value == volts


def test_cc1_line_broken_or_driven_from_outside(rig: Rigs) -> None:
    plant = rig()
    plant.stimulate(plugged=1)
    for stimulus, volts in (({"cc1_broken": 1}, 12.0), ({"cc1_forced": 3.1}, 3.1), ({"cc1_forced": 0}, 12.0)):
        plant.stimulate(**stimulus)
        assert plant.sense("cc1_voltage") == volts
    plant.stimulate(cc1_broken=0)
    told = [value for _, name, value in plant.changes if name == "cc1_voltage"]
    assert told == [4.0, 12.0, 3.1, 12.0, 4.0]


def test_cc2_and_auxiliary_supply(rig: Rigs) -> None:
    plant = rig()
    plant.set(k3k4_command=1)
    plant.until(ms(100))
    assert (plant.sense("k3k4_closed"), plant.sense("cc2_voltage"), plant.sense("aux_voltage")) == (1.0, 12.0, 0.0)
    plant.stimulate(plugged=1)
    assert (plant.sense("cc2_voltage"), plant.sense("aux_voltage")) == (6.0, 12.0)
    plant.set(k3k4_command=0)
    plant.until(ms(200))
    assert plant.sense("aux_voltage") == 0.0
    assert [value for _, name, value in plant.changes if name == "aux_voltage"] == [12.0, 0.0]


def test_auxiliary_supply_outlives_the_ac_supply(rig: Rigs) -> None:
    """The controller must still be able to report (sheet 5.4, D0.4506)."""
    plant = rig()
    plant.stimulate(plugged=1)
    plant.set(k3k4_command=1)
    plant.until(ms(100))
    plant.stimulate(ac_supply=0)
    plant.until(s(5))
    assert plant.sense("aux_voltage") == 12.0


@pytest.mark.parametrize(("stimulus", "sensor"), [("stop_press", "stop_button"), ("start_press", "start_request")])
def test_buttons_fall_back_by_themselves(rig: Rigs, stimulus: str, sensor: str) -> None:
    plant = rig()
    plant.until(s(1))
    plant.stimulate(**{stimulus: 1})
    assert plant.plant.next_deadline() == s(1) + ms(500)
    plant.until(s(3))
    assert [change for change in plant.changes if change[1] == sensor] == [
        (s(1), sensor, 1.0),
        (s(1) + ms(500), sensor, 0.0),
    ]


def test_a_second_press_prolongs_the_first(rig: Rigs) -> None:
    plant = rig()
    plant.stimulate(stop_press=1)
    plant.until(ms(300))
    plant.stimulate(stop_press=1)
    plant.until(ms(700))
    assert plant.sense("stop_button") == 1.0
    plant.until(ms(800))
    assert plant.sense("stop_button") == 0.0


def test_emergency_stop_latches_until_released(rig: Rigs) -> None:
    plant = rig()
    plant.stimulate(emergency_press=1)
    plant.until(s(60))
    assert plant.sense("emergency_stop") == 1.0
    plant.stimulate(emergency_press=0)
    assert [value for _, name, value in plant.changes if name == "emergency_stop"] == [1.0, 0.0]


def test_insulation_and_earth_are_what_the_rig_makes_them(rig: Rigs) -> None:
    plant = rig()
    assert plant.sense("insulation_resistance") > 500 * 1000, "sound at the start (sheet 4.8)"
    plant.stimulate(insulation=40_000, pe_broken=1)
    assert (plant.sense("insulation_resistance"), plant.sense("pe_ok")) == (40_000.0, 0.0)
    assert plant.of("insulation_resistance")[-1].value == 40_000.0
    assert [change[1:] for change in plant.changes] == [("pe_ok", 0.0)], "resistances are polled"


def test_every_level_is_told_at_the_start_but_is_no_change(rig: Rigs) -> None:
    plant = rig()
    told = {sample.name for sample in plant.samples}
    levels = {signal.name for signal in _SENSORS if (signal.low, signal.high, signal.unit) == (0, 1, "")}
    assert levels | {"cc1_voltage", "cc2_voltage", "aux_voltage", "insulation_resistance"} <= told
    assert {"output_voltage", "output_current", "battery_side_voltage", "pack_voltage", "soc"} <= told
    assert all(sample.t == 0 for sample in plant.samples)
    assert plant.changes == []


def test_the_plug_is_told_but_no_sensor(rig: Rigs) -> None:
    plant = rig()
    plant.until(s(1))
    plant.stimulate(plugged=1)
    plant.until(s(2))
    plant.stimulate(switch_s_closed=0, plugged=0)
    assert [(sample.t, sample.value) for sample in plant.of("plugged")] == [(0, 0.0), (s(1), 1.0), (s(2), 0.0)]
    with pytest.raises(UsageError, match="no sensor 'plugged'"):
        plant.sense("plugged")
