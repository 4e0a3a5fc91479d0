"""The client: what real consoles do between a command and its reply must not confuse it."""

from __future__ import annotations

import random

import pytest

from hil.protocol.rapi import (
    Check,
    Client,
    ClientSettings,
    Event,
    Garbled,
    NoReply,
    Notification,
    Reply,
    Text,
    Unasked,
    Waiting,
    encode,
)
from hil.units import Instant, ms, s

PLAIN = ClientSettings(sequence=False)


def reply(*tokens: str, sequence: int | None = None, check: Check = Check.XOR) -> bytes:
    return encode(*tokens, sequence=sequence, check=check)


def kinds(client: Client) -> list[str]:
    return [type(event).__name__ for event in client.take_events()]


def one(client: Client) -> Event:
    [event] = client.take_events()
    return event


def asked(name: str, *parameters: str | int, settings: ClientSettings = PLAIN, now: Instant = 0) -> Client:
    client = Client(settings)
    client.request(name, *parameters, now=now)
    client.take_output()
    return client


def run_to(client: Client, end: Instant) -> None:
    """Wake at every deadline up to an instant; a machine that never gets on fails."""
    for _ in range(1000):
        deadline = client.next_deadline()
        if deadline is None or deadline > end:
            return
        client.wake(deadline)
    raise AssertionError("the client wakes for ever")


# --- asking and answers --------------------------------------------------------------------------------


def test_a_command_goes_out_with_an_id_and_its_reply_is_decoded() -> None:
    client = Client()
    ticket = client.request("GC", now=ms(1))
    assert client.take_output() == reply("GC", sequence=1)
    client.receive(reply("OK", "6", "80", "24", "32", sequence=1), ms(7))
    event = one(client)
    assert isinstance(event, Reply)
    assert event.values == {"min": 6, "hardware_max": 80, "pilot": 24, "configured_max": 32}
    assert (event.request.ticket, event.ok, event.latency, event.wrong) == (ticket, True, ms(6), ())
    assert client.idle
    assert client.next_deadline() is None


@pytest.mark.parametrize(
    ("check", "data"), [(Check.XOR, b"$GS^30\r"), (Check.SUM, b"$GS*BE\r"), (Check.NONE, b"$GS\r")]
)
def test_either_checksum_or_none_can_be_used(check: Check, data: bytes) -> None:
    client = Client(PLAIN)
    client.request("GS", now=0, check=check)
    assert client.take_output() == data


@pytest.mark.parametrize("check", list(Check))
def test_replies_of_every_age_are_taken(check: Check) -> None:
    client = asked("G4")
    client.receive(reply("OK", "1", check=check), ms(5))
    event = one(client)
    assert isinstance(event, Reply)
    assert (event.values, event.frame.check) == ({"locked": 1}, check)


def test_one_command_is_under_way_at_a_time() -> None:
    client = Client(ClientSettings(sequence=False, pause=ms(20)))
    client.request("GS", now=0)
    client.request("GV", now=0)
    assert client.take_output() == reply("GS")
    client.receive(reply("OK", "01", "0", "01", "0000"), ms(5))
    assert client.take_output() == b""
    run_to(client, ms(25))
    assert client.take_output() == reply("GV")


def test_ids_run_from_1_to_255_and_begin_anew() -> None:
    client = Client()
    ids = []
    for _ in range(257):
        client.request("G4", now=0)
        ids.append(int(client.take_output().split(b":")[1][:2], 16))
        client.receive(reply("OK", "0", sequence=ids[-1]), 0)
    assert ids == [*range(1, 256), 1, 2]


def test_a_refusal_and_its_value() -> None:
    client = asked("SC", 5)
    client.receive(b"$NK 6^37\r", ms(5))
    event = one(client)
    assert isinstance(event, Reply)
    assert (event.ok, event.values, event.wrong) == (False, {"amps": 6}, ())


def test_fields_that_the_sheet_does_not_know_are_told_and_not_blamed() -> None:
    client = asked("GG")
    client.receive(reply("OK", "0", "240000", "1", "2"), ms(5))
    event = one(client)
    assert isinstance(event, Reply)
    assert event.ok
    assert event.values == {"current": 0, "voltage": 240000}
    assert event.wrong == ("'1' is one too many", "'2' is one too many")


# --- what comes in between -----------------------------------------------------------------------------


