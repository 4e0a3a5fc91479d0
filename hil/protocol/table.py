"""An interpreter for transition tables: states, rows and timers as data, time as an argument.

It has no opinion on either side of the wire. The charger's tables live in ``hil.dut``, the
vehicle's in ``hil.tester``; both are run by this. What is not in a table is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from hil.errors import CatalogueError
from hil.native import mypyc_attr
from hil.units import FAR, Instant, Span


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
    calls ``do_cause("bst", now)``. A row that stays may name in ``again`` the timers to restart where the very
    message that it has just taken comes once more: all that ``do`` would then come to.
    """

    states: tuple[str, ...]
    trigger: str
    target: str = ""
    guard: str = ""
    do: tuple[str, ...] = ()
    again: tuple[str, ...] | None = None


class Repetition:
    """What the same message again comes to, as long as the state lasts: no guard that agrees, timers to restart."""

    __slots__ = ("data", "guards", "name", "timers")

    def __init__(
        self, name: str, data: bytes, guards: tuple[Callable[[Instant], Any], ...], timers: tuple[str, ...]
    ) -> None:
        self.name = name
        self.data = data
        self.guards = guards
        self.timers = timers


class _Compiled:
    """A row with its methods found."""

    __slots__ = ("actions", "guard", "row", "taken", "target")

    def __init__(
        self, row: Row, guard: Callable[[Instant], Any] | None, actions: tuple[Callable[[Instant], Any], ...]
    ) -> None:
        self.row = row
        self.guard = guard
        self.actions = actions
        self.target = row.target
        self.taken = False


POLL = "poll"


def row_label(row: Row) -> str:
    """A row in one line: ``charging|paused: BST -> answered``, with its guard in brackets."""
    guard = f" [{row.guard}]" if row.guard else ""
    does = f" / {', '.join(row.do)}" if row.do and not row.target else ""
    return f"{'|'.join(row.states)}: {row.trigger}{guard} -> {row.target or 'stay'}{does}"


