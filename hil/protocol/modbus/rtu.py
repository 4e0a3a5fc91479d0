"""The client (master) of a Modbus RTU line: bytes and instants in, bytes and events out."""

from __future__ import annotations

from collections import deque

from hil.protocol.modbus.adu import BROADCAST, MAX_RTU, RtuTiming, crc_right, encode_rtu
from hil.protocol.modbus.events import TIMEOUT, Answered, Event, Faulty, NoReply, Stray, StrayKind, Transaction
from hil.protocol.modbus.judge import due_rtu, due_size, judge_rtu
from hil.protocol.modbus.pdu import Reply, Request
from hil.protocol.modbus.replies import Fault, Malformed
from hil.units import Instant, Span, ms, show_span

TURNAROUND: Span = ms(100)
"""The silence after a broadcast: the least that Serial Line V1.02 recommends."""
_JUNK = 2 * MAX_RTU
"""A line that babbles is cut into pieces of this size."""


class RtuClient:
    """One line, one transaction at a time; further requests wait for the line, in order.

    ``timing.between`` ends a frame. Where the silences of the line cannot be seen, as behind USB
    adapters, ``strict`` is False: a frame that is still too short waits for its rest until the
    time-out, and gaps inside a frame are not judged.
    ``turnaround`` is the silence after a broadcast, ``settle`` the one after a request that nobody has answered: a
    reply that comes later still must not be taken for that to the next request.
    """

    def __init__(
        self,
        unit: int,
        timing: RtuTiming,
        *,
        timeout: Span = TIMEOUT,
        turnaround: Span = TURNAROUND,
        settle: Span = 0,
        strict: bool = True,
    ) -> None:
        self.unit = unit
        self.timing = timing
        self.timeout = timeout
        self.turnaround = turnaround
        self.settle = settle
        self.strict = strict
        self._queue: deque[tuple[int, int, Request, bytes, Span]] = deque()
        self._current: Transaction | None = None
        self._deadline: Instant | None = None
        self._free_at: Instant = 0
        self._buffer = bytearray()
        self._last: Instant = 0
        self._closes: Instant | None = None
        self._gap: Span = 0
        self._flaw = ""
        self._out: list[bytes] = []
        self._events: list[Event] = []
        self._tokens = 0

    # --- what the user does ---------------------------------------------------------------------------

    def request(
        self,
        request: Request,
        now: Instant,
        *,
        unit: int | None = None,
        timeout: Span | None = None,
        crc: int | None = None,
    ) -> int:
        """Send a request as soon as the line is free; returns the token that its events carry.

        ``crc`` is for a check that is to be wrong. Raises :class:`hil.errors.CodecError` for what does
        not fit its field.
        """
        to = self.unit if unit is None else unit
        frame = encode_rtu(to, request.encode(), crc=crc)
        self._tokens += 1
        waiting = self.turnaround if to == BROADCAST else self.timeout
        self._queue.append((self._tokens, to, request, frame, waiting if timeout is None else timeout))
        self._next(now)
        return self._tokens

    def send_bytes(self, data: bytes, now: Instant) -> None:
        """Send bytes that are no request, at once: nothing is waited for."""
        self._put(data, now)

    def bytes_to_send(self) -> list[bytes]:
        """What is to be sent, each item at once; taken away by this call."""
        out, self._out = self._out, []
        return out

    def events(self) -> list[Event]:
        """What has happened since the last call."""
        events, self._events = self._events, []
        return events

    @property
    def pending(self) -> int:
        """Transactions that are open or wait for the line."""
        return len(self._queue) + (self._current is not None)

    # --- what the world does --------------------------------------------------------------------------

    def receive(self, data: bytes, now: Instant, flaw: str = "") -> None:
        """Bytes have come that follow each other without a gap; the last one ended at ``now``.

        ``flaw`` is what the receiver tells of them: ``parity``, ``framing``, ``collision``.
        """
        if not data:
            return
        begun = now - self.timing.span(len(data))
        self._silence(begun)
        if self._buffer:
            self._gap = max(self._gap, begun - self._last)
        self._buffer += data
        self._flaw = self._flaw or flaw
        self._last = now
        self._free_at = max(self._free_at, now + self.timing.between)
        while len(self._buffer) > _JUNK:
            piece = bytes(self._buffer[:_JUNK])
            del self._buffer[:_JUNK]
            self._close(piece, now)
        self._closes = None if self._waits_for_more() else now + self.timing.between

    def next_deadline(self) -> Instant | None:
        """When to call :meth:`wake`; earlier does no harm."""
        idle = self._current is None and self._queue
        deadlines = (self._deadline, self._closes, self._free_at if idle else None)
        return min((each for each in deadlines if each is not None), default=None)

    def wake(self, now: Instant) -> None:
        """End a frame after its silence, give up what is overdue, send what waited for the line."""
        self._silence(now)
        if self._deadline is not None and now >= self._deadline:
            self._give_up(now)
        self._next(now)

    # --- sending --------------------------------------------------------------------------------------

    def _next(self, now: Instant) -> None:
        if self._current is not None or not self._queue or now < self._free_at:
            return
        token, unit, request, frame, waiting = self._queue.popleft()
        self._current = Transaction(token, unit, request, now, frame)
        # What both take on the line is no time of the device's: 255 bytes at 2400 baud are more than a second.
        around = len(frame) + (0 if unit == BROADCAST else due_size(request))
        self._deadline = now + self.timing.span(around) + waiting
        self._put(frame, now)

    def _put(self, data: bytes, now: Instant) -> None:
        self._out.append(data)
        self._free_at = max(self._free_at, now + self.timing.span(len(data)) + self.timing.between)

    # --- receiving ------------------------------------------------------------------------------------

    def _waits_for_more(self) -> bool:
        """Whether silence does not end what is there: only where silences mean nothing."""
        if self.strict or self._current is None:
            return False
        found = judge_rtu(self._current.unit, self._current.request, bytes(self._buffer))
        return isinstance(found, Malformed) and found.fault is Fault.SHORT_FRAME

    def _silence(self, now: Instant) -> None:
        """Close the frame in the buffer when the line has been silent for long enough."""
        if self._closes is not None and now >= self._closes:
            self._end_frame(final=False)

    def _end_frame(self, *, final: bool) -> None:
        frame = bytes(self._buffer)
        self._buffer.clear()
        self._closes = None
        if frame:
            self._close(frame, self._last, final=final)
        self._gap, self._flaw = 0, ""

    def _close(self, frame: bytes, at: Instant, *, final: bool = False) -> None:
        current = self._current
        if current is None:
            self._events.append(Stray(frame, at, StrayKind.UNASKED))
            return
        outcome = self._spoilt(judge_rtu(current.unit, current.request, frame), frame)
        if not isinstance(outcome, Malformed):
            self._events.append(Answered(current, outcome, at, frame))
            self._finish()
            return
        final = final or outcome.reply is not None or (crc_right(frame) and frame[0] == current.unit != BROADCAST)
        self._events.append(Faulty(current, outcome, at, final))
        if final:
            self._finish()

    def _spoilt(self, outcome: Reply | Malformed, frame: bytes) -> Reply | Malformed:
        """What the line did to a frame outweighs what is in it."""
        good = outcome.reply if isinstance(outcome, Malformed) else outcome
        if self._flaw:
            fault, text = Fault.FLAW, f"the receiver tells of {self._flaw}"
        elif self.strict and self._gap > self.timing.inner:
            fault, text = Fault.INNER_GAP, f"a gap of {show_span(self._gap)}, allowed is {show_span(self.timing.inner)}"
        else:
            return outcome
        assert self._current is not None, "asked of an open transaction only"
        return Malformed(fault, frame, due_rtu(self._current.unit, self._current.request), text, good)

    def _give_up(self, now: Instant) -> None:
        self._end_frame(final=True)
        if self._current is not None:
            self._events.append(NoReply(self._current, now))
            if self._current.unit != BROADCAST:
                self._free_at = max(self._free_at, now + self.settle)
            self._finish()

    def _finish(self) -> None:
        self._current = None
        self._deadline = None
