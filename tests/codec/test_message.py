"""Declared messages: hand-computed frames, refusals, and compiled against interpreted codec."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from types import new_class
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.codec import Message, signal, status
from hil.errors import CatalogueError, CodecError, UsageError

quiet = settings(derandomize=True, database=None, deadline=None)


class Sample(Message, pgn=0x4200, length=12):
    """Every kind of field beside each other, with bytes 8 and 12 unused."""

    volts: float = signal(1, start=0, length=16, scale="0.1", unit="V", low=0, high=1000)
    amperes: float = signal(2, start=16, length=16, scale="0.1", offset="-400", unit="A")
    serial: int = signal(3, start=32, length=24)
    coarse: float = signal(4, start=64, length=8, scale="2.5", offset="10", optional=True, default=None)
    state: int = status(5, start=72, choices={0: "off", 1: "on"}, default=0)
    level: int = signal(6, start=74, length=4)
    tag: str | None = signal(7, start=80, length=8, kind="ascii", optional=True, default=None)


def sample(**values: Any) -> Sample:
    return Sample(**{"volts": 612.3, "amperes": -118.5, "serial": 0x030201, "level": 9, "tag": "X", **values})


def declare(fields: dict[str, Any], length: int) -> type[Message]:
    return new_class("Bad", (Message,), {"pgn": 1, "length": length}, lambda namespace: namespace.update(fields))


def test_a_message_encodes_as_computed_by_hand() -> None:
    # 6123 = 17EB; (400 - 118.5) * 10 = 2815 = 0AFF; (20 - 10) / 2.5 = 4; 9 << 2 | 1 under ones above bit 6
    message = sample(coarse=20.0, state=1)
    assert message.encode() == bytes.fromhex("EB17 FF0A 010203 FF 04 E5 58 FF")
    assert Sample.decode(message.encode()) == message


def test_what_is_not_supplied_is_all_ones() -> None:
    message = sample(tag=None)
    assert message.encode() == bytes.fromhex("EB17 FF0A 010203 FF FF E4 FF FF")
    decoded = Sample.decode(message.encode())
    assert dict(decoded.items())["coarse"] is None
    assert decoded.tag is None


def test_decoding_ignores_surplus_bytes_and_unused_bits() -> None:
    data = bytes.fromhex("EB17 FF0A 010203 00 FF 24 58 00 1234")
    assert Sample.decode(data) == sample()


def test_values_lie_on_the_grid_of_the_wire() -> None:
    assert Sample.decode(sample(volts=285.2).encode()).volts == 285.2
    assert sample(volts=285.2400001).encode() == sample(volts=285.2).encode()
    assert sample(volts=285.26).encode() == sample(volts=285.3).encode()


def test_a_code_may_come_as_a_float_of_the_same_value() -> None:
    assert sample(state=1.0).encode() == sample(state=1).encode()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"volts": 1000.06}, r"Sample\.volts: 1000\.06 V is out of range; allowed is 0\.0 \.\. 1000\.0 V"),
        ({"volts": -0.06}, r"Sample\.volts: -0\.06 V is out of range"),
        ({"amperes": -400.1}, r"Sample\.amperes: -400\.1 A is out of range; allowed is -400\.0 \.\. 6153\.5 A"),
        ({"amperes": math.nan}, r"Sample\.amperes: nan is not a number"),
        ({"amperes": math.inf}, r"Sample\.amperes: inf is not a number"),
        ({"amperes": None}, r"Sample\.amperes: None is not a number"),
        ({"amperes": "12"}, r"Sample\.amperes: '12' is not a number"),
        ({"serial": 1 << 24}, r"Sample\.serial: 16777216 is out of range; allowed is 0 \.\. 16777215"),
        ({"serial": -1}, r"Sample\.serial: -1 is out of range"),
        ({"coarse": 255 * 2.5 + 10}, r"Sample\.coarse: 647\.5 is out of range; allowed is 10\.0 \.\. 645\.0"),
        ({"state": 4}, r"Sample\.state: 4 is out of range; allowed is 0 \.\. 3"),
        ({"state": -1}, r"Sample\.state: -1 is out of range"),
        ({"level": 16}, r"Sample\.level: 16 is out of range; allowed is 0 \.\. 15"),
        ({"tag": "XY"}, r"Sample\.tag: 'XY' does not fit ascii of 1 bytes"),
        ({"tag": "é"}, r"Sample\.tag: 'é' does not fit ascii"),
        ({"tag": 5}, r"Sample\.tag: 5 does not fit ascii"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name_and_range(values: dict[str, Any], text: str) -> None:
    with pytest.raises(CodecError, match=text):
        sample(**values).encode()


def test_too_few_bytes_are_refused() -> None:
    with pytest.raises(CodecError, match=r"^Sample: 11 bytes, 12 are defined$"):
        Sample.decode(bytes(11))


def test_an_unknown_signal_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="Sample has no signal 'volt'; it has volts, amperes, serial"):
        sample(volt=1.0)
    with pytest.raises(UsageError, match="Sample has no signal 'ampere'"):
        sample().replace(ampere=1.0)


def test_a_missing_signal_is_named() -> None:
    with pytest.raises(TypeError, match=r"Sample\(\) missing 1 required keyword-only argument: 'level'"):
        Sample(volts=1.0, amperes=1.0, serial=1)  # type: ignore[call-arg]  # the misuse that is tested


def test_out_of_range_values_decode_and_are_listed() -> None:
    data = (10001).to_bytes(2, "little") + sample(state=3).encode()[2:]
    decoded = Sample.decode(data)
    assert decoded.volts == 1000.1
    assert decoded.out_of_range() == ["volts", "state"]
    assert sample().out_of_range() == []


def test_raw_values_stay_reachable() -> None:
    assert sample().raw("amperes") == 2815
    assert sample().raw("tag") == b"X"
    assert Sample.decode_raw(sample().encode())["serial"] == 0x030201


def test_messages_are_values() -> None:
    assert sample() == sample()
    assert hash(sample()) == hash(sample())
    assert sample() != sample(level=8)
    assert sample() != tuple(sample())
    assert pickle.loads(pickle.dumps(sample())) == sample()
    assert "volts=612.3 V" in repr(sample())
    assert "state=0 (off)" in repr(sample())


@quiet
@given(st.binary(max_size=16))
def test_compiled_and_interpreted_codec_agree_on_any_bytes(data: bytes) -> None:
    interpreted = vars(Message)["decode"].__func__
    if len(data) < Sample.length:
        with pytest.raises(CodecError):
            Sample.decode(data)
        return
    decoded = Sample.decode(data)
    assert decoded == interpreted(Sample, data)
    assert outcome(Sample.encode, decoded) == outcome(Message.encode, decoded)


def outcome(encode: Callable[[Any], bytes], message: Message) -> bytes | str:
    """What an encoder gives, or how it refuses."""
    try:
        return encode(message)
    except CodecError as refused:
        return str(refused)


_CELL = signal(1, start=0, length=8)


@pytest.mark.parametrize(
    ("fields", "length", "text"),
    [
        ({"a": _CELL, "b": signal(2, start=7, length=2)}, 2, r"Bad\.b overlaps Bad\.a at bit 7"),
        ({"a": signal(1, start=4, length=8)}, 1, r"Bad\.a lies outside the 1 bytes of Bad"),
        ({"a": signal(1, start=-1, length=8)}, 1, r"Bad\.a lies outside"),
        ({"a": signal(1, start=0, length=0)}, 1, r"Bad\.a lies outside"),
        ({"a": signal(1, start=4, length=8, kind="ascii", optional=True)}, 2, r"Bad\.a: ascii must consist of whole"),
        ({"a": signal(1, start=0, length=8, kind="year", optional=True)}, 1, r"Bad\.a: a year has two bytes"),
        ({"a": signal(1, start=0, length=8, offset="-0.05", scale="0.1")}, 1, r"Bad\.a: offset .* not on the grid"),
        ({"a": signal(1, start=0, length=8, low=300)}, 1, r"Bad\.a: no raw value lies in 300"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused_at_import(fields: dict[str, Any], length: int, text: str) -> None:
    with pytest.raises(CatalogueError, match=text):
        declare(fields, length)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"kind": "float"}, "kind 'float'; there are uint, ascii"),
        ({"kind": "bcd"}, "bcd decodes to None where it is not supplied"),
        ({"closed": True}, "closed without choices"),
    ],
)
def test_a_signal_that_cannot_be_is_refused(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(CatalogueError, match=text):
        signal(1, start=0, length=8, **arguments)
