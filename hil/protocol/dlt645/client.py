"""The master of a DL/T 645 line as a machine without I/O: one request at a time, echoes dropped.

A read whose answer says that more follows is read on until all is there.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime

from hil.protocol.dlt645.codes import ANSWER, ErrorWord, Function
from hil.protocol.dlt645.frame import BROADCAST, BYTE_GAP, WAKE_BYTES, WILDCARD, Broken, Frame, Framer
from hil.protocol.dlt645.items import Value, decode_values, di_bytes, item, time_bytes
from hil.units import FAR, MILLISECOND, SECOND, Instant, Span

_MOST_QUEUED = 256
_MOST_PARTS = 255


@dataclass(frozen=True, slots=True)
class MasterSettings:
    """Habits of a master."""

    wake: int = WAKE_BYTES
    patience: Span = 2 * SECOND
    """From handing a request over to giving it up: its own time on the line, up to 500 ms of the meter's, and
    that of the longest answer at 2400 baud (sheet serial 2.1)."""
    retries: int = 0
    pause: Span = 50 * MILLISECOND
    """Between an answer (or a broadcast) and the next request."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it went out."""

    ticket: int
    frame: Frame
    sent: Instant = 0
    tries: int = 1
    answered: bool = True
    """False for what no meter answers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A normal answer, of one frame or put together of several."""

    request: Request
    address: str
    data: bytes
    """Without the identifier of a read and the sequence numbers."""
    parts: int
    at: Instant
    first: Instant
    """When the first frame of the answer ended."""

    @property
    def values(self) -> list[Value]:
        """What a read has given; empty where the sheet does not know the item."""
        asked = self.request.frame
        if asked.function != Function.READ or len(asked.data) < 4:
            return []
        known = item(int.from_bytes(asked.data[:4], "little"))
        return [] if known is None else decode_values(known, self.data)

    @property
    def latency(self) -> Span:
        """From handing the request over to the end of the first frame."""
        return self.first - self.request.sent


