"""Waiting for messages and judging when they came."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hil.bench.actions import MessageType
from hil.bench.core import Moment, beyond, instant_of
from hil.bench.driver import Driver
from hil.bench.judge import CheckFailed, Inconclusive
from hil.bench.record import MessageSeen
from hil.conformance.catalogue import Limit
from hil.conformance.checks import check_period, check_window
from hil.conformance.verdict import Measurement, Verdict
from hil.units import Instant, Span, ms, show_instant, show_span
from hil.world.plan import OnMessage

Where = Callable[[MessageSeen], bool]


class MessageWaits(Driver):
    """The part of a bench that waits for messages."""

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
        start, within = instant_of(after), self.under(within)
        name = name or f"time to {message.name}"
        seen = self._find(message, where, start, start + within.high + beyond(within))
        if seen is None:
            self.judge.add(self.missing(name, within, start))
            raise CheckFailed(f"no {message.name} as expected from {show_instant(start)} to {show_instant(self.now)}")
        self.judge.add(check_window(name, seen.t - start, within, self.judge.unsure(start), at=seen.t))
        return seen

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
            self._advance(until, OnMessage(message.name))

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
        """The next ``count`` such messages, one at ``after`` included; fewer within the span fail the case.

        Those of the vehicle that need nobody's help are the bench's own: without them it is inconclusive.
        """
        start = self.now if after is None else instant_of(after)
        until = start + within
        while True:
            seen = self.matching(message, where, start - 1, until)
            if len(seen) >= count:
                return seen[:count]
            if self.now >= until:
                if message.sender == "bms" and not message.transport:
                    raise Inconclusive(f"the vehicle sent {len(seen)} {message.name} within {show_span(within)}")
                name, unit = f"number of {message.name} in {show_span(within)}", "messages"
                self.judge.add(
                    Measurement(name, float(len(seen)), unit, float(count), None, Verdict.FAIL, start + within)
                )
                raise CheckFailed(f"{len(seen)} {message.name} within {show_span(within)}, {count} expected")
            self._advance(until, OnMessage(message.name))

    def matching(
        self, message: MessageType, where: Where | None = None, after: Instant = -1, until: Instant | None = None
    ) -> list[MessageSeen]:
        """Such messages with ``after < t <= until`` among those seen so far."""
        seen = self.record.all(message.name, after, until)
        return [each for each in seen if where is None or holds(where, each)]

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
        found = self.matching(message, where, start, start + during)
        name = name or f"{message.name} in {show_span(during)}"
        unsure = self.judge.unsure(start)
        verdict = Verdict.INCONCLUSIVE if found else Verdict.PASS
        if any(start + unsure < each.t <= start + during - unsure for each in found):
            verdict = Verdict.FAIL
        at = found[0].t if found else start
        self.judge.add(Measurement(name, float(len(found)), "messages", None, 0.0, verdict, at))

    def expect_stop(self, message: MessageType, where: Where | None = None, *, after: Moment, tail: Limit) -> None:
        """The last such message comes at most the limit after the moment (register: stop-tail).

        Watched for three of its periods beyond: one that goes on is seen, however short the limit.
        """
        start, tail = instant_of(after), self.under(tail)
        end = start + tail.high + max(3 * (message.period or 0), ms(100))
        self.until(end)
        found = self.matching(message, where, start, end)
        last = found[-1].t - start if found else 0
        at = found[-1].t if found else start
        self.judge.add(check_window(f"{message.name} stops after", last, tail, self.judge.unsure(start), at=at))

    def expect_through(
        self, message: MessageType, where: Where | None = None, *, after: Moment, until: Moment, period: Limit
    ) -> None:
        """Such messages must have kept coming at their period from one moment to another, both ends included."""
        start, end, period = instant_of(after), instant_of(until), self.under(period)
        self.until(end)
        times = [each.t for each in self.matching(message, where, start - 1, end)]
        self.judge.extend(check_period(f"{message.name} period", times, period, self.judge.stamps))
        first, last = (times[0], times[-1]) if times else (end, start)
        whole = Limit(period.name, 0, period.high, period.source)
        for name, gap, at in (("from the beginning", first - start, first), ("to the end", end - last, end)):
            label = f"{message.name} kept up {name}"
            self.judge.add(check_window(label, gap, whole, self.judge.unsure(at), at=at))

    def expect_silence(self, *, after: Moment, within: Limit, during: Span) -> None:
        """The charger's last frame of any kind comes inside the limit after a moment, and none follows."""
        start, within = instant_of(after), self.under(within)
        self.until(start + within.high + during)
        frames = self.record.charger_frames(start)
        last = frames[-1].t - start if frames else 0
        at = frames[-1].t if frames else start
        self.judge.add(check_window("charger silent after", last, within, self.judge.unsure(start), at=at))

    def until_silent(self, span: Span, within: Span) -> Instant:
        """Let time pass until the charger has sent nothing for ``span``; returns its last frame's instant.

        A charger that is still sending after ``within`` fails the case.
        """
        end = self.now + within
        while True:
            last = self.record.last_charger_frame()
            quiet_since = last.t if last is not None else 0
            if self.now - quiet_since >= span:
                return quiet_since
            if self.now >= end:
                name = "charger's last frame before a silence"
                self.judge.add(Measurement(name, None, "s", None, None, Verdict.FAIL, quiet_since, "still sending"))
                raise CheckFailed(f"the charger is still sending at {show_instant(self.now)}")
            self.until(min(quiet_since + span, end))

    def check_period(self, seen: Sequence[MessageSeen], limit: Limit, *, name: str = "") -> None:
        """Shortest and longest interval of these messages within the limit."""
        label = name or (f"{seen[0].name} period" if seen else "period")
        times = [each.started for each in seen]
        self.judge.extend(check_period(label, times, self.under(limit), self.judge.stamps))


def holds(where: Where, seen: MessageSeen) -> bool:
    """Whether a message that could be decoded satisfies a condition."""
    return seen.message is not None and where(seen)
