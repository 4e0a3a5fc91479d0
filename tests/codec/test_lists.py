"""Messages of variable length."""

from __future__ import annotations

import pickle
from types import new_class
from typing import Any

import pytest

from hil.codec import ListMessage, signal
from hil.errors import CatalogueError, CodecError, UsageError


class Cells(
    ListMessage,
    pgn=0x4300,
    size=2,
    most=3,
    element={
        "voltage": signal(1, start=0, length=12, scale="0.01", unit="V", low=0, high=24),
        "group": signal(2, start=12, length=4),
    },
):
    """Up to three cells."""


def test_a_list_encodes_element_by_element() -> None:
    # 3.45 V = 345 = 159, group 2 above it; 3.5 V = 350 = 15E in group 15
    message = Cells(entries=[(3.45, 2), (3.5, 15)])
    assert message.encode() == bytes.fromhex("5921 5EF1")
    assert Cells.decode(message.encode()) == message
    assert dict(message.items()) == {"voltage[1]": 3.45, "group[1]": 2, "voltage[2]": 3.5, "group[2]": 15}
    assert message.raw("voltage[2]") == 350
    assert Cells.lengths == (2, 4, 6)


def test_unused_bits_of_an_element_are_ones() -> None:
    class Narrow(ListMessage, pgn=1, size=1, most=2, element={"low": signal(1, start=0, length=4)}):
        """Half of each byte is unused."""

    assert Narrow(entries=[(1,), (2,)]).encode() == bytes.fromhex("F1 F2")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("", r"Cells: 0 bytes; allowed is 2 \.\. 6"),
        ("59", r"Cells: 1 bytes; allowed is 2 \.\. 6"),
        ("592100", r"Cells: 3 bytes; an element has 2"),
        ("5921592159215921", r"Cells: 8 bytes; allowed is 2 \.\. 6"),
    ],
)
def test_a_length_that_no_list_has_is_refused(data: str, text: str) -> None:
    with pytest.raises(CodecError, match=text):
        Cells.decode(bytes.fromhex(data))


def test_a_rest_of_ones_is_fill() -> None:
    assert Cells.decode(bytes.fromhex("5921FF")) == Cells(entries=[(3.45, 2)])


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([], r"Cells: 0 entries; allowed is 1 \.\. 3"),
        ([(1.0, 1)] * 4, r"Cells: 4 entries; allowed is 1 \.\. 3"),
        ([(1.0, 1), (24.01, 1)], r"Cells\[2\]\.voltage: 24\.01 V is out of range; allowed is 0\.0 \.\. 24\.0 V"),
        ([(1.0, 16)], r"Cells\[1\]\.group: 16 is out of range"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_element(entries: Any, text: str) -> None:
    with pytest.raises(CodecError, match=text):
        Cells(entries=entries).encode()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"entries": [1.0]}, "entries are tuples of voltage, group"),
        ({"entries": [(1.0,)]}, r"Cells\[1\]: \(1\.0,\) is not a tuple of voltage, group"),
        ({"entries": [], "voltage": 1.0}, "Cells has no signal 'voltage'; it has entries"),
    ],
)
def test_misuse_is_refused_when_the_list_is_made(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        Cells(**arguments)


def test_lists_are_values() -> None:
    message = Cells(entries=[(3.45, 2)])
    assert pickle.loads(pickle.dumps(message)) == message
    assert message.replace(entries=[(1.0, 1)]) == Cells(entries=[(1.0, 1)])
    assert message.replace() == message
    assert repr(message) == "Cells(1 entries: [(3.45, 2)])"


def test_out_of_range_elements_are_listed() -> None:
    assert Cells.decode(bytes.fromhex("5921 FF0F")).out_of_range() == ["voltage[2]"]


@pytest.mark.parametrize(
    ("element", "text"),
    [
        ({"a": signal(1, start=0, length=12), "b": signal(2, start=8, length=8)}, r"Bad\.b overlaps Bad\.a"),
        ({"a": signal(1, start=0, length=24)}, r"Bad\.a lies outside"),
        ({"a": signal(1, start=0, length=8, kind="ascii", optional=True)}, r"Bad\.a: a list holds numbers"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(element: dict[str, Any], text: str) -> None:
    with pytest.raises(CatalogueError, match=text):
        new_class("Bad", (ListMessage,), {"pgn": 1, "size": 2, "most": 2, "element": element})
