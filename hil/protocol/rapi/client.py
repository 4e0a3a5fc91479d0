"""The asking side of a RAPI line as a machine without I/O.

One command is under way at a time (sheet serial 1.1). Notifications, debug text and echoes may come
between a command and its reply; a reply may be late or never come, and a late one must not be taken
for that of the next command: sequence ids tell them apart, and where a console gives none, the form
of the reply and a short wait do.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from hil.protocol.rapi.commands import COMMANDS, NOTIFICATIONS, Command, decode_fields
from hil.protocol.rapi.frame import LONGEST, Broken, Check, Frame, Framer, encode
from hil.units import FAR, MILLISECOND, SECOND, Instant, Span

_MOST_OWED = 8
_MOST_QUEUED = 256


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Habits of a client."""

    check: Check = Check.XOR
    sequence: bool = True
    """Add sequence ids; a console that does not know them just leaves them out."""
    due: Span = 500 * MILLISECOND
    """After this a reply is called late; the client goes on waiting (sheet serial 1.1)."""
    patience: Span = 10 * SECOND
    """After this a reply is given up: consoles are silent for seconds while they switch or handle a fault."""
    memory: Span = 60 * SECOND
    """So long a reply that was given up may still come and be known."""
    settle: Span = 100 * MILLISECOND
    """How long a reply that may belong to an earlier command waits for another one."""
    pause: Span = 0
    """Between a reply and the next command."""
    limit: int = LONGEST


@dataclass(frozen=True, slots=True)
class Request:
    """A command as it went out."""

    ticket: int
    name: str
    data: bytes
    sequence: int | None = None
    sent: Instant = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request."""

    request: Request
    ok: bool
    values: dict[str, int | str]
    wrong: tuple[str, ...]
    """What does not fit the sheet's fields, in words; some consoles have others (sheet serial 1.8)."""
    frame: Frame
    at: Instant
    given_up: bool = False
    """It came after the client had given it up."""

    @property
    def latency(self) -> Span:
        """From handing the command over to the end of the reply."""
        return self.at - self.request.sent


@dataclass(frozen=True, slots=True)
class Notification:
    """An asynchronous message."""

    name: str
    values: dict[str, int | str]
    wrong: tuple[str, ...]
    frame: Frame
    at: Instant


@dataclass(frozen=True, slots=True)
class Waiting:
    """No reply within the usual time; the client waits on."""

    request: Request
    at: Instant


@dataclass(frozen=True, slots=True)
class NoReply:
    """A reply was given up: ``silent``, or ``restarted`` when the console booted meanwhile."""

    request: Request
    why: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Unasked:
    """A frame that answers nothing and is no known notification."""

    frame: Frame
    at: Instant


@dataclass(frozen=True, slots=True)
class Garbled:
    """A frame with a wrong checksum, or bytes that became no frame."""

    raw: bytes
    why: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Text:
    """A line between frames: debug text of the console."""

    raw: bytes
    at: Instant


Event = Reply | Notification | Waiting | NoReply | Unasked | Garbled | Text


