"""The reference console against the sheet: framing, every command, limits, heartbeat, notifications."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from hil.dut.rapi import Console, ConsoleSpec
from hil.errors import UsageError
from hil.protocol.rapi import COMMANDS, Check, encode
from hil.units import ms, s
from hil.world.bytenode import Send
from tests.dut.rapi.pilot import PilotCharger

if TYPE_CHECKING:
    Bench = Any
    Make = Any

# --- framing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"$G4^57\r", b"$OK 0^30\r"),
        (b"$G4*9F\r", b"$OK 0^30\r"),
        (b"$G4\r", b"$OK 0^30\r"),
        (b"$FE^27\r", b"$OK^20\r"),
        (b"$FE*AF\r", b"$OK^20\r"),
        (b"$FE :A5^49\r", b"$OK :A5^4E\r"),
        (b"$FE :00\r", b"$OK^20\r"),
        (b"$G4^58\r", b"$NK^21\r"),
        (b"$FE :A5^64\r", b"$NK^21\r"),
        (b"$XX^24\r", b"$NK^21\r"),
        (b"$XX :A5\r", b"$NK :A5^4F\r"),
        (b"$\r", b"$NK^21\r"),
        (b"$SC\r", b"$NK^21\r"),
        (b"$G4 1\r", b"$NK^21\r"),
        (b"$T0 5\r", b"$NK^21\r"),
        (b"$G4xyz\r", b"$OK 0^30\r"),
        (b"$FB$G4^57\r", b"$OK 0^30\r"),
        (b"noise\r\n$G4^57\r\n", b"$OK 0^30\r"),
        (b"$FP 0 0 a b c d e f g h\r", b"$NK^21\r"),
        (b"$FP 0 0 a b c d e f g\r", b"$OK^20\r"),
        (b"$G4" + b"x" * 29 + b"\r", b""),
        (b"$G4" + b"x" * 28 + b"\r", b"$OK 0^30\r"),
        (b"$G4" + b"x" * 40 + b"\r$FE\r", b"$OK^20\r"),
        (b"G4\r\r\r", b""),
        (b"$G4^57", b""),
    ],
)
def test_what_is_sent_and_what_is_answered(bench: Bench, sent: bytes, answered: bytes) -> None:
    assert bench.raw(sent) == answered


def test_a_console_answers_one_after_the_other(bench: Bench) -> None:
    assert bench.raw(b"$G4\r$GV\r$G3\r") == b"$OK 0^30\r$OK 8.2.3 5.2.1^2F\r$OK 0^30\r"


def test_echo_lasts_until_a_restart(bench: Bench) -> None:
    assert bench.raw(b"$FF E 1\r") == b"$OK^20\r\n"
    assert bench.raw(b"$G4\r") == b"$G4\r\n$OK 0^30\r\n"
    bench.raw(b"$FF E 0\r")
    assert bench.raw(b"$G4\r") == b"$G4\r\n$OK 0^30\r\n"
    bench.raw(b"$FR\r")
    assert bench.raw(b"$G4\r") == b"$OK 0^30\r"


# --- every command -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        *(("F0 1", "OK"), ("F1", "OK"), ("FB 7", "OK"), ("FD", "OK"), ("FE", "OK"), ("FF D 0", "OK"), ("FF X 0", "NK")),
        *(("FP 0 0 hi", "OK"), ("FR", "OK"), ("FS", "OK"), ("S0 1", "OK"), ("S1 25 6 5 10 22 51", "OK")),
        *(("S2 1", "OK"), ("S3 4", "NK"), ("S4 1", "OK"), ("S5 A", "OK"), ("S5 1", "NK"), ("SA 220 0", "OK")),
        *(("SB", "OK 0"), ("SC 16", "OK 16"), ("SH 5", "NK"), ("SK 0", "OK"), ("SL 1", "OK"), ("SL 3", "NK")),
        *(("SM 1 2", "OK"), ("ST 0 0 0 0", "OK"), ("SV 230000", "NK"), ("SY", "OK 0 0 0"), ("G0", "OK 0")),
        *(("G3", "OK 0"), ("G4", "OK 0"), ("G5", "OK 0 A"), ("GA", "OK 220 0"), ("GC", "OK 6 80 24 24")),
        *(("GD", "OK 0 0 0 0"), ("GE", "OK 24 0001"), ("GF", "OK 0 0 0"), ("GG", "OK 0 230000"), ("GH", "OK 0")),
        *(("GI", "OK  HILEVS0000002A"), ("GM", "OK 300 0"), ("GO", "OK 650 650"), ("GP", "OK 230 -2560 -2560")),
        *(("GS", "OK 01 0 01 0000"), ("GU", "OK 0 0"), ("GV", "OK 8.2.3 5.2.1"), ("GY", "OK 0 0 0")),
        *(("T0 5", "NK"), ("Z0 1 2", "NK")),
    ],
)
def test_a_command_is_answered(bench: Bench, command: str, reply: str) -> None:
    assert bench.ask(command) == reply


def test_no_command_of_the_sheet_is_forgotten() -> None:
    from hil.dut.rapi.answers import HANDLERS

    assert set(HANDLERS) == set(COMMANDS)


@pytest.mark.parametrize(
    ("setting", "getting", "reply"),
    [
        ("S1 25 6 5 10 22 51", "GT", "OK 25 6 5 10 22 51"),
        ("S1 25 13 40 10 22 51", "GT", "OK 20 1 1 0 0 3"),
        ("S4 1", "G4", "OK 1"),
        ("S5 M", "G5", "OK 0 M"),
        ("SA 200 7", "GA", "OK 200 7"),
        ("SM 310 8", "GM", "OK 310 8"),
        ("ST 1 30 2 45", "GD", "OK 1 30 2 45"),
        ("SK 1234", "GU", "OK 0 1234"),
        ("SY 30 8", "GY", "OK 30 8 0"),
        ("FF B 0", "GE", "OK 24 8001"),
        ("FF D 0", "GE", "OK 24 0003"),
        ("SL 1", "GE", "OK 12 0020"),
        ("SL 1", "GC", "OK 6 24 12 12"),
        ("SC 262", "GE", "OK 6 0001"),
    ],
)
def test_what_is_set_is_got(bench: Bench, setting: str, getting: str, reply: str) -> None:
    bench.ask(setting)
    assert bench.ask(getting) == reply


def test_a_feature_comes_back(bench: Bench) -> None:
    bench.ask("FF G 0")
    bench.ask("FF G 1")
    assert bench.ask("GE") == "OK 24 0001"


def test_a_lock_can_be_worked_by_hand_only(bench: Bench) -> None:
    bench.ask("S5 M")
    assert (bench.ask("S5 1"), bench.ask("G5")) == ("OK", "OK 1 M")


def test_without_meters_the_assumed_voltage_stands(make: Make) -> None:
    bench = make(ConsoleSpec(ammeter=False, voltmeter=False))
    assert bench.ask("SV 231000") == "OK"
    assert bench.ask("GG") == "OK -1 231000"


def test_text_is_shown_with_its_blanks(bench: Bench) -> None:
    bench.ask("FP 0 1 two\x11words more")
    assert bench.console.memory.display == {1: "two words more"}


# --- current limit -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("commands", "replies", "limits"),
    [
        (["SC 5"], ["NK 6"], "OK 6 80 6 6"),
        (["SC 81"], ["NK 80"], "OK 6 80 80 80"),
        (["SC 32", "SC 16 V"], ["OK 32", "OK 16"], "OK 6 80 16 32"),
        (["SC 32", "SC 40 V"], ["OK 32", "NK 32"], "OK 6 80 32 32"),
        (["SC 20 X"], ["OK 20"], "OK 6 80 20 24"),
        (["SC 40 M", "SC 41"], ["OK 40", "NK 40"], "OK 6 40 40 40"),
        (["SC 40 M", "SC 50 M"], ["OK 40", "NK 40"], "OK 6 40 24 24"),
        (["SC 5 M"], ["NK 80"], "OK 6 80 24 24"),
        (["SL 1", "SC 30"], ["OK", "NK 24"], "OK 6 24 24 24"),
    ],
)
def test_a_current_is_set_or_cut(bench: Bench, commands: list[str], replies: list[str], limits: str) -> None:
    assert [bench.ask(each) for each in commands] == replies
    assert bench.ask("GC") == limits


def test_a_hot_charger_is_not_given_more(bench: Bench) -> None:
    bench.stimulate("charger_temperature", 70)
    assert (bench.ask("SC 32"), bench.ask("SC 10")) == ("NK 24", "OK 10")


# --- heartbeat -----------------------------------------------------------------------------------------


def test_a_missed_heartbeat_limits_until_it_is_acknowledged(bench: Bench) -> None:
    assert bench.ask("SY 5 8") == "OK 5 8 0"
    bench.run(s(3))
    assert bench.ask("SY") == "OK 5 8 0"
    bench.run(s(3))
    assert bench.ask("GC", ms(500)) == "OK 6 80 24 24"
    bench.run(s(2))
    assert bench.ask("GC") == "OK 6 80 8 24"
    assert bench.notified()[-1] == "AT 01 01 8 0000"
    assert bench.ask("SY") == "NK 5 8 2"
    assert bench.ask("SY 7") == "NK 5 8 2"
    assert bench.ask("SY 165") == "OK 5 8 1"
    assert bench.ask("GC") == "OK 6 80 24 24"


def test_a_heartbeat_of_0_ends_the_supervision_and_gives_the_current_back(bench: Bench) -> None:
    bench.ask("SY 3 6")
    bench.run(s(5))
    assert bench.ask("GY") == "OK 3 6 2"
    assert bench.ask("SY 0 6") == "OK 0 6 0"
    bench.run(s(20))
    assert bench.ask("GC") == "OK 6 80 24 24"


def test_an_interval_may_wrap(make: Make) -> None:
    bench = make(ConsoleSpec(beat_wraps=True))
    bench.ask("SY 100 6")
    bench.run(s(33))
    assert bench.ask("GY") == "OK 100 6 0"
    bench.run(s(2))
    assert bench.ask("GY") == "OK 100 6 2"  # 100000 modulo 65536 are 34.464 s


# --- notifications -------------------------------------------------------------------------------------


def test_it_tells_of_its_start(bench: Bench) -> None:
    [note] = bench.notes("notification AB")
    assert str(note.details["text"]).startswith("$AB 01 8.2.3^")


def test_a_session_is_notified_step_by_step(bench: Bench) -> None:
    for state in "BCBA":
        bench.vehicle(state)
    assert bench.notified() == [
        "AT 02 02 24 0500",
        "AT 03 03 24 0540",
        "AT 02 02 24 0500",
        "AT 01 01 24 0600",
    ]


def test_a_change_that_a_command_makes_is_told_after_its_reply(make: Make) -> None:
    for first, order in ((False, [b"$OK", b"$AT"]), (True, [b"$AT", b"$OK"])):
        answer = make(ConsoleSpec(notify_first=first)).raw(b"$FD\r")
        assert [part[:3] for part in answer.split(b"\r")[:-1]] == order


def test_an_old_console_tells_states_only(make: Make) -> None:
    bench = make(ConsoleSpec(generation=4))
    bench.vehicle("B")
    bench.ask("SC 10")
    assert [str(note.details["text"]) for note in bench.notes("notification ST")] == ["$ST 02^01"]
    assert bench.notified() == []


def test_a_button_that_is_off_tells_of_its_presses(bench: Bench) -> None:
    bench.ask("FF B 0")
    for kind in ("short", "long", "very_long"):
        bench.tell("charger", "press", kind=kind)
    bench.run(s(1))
    assert [note.details["press"] for note in bench.notes("notification AN")] == [0, 1]
    assert [note.details["mode"] for note in bench.notes("notification WF")] == [2]


def test_a_short_press_may_be_told_before_its_reply(bench: Bench) -> None:
    answer = bench.raw(b"$F1\r")
    assert [part[:3] for part in answer.split(b"\r")[:-1]] == [b"$AT", b"$OK"]
    assert bench.ask("GS").startswith("OK fe")


# --- silence and noise ---------------------------------------------------------------------------------


def test_a_busy_console_answers_late_and_a_deaf_one_not_at_all(make: Make) -> None:
    for deaf, answer in ((False, "OK 0"), (True, "")):
        bench = make(ConsoleSpec(deaf=deaf))
        bench.tell("charger", "busy", span=s(3))
        assert bench.ask("G4", s(2)) == ""
        bench.run(s(4))
        replies = bench.notes("reply G4")
        assert [str(note.details["text"])[1:5] for note in replies] == ([answer] if answer else [])
        assert bool(bench.notes("waiting G4"))


def test_while_it_switches_it_is_busy(make: Make) -> None:
    bench = make(ConsoleSpec(busy=s(2)))
    bench.vehicle("C", ms(300))
    assert bench.outlet.values["contactor_command"] == 1
    assert bench.ask("G4", s(1)) == ""
    bench.run(s(2))
    assert bench.notes("reply G4")


def test_debug_text_stands_between_frames(make: Make) -> None:
    bench = make(ConsoleSpec(chatter=("free 812", "adc $$ 7")))
    assert [bench.ask(each) for each in ("G4", "GV", "G3")] == ["OK 0", "OK 8.2.3 5.2.1", "OK 0"]
    assert bench.notes("text")
    assert not bench.notes("no reply GV")


def test_a_connection_carries_one_stream_for_all_clients() -> None:
    console = _alone()
    console.opened("net", 1, s(1))
    console.opened("net", 2, s(1))
    console.received("net", 2, b"$G4\r", "", s(1))
    console.wake(s(1) + ms(5))
    assert console.wishes == [Send("net", b"$OK 0^30\r", 1), Send("net", b"$OK 0^30\r", 2)]
    console.ended("net", 1, "closed", s(2))
    console.wishes.clear()
    console.received("net", 2, b"$G4\r", "", s(2))
    console.wake(s(3))
    assert console.wishes == [Send("net", b"$OK 0^30\r", 2)]


# --- seeded-fault hooks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "sent", "answered"),
    [
        ({"reply_check": Check.SUM}, b"$FE\r", b"$OK*" + f"{sum(b'$OK') & 0xFF:02X}".encode() + b"\r"),
        ({"reply_check": Check.NONE}, b"$FE\r", b"$OK\r"),
        ({"check_offset": 1}, b"$FE\r", b"$OK^21\r"),
        ({"lower_case": True}, b"$FE :A5\r", b"$OK :A5^4e\r"),
        ({"ids": False}, b"$FE :A5\r", b"$OK^20\r"),
        ({"id_with_bad_check": True}, b"$FE :A5^00\r", b"$NK :A5^4F\r"),
        ({"verify": False}, b"$FE^00\r", b"$OK^20\r"),
        ({"checks": (Check.XOR,)}, b"$FE*AF\r", b"$NK^21\r"),
        ({"line_end": "\r\n"}, b"$FE\r", b"$OK^20\r\n"),
        ({"resync": False}, b"$FB$FE\r", b"$NK^21\r"),
        ({"buffer": 64}, b"$FE" + b"x" * 40 + b"\r", b"$OK^20\r"),
        ({"max_tokens": 3}, b"$ST 0 0 0 0\r", b"$NK^21\r"),
        ({"any_count": True}, b"$FE 1 2\r", b"$OK^20\r"),
        ({"mute": frozenset({"G4"})}, b"$G4\r", b""),
        ({"clamp_ok": True}, b"$SC 5\r", encode("OK", "6")),
        ({"clamp": False}, b"$SC 5\r", encode("NK", "24")),
        ({"limits_anywhere": True}, b"$S3 4\r", b"$OK^20\r"),
    ],
)
def test_an_edit_of_the_spec_changes_this_console(
    make: Make, edit: dict[str, Any], sent: bytes, answered: bytes
) -> None:
    bench = make(ConsoleSpec(notifies=False).but(**edit))
    assert bench.raw(sent) == answered


def test_edits_of_single_commands(make: Make) -> None:
    spec = ConsoleSpec().without("GU").silent_on("GV").ignoring("SC").answering("G4", "OK 7").misreading("voltage", 1.1)
    bench = make(spec)
    assert [bench.ask(each) for each in ("GU", "SC 10", "GE", "G4", "GG")] == [
        "NK",
        "OK",
        "OK 24 0001",
        "OK 7",
        "OK 0 253000",
    ]
    assert bench.ask("GV") == ""


@pytest.mark.parametrize(
    "make_spec",
    [
        lambda: ConsoleSpec(generation=3),
        lambda: ConsoleSpec().without("QQ"),
        lambda: ConsoleSpec().misreading("humidity", 1.0),
    ],
)
def test_a_spec_that_means_nothing_is_refused(make_spec: Any) -> None:
    with pytest.raises(UsageError):
        make_spec()


def test_an_unknown_order_is_refused(bench: Bench) -> None:
    with pytest.raises(UsageError, match="it knows press"):
        bench.tell("charger", "sing")


# --- robustness ----------------------------------------------------------------------------------------


def _alone() -> Console:
    spec = ConsoleSpec()
    values = {"cp_high": 12.0, "cp_low": -12.0, "pe_ok": 1.0}
    console = Console("charger", "net", PilotCharger(spec, lambda name, now: values.get(name, 0.0)), spec)
    console.wake(s(1))
    console.wake(s(1) + ms(5))
    console.wishes.clear()
    return console


def test_a_hundred_thousand_mutated_lines_neither_stop_nor_grow_the_console() -> None:
    rng = random.Random(3)
    console, now = _alone(), s(1)
    names, answers = sorted(COMMANDS), 0
    for number in range(100_000):
        now += rng.choice((0, ms(1), ms(50), s(1)))
        tokens = [rng.choice(names), *(str(rng.randrange(300)) for _ in range(rng.randrange(5)))]
        line = bytearray(encode(*tokens, check=rng.choice(list(Check))))
        for _ in range(rng.randrange(3)):
            at = rng.randrange(len(line) + 1)
            line[at : at + rng.randrange(2)] = rng.randbytes(rng.randrange(3))
        console.received("net", 0, bytes(line), "framing" if number % 100 == 0 else "", now)
        if number % 3 == 0:
            console.wake(now)
        answers += len(console.wishes)
        console.wishes.clear()
        console.actuations.clear()
    assert answers > 20_000
    console.order("restart", {}, now)
    for _ in range(100):
        now += ms(20)
        console.wake(now)
    console.wishes.clear()
    console.received("net", 0, b"\r$GV^35\r", "", now)
    console.wake(now + ms(10))
    assert console.wishes == [Send("net", b"$OK 8.2.3 5.2.1^2F\r")]
