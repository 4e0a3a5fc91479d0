"""Charging: set-points, ramps, the voltage limit, balances, and a fine-step run beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hil.plant.pack import TAU, ocv, resistance_ratio
from hil.units import SECOND, ms, s

Rigs = Callable[..., Any]
CHARGING = s(1)
"""``rig.charge`` gives the set-points at this instant."""


# --- set-points and ramps -----------------------------------------------------------------------------


def test_current_rises_to_the_set_point_and_stays(rig: Rigs) -> None:
    plant = rig()
    plant.charge(100.0)
    seen = []
    for after in (0, 250, 500, 1000, 1500, 5000):
        plant.until(CHARGING + ms(after))
        seen.append(plant.sense("output_current"))
    assert seen == pytest.approx([0.0, 25.0, 50.0, 100.0, 100.0, 100.0], abs=1e-6)


def test_current_falls_faster_than_a_stop_needs(rig: Rigs) -> None:
    """100 A/s at least (sheet 4.9)."""
    plant = rig()
    plant.charge(200.0)
    plant.until(s(10))
    plant.set(current_setpoint=5.0)
    plant.until(s(11))
    assert plant.sense("output_current") == pytest.approx(5.0)
    fall = [sample for sample in plant.of("output_current") if sample.t >= s(10)][:2]
    assert (fall[0].value, fall[1].value) == pytest.approx((200.0, 5.0))
    assert (200.0 - 5.0) / ((fall[1].t - fall[0].t) / SECOND) > 100.0


@pytest.mark.parametrize("amperes", [2.0, 50.0, 300.0])
def test_switched_off_the_current_is_gone_within_milliseconds(rig: Rigs, amperes: float) -> None:
    """Leaves the controller nearly all of the 50 ms that sheet 4.8 allows."""
    plant = rig("truck-lfp-600v")
    plant.charge(amperes)
    plant.until(s(10))
    plant.set(output_enable=0)
    plant.until(s(10) + ms(10))
    assert plant.sense("output_current") == 0.0
    assert plant.of("output_current")[-1].value == 0.0


def test_loss_of_ac_supply_takes_the_output_away(rig: Rigs) -> None:
    plant = rig()
    plant.charge(100.0)
    plant.until(s(10))
    plant.stimulate(ac_supply=0)
    plant.until(s(10) + ms(10))
    assert (plant.sense("output_current"), plant.sense("ac_present")) == (0.0, 0.0)
    assert [change for change in plant.changes if change[1] == "ac_present"] == [(s(10), "ac_present", 0.0)]


def test_no_current_while_the_voltage_limit_lies_below_the_pack(rig: Rigs) -> None:
    plant = rig()
    plant.charge(100.0, voltage=340.0)
    plant.until(s(20))
    assert {sample.value for sample in plant.of("output_current")} == {0.0}


def test_lower_voltage_limit_takes_the_current_down_again(rig: Rigs) -> None:
    plant = rig()
    plant.charge(100.0)
    plant.until(s(10))
    plant.set(voltage_setpoint=357.0)
    plant.until(s(11))
    assert plant.sense("output_voltage") == pytest.approx(357.0, abs=0.02)
    assert 0.0 < plant.sense("output_current") < 100.0


def test_output_stands_above_the_pack_by_the_drop_of_the_link(rig: Rigs) -> None:
    plant = rig()
    plant.charge(200.0)
    plant.until(s(30))
    drop = plant.sense("output_voltage") - plant.sense("pack_voltage")
    assert drop == pytest.approx(200.0 * 0.005)
    assert plant.sense("battery_side_voltage") == plant.sense("output_voltage")
    assert plant.sense("inlet_voltage") == plant.sense("pack_voltage")
    cells = plant.sense("pack_voltage") / 108
    assert plant.sense("cell_voltage_min") < cells < plant.sense("cell_voltage_max")


def test_over_voltage_fault_lifts_the_output_only(rig: Rigs) -> None:
    plant = rig()
    plant.charge(100.0)
    plant.until(s(10))
    before = plant.sense("output_voltage"), plant.sense("pack_voltage")
    plant.stimulate(over_voltage_fault=60)
    assert plant.sense("output_voltage") == pytest.approx(before[0] + 60.0, abs=0.01)
    assert plant.sense("pack_voltage") == pytest.approx(before[1], abs=0.01)
    assert plant.of("output_voltage")[-1].value == pytest.approx(before[0] + 60.0, abs=0.01)
    plant.until(s(11))
    plant.set(output_enable=0)
    plant.until(s(12))
    assert plant.sense("output_voltage") < before[0]


# --- the end of the charge ------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["car-400v", "truck-lfp-800v"])
def test_constant_voltage_ends_the_charge(rig: Rigs, preset: str) -> None:
    """Check 3: in CV at 3.65 V the current falls monotonically to 0.05C."""
    plant = rig(preset, soc=90.0)
    tail = 0.05 * plant.spec.capacity
    plant.charge(0.5 * plant.spec.capacity)
    while plant.now < s(3600) and not (plant.now > s(60) and plant.sense("output_current") <= tail):
        plant.until(plant.now + s(1))
    assert plant.sense("output_current") <= tail
    currents = [sample for sample in plant.of("output_current") if sample.t > s(60)]
    falling = [sample.value for sample in currents]
    assert falling == sorted(falling, reverse=True)
    limit = 3.65 * plant.spec.cells
    volts = [sample for sample in plant.of("output_voltage") if sample.t > s(60)]
    assert max(sample.value for sample in volts) == pytest.approx(limit, abs=0.05)
    begin = next(sample.t for sample in currents if sample.value < falling[0] - 0.1)
    regulated = [sample.value for sample in volts if sample.t >= begin]
    assert regulated == pytest.approx([limit] * len(regulated), abs=0.05)
    assert s(20) < plant.now - begin < s(1200), "the CV phase lasts minutes (battery sheet 4)"


def test_full_pack_reads_100_percent(rig: Rigs) -> None:
    plant = rig("small-car", soc=99.9)
    plant.charge(50.0)
    plant.until(s(600))
    assert plant.sense("soc") == 100.0


# --- at the edge between the two limits ------------------------------------------------------------------


def test_voltage_is_held_across_a_bend_of_the_ocv_table(rig: Rigs) -> None:
    plant = rig(soc=98.93)
    plant.charge(113.0)
    plant.until(s(4))
    limit = plant.sense("output_voltage")
    plant.set(voltage_setpoint=limit)
    plant.until(s(60))
    assert plant.sense("soc") > 99.0
    assert plant.sense("output_current") < 100.0
    held = [sample.value for sample in plant.of("output_voltage") if sample.t > s(4)]
    assert held == pytest.approx([limit] * len(held), abs=0.005)


def test_voltage_limit_just_above_the_output_changes_nothing(rig: Rigs) -> None:
    plant = rig(soc=50.0)
    plant.charge(100.0)
    plant.until(s(300))
    plant.set(voltage_setpoint=plant.sense("output_voltage") + 0.002)
    plant.events = 0
    plant.until(s(301))
    assert plant.sense("output_current") == 100.0
    assert plant.events <= 4


def test_relaxing_pack_lets_the_current_back_up_to_its_limit_and_no_further(rig: Rigs) -> None:
    plant = rig(soc=50.0)
    plant.charge(200.0)
    plant.until(s(120))
    plant.set(current_setpoint=50.0)
    plant.until(s(121))
    plant.set(voltage_setpoint=plant.sense("output_voltage") - 0.05)
    plant.until(s(121) + ms(50))
    assert 48.0 < plant.sense("output_current") < 49.0
    plant.until(s(123))
    assert plant.sense("output_current") == 50.0
    assert max(sample.value for sample in plant.of("output_current") if sample.t > s(121)) == 50.0


def test_voltage_limit_just_below_the_output_stops_a_small_current(rig: Rigs) -> None:
    plant = rig()
    plant.charge(0.01)
    plant.until(s(5))
    plant.set(voltage_setpoint=plant.sense("output_voltage") - 0.002)
    plant.until(s(8))
    assert plant.sense("output_current") == 0.0
    assert min(sample.value for sample in plant.of("output_current")) == 0.0


# --- temperature -----------------------------------------------------------------------------------------


def test_cold_pack_takes_nothing_until_heated(rig: Rigs) -> None:
    """Check 5."""
    plant = rig(temperature=-3.0)
    assert plant.sense("charge_current_limit") == 0.0
    plant.stimulate(heating_power=10_000)
    plant.until(s(120))
    assert plant.sense("charge_current_limit") == 0.0
    plant.until(s(180))
    assert plant.sense("charge_current_limit") == pytest.approx(0.1 * 226.0)
    assert plant.sense("temperature_max") == pytest.approx(-3.0 + 1.0 + 180 * 10_000 / (19.6 * 226 * 108), abs=1e-6)
    assert plant.of("temperature_max")[-1].t >= s(170)


def test_temperature_stimulus_changes_resistance_and_limit(rig: Rigs) -> None:
    plant = rig()
    plant.charge(100.0)
    plant.until(s(10))
    warm = plant.sense("pack_voltage")
    plant.stimulate(pack_temperature=-10)
    assert plant.sense("charge_current_limit") == 0.0
    assert plant.sense("pack_voltage") - warm == pytest.approx(3 * 100.0 * 0.045 * 108 / 226, rel=0.01)
    assert plant.of("pack_voltage")[-1].value == plant.sense("pack_voltage")


# --- balances --------------------------------------------------------------------------------------------


def test_soc_is_the_coulombs_that_the_samples_show(rig: Rigs, line: Callable[..., Any]) -> None:
    plant = rig(soc=40.0)
    plant.charge(120.0)
    plant.until(s(300))
    plant.set(current_setpoint=40.0)
    plant.until(s(400))
    plant.set(output_enable=0)
    plant.until(s(401))
    coulombs = line(plant.of("output_current")).integral()
    assert coulombs > 39_000
    assert plant.sense("soc") == pytest.approx(40.0 + 100.0 * coulombs / (3600 * 226.0), abs=1e-6)
    assert plant.of("soc")[-1].value == plant.sense("soc")


def test_energy_balance(rig: Rigs) -> None:
    """Check 4: what the meter counts is stored, in the RC pair, or heat, to within 0.1 %."""
    plant = rig(soc=10.0)
    plant.charge(200.0)
    plant.until(s(3000))
    plant.set(output_enable=0)
    plant.until(s(3001))
    metered = plant.sense("meter_energy") * 3.6e6
    pack = plant.plant.circuit.pack
    start, end, steps = 0.10, pack.soc, 20_000
    width = (end - start) / steps
    stored = sum(ocv(start + (step + 0.5) * width) for step in range(steps)) * width * 108 * 226 * 3600
    in_pair = pack.vrc**2 * TAU / pack.r1 / 2
    lost = pack.heat + plant.plant.circuit.link_heat
    assert metered == pytest.approx(stored + in_pair + lost, rel=1e-4)
    assert plant.plant.circuit.link_heat == pytest.approx(200.0**2 * 0.005 * 2998, rel=0.01)
    assert metered > 200e6


def test_meter_is_the_integral_of_the_samples(rig: Rigs, line: Callable[..., Any]) -> None:
    plant = rig(soc=50.0)
    plant.charge(150.0)
    plant.until(s(121) + ms(500))
    plant.until(max(sample.t for sample in plant.of("output_current")))
    metered = plant.sense("meter_energy")
    times = {sample.t for sample in plant.of("output_current")} & {sample.t for sample in plant.of("output_voltage")}
    both = [
        {sample.t: sample for sample in plant.of(name) if sample.t in times}
        for name in ("output_voltage", "output_current")
    ]
    volts, amperes = (line([each[t] for t in sorted(times)]) for each in both)
    assert max(times) == plant.now, "a sample each second"
    assert metered == pytest.approx(volts.integral(amperes) / 3.6e6, rel=1e-5)


# --- beside a fine-step run --------------------------------------------------------------------------------


class FineSteps:
    """The same physics by explicit steps of 1 ms; written apart from the plant's closed forms."""

    def __init__(self, cells: int, capacity: float, soc: float, celsius: float) -> None:
        self.cells, self.capacity, self.soc, self.celsius = cells, capacity, soc, celsius
        self.vrc = self.current = self.energy = 0.0
        self.limits = (0.0, 0.0)

    @property
    def volts(self) -> float:
        ratio = resistance_ratio(self.celsius) * self.cells / self.capacity
        return self.cells * ocv(self.soc) + self.vrc + self.current * (0.045 * ratio + 0.005)

    def step(self, dt: float) -> None:
        ratio = resistance_ratio(self.celsius) * self.cells / self.capacity
        r0, r1 = 0.045 * ratio, 0.055 * ratio
        volts, amperes = self.limits
        through = (volts - self.cells * ocv(self.soc) - self.vrc) / (r0 + 0.005)
        target = max(min(amperes, through), 0.0)
        before = self.current
        self.current += max(min(target - self.current, 100.0 * dt), -400.0 * dt)
        mean = (before + self.current) / 2
        heat = mean**2 * r0 + self.vrc**2 / r1
        self.energy += self.volts * mean * dt
        self.soc += mean * dt / (3600 * self.capacity)
        self.vrc += (r1 * mean - self.vrc) / TAU * dt
        self.celsius += heat * dt / (19.6 * self.capacity * self.cells)


