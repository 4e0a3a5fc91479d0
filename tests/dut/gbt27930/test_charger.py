"""The reference charger by the Node interface: sheet 4.2 to 4.5 and 4.8, every time-out to the nanosecond."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hil.codec.frame import CanFrame
from hil.codec.message import Message
from hil.dut.gbt27930 import reference
from hil.dut.gbt27930.table import ROWS
from hil.errors import UsageError
from hil.protocol.gbt27930 import (
    BCL,
    BCP,
    BCS,
    BEM,
    BHM,
    BMS_ADDRESS,
    BRM,
    BRO,
    BSD,
    BSM,
    BST,
    CCS,
    CEM,
    CHARGER_ADDRESS,
    CHM,
    CML,
    CRM,
    CRO,
    CSD,
    CST,
    CTS,
    can_id,
)
from hil.protocol.table import Row
from hil.units import Instant, Span, minutes, ms, s

Drive = Callable[..., Any]
PACK = 357.0
BRM_ = BRM(version=0x000101, battery_type=3, rated_capacity=226.0, rated_voltage=345.6)
BCP_ = BCP(
    max_cell_voltage=3.65,
    max_current=-200.0,
    nominal_energy=78.0,
    max_total_voltage=394.2,
    max_temperature=55.0,
    soc=50.0,
    present_voltage=PACK,
)
BCL_ = BCL(voltage_demand=394.2, current_demand=-100.0, mode=2)
BCS_ = BCS(voltage=PACK, current=-100.0, max_cell_voltage=3.31, max_cell_group=0, soc=50, remaining_time=60)
BSD_ = BSD(soc=80, min_cell_voltage=3.3, max_cell_voltage=3.31, min_temperature=24.0, max_temperature=26.0)
BHM_, BRO00, BROAA, BST_ = BHM(max_total_voltage=394.2), BRO(ready=0x00), BRO(ready=0xAA), BST(soc_reached=1)
BEM_ = BEM(ccs=1)


def bsm(**items: int) -> BSM:
    plain = {"cell_voltage_state": 0, "soc_state": 0, "overcurrent": 0, "overtemperature": 0}
    plain |= {"insulation": 0, "connector": 0, "charging_permission": 1}
    return BSM(
        max_cell_number=1,
        max_temperature=26.0,
        max_temperature_sensor=1,
        min_temperature=24.0,
        min_temperature_sensor=2,
        **(plain | items),
    )


FORBIDDEN = bsm(charging_permission=0)


def demand(volts: float, amperes: float, mode: int = 2) -> BCL:
    return BCL(voltage_demand=volts, current_demand=-amperes, mode=mode)


# --- periods, starts and ends of messages (sheet 2.1, 4.2) ------------------------------------------


@pytest.mark.parametrize(
    ("state", "message", "fields", "period"),
    [
        ("handshake", CHM, {"version": 0x000101}, ms(250)),
        ("recognise", CRM, {"result": 0x00}, ms(250)),
        ("recognised", CRM, {"result": 0xAA}, ms(250)),
        ("configure", CML, {}, ms(250)),
        ("configure", CTS, {}, ms(500)),
        ("ready", CRO, {"ready": 0xAA}, ms(250)),
        ("charging", CCS, {"charging_permitted": 1}, ms(50)),
    ],
)
def test_a_message_begins_with_its_state_and_keeps_its_period(
    drive: Drive, state: str, message: type[Message], fields: dict[str, Any], period: Span
) -> None:
    driven = drive()
    driven.bring(state)
    start = driven.now
    driven.let(ms(950))
    assert driven.times(message, **fields) == [start + each * period for each in range(ms(950) // period + 1)]


def test_cro_00_begins_with_bro_aa_and_keeps_its_period(drive: Drive) -> None:
    driven = drive()
    driven.bring("configure")
    driven.let(ms(300))
    driven.hear(BROAA)
    start = driven.now
    driven.let(ms(1100))
    assert driven.times(CRO, ready=0x00) == [start + ms(250) * each for each in range(5)]
    assert driven.times(CML)[-1] < start


@pytest.mark.parametrize(
    ("state", "message", "fields", "end"),
    [
        ("recognise", CRM, {"result": 0x00}, BRM_),
        ("recognised", CRM, {"result": 0xAA}, BCP_),
        ("configure", CML, {}, BROAA),
        ("configure", CTS, {}, BROAA),
        ("charging", CCS, {}, BST_),
    ],
)
def test_a_message_ends_with_what_ends_it(
    drive: Drive, state: str, message: type[Message], fields: dict[str, Any], end: Message
) -> None:
    driven = drive()
    driven.bring(state)
    driven.let(ms(260))
    seen = driven.times(message, **fields)
    driven.hear(end)
    driven.let(ms(900))
    assert driven.times(message, **fields) == seen


def test_ccs_begins_when_both_bcl_and_bcs_have_come_in_either_order(drive: Drive) -> None:
    for first, second in ((BCL_, BCS_), (BCS_, BCL_)):
        driven = drive()
        driven.bring("ready")
        driven.let(ms(300))
        driven.hear(first)
        driven.let(ms(100))
        assert driven.times(CCS) == []
        driven.hear(second)
        start = driven.now
        driven.let(ms(10))
        assert driven.times(CCS) == [start]


# --- time-outs (sheet 4.3) ------------------------------------------------------------------------


TIMEOUTS = [
    # timer, state whose entry starts it, span, what comes meanwhile, signal of CEM
    ("T1", "recognise", s(5), (BHM_,), "brm"),
    ("T2", "recognised", s(5), (BRM_,), "bcp"),
    ("T3", "configure", s(5), (BCP_,), "bro"),
    ("T4", "configure", s(60), (BRO00,), "bro"),
    ("T6", "ready", s(1), (BROAA, BCS_), "bcl"),
    ("T7", "ready", s(5), (BROAA, BCL_), "bcs"),
]


@pytest.mark.parametrize(("timer", "state", "span", "meanwhile", "signal"), TIMEOUTS)
def test_a_time_out_is_reported_at_its_instant(
    drive: Drive, timer: str, state: str, span: Span, meanwhile: tuple[Message, ...], signal: str
) -> None:
    driven = drive()
    driven.bring(state)
    start = driven.now
    driven.keep(span - 1, *meanwhile)
    assert driven.state == state
    assert driven.times(CEM) == []
    driven.let(ms(800))
    assert driven.times(CEM) == [start + span + each * ms(250) for each in range(4)]
    assert {each.encode() for _, each in driven.said(CEM)} == {CEM(**{signal: 1}).encode()}


@pytest.mark.parametrize(
    ("signal", "data"),
    [
        ("brm", "FD F0 C0 FC"),
        ("bcp", "FC F1 C0 FC"),
        ("bro", "FC F4 C0 FC"),
        ("bcs", "FC F0 C1 FC"),
        ("bcl", "FC F0 C4 FC"),
        ("bst", "FC F0 D0 FC"),
        ("bsd", "FC F0 C0 FD"),
    ],
)
def test_cem_has_the_bytes_of_the_sheet(drive: Drive, signal: str, data: str) -> None:
    driven = drive()
    driven.charger.cem = {signal: 1}
    driven.charger.go("error", 0)
    driven.let(1)
    assert driven.said(CEM)[0][1].encode() == bytes.fromhex(data)


def test_t5_counts_from_the_last_bro_aa(drive: Drive) -> None:
    driven = drive()
    driven.sensors["battery_side_voltage"] = 0.0
    driven.bring("configure")
    driven.hear(BROAA)
    driven.keep(s(8), BROAA, every=ms(250))
    assert driven.state == "verify", "no battery voltage, no precharge"
    driven.hear(BROAA)
    last = driven.now
    driven.keep(s(5) - 1, BRO00)
    assert driven.times(CEM) == []
    driven.let(ms(1))
    assert driven.times(CEM, bro=1) == [last + s(5)]


@pytest.mark.parametrize(
    ("lost", "span", "signal"), [("BCL", s(1), "bcl"), ("BCS", s(5), "bcs")], ids=["T8 BCL", "T9 BCS"]
)
@pytest.mark.parametrize("state", ["charging", "paused"])
def test_what_is_lost_while_charging_is_reported_from_its_last_one(
    drive: Drive, lost: str, span: Span, signal: str, state: str
) -> None:
    messages = {"BCL": BCL_, "BCS": BCS_}
    driven = drive()
    driven.begin_charging()
    if state == "paused":
        driven.hear(FORBIDDEN)
    driven.keep(s(7), *messages.values())
    last = driven.now
    for message in messages.values():
        driven.hear(message)
    del messages[lost]
    driven.keep(span - 1, *messages.values())
    assert driven.state == state
    driven.let(ms(1))
    assert driven.times(CEM) == driven.times(CEM, **{signal: 1}) == [last + span]


@pytest.mark.parametrize(("lost", "span", "signal"), [(BCL_, s(1), "bcl"), (BCS_, s(5), "bcs")])
def test_what_came_once_before_charging_must_go_on(drive: Drive, lost: Message, span: Span, signal: str) -> None:
    """T8 and T9 run from the first of each, also while the other one is still awaited."""
    driven = drive(reference().timing(T6=s(100), T7=s(100)))
    driven.bring("ready")
    driven.let(ms(500))
    driven.hear(lost)
    last = driven.now
    driven.let(span)
    assert driven.times(CEM, **{signal: 1}) == [last + span]


def test_t10_counts_from_the_first_cst_and_ends_the_session(drive: Drive) -> None:
    driven = drive()
    driven.begin_charging()
    driven.keep(s(1), BCL_, BCS_)
    driven.signal("stop_button", 1.0)
    start = driven.now
    driven.let(s(30))
    assert driven.times(CST) == list(range(start, start + s(5), ms(10)))
    assert driven.times(CEM)[0] == start + s(5)
    assert driven.said(CEM)[0][1].encode() == CEM(bst=1).encode()
    assert driven.state == "idle"
    assert not driven.times(CRM, result=0)[1:], "no reconnection from the end phase"


@pytest.mark.parametrize("begin", ["own stop", "BST"])
def test_t11_counts_from_the_first_cst(drive: Drive, begin: str) -> None:
    driven = drive()
    driven.begin_charging()
    driven.keep(s(1), BCL_, BCS_)
    if begin == "BST":
        driven.hear(BST_)
        start = driven.now
    else:
        driven.signal("stop_button", 1.0)
        start = driven.now
        driven.let(s(4))
        driven.hear(BST_)
    driven.let(s(30))
    assert driven.times(CST)[-1] == start + s(10) - ms(10)
    assert driven.times(CEM)[0] == start + s(10)
    assert driven.said(CEM)[0][1].encode() == CEM(bsd=1).encode()
    assert driven.state == "idle"


def test_t22_ends_a_pause_after_10_min(drive: Drive) -> None:
    driven = drive()
    driven.begin_charging()
    driven.keep(s(1), BCL_, BCS_)
    driven.hear(FORBIDDEN)
    start = driven.now
    driven.keep(minutes(10) - 1, BCL_, BCS_, every=ms(500))
    assert driven.state == "paused"
    driven.let(ms(1))
    assert driven.times(CST)[0] == start + minutes(10)


@pytest.mark.parametrize(
    ("state", "sensor"),
    [
        ("locking", "lock_engaged"),
        ("aux_on", "k3k4_closed"),
        ("ins_close", "k1k2_closed"),
        ("ins_rise", "output_voltage"),
    ],
)
def test_t23_gives_up_a_step_that_does_not_come(drive: Drive, state: str, sensor: str) -> None:
    driven = drive()
    driven.stuck.add(sensor)
    driven.bring(state)
    start = driven.now
    driven.until(start + s(5) - 1)
    assert driven.state == state
    driven.until(start + s(5))
    assert driven.state == "closed_down"
    assert driven.times(CRM) == []


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
    driven.hear(BRM_)
    driven.hear(BCP_)
    driven.hear(BROAA)
    driven.sensors["battery_side_voltage"] = PACK
    driven.wait("ready", s(1))
    driven.hear(BCL_)
    driven.hear(BCS_)
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
        driven.hear(BRM_)
        driven.hear(BCP_)
        driven.hear(BROAA)
        driven.sensors["battery_side_voltage"] = PACK
        driven.wait("ready", s(1))
        driven.hear(BCL_)
        driven.hear(BCS_)
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


# --- readings (interpretation register) -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("reading", "span", "identifies"), [("end-after-10s", s(10), False), ("identify-after-5s", s(5), True)]
)
def test_silence_of_bhm_by_the_reading(drive: Drive, reading: str, span: Span, *, identifies: bool) -> None:
    driven = drive(bhm_silence=reading)
    driven.bring("handshake")
    start = driven.now
    driven.let(s(30))
    assert driven.times(CHM)[-1] == start + span - ms(250)
    assert (driven.times(CRM)[:1] == [start + span]) is identifies


@pytest.mark.parametrize(("reading", "expected"), [("once", s(60)), ("restart", s(12))])
def test_bro_00_that_ends_by_the_reading(drive: Drive, reading: str, expected: Span) -> None:
    driven = drive(t3_bro=reading)
    driven.bring("configure")
    start = driven.now
    driven.keep(s(7) - ms(250), BRO00, every=ms(250))
    driven.hear(BRO00)
    driven.let(s(61))
    assert driven.times(CEM)[0] == start + expected - (ms(250) if reading == "restart" else 0)


@pytest.mark.parametrize("reading", ["amd1", "print"])
def test_bro_that_falls_back_by_the_reading(drive: Drive, reading: str) -> None:
    driven = drive(dn2007_2009=reading)
    driven.bring("configure")
    driven.hear(BROAA)
    start = driven.now
    driven.let(ms(500))
    driven.hear(BRO00)
    driven.let(s(8))
    if reading == "amd1":
        assert driven.times(CEM, bro=1)[0] == start + s(5)
        return
    assert driven.times(CEM) == []
    assert driven.state == "idle"
    driven.signal("start_request", 1.0)
    driven.let(s(1))
    assert driven.state == "idle", "class b: replug first"


def test_readings_of_form_by_what_is_sent(drive: Drive) -> None:
    def session(**readings: str) -> dict[int, set[bytes]]:
        driven = drive(**readings)
        driven.begin_charging()
        driven.keep(s(1), BCL_, BCS_)
        driven.let(s(3))
        driven.wait("recognise", s(10))
        driven.hear(BRM_)
        driven.hear(BST_)
        driven.let(ms(100))
        driven.hear(BSD_)
        driven.let(s(10))
        found: dict[int, set[bytes]] = {}
        for _, frame in driven.sent:
            if frame.id >> 16 & 0xFF not in (0xEB, 0xEC):
                found.setdefault(frame.id, set()).add(frame.data)
        return found

    plain, padded, cleared = session(), session(dlc="padded"), session(reserved_bits="any")
    assert plain.keys() == padded.keys() == cleared.keys()
    assert {len(data) for each in padded.values() for data in each} == {8}
    assert plain[CST.can_id or 0] == {bytes.fromhex("4000F0F0")}
    assert cleared[CST.can_id or 0] == {bytes.fromhex("40000000")}
    assert cleared[CEM.can_id or 0] == {bytes.fromhex("00000400")}
    assert {data[6] for data in cleared[CCS.can_id or 0]} == {0x01}
    assert {data[6:] for data in session(dlc="padded", reserved_bits="any")[CCS.can_id or 0]} == {b"\x01\xff"}


@pytest.mark.parametrize(("reading", "taken"), [("defined", False), ("padded", True)])
def test_longer_frames_are_taken_by_the_reading(drive: Drive, reading: str, *, taken: bool) -> None:
    driven = drive(dlc=reading)
    driven.bring("configure")
    driven.charger.receive(CanFrame(BRO.can_id or 0, b"\xaa\xff"), driven.now)
    assert (driven.state == "verify") is taken


# --- what is none of the charger's business ---------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        CanFrame(can_id(4, 0x0900, CHARGER_ADDRESS, 0xF5), b"\xaa"),
        CanFrame(can_id(4, 0x0900, 0x57, BMS_ADDRESS), b"\xaa"),
        CanFrame(can_id(7, 0x0900, CHARGER_ADDRESS, BMS_ADDRESS), b"\xaa"),
        CanFrame(can_id(4, 0x2800, CHARGER_ADDRESS, BMS_ADDRESS), b"\xaa"),
        CanFrame(can_id(4, 0x0900, CHARGER_ADDRESS, BMS_ADDRESS), b""),
        CanFrame(can_id(4, 0x0900, CHARGER_ADDRESS, BMS_ADDRESS), b"\x55"),
        CanFrame(can_id(4, 0x0900, CHARGER_ADDRESS, BMS_ADDRESS), b"\xff"),
        CanFrame(0x109, b"\xaa", extended=False),
    ],
    ids=["other source", "other destination", "priority", "PGN", "too short", "other value", "invalid", "standard"],
)
def test_a_frame_that_is_no_bro_aa_moves_nothing(drive: Drive, frame: CanFrame) -> None:
    driven = drive()
    driven.bring("configure")
    driven.charger.receive(frame, driven.now)
    assert driven.state == "configure"
    driven.until(driven.now + s(5))
    assert driven.times(CEM, bro=1) != []


@pytest.mark.parametrize("message", [BRM_, BCP_, BCS_])
def test_a_long_message_in_a_frame_of_its_own_moves_nothing(drive: Drive, message: Message) -> None:
    driven = drive()
    driven.bring({"BRM": "recognise", "BCP": "recognised", "BCS": "ready"}[message.name])
    before = driven.state
    identifier = can_id(7, message.pgn, CHARGER_ADDRESS, BMS_ADDRESS)
    driven.charger.receive(CanFrame(identifier, message.encode()[:8]), driven.now)
    if message.name == "BCS":
        driven.hear(BCL_)
    assert driven.state == before


def test_a_charger_takes_no_orders(drive: Drive) -> None:
    with pytest.raises(UsageError, match="takes no orders, 'stop' was given"):
        drive().charger.order("stop", {}, 0)


# --- the table --------------------------------------------------------------------------------------------


def _ends(drive: Drive, *, stop: str = "", start: Instant = 0) -> Any:
    driven = drive()
    driven.begin_charging()
    driven.keep(s(1), BCL_, BCS_, bsm())
    driven.hear(FORBIDDEN)
    driven.hear(bsm())
    if stop:
        driven.signal(stop, 1.0)
        driven.let(ms(100))
    driven.hear(BST_)
    driven.let(ms(100))
    driven.hear(BSD_)
    driven.let(s(1))
    driven.signal("emergency_stop", 1.0)
    driven.sensors["emergency_stop"] = 0.0
    driven.let(s(10))
    return driven


def _late_statistics(drive: Drive) -> Any:
    driven = drive()
    driven.begin_charging()
    driven.stuck |= {"output_voltage", "k3k4_closed"}
    driven.hear(BST_)
    driven.hear(BSD_)
    driven.let(s(4))
    driven.stuck.discard("output_voltage")
    driven.sensors["output_voltage"] = 0.0
    driven.let(s(20))
    return driven


def _dangers(drive: Drive) -> list[Any]:
    found = []
    for sensor, value in (("emergency_stop", 1.0), ("cc1_voltage", 12.0), ("pe_ok", 0.0), ("ac_present", 0.0)):
        for state in ("configure", "charging", "error", "stopping"):
            driven = drive()
            driven.bring("charging" if state in ("error", "stopping") else state)
            if state == "error":
                driven.let(s(1.5))
            if state == "stopping":
                driven.signal("stop_button", 1.0)
            driven.signal(sensor, value)
            driven.let(s(1))
            found.append(driven)
    pressed = drive()
    pressed.bring("recognise")
    pressed.signal("stop_button", 1.0)
    return [*found, pressed]


def _insulation(drive: Drive) -> list[Any]:
    bad, low = drive(), drive()
    bad.sensors["insulation_resistance"] = 1.0
    bad.bring("handshake")
    bad.hear(BHM_)
    bad.let(s(10))
    low.bring("handshake")
    low.hear(BHM(max_total_voltage=50.0))
    low.let(s(10))
    stuck = drive()
    stuck.stuck.add("lock_engaged")
    stuck.bring("locking")
    stuck.let(s(6))
    silent, old = drive(), drive(bhm_silence="identify-after-5s")
    for driven in (silent, old):
        driven.bring("handshake")
        driven.let(s(11))
    return [bad, low, stuck, silent, old]


def _errors(drive: Drive) -> list[Any]:
    found = []
    for _, state, span, meanwhile, _ in TIMEOUTS:
        driven = drive()
        driven.bring(state)
        driven.keep(span + ms(100), *meanwhile)
        found.append(driven)
    for name in ("bcl", "bcs"):
        driven = drive()
        driven.begin_charging()
        driven.keep(s(6), *((BCL_,) if name == "bcs" else (BCS_,)))
        found.append(driven)
    for first in (BCL_, BCS_):
        driven = drive(reference().timing(T6=s(100), T7=s(100)))
        driven.bring("ready")
        driven.hear(first)
        driven.let(s(6))
        found.append(driven)
    unready = drive()
    unready.bring("configure")
    unready.hear(BROAA)
    unready.hear(BROAA)
    unready.let(s(6))
    fallen = drive(dn2007_2009="print")
    fallen.bring("configure")
    fallen.hear(BROAA)
    fallen.hear(BRO00)
    other = drive()
    other.bring("ready")
    other.hear(BCS_)
    other.hear(BCL_)
    worn = drive(reconnections="none")
    worn.begin_charging()
    worn.let(s(20))
    worn.signal("cc1_voltage", 12.0)
    heard, heard_worn = drive(), drive(reconnections="none")
    for driven in (heard, heard_worn):
        driven.begin_charging()
        driven.hear(BEM_)
        driven.let(s(5))
    ended = drive()
    ended.begin_charging()
    ended.hear(BST_)
    ended.hear(BEM_)
    return [*found, unready, fallen, other, worn, heard, heard_worn, ended]


def _stops(drive: Drive) -> list[Any]:
    abnormal, paused, high, unanswered = drive(), drive(), drive(), drive()
    for driven in (abnormal, paused, high, unanswered):
        driven.begin_charging()
    abnormal.hear(bsm(insulation=1))
    paused.hear(FORBIDDEN)
    paused.keep(minutes(10) + ms(1), BCL_, BCS_, every=ms(500))
    high.stuck.add("output_voltage")
    high.sensors["output_voltage"] = 420.0
    high.let(ms(60))
    unanswered.signal("stop_button", 1.0)
    unanswered.let(s(10))
    no_bsd = drive()
    no_bsd.begin_charging()
    no_bsd.hear(BST_)
    no_bsd.let(s(20))
    return [abnormal, paused, high, unanswered, no_bsd]


def test_every_row_of_the_table_is_taken(drive: Drive) -> None:
    driven = [_ends(drive), _ends(drive, stop="stop_button"), _late_statistics(drive)]
    for more in (_dangers, _insulation, _errors, _stops):
        driven += more(drive)
    ramped = drive(replace(reference(), power=replace(reference().power, rise_ramp=20.0)))
    ramped.begin_charging()
    ramped.keep(s(1), BCL_, BCS_)
    taken: set[Row] = set().union(*(each.charger.taken for each in [*driven, ramped]))
    assert not set(ROWS) - taken
