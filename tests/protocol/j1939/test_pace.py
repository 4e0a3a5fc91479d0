"""The pace of a sender: gaps in turn, the first packet's delay, and what no longer has to go."""

from __future__ import annotations

from hil.codec.frame import CanFrame
from hil.protocol.j1939 import TpTiming, Transport
from hil.units import Instant, ms

BMS, CHARGER = 0xF4, 0x56
BCS, BRM, BMT = 0x1100, 0x0200, 0x1600


def cts(count: int, pgn: int) -> CanFrame:
    return CanFrame(0x1CECF456, bytes([0x11, count, 1, 0xFF, 0xFF]) + pgn.to_bytes(3, "little"))


def acknowledged(size: int, count: int, pgn: int) -> CanFrame:
    return CanFrame(0x1CECF456, bytes([0x13, size, 0, count, 0xFF]) + pgn.to_bytes(3, "little"))


def packets(end: Transport, pgn: int, size: int) -> list[Instant]:
    """When the packets leave, counted from the TP.CTS for all of them."""
    end.send(pgn, bytes(size), 0)
    end.out.clear()
    end.receive(cts(-(-size // 7), pgn), 0)
    left: list[Instant] = [0] * len(end.out)
    while (due := end.next_deadline()) is not None and due < ms(1000):
        end.out.clear()
        end.wake(due)
        left += [due] * len(end.out)
    return left


def test_packets_leave_at_once_and_every_ten_milliseconds() -> None:
    assert packets(Transport(BMS, CHARGER), BRM, 21) == [0, ms(10), ms(20)]


def test_gaps_of_one_message_come_in_turn_and_leave_the_others_alone() -> None:
    timing = TpTiming(packet_gaps={BRM: (ms(3), ms(20))})
    assert packets(Transport(BMS, CHARGER, timing=timing), BRM, 28) == [0, ms(20), ms(23), ms(43)]
    assert packets(Transport(BMS, CHARGER, timing=timing), BCS, 9) == [0, ms(10)]


def test_the_first_packet_may_take_its_time() -> None:
    timing = TpTiming(first_packet=ms(30))
    assert packets(Transport(BMS, CHARGER, timing=timing), BCS, 9) == [ms(30), ms(40)]


def test_a_message_that_waits_can_be_dropped() -> None:
    end = Transport(BMS, CHARGER)
    for pgn in (BCS, BMT, BRM):
        end.send(pgn, bytes(9), 0)
    end.keep({BRM})
    end.receive(cts(2, BCS), 0)
    end.wake(ms(10))
    end.out.clear()
    end.receive(acknowledged(9, 2, BCS), ms(11))
    assert [frame.data[5:8] for frame in end.out] == [BRM.to_bytes(3, "little")]
