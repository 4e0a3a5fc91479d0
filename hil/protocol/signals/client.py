"""The bench's end of the signals port without I/O: it greets, subscribes, sets, repeats what was lost, and measures.

Values are levels: what matters is the newest one of each signal. Few sets are under way at a time, so a slow
line gets newer values rather than a queue of old ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from hil.protocol.signals.lines import LineReader
from hil.protocol.signals.messages import (
    VERSION,
    Answer,
    Changed,
    Done,
    Garbled,
    Hello,
    Refused,
    Request,
    Set,
    Signal,
    Subscribe,
    Welcome,
    encode,
    read_answer,
)
from hil.units import FAR, Instant, Span, ms, s, seconds

_AT_ONCE = 8
"""Urgent sets that may be under way together."""
_LATE = 16
"""Sets given up whose answers are still measured when they come."""
_LINE_END = b"\n"


class ClientSettings(msgspec.Struct, frozen=True):
    """Spans in ns."""

    silence: Span = s(1)
    """Without an answer for so long the box is lost; it is told to take the bench for lost after the same span."""
    ping: Span = ms(250)
    """Something is sent at least that often."""
    every: Span = ms(500)
    """The box tells every subscribed value at least that often."""
    patience: Span = ms(300)
    """A set without an answer for so long is repeated, with the values that are wanted by then."""


class Up(msgspec.Struct, frozen=True):
    """A box has answered; its signals, by its own names."""

    box: str
    signals: dict[str, Signal]


class Reported(msgspec.Struct, frozen=True):
    """Actuators have these values, by the box's names; ``whole`` where it is all that was subscribed."""

    values: dict[str, float]
    whole: bool = False


class Delay(msgspec.Struct, frozen=True):
    """From a set to its answer, in ns."""

    round_trip: Span


class Down(msgspec.Struct, frozen=True):
    """The box is lost."""

    why: str


class Refusal(msgspec.Struct, frozen=True):
    """The box would not; ``names`` are the signals that were to be set."""

    error: str
    names: tuple[str, ...] = ()


Event = Up | Reported | Delay | Down | Refusal | Garbled


class _UnderWay(msgspec.Struct, frozen=True):
    sent: Instant
    names: tuple[str, ...]


