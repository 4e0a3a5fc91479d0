"""An interpreter for transition tables: states, rows and timers as data, time as an argument.

It has no opinion on either side of the wire. The charger's tables live in ``hil.dut``, the
vehicle's in ``hil.tester``; both are run by this. What is not in a table is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from hil.errors import CatalogueError
from hil.units import Instant, Span


class State(NamedTuple):
    """What is sent, which timers run and whether the plant is polled while in a state.

    A message or timer that the next state lists too goes on undisturbed; the others start or stop.
    """

    sends: tuple[str, ...] = ()
    timers: tuple[str, ...] = ()
    enter: tuple[str, ...] = ()
    poll: bool = False


class Row(NamedTuple):
    """In one of ``states``, on ``trigger`` and if ``guard`` holds: do, then go to ``target``.

    Timers are triggers like any other, by their names; ``poll`` is the trigger of a polled state.
    An empty target stays. Rows of one state and trigger are tried in order. ``cause:bst`` in ``do``
    calls ``do_cause("bst", now)``.
    """

    states: tuple[str, ...]
    trigger: str
    target: str = ""
    guard: str = ""
    do: tuple[str, ...] = ()


class _Compiled(NamedTuple):
    guard: Callable[[Instant], Any] | None
    actions: tuple[Callable[[Instant], Any], ...]
    target: str
    row: Row


POLL = "poll"


class TableMachine:
    """Runs a table. Subclasses give ``guard_x`` and ``do_x`` methods and send messages."""

    def __init__(
        self, states: Mapping[str, State], rows: Iterable[Row], spans: Mapping[str, Span], initial: str
    ) -> None:
        """Raises :class:`CatalogueError` for a table that names what does not exist."""
        self.states = states
        self.state = initial
        self.spans = spans
        self.sends: dict[str, Instant] = {}
        self.timers: dict[str, Instant] = {}
        self.taken: set[Row] = set()
        """Rows taken so far, for coverage of the table."""
        self._bound: Instant | None = None
        self._table: dict[tuple[str, str], tuple[_Compiled, ...]] = {}
        self._enter: dict[str, tuple[Callable[[Instant], Any], ...]] = {}
        self._compile(rows)

    # --- given by subclasses ------------------------------------------------------------------------

    def send(self, name: str, now: Instant) -> None:
        """Send the message (or variant of a message) that states list as ``name``."""
        raise LookupError(f"nothing sends {name!r}")

    def period(self, name: str) -> Span:
        """The period of a listed message."""
        return self.spans[name]

    def entered(self, state: str, now: Instant) -> None:
        """Called after each change of state."""

    # --- for subclasses -----------------------------------------------------------------------------

    def fire(self, trigger: str, now: Instant) -> bool:
        """Give a trigger to the table; False when no row of the present state takes it."""
        rows = self._table.get((self.state, trigger))
        if rows is None:
            return False
        for guard, actions, target, row in rows:
            if guard is None or guard(now):
                self.taken.add(row)
                for action in actions:
                    action(now)
                if target and target != self.state:
                    self.go(target, now)
                return True
        return False

    def go(self, name: str, now: Instant) -> None:
        """Enter a state: stop and start what differs, then its entry actions."""
        state = self.states[name]
        self.state = name
        self.sends = {send: self.sends.get(send, now) for send in state.sends}
        keep = {timer: at for timer, at in self.timers.items() if timer in state.timers}
        for timer in state.timers:
            if timer not in keep:
                keep[timer] = now + self.spans[timer]
        if state.poll:
            keep[POLL] = now + self.spans[POLL]
        self.timers = keep
        self._rebound()
        for action in self._enter[name]:
            action(now)
        self.entered(name, now)

    def start_timer(self, name: str, now: Instant) -> None:
        """(Re)start a timer; its name is the trigger when it runs out."""
        at = now + self.spans[name]
        self.timers[name] = at
        if self._bound is None or at < self._bound:
            self._bound = at

    def stop_timer(self, name: str) -> None:
        """Stop a timer; one that does not run stays stopped."""
        self.timers.pop(name, None)

    def next_due(self) -> Instant | None:
        """The next instant of a send or a timer, or earlier."""
        return self._bound

    def run_due(self, now: Instant) -> None:
        """Fire what is due: time-outs before periodic messages, so that the last state message of a
        wait is not sent at the very instant that ends the wait."""
        while True:
            due = [(at, name) for name, at in self.timers.items() if at <= now]
            if not due:
                break
            _, name = min(due)
            del self.timers[name]
            self.fire(name, now)
            if name == POLL and self.states[self.state].poll and POLL not in self.timers:
                self.timers[POLL] = now + self.spans[POLL]
        for name, at in list(self.sends.items()):
            if at <= now and self.sends.get(name) == at:
                self.sends[name] = at + self.period(name)
                self.send(name, now)
        self._rebound()

    # --- inside -------------------------------------------------------------------------------------

    def _rebound(self) -> None:
        sends, timers = self.sends, self.timers
        bound = min(sends.values()) if sends else None
        if timers:
            first = min(timers.values())
            bound = first if bound is None or first < bound else bound
        self._bound = bound

    def _compile(self, rows: Iterable[Row]) -> None:
        table: dict[tuple[str, str], list[_Compiled]] = {}
        for row in rows:
            compiled = _Compiled(
                self._method("guard", row.guard) if row.guard else None,
                tuple(self._method("do", name) for name in row.do),
                row.target,
                row,
            )
            for name in (*row.states, *((row.target,) if row.target else ())):
                if name not in self.states:
                    raise CatalogueError(f"row {row} names the state {name!r}, which is not declared")
            for name in row.states:
                table.setdefault((name, row.trigger), []).append(compiled)
        self._table = {key: tuple(value) for key, value in table.items()}
        for name, state in self.states.items():
            self._enter[name] = tuple(self._method("do", action) for action in state.enter)
            for timer in state.timers:
                if timer not in self.spans:
                    raise CatalogueError(f"state {name!r} names the timer {timer!r}, which has no span")

    def _method(self, kind: str, name: str) -> Callable[[Instant], Any]:
        method_name, _, argument = name.partition(":")
        method: Callable[..., Any] | None = getattr(self, f"{kind}_{method_name}", None)
        if method is None:
            raise CatalogueError(f"the table names {kind} {name!r}, which {type(self).__name__} does not have")
        return partial(method, argument) if argument else method