def test_notifications_text_and_line_ends_between_command_and_reply() -> None:
    client = asked("FD")
    client.receive(b"relay off\r\n\n" + reply("AT", "ff", "01", "24", "0000") + b"\nfree 1024$OK", ms(3))
    client.receive(b"^20\r\n", ms(900))
    events = client.take_events()
    assert [type(event) for event in events] == [Text, Notification, Text, Waiting, Reply]
    notification = events[1]
    assert isinstance(notification, Notification)
    assert notification.values == {"state": 0xFF, "pilot": 1, "capacity": 24, "flags": 0}
    assert isinstance(events[-1], Reply)
    assert events[-1].ok


def test_an_old_console_notifies_with_ST() -> None:
    client = Client(PLAIN)
    client.receive(b"$ST 03\r", 0)
    event = one(client)
    assert isinstance(event, Notification)
    assert (event.name, event.values) == ("ST", {"state": 3})


def test_the_echo_of_a_command_is_no_answer() -> None:
    client = asked("ST", 0, 0, 0, 0)
    client.receive(b"$ST 0 0 0 0^23\r\n$OK^20\r\n", ms(5))
    event = one(client)
    assert isinstance(event, Reply)


def test_a_damaged_reply_is_told_and_waited_out() -> None:
    client = asked("GS")
    client.receive(b"$OK 01 0 01 0000^11\r", ms(5))
    assert one(client) == Garbled(b"$OK 01 0 01 0000^11", "checksum 10 is due", ms(5))
    client.receive(b"$OK^2", ms(6), "framing")
    assert one(client) == Garbled(b"$OK^2", "framing", ms(6))
    assert not client.idle


def test_a_reply_that_nobody_asked_for_is_unasked() -> None:
    client = Client(PLAIN)
    client.receive(b"$OK^20\r$XY 1\r", ms(5))
    assert kinds(client) == ["Unasked", "Unasked"]


# --- late and never ------------------------------------------------------------------------------------


def test_a_console_may_be_silent_for_seconds() -> None:
    client = asked("FE")
    run_to(client, s(8))
    assert kinds(client) == ["Waiting"]
    client.receive(b"$OK^20\r", s(9))
    event = one(client)
    assert isinstance(event, Reply)
    assert (event.latency, event.given_up) == (s(9), False)


def test_silence_for_ever_is_given_up_and_the_next_command_goes_out() -> None:
    client = asked("FE")
    client.request("GV", now=0)
    run_to(client, s(10))
    assert kinds(client) == ["Waiting", "NoReply"]
    assert client.take_output() == reply("GV")


def test_a_late_reply_is_not_taken_for_the_next_one_by_its_id() -> None:
    client = Client()
    for name in ("G4", "G3"):
        client.request(name, now=0)
    run_to(client, s(10))
    client.take_events()
    client.receive(reply("OK", "1", sequence=1) + reply("OK", "8", sequence=2), s(10) + ms(9))
    first, second = client.take_events()
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert (first.request.name, first.values, first.given_up) == ("G4", {"locked": 1}, True)
    assert (second.request.name, second.values, second.given_up) == ("G3", {"quarters": 8}, False)


def given_up(first: str, then: str) -> Client:
    """The first command was given up at 10 s; the second one is under way."""
    client = asked(first)
    client.request(then, now=0)
    run_to(client, s(10))
    client.take_output()
    client.take_events()
    return client


def test_without_ids_the_form_of_a_late_reply_tells() -> None:
    client = given_up("GC", "GV")
    client.receive(reply("OK", "6", "80", "24", "24"), s(10) + ms(9))
    late = one(client)
    assert isinstance(late, Reply)
    assert (late.request.name, late.given_up) == ("GC", True)
    client.receive(reply("OK", "8.2.3", "5.2.1"), s(10) + ms(9))
    own = one(client)
    assert isinstance(own, Reply)
    assert own.request.name == "GV"


def test_without_ids_two_replies_of_one_form_are_told_apart_by_their_order() -> None:
    client = given_up("G4", "G3")
    client.receive(reply("OK", "1"), s(10) + ms(9))
    assert client.take_events() == []
    client.receive(reply("OK", "8"), s(10) + ms(30))
    late, own = client.take_events()
    assert isinstance(late, Reply)
    assert isinstance(own, Reply)
    assert (late.request.name, late.values, late.at) == ("G4", {"locked": 1}, s(10) + ms(9))
    assert (own.request.name, own.values) == ("G3", {"quarters": 8})


