"""The client of a serial line."""

from __future__ import annotations

import pytest

from hil.protocol.modbus import (
    Answered,
    Event,
    Fault,
    Faulty,
    NoReply,
    Registers,
    RtuClient,
    RtuTiming,
    Stray,
    encode_rtu,
    read_holding,
    write_register,
)
from hil.units import Instant, Span, ms, s

READ = read_holding(0x10, 2)
GOOD = bytes.fromhex("03 04 00 01 00 02")
REPLY = encode_rtu(5, GOOD)
TWO = Registers(3, (1, 2))
TIMING = RtuTiming.of(9600)
BYTE = TIMING.character


def new(**options: bool) -> RtuClient:
    return RtuClient(5, TIMING, timeout=s(1), **options)


def run(client: RtuClient, until: Instant) -> list[Event]:
    """Wake it at its deadlines up to an instant."""
    while (deadline := client.next_deadline()) is not None and deadline <= until:
        client.wake(deadline)
    return client.events()


def heard(client: RtuClient, data: bytes, begun: Instant, gap: Span = 0) -> Instant:
    """Let bytes come one by one with a gap between them; the instant at which the last one ended."""
    for index in range(len(data)):
        begun += BYTE + (gap if index else 0)
        run_to = client.next_deadline()
        if run_to is not None and run_to <= begun - BYTE:
            client.wake(run_to)
        client.receive(data[index : index + 1], begun)
    return begun


def test_request_and_reply_end_with_the_silence() -> None:
    client = new()
    client.request(READ, ms(1))
    assert client.bytes_to_send() == [encode_rtu(5, READ.encode())]
    end = heard(client, REPLY, ms(20))
    assert client.next_deadline() == end + TIMING.between
    (event,) = run(client, end + TIMING.between)
    assert isinstance(event, Answered)
    assert (event.reply, event.at, event.frame) == (TWO, end, REPLY)
    assert client.next_deadline() is None


def test_a_chunk_is_as_good_as_its_bytes() -> None:
    client = new()
    client.request(READ, 0)
    client.receive(REPLY, ms(30))
    assert isinstance(run(client, ms(40))[0], Answered)


def test_the_next_request_waits_for_the_silence_and_for_its_turn() -> None:
    client = new()
    client.request(READ, 0)
    client.request(write_register(1, 2), 0)
    assert (len(client.bytes_to_send()), client.pending) == (1, 2)
    end = heard(client, REPLY, ms(20))
    client.wake(end + TIMING.between - 1)
    assert client.bytes_to_send() == []
    client.wake(end + TIMING.between)
    assert client.bytes_to_send() == [encode_rtu(5, write_register(1, 2).encode())]


def test_a_long_reply_at_a_low_rate_is_waited_for() -> None:
    slow = RtuTiming.of(2400)
    client = RtuClient(1, slow)
    client.request(read_holding(0, 125), 0)
    reply = encode_rtu(1, Registers(3, tuple(range(125))).encode())
    begun = slow.span(8) + s(0.9)
    assert slow.span(len(reply)) > s(1)
    client.wake(begun + s(0.5))
    client.receive(reply, begun + slow.span(len(reply)))
    client.wake(begun + slow.span(len(reply)) + slow.between)
    [event] = client.events()
    assert isinstance(event, Answered)


def test_no_reply_is_counted_from_the_end_of_the_request() -> None:
    client = new()
    client.request(READ, 0)
    due = TIMING.span(8 + 9) + s(1)  # beside what request and reply take on the line
    assert client.next_deadline() == due
    (event,) = run(client, due)
    assert isinstance(event, NoReply)
    assert event.at == due


@pytest.mark.parametrize("gap", [TIMING.inner, TIMING.inner + 1])
def test_a_gap_inside_a_frame_spoils_it_when_it_is_longer_than_t1_5(gap: Span) -> None:
    client = new()
    client.request(READ, 0)
    end = heard(client, REPLY, ms(20), gap)
    (event,) = run(client, end + TIMING.between)
    if gap <= TIMING.inner:
        assert isinstance(event, Answered)
    else:
        assert isinstance(event, Faulty)
        assert (event.malformed.fault, event.malformed.reply, event.final) == (Fault.INNER_GAP, TWO, True)
        assert event.malformed.text == "a gap of 1.71875 ms, allowed is 1.71875 ms"


def test_a_silence_cuts_a_frame_in_two() -> None:
    client = new()
    client.request(READ, 0)
    end = heard(client, REPLY[:5], ms(20))
    end = heard(client, REPLY[5:], end + TIMING.between)
    events = run(client, s(2))
    assert [event.malformed.fault for event in events if isinstance(event, Faulty)] == [
        Fault.SHORT_FRAME,
        Fault.BAD_CRC,
    ]
    assert isinstance(events[-1], NoReply)


def test_where_silences_cannot_be_seen_the_rest_is_waited_for() -> None:
    client = new(strict=False)
    client.request(READ, 0)
    client.receive(REPLY[:5], ms(30))
    assert run(client, ms(90)) == []
    client.receive(REPLY[5:], ms(100))
    (event,) = run(client, ms(120))
    assert isinstance(event, Answered)
    client.request(READ, ms(200))
    client.receive(REPLY[:5], ms(230))
    (short,) = run(client, s(3))
    assert isinstance(short, Faulty)
    assert (short.malformed.fault, short.final) == (Fault.SHORT_FRAME, True)


