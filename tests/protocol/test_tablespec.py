"""Edits of a device whose controller runs a table: each is a changed copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pytest

from hil.errors import UsageError
from hil.protocol.table import Row, State
from hil.protocol.tablespec import TableSpec
from hil.units import Span, ms

ROWS = (
    Row(("idle", "waiting"), "start", "busy", "may_start"),
    Row(("busy",), "stop", "idle"),
    Row(("busy",), "T1", "waiting", "", ("count",)),
)


@dataclass(frozen=True)
class Device(TableSpec):
    """One with a field of its own."""

    spans: Mapping[str, Span] = field(default_factory=lambda: {"T1": ms(5), "slow-start": ms(7)})
    states: Mapping[str, State] = field(default_factory=lambda: {"idle": State(), "busy": State(sends=("A",))})
    rows: tuple[Row, ...] = ROWS
    gain: float = 1.0


def test_an_edit_gives_a_copy_of_the_same_kind() -> None:
    device = Device(gain=2.0)
    edited = device.timing(T1=ms(9)).stating("busy", sends=("A", "B")).with_row("idle", "alarm", "busy").but(gain=3.0)
    assert type(edited) is Device
    assert (edited.spans["T1"], edited.states["busy"].sends, edited.gain) == (ms(9), ("A", "B"), 3.0)
    assert edited.rows == (Row(("idle",), "alarm", "busy"), *ROWS)
    assert device == Device(gain=2.0), "the one before is as it was"


def test_spans_with_a_hyphen_are_written_with_an_underscore() -> None:
    assert Device().timing(slow_start=ms(1)).spans["slow-start"] == ms(1)
    with pytest.raises(UsageError, match="no span 'T-2'; there are T1, slow-start"):
        Device().timing(T_2=ms(1))


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ({"trigger": "stop"}, (ROWS[0], ROWS[2])),
        ({"state": "busy"}, (ROWS[0],)),
        ({"target": "waiting"}, ROWS[:2]),
        ({"guard": "may_start"}, ROWS[1:]),
        ({"state": "busy", "trigger": "T1"}, ROWS[:2]),
        ({"state": "idle"}, (ROWS[0]._replace(states=("waiting",)), *ROWS[1:])),
        ({}, ()),
    ],
)
def test_rows_that_match_everything_given_are_left_out(asked: dict[str, str], left: tuple[Row, ...]) -> None:
    assert Device().without_rows(**asked).rows == left


def test_a_row_that_is_not_there_is_told() -> None:
    wanted: dict[str, Any] = {"state": "idle", "trigger": "stop", "target": "busy", "guard": "x"}
    text = "no row has state 'idle', trigger 'stop', target 'busy' and guard 'x'"
    with pytest.raises(UsageError, match=text):
        Device().without_rows(**wanted)


def test_what_an_edit_gives_cannot_be_changed() -> None:
    edited = Device().timing(T1=ms(1)).stating("busy", poll=True)
    assert isinstance(edited.spans, MappingProxyType)
    assert isinstance(edited.states, MappingProxyType)
