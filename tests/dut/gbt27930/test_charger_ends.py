"""The reference charger by the Node interface: stops, errors and reconnections (sheet 3.15, 4.4, 4.5)."""

from __future__ import annotations

import pytest

from hil.dut.gbt27930 import reference
from hil.protocol.gbt27930 import (
    CCS,
    CEM,
    CHM,
    CRM,
    CSD,
    CST,
)
from hil.units import minutes, ms, s
from tests.dut.gbt27930.conftest import BCL_, BCP_, BCS_, BEM_, BRM_, BROAA, BSD_, BST_, FORBIDDEN, PACK, Drive, Driven

# --- stops (sheet 3.15, 4.5 C10, C11) -----------------------------------------------------------------


CAUSES = [
    ("stop_button", 1.0, "04 00 F0 F0"),
    ("emergency_stop", 1.0, "10 00 F1 F0"),
    ("cc1_voltage", 12.0, "10 04 F0 F0"),
    ("cc1_voltage", 3.1, "10 04 F0 F0"),
    ("pe_ok", 0.0, "10 00 F4 F0"),
    ("ac_present", 0.0, "10 40 F0 F0"),
]


@pytest.mark.parametrize(("sensor", "value", "data"), CAUSES)
def test_cst_tells_the_cause(drive: Drive, sensor: str, value: float, data: str) -> None:
    driven = drive()
    driven.begin_charging()
    driven.keep(s(1), BCL_, BCS_)
    driven.signal(sensor, value)
    driven.let(ms(50))
    assert {each.encode().hex(" ").upper() for _, each in driven.said(CST)} == {data}


def test_cst_answers_bst_and_tells_a_pause_that_lasted_too_long_and_too_high_a_voltage(drive: Drive) -> None:
    driven = drive()
    driven.begin_charging()
    driven.hear(BST_)
    driven.let(1)
    assert driven.said(CST)[0][1].encode().hex(" ").upper() == "40 00 F0 F0"

    driven = drive()
    driven.begin_charging()
    driven.hear(FORBIDDEN)
    driven.keep(minutes(10) + 1, BCL_, BCS_, every=ms(500))
    assert driven.said(CST)[0][1].encode().hex(" ").upper() == "01 00 F0 F0"

    driven = drive()
    driven.begin_charging()
    driven.stuck.add("output_voltage")
    driven.sensors["output_voltage"] = 394.2 * 1.021
    driven.let(ms(60))
    assert driven.said(CST)[0][1].encode().hex(" ").upper() == "10 00 F0 F4"


@pytest.mark.parametrize("sensor", ["emergency_stop", "cc1_voltage", "pe_ok", "ac_present"])
@pytest.mark.parametrize("before", ["nothing", "a stop under way"])
def test_a_danger_cuts_the_output_at_once(drive: Drive, sensor: str, before: str) -> None:
    driven = drive(reference().powered(stop_ramp=10.0))
    driven.begin_charging()
    driven.keep(s(1), BCL_, BCS_)
    if before == "a stop under way":
        driven.signal("stop_button", 1.0)
        driven.let(ms(100))
        assert driven.settings["output_enable"] == 1
    driven.signal(sensor, {"emergency_stop": 1.0, "cc1_voltage": 12.0}.get(sensor, 0.0))
    start = driven.now
    assert driven.settings["output_enable"] == 0
    driven.let(ms(20))
    assert driven.sensors["k1k2_closed"] == 0.0
    assert [value for at, name, value in driven.set if name == "discharge_command" and at >= start] == [1]


def test_the_output_is_not_discharged_while_it_is_joined_to_the_battery(drive: Drive) -> None:
    driven = drive()
    driven.begin_charging()
    driven.stuck |= {"output_current", "k1k2_closed"}
    start = driven.now
    driven.hear(BST_)
    driven.let(ms(200))
    driven.hear(BSD_)
    driven.let(ms(200))
    assert driven.settings_of("discharge_command", "k1k2_command", since=start) == []
    driven.stuck.clear()
    driven.sensors["output_current"] = 5.0
    driven.let(ms(50))
    assert driven.settings_of("discharge_command", "k1k2_command", since=start) == [
        ("k1k2_command", 0),
        ("discharge_command", 1),
    ]


@pytest.mark.parametrize(("amperes", "opens"), [(5.0, True), (5.1, False)])
def test_k1k2_open_at_5_a_and_below(drive: Drive, amperes: float, *, opens: bool) -> None:
    driven = drive()
    driven.begin_charging()
    driven.stuck.add("output_current")
    driven.sensors["output_current"] = amperes
    driven.hear(BST_)
    driven.let(ms(500))
    assert (driven.sensors["k1k2_closed"] == 0.0) is opens


