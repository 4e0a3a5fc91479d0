"""The decoded trace tells the story in few lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hil.evidence.decode import TraceLine, decoded_lines
from hil.protocol.gbt27930 import BCL, BCS, BSM, CCS, CEM, CRM, MessageSet
from hil.units import ms, s
from hil.world.observation import BusErrorSeen, BytesSeen, Note, Observation, Sample

CEM_AT = s(4) + ms(1002)
STATUS = BCS(voltage=612.3, current=-118.5, max_cell_voltage=3.42, max_cell_group=3, soc=46, remaining_time=75)


def named(lines: list[TraceLine], name: str) -> list[TraceLine]:
    return [line for line in lines if line.name == name]


def test_a_lost_message_and_its_report(observations: list[Observation], messages: MessageSet) -> None:
    lines = decoded_lines(observations, messages, CEM_AT)
    assert 5 <= len(lines) <= 30
    assert [line.t for line in lines] == sorted(line.t for line in lines)
    (decisive,) = [line for line in lines if line.decisive]
    assert (decisive.t, decisive.name, decisive.who) == (CEM_AT, "CEM", "charger → BMS")
    assert "bcl: timeout (01)" in decisive.text
    (demand,) = named(lines, "BCL")
    assert demand.until == s(4)
    assert "every 50 ms" in demand.text
    assert "then no more" in demand.text
    assert "current demand -120.0 A" in demand.text
    (stimulus,) = named(lines, "stimulus")
    assert "silence BCL" in stimulus.text
    assert any(line.kind == "signal" and "k1k2 closed: 1 → 0" in line.text for line in lines)


def test_folding_stops_at_what_happens(observations: list[Observation], messages: MessageSet) -> None:
    lines = decoded_lines(observations, messages, CEM_AT)
    before, after = named(lines, "CCS")
    stimulus = named(lines, "stimulus")[0].t
    assert before.until < stimulus < after.t
    assert before.count == after.count == 20
    assert "then no more" not in before.text
    assert "then no more" in after.text


def test_long_messages_are_whole_and_their_frames_hidden(observations: list[Observation], messages: MessageSet) -> None:
    lines = decoded_lines(observations, messages, CEM_AT)
    assert named(lines, "BCS")
    assert "soc 46 %" in named(lines, "BCS")[0].text
    assert not [line for line in lines if line.kind == "transport"]


def test_an_unfinished_transfer_shows_its_frames(new_session: Callable[[], Any], messages: MessageSet) -> None:
    session = new_session()
    session.transfer(ms(100), STATUS, packets=1)
    lines = decoded_lines(session.observations(), messages, ms(104), before=ms(200))
    assert [line.name for line in lines] == ["TP.RTS", "TP.CTS", "TP.DT"]
    assert lines[0].text == "BCS: 9 bytes in 2 packets"
    assert lines[2].decisive
    assert not named(lines, "BCS")


def test_an_aborted_transfer_is_told(new_session: Callable[[], Any], messages: MessageSet) -> None:
    session = new_session()
    session.transfer(ms(100), STATUS, packets=1)
    session.frame(ms(900), 0x1CECF456, "FF03FFFFFF001100", "charger")
    lines = decoded_lines(session.observations(), messages, ms(900), before=s(1))
    (message,) = named(lines, "BCS")
    assert "transfer not complete: aborted, reason 3" in message.text
    assert message.decisive
    assert named(lines, "TP.Abort")[0].text == "BCS: reason 3"


def test_data_without_a_request_is_shown_although_a_transfer_follows(
    new_session: Callable[[], Any], messages: MessageSet
) -> None:
    session = new_session()
    session.frame(ms(10), 0x1CEB56F4, "01EB17FF0A56312E")
    session.transfer(ms(100), STATUS)
    lines = decoded_lines(session.observations(), messages, ms(20), before=ms(20))
    assert [line.name for line in lines] == ["TP.DT", "—", "BCS"]


def test_the_request_is_shown_when_it_decides(new_session: Callable[[], Any], messages: MessageSet) -> None:
    session = new_session()
    session.transfer(ms(100), STATUS)
    lines = decoded_lines(session.observations(), messages, ms(100), before=ms(10))
    assert [(line.name, line.decisive) for line in lines] == [("TP.RTS", True), ("BCS", False)]


def test_nothing_at_the_instant_is_said(observations: list[Observation], messages: MessageSet) -> None:
    lines = decoded_lines(observations, messages, s(5))
    (decisive,) = [line for line in lines if line.decisive]
    assert decisive.kind == "mark"
    assert decisive.t == s(5)
    assert "nothing came on the bus" in decisive.text
    assert "output current 119 A" in decisive.text
    assert "output voltage 612 V" in decisive.text


def test_of_two_at_one_instant_the_named_one_decides(new_session: Callable[[], Any], messages: MessageSet) -> None:
    session = new_session()
    session.send(ms(5), CEM(bcl=1))
    session.send(ms(5), BCL(voltage_demand=650.0, current_demand=-120.0, mode=2))
    seen = session.observations()

    def decisive(about: str) -> str:
        return next(line.name for line in decoded_lines(seen, messages, ms(5), about=about) if line.decisive)

    assert decisive("") == "CEM"
    assert decisive("time to BCL") == "BCL"
    assert decisive("CEM content") == "CEM"


def test_a_change_of_content_opens_a_new_line(new_session: Callable[[], Any], messages: MessageSet) -> None:
    session = new_session()
    session.repeat(CRM(result=0x00, charger_number=1), ms(0), s(1), ms(250))
    session.repeat(CRM(result=0xAA, charger_number=1), s(1), s(2), ms(250))
    lines = decoded_lines(session.observations(), messages, s(3), before=s(3))
    assert [(line.name, line.count) for line in lines if line.kind == "message"] == [("CRM(00)", 4), ("CRM(AA)", 4)]


def test_numbers_that_move_show_first_and_last(new_session: Callable[[], Any], messages: MessageSet) -> None:
    session = new_session()
    for n in range(10):
        session.send(ms(50 * n), CCS(voltage=600.0 + n, current=-100.0, charging_time=0))
    line = decoded_lines(session.observations(), messages, s(1), before=s(1))[0]
    assert "voltage 600.0 → 609.0 V" in line.text
    assert "current -100.0 A" in line.text


@pytest.mark.parametrize(
    ("identifier", "data", "told"),
    [
        (0x181056F4, "64", "not decodable"),
        (0x181056F4, "6419F00A02FFFFFF", "8 bytes, 5 are defined"),
        (0x0C1056F4, "6419F00A02", "identifier 0C1056F4 instead of 181056F4"),
        (0x182856F4, "6419F00A02", "unknown, 64 19 F0 0A 02"),
        (0x1C1156F4, "EB17FF0A56312E4B", "sent without the transport protocol"),
    ],
)
def test_frames_that_do_not_match(
    new_session: Callable[[], Any], messages: MessageSet, identifier: int, data: str, told: str
) -> None:
    session = new_session()
    session.frame(ms(1), identifier, data)
    (line,) = decoded_lines(session.observations(), messages, ms(1))
    assert told in line.text
    assert line.who == "BMS → charger"


def test_states_that_are_normal_are_not_spelled_out(new_session: Callable[[], Any], messages: MessageSet) -> None:
    session = new_session()
    normal = BSM(
        max_cell_number=17, max_temperature=31, max_temperature_sensor=4, min_temperature=28, min_temperature_sensor=9
    )
    session.send(ms(1), normal)
    session.send(ms(2), normal.replace(overtemperature=1))
    first, second = decoded_lines(session.observations(), messages, ms(2))
    assert "overtemperature" not in first.text
    assert f"overtemperature: {BSM.signals['overtemperature'].choices[1]} (01)" in second.text


def test_errors_and_notes_are_told(messages: MessageSet) -> None:
    seen: list[Observation] = [
        BusErrorSeen(1, "can0", "charger", "bus_off", 256, 0),
        Note(2, "fault_fired", "cut", {"fault": "drop", "on": "CEM"}),
        Sample(3, "output_current", 12.0, 12.0, 12.0),
    ]
    error, note = decoded_lines(seen, messages, 2)
    assert error.text == "bus-off, TEC 256, REC 0"
    assert note.text == "cut (fault drop, on CEM)"
    assert note.decisive


def test_more_lines_than_wanted_are_cut_around_the_decisive_one(messages: MessageSet) -> None:
    seen: list[Observation] = [Note(ms(n), "phase", f"number {n}") for n in range(100)]
    lines = decoded_lines(seen, messages, ms(50), before=s(1), limit=20)
    assert len(lines) == 20
    assert lines[0].kind == lines[-1].kind == "omitted"
    assert any(line.decisive for line in lines)
    told = sum(int(line.text.split()[1]) for line in (lines[0], lines[-1]))
    assert told + 18 == 100


def test_rendered_lines_fit(observations: list[Observation], messages: MessageSet) -> None:
    for line in decoded_lines(observations, messages, CEM_AT):
        assert len(line.render(100)) <= 100
    assert decoded_lines([], messages, 0)[0].kind == "mark"


def test_what_an_instrument_tells_is_one_line_and_its_bytes_none(messages: MessageSet) -> None:
    seen: list[Observation] = []
    for number in range(5):
        at = ms(100 * number)
        details: dict[str, Any] = {"value": 400.0 + number, "unit": "V", "by": "meter", "asked": at}
        seen.append(BytesSeen(at + ms(10), "meter-line", "meter", b"\x01\x03", at))
        seen.append(Note(at + ms(20), "measured", "voltage", details))
    lines = decoded_lines(seen, messages, s(1), before=s(1))
    assert [(line.who, line.name, line.count) for line in lines if line.kind == "message"] == [("meter", "voltage", 5)]
    assert "measured 400 → 404 V" in lines[0].text
    assert not [line for line in lines if line.kind == "bytes"]
