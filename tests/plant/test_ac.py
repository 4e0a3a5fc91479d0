"""The AC charging point: levels by the sheet's formula, who sees what of a fault, supply, lock and meter."""

from __future__ import annotations

import pytest

from hil.errors import UsageError
from hil.plant.ac import MINUS, NONE, PWM, STEADY, AcPlant
from hil.plant.ac_signals import AC_BY_NAME, AC_SIGNALS
from hil.plant.signals import BY_NAME
from hil.units import Instant, ms, s

NEAR = 0.005


class Point:
    """A plant whose events are served, and everything it told."""

    def __init__(self, phases: int = 3) -> None:
        self.plant = AcPlant(phases)
        self.now: Instant = 0
        self.samples = self.plant.take_samples()

    def let(self, span: int) -> Point:
        until = self.now + span
        while (due := self.plant.next_deadline()) is not None and due <= until:
            self.plant.wake(due)
        self.now = until
        self.samples += self.plant.take_samples()
        return self

    def set(self, **actuators: float) -> Point:
        for name, value in actuators.items():
            self.plant.actuate(name, value, self.now)
        return self.let(0)

    def do(self, **stimuli: float) -> Point:
        for name, value in stimuli.items():
            self.plant.stimulate(name, value, self.now)
        return self.let(0)

    def __getitem__(self, name: str) -> float:
        return self.plant.sense(name, self.now)

    def offering(self, duty: float = 50.0) -> Point:
        return self.do(plugged=1).set(cp_duty_set=duty, cp_mode=PWM)

    def charging(self, current: float = 16.0) -> Point:
        return self.offering().set(s2_command=1, contactor_command=1, draw_current=current).let(ms(100))


# --- pilot ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("r3", "r2", "s2", "volts"),
    [  # sheet 1: computed there for the nominal resistors and the extreme ones
        (2740.0, 1300.0, 0, 8.98),
        (2740.0, 1300.0, 1, 5.99),
        (2740.0, 270.0, 1, 2.93),
        (1870.0, 1300.0, 0, 8.06),
        (4610.0, 1300.0, 0, 9.99),
        (2740.0, 909.0, 1, 5.28),
        (2740.0, 1723.0, 1, 6.51),
    ],
)
def test_a_vehicle_pulls_the_pilot_to_the_sheets_levels(r3: float, r2: float, s2: int, volts: float) -> None:
    point = Point().do(plugged=1, r3=r3, r2=r2).set(s2_command=s2)
    assert point["cp_high"] == pytest.approx(volts, abs=NEAR)
    assert point["cp_low"] == point["cp_high"], "without oscillation there is one level"


def test_only_the_positive_half_moves_with_the_vehicle() -> None:
    point = Point().offering().set(s2_command=1)
    assert point["cp_high"] == pytest.approx(5.99, abs=NEAR)
    assert (point["cp_low"], point["cp_duty"], point["cp_frequency"]) == (-12.0, 50.0, 1000.0)
    assert point["pilot_duty"] == 50.0


def test_without_a_vehicle_the_generator_shows() -> None:
    point = Point()
    assert (point["cp_high"], point["cp_low"], point["cp_duty"], point["cp_frequency"]) == (12.0, 12.0, 100.0, 0.0)
    assert point["pilot_duty"] == 0.0
    point.set(cp_mode=MINUS)
    assert (point["cp_high"], point["cp_low"], point["cp_duty"]) == (-12.0, -12.0, 0.0)
    point.set(cp_mode=NONE)
    assert (point["cp_high"], point["cp_low"]) == (0.0, 0.0)


@pytest.mark.parametrize(("duty", "level"), [(0.0, -12.0), (100.0, 12.0)])
def test_a_duty_cycle_of_nothing_or_everything_is_steady(duty: float, level: float) -> None:
    point = Point().set(cp_duty_set=duty, cp_mode=PWM)
    assert (point["cp_high"], point["cp_low"], point["cp_frequency"]) == (level, level, 0.0)


