"""Frames of a console (sheet serial, 1.1 and 1.2)."""

from __future__ import annotations

from hil.cases import RapiBench, requirement
from hil.protocol.rapi import Check, checksum, encode

NK = "$NK^21"
OVERLONG = b"$GS" + b"x" * 40 + b"\r"
ID = 0xA5
OUTSIDE = {"lf": b"\n", "text": b"GS^30 no frame\r\n"}
LETTERS = (0x01, 0x02, 0x04, 0x08, 0x82, 0x83, 0x84)
"""Ids of which one at least gives a reply's checksum a digit A to F, whatever the reply."""


@requirement("RAPI/FR.01")
def test_FR_01(bench: RapiBench) -> None:
    """TP: a command with an XOR checksum, in digits of either case, is answered with the right one."""
    bench.expect_right("upper case", b"$GH^2B\r")
    bench.expect_right("lower case", b"$GH^2b\r")
    for sequence in LETTERS:
        bench.expect_right(f"id {sequence:02X}", encode("GV", sequence=sequence))


@requirement("RAPI/FR.02")
def test_FR_02(bench: RapiBench) -> None:
    """TP: a command with an additive checksum is answered as well, with an XOR checksum."""
    bench.expect_right("additive checksum", encode("GS", check=Check.SUM))


@requirement("RAPI/FR.03")
def test_FR_03(bench: RapiBench) -> None:
    """TP: a command without a checksum is answered as well, with an XOR checksum."""
    bench.expect_right("no checksum", encode("GS", check=Check.NONE))


@requirement("RAPI/FR.04")
def test_FR_04(bench: RapiBench) -> None:
    """TP: a reply repeats the sequence id of its command, and has none where there is none or 00."""
    for sequence, due in ((ID, ID), (0x01, 0x01), (0x00, None), (None, None)):
        frame = bench.expect_right(f"id {sequence}", encode("GV", sequence=sequence))
        repeated = None if frame is None else frame.sequence
        bench.check(f"id {sequence} repeated", str(repeated), equals=str(due), at=bench.now)


@requirement("RAPI/FR.05")
def test_FR_05(bench: RapiBench, variant: str) -> None:
    """TP: a command with a wrong checksum, or one of other characters, is answered NK without its id and not obeyed."""
    form = Check.SUM if variant == "sum" else Check.XOR
    before = bench.get("GC").number("pilot")
    other = 8 if before != 8 else 9
    body = encode("SC", str(other), sequence=ID, check=Check.NONE, end=b"")
    wrong = b"^zz\r" if variant == "letters" else f"{form}{checksum(body, form) ^ 0x01:02X}\r".encode()
    bench.expect_reply("wrong checksum", body + wrong, NK)
    bench.check("limit kept", bench.get("GC").number("pilot"), equals=before, at=bench.now)


@requirement("RAPI/FR.06")
def test_FR_06(bench: RapiBench) -> None:
    """TP: a command that does not exist, or has the wrong number of parameters, is answered by a bare NK."""
    bench.expect_reply("unknown command", encode("QQ"), NK)
    bench.expect_reply("parameter missing", encode("SL"), NK)
    bench.expect_reply("parameter too many", encode("S4", "0", "0"), NK)


@requirement("RAPI/FR.07")
def test_FR_07(bench: RapiBench) -> None:
    """TP: a frame longer than 31 characters is not answered, and the next one is."""
    bench.expect_unanswered("overlong frame", OVERLONG)


@requirement("RAPI/FR.08")
def test_FR_08(bench: RapiBench) -> None:
    """TP: a dollar sign inside a frame begins a new one; what stood before it is dropped."""
    bench.expect_right("begun anew", b"$S4 1 " + encode("GV"))
    bench.check("replies", len(bench.replies(0)), equals=1, at=bench.now)


@requirement("RAPI/FR.09")
def test_FR_09(bench: RapiBench) -> None:
    """TP: a command of more than ten tokens is answered NK."""
    bench.expect_reply("eleven tokens", encode("FP", "0", "0", *"abcdefgh"), NK)


@requirement("RAPI/FR.10")
def test_FR_10(bench: RapiBench) -> None:
    """TP: a reply ends with CR alone."""
    for _ in range(2):
        bench.expect_right("reply", encode("GV"))
    bench.expect_no_lf("reply with LF")


@requirement("RAPI/FR.11")
def test_FR_11(bench: RapiBench, variant: str) -> None:
    """TP: of a command's name the first two characters count, of its checksum the two digits; the rest is ignored."""
    right = encode("GV", end=b"")
    sent = encode("GVersion") if variant == "name" else right + b"xyz\r"
    bench.expect_right("more than counts", sent)


@requirement("RAPI/FR.12")
def test_FR_12(bench: RapiBench, variant: str) -> None:
    """TP: characters outside a frame are ignored, such as an LF behind a CR."""
    bench.expect_right("a frame before", encode("GV"))
    bench.expect_right("the frame behind", OUTSIDE[variant] + encode("GV"))
    bench.expect_right("the next frame", encode("GV"))
