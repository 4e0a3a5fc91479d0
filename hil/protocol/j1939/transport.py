"""One node's end of J1939-21 connection mode: RTS, CTS, DT, EndOfMsgACK and abort (sheet 1.4).

Sans-IO: frames and instants go in; frames, events and the next deadline come out. Whatever arrives
becomes an event or nothing, never an exception, and memory stays bounded: one outgoing and one
incoming connection, one waiting message per PGN, at most 1,000 undrained events.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hil.codec.frame import CanFrame
from hil.errors import UsageError
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
    REASON_TIMEOUT,
    RTS,
    SMALLEST,
    TP_CM_PF,
    TP_DT_PF,
    TpBehaviour,
    TpTiming,
)
from hil.units import Instant

_MOST_EVENTS = 1000
_MOST_WAITING = 8


@dataclass(slots=True)
class _Outgoing:
    pgn: int
    data: bytes
    packets: int
    started: Instant
    deadline: Instant
    """When to send the next packet, or to give up."""
    next: int = 1
    released: int = 0
    """Packets up to this number may be sent."""
    sending: bool = False
    dropped: set[int] = field(default_factory=set)
    sent: int = 0


@dataclass(slots=True)
class _Incoming:
    pgn: int
    size: int
    packets: int
    most: int
    started: Instant
    deadline: Instant
    next: int = 1
    released: int = 0
    retries: int = 0
    holds: int = 0
    parts: list[bytes] = field(default_factory=list)


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
        self._from_peer = peer
        self._to_us = address
        self._outgoing: _Outgoing | None = None
        self._incoming: _Incoming | None = None
        self._waiting: dict[int, bytes] = {}
        self._frames: dict[tuple[int, int, int, int], CanFrame] = {}

    # --- owner ------------------------------------------------------------------------------------

    def send(self, pgn: int, data: bytes, now: Instant) -> None:
        """Start a transfer of 9 to 1785 bytes, or let it wait for the one under way.

        A message that waits already is replaced by a newer one of its PGN. Other sizes are our own
        misuse and raise :class:`UsageError`.
        """
        if not SMALLEST <= len(data) <= LARGEST:
            raise UsageError(f"{len(data)} bytes do not go by the transport protocol; allowed is 9 .. 1785")
        if self._outgoing is None:
            self._start(pgn, data, now)
        elif pgn in self._waiting or len(self._waiting) < _MOST_WAITING:
            self._waiting[pgn] = data

    def receive(self, frame: CanFrame, now: Instant) -> None:
        """Take a TP.CM or TP.DT frame; frames for or from others are ignored."""
        identifier = frame.id
        data = frame.data
        for_us = identifier >> 8 & 0xFF == self._to_us
        if not for_us or (identifier & 0xFF != self._from_peer and not self._behaviour.accept_any_source):
            return
        if len(data) != 8:
            self._tell(Ignored("not 8 bytes long", data, now))
        elif identifier >> 16 & 0xFF == TP_DT_PF:
            self._on_packet(data, now)
        elif identifier >> 16 & 0xFF == TP_CM_PF:
            self._on_management(data, now)

    def next_deadline(self) -> Instant | None:
        """When :meth:`wake` has something to do."""
        outgoing, incoming = self._outgoing, self._incoming
        if outgoing is None:
            return None if incoming is None else incoming.deadline
        if incoming is None or outgoing.deadline <= incoming.deadline:
            return outgoing.deadline
        return incoming.deadline

    def wake(self, now: Instant) -> None:
        """Send the packet that is due, or act on a timer that ran out."""
        outgoing = self._outgoing
        if outgoing is not None and now >= outgoing.deadline:
            if outgoing.sending:
                self._send_packet(outgoing, now)
            else:
                self._abort(outgoing.pgn, "sender", REASON_TIMEOUT, now)
                self._finish_outgoing(now)
        incoming = self._incoming
        if incoming is not None and now >= incoming.deadline:
            self._receiver_timeout(incoming, now)

    def reset(self) -> None:
        """Drop every connection without a word."""
        self._outgoing = self._incoming = None
        self._waiting.clear()

    # --- sending ----------------------------------------------------------------------------------

    def _start(self, pgn: int, data: bytes, now: Instant) -> None:
        behaviour = self._behaviour
        packets = -(-len(data) // PACKET)
        size = behaviour.announce_size or len(data)
        count = behaviour.announce_packets or packets
        self._outgoing = _Outgoing(pgn, data, packets, now, now + self._timing.t3)
        self._outgoing.dropped.update(behaviour.drop_packets)
        self._manage(RTS, size & 0xFF, size >> 8, count, pgn, behaviour.most_per_cts)

    def _send_packet(self, outgoing: _Outgoing, now: Instant) -> None:
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
        outgoing.next += 1
        if behaviour.abort_after and outgoing.sent >= behaviour.abort_after:
            self._abort(outgoing.pgn, "sender", REASON_BUSY + 1, now)
            self._finish_outgoing(now)
        elif outgoing.next > outgoing.released:
            outgoing.sending = False
            outgoing.deadline = now + self._timing.t3
        else:
            outgoing.deadline = now + self._timing.packet_gap

    def _on_cts(self, data: bytes, now: Instant) -> None:
        outgoing = self._outgoing
        pgn = _pgn(data)
        count, first = data[1], data[2]
        if outgoing is None or pgn != outgoing.pgn:
            self._tell(Ignored("CTS without a connection", data, now))
        elif outgoing.sending:
            self._abort(pgn, "sender", REASON_BUSY, now)
            self._finish_outgoing(now)
        elif count == 0:
            outgoing.deadline = now + self._timing.t4
        elif not 1 <= first <= outgoing.packets:
            self._tell(Ignored(f"CTS names packet {first} of {outgoing.packets}", data, now))
        else:
            outgoing.next = first
            outgoing.released = min(first + count - 1, outgoing.packets)
            outgoing.sending = True
            outgoing.deadline = now

    def _on_acknowledge(self, data: bytes, now: Instant) -> None:
        outgoing = self._outgoing
        if outgoing is None or _pgn(data) != outgoing.pgn:
            self._tell(Ignored("EndOfMsgACK without a connection", data, now))
        elif outgoing.sending or outgoing.next <= outgoing.packets:
            self._tell(Ignored("EndOfMsgACK before the last packet", data, now))
        else:
            self._tell(Sent(outgoing.pgn, outgoing.started, now))
            self._finish_outgoing(now)

    def _finish_outgoing(self, now: Instant) -> None:
        self._outgoing = None
        if self._waiting:
            pgn = next(iter(self._waiting))
            self._start(pgn, self._waiting.pop(pgn), now)

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
        elif packets != -(-size // PACKET) and not behaviour.accept_bad_counts:
            self._tell(Ignored(f"RTS of {size} bytes in {packets} packets", data, now))
        else:
            self._open(pgn, size, packets, data[4], now)

    def _open(self, pgn: int, size: int, packets: int, most: int, now: Instant) -> None:
        incoming = _Incoming(pgn, size, packets, most or NO_LIMIT, now, now, holds=self._behaviour.holds)
        self._incoming = incoming
        if incoming.holds:
            self._hold(incoming, now)
        else:
            self._release(incoming, now)

    def _hold(self, incoming: _Incoming, now: Instant) -> None:
        incoming.holds -= 1
        incoming.deadline = now + self._timing.th
        self._manage(CTS, 0, incoming.next, 0xFF, incoming.pgn)

    def _release(self, incoming: _Incoming, now: Instant) -> None:
        left = incoming.packets - incoming.next + 1
        count = min(left, incoming.most, self._behaviour.packets_per_cts or left)
        incoming.released = incoming.next + count - 1
        incoming.deadline = now + self._timing.t2
        self._manage(CTS, count, incoming.next, 0xFF, incoming.pgn)

    def _on_packet(self, data: bytes, now: Instant) -> None:
        incoming = self._incoming
        if incoming is None:
            if self._behaviour.accept_without_rts:
                self._take_orphan(data, now)
            else:
                self._tell(Ignored("data packet without a connection", data, now))
            return
        if data[0] != incoming.next & 0xFF and not self._behaviour.ignore_sequence:
            self._out_of_sequence(incoming, data, now)
            return
        incoming.parts.append(data[1:])
        incoming.next += 1
        incoming.retries = 0
        if incoming.next > incoming.packets:
            self._complete(incoming, now)
        elif incoming.next > incoming.released:
            self._release(incoming, now)
        else:
            incoming.deadline = now + self._timing.t1

    def _out_of_sequence(self, incoming: _Incoming, data: bytes, now: Instant) -> None:
        self._tell(Ignored(f"packet {data[0]} where {incoming.next} was due", data, now))
        if data[0] == incoming.released & 0xFF:
            self._ask_again(incoming, now)  # the released ones are through, one of them was lost
        else:
            incoming.deadline = now + self._timing.t1

    def _ask_again(self, incoming: _Incoming, now: Instant) -> None:
        if incoming.retries >= self._behaviour.retries:
            self._abort(incoming.pgn, "receiver", REASON_TIMEOUT, now)
            self._incoming = None
        else:
            incoming.retries += 1
            self._release(incoming, now)

    def _receiver_timeout(self, incoming: _Incoming, now: Instant) -> None:
        if incoming.holds:
            self._hold(incoming, now)
        elif not incoming.released:
            self._release(incoming, now)
        else:
            self._abort(incoming.pgn, "receiver", REASON_TIMEOUT, now)
            self._incoming = None

    def _complete(self, incoming: _Incoming, now: Instant) -> None:
        self._incoming = None
        if self._behaviour.acknowledge:
            size = incoming.size + (1 if self._behaviour.wrong_ack_size else 0)
            self._manage(END_OF_MESSAGE, size & 0xFF, size >> 8, incoming.packets, incoming.pgn)
        data = b"".join(incoming.parts)[: incoming.size]
        self._tell(Received(incoming.pgn, data, incoming.started, now))

    def _take_orphan(self, data: bytes, now: Instant) -> None:
        """A seeded fault: the message is guessed from its first packet, with the sizes of GB/T 27930."""
        size = {1: 49}.get(data[0], 9)
        self._incoming = _Incoming(0, size, -(-size // PACKET), NO_LIMIT, now, now + self._timing.t1)
        self._incoming.released = self._incoming.packets
        self._on_packet(data, now)

    # --- both -------------------------------------------------------------------------------------

    def _on_abort(self, data: bytes, now: Instant) -> None:
        if self._behaviour.ignore_abort:
            return
        pgn, reason = _pgn(data), data[1]
        if self._incoming is not None and self._incoming.pgn == pgn:
            self._incoming = None
            self._tell(Aborted(pgn, "receiver", reason, "partner", now))
        elif self._outgoing is not None and self._outgoing.pgn == pgn:
            self._tell(Aborted(pgn, "sender", reason, "partner", now))
            self._finish_outgoing(now)
        else:
            self._tell(Ignored("abort without a connection", data, now))

    def _abort(self, pgn: int, role: str, reason: int, now: Instant) -> None:
        self._manage(ABORT, reason, 0xFF, 0xFF, pgn)
        self._tell(Aborted(pgn, role, reason, "us", now))

    def _manage(self, control: int, b2: int, b3: int, b4: int, pgn: int, b5: int = 0xFF) -> None:
        key = (control << 8 | b2, b3 << 8 | b4, pgn, b5)
        frame = self._frames.get(key)
        if frame is None:
            data = bytes((control, b2 & 0xFF, b3 & 0xFF, b4 & 0xFF, b5)) + pgn.to_bytes(3, "little")
            frame = CanFrame(self._cm_id, data)
            if len(self._frames) < _MOST_EVENTS:
                self._frames[key] = frame
        self.out.append(frame)

    def _tell(self, event: TpEvent) -> None:
        if len(self.events) >= _MOST_EVENTS:
            del self.events[0]
        self.events.append(event)


def _pgn(data: bytes) -> int:
    return data[5] | data[6] << 8 | data[7] << 16