def test_without_ids_a_single_reply_is_that_of_the_command_under_way() -> None:
    client = given_up("G4", "G3")
    client.receive(reply("OK", "8"), s(10) + ms(6))
    run_to(client, s(11))
    own = one(client)
    assert isinstance(own, Reply)
    assert (own.request.name, own.values, own.at) == ("G3", {"quarters": 8}, s(10) + ms(6))


def test_a_bare_refusal_may_belong_to_either() -> None:
    client = given_up("GC", "GV")
    client.receive(b"$NK^21\r", s(10) + ms(9))
    assert client.take_events() == []
    client.receive(reply("OK", "8.2.3", "5.2.1"), s(10) + ms(30))
    late, own = client.take_events()
    assert isinstance(late, Reply)
    assert isinstance(own, Reply)
    assert (late.request.name, late.ok, own.request.name, own.ok) == ("GC", False, "GV", True)


def test_a_refusal_with_a_value_belongs_to_what_has_one() -> None:
    client = given_up("SC", "GV")
    client.receive(b"$NK 6^37\r", s(10) + ms(9))
    late = one(client)
    assert isinstance(late, Reply)
    assert (late.request.name, late.values, late.given_up) == ("SC", {"amps": 6}, True)


def test_a_flood_of_requests_drops_the_oldest() -> None:
    client = Client(PLAIN)
    for _ in range(300):
        client.request("G4", now=0)
    answered = 0
    while not client.idle:
        client.take_output()
        client.receive(b"$OK 0^30\r", 0)
        answered += len(client.take_events())
    assert answered == 257  # one under way, 256 in the queue


def test_what_was_given_up_is_forgotten_in_time() -> None:
    client = given_up("G4", "G3")
    run_to(client, s(20))
    assert kinds(client) == ["Waiting", "NoReply"]
    client.request("G3", now=s(100))
    client.take_output()
    client.receive(reply("OK", "8"), s(100) + ms(6))
    assert kinds(client) == ["Reply"]


def test_a_restart_ends_the_waiting() -> None:
    client = asked("FR")
    client.receive(b"$AB 01 8.2.3\r", s(2))
    restarted = client.take_events()[-1]
    assert isinstance(restarted, NoReply)
    assert restarted.why == "restarted"
    client.request("GV", now=s(2))
    assert client.take_output() == reply("GV")


def test_raw_bytes_can_be_asked() -> None:
    client = Client(PLAIN)
    client.request_raw(b"$GS^00\r", name="GS", now=0)
    assert client.take_output() == b"$GS^00\r"
    client.receive(b"$NK^21\r", ms(5))
    event = one(client)
    assert isinstance(event, Reply)
    assert (event.ok, event.values) == (False, {})


# --- robustness ----------------------------------------------------------------------------------------

LINES = [
    *(b"$OK^20\r", b"$NK^21\r", b"$OK :05^2B\r", b"$AT 03 03 32 0040^34\r", b"$AB 01 8.2.3\r", b"$ST 02\r"),
    *(b"relay closed\r\n", b"$OK 01 0 01 0000^10\r", b"$OK 6 80 24 24^1E\r", b"$WF 02^17\r", b"$GS^30\r"),
]


@pytest.mark.parametrize("sequence", [True, False])
def test_a_hundred_thousand_mutated_lines_neither_stop_nor_grow_the_client(sequence: bool) -> None:
    rng = random.Random(1)
    client = Client(ClientSettings(sequence=sequence))
    now, replies = 0, 0
    for number in range(50_000):
        now += rng.choice((0, ms(3), ms(40), s(2)))
        if client.idle:
            client.request(rng.choice(("GS", "GC", "FE", "G4", "SY")), now=now)
        line = bytearray(rng.choice(LINES) + rng.choice(LINES))
        for _ in range(rng.randrange(3)):
            line[rng.randrange(len(line))] ^= 1 << rng.randrange(8)
        client.receive(bytes(line), now, "framing" if number % 50 == 0 else "")
        client.take_output()
        replies += sum(isinstance(event, Reply | NoReply | Unasked) for event in client.take_events())
        deadline = client.next_deadline()
        assert deadline is None or deadline > now - s(10)
    assert replies > 10_000
    for _ in range(3):
        now += s(80)
        run_to(client, now)
    client.take_events()
    client.request("GV", now=now)
    answer = client.take_output().replace(b"$GV", b"$OK 1 2").partition(b"^")[0]
    client.receive(b"\r" + answer + b"\r", now + ms(1))
    assert kinds(client)[-1] == "Reply"
