"""The reference charger by the Node interface: what it sends and takes, and how readings change it."""

from __future__ import annotations

from typing import Any

import pytest

from hil.codec.frame import CanFrame
from hil.codec.message import Message
from hil.errors import UsageError
from hil.protocol.gbt27930 import (
    BMS_ADDRESS,
    BRO,
    CCS,
    CEM,
    CHARGER_ADDRESS,
    CHM,
    CML,
    CRM,
    CRO,
    CST,
    CTS,
    can_id,
)
from hil.units import Span, ms, s
from tests.dut.gbt27930.conftest import BCL_, BCP_, BCS_, BRM_, BRO00, BROAA, BSD_, BST_, Drive

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
