"""J1939-21 transfers between the two sides, and the periods of long messages (sheet 1.4)."""

from __future__ import annotations

from typing import Any

from hil.codec.message import Message
from hil.conformance.catalogue import limit
from hil.conformance.monitors.format import Layout
from hil.conformance.monitors.ledger import Ledger
from hil.conformance.monitors.session import NEVER, TOGETHER, Ending, Session, Side
from hil.conformance.monitors.track import OnChange
from hil.conformance.verdict import Verdict
from hil.protocol.gbt27930 import BMS_ADDRESS, CHARGER_ADDRESS
from hil.protocol.j1939 import Listener
from hil.protocol.j1939.settings import (
    ABORT,
    CTS,
    END_OF_MESSAGE,
    LARGEST,
    PACKET,
    REASON_BUSY,
    REASON_TIMEOUT,
    RTS,
    SMALLEST,
)
from hil.units import Instant, Span, ms

_FRAME = 8
_AT_ONCE: Span = ms(5)
"""A request so soon after the end of another transfer has waited for that."""
_CALLED_FOR = {"BRM": ("CRM00", "CRMAA"), "BCP": ("CRMAA", "CML"), "BCS": ("CROAA", "CCS")}
"""Charger's states in which it has to take a long message; optional ones while it charges."""
_OPTIONAL = ("BMV", "BMT", "BSP")
_NAMES = {CHARGER_ADDRESS: "charger", BMS_ADDRESS: "bms"}


class Meter:
    """The stream of one long message: its period runs from RTS to RTS."""

    def __init__(
        self,
        declared: type[Message],
        layout: Layout,
        interval: tuple[Span, Span] | None,
        session: Session,
        side: Side,
        ledger: Ledger,
    ) -> None:
        self.declared = declared
        self.name = declared.name
        self.last: Instant = NEVER
        self.on_change: list[OnChange] = []
        self.complete = False
        """All packets of one were sent in this attempt."""
        self.state = None if declared.name in _OPTIONAL else TOGETHER.get(declared.name, declared.name)
        self._layout = layout
        self.interval = interval
        self._session = session
        self._side = side
        self._ledger = ledger
        self._ending: Ending | None = None
        self._data: bytes | None = None
        self._quiet = True
        self._waited = False
        """The last one had to wait for the connection."""
        self.line: Direction
        """Given by the direction that it belongs to."""

    def request(self, t: Instant) -> None:
        """Its RTS."""
        ending = self._ending
        if ending is not None and self.state is None and self._session.first.get("BCL", NEVER) > ending.since:
            self._ending = None  # charging again, where optional messages have their place
        if self._ending is not None:
            self._ending.see(t, self.name, self._side.name, self._ledger)
        elif self.state is not None:
            self._session.begin(self._side, self.name, self.state, t)
        blocked = False
        if not self._quiet and self.interval is not None:
            low, high = self.interval
            gap = t - self.last
            blocked = self.line.free > self.last + low
            if blocked:
                high = max(high, gap)  # when it was due, another transfer was under way
            if self._waited:
                low = 0  # the one before was late, and this one is not
            self._ledger.span(f"PERIOD.{self.name}", self._side.name, t, gap, low, high, f"{self.name} (RTS to RTS)")
        self._waited = blocked or t - self.line.free <= _AT_ONCE or self.line.unsure(t)
        self._quiet = False
        self.last = t

    def end_of_message(self, t: Instant, data: bytes, last_packet: Instant) -> None:
        """A transfer that was acknowledged; its receiver had all of it at ``last_packet``."""
        raw = self._layout.check(data, t, self._ledger) if data != self._data else None
        if not self._layout.sound:
            self._session.doubtful.add(self.name)
        if raw is None and data != self._data:
            return
        self._data = data
        self._session.happen(f"{self.name} complete", t)
        self._session.had[f"{self.name} complete"] = last_packet
        if raw is not None:
            for hook in self.on_change:
                hook(t, raw)

    def overdue(self, t: Instant) -> Span:
        """By how much its last interval has run past the period; 0 where that is not judged."""
        if self._quiet or self.line.busy or self._ending is not None or self.interval is None:
            return 0
        low, high = self.interval
        since = self.line.free if self.line.free > self.last + low else self.last
        return max(0, t - since - high)

    def interrupt(self) -> None:
        """The next interval is not a period."""
        self._quiet = True
        self._waited = False

    def restart(self) -> None:
        """A new attempt."""
        self.interrupt()
        self._ending = None
        self.complete = False

    def end(self, name: str, ending: Ending) -> None:
        """Requests after the tail are a deviation."""
        if self._ending is None:
            self._ending = ending


