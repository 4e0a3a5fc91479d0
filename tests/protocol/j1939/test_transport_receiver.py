"""The transport endpoint: every rule of the receiver, every abort, wrong behaviours."""

from __future__ import annotations

import pytest

from hil.codec.frame import CanFrame
from hil.protocol.j1939 import Aborted, Ignored, Received, Sent
from hil.units import ms
from tests.protocol.j1939.conftest import (
    ABORT_BCS_TIMEOUT,
    ACK_BCS,
    BCS_PGN,
    BRM_PGN,
    CTS_BCS,
    CTS_BRM,
    RTS_BCS,
    RTS_BRM,
    drain,
    events,
    expires,
    packet,
    receiver,
    sender,
    take,
    to_bms,
    to_charger,
)

# --- receiver --------------------------------------------------------------------------------------------


def test_the_rts_limits_what_one_cts_releases() -> None:
    charger = receiver()
    charger.receive(to_charger("10 31 00 07 03 00 02 00"), 0)
    assert take(charger) == ["11 03 01 FF FF 00 02 00"]
    for number in (1, 2, 3):
        charger.receive(packet(number), ms(number))
    assert take(charger) == ["11 03 04 FF FF 00 02 00"]
    for number in (4, 5, 6):
        charger.receive(packet(number), ms(number))
    assert take(charger) == ["11 01 07 FF FF 00 02 00"]
    charger.receive(packet(7), ms(7))
    assert take(charger) == ["13 31 00 07 FF 00 02 00"]


def test_a_lost_packet_is_asked_for_when_the_others_are_through() -> None:
    charger = receiver()
    charger.receive(to_charger(RTS_BRM), 0)
    take(charger)
    for number in (1, 2, 4, 5, 6):
        charger.receive(packet(number, number), ms(number))
    assert take(charger) == []
    charger.receive(packet(7), ms(7))
    assert take(charger) == ["11 05 03 FF FF 00 02 00"]
    events(charger)
    for number in range(3, 8):
        charger.receive(packet(number, number), ms(100 + number))
    expected = b"".join(bytes([number]) * 7 for number in range(1, 8))
    assert events(charger) == [Received(BRM_PGN, expected, 0, ms(107))]


def test_requests_for_a_lost_packet_end_in_an_abort() -> None:
    charger = receiver(retries=2)
    charger.receive(to_charger(RTS_BCS), 0)
    take(charger)
    for _ in range(2):
        charger.receive(packet(2), ms(1))
        assert take(charger) == [CTS_BCS]
    charger.receive(packet(2), ms(1))
    assert take(charger) == [ABORT_BCS_TIMEOUT]
    assert charger.next_deadline() is None


def test_requests_are_counted_for_each_packet() -> None:
    charger = receiver(retries=1)
    charger.receive(to_charger(RTS_BRM), 0)
    for number in (1, 3, 4, 5, 6, 7):
        charger.receive(packet(number), ms(number))
    assert take(charger)[1:] == ["11 06 02 FF FF 00 02 00"]
    for number in (2, 4, 5, 6, 7):
        charger.receive(packet(number), ms(100 + number))
    assert take(charger) == ["11 05 03 FF FF 00 02 00"]


def test_a_duplicate_packet_is_ignored() -> None:
    charger = receiver()
    charger.receive(to_charger(RTS_BCS), 0)
    charger.receive(packet(1, 1), ms(1))
    charger.receive(packet(1, 9), ms(2))
    charger.receive(packet(2, 2), ms(3))
    assert isinstance(charger.events[0], Ignored)
    assert charger.events[1] == Received(BCS_PGN, b"\1" * 7 + b"\2" * 2, 0, ms(3))


def test_duplicates_do_not_extend_t1_but_going_on_does() -> None:
    charger = receiver()
    charger.receive(to_charger(RTS_BRM), 0)
    charger.receive(packet(1), ms(10))
    for now in range(20, 700, 10):
        charger.receive(packet(1), ms(now))
    assert charger.next_deadline() == ms(760)
    charger.receive(packet(3), ms(700))
    assert charger.next_deadline() == ms(1450)
    charger.receive(packet(3), ms(800))
    charger.receive(packet(9), ms(900))
    assert charger.next_deadline() == ms(1450)


def test_packets_during_a_hold_are_ignored() -> None:
    charger = receiver(holds=1)
    charger.receive(to_charger(RTS_BCS), 0)
    charger.receive(packet(1), ms(1))
    assert isinstance(events(charger)[0], Ignored)
    take(charger)
    charger.wake(ms(500))
    assert take(charger) == [CTS_BCS]


def test_a_new_rts_of_the_same_message_replaces_the_open_one() -> None:
    charger = receiver()
    charger.receive(to_charger(RTS_BCS), 0)
    charger.receive(packet(1, 1), ms(1))
    charger.receive(to_charger(RTS_BCS), ms(2))
    assert take(charger) == [CTS_BCS, CTS_BCS]
    charger.receive(packet(1, 3), ms(3))
    charger.receive(packet(2, 4), ms(4))
    assert events(charger) == [Received(BCS_PGN, b"\3" * 7 + b"\4" * 2, ms(2), ms(4))]


