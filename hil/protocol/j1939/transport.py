"""One node's end of J1939-21 connection mode: RTS, CTS, DT, EndOfMsgACK and abort (sheet 1.4).

Sans-IO: frames and instants go in; frames, events and the next deadline come out. Whatever arrives
becomes an event or nothing, never an exception, and memory stays bounded: one outgoing and one
incoming connection, one waiting message per PGN, at most 1,000 undrained events. A connection ends
however the partner behaves, except that a partner may hold us for ever by valid hold CTS.
"""

from __future__ import annotations

from collections.abc import Container

from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.native import mypyc_attr
from hil.protocol.j1939.connection import Incoming, Outgoing, management
from hil.protocol.j1939.events import Aborted, Ignored, Received, Sent, TpEvent
from hil.protocol.j1939.settings import (
    ABORT,
    CTS,
    END_OF_MESSAGE,
    LARGEST,
    NO_LIMIT,
    PACKET,
    PRIORITY,
    REASON_BUSY,
    REASON_RESOURCES,
    REASON_TIMEOUT,
    RTS,
    SMALLEST,
    TP_CM_PF,
    TP_DT_PF,
    TpBehaviour,
    TpTiming,
)
from hil.units import FAR, Instant

_MOST_EVENTS = 1000
_MOST_WAITING = 8
_MOST_LATE = 16
"""Answers that a slow endpoint still has to give."""
_PGN_AND_DESTINATION = 0x03FFFF00
_WITH_SOURCE = 0x03FFFFFF
"""Of an identifier: what tells a transport frame to us; any priority is taken, and no standard frame reaches it."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Transport:
    """The end at ``address`` of connections with ``peer``."""

    def __init__(
        self, address: int, peer: int, *, timing: TpTiming | None = None, behaviour: TpBehaviour | None = None
    ) -> None:
        self.out: list[CanFrame] = []
        """Frames to send; the owner takes them away."""
        self.events: list[TpEvent] = []
        """What happened; the owner takes it away."""
        self._timing = timing or TpTiming()
        self._behaviour = behaviour or TpBehaviour()
        source = self._behaviour.source or address
        self._cm_id = PRIORITY << 26 | TP_CM_PF << 16 | peer << 8 | source
        self._dt_id = PRIORITY << 26 | TP_DT_PF << 16 | peer << 8 | source
        self._mask = _PGN_AND_DESTINATION if self._behaviour.accept_any_source else _WITH_SOURCE
        self._cm_in = (TP_CM_PF << 16 | address << 8 | peer) & self._mask
        self._dt_in = (TP_DT_PF << 16 | address << 8 | peer) & self._mask
        self._outgoing: Outgoing | None = None
        self._incoming: Incoming | None = None
        self._waiting: dict[int, bytes] = {}
        self._late: list[tuple[Instant, CanFrame]] = []
        """Answers of an endpoint that is slow to answer."""

    # --- owner ------------------------------------------------------------------------------------

    def send(self, pgn: int, data: bytes, now: Instant) -> None:
        """Start a transfer of 9 to 1785 bytes, or let it wait for the one under way.

        A message that waits already is replaced by a newer one of its PGN. Other sizes, and more PGNs
        than 8 at a time, are our own misuse and raise :class:`UsageError`.
        """
        if not SMALLEST <= len(data) <= LARGEST:
            raise UsageError(f"{len(data)} bytes do not go by the transport protocol; allowed is 9 .. 1785")
        if self._outgoing is None:
            self._start(pgn, data, now)
        elif pgn in self._waiting or len(self._waiting) < _MOST_WAITING:
            self._waiting[pgn] = data
        else:
            raise UsageError(f"PGN 0x{pgn:X}: messages of {_MOST_WAITING} other PGNs wait already")

    def receive(self, frame: CanFrame, now: Instant) -> None:
        """Take a TP.CM or TP.DT frame; frames for or from others are ignored."""
        identifier = frame.id & self._mask
        data = frame.data
        if identifier == self._dt_in:
            if len(data) == 8:
                self._on_packet(data, now)
            else:
                self._tell(Ignored("not 8 bytes long", data, now))
        elif identifier == self._cm_in:
            if len(data) == 8:
                self._on_management(data, now)
            else:
                self._tell(Ignored("not 8 bytes long", data, now))

    def next_deadline(self) -> Instant | None:
        """When :meth:`wake` has something to do."""
        outgoing, incoming = self._outgoing, self._incoming
        deadline = None if outgoing is None else outgoing.deadline
        if incoming is not None and (deadline is None or incoming.deadline < deadline):
            deadline = incoming.deadline
        if self._late and (deadline is None or self._late[0][0] < deadline):
            deadline = self._late[0][0]
        return deadline

    def wake(self, now: Instant) -> None:
        """Send the packet that is due, or act on a timer that ran out."""
        outgoing = self._outgoing
        if outgoing is not None and now >= outgoing.deadline:
            if outgoing.sending:
                self._send_packet(outgoing, now)
            else:
                self._time_out(outgoing.pgn, "sender", now)
                self._fail_outgoing(now)
        incoming = self._incoming
        if incoming is not None and now >= incoming.deadline:
            self._receiver_timeout(incoming, now)
        while self._late and now >= self._late[0][0]:
            self.out.append(self._late.pop(0)[1])

    def keep(self, pgns: Container[int]) -> None:
        """Of the messages that wait, only those of these PGNs are still to be sent."""
        for pgn in [each for each in self._waiting if each not in pgns]:
            del self._waiting[pgn]

    def reset(self) -> None:
        """Drop every connection without a word."""
        self._outgoing = self._incoming = None
        self._waiting.clear()
        self._late.clear()

    # --- sending ----------------------------------------------------------------------------------

    def _start(self, pgn: int, data: bytes, now: Instant) -> None:
        behaviour = self._behaviour
        packets = -(-len(data) // PACKET)
        size = behaviour.announce_size or len(data)
        count = behaviour.announce_packets or packets
        self._outgoing = Outgoing(pgn, data, packets, now, now + self._timing.t3)
        self._outgoing.dropped.update(behaviour.drop_packets)
        self._manage(RTS, size & 0xFF, size >> 8 & 0xFF, count, pgn, behaviour.most_per_cts)

    def _send_packet(self, outgoing: Outgoing, now: Instant) -> None:
        behaviour = self._behaviour
        number = outgoing.next
        if behaviour.swap_packets and outgoing.packets > 1 and number < 3:
            number = 3 - number
        if number in outgoing.dropped:
            outgoing.dropped.discard(number)
        elif behaviour.stop_after is None or outgoing.sent < behaviour.stop_after:
            start = (number - 1) * PACKET
            part = outgoing.data[start : start + PACKET].ljust(PACKET, b"\xff")
            self.out.append(CanFrame(self._dt_id, bytes((number & 0xFF,)) + part))
        outgoing.sent += 1
        outgoing.reached = max(outgoing.reached, outgoing.next)
        outgoing.next += 1
        if behaviour.abort_after and outgoing.sent >= behaviour.abort_after:
            self._abort(outgoing.pgn, "sender", REASON_RESOURCES, now)
            self._fail_outgoing(now)
        elif outgoing.next > outgoing.released:
            outgoing.sending = False
            # One that stops for good leaves it to the receiver to end the connection.
            outgoing.deadline = now + self._timing.t3 if behaviour.stop_after is None else FAR
        else:
            gaps = self._timing.packet_gaps.get(outgoing.pgn)
            gap = self._timing.packet_gap if gaps is None else gaps[outgoing.sent % len(gaps)]
            outgoing.deadline = now + gap

    def _on_cts(self, data: bytes, now: Instant) -> None:
        outgoing = self._outgoing
        pgn = _pgn(data)
        count, first = data[1], data[2]
        if outgoing is None or pgn != outgoing.pgn:
            self._tell(Ignored("CTS without a connection", data, now))
        elif outgoing.sending:
            self._abort(pgn, "sender", REASON_BUSY, now)
            self._fail_outgoing(now)
        elif count == 0:
            outgoing.deadline = now + self._timing.t4
        elif not 1 <= first <= min(outgoing.reached + 1, outgoing.packets):
            # It confirms what was never sent, or asks for what there is not.
            self._tell(Ignored(f"CTS names packet {first} after {outgoing.reached} of {outgoing.packets}", data, now))
        else:
            outgoing.next = first
            count = min(count, self._behaviour.most_per_cts or NO_LIMIT)
            outgoing.released = min(first + count - 1, outgoing.packets)
            outgoing.sending = True
            if self._timing.first_packet:
                outgoing.deadline = now + self._timing.first_packet
            else:
                self._send_packet(outgoing, now)

    def _on_acknowledge(self, data: bytes, now: Instant) -> None:
        outgoing = self._outgoing
        if outgoing is None or _pgn(data) != outgoing.pgn:
            self._tell(Ignored("EndOfMsgACK without a connection", data, now))
        elif outgoing.sending or outgoing.reached < outgoing.packets:
            self._tell(Ignored("EndOfMsgACK before the last packet", data, now))
        else:
            self._tell(Sent(outgoing.pgn, outgoing.started, now))
            self._finish_outgoing(now)

    def _finish_outgoing(self, now: Instant) -> None:
        self._outgoing = None
        if self._waiting:
            pgn = next(iter(self._waiting))
            self._start(pgn, self._waiting.pop(pgn), now)

    def _fail_outgoing(self, now: Instant) -> None:
        """The message is not repeated at once but at its next period, when its owner sends it again (sheet 5.6)."""
        if self._outgoing is not None:
            self._waiting.pop(self._outgoing.pgn, None)
        self._finish_outgoing(now)

    # --- receiving --------------------------------------------------------------------------------

    def _on_management(self, data: bytes, now: Instant) -> None:
        control = data[0]
        if control == RTS:
            self._on_rts(data, now)
        elif control == CTS:
            self._on_cts(data, now)
        elif control == END_OF_MESSAGE:
            self._on_acknowledge(data, now)
        elif control == ABORT:
            self._on_abort(data, now)
        else:
            self._tell(Ignored(f"control byte 0x{control:02X}", data, now))

    def _on_rts(self, data: bytes, now: Instant) -> None:
        behaviour = self._behaviour
        size, packets, pgn = data[1] | data[2] << 8, data[3], _pgn(data)
        incoming = self._incoming
        if not behaviour.answer_rts or (incoming is not None and behaviour.ignore_new_rts):
            return
        if behaviour.refuse:
            self._abort(pgn, "receiver", behaviour.refuse, now)
        elif incoming is not None and incoming.pgn != pgn:
            self._abort(pgn, "receiver", REASON_BUSY, now)
        elif not SMALLEST <= size <= LARGEST:
            self._tell(Ignored(f"RTS of {size} bytes", data, now))
        elif packets != -(-size // PACKET) and not (packets and behaviour.accept_bad_counts):
            self._tell(Ignored(f"RTS of {size} bytes in {packets} packets", data, now))
        else:
            self._open(pgn, size, packets, data[4], now)

    def _open(self, pgn: int, size: int, packets: int, most: int, now: Instant) -> None:
        incoming = Incoming(pgn, size, packets, most or NO_LIMIT, now, now, holds=self._behaviour.holds)
        self._incoming = incoming
        if incoming.holds:
            self._hold(incoming, now)
        else:
            self._release(incoming, now)

    def _hold(self, incoming: Incoming, now: Instant) -> None:
        incoming.holds -= 1
        incoming.deadline = now + self._timing.th
        self._answer(CTS, 0, incoming.next, 0xFF, incoming.pgn, now)

    def _release(self, incoming: Incoming, now: Instant) -> None:
        left = incoming.packets - incoming.next + 1
        most = left if self._behaviour.ignore_limit else incoming.most
        count = min(left, most, self._behaviour.packets_per_cts or left)
        incoming.released = incoming.next + count - 1
        incoming.seen = 0
        incoming.deadline = now + self._behaviour.answer_after + self._timing.t2
        self._answer(CTS, count, incoming.next, 0xFF, incoming.pgn, now)

    def _on_packet(self, data: bytes, now: Instant) -> None:
        incoming = self._incoming
        if incoming is None:
            if self._behaviour.accept_without_rts:
                self._take_orphan(data, now)
            else:
                self._tell(Ignored("data packet without a connection", data, now))
            return
        if incoming.next > incoming.released:
            self._tell(Ignored("data packet that was not released", data, now))
            return
        if self._behaviour.accept_incomplete:
            while incoming.next < min(data[0], incoming.packets):
                incoming.parts.append(b"\xff" * PACKET)
                incoming.next += 1
        if data[0] != incoming.next and not self._behaviour.ignore_sequence:
            self._out_of_sequence(incoming, data, now)
            return
        incoming.parts.append(data[1:])
        incoming.next += 1
        incoming.seen = 0
        incoming.retries = 0
        if incoming.next > incoming.packets:
            self._complete(incoming, now)
        elif incoming.next > incoming.released:
            self._release(incoming, now)
        else:
            incoming.deadline = now + self._timing.t1

    def _out_of_sequence(self, incoming: Incoming, data: bytes, now: Instant) -> None:
        number = data[0]
        self._tell(Ignored(f"packet {number} where {incoming.next} was due", data, now))
        if number == incoming.released:
            self._ask_again(incoming, now)  # the released ones are through, one of them was lost
        elif max(incoming.next, incoming.seen) < number < incoming.released:
            # Only packets that go on extend the time: repeated ones would keep the connection open for ever.
            incoming.seen = number
            incoming.deadline = now + self._timing.t1

    def _ask_again(self, incoming: Incoming, now: Instant) -> None:
        if incoming.retries >= self._behaviour.retries:
            self._time_out(incoming.pgn, "receiver", now)
            self._incoming = None
        else:
            incoming.retries += 1
            self._release(incoming, now)

    def _receiver_timeout(self, incoming: Incoming, now: Instant) -> None:
        if incoming.holds:
            self._hold(incoming, now)
        elif not incoming.released:
            self._release(incoming, now)
        else:
            self._time_out(incoming.pgn, "receiver", now)
            self._incoming = None

    def _complete(self, incoming: Incoming, now: Instant) -> None:
        self._incoming = None
        if self._behaviour.acknowledge:
            size = incoming.size + (1 if self._behaviour.wrong_ack_size else 0)
            self._answer(END_OF_MESSAGE, size & 0xFF, size >> 8, incoming.packets, incoming.pgn, now)
        data = b"".join(incoming.parts)[: incoming.size]
        self._tell(Received(incoming.pgn, data, incoming.started, now))

    def _take_orphan(self, data: bytes, now: Instant) -> None:
        """A seeded fault: a message that nothing announced is taken for the assumed one."""
        size = self._behaviour.assume_size
        packets = -(-size // PACKET)
        self._incoming = Incoming(
            self._behaviour.assume_pgn, size, packets, NO_LIMIT, now, now + self._timing.t1, released=packets
        )
        self._on_packet(data, now)

    # --- both -------------------------------------------------------------------------------------

    def _on_abort(self, data: bytes, now: Instant) -> None:
        if self._behaviour.ignore_abort:
            return
        pgn, reason = _pgn(data), data[1]
        known = False
        if self._incoming is not None and self._incoming.pgn == pgn:
            known, self._incoming = True, None
            self._tell(Aborted(pgn, "receiver", reason, "partner", now))
        if self._outgoing is not None and self._outgoing.pgn == pgn:
            known = True
            self._tell(Aborted(pgn, "sender", reason, "partner", now))
            self._fail_outgoing(now)
        if not known:
            self._tell(Ignored("abort without a connection", data, now))

    def _abort(self, pgn: int, role: str, reason: int, now: Instant) -> None:
        self._manage(ABORT, reason, 0xFF, 0xFF, pgn)
        self._tell(Aborted(pgn, role, reason, "us", now))

    def _time_out(self, pgn: int, role: str, now: Instant) -> None:
        if self._behaviour.abort_on_timeout:
            self._abort(pgn, role, self._behaviour.timeout_reason, now)
        else:
            self._tell(Aborted(pgn, role, REASON_TIMEOUT, "us", now))

    def _manage(self, control: int, b2: int, b3: int, b4: int, pgn: int, b5: int = 0xFF) -> None:
        self.out.append(management(self._cm_id, control, b2, b3, b4, b5, pgn))

    def _answer(self, control: int, b2: int, b3: int, b4: int, pgn: int, now: Instant) -> None:
        """A CTS or an EndOfMsgACK: at once, or as late as the behaviour has it."""
        if not self._behaviour.answer_after:
            self._manage(control, b2, b3, b4, pgn)
        elif len(self._late) < _MOST_LATE:
            frame = management(self._cm_id, control, b2, b3, b4, 0xFF, pgn)
            self._late.append((now + self._behaviour.answer_after, frame))

    def _tell(self, event: TpEvent) -> None:
        if len(self.events) >= _MOST_EVENTS:
            del self.events[0]
        self.events.append(event)


def _pgn(data: bytes) -> int:
    return data[5] | data[6] << 8 | data[7] << 16
