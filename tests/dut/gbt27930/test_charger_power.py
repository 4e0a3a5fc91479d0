"""The reference charger by the Node interface: start, insulation, precharge and charging (sheet 4.5, 4.8)."""

from __future__ import annotations

import pytest

from hil.protocol.gbt27930 import (
    BCL,
    BHM,
    CCS,
    CEM,
    CRM,
    CRO,
    CST,
)
from hil.units import minutes, ms, s
from tests.dut.gbt27930.conftest import BCL_, BCP_, BCS_, BHM_, BROAA, FORBIDDEN, PACK, Drive, bsm


def demand(volts: float, amperes: float, mode: int = 2) -> BCL:
    return BCL(voltage_demand=volts, current_demand=-amperes, mode=mode)


# --- start, insulation, precharge (sheet 4.5 C0..C8, 4.8) ---------------------------------------------


@pytest.mark.parametrize(
    ("sensor", "value"),
    [
        ("cc1_voltage", 3.1),
        ("cc1_voltage", 6.0),
        ("cc1_voltage", 12.0),
        ("pe_ok", 0),
        ("ac_present", 0),
        ("emergency_stop", 1),
    ],
)
def test_no_session_begins_without_its_conditions(drive: Drive, sensor: str, value: float) -> None:
    driven = drive()
    good = driven.sensors[sensor]
    driven.sensors[sensor] = value
    driven.signal("start_request", 1.0)
    driven.let(s(5))
    assert (driven.state, driven.set) == ("idle", [])
    driven.sensors[sensor] = good
    driven.signal("start_request", 1.0)
    driven.let(ms(20))
    assert driven.settings["lock_command"] == 1


def test_lock_supply_insulation_test_and_charging_keep_their_order(drive: Drive) -> None:
    driven = drive()
    driven.begin_charging()
    names = ("lock_command", "k3k4_command", "voltage_setpoint", "k1k2_command", "output_enable", "discharge_command")
    assert driven.settings_of(*names) == [
        ("lock_command", 1),
        ("k3k4_command", 1),
        ("voltage_setpoint", 394.2),  # the test, by BHM
        ("output_enable", 1),
        ("k1k2_command", 1),
        ("output_enable", 0),
        ("discharge_command", 1),
        ("discharge_command", 0),
        ("k1k2_command", 0),
        ("voltage_setpoint", PACK - 5.0),  # precharge, below the battery
        ("output_enable", 1),
        ("k1k2_command", 1),
        ("voltage_setpoint", 394.2),  # the demand
    ]


@pytest.mark.parametrize(("told", "tested"), [(394.2, 394.2), (949.9, 949.9), (1000.0, 950.0)])
def test_the_test_voltage_is_the_lower_of_bhm_and_the_own(drive: Drive, told: float, tested: float) -> None:
    driven = drive()
    driven.bring("handshake")
    driven.hear(BHM(max_total_voltage=told))
    driven.wait("ins_rise", s(1))
    assert driven.settings["voltage_setpoint"] == tested


@pytest.mark.parametrize(("told", "refused"), [(149.9, True), (150.0, False)])
def test_a_bhm_below_the_own_range_is_refused(drive: Drive, told: float, *, refused: bool) -> None:
    driven = drive()
    driven.bring("handshake")
    driven.hear(BHM(max_total_voltage=told))
    driven.let(s(20))
    assert (driven.times(CRM) == []) is refused


@pytest.mark.parametrize(("volts", "refused"), [(9.9, False), (10.0, True)])
def test_a_live_connector_is_not_tested(drive: Drive, volts: float, *, refused: bool) -> None:
    driven = drive()
    driven.sensors["battery_side_voltage"] = volts
    driven.stuck.add("battery_side_voltage")
    driven.bring("handshake")
    driven.hear(BHM_)
    driven.let(s(3))
    assert (driven.times(CRM) == []) is refused
    assert ("output_enable" in driven.settings) is not refused


