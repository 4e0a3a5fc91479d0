"""DBC export: what cantools reads from the file is what our own codec reads from the wire."""

from __future__ import annotations

from functools import cache
from typing import Any

import cantools
import pytest
from cantools.database.can import Database
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.codec import ListMessage, Message
from hil.codec.dbc import not_in_dbc, to_dbc
from hil.protocol.gbt27930 import EDITIONS, edition

quiet = settings(derandomize=True, database=None, deadline=None, max_examples=60)
EXPORTED = [
    pytest.param(name, each, id=f"{name}-{each.name}")
    for name in EDITIONS
    for each in edition(name).messages
    if not issubclass(each, ListMessage)
]


@cache
def database(name: str) -> Database:
    loaded = cantools.database.load_string(to_dbc(edition(name)), "dbc")
    assert isinstance(loaded, Database)
    return loaded


def held(name: str, declared: type[Message]) -> list[str]:
    missing = {(message, key) for message, key, _ in not_in_dbc(edition(name))}
    return [key for key in declared.signals if (declared.name, key) not in missing]


@pytest.mark.parametrize(("name", "declared"), EXPORTED)
def test_cantools_decodes_what_we_decode(name: str, declared: type[Message]) -> None:
    """Over raw integers: every payload whose fields may take any value."""
    closed = [each for each in declared.signals.values() if each.closed]

    @quiet
    @given(st.integers(0, (1 << 8 * declared.length) - 1))
    def decodes_identically(bits: int) -> None:
        for each in closed:
            bits &= ~(each.mask << each.start)
        data = bits.to_bytes(declared.length, "little")
        ours = declared.decode(data)
        for identifier in edition(name).ids(declared).values():
            read: Any = database(name).decode_message(identifier, data, decode_choices=False)
            assert list(read) == held(name, declared)
            for key, value in read.items():
                expected = getattr(ours, key)
                raw = declared.signals[key].extract(data)
                if isinstance(raw, bytes):
                    assert value == int.from_bytes(raw, "little")
                elif expected is None:
                    assert raw == declared.signals[key].mask
                    assert value == pytest.approx(declared.signals[key].physical(raw), abs=1e-9)
                else:
                    assert value == pytest.approx(expected, abs=1e-9)

    decodes_identically()


@pytest.mark.parametrize(("name", "declared"), EXPORTED)
def test_cantools_encodes_physical_values_to_the_same_bits(name: str, declared: type[Message]) -> None:
    """Unused bits aside, which no DBC file can hold as ones."""
    (identifier, *_) = edition(name).ids(declared).values()
    signals = {key: declared.signals[key] for key in held(name, declared)}

    @quiet
    @given(st.fixed_dictionaries({key: st.integers(0, each.mask) for key, each in signals.items()}))
    def encodes_identically(raws: dict[str, int]) -> None:
        values = {key: each.physical(raws[key]) for key, each in signals.items()}
        bits = sum(raws[key] << each.start for key, each in signals.items())
        encoded = database(name).encode_message(identifier, values, strict=False)
        assert encoded == bits.to_bytes(declared.length, "little")

    encodes_identically()


@pytest.mark.parametrize(("name", "declared"), EXPORTED)
def test_the_file_carries_the_whole_declaration(name: str, declared: type[Message]) -> None:
    for sender, identifier in edition(name).ids(declared).items():
        read = database(name).get_message_by_frame_id(identifier)
        assert read.name == (declared.name if declared.sender else f"{declared.name}_{sender}")
        assert (read.length, read.senders, read.is_extended_frame) == (declared.length, [sender], True)
        assert (read.cycle_time or None) == (None if declared.period is None else declared.period // 1_000_000)
        assert read.comment
        assert [each.name for each in read.signals] == held(name, declared)
        for each in read.signals:
            ours = declared.signals[each.name]
            assert each.spn == ours.spn
            assert (each.unit or "") == ours.unit
            assert (each.minimum or 0, each.maximum or 0) == (ours.low or 0, ours.high or 0)
            assert each.receivers == [{"charger": "bms", "bms": "charger"}[sender]]
            choices = {raw: str(text) for raw, text in (each.choices or {}).items()}
            assert choices == {**ours.choices, **({ours.mask: "not supplied"} if ours.optional else {})}


@pytest.mark.parametrize("name", EDITIONS)
def test_what_the_file_cannot_hold_is_named_in_it(name: str) -> None:
    missing = not_in_dbc(edition(name))
    by_message: dict[str, set[str]] = {}
    for message, key, reason in missing:
        assert reason
        by_message.setdefault(message, set()).add(key)
        assert f"{message}.{key}: {reason}" in to_dbc(edition(name))
    trouble_code = {"spn", "fmi", "occurrence_count", "conversion_method"}
    assert by_message == {
        "BRM": {"vin", "software_year"} if name == "2015" else {"vin"},
        "CTS": {"second", "minute", "hour", "day", "month", "year"},
        "BMV": {"voltage", "group"},
        "BMT": {"temperature"},
        "BSP": {"byte"},
        "DM1": trouble_code,
        "DM2": trouble_code,
        "DM6": {*trouble_code, "entry_length"},
    }


def test_choices_are_read_by_name() -> None:
    read: Any = database("2015").decode_message(0x101AF456, bytes.fromhex("4000F0F0"))
    assert str(read["bms_stopped"]) == "stopped for this reason"
    read = database("2015").decode_message("BCP", bytes.fromhex("6D01DC05FFFF581B69C701D917"))
    assert str(read["nominal_energy"]) == "not supplied"
    assert read["max_current"] == pytest.approx(-250.0)


def test_equal_declarations_give_equal_files() -> None:
    assert to_dbc(edition("2015")) == to_dbc(edition("2015"))
    assert to_dbc(edition("2015")).startswith('VERSION "GB/T 27930-2015"')
