"""The box's end of the signals port without I/O: any number of benches on connections of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

import msgspec

from hil.errors import UsageError
from hil.protocol.signals.lines import LineReader
from hil.protocol.signals.messages import (
    ALL,
    VERSION,
    Answer,
    Changed,
    Done,
    Garbled,
    Get,
    Hello,
    Refused,
    Request,
    Set,
    Signal,
    Subscribe,
    Values,
    Welcome,
    encode,
    read_request,
)
from hil.units import FAR, Instant, Span, s, seconds


class SensorsSet(msgspec.Struct, frozen=True):
    """Sensors have these values now; ``why`` is ``set``, or why they have gone back to rest."""

    values: dict[str, float]
    why: str = "set"


class _Bench:
    """One connection."""

    def __init__(self) -> None:
        self.reader = LineReader()
        self.watchdog: Span | None = None
        self.lapsed = False
        """It was silent for too long, and has to greet again."""
        self.heard: Instant = 0
        self.names: frozenset[str] = frozenset()
        """Subscribed."""
        self.every: Span | None = None
        self.due: Instant = FAR
        """When all that is subscribed is told again."""

    @property
    def bites(self) -> Instant:
        """When the watchdog bites."""
        return FAR if self.watchdog is None else self.heard + self.watchdog


class Server:
    """Give it bytes, values of actuators and instants; take lines to send and events.

    At rest a sensor is 0, or the end of its range next to that: what a box without power gives. A signal whose
    range is none raises :class:`UsageError`.
    """

    def __init__(self, signals: Mapping[str, Signal], *, box: str = "") -> None:
        for name, signal in signals.items():
            if not name or not signal.low < signal.high:
                raise UsageError(f"signal {name!r}: {signal.low:g}..{signal.high:g} is no range")
        self.signals = dict(signals)
        self.box = box
        self.values = {name: rest(signal) for name, signal in signals.items()}
        """Present values of all signals, by name."""
        self._actuators = frozenset(name for name, signal in signals.items() if signal.kind == "actuator")
        self._benches: dict[int, _Bench] = {}
        self._setter: int | None = None
        """The connection that set sensors last: when it falls silent they go back to rest."""
        self._changed: dict[str, float] = {}
        self._output: list[tuple[int, bytes]] = []
        self._events: list[SensorsSet | Garbled] = []

    # --- what happens -------------------------------------------------------------------------------

    def receive(self, channel: int, data: bytes, now: Instant, flaw: str = "") -> None:
        """Bytes of a bench; a connection begins with its first ones."""
        self._tell_changes(now)
        bench = self._benches.setdefault(channel, _Bench())
        bench.heard = now
        complained = False
        for line in bench.reader.feed(data, flaw):
            request = read_request(line) if isinstance(line, bytes) else line
            if not isinstance(request, Garbled):
                self._answer(channel, request, now)
                continue
            self._events.append(request)
            if not complained:  # no more errors than chunks: garbage must not make a flood of them
                self._send(channel, Refused(error=request.why, t=_t(now)))
            complained = True

    def close(self, channel: int, now: Instant) -> None:
        """A connection has ended."""
        self._benches.pop(channel, None)
        self._left(channel, "closed")

    def report(self, name: str, value: float, now: Instant) -> None:
        """The controller has driven an actuator; one that is not declared raises :class:`UsageError`."""
        if name not in self._actuators:
            raise UsageError(f"no actuator {name!r}; there are {', '.join(sorted(self._actuators)) or 'none'}")
        if self.values[name] == value:
            return
        if name in self._changed:  # a pulse: both of its edges are told
            self._tell_changes(now)
        self.values[name] = self._changed[name] = value

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        for channel, bench in self._benches.items():
            if bench.bites <= now:
                bench.watchdog, bench.lapsed = None, True
                bench.names, bench.every, bench.due = frozenset(), None, FAR
                self._left(channel, "silent")
            if bench.due <= now and bench.every is not None:
                bench.due = now + bench.every
                self._send(channel, Changed(values=self._of(bench.names), t=_t(now)))

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        nearest = min((min(each.bites, each.due) for each in self._benches.values()), default=FAR)
        return None if nearest == FAR else nearest

    def take_output(self, now: Instant) -> list[tuple[int, bytes]]:
        """Lines to send, each with its connection."""
        self._tell_changes(now)
        output, self._output = self._output, []
        return output

    def take_events(self) -> list[SensorsSet | Garbled]:
        """What has happened since the last call."""
        events, self._events = self._events, []
        return events

    # --- answers ------------------------------------------------------------------------------------

    def _answer(self, channel: int, request: Request, now: Instant) -> None:
        bench = self._benches[channel]
        answer: Answer
        if isinstance(request, Hello):
            bench.lapsed = False
            bench.watchdog = None if request.watchdog is None else s(request.watchdog)
            bench.names, bench.every, bench.due = frozenset(), None, FAR
            answer = Welcome(version=VERSION, box=self.box, signals=self.signals, id=request.id, t=_t(now))
        elif bench.lapsed:
            why = "silent for too long, all is at rest: greet again"
            answer = Refused(error=why, code="hello", id=request.id, t=_t(now))
        elif isinstance(request, Set):
            answer = self._set(channel, request, now)
        else:
            everything = self._actuators if isinstance(request, Subscribe) else frozenset(self.signals)
            names = everything if ALL in request.names else frozenset(request.names)
            problem = "" if ALL in request.names else self._problem(request.names, everything)
            if problem:
                answer = Refused(error=problem, id=request.id, t=_t(now))
            else:
                answer = Values(values=self._of(names), id=request.id, t=_t(now))
                if not isinstance(request, Get):
                    bench.names = names
                    bench.every = None if request.every is None or not names else s(request.every)
                    bench.due = FAR if bench.every is None else now + bench.every
        self._send(channel, answer)

    def _set(self, channel: int, request: Set, now: Instant) -> Answer:
        values = {name: float(value) for name, value in request.values.items()}
        problem = self._problem(values.keys(), self.signals.keys() - self._actuators) or self._out_of_range(values)
        if problem:
            return Refused(error=problem, id=request.id, t=_t(now))
        if values:
            self._setter = channel
            self.values |= values
            self._events.append(SensorsSet(values))
        return Done(what="set", id=request.id, t=_t(now))

    def _problem(self, names: Iterable[str], allowed: AbstractSet[str]) -> str:
        """Why these names cannot be taken; nothing when they can."""
        wrong = next((name for name in names if name not in allowed), None)
        if wrong is None:
            return ""
        if wrong in self.signals:
            other = self.signals[wrong].kind
            return (
                f"{wrong} is {'an actuator: it cannot be set' if other == 'actuator' else 'a sensor: it is not told'}"
            )
        return f'no signal {wrong!r}; {{"hello":{VERSION}}} lists those that there are'

    def _out_of_range(self, values: Mapping[str, float]) -> str:
        for name, value in values.items():
            signal = self.signals[name]
            if not signal.low <= value <= signal.high:
                return f"{name}: {value:g} is not within {signal.low:g}..{signal.high:g} {signal.unit}".rstrip()
        return ""

    def _of(self, names: frozenset[str]) -> dict[str, float]:
        """Present values, in the order in which the signals are declared."""
        return {name: value for name, value in self.values.items() if name in names}

    # --- sending ------------------------------------------------------------------------------------

    def _tell_changes(self, now: Instant) -> None:
        changed, self._changed = self._changed, {}
        if not changed:
            return
        for channel, bench in self._benches.items():
            theirs = {name: value for name, value in changed.items() if name in bench.names}
            if theirs:
                self._send(channel, Changed(values=theirs, t=_t(now)))

    def _send(self, channel: int, answer: Answer) -> None:
        self._output.append((channel, encode(answer)))

    def _left(self, channel: int, why: str) -> None:
        if self._setter != channel:
            return
        self._setter = None
        values = {name: rest(signal) for name, signal in self.signals.items() if signal.kind == "sensor"}
        self.values |= values
        self._events.append(SensorsSet(values, why))


def rest(signal: Signal) -> float:
    """0, or the end of the range next to it."""
    return min(max(0.0, signal.low), signal.high)


def _t(now: Instant) -> float:
    return round(seconds(now), 6)
