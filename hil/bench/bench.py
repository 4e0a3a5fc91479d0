"""The bench: a rig opened for one case. Cases plan, wait and judge through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hil.bench.actions import MessageType, stimulate
from hil.bench.judge import CheckFailed, Inconclusive, Judge
from hil.bench.phases import Phase
from hil.bench.record import MessageSeen, Record
from hil.bench.vehicle import VehicleHandle
from hil.conformance.catalogue import Limit
from hil.conformance.checks import check_period, check_window
from hil.conformance.verdict import Measurement, Verdict
from hil.protocol.gbt27930 import MessageSet
from hil.units import Instant, Span, ms, s, seconds, show_instant, show_span
from hil.world.observation import FrameSeen, Note, Observation, Sample
from hil.world.pipe import World
from hil.world.plan import Action, Advance, AtInstant, Close, Command, Do, Plan, Reply, Rule, Trigger

Moment = MessageSeen | FrameSeen | Note | Sample | Instant
Where = Callable[[MessageSeen], bool]

_SLICE: Span = s(10)
"""The world advances at most this far between two visits to the disk."""
_SETTLE: Span = s(2)
"""From the first CCS until the output follows the demand."""
_PATIENCE = 3
"""An awaited message is looked for this many windows beyond its limit, to measure how late it is."""


def instant_of(moment: Moment) -> Instant:
    """The instant of anything that was observed."""
    return moment if isinstance(moment, int) else moment.t


class Bench:
    """Synchronous access to a world. Every wait is anchored at something observed."""

    def __init__(
        self,
        world: World,
        messages: MessageSet,
        judge: Judge,
        readings: Mapping[str, str],
        sink: Callable[[Sequence[Observation]], None] = lambda observations: None,
    ) -> None:
        self._world = world
        self._sink = sink
        self._rules: list[str] = []
        self._started = False
        self.now: Instant = 0
        self.record = Record(messages)
        self.judge = judge
        self._readings = readings
        self.vehicle = VehicleHandle(self)

    # --- driving the world ------------------------------------------------------------------------

    def execute(self, command: Command) -> Reply:
        """Carry out one command of the world and keep what it brought."""
        reply = self._world.execute(command)
        self.now = reply.now
        if reply.observations:
            self._sink(reply.observations)
            self.record.add(reply.observations)
            self.judge.watch(reply.observations)
        return reply

    def do(self, *actions: Action) -> None:
        """Carry out actions now."""
        self.execute(Do(actions))

    def on(self, trigger: Trigger, *actions: Action, delay: Span = 0, name: str = "") -> str:
        """Declare what is to happen when the trigger comes; returns the rule's name.

        A rule that never fires makes the case inconclusive: what was to be stimulated was not.
        """
        name = name or f"{len(self._rules) + 1}: {_describe(actions)}"
        self._rules.append(name)
        self.execute(Plan((Rule(name, trigger, actions, delay),)))
        return name

    def fired(self, name: str) -> Note:
        """The note that proves that a rule fired; inconclusive when it did not."""
        for note in self.record.notes:
            if note.kind == "stimulus" and note.what == name:
                return note
        raise Inconclusive(f"the stimulus {name!r} did not come about up to {show_instant(self.now)}")

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

    def reading(self, name: str) -> str:
        """The choice taken in the interpretation register."""
        return self._readings[name]

    # --- sessions ---------------------------------------------------------------------------------

    def plug_in(self) -> None:
        """Insert the plug fully."""
        self.do(stimulate("plugged", 1))

    def start(self) -> None:
        """Authorise a session, as by card or app."""
        self._started = True
        self.do(stimulate("start_press", 1))

    def reach(self, phase: Phase, *, within: Span | None = None) -> MessageSeen:
        """Bring the session to a phase and return the message that shows it.

        Starts a session when none was. Not reached in time: :class:`Inconclusive`. In the charging
        phase the output has followed the demand for two seconds.
        """
        if not self._started:
            self.plug_in()
            self.start()
        if not self.wait(phase.trigger, within or phase.limit):
            raise Inconclusive(f"phase {phase.value} was not reached by {show_instant(self.now)}")
        seen = self.record.last(phase.trigger.message)
        assert seen is not None, "the trigger has just been seen"
        if phase is Phase.CHARGING:
            self.let(_SETTLE)
        return seen

    def end(self) -> None:
        """Leave the session in order: stop from the vehicle's side, statistics, all open."""
        self.vehicle.resume()
        self.vehicle.stop("soc_reached")
        self.let(s(6))

    def close(self) -> None:
        """Safe state and the end of the world."""
        self.execute(Close())

    # --- expecting messages -------------------------------------------------------------------------

    def expect(
        self,
        message: MessageType,
        where: Where | None = None,
        *,
        after: Moment,
        within: Limit,
        name: str = "",
    ) -> MessageSeen:
        """The first such message after a moment must come inside the limit's window.

        The time is measured and judged; the message is returned also when it came too early or too
        late. None at all fails the case at once, as nothing further can be judged.
        """
        start = instant_of(after)
        name = name or f"time to {message.name}"
        seen = self._find(message, where, start, start + within.high + _beyond(within))
        if seen is None:
            self.judge.add(self._missing(name, within, start))
            raise CheckFailed(f"no {message.name} as expected from {show_instant(start)} to {show_instant(self.now)}")
        self.judge.add(check_window(name, seen.t - start, within, self.judge.uncertainty, at=seen.t))
        return seen

    def _missing(self, name: str, within: Limit, start: Instant) -> Measurement:
        low, high = seconds(within.low), seconds(within.high)
        return Measurement(name, None, "s", low, high, Verdict.FAIL, start + within.high, "never came")

    def _find(self, message: MessageType, where: Where | None, start: Instant, until: Instant) -> MessageSeen | None:
        after = start
        while True:
            seen = self.record.first(message.name, after, where)
            if seen is not None:
                return seen
            last = self.record.last(message.name)
            after = max(after, last.t if last is not None else after)
            if self.now >= until:
                return None
            self._advance(until, _any(message))

    def look_for(
        self, message: MessageType, where: Where | None = None, *, after: Moment, within: Span
    ) -> MessageSeen | None:
        """The first such message after a moment, or None: for branches that may both pass."""
        start = instant_of(after)
        seen = self._find(message, where, start, start + within)
        return seen if seen is not None and seen.t <= start + within else None

    def collect(
        self, message: MessageType, count: int, *, where: Where | None = None, after: Moment | None = None, within: Span
    ) -> list[MessageSeen]:
        """The next ``count`` such messages; fewer within the span fail the case."""
        start = self.now if after is None else instant_of(after)
        until = start + within
        while True:
            seen = [each for each in self.record.all(message.name, start - 1) if where is None or _holds(where, each)]
            if len(seen) >= count:
                return seen[:count]
            if self.now >= until:
                measured = Measurement(
                    f"number of {message.name}", float(len(seen)), "", float(count), None, Verdict.FAIL, self.now
                )
                self.judge.add(measured)
                raise CheckFailed(f"{len(seen)} {message.name} within {show_span(within)}, {count} expected")
            self._advance(until, _any(message))

    def expect_none(
        self,
        message: MessageType,
        where: Where | None = None,
        *,
        after: Moment,
        during: Span,
        name: str = "",
    ) -> None:
        """No such message may come for a while after a moment."""
        start = instant_of(after)
        self.until(start + during)
        found = [
            each
            for each in self.record.all(message.name, start, start + during)
            if where is None or _holds(where, each)
        ]
        name = name or f"{message.name} in {show_span(during)}"
        verdict = Verdict.FAIL if found else Verdict.PASS
        at = found[0].t if found else None
        self.judge.add(Measurement(name, float(len(found)), "messages", None, 0.0, verdict, at))

    def expect_stop(
        self, message: MessageType, where: Where | None = None, *, after: Moment, tail: Limit, watch: Span | None = None
    ) -> None:
        """The last such message comes at most the limit after the moment (register: stop-tail)."""
        start = instant_of(after)
        end = start + tail.high + (watch if watch is not None else 3 * tail.high)
        self.until(end)
        found = [each for each in self.record.all(message.name, start, end) if where is None or _holds(where, each)]
        last = found[-1].t - start if found else 0
        at = found[-1].t if found else start
        self.judge.add(check_window(f"{message.name} stops after", last, tail, self.judge.uncertainty, at=at))

    def expect_through(
        self, message: MessageType, where: Where | None = None, *, after: Moment, until: Moment, period: Limit
    ) -> None:
        """Such messages must have kept coming at their period from one moment to another."""
        start, end = instant_of(after), instant_of(until)
        self.until(end)
        times = [
            each.t for each in self.record.all(message.name, start - 1, end) if where is None or _holds(where, each)
        ]
        name = f"{message.name} period"
        self.judge.extend(check_period(name, times, period, self.judge.uncertainty))
        gap = end - (times[-1] if times else start)
        verdict = Verdict.PASS if gap <= period.high else Verdict.FAIL
        self.judge.add(
            Measurement(
                f"{message.name} kept up to the end", seconds(gap), "s", None, seconds(period.high), verdict, end
            )
        )

    # --- checking what was seen ---------------------------------------------------------------------

    def check_period(self, seen: Sequence[MessageSeen], limit: Limit, *, name: str = "") -> None:
        """Shortest and longest interval of these messages within the limit."""
        label = name or (f"{seen[0].name} period" if seen else "period")
        self.judge.extend(check_period(label, [each.t for each in seen], limit, self.judge.uncertainty))

    def check_length(self, seen: Sequence[MessageSeen], *lengths: int) -> None:
        """Every one of these messages has one of the lengths, in bytes."""
        for each in seen:
            if len(each.data) not in lengths:
                break
        else:
            each = seen[0]
        verdict = Verdict.PASS if len(each.data) in lengths else Verdict.FAIL
        self.judge.add(
            Measurement(
                f"{each.name} length",
                float(len(each.data)),
                "bytes",
                float(min(lengths)),
                float(max(lengths)),
                verdict,
                each.t,
            )
        )

    def check_fields(self, seen: MessageSeen, **expected: Any) -> None:
        """Signals of a message have these values."""
        for name, value in expected.items():
            actual = getattr(seen.message, name, None)
            self.check(f"{seen.name}.{name}", actual, equals=value, at=seen)

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
        """Judge one value, against a range or for equality; True when it passes."""
        instant = None if at is None else instant_of(at)
        if equals is not None:
            passed = value == equals
            note = note or ("" if passed else f"expected {equals}")
            shown = float(equals) if isinstance(equals, int | float) else None
            low = high = shown
        else:
            number = float(value) if isinstance(value, int | float) else None
            passed = number is not None and (low is None or number >= low) and (high is None or number <= high)
        verdict = Verdict.PASS if passed else Verdict.FAIL
        self.judge.add(Measurement(name, value, unit, low, high, verdict, instant, note))
        return passed

    def report(self, name: str, value: float | str | bool | None, unit: str = "", *, at: Moment | None = None) -> None:
        """Record a value that is told but not judged."""
        instant = None if at is None else instant_of(at)
        self.judge.add(Measurement(name, value, unit, None, None, Verdict.NONE, instant))

    # --- the plant's signals ------------------------------------------------------------------------

    def signal(self, name: str) -> float:
        """The latest value of a signal; inconclusive when the rig has not shown it yet."""
        value = self.record.value(name)
        if value is None:
            raise Inconclusive(f"the signal {name} has not been observed up to {show_instant(self.now)}")
        return value

    def expect_signal(
        self,
        name: str,
        *,
        low: float = float("-inf"),
        high: float = float("inf"),
        after: Moment,
        within: Limit,
        label: str = "",
    ) -> Instant | None:
        """The signal must come into the range inside the limit's window after a moment."""
        start = instant_of(after)
        label = label or f"time to {name}"
        until = start + within.high + _beyond(within)
        reached = self._reached(name, low, high, start, until)
        if reached is None:
            self.judge.add(self._missing(label, within, start))
            return None
        self.judge.add(check_window(label, reached - start, within, self.judge.uncertainty, at=reached))
        return reached

    def _reached(self, name: str, low: float, high: float, start: Instant, until: Instant) -> Instant | None:
        before = self.record.value(name, start)
        if before is not None and low <= before <= high:
            return start
        self.until(until)
        for sample in self.record.samples(name, start, until):
            if low <= sample.value <= high:
                return sample.t
        return None

    def extremes(self, name: str, after: Moment, until: Moment) -> tuple[float, float]:
        """Lowest and highest value between two moments, at no instant beyond; inconclusive without samples."""
        start, end = instant_of(after), instant_of(until)
        samples = self.record.samples(name, start, end)
        edges = [value for value in (self.record.value(name, start), self.record.value(name, end)) if value is not None]
        values = [*edges, *(sample.low for sample in samples), *(sample.high for sample in samples)]
        if not values:
            raise Inconclusive(f"the signal {name} has not been observed up to {show_instant(self.now)}")
        return min(values), max(values)

    # --- conclusion ---------------------------------------------------------------------------------

    def unfired(self) -> list[str]:
        """Rules that never fired: their stimulus did not come about."""
        return [name for name in self._rules if not self.record.fired("stimulus", name)]


def _any(message: MessageType) -> Trigger:
    from hil.world.plan import OnMessage

    return OnMessage(message.name)


def _holds(where: Where, seen: MessageSeen) -> bool:
    return seen.message is not None and where(seen)


def _beyond(limit: Limit) -> Span:
    """How much longer than its limit something is looked for."""
    return min(max(_PATIENCE * (limit.high - max(limit.low, 0)), ms(500)), s(10))


def _describe(actions: Iterable[Action]) -> str:
    parts: list[str] = []
    for action in actions:
        verb = getattr(action, "verb", type(action).__name__.lower())
        detail = getattr(action, "arguments", None) or getattr(action, "name", "")
        parts.append(f"{verb} {detail}".strip())
    return "; ".join(parts)


__all__ = ["AtInstant", "Bench", "Moment", "instant_of"]
