"""Items of DL/T 645: formats, signs, what is missing or no BCD, times."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import CodecError
from hil.protocol.dlt645 import ITEMS, decode_values, encode_value, item, read_time, time_bytes


@pytest.mark.parametrize(
    ("di", "value", "data"),
    [
        (0x00010000, 0.26, "26 00 00 00"),
        (0x00010000, 1234.56, "56 34 12 00"),
        (0x02020100, -7.125, "25 71 80"),
        (0x02020100, 7.125, "25 71 00"),
        (0x02010100, 220.5, "05 22"),
        (0x02030000, -1.5, "00 50 81"),
        (0x02060000, 0.999, "99 09"),
        (0x02800002, 49.98, "98 49"),
        (0x02010100, 799.9, "99 79"),
        (0x02020100, 799.999, "99 99 79"),
        (0x02010100, 999.9, "99 99"),
        (0x04000402, "123456789012", "12 90 78 56 34 12"),
        (0x04000404, "220V", "00 00 56 30 32 32"),
    ],
)
def test_a_value_and_its_bytes(di: int, value: float | str, data: str) -> None:
    known = item(di)
    assert known is not None
    assert encode_value(known, value) == bytes.fromhex(data)
    [read] = decode_values(known, bytes.fromhex(data))
    assert value in (read.number, read.text)
    assert read.flaw == ""


@given(st.sampled_from([each for each in ITEMS.values() if each.kind == "number"]), st.data())
def test_every_step_of_the_grid_comes_back(known: object, data: st.DataObject) -> None:
    from hil.protocol.dlt645 import Item

    assert isinstance(known, Item)
    top = (8 if known.signed else 10) * 10 ** (2 * known.size - 1) - 1
    value = data.draw(st.integers(-top if known.signed else 0, top)) / 10**known.decimals
    [first, *_] = decode_values(known, encode_value(known, value))
    assert first.number == value


def test_blocks_hold_one_value_a_phase_or_a_tariff() -> None:
    block = item(0x0202FF00)
    assert block is not None
    values = decode_values(block, bytes.fromhex("25 71 80  00 00 00  FF FF FF"))
    assert [value.number for value in values] == [-7.125, 0.0, None]
    assert values[2].flaw == "not there"
    energies = item(0x0001FF00)
    assert energies is not None
    assert [value.number for value in decode_values(energies, bytes.fromhex("56341200 26000000"))] == [1234.56, 0.26]


@pytest.mark.parametrize(
    ("di", "data", "flaws"),
    [
        (0x02010100, "0E 22", ["220E is no BCD"]),
        (0x02020100, "00 00 0A", ["0A0000 is no BCD"]),
        (0x02010100, "05 22 00", ["", "3 bytes, 2 are due"]),
        (0x02010100, "05", ["1 bytes, 2 are due"]),
        (0x02010100, "", ["0 bytes, 2 are due"]),
        (0x02010100, "FF FF", ["not there"]),
    ],
)
def test_what_is_wrong_is_told(di: int, data: str, flaws: list[str]) -> None:
    known = item(di)
    assert known is not None
    assert [value.flaw for value in decode_values(known, bytes.fromhex(data))] == flaws


@pytest.mark.parametrize(
    ("di", "name"),
    [
        (0x00010300, "forward active energy, tariff 3"),
        (0x00013F00, "forward active energy, tariff 63"),
        (0x00020001, "reverse active energy, 1 periods ago"),
        (0x0000000C, "combined active energy, 12 periods ago"),
    ],
)
def test_items_of_tariffs_and_periods(di: int, name: str) -> None:
    known = item(di)
    assert known is not None
    assert (known.name, known.size, known.decimals) == (name, 4, 2)


@pytest.mark.parametrize("di", [0x00014000, 0x0000000D, 0x00030000, 0x02010400, 0xFFFFFFFF])
def test_what_the_sheet_does_not_have_is_no_item(di: int) -> None:
    assert item(di) is None


@pytest.mark.parametrize(
    ("di", "value"),
    [(0x02010100, 1000.0), (0x02010100, -1.0), (0x02020100, 800.0), (0x04000402, "12"), (0x04000404, "1234567")],
)
def test_what_the_format_cannot_hold_is_refused(di: int, value: float | str) -> None:
    known = item(di)
    assert known is not None
    with pytest.raises(CodecError, match=known.name):
        encode_value(known, value)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))
def test_a_time_comes_back(moment: datetime) -> None:
    assert read_time(time_bytes(moment)) == moment.replace(microsecond=0)


@pytest.mark.parametrize("data", ["", "000000000000", "0A2210050617", "612210050617", "5122100506"])
def test_what_is_no_time_is_none(data: str) -> None:
    assert read_time(bytes.fromhex(data)) is None
