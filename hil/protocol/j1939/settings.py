"""Timers and habits of a transport endpoint, as data (sheet 1.4)."""

from __future__ import annotations

import msgspec

from hil.units import Span, ms

TP_CM_PF = 0xEC
TP_DT_PF = 0xEB
PRIORITY = 7
RTS, CTS, END_OF_MESSAGE, BAM, ABORT = 0x10, 0x11, 0x13, 0x20, 0xFF
SMALLEST, LARGEST = 9, 1785
PACKET = 7
NO_LIMIT = 0xFF
REASON_BUSY, REASON_RESOURCES, REASON_TIMEOUT = 1, 2, 3


class TpTiming(msgspec.Struct, frozen=True):
    """Timers of J1939-21, and the sending interval of data packets (10 ms, S2).

    Tr (200 ms, the longest time to an answer) has no row: an endpoint answers at once, see
    ``TpBehaviour.answer_after``; judges measure it.
    """

    t1: Span = ms(750)
    """Receiver: gap after a packet, more expected."""
    t2: Span = ms(1250)
    """Receiver: CTS sent, no packet."""
    t3: Span = ms(1250)
    """Sender: last packet or RTS sent, no answer."""
    t4: Span = ms(1050)
    """Sender: held, no further CTS."""
    th: Span = ms(500)
    """Receiver: interval of hold CTS."""
    packet_gap: Span = ms(10)
    packet_gaps: dict[int, tuple[Span, ...]] = {}
    """By PGN: gaps of its packets, in turn, where they are not ``packet_gap``."""
    first_packet: Span = 0
    """Sender: from CTS to the packet that it asks for."""


class TpBehaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an endpoint behaves where a correct one has a choice, or where a wrong one errs."""

    packets_per_cts: int = 0
    """Receiver: packets released by one CTS; 0 means all."""
    holds: int = 0
    """Receiver: hold CTS before the first release."""
    retries: int = 2
    """Receiver: requests for a lost packet before it aborts."""
    answer_after: Span = 0
    """Receiver: every CTS and EndOfMsgACK comes so much later."""
    answer_rts: bool = True
    """Receiver: False never answers."""
    refuse: int = 0
    """Receiver: abort reason that answers every RTS; 0 accepts."""
    acknowledge: bool = True
    """Receiver: False never sends EndOfMsgACK."""
    wrong_ack_size: bool = False
    """Receiver: EndOfMsgACK names one byte too many."""
    accept_bad_counts: bool = False
    """Receiver: takes an RTS whose packet count does not fit its size."""
    accept_without_rts: bool = False
    """Receiver: takes data packets that nothing announced, as ``assume_pgn`` and ``assume_size``."""
    assume_pgn: int = 0
    assume_size: int = SMALLEST
    accept_any_source: bool = False
    """Receiver: takes transport frames from other addresses."""
    ignore_sequence: bool = False
    """Receiver: takes packets in whatever order."""
    accept_incomplete: bool = False
    """Receiver: takes the message when its last packet has come, whatever is missing."""
    ignore_limit: bool = False
    """Receiver: releases all packets, whatever the RTS allows at once."""
    timeout_reason: int = REASON_TIMEOUT
    """Both: the reason given in the abort after a time-out."""
    ignore_new_rts: bool = False
    """Receiver: an RTS while a connection is open changes nothing."""
    ignore_abort: bool = False
    """Both: an abort changes nothing."""
    abort_on_timeout: bool = True
    """Both: False drops a connection that timed out without a word."""
    announce_size: int = 0
    """Sender: total bytes in the RTS; 0 means the true ones."""
    announce_packets: int = 0
    """Sender: packet count in the RTS; 0 means the true one."""
    most_per_cts: int = NO_LIMIT
    """Sender: packets that one CTS may release, as the RTS announces it."""
    drop_packets: tuple[int, ...] = ()
    """Sender: packets not sent the first time."""
    swap_packets: bool = False
    """Sender: packets 1 and 2 change places."""
    stop_after: int | None = None
    """Sender: sends no packet any more after this many, and waits for ever; None means never."""
    abort_after: int = 0
    """Sender: aborts after this many packets; 0 means never."""
    source: int = 0
    """Sender: frames leave with this source address; 0 means the own one."""
