"""What every world is: one clock, one queue, one seed, and the nodes, lines and plant that run on them.

Commands come in as values, observations go out as values. The queue decides what time is: that of
:mod:`hil.world.virtual` jumps from event to event, a live one follows the clock on the wall.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from hil.bus.bytefaults import LineFault
from hil.bus.faults import LinkFault
from hil.bus.lines import ByteLine, FrameLine, Line, StreamLine, fits
from hil.errors import UsageError, WorldError
from hil.native import mypyc_attr
from hil.protocol.gbt27930 import MessageSet
from hil.protocol.table import TableMachine
from hil.units import Instant, Span, s, us
from hil.world.bytenode import ByteNode, ByteNodeRunner
from hil.world.node import Node, NodeRunner, Sense
from hil.world.observation import FrameSeen, Note, Observation, Sample
from hil.world.plan import (
    Action,
    Advance,
    Close,
    Command,
    Describe,
    Do,
    Inject,
    Plan,
    Reply,
    Rule,
    Stimulate,
    Tell,
    UndoFault,
)
from hil.world.queue import EventQueue
from hil.world.watch import TP_FORMATS, Watch, Watcher, due

ACTUATION_LATENCY: Span = us(500)
"""From a controller's decision to the plant: never zero, so that order never depends on luck."""
SENSOR_LATENCY: Span = us(200)
"""From a change in the plant to the controllers that subscribe to it."""
ENDED = "safe_state"
"""Kind of the note that tells why a world went to its safe state by itself."""
SAFE_WITHIN: Span = s(1)
"""A plant that is told to is safe by then: the time for discharging the output (gbt27930.md 4.8)."""


class Plant(Protocol):
    """What a world asks of the one physical model; see :mod:`hil.plant`."""

    def sense(self, name: str, now: Instant) -> float:
        """A declared sensor's value."""

    def actuate(self, name: str, value: float, now: Instant) -> None:
        """Set a declared actuator."""

    def stimulate(self, name: str, value: float, now: Instant) -> None:
        """Apply a declared stimulus."""

    def check_stimulus(self, name: str, value: float) -> None:
        """Raise :class:`UsageError` for a stimulus that is not declared, or a value out of its range."""

    def go_safe(self, now: Instant) -> None:
        """No energy where a person may touch it: begin to bring that about, whatever was commanded."""

    def wake(self, now: Instant) -> None:
        """The deadline has come."""

    def next_deadline(self) -> Instant | None:
        """When something happens inside."""

    def take_samples(self) -> list[Sample]:
        """Samples since the last call."""

    def take_changes(self) -> list[tuple[Instant, str, float]]:
        """Changes since the last call of what controllers subscribe to."""