def test_a_shorted_diode_conducts_both_ways() -> None:
    point = Point().offering().do(diode_shorted=1)
    assert point["cp_high"] == pytest.approx(8.79, abs=NEAR), "without the diode's drop"
    assert point["cp_low"] == pytest.approx(-8.79, abs=NEAR)


def test_the_diode_blocks_at_minus_12() -> None:
    assert Point().do(plugged=1).set(cp_mode=MINUS)["cp_high"] == -12.0


@pytest.mark.parametrize(
    ("fault", "level"), [("cp_shorted", 0.0), ("cp_open", 12.0), ("pe_broken", 12.0)], ids=lambda each: str(each)
)
def test_a_fault_of_the_pilot_hides_the_vehicle(fault: str, level: float) -> None:
    point = Point().offering().do(**{fault: 1})
    assert point["cp_high"] == level
    assert point["pilot_duty"] == 0.0, "nor does the vehicle see the charger"
    point.do(**{fault: 0})
    assert point["cp_high"] == pytest.approx(8.98, abs=NEAR)
    assert point["pilot_duty"] == 50.0


@pytest.mark.parametrize(("stuck", "command", "closed"), [(1, 0, True), (2, 1, False), (0, 1, True), (0, 0, False)])
def test_s2_follows_unless_it_sticks(stuck: int, command: int, closed: bool) -> None:
    point = Point().offering().do(s2_stuck=stuck).set(s2_command=command)
    assert (point["cp_high"] < 7.0) is closed


# --- supply, cable, meter -----------------------------------------------------------------------------


def test_current_flows_where_contactor_mains_plug_and_s2_let_it() -> None:
    point = Point().charging(16.0)
    assert (point["output_voltage"], point["supply_voltage"], point["line_current"]) == (230.0, 230.0, 16.0)
    assert point["meter_power"] == pytest.approx(3 * 230 * 16)
    for stop in ({"mains": 0}, {"plugged": 0}, {"cable": 0}, {"s2_stuck": 2}):
        assert Point().charging().do(**{key: float(value) for key, value in stop.items()})["line_current"] == 0.0
    assert point.set(contactor_command=0).let(ms(100))["line_current"] == 0.0
    assert point["output_voltage"] == 0.0


def test_the_contactor_takes_its_time() -> None:
    point = Point().set(contactor_command=1).let(ms(20) - 1)
    assert point["contactor_closed"] == 0.0
    assert point.let(1)["contactor_closed"] == 1.0
    point.set(contactor_command=0).let(ms(15) - 1)
    assert point["contactor_closed"] == 1.0
    assert point.let(1)["contactor_closed"] == 0.0


def test_contacts_may_stick() -> None:
    assert Point().do(contactor_welded=1)["output_voltage"] == 230.0
    stuck = Point().do(contactor_stuck=1).set(contactor_command=1).let(s(1))
    assert (stuck["contactor_closed"], stuck["output_voltage"]) == (0.0, 0.0)


def test_residual_currents_flow_while_the_vehicle_is_supplied() -> None:
    point = Point().do(leak_dc=6.0, leak_ac=30.0)
    assert (point["residual_dc"], point["residual_ac"]) == (0.0, 0.0)
    point.charging()
    assert (point["residual_dc"], point["residual_ac"]) == (6.0, 30.0)


def test_the_cable_stays_in_the_socket_when_the_vehicle_goes() -> None:
    point = Point().do(plugged=1, pp=680.0).set(lock_command=1).let(s(1))
    point.do(plugged=0)
    assert (point["pp_resistance"], point["lock_engaged"]) == (680.0, 1.0)
    point.do(cable=0)
    assert (point["pp_resistance"], point["lock_engaged"]) == (1e9, 0.0)
    assert point.set(lock_command=1).let(s(1))["lock_engaged"] == 0.0, "there is nothing to lock"