def test_statistics_tell_minutes_and_the_meters_energy_and_the_number_of_crm(drive: Drive) -> None:
    driven = drive()
    driven.begin_charging()
    driven.keep(minutes(3) + s(30), BCL_, BCS_, every=ms(500))
    driven.sensors["meter_energy"] += 31.54
    driven.hear(BST_)
    driven.let(ms(500))
    assert driven.times(CSD) == []
    driven.hear(BSD_)
    start = driven.now
    driven.let(s(10))
    (told,) = {each for _, each in driven.said(CSD)}
    assert (told.charging_time, told.energy) == (3, 31.5)
    assert told.encode()[4:8] == driven.said(CRM)[0][1].encode()[1:5]
    assert driven.times(CSD)[0] == start
    assert driven.state == "idle"
    ends = driven.settings_of("k1k2_command", "k3k4_command", "lock_command", since=start - ms(500))
    assert ends == [("k1k2_command", 0), ("k3k4_command", 0), ("lock_command", 0)]


def test_csd_goes_on_until_the_output_is_at_rest(drive: Drive) -> None:
    driven = drive()
    driven.begin_charging()
    driven.stuck.add("output_voltage")
    driven.hear(BST_)
    driven.hear(BSD_)
    driven.let(s(9))
    assert driven.state == "statistics"
    assert driven.times(CSD)[-1] >= driven.now - ms(250)


def test_a_second_session_counts_from_nought(drive: Drive) -> None:
    driven = drive()
    driven.begin_charging()
    driven.keep(minutes(1) + s(1), BCL_, BCS_, every=ms(500))
    driven.sensors["meter_energy"] += 5.0
    for message in (BST_, BSD_):
        driven.hear(message)
    driven.let(s(10))
    driven.sensors["battery_side_voltage"] = 0.0
    driven.sent.clear()
    driven.begin_charging()
    driven.let(ms(10))
    assert driven.said(CCS)[0][1].charging_time == 0
    for message in (BST_, BSD_):
        driven.hear(message)
    driven.let(ms(10))
    assert driven.said(CSD)[0][1].energy == 0.0


# --- errors and reconnections (sheet 4.4) ---------------------------------------------------------------


def recharge(driven: Driven) -> None:
    """From recognition on, as after a connection that was lost."""
    for message in (BRM_, BCP_, BROAA):
        driven.hear(message)
    driven.sensors["battery_side_voltage"] = PACK
    driven.wait("ready", s(1))
    driven.hear(BCL_)
    driven.hear(BCS_)


def test_after_cem_the_charger_begins_anew_with_crm_00_without_test_or_loss_of_supply(drive: Drive) -> None:
    driven = drive()
    driven.begin_charging()
    driven.let(s(1))
    error = driven.now
    driven.wait("recognise", s(3))
    assert driven.times(CEM)[0] == error
    assert driven.now == error + s(2)
    again = driven.now
    assert driven.settings_of("discharge_command", since=error) == [("discharge_command", 1), ("discharge_command", 0)]
    driven.let(ms(600))
    assert driven.times(CRM, result=0)[-3:] == [again + each * ms(250) for each in range(3)]
    assert not [at for at in driven.times(CEM) if at >= again]
    assert not [at for at in driven.times(CHM) if at > error]
    assert driven.settings["k3k4_command"] == 1
    assert driven.sensors["k1k2_closed"] == 0.0
    recharge(driven)
    assert driven.settings["current_setpoint"] == 100.0
    assert driven.settings["discharge_command"] == 0


@pytest.mark.parametrize(("reading", "attempts"), [("three", 3), ("two", 2), ("none", 0)])
def test_reconnections_run_out_then_everything_opens_and_only_a_replug_helps(
    drive: Drive, reading: str, attempts: int
) -> None:
    driven = drive(reconnections=reading)
    driven.begin_charging()
    start = driven.now
    driven.wait("idle", minutes(2))
    assert len([1 for at in driven.times(CRM, result=0) if at > start]) == attempts * 20
    series = [at for before, at in zip([0, *driven.times(CEM)], driven.times(CEM), strict=False) if at - before > s(1)]
    assert len(series) == attempts + 1
    assert driven.now - series[-1] < s(10)
    assert (driven.sensors["k1k2_closed"], driven.sensors["k3k4_closed"], driven.settings["lock_command"]) == (0, 0, 0)

    driven.signal("start_request", 1.0)
    driven.let(s(30))
    assert driven.state == "idle"
    driven.signal("cc1_voltage", 6.0)
    driven.signal("cc1_voltage", 4.0)
    driven.signal("start_request", 1.0)
    assert driven.state == "locking"