@mypyc_attr(allow_interpreted_subclasses=True)
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
        self._repetitions: dict[int, Repetition] = {}
        """By identifier, in the present stay in the present state."""
        self.wander: Mapping[str, tuple[Span, ...]] = {}
        """By how much the intervals of a message are longer than its period, in turn."""
        self._turns: dict[str, int] = {}
        self.also_due: Instant = FAR
        """Deadline of what a subclass runs beside the table; to be set by :meth:`set_also_due`."""
        # Not later than the first of the sends, of the timers, and of all: restarting a timer moves it away
        # from its bound, and only when the bound comes is the next one looked for.
        self._send_bound: Instant = FAR
        self._timer_bound: Instant = FAR
        self._bound: Instant = FAR
        self._rows: list[_Compiled] = []
        self._table: dict[str, dict[str, tuple[_Compiled, ...]]] = {}
        self._enter: dict[str, tuple[Callable[[Instant], Any], ...]] = {}
        self._compile(rows)

    # --- given by subclasses ------------------------------------------------------------------------

    def send(self, name: str, now: Instant) -> None:
        """Send the message (or variant of a message) that states list as ``name``."""
        raise LookupError(f"nothing sends {name!r}")

    def period(self, name: str) -> Span:
        """The interval up to the next of a listed message."""
        if name not in self.wander:
            return self.spans[name]
        steps = self.wander[name]
        turn = self._turns[name] = self._turns.get(name, -1) + 1
        return self.spans[name] + steps[turn % len(steps)]

    def entered(self, state: str, now: Instant) -> None:
        """Called after each change of state."""

    # --- for subclasses -----------------------------------------------------------------------------

    def fire(self, trigger: str, now: Instant) -> bool:
        """Give a trigger to the table; False when no row of the present state takes it."""
        for row in self._table[self.state].get(trigger, ()):
            if row.guard is None or row.guard(now):
                self._carry_out(row, now)
                return True
        return False

    def take(self, trigger: str, identifier: int, message: str, data: bytes, now: Instant) -> None:
        """Give the table the trigger that a single frame is, and note what the same frame again will come to."""
        repetitions, stay = self._repetitions, self.timers
        for other in [each for each, known in repetitions.items() if known.name == message]:
            del repetitions[other]
        refused: list[Callable[[Instant], Any]] = []
        for row in self._table[self.state].get(trigger, ()):
            if row.guard is None or row.guard(now):
                self._carry_out(row, now)
                if row.guard is None and row.row.again is not None and self.timers is stay:
                    repetitions[identifier] = Repetition(message, data, tuple(refused), row.row.again)
                return
            refused.append(row.guard)
        repetitions[identifier] = Repetition(message, data, tuple(refused), ())

    def repeated(self, identifier: int, data: bytes, now: Instant) -> bool:
        """Whether a frame only repeats what was taken in this stay; its timers then run anew, and no deadline comes
        nearer."""
        known = self._repetitions.get(identifier)
        if known is None or known.data != data:
            return False
        for guard in known.guards:
            if guard(now):
                return False
        for timer in known.timers:
            at = now + self.spans[timer]
            if timer not in self.timers or at < self._timer_bound:
                return False
            self.timers[timer] = at
        return True

    def forget_repetitions(self) -> None:
        """What was taken in this stay may be taken otherwise now."""
        self._repetitions.clear()

    @property
    def taken(self) -> set[Row]:
        """Rows taken so far, for coverage of the table."""
        return {each.row for rows in self._table.values() for tried in rows.values() for each in tried if each.taken}

    def coverage(self) -> dict[str, bool]:
        """Every row of the table in its order, as text, and whether it was taken so far."""
        return {row_label(each.row): each.taken for each in self._rows}

    def go(self, name: str, now: Instant) -> None:
        """Enter a state: stop and start what differs, then its entry actions."""
        state = self.states[name]
        self.state = name
        self._repetitions.clear()
        self.sends = {send: self.sends.get(send, now) for send in state.sends}
        keep = {timer: at for timer, at in self.timers.items() if timer in state.timers}
        for timer in state.timers:
            if timer not in keep:
                keep[timer] = now + self.spans[timer]
        if state.poll:
            keep[POLL] = now + self.spans[POLL]
        self.timers = keep
        self._send_bound = min(self.sends.values(), default=FAR)
        self._timer_bound = min(keep.values(), default=FAR)
        self._bound = min(self._send_bound, self._timer_bound, self.also_due)
        for action in self._enter[name]:
            action(now)
        self.entered(name, now)

    def start_timer(self, name: str, now: Instant) -> None:
        """(Re)start a timer; its name is the trigger when it runs out."""
        at = now + self.spans[name]
        self.timers[name] = at
        if at < self._timer_bound:
            self._timer_bound = at
            self._bound = min(self._bound, at)

    def stop_timer(self, name: str) -> None:
        """Stop a timer; one that does not run stays stopped."""
        self.timers.pop(name, None)

    def next_deadline(self) -> Instant:
        """The next instant of a send, a timer or ``also_due``, or earlier; :data:`hil.units.FAR` when there is none."""
        return self._bound

    def set_also_due(self, due: Instant) -> None:
        """Set the deadline of what a subclass runs beside the table."""
        self.also_due = due
        if due < self._bound:
            self._bound = due

    def run_due(self, now: Instant) -> None:
        """Fire what is due: time-outs before periodic messages, so that the last state message of a
        wait is not sent at the very instant that ends the wait."""
        if self._timer_bound <= now:
            self._run_timers(now)
        if self._send_bound <= now:
            self._run_sends(now)
        bound = self._send_bound
        if self._timer_bound < bound:
            bound = self._timer_bound
        self._bound = self.also_due if self.also_due < bound else bound  # noqa: FURB136 - a call in a hot path

    def halt(self) -> None:
        """Send nothing more and let no timer run out."""
        self.sends, self.timers = {}, {}
        self._repetitions.clear()
        self._send_bound = self._timer_bound = self.also_due = self._bound = FAR

    # --- inside -------------------------------------------------------------------------------------

    def _carry_out(self, row: _Compiled, now: Instant) -> None:
        row.taken = True
        for action in row.actions:
            action(now)
        target = row.target
        if target and target != self.state:
            self.go(target, now)

    def _run_timers(self, now: Instant) -> None:
        while True:
            due = [(at, name) for name, at in self.timers.items() if at <= now]
            if not due:
                break
            _, name = min(due)
            del self.timers[name]
            self.fire(name, now)
            if name == POLL and self.states[self.state].poll and POLL not in self.timers:
                self.timers[POLL] = now + self.spans[POLL]
        self._timer_bound = min(self.timers.values(), default=FAR)

    def _run_sends(self, now: Instant) -> None:
        sends = self.sends
        bound = FAR
        spans, wander = self.spans, self.wander
        for name, at in sends.items():
            # Sending may change the state, which puts another dictionary in the place of this one.
            if at <= now and (self.sends is sends or self.sends.get(name) == at):
                at += self.period(name) if wander else spans[name]
                self.sends[name] = at
                self.send(name, now)
            if at < bound:
                bound = at
        self._send_bound = bound if self.sends is sends else min(self.sends.values(), default=FAR)

    def _compile(self, rows: Iterable[Row]) -> None:
        table: dict[str, dict[str, list[_Compiled]]] = {name: {} for name in self.states}
        for row in rows:
            guard = self._method("guard", row.guard) if row.guard else None
            compiled = _Compiled(row, guard, tuple(self._method("do", name) for name in row.do))
            self._rows.append(compiled)
            for name in (*row.states, *((row.target,) if row.target else ())):
                if name not in self.states:
                    raise CatalogueError(f"row {row} names the state {name!r}, which is not declared")
            for name in row.states:
                table[name].setdefault(row.trigger, []).append(compiled)
        self._table = {
            name: {trigger: tuple(tried) for trigger, tried in triggers.items()} for name, triggers in table.items()
        }
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