@pytest.mark.parametrize("phases", [1, 3])
def test_the_meter_counts_what_flows(phases: int) -> None:
    point = Point(phases).charging(10.0)
    start, begun = point["meter_energy"], point.now
    point.let(s(1800))
    expected = phases * 230 * 10 * (point.now - begun) / 1e9 / 3.6e6
    assert point["meter_energy"] - start == pytest.approx(expected, rel=1e-9)
    told = [sample for sample in point.samples if sample.name == "meter_energy"]
    assert len(told) > 150, "it is read while current flows"
    values = [sample.value for sample in told]
    assert values == sorted(values)


def test_a_button_is_pressed_for_half_a_second() -> None:
    point = Point().do(start_press=1)
    assert point["start_request"] == 1.0
    assert point.let(ms(500))["start_request"] == 0.0


def test_the_limit_that_is_asked_for_is_seen() -> None:
    point = Point().do(limit_set=16.0, limit_silent=1)
    assert (point["limit_request"], point["limit_alive"]) == (16.0, 0.0)


def test_safe_is_without_output() -> None:
    point = Point().charging()
    point.plant.go_safe(point.now)
    point.let(s(1))
    assert (point["output_voltage"], point["line_current"], point["cp_frequency"]) == (0.0, 0.0, 0.0)


# --- samples and misuse -------------------------------------------------------------------------------


def test_samples_are_in_order_and_say_something_new() -> None:
    point = Point().charging()
    point.do(plugged=0).set(contactor_command=0).let(s(1))
    assert [sample.t for sample in point.samples] == sorted(sample.t for sample in point.samples)
    last: dict[str, float] = {}
    for sample in point.samples:
        # Energy runs straight between samples: where it begins to move is said too.
        assert last.get(sample.name) != sample.value or sample.name == "meter_energy", sample
        last[sample.name] = sample.value
        assert sample.low <= sample.value <= sample.high


def test_every_sensor_can_be_read_and_every_input_set() -> None:
    point = Point()
    for signal in AC_SIGNALS:
        if signal.kind == "sensor":
            assert signal.low <= point[signal.name] <= signal.high, signal.name
        elif signal.kind == "actuator":
            point.set(**{signal.name: signal.high})
        else:
            point.do(**{signal.name: signal.high})


def test_a_name_that_both_plants_have_means_the_same_quantity() -> None:
    shared = AC_BY_NAME.keys() & BY_NAME.keys()
    assert shared, "output_voltage at least"
    for name in shared:
        ours, other = AC_BY_NAME[name], BY_NAME[name]
        assert (ours.kind, ours.unit) == (other.kind, other.unit), name


@pytest.mark.parametrize("phases", [0, 2, 4])
def test_other_numbers_of_phases_are_refused(phases: int) -> None:
    with pytest.raises(UsageError, match=f"{phases} phases; allowed is 1 or 3"):
        AcPlant(phases)


def test_misuse_is_named() -> None:
    point = Point()
    with pytest.raises(UsageError, match="no sensor 'cp_hihg'; near are cp_high"):
        _ = point["cp_hihg"]
    with pytest.raises(UsageError, match=r"mains_volts: 400\.0 is not within 0\.\.300 V"):
        point.do(mains_volts=400.0)
    with pytest.raises(UsageError, match="no stimulus 'draw_current'"):
        point.do(draw_current=3.0)
    with pytest.raises(UsageError, match="is not a number"):
        point.set(draw_current=float("nan"))
    point.charging().let(s(20))
    with pytest.raises(UsageError, match="the plant is at"):
        point.plant.stimulate("plugged", 0, ms(1))


def test_modes_are_those_of_the_declaration() -> None:
    assert (STEADY, PWM, MINUS, NONE) == (0, 1, 2, 3)
    assert AC_BY_NAME["cp_mode"].high == NONE
