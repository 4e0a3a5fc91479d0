"""Waiting for the plant's signals and judging them, "at no instant" included: what every bench with a plant has."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Generic

from hil.bench.core import Moment, RecordT, beyond, instant_of
from hil.bench.judge import Inconclusive, Latest
from hil.bench.measured import MeasuredChecks
from hil.conformance.catalogue import Limit
from hil.conformance.checks import check_window
from hil.conformance.reading import verdict_of
from hil.conformance.verdict import Measurement, Verdict
from hil.units import Instant, s, show_instant
from hil.world.observation import Sample
from hil.world.plan import OnSignal

_STRETCH = s(1)
"""What moves is sampled after so long at the latest."""


class SignalChecks(MeasuredChecks[RecordT], Generic[RecordT]):
    """The part of a bench that judges signals. Those that do not move in steps run straight between samples.

    What an instrument of the rig measures is judged by its readings, with their uncertainty.
    """

    def shows(self, name: str) -> bool:
        """Whether this bench observes the signal at all."""
        return self.record.value(name) is not None

    def signal(self, name: str, at: Moment | None = None) -> float:
        """The signal's value at a moment (now); inconclusive when the rig has not shown it yet.

        An instrument that is asked takes its time for it.
        """
        instant = self.now if at is None else instant_of(at)
        polled = self._polled(name)
        if polled is not None:
            return self._told_by(polled, instant)
        value = self._value(name, instant)
        if value is None:
            raise Inconclusive(f"the signal {name} has not been observed up to {show_instant(self.now)}")
        bound = self.instruments.bound.get(name)
        return value if bound is None else bound.reading(value)

    def signal_before(self, name: str, event: Moment) -> float:
        """The signal's value right before something that moves it, as by contactors that close.

        An instrument that is asked has told it before; what it tells afterwards may be of afterwards.
        """
        polled = self._polled(name)
        return (
            self.signal(name, instant_of(event) - 1) if polled is None else self._told_before(polled, instant_of(event))
        )

    def _value(self, name: str, at: Instant) -> float | None:
        before, after = self.record.samples_around(name, at)
        if before is None or after is None or self._steps(name) or after.t == before.t:
            return None if before is None else before.value
        part = (at - before.t) / (after.t - before.t)
        return before.value + (after.value - before.value) * part

    def _steps(self, name: str) -> bool:
        declared = self.signals.get(name)
        return declared is not None and declared.steps and self._polled(name) is None

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
        start, within = instant_of(after), self.under(within)
        label = label or f"time to {name}"
        until = start + within.high + beyond(within)
        polled = self._polled(name)
        if polled is not None:
            return self.judge_bracket(label, self.bracket(polled, low, high, start, until), start, within, polled)
        reached = self.time_in_range(name, low, high, start, until)
        if reached is None:
            self.judge.add(self.missing(label, within, start))
            return None
        self.judge.add(check_window(label, reached - start, within, self.judge.unsure(start, signal=True), at=reached))
        return reached

    def time_in_range(self, name: str, low: float, high: float, start: Instant, until: Instant) -> Instant | None:
        """The first instant from ``start`` on at which the signal lies in the range; None when it never does.

        Time passes up to then, or up to ``until``. Of an instrument that is asked, it is the latest that it can be.
        """
        polled = self._polled(name)
        if polled is not None:
            earliest, latest = self.bracket(polled, low, high, start, until)
            return None if latest is None or earliest is None else Latest(latest, earliest)
        self.until(min(start, until))
        if not self._steps(name) and self.record.samples_around(name, start)[1] is None:
            # Where a signal that moves stands between two samples is known with the second one.
            self._advance(max(until, start + _STRETCH), OnSignal(name, float("-inf"), float("inf")))
        while True:
            found = self._first_in_range(name, low, high, start, until)
            if found is not None or self.now >= until:
                return found
            self._advance(until, OnSignal(name, low, high))

    def _first_in_range(self, name: str, low: float, high: float, start: Instant, until: Instant) -> Instant | None:
        value = self.signal(name, start)
        if low <= value <= high:
            return start
        before = Sample(start, name, value, value, value)
        for sample in self.record.samples(name, start, until):
            if low <= sample.value <= high:
                return sample.t if self._steps(name) else _crossing(before, sample, low, high)
            before = sample
        return None

    def extremes(self, name: str, after: Moment, until: Moment) -> tuple[float, float]:
        """Lowest and highest value between two moments, at no instant beyond; of an instrument, among its readings."""
        start, end = instant_of(after), instant_of(until)
        polled = self._polled(name)
        if polled is not None:
            readings = self._told_between(polled, start, end)
            return min(readings), max(readings)
        self.until(end)
        samples = self.record.samples(name, start, end)
        values = [self.signal(name, start), self.signal(name, end)]
        values += [sample.low for sample in samples[1:]]
        values += [sample.high for sample in samples[1:]]
        if samples:
            values.append(samples[0].value)
        bound = self.instruments.bound.get(name)
        lowest, highest = min(values), max(values)
        return (lowest, highest) if bound is None else (bound.reading(float(lowest)), bound.reading(float(highest)))

    def expect_at_no_instant(
        self,
        name: str,
        label: str,
        *,
        low: float | None = None,
        high: float | None = None,
        after: Moment,
        until: Moment,
    ) -> None:
        """Between two moments the signal never leaves the range."""
        lowest, highest = self.extremes(name, after, until)
        polled = self._polled(name)
        if polled is not None:
            first = self._told_at_begin(polled, instant_of(after))
            lowest = max(lowest, first, key=lambda each: (verdict_of(each, low, None).rank, -each))
            highest = max(highest, first, key=lambda each: (verdict_of(each, None, high).rank, each))
        unit = self.signals[name].unit
        if low is not None:
            self.check(f"{label}, lowest", round(lowest, 3), low=low, unit=unit, at=until)
        if high is not None:
            self.check(f"{label}, highest", round(highest, 3), high=high, unit=unit, at=until)

    def expect_open(self, name: str, label: str, *, after: Moment, within: Limit) -> Instant | None:
        """A contactor is open inside the limit after a moment; told, not judged, where the rig does not show it."""
        self.until(instant_of(after))
        if not self.shows(name):
            self.judge.add(Measurement(label, None, "s", None, None, Verdict.NONE, instant_of(after), "not observed"))
            return None
        return self.expect_signal(name, high=0.5, after=after, within=within, label=label)

    def changes(self, name: str, after: Moment = -1) -> Iterator[tuple[Instant, float]]:
        """Instants and new values of a digital signal, the first observation left out."""
        for before, sample in pairwise(self.record.samples(name)):
            if sample.value != before.value and sample.t > instant_of(after):
                yield sample.t, sample.value


def _crossing(before: Sample, after: Sample, low: float, high: float) -> Instant:
    """Where a straight line between two samples enters the range."""
    bound = high if before.value > high else low
    step = after.value - before.value
    if step == 0 or after.t <= before.t:
        return after.t
    part = (bound - before.value) / step
    return before.t + round(part * (after.t - before.t))
