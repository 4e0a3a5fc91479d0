"""The transport endpoint: the worked transfers of the sheet, every timer, what a CTS may ask."""

from __future__ import annotations

import pytest

from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.protocol.j1939 import Aborted, Ignored, Received, Sent, TpBehaviour, TpTiming, Transport
from hil.units import Instant, ms
from tests.protocol.j1939.conftest import (
    ABORT_BCS_TIMEOUT,
    ACK_BCS,
    BCS_PGN,
    BMS,
    BRM_PGN,
    CHARGER,
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

BRM_LINES = """
1CEC56F4 10 31 00 07 FF 00 02 00
1CECF456 11 07 01 FF FF 00 02 00
1CEB56F4 01 01 01 00 03 B8 0B 38
1CEB56F4 02 18 41 42 43 44 01 00
1CEB56F4 03 00 00 23 06 0F 78 00
1CEB56F4 04 00 01 FF 4C 54 45 53
1CEB56F4 05 54 30 30 30 30 30 30
1CEB56F4 06 30 30 30 30 30 30 01
1CEB56F4 07 0F 06 E4 07 FF FF FF
1CECF456 13 31 00 07 FF 00 02 00
"""
BCS_LINES = """
1CEC56F4 10 09 00 02 FF 00 11 00
1CECF456 11 02 01 FF FF 00 11 00
1CEB56F4 01 EB 17 FF 0A 56 31 2E
1CEB56F4 02 4B 00 FF FF FF FF FF
1CECF456 13 09 00 02 FF 00 11 00
"""


def frames_of(lines: str) -> list[CanFrame]:
    rows = [line.split(maxsplit=1) for line in lines.strip().splitlines()]
    return [CanFrame(int(identifier, 16), bytes.fromhex(data)) for identifier, data in rows]


def content_of(lines: str, size: int) -> bytes:
    return b"".join(frame.data[1:] for frame in frames_of(lines) if frame.id == 0x1CEB56F4)[:size]


ABORT_BRM_TIMEOUT = "FF 03 FF FF FF 00 02 00"


# --- the sheet's worked transfers -----------------------------------------------------------------------


@pytest.mark.parametrize(("lines", "pgn", "size"), [(BRM_LINES, BRM_PGN, 49), (BCS_LINES, BCS_PGN, 9)])
def test_both_ends_reproduce_the_worked_transfer(lines: str, pgn: int, size: int) -> None:
    """Sheet 1.5, frame by frame: each end is shown the other's printed frames and must answer with its own."""
    bms, charger = Transport(BMS, CHARGER), Transport(CHARGER, BMS)
    content = content_of(lines, size)
    bms.send(pgn, content, 0)
    now: Instant = 0
    for printed in frames_of(lines):
        end, other = (bms, charger) if printed.id & 0xFF == BMS else (charger, bms)
        if not end.out:  # the next packet is due 10 ms after the last one
            due = end.next_deadline()
            assert due == now + ms(10)
            now = due
            end.wake(now)
        assert end.out.pop(0) == printed
        other.receive(printed, now)
    assert (bms.out, charger.out) == ([], [])
    gaps = (-(-size // 7) - 1) * ms(10)
    assert events(charger) == [Received(pgn, content, 0, gaps)]
    assert events(bms) == [Sent(pgn, 0, gaps)]
    assert (bms.next_deadline(), charger.next_deadline()) == (None, None)


def test_abort_for_a_timeout_during_bcs_is_the_printed_one() -> None:
    bms = sender()
    bms.send(BCS_PGN, bytes(9), 0)
    bms.wake(ms(1250))
    assert bms.out[-1] == CanFrame(0x1CEC56F4, bytes.fromhex("FF 03 FF FF FF 00 11 00"))


# --- timers ----------------------------------------------------------------------------------------------


def test_t3_after_an_rts_without_answer() -> None:
    bms = sender()
    bms.send(BCS_PGN, bytes(9), 7)
    take(bms)
    expires(bms, 7, ms(1250))
    assert take(bms) == [ABORT_BCS_TIMEOUT]
    assert events(bms) == [Aborted(BCS_PGN, "sender", 3, "us", 7 + ms(1250))]
    assert bms.next_deadline() is None


def test_t3_after_the_last_packet() -> None:
    bms = sender()
    bms.send(BCS_PGN, bytes(9), 0)
    bms.receive(to_bms(CTS_BCS), ms(2))
    bms.wake(ms(12))
    take(bms)
    expires(bms, ms(12), ms(1250))
    assert take(bms) == [ABORT_BCS_TIMEOUT]


def test_t4_after_a_hold() -> None:
    bms = sender()
    bms.send(BCS_PGN, bytes(9), 0)
    take(bms)
    bms.receive(to_bms("11 00 01 FF FF 00 11 00"), ms(100))
    bms.receive(to_bms("11 00 01 FF FF 00 11 00"), ms(600))  # a further hold starts it anew
    expires(bms, ms(600), ms(1050))
    assert take(bms) == [ABORT_BCS_TIMEOUT]


def test_a_hold_is_respected_and_then_released() -> None:
    bms = sender()
    bms.send(BCS_PGN, bytes(9), 0)
    take(bms)
    bms.receive(to_bms("11 00 01 FF FF 00 11 00"), ms(1))
    bms.wake(ms(900))
    assert take(bms) == []
    bms.receive(to_bms(CTS_BCS), ms(900))
    assert take(bms) == ["01 00 00 00 00 00 00 00"]


def test_t2_after_a_cts() -> None:
    charger = receiver()
    charger.receive(to_charger(RTS_BRM), ms(3))
    assert take(charger) == [CTS_BRM]
    expires(charger, ms(3), ms(1250))
    assert take(charger) == [ABORT_BRM_TIMEOUT]
    assert events(charger) == [Aborted(BRM_PGN, "receiver", 3, "us", ms(1253))]
    assert charger.next_deadline() is None


def test_t1_after_a_packet() -> None:
    charger = receiver()
    charger.receive(to_charger(RTS_BRM), 0)
    charger.receive(packet(1), ms(20))
    charger.receive(packet(2), ms(30))
    take(charger)
    expires(charger, ms(30), ms(750))
    assert take(charger) == [ABORT_BRM_TIMEOUT]


def test_t2_again_after_each_cts() -> None:
    charger = receiver(packets_per_cts=1)
    charger.receive(to_charger(RTS_BRM), 0)
    charger.receive(packet(1), ms(20))
    take(charger)
    expires(charger, ms(20), ms(1250))


def test_th_between_holds() -> None:
    charger = receiver(holds=2)
    charger.receive(to_charger(RTS_BRM), 0)
    hold = "11 00 01 FF FF 00 02 00"
    assert take(charger) == [hold]
    expires(charger, 0, ms(500))
    assert take(charger) == [hold]
    expires(charger, ms(500), ms(500))
    assert take(charger) == [CTS_BRM]
    expires(charger, ms(1000), ms(1250))


def test_packets_are_10_ms_apart() -> None:
    bms = sender()
    bms.send(BRM_PGN, bytes(49), 0)
    bms.receive(to_bms(CTS_BRM), ms(1))
    for number in range(1, 7):
        take(bms)
        expires(bms, ms(1) + (number - 1) * ms(10), ms(10))
    assert take(bms) == ["07 00 00 00 00 00 00 00"]


def test_timers_are_data() -> None:
    timing = TpTiming(t1=1, t2=2, t3=3, t4=4, th=5, packet_gap=6)
    bms = Transport(BMS, CHARGER, timing=timing)
    bms.send(BCS_PGN, bytes(9), 100)
    assert bms.next_deadline() == 103
    bms.receive(to_bms("11 00 01 FF FF 00 11 00"), 101)
    assert bms.next_deadline() == 105
    bms.receive(to_bms(CTS_BCS), 102)
    assert bms.next_deadline() == 108
    charger = Transport(CHARGER, BMS, timing=timing, behaviour=TpBehaviour(holds=1))
    charger.receive(to_charger(RTS_BRM), 100)
    assert charger.next_deadline() == 105
    charger.wake(105)
    assert charger.next_deadline() == 107
    charger.receive(packet(1), 106)
    assert charger.next_deadline() == 107


# --- sender: what a CTS may ask --------------------------------------------------------------------------


def test_one_packet_per_cts_is_served() -> None:
    bms = sender()
    content = bytes(range(49))
    bms.send(BRM_PGN, content, 0)
    take(bms)
    for number in range(1, 8):
        now = number * ms(200)
        bms.receive(to_bms(f"11 01 {number:02X} FF FF 00 02 00"), now)
        (frame,) = bms.out
        assert frame.data == bytes([number]) + content[(number - 1) * 7 : number * 7]
        assert drain(bms, now) == [number]
    bms.receive(to_bms("13 31 00 07 FF 00 02 00"), ms(1500))
    assert isinstance(events(bms)[-1], Sent)


def test_an_earlier_packet_is_sent_again_and_the_acknowledge_then_taken() -> None:
    bms = sender()
    bms.send(BRM_PGN, bytes(49), 0)
    bms.receive(to_bms(CTS_BRM), 0)
    assert drain(bms, 0) == [1, 2, 3, 4, 5, 6, 7]
    bms.receive(to_bms("11 01 03 FF FF 00 02 00"), ms(100))
    assert drain(bms, ms(100)) == [3]
    bms.receive(to_bms("13 31 00 07 FF 00 02 00"), ms(110))
    assert isinstance(events(bms)[-1], Sent)


@pytest.mark.parametrize("first", [0, 8, 255, 3])
def test_a_cts_beyond_what_was_sent_is_ignored(first: int) -> None:
    """3 would confirm packet 2, which was never sent."""
    bms = sender()
    bms.send(BRM_PGN, bytes(49), 0)
    bms.receive(to_bms("11 01 01 FF FF 00 02 00"), 0)
    assert drain(bms, 0) == [1]
    deadline = bms.next_deadline()
    bms.receive(to_bms(f"11 01 {first:02X} FF FF 00 02 00"), ms(50))
    assert take(bms) == []
    assert isinstance(events(bms)[-1], Ignored)
    assert bms.next_deadline() == deadline


def test_a_cts_for_more_than_there_is_releases_the_rest() -> None:
    bms = sender()
    bms.send(BCS_PGN, bytes(9), 0)
    bms.receive(to_bms("11 FF 01 FF FF 00 11 00"), 0)
    assert drain(bms, 0) == [1, 2]


def test_a_cts_never_releases_more_than_the_rts_allowed() -> None:
    bms = sender(most_per_cts=3)
    bms.send(BRM_PGN, bytes(49), 0)
    assert take(bms) == ["10 31 00 07 03 00 02 00"]
    bms.receive(to_bms(CTS_BRM), 0)
    assert drain(bms, 0) == [1, 2, 3]


@pytest.mark.parametrize("count", ["07", "00"])
def test_a_cts_while_sending_aborts_at_once(count: str) -> None:
    bms = sender()
    bms.send(BRM_PGN, bytes(49), 0)
    bms.receive(to_bms(CTS_BRM), 0)
    take(bms)
    bms.receive(to_bms(f"11 {count} 01 FF FF 00 02 00"), ms(5))
    assert take(bms) == ["FF 01 FF FF FF 00 02 00"]
    assert events(bms) == [Aborted(BRM_PGN, "sender", 1, "us", ms(5))]
    assert bms.next_deadline() is None


def test_a_cts_without_a_connection_or_of_another_message_is_ignored() -> None:
    bms = sender()
    bms.receive(to_bms(CTS_BRM), 0)
    bms.send(BCS_PGN, bytes(9), 0)
    take(bms)
    bms.receive(to_bms(CTS_BRM), 1)
    assert take(bms) == []
    assert [type(event) for event in events(bms)] == [Ignored, Ignored]


@pytest.mark.parametrize("progress", [0, 1])
def test_an_acknowledge_before_the_last_packet_is_ignored(progress: int) -> None:
    bms = sender()
    bms.send(BCS_PGN, bytes(9), 0)
    if progress:
        bms.receive(to_bms("11 01 01 FF FF 00 11 00"), 0)
        assert drain(bms, 0) == [1]
    bms.receive(to_bms(ACK_BCS), ms(1))
    assert isinstance(events(bms)[-1], Ignored)
    bms.receive(to_bms(f"11 02 {progress + 1:02X} FF FF 00 11 00"), ms(20))
    drain(bms, ms(20))
    bms.receive(to_bms(ACK_BCS), ms(40))
    assert events(bms) == [Sent(BCS_PGN, 0, ms(40))]


def test_the_partners_abort_stops_the_sender_at_once() -> None:
    bms = sender()
    bms.send(BRM_PGN, bytes(49), 0)
    bms.receive(to_bms(CTS_BRM), 0)
    take(bms)
    bms.receive(to_bms("FF 02 FF FF FF 00 02 00"), ms(5))
    assert events(bms) == [Aborted(BRM_PGN, "sender", 2, "partner", ms(5))]
    bms.wake(ms(10))
    assert take(bms) == []
    assert bms.next_deadline() is None


def test_after_a_failure_the_message_waits_for_its_next_period() -> None:
    """The owner has asked again meanwhile; the newest message goes when it asks once more (sheet 5.6)."""
    bms = sender()
    bms.send(BCS_PGN, bytes(9), 0)
    for number in range(1, 5):
        bms.send(BCS_PGN, bytes(9), number * ms(250))
    take(bms)
    bms.wake(ms(1250))
    assert take(bms) == [ABORT_BCS_TIMEOUT]
    bms.send(BCS_PGN, bytes(9), ms(1500))
    assert take(bms) == [RTS_BCS]


def test_other_messages_go_when_one_has_failed() -> None:
    bms = sender()
    bms.send(BRM_PGN, bytes(49), 0)
    bms.send(BCS_PGN, bytes(9), 1)
    take(bms)
    bms.wake(ms(1250))
    assert take(bms) == [ABORT_BRM_TIMEOUT, RTS_BCS]


def test_a_waiting_message_goes_when_the_open_one_is_done_and_is_the_newest() -> None:
    bms = sender()
    bms.send(BCS_PGN, bytes(9), 0)
    bms.send(BCS_PGN, b"\1" * 9, 1)
    bms.send(BCS_PGN, b"\2" * 9, 2)
    bms.receive(to_bms(CTS_BCS), ms(1))
    drain(bms, ms(1))
    bms.receive(to_bms(ACK_BCS), ms(30))
    assert take(bms) == [RTS_BCS]
    bms.receive(to_bms(CTS_BCS), ms(31))
    assert take(bms) == ["01 02 02 02 02 02 02 02"]


@pytest.mark.parametrize("size", [0, 8, 1786])
def test_other_sizes_are_our_own_misuse(size: int) -> None:
    with pytest.raises(UsageError, match=f"^{size} bytes"):
        sender().send(BCS_PGN, bytes(size), 0)


def test_too_many_waiting_messages_are_our_own_misuse() -> None:
    bms = sender()
    for pgn in range(9):
        bms.send(pgn << 8, bytes(9), 0)
    bms.send(0x100, bytes(10), 0)
    with pytest.raises(UsageError, match="PGN 0x900"):
        bms.send(0x900, bytes(9), 0)
