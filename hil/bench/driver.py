"""Driving a world for one case: commands, stimulus plans, waits and sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from hil.bench.actions import stimulate
from hil.bench.judge import Inconclusive, Judge
from hil.bench.phases import Phase
from hil.bench.record import MessageSeen, Record
from hil.bench.vehicle import VehicleHandle
from hil.conformance.catalogue import Limit
from hil.conformance.verdict import Finding
from hil.errors import UsageError
from hil.protocol.gbt27930 import MessageSet
from hil.units import Instant, Span, s, show_instant
from hil.world.observation import FrameSeen, Note, Observation, Sample
from hil.world.pipe import World
from hil.world.plan import Action, Advance, AtInstant, Close, Command, Do, Plan, Reply, Rule, Trigger

if TYPE_CHECKING:
    from hil.bench.twin import Twin
    from hil.profile.model import LoadProfile

Moment = MessageSeen | FrameSeen | Note | Sample | Instant
Sink = Callable[[Sequence[Observation]], None]

_SLICE: Span = s(10)
"""The world advances at most this far between two visits to the disk."""
_SETTLE: Span = s(3)
"""From the first CCS until the output follows the demand (a rise by 20 A/s would take longer: see cases)."""


class Monitors(Protocol):
    """Passive monitors that watch beside a case."""

    def feed(self, observations: Iterable[Observation], /) -> None:
        """Show them what was seen."""

    def finish(self, now: Instant, /) -> list[Finding]:
        """What they found, when nothing more comes."""


def instant_of(moment: Moment) -> Instant:
    """The instant of anything that was observed."""
    return moment if isinstance(moment, int) else moment.t


def ignore(observations: Sequence[Observation]) -> None:
    """A sink that keeps nothing."""


class Driver:
    """Synchronous access to a world. Every wait is anchored at something observed."""

    def __init__(
        self,
        world: World,
        messages: MessageSet,
        judge: Judge,
        readings: Mapping[str, str],
        sink: Sink = ignore,
        monitors: Monitors | None = None,
    ) -> None:
        self._world = world
        self._sink = sink
        self._monitors = monitors
        self._found: list[Finding] = []
        self._rules: list[str] = []
        self._started = False
        self._readings = readings
        self._closed = False
        self.messages = messages
        """Of the edition that the bench speaks."""
        self.twin: Twin | None = None
        """Makes fresh virtual benches like this one, where there is such a thing."""
        self.profile: LoadProfile | None = None
        """The load profile that shows what the case came to; it is kept beside the evidence."""
        self.now: Instant = 0
        self.record = Record(messages)
        self.judge = judge
        self.vehicle = VehicleHandle(self)

    # --- driving the world ------------------------------------------------------------------------

    def execute(self, command: Command) -> Reply:
        """Carry out one command of the world and keep what it brought."""
        reply = self._world.execute(command)
        self.now = reply.now
        if reply.observations:
            self._sink(reply.observations)
            self.record.add(reply.observations)
            if self._monitors is not None:
                self._monitors.feed(reply.observations)
        return reply

    def adopt(self, world: World) -> None:
        """Go on with another world; :class:`UsageError` once anything has happened in the present one."""
        if self.now or self.record.observations:
            raise UsageError(f"the bench is at {show_instant(self.now)}: its world cannot be exchanged any more")
        self._world = world

    def do(self, *actions: Action) -> None:
        """Carry out actions now."""
        self.execute(Do(actions))

    def on(
        self, trigger: Trigger, *actions: Action, delay: Span = 0, name: str = "", needed: bool = True
    ) -> str:
        """Declare what is to happen when the trigger comes; returns the rule's name.

        A rule that is needed and never fires makes the case inconclusive: what was to be stimulated was not.
        """
        name = name or f"{len(self._rules) + 1}: {_describe(actions)}"
        if needed:
            self._rules.append(name)
        self.execute(Plan((Rule(name, trigger, actions, delay),)))
        return name

    def fired(self, name: str) -> Note:
        """The note that proves that a rule fired; inconclusive when it did not."""
        for note in self.record.notes:
            if note.kind == "stimulus" and note.what == name:
                return note
        raise Inconclusive(f"the stimulus {name!r} did not come about up to {show_instant(self.now)}")

    def unfired(self) -> list[str]:
        """Rules that never fired: their stimulus did not come about."""
        return [name for name in self._rules if not self.record.fired("stimulus", name)]

    def let(self, span: Span) -> None:
        """Let time pass in the world while a state is held."""
        self._advance(self.now + span)

    def until(self, instant: Instant) -> None:
        """Let time pass up to an instant (which may have passed)."""
        if instant > self.now:
            self._advance(instant)

    def wait(self, trigger: Trigger, within: Span) -> bool:
        """Advance to the trigger; False when it did not come within the span."""
        return self._advance(self.now + within, trigger)

    def _advance(self, until: Instant, *triggers: Trigger) -> bool:
        while self.now < until:
            reply = self.execute(Advance(min(until, self.now + _SLICE), triggers))
            if reply.stopped_by is not None:
                return True
        return False

    @property
    def readings(self) -> Mapping[str, str]:
        """The choice taken for each entry of the interpretation register."""
        return self._readings

    def reading(self, name: str) -> str:
        """The choice taken in the interpretation register."""
        return self._readings[name]

    def under(self, limit: Limit) -> Limit:
        """A limit as the readings of this bench have it."""
        return limit.under(self._readings)

    def close(self) -> None:
        """Safe state and the end of the world; a second call does nothing.

        Monitors have seen enough by then: what the safe state does to a session is nobody's deviation.
        """
        if not self._closed:
            self._closed = True
            self.findings()
            self.execute(Close())

    def findings(self) -> list[Finding]:
        """What the monitors saw up to the first such question; they watch no further."""
        if self._monitors is not None:
            self._found = self._monitors.finish(self.now)
            self._monitors = None
        return self._found

    # --- sessions ---------------------------------------------------------------------------------

    def plug_in(self) -> None:
        """Insert the plug fully."""
        self.do(stimulate("plugged", 1))

    def unplug(self) -> None:
        """Pull the plug."""
        self.do(stimulate("plugged", 0))

    def start(self) -> None:
        """Authorise a session, as by card or app."""
        self._started = True
        self.do(stimulate("start_press", 1))

    def reach(self, phase: Phase, *, within: Span | None = None) -> MessageSeen:
        """Bring the session to a phase and return the message that shows it.

        Starts a session when none was. Not reached in time: :class:`Inconclusive`. In the charging
        phase the output has followed the demand for some seconds.
        """
        if not self._started:
            self.plug_in()
            self.let(s(1))
            self.start()
        if not self.wait(phase.trigger, within or phase.limit):
            raise Inconclusive(f"phase {phase.value} was not reached by {show_instant(self.now)}")
        seen = self.record.last(phase.trigger.message)
        assert seen is not None, "the trigger has just been seen"
        if phase is Phase.CHARGING:
            self.let(_SETTLE)
        return seen


def _describe(actions: Iterable[Action]) -> str:
    parts: list[str] = []
    for action in actions:
        verb = getattr(action, "verb", type(action).__name__.lower())
        detail = getattr(action, "arguments", None) or getattr(action, "name", "")
        parts.append(f"{verb} {detail}".strip())
    return "; ".join(parts)


__all__ = ["AtInstant", "Driver", "Moment", "Monitors", "Sink", "ignore", "instant_of"]