def test_an_rts_of_another_message_is_refused_and_the_open_one_goes_on() -> None:
    charger = receiver()
    charger.receive(to_charger(RTS_BCS), 0)
    take(charger)
    charger.receive(to_charger(RTS_BRM), ms(1))
    assert take(charger) == ["FF 01 FF FF FF 00 02 00"]
    assert events(charger) == [Aborted(BRM_PGN, "receiver", 1, "us", ms(1))]
    charger.receive(packet(1), ms(2))
    charger.receive(packet(2), ms(3))
    assert take(charger) == [ACK_BCS]


@pytest.mark.parametrize(
    "rts",
    [
        "10 31 00 06 FF 00 02 00",  # 49 bytes in 6 packets
        "10 31 00 08 FF 00 02 00",
        "10 31 00 00 FF 00 02 00",
        "10 08 00 02 FF 00 11 00",  # too short for the transport protocol
        "10 00 00 00 FF 00 11 00",
        "10 FA 06 FF FF 00 11 00",  # 1786 bytes
        "10 FF FF FF FF 00 11 00",
    ],
)
def test_wrong_counts_are_not_accepted(rts: str) -> None:
    charger = receiver()
    charger.receive(to_charger(rts), 0)
    assert take(charger) == []
    assert [type(event) for event in events(charger)] == [Ignored]
    assert charger.next_deadline() is None


def test_the_partners_abort_drops_the_partial_message() -> None:
    charger = receiver()
    charger.receive(to_charger(RTS_BCS), 0)
    charger.receive(packet(1), ms(1))
    charger.receive(to_charger("FF 02 FF FF FF 00 11 00"), ms(2))
    assert events(charger) == [Aborted(BCS_PGN, "receiver", 2, "partner", ms(2))]
    charger.receive(packet(2), ms(3))
    assert [type(event) for event in events(charger)] == [Ignored]
    assert charger.next_deadline() is None


def test_an_abort_of_another_message_changes_nothing() -> None:
    charger = receiver()
    charger.receive(to_charger(RTS_BCS), 0)
    charger.receive(to_charger("FF 02 FF FF FF 00 02 00"), ms(2))
    assert [type(event) for event in events(charger)] == [Ignored]
    assert charger.next_deadline() == ms(1250)


@pytest.mark.parametrize(
    "frame",
    [
        CanFrame(0x1CEC57F4, bytes.fromhex(RTS_BCS)),  # to another address
        CanFrame(0x1CEC56F5, bytes.fromhex(RTS_BCS)),  # from another address
        CanFrame(0x1CECFFF4, bytes.fromhex(RTS_BCS)),  # to all
        CanFrame(0x1CED56F4, bytes.fromhex(RTS_BCS)),  # another PF
        CanFrame(0x1DEC56F4, bytes.fromhex(RTS_BCS)),  # data page 1
        CanFrame(0x1EEC56F4, bytes.fromhex(RTS_BCS)),  # extended data page
        CanFrame(0x6F4, bytes.fromhex(RTS_BCS), extended=False),
    ],
)
def test_foreign_frames_are_ignored(frame: CanFrame) -> None:
    charger = receiver()
    charger.receive(frame, 0)
    assert (charger.out, charger.events, charger.next_deadline()) == ([], [], None)


def test_any_priority_is_taken() -> None:
    charger = receiver()
    charger.receive(CanFrame(0x18EC56F4, bytes.fromhex(RTS_BCS)), 0)
    assert take(charger) == [CTS_BCS]


@pytest.mark.parametrize("data", [RTS_BCS[:-3], "10", "", "20 09 00 02 FF 00 11 00", "12 09 00 02 FF 00 11 00"])
def test_malformed_management_and_bam_become_events(data: str) -> None:
    charger = receiver()
    charger.receive(to_charger(data), 0)
    assert take(charger) == []
    assert [type(event) for event in events(charger)] == [Ignored]


def test_both_directions_at_a_time() -> None:
    charger = receiver()
    charger.receive(to_charger(RTS_BCS), 0)
    charger.send(0x3300, bytes(9), 0)
    take(charger)
    charger.receive(to_charger("11 02 01 FF FF 00 33 00"), ms(1))
    charger.receive(packet(1), ms(2))
    charger.receive(packet(2), ms(3))
    charger.wake(ms(11))
    charger.receive(to_charger("13 09 00 02 FF 00 33 00"), ms(12))
    assert [type(event) for event in events(charger)] == [Received, Sent]


def test_reset_drops_everything_without_a_word() -> None:
    charger = receiver(answer_after=ms(5))
    charger.receive(to_charger(RTS_BCS), 0)
    charger.send(0x3300, bytes(9), 0)
    charger.send(0x3400, bytes(9), 0)
    take(charger)
    charger.reset()
    assert charger.next_deadline() is None
    charger.wake(ms(5000))
    assert (charger.out, charger.events) == ([], [])


# --- wrong behaviours, as seeded faults use them ---------------------------------------------------------