class Client:
    """Open it when the line is there; give it bytes, instants and values; take bytes and events.

    ``state`` is ``down``, ``greeting`` or ``up``. After :class:`Up` it waits to be told by :meth:`subscribe` what
    is wanted.
    """

    def __init__(self, settings: ClientSettings | None = None) -> None:
        self.settings = settings or ClientSettings()
        self.state = "down"
        self.heard: Instant = 0
        """When the last answer of the box came, or the greeting began. What it tells by itself does not count: it
        does not show that it hears us."""
        self._reader = LineReader()
        self._wanted: dict[str, float] = {}
        self._waiting: dict[str, None] = {}
        """Names whose wanted values have still to be sent, in order."""
        self._urgent = False
        self._under_way: dict[int, _UnderWay] = {}
        self._late: dict[int, Instant] = {}
        self._subscription: Subscribe | None = None
        self._asked: Instant = FAR
        """When the subscription was asked for, until it is answered."""
        self._count = 0
        self._sent: Instant = 0
        self._output: list[bytes] = []
        self._events: list[Event] = []

    # --- the bench's side -----------------------------------------------------------------------------

    def open(self, now: Instant) -> None:
        """The line is there: greet. An empty line ends whatever stood half written on it."""
        self._forget()
        self._reader.drop()
        self.state = "greeting"
        self.heard = now
        self._output.append(_LINE_END)
        self._send(Hello(version=VERSION, watchdog=seconds(self.settings.silence), id=self._number(), t=_t(now)), now)

    def close(self, now: Instant, why: str) -> None:
        """The line has gone."""
        if self.state != "down":
            self._go_down(why)

    def subscribe(self, names: Iterable[str], now: Instant) -> None:
        """Be told of these actuators; only while up."""
        every = seconds(self.settings.every)
        self._subscription = Subscribe(names=list(names), every=every, id=self._number(), t=_t(now))
        self._asked = now
        self._send(self._subscription, now)

    def put(self, values: Mapping[str, float], now: Instant, *, urgent: bool) -> None:
        """Sensors shall have these values; urgent ones do not wait for the answer to what is under way."""
        self._wanted |= values
        self._waiting |= dict.fromkeys(values)
        self._urgent = self._urgent or urgent
        self._set(now)

    # --- the box's side -------------------------------------------------------------------------------

    def receive(self, data: bytes, now: Instant, flaw: str = "") -> None:
        """Bytes of the box."""
        if self.state == "down":
            return
        for line in self._reader.feed(data, flaw):
            answer = read_answer(line) if isinstance(line, bytes) else line
            if isinstance(answer, Garbled):
                self._events.append(answer)
            elif self.state != "down":
                if not isinstance(answer, Changed):
                    self.heard = now
                self._take(answer, now)

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        if self.state == "down":
            return
        if now >= self.heard + self.settings.silence:
            self._go_down("no answer to hello" if self.state == "greeting" else "silent")
            return
        if self.state != "up":
            return
        for number, each in list(self._under_way.items()):
            if now >= each.sent + self.settings.patience:
                self._give_up(number, each)
        if self._subscription is not None and now >= self._asked + self.settings.patience:
            self.subscribe(self._subscription.names, now)
        self._set(now)
        if now >= self._sent + self.settings.ping:
            self._send_set({}, now)

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        if self.state == "down":
            return None
        nearest = self.heard + self.settings.silence
        if self.state == "up":
            answers = min((each.sent for each in self._under_way.values()), default=FAR) + self.settings.patience
            nearest = min(nearest, answers, self._asked + self.settings.patience, self._sent + self.settings.ping)
        return nearest

    def take_output(self) -> bytes:
        """Bytes to send."""
        output, self._output = b"".join(self._output), []
        return output

    def take_events(self) -> list[Event]:
        """What has happened since the last call."""
        events, self._events = self._events, []
        return events

    # --- inside ---------------------------------------------------------------------------------------

    def _take(self, answer: Answer, now: Instant) -> None:
        if isinstance(answer, Welcome):
            if self.state == "greeting":
                self._welcomed(answer)
        elif isinstance(answer, Done):
            self._done(-1 if answer.id is None else answer.id, now)
        elif isinstance(answer, Refused) and answer.code == "hello":
            if self.state == "up":
                self._go_down("it had let go")
        elif isinstance(answer, Refused):
            refused = self._under_way.pop(-1 if answer.id is None else answer.id, None)
            if self._subscription is not None and answer.id == self._subscription.id:
                self._asked = FAR  # asking again would not change its mind
            self._events.append(Refusal(answer.error, () if refused is None else refused.names))
            self._set(now)
        elif self.state == "up":
            whole = self._subscription is not None and answer.id == self._subscription.id
            if whole or isinstance(answer, Changed):
                self._asked = FAR if whole else self._asked
                self._events.append(Reported({name: float(value) for name, value in answer.values.items()}, whole))

    def _done(self, number: int, now: Instant) -> None:
        done = self._under_way.pop(number, None)
        sent = self._late.pop(number, None) if done is None else done.sent
        if sent is not None:
            self._events.append(Delay(now - sent))
            self._set(now)

    def _give_up(self, number: int, each: _UnderWay) -> None:
        del self._under_way[number]
        self._late[number] = each.sent
        if len(self._late) > _LATE:
            del self._late[next(iter(self._late))]
        if each.names:
            self._waiting |= dict.fromkeys(each.names)
            self._urgent = True

    def _welcomed(self, welcome: Welcome) -> None:
        if welcome.version != VERSION:
            self._go_down(f"it speaks version {welcome.version} of the port, not {VERSION}")
            return
        self.state = "up"
        self._events.append(Up(welcome.box, welcome.signals))

    def _go_down(self, why: str) -> None:
        self.state = "down"
        self._forget()
        self._events.append(Down(why))

    def _forget(self) -> None:
        self._wanted.clear()
        self._waiting.clear()
        self._under_way.clear()
        self._late.clear()
        self._subscription, self._asked = None, FAR
        self._urgent = False
        self._output.clear()

    def _set(self, now: Instant) -> None:
        """Send what waits, as far as the window allows."""
        if self.state != "up" or not self._waiting:
            return
        if len(self._under_way) < (_AT_ONCE if self._urgent else 1):
            waiting, self._waiting, self._urgent = self._waiting, {}, False
            self._send_set({name: self._wanted[name] for name in waiting}, now)

    def _send_set(self, values: dict[str, float], now: Instant) -> None:
        number = self._number()
        self._under_way[number] = _UnderWay(now, tuple(values))
        self._send(Set(values=dict(values), id=number, t=_t(now)), now)

    def _send(self, request: Request, now: Instant) -> None:
        self._sent = now
        self._output.append(encode(request))

    def _number(self) -> int:
        self._count += 1
        return self._count


def _t(now: Instant) -> float:
    return round(seconds(now), 6)
