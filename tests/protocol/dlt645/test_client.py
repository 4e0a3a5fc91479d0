"""The master: answers, refusals, what follows, echoes, strangers, silence, noise."""

from __future__ import annotations

import random
from datetime import datetime

import pytest

from hil.protocol.dlt645 import (
    BROADCAST,
    Answer,
    ErrorWord,
    Event,
    Frame,
    Garbled,
    Master,
    MasterSettings,
    NoAnswer,
    ReadServer,
    Refused,
    Stray,
)
from hil.units import Instant, ms, s

METER = "000000000161"
ENERGY = 0x00010000


def asking(di: int = ENERGY, settings: MasterSettings | None = None) -> Master:
    master = Master(settings)
    master.read(METER, di, now=0)
    master.take_output()
    return master


def one(master: Master) -> Event:
    [event] = master.take_events()
    return event


def run_to(master: Master, end: Instant) -> None:
    for _ in range(1000):
        deadline = master.next_deadline()
        if deadline is None or deadline > end:
            return
        master.wake(deadline)
    raise AssertionError("the master wakes for ever")


def test_a_part_that_comes_twice_is_not_put_into_the_value_twice() -> None:
    master = asking(0x0001FF00)
    di = bytes.fromhex("00FF0100")
    part = Frame(METER, 0xB2, di + bytes(4) + b"\x01").encode()
    master.receive(Frame(METER, 0xB1, di + bytes(4)).encode(), ms(100))
    master.receive(part, ms(200))
    master.receive(part, ms(300))
    master.receive(Frame(METER, 0x92, di + bytes(4) + b"\x02").encode(), ms(400))
    stray, answer = master.take_events()
    assert isinstance(stray, Stray)
    assert stray.why == "part 01, 02 was asked"
    assert isinstance(answer, Answer)
    assert (len(answer.data), answer.parts) == (12, 3)


def test_a_read_and_its_value() -> None:
    master = Master()
    ticket = master.read(METER, ENERGY, now=ms(1))
    assert master.take_output() == bytes.fromhex("FEFEFEFE 6861010000000068 1104 33333433 1416")
    master.receive(bytes.fromhex("6861010000000068 9108 33333433 59333333 8A16"), ms(90))
    answer = one(master)
    assert isinstance(answer, Answer)
    assert (answer.request.ticket, answer.address, answer.latency) == (ticket, METER, ms(89))
    assert [value.number for value in answer.values] == [0.26]
    assert master.idle


def test_an_address_is_asked_of_anybody() -> None:
    master = Master()
    master.read_address(now=0)
    assert master.take_output() == bytes.fromhex("FEFEFEFE68AAAAAAAAAAAA681300DF16")
    master.receive(bytes.fromhex("FEFEFEFE6811111111111168930644444444444467 16"), ms(90))
    answer = one(master)
    assert isinstance(answer, Answer)
    assert (answer.address, answer.data) == ("1" * 12, b"\x11" * 6)


def test_a_refusal() -> None:
    master = asking()
    master.receive(Frame(METER, 0xD1, b"\x02").encode(), ms(90))
    refused = one(master)
    assert isinstance(refused, Refused)
    assert (refused.error, refused.detail) == (ErrorWord.NO_SUCH_DATA, None)


def test_a_refusal_of_the_security_class_has_two_bytes_and_one_without_data_none() -> None:
    for data, error, detail in ((b"\x01\x08", 1, 8), (b"", 0, None)):
        master = Master()
        master.request(METER, 0x1C, bytes(16), now=0)
        master.receive(Frame(METER, 0xDC, data).encode(), ms(90))
        refused = one(master)
        assert isinstance(refused, Refused)
        assert (int(refused.error), refused.detail) == (error, detail)


def test_what_follows_is_read_on() -> None:
    stored = bytes(range(250)) * 2
    server = ReadServer(lambda di: stored if di == 0x0001FF00 else None)
    master = Master()
    master.read(METER, 0x0001FF00, now=0)
    requests, now = [], 0
    for _ in range(5):
        output = master.take_output()
        if not output:
            break
        now += ms(100)
        frame = Frame(METER, output[4 + 8], bytes(byte - 0x33 & 0xFF for byte in output[4 + 10 : -2]))
        requests.append((frame.control, frame.data.hex()))
        answer = server.answer(frame, METER)
        assert len(answer.data) <= 200
        master.receive(answer.encode(), now)
    assert requests == [(0x11, "00ff0100"), (0x12, "00ff010001"), (0x12, "00ff010002")]
    event = one(master)
    assert isinstance(event, Answer)
    assert (event.data, event.parts, event.first, event.at) == (stored, 3, ms(100), ms(300))


