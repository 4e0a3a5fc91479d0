"""The vehicle machine by the Node interface: what it sends and when, its time-outs, its supply (sheet 4.2 to 4.6)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from hil.codec.frame import CanFrame
from hil.codec.message import Message
from hil.protocol.gbt27930 import (
    BCL,
    BCP,
    BCS,
    BEM,
    BHM,
    BRM,
    BRO,
    BSD,
    BSM,
    BST,
)
from hil.units import Instant, Span, ms, s
from tests.tester.gbt27930.conftest import (
    CCS_,
    CEM_,
    CHM_,
    CML_,
    CRM00,
    CRMAA,
    CRO00,
    CROAA,
    CSD_,
    CST_,
    TIMEOUTS,
    Drive,
    bring,
    impatient,
)

# --- what is sent, and when -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "message", "period"),
    [
        ("handshake", BHM, ms(250)),
        ("identify", BRM, ms(250)),
        ("configure", BCP, ms(500)),
        ("charging", BCL, ms(50)),
        ("charging", BCS, ms(250)),
        ("supplied", BSM, ms(250)),
    ],
)
def test_a_state_message_begins_at_once_and_keeps_its_period(
    drive: Drive, state: str, message: type[Message], period: Span
) -> None:
    driven = drive()
    bring(driven, state)
    start = driven.now
    driven.let(ms(10))
    driven.let(5 * period)
    times = [at for at in driven.times(message) if at >= start]
    assert times == [start + number * period for number in range(6)]


@pytest.mark.parametrize(
    ("state", "end", "message"),
    [
        ("handshake", CRM00, BHM),
        ("identify", CRMAA, BRM),
        ("configure", CML_, BCP),
        ("ready", CROAA, BRO),
        ("supplied", CST_, BCL),
        ("supplied", CST_, BCS),
        ("supplied", CST_, BSM),
    ],
)
def test_a_state_message_ends_with_what_ends_it(drive: Drive, state: str, end: Message, message: type[Message]) -> None:
    driven = drive()
    bring(driven, state)
    driven.let(ms(520))
    before = driven.times(message)
    driven.hear(end)
    driven.let(s(1))
    assert driven.times(message) == before


def test_bsm_comes_with_the_first_ccs_and_goes_on(drive: Drive) -> None:
    driven = drive()
    bring(driven, "charging")
    driven.let(ms(300))
    assert driven.times(BSM) == []
    driven.hear(CCS_)
    first = driven.now
    driven.let(ms(500))
    assert driven.times(BSM) == [first, first + ms(250), first + ms(500)]


def test_bro_turns_to_aa_only_when_the_contactors_are_closed(drive: Drive) -> None:
    driven = drive()
    driven.follows = False
    bring(driven, "prepare")
    driven.let(s(3))
    assert {bro.ready for bro in driven.said(BRO)} == {0x00}
    driven.sensors["k5k6_closed"] = 1.0
    driven.let(s(1))
    assert driven.state == "ready"
    values = [bro.ready for bro in driven.said(BRO)]
    assert values == sorted(values)
    assert values[-1] == 0xAA


def test_bro_goes_on_while_cro_is_00(drive: Drive) -> None:
    driven = drive()
    bring(driven, "ready")
    for _ in range(20):
        driven.hear(CRO00)
        driven.let(ms(250))
    assert driven.state == "ready"
    assert len(driven.times(BRO)) >= 20


def test_a_vehicle_that_keeps_its_contactors_open_says_it_is_ready_all_the_same(drive: Drive) -> None:
    driven = drive()
    driven.order("contactors", close=False)
    bring(driven, "ready")
    driven.let(ms(1))
    assert driven.said(BRO)[-1].ready == 0xAA
    assert ("k5k6_command", 1) not in [(name, value) for _, name, value in driven.set]


# --- time-outs ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("timer", "state", "span", "meanwhile", "signal"), TIMEOUTS)
def test_a_time_out_is_reported_at_its_instant(
    drive: Drive, timer: str, state: str, span: Span, meanwhile: Message | None, signal: str
) -> None:
    driven = impatient(drive, state)
    start = driven.now
    if timer == "T17":
        driven.hear(CRO00)
    while driven.now + ms(250) < start + span:
        driven.let(ms(250))
        if meanwhile is not None:
            driven.hear(meanwhile)
    driven.until(start + span - 1)
    assert driven.state == state
    assert driven.times(BEM) == []
    driven.let(ms(750))
    assert driven.state == "error"
    assert driven.times(BEM) == [start + span, start + span + ms(250), start + span + ms(500)]
    assert {bem.encode() for bem in driven.said(BEM)} == {BEM(**{signal: 1}).encode()}


@pytest.mark.parametrize(
    ("signal", "data"),
    [
        ("crm_00", "F1 F0 F0 FC"),
        ("crm_aa", "F4 F0 F0 FC"),
        ("cts_cml", "F0 F1 F0 FC"),
        ("cro", "F0 F4 F0 FC"),
        ("ccs", "F0 F0 F1 FC"),
        ("cst", "F0 F0 F4 FC"),
        ("csd", "F0 F0 F0 FD"),
    ],
)
def test_bem_has_the_bytes_of_the_sheet(drive: Drive, signal: str, data: str) -> None:
    driven = drive()
    bring(driven, "handshake")
    driven.order("error", awaited=[signal])
    driven.let(1)
    (bem,) = driven.said(BEM)
    assert bem.encode() == bytes.fromhex(data)


def test_t16_and_t17_count_from_the_first_bro_aa_however_long_the_preparation(drive: Drive) -> None:
    driven = drive()
    driven.order("patience", on=False)
    driven.follows = False
    bring(driven, "prepare")
    driven.let(s(70))
    assert driven.state == "prepare"
    driven.sensors["k5k6_closed"] = 1.0
    driven.let(ms(400))
    first = next(at for at, bro in zip(driven.times(BRO), driven.said(BRO), strict=True) if bro.ready == 0xAA)
    driven.let(s(10))
    assert driven.times(BEM)[0] == first + s(5)


def test_each_ccs_restarts_t18(drive: Drive) -> None:
    driven = impatient(drive, "supplied")
    for _ in range(30):
        driven.let(ms(999))
        driven.hear(CCS_)
    last = driven.now
    driven.let(s(2))
    assert driven.times(BEM)[0] == last + s(1)


def test_t19_counts_from_the_first_bst_and_a_cst_stops_it(drive: Drive) -> None:
    driven = impatient(drive, "supplied")
    driven.order("stop", reason="insulation_fault")
    start = driven.now
    driven.let(s(6))
    assert driven.times(BEM)[0] == start + s(5)
    assert driven.said(BEM)[0].cst == 1
    assert [after - before for before, after in pairwise(driven.times(BST))] == [ms(10)] * (len(driven.times(BST)) - 1)

    answered = impatient(drive, "supplied")
    answered.order("answer_stop", after=s(7))
    answered.order("stop", reason="insulation_fault")
    start = answered.now
    answered.let(s(1))
    answered.hear(CST_)
    answered.let(s(6.5))
    assert answered.times(BEM) == []
    assert answered.state == "stop"
    answered.let(s(3))
    assert answered.times(BEM)[0] == start + s(10), "T20 counts from the first BST"


def test_a_stop_by_the_charger_awaits_no_cst(drive: Drive) -> None:
    driven = impatient(drive, "supplied")
    driven.order("answer_stop", after=s(6))
    driven.hear(CST_)
    driven.let(s(7))
    assert driven.times(BEM) == []


def test_t20_ends_with_the_first_csd(drive: Drive) -> None:
    driven = impatient(drive, "supplied")
    driven.order("answer_stop", csd=3)
    driven.hear(CST_)
    start = driven.now
    driven.let(s(1))
    driven.hear(CSD_)
    driven.let(s(20))
    assert driven.times(BEM) == []
    assert driven.times(BSD)[-1] > start + s(19)


def test_without_csd_t20_is_reported(drive: Drive) -> None:
    driven = impatient(drive, "supplied")
    driven.hear(CST_)
    start = driven.now
    driven.let(s(11))
    assert driven.times(BEM)[0] == start + s(10)
    assert driven.said(BEM)[0].csd == 1


@pytest.mark.parametrize("begin", ["own report", "CEM heard"])
def test_t21_ends_the_session_and_crm_within_it_begins_anew(drive: Drive, begin: str) -> None:
    def begun() -> tuple[Any, Instant]:
        driven = drive()
        bring(driven, "supplied")
        if begin == "own report":
            driven.order("error", awaited=["ccs"])
        else:
            driven.hear(CEM_)
        return driven, driven.now

    driven, start = begun()
    driven.until(start + s(30) - 1)
    driven.hear(CRM00)
    assert driven.state == "identify"
    reports = driven.times(BEM)
    driven.let(ms(1))
    assert driven.times(BRM)[-1] == start + s(30) - 1
    driven.let(s(1))
    assert driven.times(BEM) == reports

    driven, start = begun()
    driven.until(start + s(30))
    assert driven.state == "over"
    driven.hear(CRM00)
    driven.let(s(60))
    assert driven.state == "over"
    assert not [at for at in driven.times(BEM) if at >= start + s(30)]


@pytest.mark.parametrize("state", ["handshake", "identify", "configure", "prepare", "ready", "charging", "supplied"])
def test_cem_is_answered_by_waiting_in_silence(drive: Drive, state: str) -> None:
    driven = drive()
    bring(driven, state)
    driven.let(ms(100))
    driven.hear(CEM_)
    driven.sent.clear()
    driven.let(s(5))
    assert driven.state == "waiting"
    assert driven.sent == []


@pytest.mark.parametrize(("state", "span"), [(state, span) for _, state, span, _, _ in TIMEOUTS])
def test_a_patient_vehicle_reports_nothing(drive: Drive, state: str, span: Span) -> None:
    driven = drive()
    bring(driven, state)
    driven.let(2 * span)
    assert driven.state == state
    assert driven.times(BEM) == []


# --- supply ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["handshake", "identify", "configure", "ready", "supplied"])
def test_without_its_supply_the_bms_is_silent_deaf_and_its_contactors_are_open(drive: Drive, state: str) -> None:
    driven = drive()
    bring(driven, state)
    driven.answers = False
    driven.let(ms(255))
    driven.signal("aux_voltage", 0.0)
    assert driven.set[-1] == (driven.now, "k5k6_command", 0)
    driven.sent.clear()
    for message in (CHM_, CRM00, CRMAA, CROAA, CCS_):
        driven.hear(message)
        driven.let(s(2))
    driven.vehicle.receive(CanFrame(0x1CECF456, bytes.fromhex("10310007FF000200")), driven.now)
    driven.collect()
    assert driven.state == "asleep"
    assert driven.sent == []


def test_a_transfer_ends_with_the_supply_and_the_next_session_begins_with_its_own(drive: Drive) -> None:
    driven = drive()
    driven.answers = False
    bring(driven, "identify")
    driven.let(1)
    assert len(driven.times(BRM)) == 1
    driven.signal("aux_voltage", 0.0)
    driven.let(s(3))
    driven.sent.clear()
    bring(driven, "identify")
    start = driven.now
    driven.let(1)
    assert driven.times(BRM) == [start]
