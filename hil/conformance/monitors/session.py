"""What both sides are doing, read from the wire: states, attempts, first and last messages, timers.

Names of messages carry their value where the sheet tells states apart by it (``CRM00``, ``CRMAA``,
``BRO00``, ``BROAA``, ``CRO00``, ``CROAA``); a long message is named at its RTS and once more, as
``BRM complete``, at its end. An *attempt* runs from CHM or CRM(00) to the next of these.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from hil.conformance.monitors.ledger import Ledger
from hil.units import Instant, Span, s

Hook = Callable[[Instant], None]

TOGETHER = {"CTS": "CML", "BCS": "BCL", "BSM": "BCL", "BMV": "BCL", "BMT": "BCL", "BSP": "BCL"}
"""Messages that belong to the state in which another one is sent."""
_MOST_RUNS = 2000
_MOST_REPORTS = 500
NEVER: Instant = -(1 << 62)
UNSEEN: Instant = 1 << 62
"""Later than anything: nothing has been seen yet, or nothing is due."""
_SAME_CONTACT: Span = s(5)
"""A charger that speaks again within this span is still in the same session."""


class Report(msgspec.Struct, frozen=True):
    """A time-out that one side reported with CEM or BEM."""

    at: Instant
    side: str
    message: str
    spn: int
    awaited: str
    """In words, what stayed away; empty where no time-out of the sheet fits."""
    timeout: str
    """Its name in sheet 4.3, or empty."""
    after: Span | None
    """Span since the awaited message, where that is known."""


class Run(msgspec.Struct):
    """A side sent one state's messages from ``start`` to ``end``."""

    side: str
    state: str
    start: Instant
    end: Instant


class Ending:
    """A message has to end: by what, since when, and how long its tail may be."""

    __slots__ = ("_blamed", "_monitor", "_tail", "_what", "since")

    def __init__(self, monitor: str, since: Instant, tail: Span, what: str) -> None:
        self._monitor = monitor
        self.since = since
        self._tail = tail
        self._what = what
        self._blamed = False

    def see(self, t: Instant, name: str, side: str, ledger: Ledger) -> None:
        """One more message of that kind."""
        if self._blamed or t - self.since <= self._tail:
            return
        self._blamed = True
        ledger.span(self._monitor, side, t, t - self.since, 0, self._tail, f"the last {name} after {self._what}")


class Stream(Protocol):
    """What a session knows of the messages of one kind."""

    name: str
    last: Instant
    interval: tuple[Span, Span] | None

    def overdue(self, t: Instant) -> Span:
        """By how much its last interval has run past the period; 0 where that is not judged."""

    def interrupt(self) -> None:
        """The next interval is not a period."""

    def restart(self) -> None:
        """A new attempt: what ended may come again."""

    def end(self, name: str, ending: Ending) -> None:
        """Messages after the tail are a deviation."""


