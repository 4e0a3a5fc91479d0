"""The asking side of SCPI as a machine without I/O: one line at a time, answers only to queries.

Nothing in an answer tells which query it belongs to. One that comes after it was given up must not become the
value of the next query: the entry of the error queue, which the client asks for then, is the one answer that shows
itself, and what comes before it answers nothing. Instruments answer in order.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace

from hil.errors import CodecError
from hil.protocol.scpi.message import LineReader, answer_number
from hil.units import FAR, MILLISECOND, SECOND, Instant, Span

_MOST_QUEUED = 256
_ASK_ERROR = "SYST:ERR?"
_ENTRY = re.compile(r"\s*[+-]?\d+\s*,\s*(?P<quote>\")?")
"""How an entry of the error queue begins, with the quotes that nothing else has there (sheet serial 3.3)."""


@dataclass(frozen=True, slots=True)
class ScpiSettings:
    """Habits of a client."""

    patience: Span = 2 * SECOND
    """After this an answer is given up: a query that made an error has none (sheet serial 3.1)."""
    pause: Span = 30 * MILLISECOND
    """Between two lines, for classic instruments."""
    ask_errors: bool = True
    """Ask for the error after a query without answer; without it a late answer is taken for that to the next query."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it went out."""

    ticket: int
    text: str
    sent: Instant = 0

    @property
    def is_query(self) -> bool:
        """Whether an answer is due."""
        return "?" in self.text


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a line's queries."""

    line: Line
    text: str
    at: Instant

    @property
    def parts(self) -> tuple[str, ...]:
        """One for each query of the line."""
        return tuple(self.text.split(";"))

    @property
    def number(self) -> float | None:
        """The first part as a number, with or without its unit; None where it is none."""
        return answer_number(self.parts[0].partition(",")[0])


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """An answer was given up."""

    line: Line
    at: Instant


@dataclass(frozen=True, slots=True)
class Unasked:
    """A line that answers nothing, or no longer does, or is too long to be read."""

    text: str
    at: Instant


Event = Answer | NoAnswer | Unasked


class ScpiClient:
    """Give it bytes and instants; take bytes from :meth:`take_output`, events from :meth:`take_events`."""

    def __init__(self, settings: ScpiSettings | None = None) -> None:
        self.settings = settings or ScpiSettings()
        self._reader = LineReader()
        self._queue: deque[Line] = deque()
        self._pending: Line | None = None
        self._owed = False
        """An answer was given up and may still come."""
        self._free_at: Instant = 0
        self._tickets = 0
        self._output: list[bytes] = []
        self._events: list[Event] = []

    def send(self, text: str, *, now: Instant) -> int:
        """Send a line as soon as the instrument is free; the ticket comes back with its answer.

        A line end in the text raises :class:`CodecError`; a queue of more than 256 lines drops the oldest.
        """
        if "\n" in text or "\r" in text:
            raise CodecError(f"{text!r}: a line holds no line end")
        self._tickets += 1
        if len(self._queue) >= _MOST_QUEUED:
            self._queue.popleft()
        self._queue.append(Line(self._tickets, text))
        self._send_next(now)
        return self._tickets

    @property
    def idle(self) -> bool:
        """Nothing is under way or waits."""
        return self._pending is None and not self._queue

    def is_free(self, now: Instant) -> bool:
        """Whether no answer is under way and the pause after the last line is over."""
        return self._pending is None and now >= self._free_at

    def _send_next(self, now: Instant) -> None:
        if self._pending is not None or not self._queue or now < self._free_at:
            return
        line = replace(self._queue.popleft(), sent=now)
        self._output.append(line.text.encode("latin-1", "replace") + b"\n")
        self._free_at = now + self.settings.pause
        self._pending = line if line.is_query else None

    def receive(self, data: bytes, now: Instant, flaw: str = "") -> None:
        """Bytes have come; with a ``flaw`` the line that they touch is lost."""
        self.wake(now)
        if flaw:
            self._reader.spoil(data)
            return
        for text in self._reader.feed(data):
            if self._pending is None or text is None:
                self._events.append(Unasked("" if text is None else text, now))
            elif text.strip():
                self._take(self._pending, text, now)
        self._send_next(now)

    def _take(self, line: Line, text: str, now: Instant) -> None:
        entry, asked = _ENTRY.match(text), "ERR" in line.text.upper()
        late = entry is None or line.text != _ASK_ERROR if self._owed else entry and entry["quote"] and not asked
        if late:
            self._events.append(Unasked(text, now))
            return
        self._owed = False
        self._pending = None
        self._events.append(Answer(line, text, now))

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        pending = self._pending
        if pending is not None and now >= pending.sent + self.settings.patience:
            self._pending = None
            self._reader.drop()  # the begin of a lost answer would spoil the next one
            self._events.append(NoAnswer(pending, now))
            if self.settings.ask_errors:
                self._owed = True
                if not pending.text.upper().startswith("SYST:ERR"):
                    self._tickets += 1
                    self._queue.appendleft(Line(self._tickets, _ASK_ERROR))
        self._send_next(now)

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        nearest = FAR
        if self._pending is not None:
            nearest = self._pending.sent + self.settings.patience
        elif self._queue:
            nearest = self._free_at
        return None if nearest == FAR else nearest

    def take_output(self) -> bytes:
        """Bytes to send."""
        data, self._output = b"".join(self._output), []
        return data

    def take_events(self) -> list[Event]:
        """What has happened since the last call."""
        events, self._events = self._events, []
        return events
