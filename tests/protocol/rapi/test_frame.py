"""RAPI frames: both checksums against the sheet's verified examples, sequence ids, hostile streams."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import CodecError
from hil.protocol.rapi import (
    COMMANDS,
    NOTIFICATIONS,
    Broken,
    Check,
    Frame,
    Framer,
    checksum,
    decode_fields,
    encode,
    parse,
)

_SHEET = (
    "$F0 1^43  $F0 0^42  $FB 7*03  $FD*AE  $FE*AF  $FR*BC  $FS*BD  $S0 0*F7  $S0 1*F8  $S2 0*F9  $S2 1*FA  $SK 0^2C  "
    "$SL 1*14  $SL 2*15  $SL A*24  $ST 0 0 0 0^23  $SC 16^13  $SY^2E  $SY 165^3C  $SY 100 6^29  $G0^53  $G3^50  "
    "$G4^57  $GA^22  $GC^20  $GD^27  $GE^26  $GF^25  $GG^24  $GH^2B  $GM^2E  $GO^2C  $GP^33  $GS^30  $GT^37  $GU^36  "
    "$GV^35  $OK 01 0 01 0000^10  $OK 6 80 24 24^1E  $OK 24 0001^27  $OK 0 0 0^30  $OK 16^07  $NK 6^37  $NK 80^09  "
    "$OK 100 6 0^37  $OK 8.2.3 5.2.1^2F  $AT 03 03 32 0040^34  $WF 02^17  $AN 0^3B  $AN 1^3A  $OK^20  $NK^21  "
    "$OK :A5^4E  $NK :A5^4F  $GV :7A^59"
)
VERIFIED = _SHEET.split("  ")
"""Frames of sheet serial 1.2."""
_NAMES = (
    "F0 F1 FB FD FE FF FP FR FS S0 S1 S2 S3 S4 S5 SA SB SC SH SK SL SM ST SV SY T0 Z0 "
    "G0 G3 G4 G5 GA GC GD GE GF GG GH GI GM GO GP GS GT GU GV GY"
)


@pytest.mark.parametrize("text", VERIFIED)
def test_a_verified_frame_is_read_and_written(text: str) -> None:
    frame = parse(text.encode())
    assert frame.valid
    assert frame.text == text
    assert encode(*frame.tokens, sequence=frame.sequence, check=frame.check) == text.encode() + b"\r"


def test_parts_of_a_frame() -> None:
    frame = parse(b"$SC 16 V :0a*00")
    assert (frame.name, frame.tokens, frame.sequence, frame.check) == ("SC", ("SC", "16", "V"), 10, Check.SUM)
    assert frame.due == sum(b"$SC 16 V :0a") & 0xFF
    assert not frame.valid


@pytest.mark.parametrize(
    ("raw", "valid"),
    [
        (b"$GS^30", True),
        (b"$GS^30junk", True),
        (b"$OK :4e^2b", None),
        (b"$GS^31", False),
        (b"$GS^3", False),
        (b"$GS^", False),
        (b"$GS^zz", False),
        (b"$GS^3z", False),
        (b"$^24", True),
        (b"$", True),
        (b"$\xff\xfe^25", True),
        (b"$$^zz", True),  # the rule gives 0, and so does what is no hex digit
        (b"$GS*BE", True),
        (b"$GS*be", True),
    ],
)
def test_checksums_are_read_as_the_firmware_does(raw: bytes, valid: bool | None) -> None:
    expected = parse(raw).due == int(raw[-2:], 16) if valid is None else valid
    assert parse(raw).valid is expected


@pytest.mark.parametrize(("raw", "tokens", "sequence"), [(b"$OK :00", ("OK",), None), (b"$OK :zz", ("OK",), None)])
def test_a_reserved_or_broken_id_is_no_id(raw: bytes, tokens: tuple[str, ...], sequence: int | None) -> None:
    assert (parse(raw).tokens, parse(raw).sequence) == (tokens, sequence)


def test_two_blanks_make_an_empty_token() -> None:
    assert parse(b"$OK  ABC").tokens == ("OK", "", "ABC")


_TOKEN = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="$^*:"), max_size=8)


@given(st.lists(_TOKEN, min_size=1, max_size=12), st.none() | st.integers(1, 255), st.sampled_from(Check))
def test_what_is_written_is_read(tokens: list[str], sequence: int | None, check: Check) -> None:
    [frame] = Framer().feed(encode(*tokens, sequence=sequence, check=check))
    assert isinstance(frame, Frame)
    assert (list(frame.tokens), frame.sequence, frame.check, frame.valid) == (tokens, sequence, check, True)


@pytest.mark.parametrize(
    "call",
    [
        lambda: encode("G\rS"),
        lambda: encode("G$"),
        lambda: encode("GS", "☃"),
        lambda: encode("GS", sequence=256),
        lambda: encode("GS", sequence=-1),
    ],
)
def test_what_is_no_frame_is_not_written(call: object) -> None:
    assert callable(call)
    with pytest.raises(CodecError):
        call()


# --- streams -------------------------------------------------------------------------------------------


@given(st.data())
def test_it_does_not_matter_how_a_stream_is_cut(data: st.DataObject) -> None:
    stream = b"boot ok\r\n$OK^20\rdbg$AT 01 01 24 0000^37\r\n$GS$GV^35\r\r\n" + b"$" + b"x" * 40 + b"\r"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    framer, items = Framer(31), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        items.extend(framer.feed(stream[start:end]))
    assert items == Framer(31).feed(stream)
    assert [item.text if isinstance(item, Frame) else (item.why, item.raw) for item in items] == [
        ("text", b"boot ok"),
        "$OK^20",
        ("text", b"dbg"),
        "$AT 01 01 24 0000^37",
        ("restarted", b"$GS"),
        "$GV^35",
        ("overlong", b"$" + b"x" * 31),
        ("text", b"x" * 9),
    ]


def test_the_longest_frame_still_fits() -> None:
    longest = b"$" + b"a" * 30
    assert [type(item) for item in Framer(31).feed(longest + b"\r")] == [Frame]
    assert [type(item) for item in Framer(31).feed(longest + b"a\r$GS\r")] == [Broken, Frame]


def test_what_a_uart_calls_wrong_is_not_believed() -> None:
    framer = Framer()
    framer.feed(b"$OK")
    assert framer.spoil(b"^20\r", "framing") == [Broken(b"$OK^20\r", "framing")]
    assert framer.feed(b"\r$OK^20\r") == [parse(b"$OK^20")]


def mutated(rng: random.Random, good: list[bytes]) -> bytes:
    """A good line with something done to it."""
    line = bytearray(rng.choice(good))
    for _ in range(rng.randint(1, 4)):
        at, what = rng.randrange(len(line) + 1), rng.randrange(5)
        if what == 0:
            line[at:at] = rng.randbytes(rng.randint(1, 6))
        elif what == 1:
            del line[at : at + rng.randint(1, 4)]
        elif what == 2 and at < len(line):
            line[at] ^= 1 << rng.randrange(8)
        elif what == 3:
            line[at:at] = rng.choice([b"$", b"\r", b"\n", b" ", b":", b"^", b"*", b"\0"]) * rng.randint(1, 3)
        else:
            line += rng.choice(good)
    return bytes(line)


def test_a_hundred_thousand_mutated_lines_are_read_without_growth() -> None:
    rng = random.Random(5)
    good = [text.encode() + b"\r" for text in VERIFIED]
    framer, frames = Framer(31), 0
    for _ in range(100_000):
        for item in framer.feed(mutated(rng, good)):
            frames += isinstance(item, Frame)
            assert len(item.raw) <= 256
            if isinstance(item, Frame):
                decode_fields(COMMANDS["GS"].reply, item.tokens)
    assert frames > 100_000
    assert framer.feed(b"\r$GS^30\r")[-1] == parse(b"$GS^30")


# --- commands as data ----------------------------------------------------------------------------------


def test_every_command_of_the_sheet_is_declared() -> None:
    assert sorted(COMMANDS) == sorted(_NAMES.split())
    assert sorted(NOTIFICATIONS) == ["AB", "AN", "AT", "ST", "WF"]


@pytest.mark.parametrize(
    ("name", "reply", "values"),
    [
        ("GS", "$OK 0a 120 03 0140", {"state": 10, "elapsed": 120, "pilot": 3, "flags": 0x140}),
        ("GP", "$OK 231 -2560 -2560", {"t1": 231, "t2": -2560, "t3": -2560}),
        ("GF", "$OK 1 ff a", {"gfi": 1, "no_ground": 255, "stuck_relay": 10}),
        ("GI", "$OK  OPENEV0123abcd", {"id": "OPENEV0123abcd"}),
        ("GV", "$OK 8.2.3 5.2.1", {"firmware": "8.2.3", "rapi": "5.2.1"}),
    ],
)
def test_a_reply_has_its_fields(name: str, reply: str, values: dict[str, int | str]) -> None:
    assert decode_fields(COMMANDS[name].reply, parse(reply.encode()).tokens[1:]) == (values, [])


def test_what_does_not_fit_the_fields_is_told() -> None:
    assert decode_fields(COMMANDS["GG"].reply, ["x", "2", "3"]) == (
        {"voltage": 2},
        ["current 'x' is not a dec number", "'3' is one too many"],
    )
    assert decode_fields(COMMANDS["GC"].reply, ["6"])[1][0] == "hardware_max is missing"
    assert decode_fields(COMMANDS["GG"].reply, ["9" * 30, "²"])[0] == {}


@pytest.mark.parametrize(
    ("name", "counts"), [("GS", {0}), ("SC", {1, 2}), ("SY", {0, 1, 2}), ("ST", {4}), ("FP", {3, 4, 5, 6, 7, 8, 9})]
)
def test_a_command_takes_so_many_parameters(name: str, counts: set[int]) -> None:
    assert {count for count in range(10) if COMMANDS[name].takes(count)} == counts


def test_text_is_told_line_by_line_and_in_pieces() -> None:
    assert Framer().feed(b"one\ntwo\r") == [Broken(b"one", "text"), Broken(b"two", "text")]
    framer = Framer()
    assert framer.feed(b"x" * 255) == []
    assert framer.feed(b"x") == [Broken(b"x" * 256, "text")]


def test_no_checksum_is_0() -> None:
    assert checksum(b"$GS", Check.NONE) == 0
