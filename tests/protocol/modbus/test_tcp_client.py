"""The client of a TCP connection."""

from __future__ import annotations

import pytest

from hil.errors import UsageError
from hil.protocol.modbus import (
    Answered,
    ExceptionReply,
    Fault,
    Faulty,
    Lost,
    NoReply,
    Registers,
    Stray,
    StrayKind,
    TcpClient,
    encode_tcp,
    ending,
    read_holding,
)
from hil.units import ms, s

READ = read_holding(0x10, 2)
GOOD = bytes.fromhex("03 04 00 01 00 02")
TWO = Registers(3, (1, 2))


@pytest.fixture
def client() -> TcpClient:
    return TcpClient(unit=7, timeout=s(1))


def test_request_and_reply(client: TcpClient) -> None:
    token = client.request(READ, ms(5))
    assert client.bytes_to_send() == [bytes.fromhex("00 01 00 00 00 06 07 03 00 10 00 02")]
    assert client.bytes_to_send() == []
    assert client.next_deadline() == ms(1005)
    client.receive(encode_tcp(1, 7, GOOD), ms(8))
    (event,) = client.events()
    assert isinstance(event, Answered)
    assert (event.reply, event.at, event.took, event.refused) == (TWO, ms(8), ms(3), False)
    assert ending(event) == event.transaction.token == token
    assert (client.next_deadline(), client.pending) == (None, 0)


def test_an_exception_is_an_answer(client: TcpClient) -> None:
    client.request(READ, 0)
    client.receive(encode_tcp(1, 7, b"\x83\x02"), ms(1))
    (event,) = client.events()
    assert isinstance(event, Answered)
    assert event.refused
    assert isinstance(event.reply, ExceptionReply)
    assert event.reply.text == "02 illegal data address"


def test_pipelined_replies_in_any_order_and_cut_anywhere(client: TcpClient) -> None:
    tokens = [client.request(READ, 0) for _ in range(3)]
    replies = b"".join(encode_tcp(number, 7, GOOD) for number in (3, 1, 2))
    for at in range(len(replies)):
        client.receive(replies[at : at + 1], at)
    events = client.events()
    assert [event.reply for event in events if isinstance(event, Answered)] == [TWO] * 3
    assert [ending(event) for event in events] == [tokens[2], tokens[0], tokens[1]]


def test_no_reply(client: TcpClient) -> None:
    token = client.request(READ, 0, timeout=ms(300))
    client.request(READ, 0)
    client.wake(ms(299))
    assert client.events() == []
    client.wake(ms(300))
    (event,) = client.events()
    assert isinstance(event, NoReply)
    assert ending(event) == token
    assert event.show() == "no reply within 300 ms to 00 01 00 00 00 06 07 03 00 10 00 02"
    assert client.next_deadline() == s(1)


def test_half_a_reply_is_shown_when_no_more_comes(client: TcpClient) -> None:
    client.request(READ, 0)
    client.receive(encode_tcp(1, 7, GOOD)[:9], ms(1))
    client.wake(s(1))
    (event,) = client.events()
    assert isinstance(event, Faulty)
    assert event.final
    assert event.show() == (
        "short frame: 9 bytes of a frame, and no more within the time-out; came 00 01 00 00 00 07 07 03 04, "
        "due 00 01 00 00 00 07 07 03 04 ?? ?? ?? ?? or 00 01 00 00 00 03 07 83 ??"
    )
    client.request(READ, s(2))
    client.receive(encode_tcp(2, 7, GOOD), s(2))
    assert isinstance(client.events()[0], Answered)


def test_a_wrong_transaction_id_is_told_and_the_right_one_still_taken(client: TcpClient) -> None:
    client.request(READ, 0)
    client.receive(encode_tcp(2, 7, GOOD) + encode_tcp(1, 7, GOOD), ms(1))
    wrong, right = client.events()
    assert isinstance(wrong, Faulty)
    assert (wrong.malformed.fault, wrong.final, ending(wrong)) == (Fault.WRONG_TRANSACTION, False, None)
    assert isinstance(right, Answered)


def test_late_repeated_and_unasked_replies(client: TcpClient) -> None:
    client.request(READ, 0)
    client.receive(encode_tcp(1, 7, GOOD) * 2, ms(1))
    client.request(READ, 0)
    client.wake(s(1))
    client.receive(encode_tcp(2, 7, GOOD) + encode_tcp(99, 7, GOOD), s(1))
    strays = [event for event in client.events() if isinstance(event, Stray)]
    assert [event.kind for event in strays] == [StrayKind.REPEATED, StrayKind.LATE, StrayKind.UNASKED]
    assert [event.transaction.token if event.transaction else None for event in strays] == [1, 2, None]


def test_an_impossible_length_gives_up_what_is_there(client: TcpClient) -> None:
    client.request(READ, 0)
    client.receive(encode_tcp(1, 7, GOOD, length=1), ms(1))
    client.receive(encode_tcp(1, 7, GOOD), ms(2))
    wrong, right = client.events()
    assert isinstance(wrong, Faulty)
    assert (wrong.malformed.fault, wrong.malformed.text) == (
        Fault.WRONG_LENGTH,
        "the length field is 1, allowed is 2..254",
    )
    assert isinstance(right, Answered)


def test_the_end_of_the_connection(client: TcpClient) -> None:
    client.request(READ, 0)
    client.receive(b"\x00\x01", ms(1))
    client.closed(ms(2))
    stray, lost = client.events()
    assert isinstance(stray, Stray)
    assert isinstance(lost, Lost)
    assert (client.pending, client.next_deadline()) == (0, None)


def test_a_wrong_header_can_be_sent(client: TcpClient) -> None:
    client.request(READ, 0, unit=1, transaction=0xABCD, protocol=1, length=9)
    client.send_bytes(b"\x00")
    assert client.bytes_to_send() == [bytes.fromhex("AB CD 00 01 00 09 01 03 00 10 00 02"), b"\x00"]
    with pytest.raises(UsageError, match="transaction id 43981 is open"):
        client.request(READ, 0, transaction=0xABCD)


def test_ids_go_round_past_those_that_are_open(client: TcpClient) -> None:
    client.request(READ, 0, transaction=1, timeout=s(1000))
    for number in range(70_000):
        client.request(READ, 0)
        (frame,) = client.bytes_to_send()[-1:]
        assert frame[:2] != b"\x00\x01" or number == 0
        client.receive(frame[:2] + encode_tcp(0, 7, GOOD)[2:], 0)
    assert sum(isinstance(event, Answered) for event in client.events()) == 70_000
    assert client.pending == 1
