"""The reference charger by the Node interface: every time-out to the nanosecond, every row of its table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hil.codec.message import Message
from hil.dut.gbt27930 import reference
from hil.dut.gbt27930.table import ROWS
from hil.protocol.gbt27930 import (
    BHM,
    CEM,
    CRM,
    CST,
)
from hil.protocol.table import Row
from hil.units import Instant, Span, minutes, ms, s
from tests.dut.gbt27930.conftest import (
    BCL_,
    BCP_,
    BCS_,
    BEM_,
    BHM_,
    BRM_,
    BRO00,
    BROAA,
    BSD_,
    BST_,
    FORBIDDEN,
    Drive,
    bsm,
)

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