@mypyc_attr(allow_interpreted_subclasses=True)
class BaseWorld:
    """Runs nodes, a plant and lines on one queue. ``messages`` are those that triggers may name."""

    def __init__(self, seed: int, messages: MessageSet | None, queue: EventQueue, *, goes_on: bool = False) -> None:
        """``goes_on``: also between two commands, so that what comes there is news to the next one."""
        self.seed = seed
        self.queue = queue
        self.observations: list[Observation] = []
        self._watcher = Watcher(messages, remembers=goes_on)
        self._runners: dict[str, NodeRunner | ByteNodeRunner] = {}
        self._lines: dict[str, Line] = {}
        self._plant: Plant | None = None
        self.sense: Sense = _no_plant
        """What nodes read declared sensors through."""
        self._plant_wake: Instant | None = None
        self._plant_changed: Callable[[], None] = self._settle_plant
        self._listeners: list[NodeRunner | ByteNodeRunner] = []
        self._closed = False
        self._ordered = False
        """The command before this one was no wait."""
        self.ended = ""
        """Why the world went to its safe state by itself; empty while it has not."""
        self.overseer: Callable[[Observation], None] | None = None
        """Is shown every observation as it comes."""
        self.permits: Callable[[str, float], bool] | None = None
        """Asked of each stimulus of the plant."""
        self.parting = False
        """Only last words go out any more, which switch off."""

    # --- building ---------------------------------------------------------------------------------

    def rng(self, name: str) -> random.Random:
        """A generator of its own for ``name``: equal for equal seeds, whatever else is drawn."""
        return random.Random(f"{self.seed}:{name}")  # noqa: S311 - repeatable on purpose

    def add_line(self, line: Line) -> None:
        """Make a bus or a byte line known by its name, for faults."""
        self._lines[line.name] = line

    def line(self, name: str) -> Line:
        """A bus or a byte line by its name; :class:`UsageError` with those that there are."""
        if name not in self._lines:
            raise UsageError(f"no line {name!r} in this world; there are {', '.join(sorted(self._lines)) or 'none'}")
        return self._lines[name]

    @property
    def lines(self) -> Mapping[str, Line]:
        """Every bus and byte line, by name."""
        return self._lines

    @property
    def has_plant(self) -> bool:
        """Whether there is anything to sense."""
        return self._plant is not None

    def add_plant(self, plant: Plant) -> None:
        """The one plant; to be added before the nodes."""
        self._plant = plant
        self.sense = plant.sense
        self._settle_plant()

    def add_node(self, node: Node, bus: FrameLine | None = None) -> NodeRunner:
        """Bind a node to the queue, the plant and (where it has one) a bus."""
        runner = NodeRunner(node, self.queue, self._actuate, self.see)
        if bus is not None:
            runner.port = bus.attach(node.name, runner.on_frame)
        self._runners[node.name] = runner
        self._listeners.append(runner)
        runner.settle()
        return runner

    def add_byte_node(
        self, node: ByteNode, *lines: ByteLine | StreamLine, serves: StreamLine | None = None
    ) -> ByteNodeRunner:
        """Bind a node to the queue, the plant, the lines it is on, and the TCP link whose server it is.

        A plant that is met over a line is added as the plant and then as a node.
        """
        runner = ByteNodeRunner(node, self.queue, self._actuate, self.see)
        plant: object = self._plant
        if node is plant:
            runner.settled, self._plant_changed = self._settle_plant, runner.settle
        for line in lines:
            runner.join(line)
        if serves is not None:
            runner.join(serves, server=True)
        self._runners[node.name] = runner
        self._listeners.append(runner)
        runner.settle()
        return runner

    def see(self, observation: Observation) -> None:
        """Where every part of the world leaves what it has to tell."""
        self.observations.append(observation)
        if self._watcher.active:
            self._watcher.see(observation)
        elif type(observation) is FrameSeen and observation.id >> 16 & 0xFF in TP_FORMATS:
            self._watcher.missed.append(observation)
        if self.overseer is not None:
            self.overseer(observation)

    def end(self, cause: str) -> None:
        """Go to the safe state after the event that is being served, whoever drives the world; a second call does
        nothing.

        A note of kind ``safe_state`` tells the cause. From then on every command but :class:`Close` raises
        :class:`WorldError` with it.
        """
        if not self.ended and not self._closed:
            self.ended = cause
            self.see(Note(self.queue.now, ENDED, cause))
            self.queue.stop()

    # --- commands ---------------------------------------------------------------------------------

    def execute(self, command: Command) -> Reply:
        """Carry out one command and hand over what was seen since the last one."""
        if self._closed:
            return self._execute_closed(command)
        stopped_by: int | None = None
        waits = isinstance(command, Advance)
        # Orders that follow each other are given at one instant, as far as a case can tell: what comes in between is
        # news to the wait after them. What they note themselves is none, nor what came before the first of them.
        kept = self._watcher.remembered if self._ordered and not waits else 0
        if isinstance(command, Advance):
            stopped_by = self._advance(command)
        elif isinstance(command, Plan):
            for rule in command.rules:
                self._add_rule(rule)
        elif isinstance(command, Do):
            for action in command.actions:
                self._carry_out(action)
        elif isinstance(command, Describe):
            self._describe()
        elif isinstance(command, Close):
            self._close()
        now = self.queue.now
        observations, self.observations = self.observations, []
        self._watcher.forget(kept)
        self._ordered = not waits
        if self.ended and not self._closed:
            self._close()  # what it brings is told with the command Close
        return Reply(now, stopped_by, observations)

    def _execute_closed(self, command: Command) -> Reply:
        """What came of a safe state that nobody asked for is told once; nothing else can be done any more."""
        if not (self.ended and isinstance(command, Close)):
            raise WorldError(self.ended or "the world is closed")
        self.ended = ""
        observations, self.observations = self.observations, []
        return Reply(self.queue.now, None, observations)

    def _describe(self) -> None:
        for name, runner in self._runners.items():
            if isinstance(runner.node, TableMachine):
                self.see(Note(self.queue.now, "coverage", name, dict(runner.node.coverage())))

    def _advance(self, command: Advance) -> int | None:
        hit: list[int] = []

        def stop(index: int) -> None:
            hit.append(index)
            self.queue.stop()

        for index, trigger in enumerate(command.stop_on):
            if self._watcher.came(trigger):
                return index
        watches: list[Watch] = []
        until, timed = command.until, None
        for index, trigger in enumerate(command.stop_on):
            instant = due(trigger)
            if instant is None:
                watches.append(self._watcher.add(trigger, partial(stop, index), counts_on=True))
            elif instant <= until and (timed is None or instant < until):
                until, timed = instant, index
        self.queue.run(until)
        for watch in watches:
            self._watcher.remove(watch)
        return hit[0] if hit else timed

    def _add_rule(self, rule: Rule) -> None:
        if rule.delay < 0:
            raise UsageError(f"rule {rule.name!r}: a delay of {rule.delay} ns; 0 and more is allowed")
        for action in rule.actions:
            self._check(action)
        instant = due(rule.trigger)
        if instant is not None:
            self.queue.at(max(instant, self.queue.now) + rule.delay, partial(self._fire, rule))
        else:
            self._watcher.add(rule.trigger, partial(self._triggered, rule))

    def _triggered(self, rule: Rule) -> None:
        # Through the queue even without delay: the trigger comes in the middle of another event.
        self.queue.at(self.queue.now + rule.delay, partial(self._fire, rule))

    def _fire(self, rule: Rule) -> None:
        self.see(Note(self.queue.now, "stimulus", rule.name))
        for action in rule.actions:
            self._carry_out(action)

    def _check(self, action: Action) -> None:
        if isinstance(action, Tell) and action.node not in self._runners:
            raise UsageError(f"no node {action.node!r} in this world; there are {', '.join(sorted(self._runners))}")
        if isinstance(action, Inject | UndoFault) and action.bus not in self._lines:
            raise UsageError(f"no line {action.bus!r} in this world; there are {', '.join(sorted(self._lines))}")
        if isinstance(action, Stimulate):
            if self._plant is None:
                raise UsageError("this world has no plant to stimulate")
            self._plant.check_stimulus(action.name, action.value)

    def _carry_out(self, action: Action) -> None:
        self._check(action)
        if isinstance(action, Tell):
            self._runners[action.node].on_order(action.verb, action.arguments)
        elif isinstance(action, Inject):
            self._inject(self._lines[action.bus], action.fault)
        elif isinstance(action, UndoFault):
            line = self._lines[action.bus]
            if action.name:
                line.undo(action.name)
            else:
                line.undo_all()
        else:
            kind = "setup" if action.setup else "stimulus"
            self.see(Note(self.queue.now, kind, f"{action.name} = {action.value:g}"))
            self._stimulate(action.name, action.value)

    @staticmethod
    def _inject(line: Line, fault: LinkFault | LineFault) -> None:
        if not fits(line, fault):
            raise UsageError(f"{line.name} cannot have the fault {fault.name!r} of kind {type(fault).__name__}")
        line.inject(fault)

    def _close(self) -> None:
        """Nobody hears or says anything any more, and the plant goes to its safe state."""
        self._closed = True
        begin = self.queue.now
        end = begin if self._plant is None else begin + SAFE_WITHIN
        self.queue.end(end)
        if self._plant is not None:
            self._plant.go_safe(begin)
            while (due := self._plant.next_deadline()) is not None and due <= end:
                self._plant.wake(due)
            self.observations += self._plant.take_samples()
        self.observations.append(Note(end, "closed", "safe state"))

    # --- the plant ----------------------------------------------------------------------------------

    def _actuate(self, name: str, value: float) -> None:
        self.queue.at(self.queue.now + ACTUATION_LATENCY, partial(self._actuate_now, name, value))

    def _actuate_now(self, name: str, value: float) -> None:
        if self._plant is not None:
            self._plant.actuate(name, value, self.queue.now)
            self._plant_changed()

    def _stimulate(self, name: str, value: float) -> None:
        if self._plant is not None and (self.permits is None or self.permits(name, value)):
            self._plant.stimulate(name, value, self.queue.now)
            self._plant_changed()

    def _wake_plant(self) -> None:
        now = self.queue.now
        if self._plant is None or self._plant_wake is None or now < self._plant_wake:
            return
        self._plant_wake = None
        self._plant.wake(now)
        self._plant_changed()

    def _settle_plant(self) -> None:
        plant = self._plant
        if plant is None:
            return
        for sample in plant.take_samples():
            self.see(sample)
        for _, name, value in plant.take_changes():
            for runner in self._listeners:
                self.queue.at(self.queue.now + SENSOR_LATENCY, partial(runner.on_signal, name, value))
        deadline = plant.next_deadline()
        if deadline is not None and (self._plant_wake is None or deadline < self._plant_wake):
            self._plant_wake = deadline
            self.queue.at(deadline, self._wake_plant)


def _no_plant(name: str, now: Instant) -> float:
    raise UsageError(f"this world has no plant to sense {name} of")