def test_answers_can_be_late() -> None:
    charger = receiver(answer_after=ms(300))
    charger.receive(to_charger(RTS_BCS), 0)
    expires(charger, 0, ms(300))
    assert take(charger) == [CTS_BCS]
    assert charger.next_deadline() == ms(1550)
    charger.receive(packet(1), ms(400))
    charger.receive(packet(2), ms(410))
    expires(charger, ms(410), ms(300))
    assert take(charger) == [ACK_BCS]


def test_late_answers_are_bounded() -> None:
    charger = receiver(answer_after=ms(300))
    for number in range(1000):
        charger.receive(to_charger(RTS_BCS), number)
    charger.wake(ms(400))
    assert take(charger) == [CTS_BCS] * 16


@pytest.mark.parametrize(
    ("behaviour", "script", "answers"),
    [
        ({"answer_rts": False}, [to_charger(RTS_BCS)], []),
        ({"refuse": 2}, [to_charger(RTS_BCS)], ["FF 02 FF FF FF 00 11 00"]),
        ({"acknowledge": False}, [to_charger(RTS_BCS), packet(1), packet(2)], [CTS_BCS]),
        (
            {"wrong_ack_size": True},
            [to_charger(RTS_BCS), packet(1), packet(2)],
            [CTS_BCS, "13 0A 00 02 FF 00 11 00"],
        ),
        ({"accept_bad_counts": True}, [to_charger("10 31 00 06 FF 00 02 00")], ["11 06 01 FF FF 00 02 00"]),
        ({"accept_bad_counts": True}, [to_charger("10 31 00 00 FF 00 02 00")], []),
        (
            {"accept_without_rts": True, "assume_pgn": BCS_PGN, "assume_size": 9},
            [packet(1), packet(2)],
            [ACK_BCS],
        ),
        (
            {"accept_any_source": True},
            [CanFrame(0x1CEC56F5, bytes.fromhex(RTS_BCS))],
            [CTS_BCS],
        ),
        ({"ignore_limit": True}, [to_charger("10 31 00 07 03 00 02 00")], [CTS_BRM]),
        ({"accept_incomplete": True}, [to_charger(RTS_BCS), packet(2)], [CTS_BCS, ACK_BCS]),
        ({"ignore_sequence": True}, [to_charger(RTS_BCS), packet(2), packet(1)], [CTS_BCS, ACK_BCS]),
        (
            {"ignore_new_rts": True},
            [to_charger(RTS_BCS), packet(1), to_charger(RTS_BCS), packet(2)],
            [CTS_BCS, ACK_BCS],
        ),
        (
            {"ignore_abort": True},
            [to_charger(RTS_BCS), to_charger("FF 01 FF FF FF 00 11 00"), packet(1), packet(2)],
            [CTS_BCS, ACK_BCS],
        ),
    ],
)
def test_wrong_receivers(behaviour: dict[str, object], script: list[CanFrame], answers: list[str]) -> None:
    charger = receiver(**behaviour)
    for number, frame in enumerate(script):
        charger.receive(frame, ms(number))
    assert take(charger) == answers


def test_the_reason_after_a_timeout_can_be_another() -> None:
    charger = receiver(timeout_reason=250)
    charger.receive(to_charger(RTS_BCS), 0)
    take(charger)
    charger.wake(ms(1250))
    assert take(charger) == ["FF FA FF FF FF 00 11 00"]


def test_a_connection_can_be_dropped_without_a_word() -> None:
    charger = receiver(abort_on_timeout=False)
    charger.receive(to_charger(RTS_BCS), 0)
    take(charger)
    charger.wake(ms(1250))
    assert take(charger) == []
    assert events(charger) == [Aborted(BCS_PGN, "receiver", 3, "us", ms(1250))]


@pytest.mark.parametrize(
    ("behaviour", "numbers"),
    [
        ({"drop_packets": (3,)}, [1, 2, 4, 5, 6, 7]),
        ({"swap_packets": True}, [2, 1, 3, 4, 5, 6, 7]),
        ({"stop_after": 2}, [1, 2]),
        ({"stop_after": 0}, []),
    ],
)
def test_wrong_senders(behaviour: dict[str, object], numbers: list[int]) -> None:
    bms = sender(**behaviour)
    bms.send(BRM_PGN, bytes(49), 0)
    bms.out.clear()
    bms.receive(to_bms(CTS_BRM), 0)
    assert drain(bms, 0) == numbers


def test_wrong_announcements_and_source() -> None:
    bms = sender(announce_size=50, announce_packets=6, source=0xF5)
    bms.send(BRM_PGN, bytes(49), 0)
    assert bms.out == [CanFrame(0x1CEC56F5, bytes.fromhex("10 32 00 06 FF 00 02 00"))]


def test_a_sender_that_aborts_in_the_middle() -> None:
    bms = sender(abort_after=3)
    bms.send(BRM_PGN, bytes(49), 0)
    take(bms)
    bms.receive(to_bms(CTS_BRM), 0)
    bms.wake(ms(10))
    bms.wake(ms(20))
    assert [line[:2] for line in take(bms)] == ["01", "02", "03", "FF"]
    assert bms.next_deadline() is None