class Side:
    """One side of the wire."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = ""
        self.previous = ""
        """The state before an error message."""
        self.streams: list[tuple[str, Stream]] = []
        """State and stream of each message."""
        self.run: Run | None = None

    def last_seen(self) -> Instant:
        """Its latest message."""
        return max((stream.last for _, stream in self.streams), default=NEVER)

    def state_last(self) -> Instant:
        """Its latest message of the present state."""
        return max((stream.last for state, stream in self.streams if self.state.startswith(state)), default=NEVER)


class Session:
    """The state of both sides. Monitors register for beginnings, restarts and instants."""

    def __init__(self) -> None:
        self.sides = {"charger": Side("charger"), "bms": Side("bms")}
        self.streams: dict[str, Stream] = {}
        self.first: dict[str, Instant] = {}
        """Instant of the first such message in this attempt."""
        self.lasts: dict[str, Instant] = {}
        """Instant of the last one, for names that are only a value of a message."""
        self.had: dict[str, Instant] = {}
        """Since when the receiver has had the last of a long message: it may acknowledge it later."""
        self.attempt = 0
        self.observed = False
        """The beginning of this attempt was seen: what is missing was not sent."""
        self.start: Instant = 0
        """Instant of the first frame, or of the first one since time jumped back. What a recorder had queued
        before it started bears this stamp, so intervals from it are not judged."""
        self.vague: set[str] = set()
        """Messages that were under way when the observations began: their first one is not known."""
        self.doubtful: set[str] = set()
        """Messages that came with a fault which a receiver may or may not overlook: what they cause is open."""
        self.error: str = ""
        """The first error message of this attempt."""
        self.powered = True
        """False once samples show that K3/K4 opened or the plug came out."""
        self.runs: list[Run] = []
        self.runs_lost = 0
        self.reports: list[Report] = []
        self.due: Instant = UNSEEN
        self._timers: list[tuple[Instant, int, int, Hook]] = []
        self._count = 0
        self._hooks: dict[str, list[Hook]] = {}
        self._restarts: list[Callable[[str, Instant], None]] = []
        self._enters: list[Callable[[Side, str, Instant], None]] = []

    # --- registering ------------------------------------------------------------------------------

    def on(self, names: Iterable[str], hook: Hook) -> None:
        """Call the hook at the first such message of each attempt."""
        for name in names:
            self._hooks.setdefault(name, []).append(hook)

    def on_restart(self, hook: Callable[[str, Instant], None]) -> None:
        """Call with the message that starts a new attempt, before that message counts."""
        self._restarts.append(hook)

    def on_enter(self, hook: Callable[[Side, str, Instant], None]) -> None:
        """Call with side (still in its old state), new state and instant at each change of state."""
        self._enters.append(hook)

    def add(self, side: str, variants: Iterable[str], state: str, stream: Stream) -> None:
        """Make a stream known."""
        self.sides[side].streams.append((state, stream))
        for variant in variants:
            self.streams[variant] = stream

    # --- timers -----------------------------------------------------------------------------------

    def at(self, instant: Instant, hook: Hook) -> None:
        """Call the hook with the time it then is, once ``instant`` has passed, unless a new attempt came first."""
        self._count += 1
        heapq.heappush(self._timers, (instant, self._count, self.attempt, hook))
        self.due = self._timers[0][0]

    def wake(self, now: Instant) -> None:
        """Call what is due."""
        timers = self._timers
        while timers and timers[0][0] <= now:
            _, _, attempt, hook = heapq.heappop(timers)
            if attempt == self.attempt:
                hook(now)
        self.due = timers[0][0] if timers else UNSEEN

    # --- what streams tell ------------------------------------------------------------------------

    def begin(self, side: Side, name: str, state: str, t: Instant) -> None:
        """A message that may be the first of a state, or of its kind in this attempt."""
        if side.state != state:
            self._enter(side, state, t)
        if name not in self.first:
            self.first[name] = t
            for hook in self._hooks.get(name, ()):
                hook(t)

    def report(self, report: Report) -> None:
        """Keep a reported time-out; the first 500."""
        if len(self.reports) < _MOST_REPORTS:
            self.reports.append(report)

    def happen(self, name: str, t: Instant) -> None:
        """Something that has a name but no state: a complete long message."""
        self.lasts[name] = t
        if name not in self.first:
            self.first[name] = t
            for hook in self._hooks.get(name, ()):
                hook(t)

    def last(self, name: str) -> Instant | None:
        """Instant of the latest such message in this attempt."""
        if name not in self.first:
            return None
        stream = self.streams.get(name)
        if stream is not None and stream.name == name:
            return stream.last
        return self.lasts.get(name)

    def _enter(self, side: Side, state: str, t: Instant) -> None:
        old = side.state
        before = side.last_seen()
        if side.run is not None:
            side.run.end = max(side.state_last(), side.run.start)
        if side.name == "charger" and self._starts_anew(state, old):
            self._restart(state, t, recent=t - before <= _SAME_CONTACT)
        for hook in self._enters:
            hook(side, state, t)
        for each, stream in side.streams:
            if each != state:
                stream.interrupt()
        if state in ("CEM", "BEM"):
            side.previous = old
            self.error = self.error or state
        if not old and (t - self.start < _SAME_CONTACT if side.name == "charger" else not self.observed):
            self.vague.add(state)
        side.state = state
        side.run = Run(side.name, state, t, t)
        if len(self.runs) < _MOST_RUNS:
            self.runs.append(side.run)
        else:
            self.runs_lost += 1

    @staticmethod
    def _starts_anew(state: str, old: str) -> bool:
        if state == "CHM":
            return True
        return state == "CRM00" and old != "CHM"

    def _restart(self, state: str, t: Instant, *, recent: bool) -> None:
        how = state if recent or state == "CHM" else "later"
        for hook in self._restarts:
            hook(how, t)
        self.forget()
        self.observed = True

    def forget(self) -> None:
        """A new attempt: nothing has been sent yet."""
        self.attempt += 1
        self.first.clear()
        self.lasts.clear()
        self.had.clear()
        self.vague.clear()
        self.doubtful.clear()
        self.error = ""
        self.observed = False
        self.powered = True
        for side in self.sides.values():
            for _, stream in side.streams:
                stream.restart()

    def lose_track(self, t: Instant) -> None:
        """Time jumped back to ``t``: nothing that came before can be related to what follows."""
        self.forget()
        self.start = t
        self._timers.clear()
        self.due = UNSEEN
        for side in self.sides.values():
            side.state = side.previous = ""
            side.run = None
            for _, stream in side.streams:
                stream.last = NEVER

    def finish(self) -> None:
        """Close the runs that are still open."""
        for side in self.sides.values():
            if side.run is not None:
                side.run.end = max(side.state_last(), side.run.start)
