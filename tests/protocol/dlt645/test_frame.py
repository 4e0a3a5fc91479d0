"""Frames of DL/T 645 against the sheet's verified frames, and hostile streams."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import CodecError
from hil.protocol.dlt645 import BROADCAST, WILDCARD, Broken, Frame, Framer, addressed

VERIFIED = {
    "FE FE FE FE 68 AA AA AA AA AA AA 68 13 00 DF 16": Frame(WILDCARD, 0x13),
    "FE FE FE FE 68 11 11 11 11 11 11 68 93 06 44 44 44 44 44 44 67 16": Frame("1" * 12, 0x93, b"\x11" * 6),
    "68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16": Frame("000000000161", 0x11, bytes.fromhex("00000100")),
    "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16": Frame(
        "000000000161", 0x91, bytes.fromhex("00000100 26000000")
    ),
    "FE FE 68 12 90 78 56 34 12 68 91 08 33 33 34 33 89 67 45 33 54 16": Frame(
        "123456789012", 0x91, bytes.fromhex("00000100 56341200")
    ),
    "68 12 90 78 56 34 12 68 D1 01 35 8D 16": Frame("123456789012", 0xD1, b"\x02"),
    "68 99 99 99 99 99 99 68 08 06 84 55 43 38 39 4A 4B 16": Frame(BROADCAST, 0x08, bytes.fromhex("512210050617")),
}
"""Sheet serial 2.4."""


@pytest.mark.parametrize("text", VERIFIED)
def test_a_verified_frame_is_read_and_written(text: str) -> None:
    raw = bytes.fromhex(text)
    assert Framer().feed(raw) == [VERIFIED[text]]
    assert VERIFIED[text].encode(raw.index(0x68)) == raw


def test_bits_of_the_control_code() -> None:
    frames = [Frame("0" * 12, control) for control in (0x11, 0x91, 0xB1, 0xD1, 0x52)]
    assert [frame.function for frame in frames] == [0x11, 0x11, 0x11, 0x11, 0x12]
    assert [frame.from_meter for frame in frames] == [False, True, True, True, False]
    assert [frame.is_error for frame in frames] == [False, False, False, True, False]
    assert [frame.more for frame in frames] == [False, False, True, False, False]


_DIGITS = st.text("0123456789A", min_size=12, max_size=12)
_FRAMES = st.builds(Frame, _DIGITS, st.integers(0, 255), st.binary(max_size=200))
_HEAD_LIKE = st.sampled_from([b"\x68", b"\xfe\xfe", b"\x16", b"\x68" * 9, b"junk"])


@given(st.lists(st.tuples(_FRAMES, st.integers(0, 4)), max_size=5), st.data())
def test_it_does_not_matter_how_a_stream_is_cut(frames: list[tuple[Frame, int]], data: st.DataObject) -> None:
    stream = b"".join(frame.encode(wake) for frame, wake in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    framer, items = Framer(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        items += framer.feed(stream[start:end])
    assert items == [frame for frame, _ in frames]
    assert not framer.waiting


@given(_FRAMES, st.lists(_HEAD_LIKE, max_size=3))
def test_a_frame_behind_noise_is_found_when_the_line_falls_silent(frame: Frame, noise: list[bytes]) -> None:
    framer = Framer()
    items = framer.feed(b"".join(noise) + frame.encode()) + framer.expire()
    assert [item for item in items if isinstance(item, Frame)][-1:] == [frame]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("68 61 01 00 00 00 00 68 11 04 33 33 34 33 15 16", "checksum"),
        ("68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 17", "end"),
        ("68 61 01 00 00 00 00 69 11 04 33 33 34 33 14 16", "junk"),
        ("68 61 01 00 00 00 00 68 11 C9 33 33 34 33 14 16", "junk"),
        ("68 61 01 00 00 00 00 68 11 04 33 33 34", "short"),
        ("01 02 03", "junk"),
    ],
)
def test_what_is_no_frame_is_shown_with_its_reason(raw: str, why: str) -> None:
    framer = Framer()
    items = framer.feed(bytes.fromhex(raw)) + framer.expire()
    assert items == [Broken(bytes.fromhex(raw), why)]


def test_a_damaged_frame_does_not_hide_the_next() -> None:
    good = Frame("000000000161", 0x11, b"\x00\x00\x01\x00")
    damaged = bytearray(good.encode())
    damaged[12] ^= 1
    assert Framer().feed(bytes(damaged) + good.encode()) == [Broken(bytes(damaged) + b"\xfe" * 4, "checksum"), good]


def test_wake_up_bytes_alone_are_nothing() -> None:
    assert Framer().feed(b"\xfe" * 20) == []


def test_what_a_uart_calls_wrong_is_not_believed() -> None:
    framer = Framer()
    framer.feed(bytes.fromhex("68 61 01 00"))
    items = framer.spoil(bytes.fromhex("00 00 00 68"), "parity")
    assert [item.why for item in items if isinstance(item, Broken)] == ["short", "parity"]
    assert not framer.waiting


@pytest.mark.parametrize(
    ("asked", "whom"),
    [
        ("000000000161", "me"),
        ("A" * 12, "me"),
        ("AAAAAAAA0161", "me"),
        ("AAAAAAAA0162", ""),
        ("000000000162", ""),
        (BROADCAST, "all"),
    ],
)
def test_for_whom_a_request_is(asked: str, whom: str) -> None:
    assert addressed(Frame(asked, 0x11), "000000000161") == whom
    assert addressed(Frame(asked, 0x91), "000000000161") == ""


@pytest.mark.parametrize(
    "make", [lambda: Frame("12", 0x11), lambda: Frame("0" * 12, 256), lambda: Frame("0" * 12, 1, bytes(256))]
)
def test_what_fits_no_field_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(CodecError):
        make()


def test_a_hundred_thousand_mutated_frames_are_read_without_growth() -> None:
    rng = random.Random(7)
    good = [bytes.fromhex(text) for text in VERIFIED]
    framer, frames, longest = Framer(), 0, 0
    for number in range(100_000):
        raw = bytearray(rng.choice(good))
        for _ in range(rng.randrange(4)):
            at = rng.randrange(len(raw) + 1)
            raw[at : at + rng.randrange(3)] = rng.choice([b"", b"\x68", b"\x16", b"\xfe", rng.randbytes(3)])
        items = framer.feed(bytes(raw))
        if number % 50 == 0:
            items += framer.expire()
        frames += sum(isinstance(item, Frame) for item in items)
        longest = max([longest, *(len(item.raw) for item in items if isinstance(item, Broken))])
    assert frames > 30_000
    assert longest < 2000
    framer.expire()
    assert framer.feed(good[0]) == [VERIFIED[good[0].hex(" ").upper()]]


@pytest.mark.parametrize("noise", [b"\x68", b"\x68\x01\x02\x03\x04\x05\x06\x68\xff", b"\x00", b"\x68\x68\x16"])
def test_endless_noise_does_not_grow(noise: bytes) -> None:
    framer = Framer()
    told = 0
    for _ in range(2000):
        told += sum(len(item.raw) for item in framer.feed(noise * 5) if isinstance(item, Broken))
    rest = len(noise) * 10_000 - told
    assert rest < 1200


def test_each_piece_of_junk_has_its_own_reason() -> None:
    damaged = bytes.fromhex("68 61 01 00 00 00 00 68 11 04 33 33 34 33 15 16")
    framer = Framer()
    framer.feed(damaged)
    framer.expire()
    assert framer.feed(b"\x01\x02") == [Broken(b"\x01\x02", "junk")]