class Client:
    """Give it bytes and instants; take bytes to send from :meth:`take_output`, events from :meth:`take_events`."""

    def __init__(self, settings: ClientSettings | None = None) -> None:
        self.settings = settings or ClientSettings()
        self._framer = Framer(self.settings.limit)
        self._queue: deque[Request] = deque()
        self._pending: Request | None = None
        self._told_late = False
        self._owed: deque[Request] = deque(maxlen=_MOST_OWED)
        self._held: tuple[Frame, Instant] | None = None
        self._free_at: Instant = 0
        self._tickets = 0
        self._sequence = 0
        self._output: list[bytes] = []
        self._events: list[Event] = []

    # --- asking -------------------------------------------------------------------------------------

    def request(self, name: str, *parameters: str | int, now: Instant, check: Check | None = None) -> int:
        """Ask a command as soon as the line is free; its ticket comes back in the events.

        A queue of more than 256 requests drops the oldest.
        """
        sequence = None
        if self.settings.sequence:
            sequence = self._sequence = self._sequence % 0xFF + 1
        form = self.settings.check if check is None else check
        data = encode(name, *map(str, parameters), sequence=sequence, check=form)
        return self._ask(name, data, sequence, now)

    def request_raw(self, data: bytes, *, name: str = "", sequence: int | None = None, now: Instant) -> int:
        """Send these very bytes and wait for a reply to them; ``name`` tells which fields it has."""
        return self._ask(name, data, sequence, now)

    def _ask(self, name: str, data: bytes, sequence: int | None, now: Instant) -> int:
        self._tickets += 1
        if len(self._queue) >= _MOST_QUEUED:
            self._queue.popleft()
        self._queue.append(Request(self._tickets, name, data, sequence))
        self._send_next(now)
        return self._tickets

    @property
    def idle(self) -> bool:
        """Nothing is under way or waits."""
        return self._pending is None and not self._queue

    def _send_next(self, now: Instant) -> None:
        if self._pending is None and self._queue and now >= self._free_at:
            waiting = self._queue.popleft()
            self._pending = Request(waiting.ticket, waiting.name, waiting.data, waiting.sequence, now)
            self._told_late = False
            self._output.append(waiting.data)

    # --- hearing ------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: Instant, flaw: str = "") -> None:
        """Bytes have come; with a ``flaw`` nothing that they touch is believed."""
        self.wake(now)
        for item in self._framer.spoil(data, flaw) if flaw else self._framer.feed(data):
            if isinstance(item, Broken):
                self._events.append(Text(item.raw, now) if item.why == "text" else Garbled(item.raw, item.why, now))
            elif not item.valid:
                self._events.append(Garbled(item.raw, f"checksum {item.due:02X} is due", now))
            else:
                self._frame(item, now)
        self._send_next(now)

    def _frame(self, frame: Frame, now: Instant) -> None:
        if frame.name in ("OK", "NK"):
            self._answer(frame, now)
        elif self._is_echo(frame):
            return
        elif frame.name in NOTIFICATIONS:
            values, wrong = decode_fields(NOTIFICATIONS[frame.name], frame.tokens[1:])
            self._events.append(Notification(frame.name, values, tuple(wrong), frame, now))
            if frame.name == "AB":
                self._give_up("restarted", now)
        else:
            self._events.append(Unasked(frame, now))

    def _is_echo(self, frame: Frame) -> bool:
        return self._pending is not None and self._pending.data.rstrip(b"\r\n") == frame.raw

    def _answer(self, frame: Frame, now: Instant) -> None:
        if frame.sequence is not None:
            self._answer_with_id(frame, now)
            return
        pending = self._pending
        owed = next((each for each in self._owed if _fits(each, frame)), None)
        if pending is None:
            self._late(owed, frame, now)
        elif owed is None or self._held is not None:
            self._resolve(earlier=self._held is not None)
            self._finish(frame, now)
        elif not _fits(pending, frame):
            self._late(owed, frame, now)
        else:
            self._held = (frame, now)

    def _answer_with_id(self, frame: Frame, now: Instant) -> None:
        if self._pending is not None and self._pending.sequence == frame.sequence:
            self._resolve(earlier=True)
            self._finish(frame, now)
        else:
            self._late(next((each for each in self._owed if each.sequence == frame.sequence), None), frame, now)

    def _resolve(self, *, earlier: bool) -> None:
        """Decide to whom the reply that was held belongs: to an earlier command or to this one."""
        if self._held is None:
            return
        (frame, at), self._held = self._held, None
        if earlier:
            self._late(next((each for each in self._owed if _fits(each, frame)), None), frame, at)
        else:
            self._finish(frame, at)

    def _finish(self, frame: Frame, now: Instant) -> None:
        assert self._pending is not None, "a reply is only finished for a request"
        request, self._pending = self._pending, None
        self._free_at = now + self.settings.pause
        self._events.append(_reply(request, frame, now))

    def _late(self, request: Request | None, frame: Frame, now: Instant) -> None:
        if request is None:
            self._events.append(Unasked(frame, now))
            return
        # Replies keep their order: what was asked before it will not be answered any more.
        while self._owed and self._owed.popleft() != request:
            pass
        self._events.append(_reply(request, frame, now, given_up=True))

    def _give_up(self, why: str, now: Instant) -> None:
        self._resolve(earlier=False)
        if self._pending is not None:
            request, self._pending = self._pending, None
            self._owed.append(request)
            self._events.append(NoReply(request, why, now))

    # --- time ---------------------------------------------------------------------------------------

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        while self._owed and now >= self._owed[0].sent + self.settings.patience + self.settings.memory:
            self._owed.popleft()
        if self._held is not None and now >= self._held[1] + self.settings.settle:
            self._resolve(earlier=False)
        pending = self._pending
        if pending is not None and not self._told_late and now >= pending.sent + self.settings.due:
            self._told_late = True
            self._events.append(Waiting(pending, now))
        if pending is not None and self._pending is pending and now >= pending.sent + self.settings.patience:
            self._give_up("silent", now)
        self._send_next(now)

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        nearest = FAR
        if self._pending is not None:
            sent = self._pending.sent
            nearest = sent + (self.settings.patience if self._told_late else self.settings.due)
        elif self._queue:
            nearest = self._free_at
        if self._held is not None:
            nearest = min(nearest, self._held[1] + self.settings.settle)
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


def _fits(request: Request, frame: Frame) -> bool:
    """Whether a frame may answer a request: a bare NK answers anything, else the sheet's fields decide."""
    parameters = [token for token in frame.tokens[1:] if token]
    command = COMMANDS.get(request.name[:2])
    if (frame.name == "NK" and not parameters) or command is None:
        return True
    return not decode_fields(command.reply, parameters)[1]


def _reply(request: Request, frame: Frame, now: Instant, *, given_up: bool = False) -> Reply:
    command: Command | None = COMMANDS.get(request.name[:2])
    ok = frame.name == "OK"
    fields = command.reply if command is not None and (ok or len(frame.tokens) > 1) else ()
    values, wrong = decode_fields(fields, frame.tokens[1:]) if command is not None else ({}, [])
    return Reply(request, ok, values, tuple(wrong), frame, now, given_up)