@dataclass(frozen=True, slots=True)
class Refused:
    """An error answer."""

    request: Request
    address: str
    error: ErrorWord
    detail: int | None
    """Second byte of the security class."""
    at: Instant


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nothing that fits has come in time."""

    request: Request
    at: Instant


@dataclass(frozen=True, slots=True)
class Stray:
    """A frame that answers nothing that is under way, and why."""

    frame: Frame
    why: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Garbled:
    """Bytes that became no frame."""

    raw: bytes
    why: str
    at: Instant


Event = Answer | Refused | NoAnswer | Stray | Garbled


class Master:
    """Give it bytes and instants; take bytes from :meth:`take_output`, events from :meth:`take_events`."""

    def __init__(self, settings: MasterSettings | None = None) -> None:
        self.settings = settings or MasterSettings()
        self._framer = Framer()
        self._heard: Instant = 0
        self._queue: deque[Request] = deque()
        self._pending: Request | None = None
        self._asked: Frame | None = None
        """The frame under way: the request's own, or one that reads on."""
        self._asked_at: Instant = 0
        self._parts: list[bytes] = []
        self._first: Instant = 0
        self._echo_due = False
        self._free_at: Instant = 0
        self._tickets = 0
        self._output: list[bytes] = []
        self._events: list[Event] = []

    # --- asking -------------------------------------------------------------------------------------

    def request(self, address: str, function: int, data: bytes = b"", *, now: Instant, answered: bool = True) -> int:
        """Ask as soon as the line is free; the ticket comes back in the events.

        A queue of more than 256 requests drops the oldest.
        """
        self._tickets += 1
        answered = answered and address != BROADCAST
        if len(self._queue) >= _MOST_QUEUED:
            self._queue.popleft()
        self._queue.append(Request(self._tickets, Frame(address, function, data), answered=answered))
        self._send_next(now)
        return self._tickets

    def read(self, address: str, di: int, *, now: Instant) -> int:
        """Read one item."""
        return self.request(address, Function.READ, di_bytes(di), now=now)

    def read_address(self, *, now: Instant) -> int:
        """Ask a single meter for its address."""
        return self.request(WILDCARD, Function.READ_ADDRESS, now=now)

    def broadcast_time(self, moment: datetime, *, now: Instant) -> int:
        """Set every meter's clock; nobody answers."""
        return self.request(BROADCAST, Function.BROADCAST_TIME, time_bytes(moment), now=now)

    @property
    def idle(self) -> bool:
        """Nothing is under way or waits."""
        return self._pending is None and not self._queue

    def _send_next(self, now: Instant) -> None:
        if self._pending is not None or not self._queue or now < self._free_at:
            return
        request = replace(self._queue.popleft(), sent=now)
        self._put(request.frame, now)
        if request.answered:
            self._pending, self._parts = request, []
        else:
            self._free_at = now + self.settings.pause

    def _put(self, frame: Frame, now: Instant) -> None:
        self._asked, self._asked_at, self._echo_due = frame, now, True
        self._output.append(frame.encode(self.settings.wake))

    # --- hearing ------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: Instant, flaw: str = "") -> None:
        """Bytes have come; with a ``flaw`` the frame that they touch is lost."""
        self.wake(now)
        self._heard = now
        for each in self._framer.spoil(data, flaw) if flaw else self._framer.feed(data):
            self._take(each, now)
        self._send_next(now)

    def _take(self, each: Frame | Broken, now: Instant) -> None:
        if isinstance(each, Broken):
            self._events.append(Garbled(each.raw, each.why, now))
        elif not each.from_meter:
            if each == self._asked and self._echo_due:
                self._echo_due = False  # a two-wire adapter hears itself
            else:
                self._events.append(Stray(each, "another master", now))
        elif why := self._strange(each):
            self._events.append(Stray(each, why, now))
        else:
            self._answer(each, now)

    def _strange(self, frame: Frame) -> str:
        """Why a frame is no answer to what is under way."""
        asked = self._asked
        if self._pending is None or asked is None:
            return "nothing was asked"
        if frame.function != asked.function:
            return f"function {frame.function:02X}, {asked.function:02X} was asked"
        if not _answers_for(asked, frame.address):
            return f"meter {frame.address}, {asked.address} was asked"
        reads = asked.function in (Function.READ, Function.READ_FOLLOWING)
        if reads and not frame.is_error and frame.data[:4] != asked.data[:4]:
            return f"item {frame.data[3::-1].hex().upper()}, {asked.data[3::-1].hex().upper()} was asked"
        if asked.function == Function.READ_FOLLOWING and not frame.is_error and frame.data[4:][-1:] != asked.data[4:]:
            return f"part {frame.data[4:][-1:].hex() or 'without a number'}, {asked.data[4:].hex()} was asked"
        return ""

    def _answer(self, frame: Frame, now: Instant) -> None:
        request, asked = self._pending, self._asked
        assert request is not None, "an answer is only taken for a request"
        assert asked is not None, "a request has a frame"
        if not self._parts:
            self._first = now
        if frame.is_error:
            detail = frame.data[1] if len(frame.data) > 1 else None
            error = ErrorWord(frame.data[0] if frame.data else 0)
            self._done(Refused(request, frame.address, error, detail, now), now)
            return
        self._parts.append(_payload(frame))
        reads = frame.function in (Function.READ, Function.READ_FOLLOWING)
        if frame.more and reads and len(self._parts) < _MOST_PARTS:
            sequence = bytes((len(self._parts),))
            self._put(Frame(asked.address, Function.READ_FOLLOWING, asked.data[:4] + sequence), now)
            return
        data = b"".join(self._parts)
        self._done(Answer(request, frame.address, data, len(self._parts), now, self._first), now)

    def _done(self, event: Event, now: Instant) -> None:
        self._pending = None
        self._parts = []
        self._free_at = now + self.settings.pause
        self._events.append(event)

    # --- time ---------------------------------------------------------------------------------------

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        if self._framer.waiting and now >= self._heard + BYTE_GAP:
            for each in self._framer.expire():
                self._take(each, now)
        pending = self._pending
        if pending is not None and now >= self._asked_at + self.settings.patience:
            if pending.tries <= self.settings.retries:
                self._pending, self._parts = replace(pending, tries=pending.tries + 1, sent=now), []
                self._put(pending.frame, now)
            else:
                self._done(NoAnswer(pending, now), now)
        self._send_next(now)

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        nearest = FAR
        if self._framer.waiting:
            nearest = self._heard + BYTE_GAP
        if self._pending is not None:
            nearest = min(nearest, self._asked_at + self.settings.patience)
        elif self._queue:
            nearest = min(nearest, self._free_at)
        return None if nearest == FAR else nearest

    # --- taking away --------------------------------------------------------------------------------

    def take_output(self) -> bytes:
        """Bytes to send."""
        data, self._output = b"".join(self._output), []
        return data

    def take_events(self) -> list[Event]:
        """What has happened since the last call."""
        events, self._events = self._events, []
        return events


def _answers_for(asked: Frame, address: str) -> bool:
    """A meter that was given a new address may answer under either."""
    given = asked.data[::-1].hex().upper() if asked.function == Function.WRITE_ADDRESS else ""
    return address == given or all(want in ("A", digit) for want, digit in zip(asked.address, address, strict=True))


def _payload(frame: Frame) -> bytes:
    """Data without the identifier of a read and the sequence number of what follows."""
    if frame.control & ~0x20 == Function.READ | ANSWER:
        return frame.data[4:]
    if frame.control & ~0x20 == Function.READ_FOLLOWING | ANSWER:
        return frame.data[4:-1]
    return frame.data
