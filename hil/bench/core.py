"""What benches of all kinds share: driving a world for one case, stimulus plans, and the judge.

A bench is this, the checks of :mod:`hil.bench.signals`, and what its kind adds: messages of a protocol,
handles of stand-ins. :mod:`hil.bench.opening` builds it for a case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from hil.bench.judge import Inconclusive, Judge, open_of
from hil.bench.stream import StreamRecord
from hil.conformance.catalogue import Limit, Quantity
from hil.conformance.checks import check_window, judge
from hil.conformance.reading import Reading, plain, source_of, uncertainty_of
from hil.conformance.verdict import Finding, Measurement, Verdict
from hil.errors import UsageError
from hil.plant.signals import PlantSignal
from hil.units import Instant, Span, ms, s, seconds, show_instant
from hil.world.base import BaseWorld
from hil.world.observation import Note, Observation
from hil.world.pipe import World
from hil.world.plan import (
    Action,
    Advance,
    AtInstant,
    Close,
    Command,
    Do,
    Inject,
    OnBytes,
    OnMessage,
    Plan,
    Reply,
    Rule,
    Trigger,
)

if TYPE_CHECKING:
    from hil.profile.ac.model import AcProfile
    from hil.profile.model import LoadProfile
    from hil.transport.door import Door


class Seen(Protocol):
    """Anything that was observed at an instant."""

    @property
    def t(self) -> Instant:
        """When."""


Moment = Seen | Instant
Sink = Callable[[Sequence[Observation]], None]

_SLICE: Span = s(10)
"""The world advances at most this far between two visits to the disk."""
_PATIENCE = 3
"""What is awaited is looked for this many windows beyond its limit, to measure how late it is."""


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


RecordT = TypeVar("RecordT", bound=StreamRecord)


class Core(Generic[RecordT]):
    """Synchronous access to a world. Every wait is anchored at something observed.

    ``signals`` are the plant's declarations by name; ``record`` keeps what is seen.
    """

    def __init__(
        self,
        world: World,
        judge: Judge,
        readings: Mapping[str, str],
        *,
        record: RecordT,
        signals: Mapping[str, PlantSignal],
        sink: Sink = ignore,
        monitors: Monitors | None = None,
    ) -> None:
        self._world = world
        self._sink = sink
        self._monitors = monitors
        self._found: list[Finding] = []
        self._rules: list[str] = []
        self._readings = readings
        self._closed = False
        self._disturbed = False
        """The case has put a fault on a line."""
        self.signals = signals
        """Declarations of the plant's signals."""
        self.now: Instant = 0
        self.record: RecordT = record
        self.judge = judge
        self.profile: LoadProfile | AcProfile | None = None
        """The load profile that shows what the case came to; it is kept beside the evidence."""

    # --- driving the world ------------------------------------------------------------------------

    def execute(self, command: Command) -> Reply:
        """Carry out one command of the world and keep what it brought."""
        self._disturbed = self._disturbed or _disturbs(command)
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

    def open_door(self, channel: str = "bench", line: str = "can0") -> Door:
        """Let python-can programs join a virtual bus of the world by ``can.Bus(interface="hil", channel=...)``.

        They are guests in this thread and in lockstep: time passes while the bench or a guest waits. The channel ends
        with the bench. :class:`UsageError` for a world in another process, a line that is no virtual CAN bus, or a
        name that is in use.
        """
        from hil.transport.door import Door, publish  # python-can takes a while to import

        world = self._world
        if isinstance(world, Door):
            raise UsageError(f"the bench has a door already: channel {world.name!r}")
        if not isinstance(world, BaseWorld):
            raise UsageError("only a virtual world in this process has a door for python-can programs")
        door = publish(Door(channel, world, line=line, keep=lambda: self._fetch(world)))
        self._world = door
        return door

    def _fetch(self, world: BaseWorld) -> None:
        """Take what was observed while guests let time pass."""
        self.execute(Advance(world.queue.now))

    def do(self, *actions: Action) -> None:
        """Carry out actions now."""
        self.execute(Do(actions))

    def on(self, trigger: Trigger, *actions: Action, delay: Span = 0, name: str = "", needed: bool = True) -> str:
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

    def trouble(self) -> str:
        """What went wrong on the bench's own side so that nothing can be said of the DUT; empty when nothing did."""
        return ""

    def unfired(self) -> list[str]:
        """Rules that never fired: their stimulus did not come about."""
        return [name for name in self._rules if not self.record.fired("stimulus", name)]

    def let(self, span: Span) -> None:
        """Let time pass in the world while a state is held; a negative span raises :class:`UsageError`."""
        if span < 0:
            raise UsageError(f"{span} ns: time only passes forward, 0 or more is allowed")
        self._advance(self.now + span)

    def until(self, instant: Instant) -> None:
        """Let time pass up to an instant (which may have passed)."""
        if instant > self.now:
            self._advance(instant)

    def wait(self, trigger: Trigger, within: Span) -> bool:
        """Advance to the trigger; False when it did not come within the span."""
        return self._advance(self.now + within, trigger)

    def _advance(self, until: Instant, *triggers: Trigger) -> bool:
        # How often something has come is counted within one command.
        whole = any(isinstance(each, OnMessage | OnBytes) and each.count > 1 for each in triggers)
        while self.now < until:
            reply = self.execute(Advance(until if whole else min(until, self.now + _SLICE), triggers))
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

        Monitors have seen enough by then: what the safe state does to a session is nobody's deviation. It is on
        record, but no part of the session: ``now`` stays where the case has ended.
        """
        if not self._closed:
            self._closed = True
            self.findings()
            ended = self.now
            self.execute(Close())
            self.now = ended

    def findings(self) -> list[Finding]:
        """What the monitors saw up to the first such question; they watch no further."""
        if self._monitors is not None:
            self._found = self._monitors.finish(self.now)
            self._monitors = None
        return self._found

    # --- judging values -----------------------------------------------------------------------------

    def check(
        self,
        name: str,
        value: float | str | bool | None,
        *,
        equals: Any = None,
        low: float | None = None,
        high: float | None = None,
        unit: str = "",
        at: Moment | None = None,
        note: str = "",
    ) -> bool:
        """Judge one value, against a range or for equality; True when it passes.

        Neither raises :class:`UsageError`: such a check could not fail. A value, or a limit, that an instrument told
        brings its uncertainty along: inside it the verdict is inconclusive.
        """
        if equals is None and low is None and high is None:
            raise UsageError(f"{name}: a check needs a limit or the value expected; report() tells without judging")
        instant = None if at is None else instant_of(at)
        width = max(map(uncertainty_of, (value, low, high)))
        by = source_of(value, low, high)
        if equals is not None:
            verdict = Verdict.PASS if value == equals else Verdict.FAIL
            note = note or ("" if value == equals else f"expected {equals}")
            if isinstance(equals, int | float) and not isinstance(equals, bool):
                low = high = float(equals)
        elif isinstance(value, int | float):
            verdict = judge(float(value), plain(low), plain(high), width)
            if verdict is Verdict.FAIL and isinstance(value, Reading) and value.between:
                verdict = Verdict.INCONCLUSIVE
        else:
            verdict = Verdict.FAIL
        if by:
            told = f"± {width:.3g} {unit}".rstrip() + f" by {by}"
            note = f"{note}; {told}" if note else told
        unsure = width or None
        self.judge.add(Measurement(name, plain(value), unit, plain(low), plain(high), verdict, instant, note, unsure))
        return verdict is Verdict.PASS

    def check_window(self, name: str, span: Span, within: Limit, *, at: Moment) -> None:
        """A span that a case computed lies inside a limit's window."""
        limit = self.under(within)
        ended = instant_of(at)
        self.judge.add(check_window(name, span, limit, self.judge.unsure(ended - span) + open_of(ended), at=ended))

    def check_quantity(self, label: str, value: float, range_: Quantity, *, at: Moment | None = None) -> bool:
        """A value lies in a named range of the catalogue."""
        return self.check(label, round(value, 4), low=range_.low, high=range_.high, unit=range_.unit, at=at)

    def report(self, name: str, value: float | str | bool | None, unit: str = "", *, at: Moment | None = None) -> None:
        """Record a value that is told but not judged."""
        instant = None if at is None else instant_of(at)
        unsure = uncertainty_of(value) or None
        self.judge.add(Measurement(name, plain(value), unit, None, None, Verdict.NONE, instant, uncertainty=unsure))

    def report_window(self, name: str, span: Span, within: Limit, *, at: Moment) -> None:
        """Record a span beside a window that is told but not judged; a note says where it lies outside."""
        limit = self.under(within)
        measured = check_window(name, span, limit, at=instant_of(at))
        note = "" if measured.verdict is Verdict.PASS else "outside: reported, not judged"
        low, high = measured.low, measured.high
        self.judge.add(Measurement(name, measured.value, "s", low, high, Verdict.NONE, instant_of(at), note))

    def missing(self, name: str, within: Limit, start: Instant) -> Measurement:
        """The measurement of something that never came."""
        low, high = seconds(within.low), seconds(within.high)
        return Measurement(name, None, "s", low or None, high, Verdict.FAIL, start + within.high, "never came")


def beyond(limit: Limit) -> Span:
    """How much longer than its limit something is looked for, to measure how late it is."""
    return min(max(_PATIENCE * (limit.high - max(limit.low, 0)), ms(500)), s(10))


def _disturbs(command: Command) -> bool:
    actions = command.actions if isinstance(command, Do) else ()
    if isinstance(command, Plan):
        actions = tuple(action for rule in command.rules for action in rule.actions)
    return any(isinstance(action, Inject) for action in actions)


def _describe(actions: Iterable[Action]) -> str:
    parts: list[str] = []
    for action in actions:
        verb = getattr(action, "verb", type(action).__name__.lower())
        detail = getattr(action, "arguments", None) or getattr(action, "name", "")
        parts.append(f"{verb} {detail}".strip())
    return "; ".join(parts)


__all__ = ["AtInstant", "Core", "Moment", "Monitors", "Seen", "Sink", "beyond", "ignore", "instant_of"]