def _fine(fine: FineSteps, seconds: int) -> Iterator[None]:
    for _ in range(seconds):
        for _ in range(1000):
            fine.step(0.001)
        yield


@pytest.mark.parametrize(
    ("soc", "celsius", "plan"),
    [
        (40.0, 25.0, [(394.2, 100.0), (394.2, 30.0), (394.2, 250.0), (358.0, 250.0), (370.0, 250.0)]),
        (98.8, 12.0, [(394.2, 110.0), (394.2, 60.0), (388.0, 110.0), (394.2, 300.0)]),
        (68.0, 38.0, [(394.2, 300.0), (364.0, 300.0), (365.5, 300.0), (394.2, 10.0)]),
    ],
)
def test_agrees_with_steps_of_a_millisecond(
    rig: Rigs, soc: float, celsius: float, plan: list[tuple[float, float]]
) -> None:
    """Error bound of the closed form: 0.1 V and 0.1 A each second over changes of both limits."""
    plant = rig(soc=soc, temperature=celsius)
    plant.charge(0.0)
    fine = FineSteps(108, 226.0, soc / 100, celsius)
    worst = [0.0, 0.0]
    for volts, amperes in plan:
        plant.set(voltage_setpoint=volts, current_setpoint=amperes)
        fine.limits = (volts, amperes)
        for _ in _fine(fine, 20):
            plant.until(plant.now + s(1))
            worst[0] = max(worst[0], abs(plant.sense("output_voltage") - fine.volts))
            worst[1] = max(worst[1], abs(plant.sense("output_current") - fine.current))
    assert worst[0] < 0.1
    assert worst[1] < 0.1
    assert plant.sense("soc") / 100 == pytest.approx(min(fine.soc, 1.0), abs=1e-6)
    assert plant.sense("meter_energy") * 3.6e6 == pytest.approx(fine.energy, rel=1e-4)
    assert plant.sense("temperature_max") - 1.0 == pytest.approx(fine.celsius, abs=1e-3)