@pytest.mark.parametrize(("per_volt", "refused"), [(99.9, True), (100.0, True), (100.1, False), (300.0, False)])
def test_bad_insulation_ends_the_attempt(drive: Drive, per_volt: float, *, refused: bool) -> None:
    driven = drive()
    driven.sensors["insulation_resistance"] = per_volt * 394.2
    driven.bring("handshake")
    driven.hear(BHM_)
    driven.let(s(10))
    assert (driven.times(CRM) == []) is refused
    if refused:
        assert driven.state == "idle"
        assert (driven.sensors["k1k2_closed"], driven.sensors["output_voltage"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("measured", "ready"), [(360.0, True), (378.0, True), (342.0, True), (378.1, False), (341.9, False), (0.0, False)]
)
def test_precharge_needs_the_battery_voltage_of_bcp(drive: Drive, measured: float, *, ready: bool) -> None:
    driven = drive()
    driven.bring("recognised")
    driven.hear(BCP_.replace(present_voltage=360.0))
    driven.hear(BROAA)
    driven.sensors["battery_side_voltage"] = measured
    driven.let(ms(900))
    assert (driven.state == "ready") is ready
    if ready:
        below = [value for _, name, value in driven.set if name == "voltage_setpoint"][-1]
        assert 1.0 <= measured - below <= 10.0


@pytest.mark.parametrize("told", [140.0, 960.0])
def test_a_battery_out_of_the_own_range_is_not_joined(drive: Drive, told: float) -> None:
    driven = drive()
    driven.bring("recognised")
    driven.hear(BCP_.replace(present_voltage=told, max_total_voltage=1000.0))
    driven.hear(BROAA)
    driven.sensors["battery_side_voltage"] = told
    driven.let(s(6))
    assert driven.times(CRO, ready=0xAA) == []
    assert driven.times(CEM, bro=1) != []


# --- charging ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("volts", "amperes", "set_volts", "set_amperes"),
    [
        (380.0, 50.0, 380.0, 50.0),
        (380.0, 200.0, 380.0, 200.0),
        (380.0, 250.0, 380.0, 200.0),  # BCP allows 200 A
        (500.0, 50.0, 394.2, 50.0),  # BCP allows 394.2 V
        (380.0, 0.0, 380.0, 2.0),  # the own minimum
        (0.0, 50.0, 150.0, 50.0),
        (380.0, 1.0, 380.0, 2.0),
    ],
)
@pytest.mark.parametrize("mode", [1, 2])
def test_the_output_follows_the_demand_within_the_limits_of_both_sides(
    drive: Drive, volts: float, amperes: float, set_volts: float, set_amperes: float, mode: int
) -> None:
    driven = drive()
    driven.begin_charging()
    driven.hear(demand(volts, amperes, mode))
    assert (driven.settings["voltage_setpoint"], driven.settings["current_setpoint"]) == (set_volts, set_amperes)


def test_the_own_limits_hold_where_the_vehicle_allows_more(drive: Drive) -> None:
    driven = drive()
    driven.bring("recognised")
    driven.hear(BCP_.replace(max_current=-400.0, max_total_voltage=1000.0))
    driven.hear(BROAA)
    driven.sensors["battery_side_voltage"] = PACK
    driven.wait("ready", s(1))
    driven.hear(demand(990.0, 390.0))
    driven.hear(BCS_)
    assert (driven.settings["voltage_setpoint"], driven.settings["current_setpoint"]) == (950.0, 300.0)


@pytest.mark.parametrize(("reading", "amperes"), [("minimum-output", 2.0), ("no-output", 0.0)])
def test_a_demand_of_nothing_by_the_reading(drive: Drive, reading: str, amperes: float) -> None:
    driven = drive(demand_zero=reading)
    driven.begin_charging()
    driven.hear(demand(380.0, 0.0))
    assert driven.settings["current_setpoint"] == amperes
    assert driven.state == "charging"


def test_a_pause_takes_the_output_down_leaves_k1k2_closed_and_resumes_with_the_present_demand(drive: Drive) -> None:
    driven = drive()
    driven.begin_charging()
    driven.keep(s(1), BCL_, BCS_)
    driven.hear(FORBIDDEN)
    assert driven.settings["current_setpoint"] == 0.0
    start = driven.now
    driven.keep(s(5), demand(394.2, 40.0), BCS_)
    assert driven.settings["current_setpoint"] == 0.0
    assert driven.sensors["k1k2_closed"] == 1.0
    told = [each.charging_permitted for at, each in driven.said(CCS) if start < at < driven.now]
    assert set(told) == {0}
    driven.hear(bsm())
    assert driven.settings["current_setpoint"] == 40.0
    driven.let(ms(50))
    assert driven.said(CCS)[-1][1].charging_permitted == 1


@pytest.mark.parametrize(
    "items",
    [
        {"cell_voltage_state": 1},
        {"cell_voltage_state": 2},
        {"soc_state": 1},
        {"soc_state": 2},
        {"overcurrent": 1},
        {"overtemperature": 1},
        {"insulation": 1},
        {"connector": 1},
    ],
)
@pytest.mark.parametrize("state", ["charging", "paused"])
def test_an_abnormal_bsm_stops(drive: Drive, items: dict[str, int], state: str) -> None:
    driven = drive()
    driven.begin_charging()
    if state == "paused":
        driven.hear(FORBIDDEN)
    driven.hear(bsm(**items))
    driven.let(ms(1))
    assert {each.encode().hex(" ").upper() for _, each in driven.said(CST)} == {"10 00 F0 F0"}


@pytest.mark.parametrize("item", ["overcurrent", "overtemperature", "insulation", "connector"])
@pytest.mark.parametrize("permission", [0, 1])
def test_an_untrusted_bsm_changes_nothing(drive: Drive, item: str, permission: int) -> None:
    driven = drive()
    driven.begin_charging()
    driven.hear(bsm(**{item: 2}, charging_permission=permission))
    driven.let(ms(60))
    assert driven.state == "charging"
    assert driven.said(CCS)[-1][1].charging_permitted == 1


def test_ccs_tells_the_output_and_the_minutes(drive: Drive) -> None:
    driven = drive()
    driven.begin_charging()
    driven.keep(minutes(2) + s(30), BCL_, BCS_, every=ms(500))
    told = driven.said(CCS)[-1][1]
    assert (told.voltage, told.current, told.charging_time) == (PACK, -100.0, 2)
