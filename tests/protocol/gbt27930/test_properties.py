"""Properties of every message of both editions over generated raw values and arbitrary bytes."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.codec import ListMessage, Malformed, Message, Signal
from hil.errors import CodecError
from hil.protocol.gbt27930 import EDITIONS, edition

quiet = settings(derandomize=True, database=None, deadline=None, max_examples=60)
MESSAGES = {
    f"{name}-{each.name}": each
    for name in EDITIONS
    for each in edition(name).messages
    if name == "2015" or each not in edition("2015").messages
}
DECLARED = [pytest.param(each, id=name) for name, each in MESSAGES.items()]
OF_FIXED_LENGTH = [pytest.param(each, id=name) for name, each in MESSAGES.items() if not issubclass(each, ListMessage)]
BCD = st.builds(lambda tens, ones: tens << 4 | ones, st.integers(0, 9), st.integers(0, 9))


def raws(declared: Signal) -> st.SearchStrategy[int]:
    """Raw values that encode back to themselves, as numbers."""
    ones = st.just(declared.mask)
    if declared.kind == "ascii":
        text = st.text(string.printable, min_size=declared.size, max_size=declared.size)
        return text.map(lambda each: int.from_bytes(each.encode(), "little")) | ones
    if declared.kind == "bytes":
        return st.integers(0, declared.mask)
    if declared.kind == "bcd":
        pairs = st.lists(BCD, min_size=declared.size, max_size=declared.size)
        return pairs.map(lambda each: int.from_bytes(bytes(each), "little")) | ones
    if declared.kind == "year":
        return st.integers(2000, 2099) | ones
    if declared.closed:
        return st.sampled_from(sorted(declared.choices))
    numbers = st.integers(declared.raw_low, declared.raw_high)
    return numbers | ones if declared.optional else numbers


@st.composite
def payload(draw: st.DrawFn, signals: dict[str, Signal], length: int) -> bytes:
    """A payload with unused bits 1."""
    bits = (1 << 8 * length) - 1
    for declared in signals.values():
        bits = bits & ~(declared.mask << declared.start) | draw(raws(declared)) << declared.start
    return bits.to_bytes(length, "little")


def payloads(declared: type[Message]) -> st.SearchStrategy[bytes]:
    if issubclass(declared, ListMessage):
        element = payload(dict(declared.element), declared.element_size)
        return st.lists(element, min_size=1, max_size=min(declared.most, 40)).map(b"".join)
    return payload(dict(declared.signals), declared.length)


@pytest.mark.parametrize("declared", DECLARED)
def test_what_is_on_the_grid_survives_decoding_and_encoding(declared: type[Message]) -> None:
    @quiet
    @given(payloads(declared))
    def survives(data: bytes) -> None:
        decoded = declared.decode(data)
        assert decoded.encode() == data
        assert declared.decode(decoded.encode()) == decoded
        assert declared.decode_raw(data) == {key: decoded.raw(key) for key, _ in decoded.items()}

    survives()


@pytest.mark.parametrize("declared", OF_FIXED_LENGTH)
def test_compiled_and_interpreted_codec_agree(declared: type[Message]) -> None:
    interpreted = vars(Message)["decode"].__func__

    def outcome(call: Any, *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except CodecError as refused:
            return str(refused)

    @quiet
    @given(st.binary(min_size=max(declared.length - 1, 0), max_size=declared.length + 2))
    def agree(data: bytes) -> None:
        decoded = outcome(declared.decode, data)
        assert decoded == outcome(interpreted, declared, data)
        if isinstance(decoded, Message):
            assert outcome(declared.encode, decoded) == outcome(Message.encode, decoded)

    agree()


@pytest.mark.parametrize("name", EDITIONS)
def test_no_bytes_make_decoding_raise(name: str) -> None:
    messages = edition(name)
    groups = st.sampled_from([each.pgn for each in messages.messages]) | st.integers(0, 0x3FFFF)

    @settings(quiet, max_examples=1500)
    @given(groups, st.binary(max_size=64) | st.binary(max_size=1785))
    def never_raises(pgn: int, data: bytes) -> None:
        decoded = messages.decode(pgn, data)
        assert isinstance(decoded, Message | Malformed)
        assert repr(decoded)
        if isinstance(decoded, Message):
            decoded.out_of_range()
            assert decoded.name == messages.by_pgn[pgn].name

    never_raises()


@pytest.mark.parametrize("declared", DECLARED)
def test_every_shorter_payload_is_malformed_and_every_longer_one_is_not(declared: type[Message]) -> None:
    messages = next(edition(name) for name in EDITIONS if declared in edition(name).messages)
    for length in range(declared.length):
        malformed = messages.decode(declared.pgn, bytes(length))
        assert isinstance(malformed, Malformed)
        assert malformed.data == bytes(length)
        assert f"{length} bytes" in malformed.reason
    fill = bytes(declared.length) + b"\xff" * max(8 - declared.length, 0)
    assert isinstance(messages.decode(declared.pgn, fill), Message)


@pytest.mark.parametrize("declared", DECLARED)
def test_one_step_outside_the_printed_range_is_refused(declared: type[Message]) -> None:
    signals = dict(declared.element if issubclass(declared, ListMessage) else declared.signals)

    def rebuild(values: dict[str, Any]) -> Message:
        whole = {"entries": [tuple(values.values())]} if issubclass(declared, ListMessage) else values
        return declared(**whole)

    inside = {
        key: each.take(each.extract(bytes(64))) if each.low is None else each.low for key, each in signals.items()
    }
    rebuild(inside).encode()
    for key, each in signals.items():
        if each.kind != "uint" or each.closed:
            continue
        for raw in (each.raw_low - 1, each.raw_high + 1):
            with pytest.raises(CodecError, match=rf"^{declared.name}(\[1\])?\.{key}: .*allowed is"):
                rebuild({**inside, key: each.physical(raw)}).encode()
