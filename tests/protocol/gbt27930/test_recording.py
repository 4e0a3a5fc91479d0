"""One recorded session of a real vehicle and charger: everything decodes and makes sense together.

The recording is read from the shared data folder (environment variable ``HIL_SHARED_DATA``).
"""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from hil.codec import Malformed, Message
from hil.protocol.gbt27930 import edition, split_id

SHARED = Path(os.environ.get("HIL_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
RECORDING = SHARED / "gbt27930" / "tyu05_charger_measured_frames.csv"
pytestmark = pytest.mark.skipif(not RECORDING.is_file(), reason=f"recording not found at {RECORDING}")
TP_CM, TP_DT = 0xEC00, 0xEB00
RTS = 0x10


def payloads() -> list[tuple[int, bytes]]:
    """PGN and payload of every message, long ones put together from their packets."""
    found = []
    size, pgn, parts = 0, 0, b""
    rows = list(csv.reader(RECORDING.read_text("gbk").splitlines()))[1:]
    for row in rows:
        data = bytes(int(each, 16) for each in row[7].split())
        _, group, _, source = split_id(int(row[1], 16))
        if group == TP_CM and source == 0xF4 and data[0] == RTS:
            size, pgn, parts = int.from_bytes(data[1:3], "little"), int.from_bytes(data[5:8], "little"), b""
        elif group == TP_DT and source == 0xF4:
            parts += data[1:]
            if len(parts) >= size:
                found.append((pgn, parts[:size]))
        elif group not in (TP_CM, TP_DT):
            found.append((group, data))
    return found


@pytest.fixture(scope="module")
def session() -> dict[str, list[Any]]:
    """All messages of the session by name; which class each is of, is known at run time only."""
    messages: dict[str, list[Any]] = defaultdict(list)
    for pgn, data in payloads():
        decoded = edition("2015").decode(pgn, data)
        assert not isinstance(decoded, Malformed)
        assert decoded.out_of_range() == []
        messages[decoded.name].append(decoded)
    return messages


def test_the_session_is_complete(session: dict[str, list[Any]]) -> None:
    assert {name: len(session[name]) for name in ("CHM", "BHM", "CRM", "BRM", "BCP", "CML", "BRO", "CRO")} == {
        "CHM": 7,
        "BHM": 5,
        "CRM": 2,
        "BRM": 1,
        "BCP": 1,
        "CML": 3,
        "BRO": 5,
        "CRO": 2,
    }
    assert min(len(session[name]) for name in ("BCL", "BCS", "CCS", "BSM", "BEM")) > 40


def test_the_vehicle_agrees_with_itself(session: dict[str, list[Any]]) -> None:
    (parameters,) = session["BCP"]
    assert {each.max_total_voltage for each in session["BHM"]} == {parameters.max_total_voltage} == {603.0}
    assert abs(session["BCS"][0].voltage - parameters.present_voltage) < 10
    assert {each.soc for each in session["BCS"]} == {round(parameters.soc)}
    assert all(each.max_cell_voltage <= parameters.max_cell_voltage for each in session["BCS"])
    for each in session["BCL"]:
        assert each.voltage_demand <= parameters.max_total_voltage
        assert parameters.max_current <= each.current_demand <= 0
    for each in session["BSM"]:
        assert each.min_temperature <= each.max_temperature <= parameters.max_temperature
        assert each.charging_permission == 1


def test_both_sides_measure_the_same_charging_current(session: dict[str, list[Any]]) -> None:
    assert min(each.current for each in session["CCS"]) == pytest.approx(-3.0, abs=0.2)
    assert min(each.current for each in session["BCS"]) == pytest.approx(-3.0, abs=0.2)
    limits = session["CML"][0]
    assert all(0 <= each.voltage <= limits.max_voltage for each in session["CCS"])
    assert all(limits.max_current <= each.current <= limits.min_current for each in session["CCS"])


def test_the_session_ends_with_a_lost_ccs(session: dict[str, list[Any]]) -> None:
    assert {each.ccs for each in session["BEM"]} == {1}
    assert {sum(each) for each in session["BEM"]} == {1}


def test_what_was_recorded_encodes_to_the_same_bytes() -> None:
    messages = edition("2015")
    for pgn, data in payloads():
        decoded = messages.decode(pgn, data)
        assert isinstance(decoded, Message)
        if decoded.name == "CCS":
            data = data[:7]  # this charger pads CCS to 8 bytes
        if decoded.name not in ("BSM", "BEM", "BRM"):  # these send reserved bits and bytes as 0
            assert decoded.encode() == data