@pytest.mark.parametrize(
    "data", [b"", b"\x00\xff\x01", b"\x00\x00\x00\x00", b"\x00\xff\x01\x00\x02", b"\x00\xff\x01\x00"]
)
def test_nothing_else_can_be_read_on(data: bytes) -> None:
    server = ReadServer(lambda di: bytes(300) if di == 0x0001FF00 else None)
    server.answer(Frame(METER, 0x11, b"\x00\xff\x01\x00"), METER)
    assert server.answer(Frame(METER, 0x12, data), METER).control == 0xD2


def test_the_echo_of_an_adapter_is_dropped_once() -> None:
    master = Master()
    master.read(METER, ENERGY, now=0)
    sent = master.take_output()
    master.receive(sent, ms(80))
    assert master.take_events() == []
    master.receive(sent, ms(160))
    stray = one(master)
    assert isinstance(stray, Stray)
    assert stray.why == "another master"


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (Frame("000000000162", 0x91, bytes(8)), "meter 000000000162, 000000000161 was asked"),
        (Frame(METER, 0x93, bytes(6)), "function 13, 11 was asked"),
        (Frame(METER, 0x91, bytes.fromhex("0001010200000000")), "item 02010100, 00010000 was asked"),
        (Frame(METER, 0x91), "item , 00010000 was asked"),
    ],
)
def test_an_answer_to_something_else_is_a_stray(frame: Frame, why: str) -> None:
    master = asking()
    master.receive(frame.encode(), ms(90))
    stray = one(master)
    assert isinstance(stray, Stray)
    assert stray.why == why
    assert not master.idle


def test_an_answer_nobody_asked_for_is_a_stray() -> None:
    master = Master()
    master.receive(Frame(METER, 0x91, bytes(8)).encode(), 0)
    stray = one(master)
    assert isinstance(stray, Stray)
    assert stray.why == "nothing was asked"


def test_a_broadcast_is_not_waited_for() -> None:
    master = Master()
    master.broadcast_time(datetime(2017, 6, 5, 10, 22, 51), now=0)
    assert master.take_output()[4:] == bytes.fromhex("68999999999999680806845543 38394A4B16")
    master.request(BROADCAST, 0x16, b"\x99\x99\x99\x99", now=0)
    assert master.take_output() == b""
    run_to(master, ms(50))
    assert master.take_output() != b""


def test_the_next_request_waits_for_its_pause() -> None:
    master = asking()
    master.read(METER, 0x02010100, now=0)
    master.receive(Frame(METER, 0x91, bytes.fromhex("0000010026000000")).encode(), ms(90))
    assert master.take_output() == b""
    assert master.next_deadline() == ms(140)
    master.wake(ms(140))
    assert master.take_output() != b""


def test_silence_is_retried_and_then_told() -> None:
    master = asking(settings=MasterSettings(retries=1, patience=s(1)))
    run_to(master, s(1))
    assert master.take_output() != b""
    assert master.take_events() == []
    run_to(master, s(2))
    event = one(master)
    assert isinstance(event, NoAnswer)
    assert (event.request.tries, event.at) == (2, s(2))


def test_half_a_frame_is_told_after_the_longest_pause() -> None:
    master = asking()
    master.receive(bytes.fromhex("6861010000000068 9108 3333"), ms(90))
    assert master.take_events() == []
    run_to(master, ms(590))
    event = one(master)
    assert isinstance(event, Garbled)
    assert (event.why, event.at) == ("short", ms(590))


def test_a_hundred_thousand_mutated_answers_neither_stop_nor_grow_the_master() -> None:
    rng = random.Random(11)
    master, now, answers = Master(), 0, 0
    for number in range(100_000):
        now += rng.choice((ms(10), ms(60), ms(600)))
        if master.idle:
            master.read(METER, rng.choice((ENERGY, 0x02010100, 0x0001FF00)), now=now)
        asked = rng.choice((ENERGY, 0x02010100, 0x0001FF00)).to_bytes(4, "little")
        control = rng.choice((0x91, 0x91, 0xB1, 0xD1, 0x92, 0xB2, 0x11, 0x93))
        raw = bytearray(Frame(METER, control, asked + rng.randbytes(rng.randrange(12))).encode(rng.randrange(5)))
        for _ in range(rng.randrange(2)):
            at = rng.randrange(len(raw))
            raw[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        master.receive(bytes(raw), now, "parity" if number % 40 == 0 else "")
        master.take_output()
        answers += sum(isinstance(event, Answer) for event in master.take_events())
    assert answers > 1000
    run_to(master, now + s(10))
    master.take_events()
    master.read(METER, ENERGY, now=now + s(11))
    master.receive(Frame(METER, 0x91, bytes.fromhex("0000010026000000")).encode(), now + s(11) + ms(90))
    assert isinstance(one(master), Answer)