def test_noise_before_the_reply_is_told_and_the_reply_taken() -> None:
    client = new()
    client.request(READ, 0)
    end = heard(client, b"\xff\xfe", ms(20))
    end = heard(client, REPLY, end + 2 * TIMING.between)
    noise, good = run(client, end + TIMING.between)
    assert isinstance(noise, Faulty)
    assert not noise.final
    assert isinstance(good, Answered)


def test_a_reply_among_stray_bytes_ends_the_transaction() -> None:
    client = new()
    client.request(READ, 0)
    end = heard(client, b"\xff" + REPLY, ms(20))
    (event,) = run(client, end + TIMING.between)
    assert isinstance(event, Faulty)
    assert (event.malformed.fault, event.malformed.reply) == (Fault.STRAY_BYTES, TWO)
    assert (event.final, client.pending) == (True, 0)


def test_a_frame_of_another_unit_does_not_end_the_transaction() -> None:
    client = new()
    client.request(READ, 0)
    end = heard(client, encode_rtu(6, GOOD), ms(20))
    (event,) = run(client, end + TIMING.between)
    assert isinstance(event, Faulty)
    assert (event.malformed.fault, event.final, client.pending) == (Fault.WRONG_UNIT, False, 1)


def test_the_wrong_error_bit_ends_it() -> None:
    client = new()
    client.request(READ, 0)
    end = heard(client, encode_rtu(5, b"\x0b\x02"), ms(20))
    (event,) = run(client, end + TIMING.between)
    assert isinstance(event, Faulty)
    assert (event.malformed.fault, event.final, client.pending) == (Fault.WRONG_ERROR_BIT, True, 0)


@pytest.mark.parametrize("flaw", ["parity", "framing", "collision"])
def test_a_flaw_of_the_line_spoils_a_frame(flaw: str) -> None:
    client = new()
    client.request(READ, 0)
    client.receive(REPLY, ms(30), flaw)
    (event,) = run(client, ms(40))
    assert isinstance(event, Faulty)
    assert (event.malformed.fault, event.malformed.text) == (Fault.FLAW, f"the receiver tells of {flaw}")
    client.request(READ, ms(50))
    client.receive(REPLY, ms(80))
    assert isinstance(run(client, ms(90))[0], Answered)


def test_a_broadcast_is_followed_by_its_turnaround() -> None:
    client = new()
    client.request(write_register(1, 2), 0, unit=0)
    client.request(READ, 0)
    (event,) = run(client, TIMING.span(8) + client.turnaround)
    assert isinstance(event, NoReply)
    assert len(client.bytes_to_send()) == 2
    client.request(write_register(1, 2), s(5), unit=0)


def test_an_answer_to_a_broadcast_is_undue() -> None:
    client = new()
    client.request(write_register(1, 2), 0, unit=0)
    heard(client, encode_rtu(5, write_register(1, 2).encode()), ms(20))
    fault, none = run(client, s(1))
    assert isinstance(fault, Faulty)
    assert fault.malformed.fault is Fault.UNDUE
    assert isinstance(none, NoReply)


def test_bytes_that_nobody_asked_for() -> None:
    client = new()
    heard(client, b"\x01\x02\x03", 0)
    (event,) = run(client, s(1))
    assert isinstance(event, Stray)
    assert event.data == b"\x01\x02\x03"


def test_a_line_that_babbles_is_cut() -> None:
    client = new()
    client.request(READ, 0)
    end = heard(client, b"\x00" * 2000, ms(10))
    pieces = []
    for event in run(client, end + s(2)):
        assert isinstance(event, Faulty | Stray)
        pieces.append(event.malformed.data if isinstance(event, Faulty) else event.data)
    assert b"".join(pieces) == b"\x00" * 2000
    assert max(map(len, pieces)) == 512


def test_a_wrong_check_and_junk_can_be_sent() -> None:
    client = new()
    client.send_bytes(b"\xff", 0)
    client.request(READ, 0, crc=0)
    assert client.bytes_to_send() == [b"\xff"]
    run(client, ms(10))
    (frame,) = client.bytes_to_send()
    assert frame[-2:] == b"\0\0"


def test_a_late_reply_is_not_taken_for_that_to_the_next_request() -> None:
    """Both ask for two registers of one station: by their form, the late reply could be either's."""
    client = RtuClient(5, TIMING, timeout=s(1), settle=s(1))
    client.request(READ, 0)
    client.request(read_holding(0x20, 2), 0)
    (silent,) = run(client, s(1.5))
    assert isinstance(silent, NoReply)
    end = heard(client, REPLY, s(1.5))
    (stray,) = run(client, end + ms(50))
    assert isinstance(stray, Stray)
    client.bytes_to_send()
    run(client, s(2.5))
    assert client.bytes_to_send() == [encode_rtu(5, read_holding(0x20, 2).encode())]
    end = heard(client, encode_rtu(5, bytes.fromhex("03 04 00 03 00 04")), s(2.6))
    (answered,) = run(client, end + ms(50))
    assert isinstance(answered, Answered)
    assert answered.reply == Registers(3, (3, 4))


def test_a_client_that_does_not_settle_asks_the_next_at_once() -> None:
    client = new()
    client.request(READ, 0)
    client.request(read_holding(0x20, 2), 0)
    run(client, s(1.1))
    assert len(client.bytes_to_send()) == 2