class _Open:
    """A transfer that was requested."""

    __slots__ = (
        "answered",
        "due",
        "faulty",
        "last_packet",
        "meter",
        "next",
        "packets",
        "pgn",
        "released",
        "sane",
        "size",
        "t",
    )

    def __init__(
        self, pgn: int, size: int, packets: int, meter: Meter | None, sane: bool, due: bool, t: Instant
    ) -> None:
        self.pgn = pgn
        self.size = size
        self.packets = packets
        self.meter = meter
        self.sane = sane
        """The request announces a message that exists, with fitting counts."""
        self.due = due
        """The receiver's state made it take this message when it was requested."""
        self.answered = False
        self.faulty = False
        """Packets came out of order: whoever gives up has a reason."""
        self.next = 1
        self.released = 0
        """The last packet that may be sent now."""
        self.t = t
        """Instant of the last frame of either side."""
        self.last_packet: Instant | None = None

    @property
    def name(self) -> str:
        return f"PGN 0x{self.pgn:04X}" if self.meter is None else self.meter.name


class Direction:
    """Transfers from one side to the other. Both transport identifiers of both sides end up here."""

    def __init__(
        self, sender: int, receiver: int, meters: dict[int, Meter], session: Session, ledger: Ledger, fill: bool
    ) -> None:
        self._sender = _NAMES[sender]
        self._receiver = _NAMES[receiver]
        self._meters = meters
        self._session = session
        self._ledger = ledger
        self._fill = fill
        self._listener = Listener()
        self._open: _Open | None = None
        self._midway = True
        """No request has been seen since observations began: a transfer may be under way."""
        self.free: Instant = NEVER
        """End of the last transfer."""
        for meter in meters.values():
            meter.line = self
        self._lost: Instant = NEVER
        """Up to then frames went unseen: the receiver may be busy with another transfer."""
        self._watched = -1
        """Attempt in which the open transfer will be looked at."""
        self._response = limit("tp-response").high
        self._patience = limit("tp-answer").high
        self.to_receiver = sender | receiver << 8
        self.to_sender = receiver | sender << 8

    @property
    def busy(self) -> bool:
        """Whether a transfer is under way: another one has to wait."""
        return self._open is not None

    def unsure(self, t: Instant) -> bool:
        """Whether a transfer that went unseen may still have been under way."""
        return t <= self._lost + self._patience

    def has(self, data: bytes) -> bool:
        """Whether the transfer that a control frame names is open."""
        return self._open is not None and self._open.pgn == int.from_bytes(data[5:8], "little")

    # --- frames of the sender -----------------------------------------------------------------------

    def data(self, t: Instant, data: bytes) -> None:
        """A data packet."""
        self._listener.see(0x1CEB0000 | self.to_receiver, data, t)
        current = self._open
        if self._midway:
            return
        if current is None or len(data) != _FRAME:
            self._blame("packets", self._sender, t, "data packets of 8 bytes within a transfer", _hex(data))
            return
        gap = t - current.t
        if gap > self._response:
            self._ledger.span("TP.gap", self._sender, t, gap, 0, self._response, f"a packet of {current.name} after")
        if data[0] != current.next or data[0] > current.released:
            expected = f"packet {current.next} of {current.name}, released up to {current.released}"
            self._blame("packets", self._sender, t, expected, f"packet {data[0]}")
            current.faulty = True
        current.t = current.last_packet = t
        current.next = data[0] + 1
        if data[0] == current.packets:
            self._last_packet(current, data, t)

    def _last_packet(self, current: _Open, data: bytes, t: Instant) -> None:
        used = 1 + (current.size - 1) % PACKET + 1
        if self._fill and data[used:] != b"\xff" * (_FRAME - used):
            self._blame("padding", self._sender, t, f"FF beyond byte {used} of the last packet", _hex(data))
        if current.meter is not None:
            current.meter.complete = True

    def control(self, t: Instant, data: bytes) -> None:
        """A connection management frame of the sender."""
        if len(data) != _FRAME:
            self._ledger.add("FORMAT.length", self._sender, t, "TP.CM of 8 bytes", f"{len(data)}")
            return
        if data[0] == RTS:
            self._request(t, data)
        elif data[0] == ABORT:
            self._listener.see(0x1CEC0000 | self.to_receiver, data, t)
            self._abort(t, data, self._sender)

    def _request(self, t: Instant, data: bytes) -> None:
        pgn = data[5] | data[6] << 8 | data[7] << 16
        size = data[1] | data[2] << 8
        current = self._open
        self._midway = False
        if current is not None:
            if current.pgn != pgn and current.sane:
                self._blame("request", self._sender, t, f"no request while {current.name} is open", _hex(data))
            self._left(current, t)
        self._listener.see(0x1CEC0000 | self.to_receiver, data, t)
        meter = self._meters.get(pgn)
        sane = SMALLEST <= size <= LARGEST and data[3] == -(-size // PACKET) and meter is not None
        if not sane:
            self._blame("request", self._sender, t, "a long message of this side with fitting counts", _hex(data))
        if meter is not None:
            if current is not None and current.pgn != pgn:
                meter.interrupt()
            meter.request(t)
        self._open = _Open(pgn, size, data[3], meter, sane, self._called_for(meter), t)
        if self._watched != self._session.attempt:
            self._watched = self._session.attempt
            self._session.at(t + self._patience + self._ledger.resolution, self._expire)

    # --- frames of the receiver ---------------------------------------------------------------------

    def answer(self, t: Instant, data: bytes) -> None:
        """A connection management frame of the receiver."""
        if len(data) != _FRAME:
            self._ledger.add("FORMAT.length", self._receiver, t, "TP.CM of 8 bytes", f"{len(data)}")
            return
        if data[0] == CTS:
            self._clear(t, data)
        elif data[0] == END_OF_MESSAGE:
            self._acknowledge(t, data)
        elif data[0] == ABORT:
            self._listener.see(0x1CEC0000 | self.to_sender, data, t)
            self._abort(t, data, self._receiver)

    def _clear(self, t: Instant, data: bytes) -> None:
        current = self._open
        pgn = data[5] | data[6] << 8 | data[7] << 16
        if self._midway:
            return
        if (current is None or current.pgn != pgn) and self.unsure(t):
            self._lost = t  # of a transfer whose request went unseen; it may go on
            return
        if current is None or current.pgn != pgn:
            self._blame("clear", self._receiver, t, "TP.CTS for an open request", _hex(data))
            return
        gap = t - current.t
        if not current.answered and gap > self._response:
            self._ledger.span("TP.answer", self._receiver, t, gap, 0, self._response, "TP.CTS after RTS")
        current.answered = True
        count, first = data[1], data[2]
        if count and not (1 <= first <= current.packets and first + count - 1 <= current.packets and current.sane):
            expected = f"packets within 1 .. {current.packets} of a sound request"
            self._blame("clear", self._receiver, t, expected, f"{count} packets from {first}")
        if count:
            current.next, current.released = first, first + count - 1
        current.t = t

    def _acknowledge(self, t: Instant, data: bytes) -> None:
        current = self._open
        transfer = self._listener.see(0x1CEC0000 | self.to_sender, data, t)
        if self._midway:
            return
        if current is None:
            self._blame("acknowledge", self._receiver, t, "EndOfMsgACK of an open transfer", _hex(data))
            return
        counts = (data[1] | data[2] << 8, data[3], data[5] | data[6] << 8 | data[7] << 16)
        if counts != (current.size, current.packets, current.pgn) or (
            current.next <= current.packets and not current.faulty
        ):
            expected = f"EndOfMsgACK after packet {current.packets}, {current.size} bytes of {current.name}"
            self._blame("acknowledge", self._receiver, t, expected, _hex(data))
        if current.last_packet is not None and t - current.last_packet > self._response:
            gap = t - current.last_packet
            self._ledger.span(
                "TP.acknowledge", self._receiver, t, gap, 0, self._response, "EndOfMsgACK after the last packet"
            )
        self._open = None
        self.free = t
        if transfer is not None and transfer.complete and current.meter is not None:
            current.meter.end_of_message(t, transfer.data, t if current.last_packet is None else current.last_packet)

    # --- ends that are none -------------------------------------------------------------------------

    def _abort(self, t: Instant, data: bytes, side: str) -> None:
        current, self._open = self._open, None
        if current is None:
            return
        if current.meter is not None:
            current.meter.interrupt()
        self.free = t
        overdue = t - current.t > self._response
        unseen = data[1] == REASON_BUSY and self.unsure(t)
        excused = current.faulty or unseen or (data[1] == REASON_TIMEOUT and overdue)
        if current.sane and current.name in _CALLED_FOR and not excused:
            if side == self._sender or self._still_due(current):
                self._blame("abort", side, t, f"{current.name} transferred", f"aborted, reason {data[1]}")
        elif overdue:
            self._overdue(current, t)

    def _expire(self, now: Instant) -> None:
        """Some time after an RTS: the transfer is given up, or looked at again later."""
        opened = self._open
        self._watched = -1
        if opened is None:
            return
        wait = self._patience + self._ledger.resolution
        if opened.t + wait > now:
            self._watched = self._session.attempt
            self._session.at(opened.t + wait, self._expire)
        else:
            self._open = None
            self._left(opened, now)

    def _left(self, current: _Open, t: Instant) -> None:
        """A transfer that came to no end, given up at ``t``."""
        self.free = t
        if current.meter is not None:
            current.meter.interrupt()
        self._overdue(current, t)

    def _overdue(self, current: _Open, t: Instant) -> None:
        """Blame the side whose turn it is."""
        waited = t - current.t
        if waited <= self._response or not current.sane:
            return
        verdict = Verdict.INCONCLUSIVE if waited <= self._response + self._ledger.resolution else Verdict.FAIL
        t = current.t + self._response
        if not current.answered:
            if self._still_due(current):
                expected = f"TP.CTS within 200 ms of the RTS of {current.name}"
                self._ledger.add("TP.answer", self._receiver, t, expected, _none(waited), verdict)
        elif current.next > current.packets:
            expected = f"EndOfMsgACK within 200 ms of the last packet of {current.name}"
            self._ledger.add("TP.acknowledge", self._receiver, t, expected, _none(waited), verdict)
        elif current.released:
            expected = f"packet {current.next} of {current.name} within 200 ms"
            self._ledger.add("TP.gap", self._sender, t, expected, _none(waited), verdict)

    def _called_for(self, meter: Meter | None) -> bool:
        """Whether the receiver's state makes it take this message."""
        if meter is None or self._receiver != "charger":
            return False
        states = ("CCS",) if meter.name in _OPTIONAL else _CALLED_FOR.get(meter.name, ())
        return self._session.sides["charger"].state in states and not self._session.error

    def _still_due(self, current: _Open) -> bool:
        """Whether the receiver had the time to answer before its state changed."""
        run = self._session.sides[self._receiver].run
        changed = run is not None and current.t < run.start <= current.t + self._response
        return current.due and not changed and self._session.powered

    def close(self, t: Instant) -> None:
        """An error message or the end of the log: what is overdue now is judged now."""
        current = self._open
        if current is not None and t - current.t > self._response:
            self._open = None
            self._left(current, t)

    def forget(self) -> None:
        """A new attempt."""
        self._open = None
        self._listener = Listener()

    def lose_track(self, t: Instant) -> None:
        """Time jumped back, or frames went unseen up to ``t``."""
        self.forget()
        self._midway = True
        self._lost = t

    def _blame(self, name: str, side: str, t: Instant, expected: str, seen: Any) -> None:
        self._ledger.add(f"TP.{name}", side, t, expected, seen)


def _hex(data: bytes) -> str:
    return data.hex(" ").upper()


def _none(waited: Span) -> str:
    return f"none in {waited / 1e6:.0f} ms"