def test_a_charge_gives_all_reconnections_back(drive: Drive) -> None:
    driven = drive(reconnections="two")
    driven.begin_charging()
    for _ in range(5):
        driven.wait("recognise", s(10))
        driven.sensors["battery_side_voltage"] = 0.0
        recharge(driven)
        assert driven.state == "charging"


@pytest.mark.parametrize("state", ["recognised", "configure", "verify", "ready", "charging", "paused"])
def test_bem_takes_the_output_off_without_an_own_cem_and_leads_to_crm_00(drive: Drive, state: str) -> None:
    driven = drive()
    driven.bring("charging" if state == "paused" else state)
    if state == "paused":
        driven.hear(FORBIDDEN)
    driven.let(ms(20))
    driven.hear(BEM_)
    heard = driven.now
    driven.wait("recognise", s(3))
    driven.let(ms(1))
    assert driven.times(CEM) == []
    assert driven.times(CRM, result=0)[-1] >= heard + s(1)
    assert driven.sensors["k1k2_closed"] == 0.0


def test_a_bem_that_comes_late_does_not_disturb_the_new_beginning(drive: Drive) -> None:
    driven = drive()
    driven.bring("recognise")
    driven.hear(BEM_)
    assert driven.state == "recognise"


@pytest.mark.parametrize("state", ["stopping", "answered", "statistics"])
def test_bem_in_the_end_phase_ends_the_session(drive: Drive, state: str) -> None:
    driven = drive()
    driven.begin_charging()
    driven.signal("stop_button", 1.0)
    if state != "stopping":
        driven.hear(BST_)
    if state == "statistics":
        driven.hear(BSD_)
    assert driven.state == state
    driven.hear(BEM_)
    start = driven.now
    driven.let(s(10))
    assert driven.state == "idle"
    assert not [at for at, _ in driven.sent if at > start]


@pytest.mark.parametrize("sensor", ["emergency_stop", "cc1_voltage", "pe_ok", "ac_present"])
def test_a_danger_ends_an_error_and_there_is_no_reconnection(drive: Drive, sensor: str) -> None:
    driven = drive()
    driven.begin_charging()
    driven.let(s(1.5))
    assert driven.state == "error"
    driven.signal(sensor, {"emergency_stop": 1.0, "cc1_voltage": 12.0}.get(sensor, 0.0))
    driven.let(s(20))
    assert driven.state == "idle"
    assert len(driven.times(CRM, result=0)) == 1


def test_a_plug_pulled_from_a_closing_charger_counts_as_a_replug(drive: Drive) -> None:
    driven = drive(reconnections="none")
    driven.begin_charging()
    driven.stuck.add("k3k4_closed")
    driven.wait("closed_down", s(10))
    driven.signal("cc1_voltage", 12.0)
    driven.stuck.clear()
    driven.sensors["k3k4_closed"] = 0.0
    driven.wait("idle", s(10))
    driven.signal("cc1_voltage", 4.0)
    driven.signal("start_request", 1.0)
    assert driven.state == "locking"


def test_ac_that_returns_starts_nothing(drive: Drive) -> None:
    driven = drive()
    driven.begin_charging()
    driven.keep(s(1), BCL_, BCS_)
    driven.signal("ac_present", 0.0)
    driven.let(ms(100))
    driven.hear(BST_)
    driven.hear(BSD_)
    driven.let(s(10))
    quiet = driven.now
    driven.signal("ac_present", 1.0)
    driven.let(s(60))
    assert driven.state == "idle"
    assert not [at for at, _ in driven.sent if at > quiet]


def test_a_plug_under_voltage_stays_locked(drive: Drive) -> None:
    driven = drive()
    driven.begin_charging()
    driven.keep(s(1), BCL_, BCS_)
    driven.stuck.add("k1k2_closed")
    driven.hear(BST_)
    driven.hear(BSD_)
    driven.hear(BEM_)
    driven.let(s(60))
    assert driven.state == "closed_down"
    assert driven.settings["lock_command"] == 1


def test_contactors_of_the_supply_that_stick_do_not_hold_the_plug_for_ever(drive: Drive) -> None:
    driven = drive()
    driven.begin_charging()
    driven.stuck.add("k3k4_closed")
    driven.hear(BST_)
    driven.hear(BSD_)
    driven.hear(BEM_)
    start = driven.now
    driven.let(s(20))
    assert driven.state == "idle"
    assert (start + s(5), "lock_command", 0) in driven.set
