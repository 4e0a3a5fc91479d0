"""Signals that an instrument measures, as invariants ask for them: never better known than it has told them.

A value is a :class:`hil.conformance.reading.Reading`. One that is asked for by polls is known at some instant between
the question and the answer of each; in between it is what the readings around allow, which acquits and convicts nobody.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from math import isfinite

from hil.conformance.reading import Reading, least_of, most_of
from hil.plant.observe import Sample
from hil.profile.seen import Entered, Signal
from hil.units import Instant, Span, s

SILENCE: Span = s(3)
"""Of an instrument that has told nothing for so long, nothing is known meanwhile."""
Band = Callable[[float], float]
"""Half of the band in which the true value lies, for a reading of it, in its unit."""
Range = tuple[float, float]


class _Measured(Signal):
    """What both kinds share: ``ends`` are the least and the most that the signal can ever be."""

    __slots__ = ("_band", "_ends")

    def __init__(self, name: str, samples: Iterable[Sample], band: Band, by: str, ends: Range) -> None:
        super().__init__(name)
        self.samples = list(samples)
        self.times = [each.t for each in self.samples]
        self.by = by
        self._band = band
        self._ends = ends

    def reading(self, value: float) -> Reading:
        """A value of this signal, as its instrument would tell it."""
        return Reading(value, self._band(value), self.by)

    def _ranges(self, low: float, high: float) -> tuple[Range, Range]:
        """Where a reading may mean that the value is in a range, and where it does for sure.

        The end of what the signal can be is no limit: of 0 to 50 V only the 50 V are.
        """
        low = low if low > self._ends[0] else float("-inf")
        high = high if high < self._ends[1] else float("inf")
        under, over = (self._band(each) if isfinite(each) else 0.0 for each in (low, high))
        return (low - under, high + over), (low + under, high - over)


class UnsureSignal(_Measured):
    """A signal that the plant tells by itself at every instant, and with an uncertainty."""

    __slots__ = ()

    def value(self, t: Instant) -> float | None:
        """Its value at an instant, with its band; None before the first sample."""
        value = super().value(t)
        return None if value is None else self.reading(value)

    def held(self, t: Instant) -> float | None:
        """Its latest sample's value at an instant, with its band."""
        value = super().held(t)
        return None if value is None else self.reading(value)

    def extremes(self, ends: Iterable[Instant], age: Span) -> Iterator[tuple[float, float]]:
        """For each of these instants, least and greatest value of the ``age`` before it, with their bands."""
        return ((self.reading(low), self.reading(high)) for low, high in super().extremes(ends, age))

    def stretches(self, begin: Instant, end: Instant) -> Iterator[tuple[Instant, float, float]]:
        """Instant, least and greatest value of each stretch, with their bands."""
        return ((t, self.reading(low), self.reading(high)) for t, low, high in super().stretches(begin, end))

    def entered(self, low: float, high: float, begin: Instant, end: Instant) -> Entered:
        """When it may have come into the range first, and when it was there for sure."""
        wide, narrow = self._ranges(low, high)
        return Entered(self.first_in(*wide, begin, end), self.first_in(*narrow, begin, end), self.by)


class PolledSignal(_Measured):
    """A signal that an instrument is asked for: ``asked`` has when each of its samples was."""

    __slots__ = ("asked",)
    polled = True

    def __init__(
        self, name: str, asked: Sequence[Instant], samples: Iterable[Sample], band: Band, by: str, ends: Range
    ) -> None:
        super().__init__(name, samples, band, by, ends)
        self.asked = list(asked[: len(self.samples)])

    @property
    def latency(self) -> Span:
        """The longest time from a question to its answer."""
        return max((told - begun for begun, told in zip(self.asked, self.times, strict=True)), default=0)

    def around(self, begin: Instant, end: Instant) -> tuple[float, float] | None:
        """Least and greatest of the readings from the last one before a span to the first one after it.

        None where the instrument has told nothing for :data:`SILENCE` about its begin or its end.
        """
        first = max(bisect_right(self.times, begin) - 1, 0)
        last = bisect_left(self.asked, end)
        inside = [each.value for each in self.samples[first : last + 1]]
        if not inside:
            return None
        nearest = self.times[min(last, len(self.times) - 1)]
        if self.asked[first] - begin > SILENCE or begin - self.times[first] > SILENCE:
            return None
        return (min(inside), max(inside)) if abs(nearest - end) <= SILENCE else None

    def value(self, t: Instant) -> float | None:
        """What the readings around an instant allow; None where the instrument was silent."""
        found = self.around(t, t)
        return None if found is None else self._middle(*found, between=True)

    def held(self, t: Instant) -> float | None:
        """The same of what only ever counts up, which therefore lies between the readings."""
        found = self.around(t, t)
        return None if found is None else self._middle(*found, between=False)

    def _middle(self, low: float, high: float, *, between: bool) -> Reading:
        low, high = low - self._band(low), high + self._band(high)
        return Reading((low + high) / 2, (high - low) / 2, self.by, between=between)

    def peak(self, begin: Instant, end: Instant) -> float | None:
        """The most that it may have been, as the readings in the span and around it allow."""
        found = self.around(begin, end)
        return None if found is None else most_of(self.reading(found[1]))

    def least(self, begin: Instant, end: Instant) -> float | None:
        """The least that it may have been."""
        found = self.around(begin, end)
        return None if found is None else least_of(self.reading(found[0]))

    def extremes(self, ends: Iterable[Instant], age: Span) -> Iterator[tuple[float, float]]:
        """For each of these instants, what the readings around the ``age`` before it allow."""
        for end in ends:
            yield self._bounds(self.around(end - age, end))

    def beyond(self, value: float, begin: Instant, end: Instant) -> Reading:
        """How far a value lies from all that the signal was in a span; 0 within.

        What was asked for and told in the span it was for sure. It may have been what the readings around allow, and
        beyond that as far as it moved about then from one of them to the next: it may have turned in between.
        """
        low, high = self._bounds(self.around(begin, end))
        step = self._step(begin, end)
        least = _distance(value, least_of(low) - step, most_of(high) + step)
        inside = [each.value for each in self.samples[bisect_left(self.asked, begin) : bisect_right(self.times, end)]]
        if inside:
            most = _distance(value, min(inside), max(inside)) + max(low.uncertainty, high.uncertainty)
        else:
            most = max(most_of(high) - value, value - least_of(low)) + step
        return Reading((least + most) / 2, (most - least) / 2, self.by)

    def _step(self, begin: Instant, end: Instant) -> float:
        """The longest way from a reading to the next, from the two before a span to the two after it."""
        first, last = bisect_right(self.times, begin) - 2, bisect_left(self.asked, end) + 1
        about = [each.value for each in self.samples[max(first, 0) : last + 1]]
        return max((abs(after - before) for before, after in pairwise(about)), default=0.0)

    def _bounds(self, found: Range | None) -> tuple[Reading, Reading]:
        low, high = (Reading(each, self._band(each), self.by, between=True) for each in found or self._ends)
        return low, high

    def stretches(self, begin: Instant, end: Instant) -> Iterator[tuple[Instant, float, float]]:
        """Each reading that was asked for and told in the span; what those around allow where there is none."""
        if begin >= end or not self.samples:
            return
        known = begin
        for index in range(bisect_left(self.asked, begin), bisect_right(self.times, end)):
            value, at = self.reading(self.samples[index].value), self.times[index]
            if at - known > SILENCE:
                yield (at, *self._bounds(None))
            known = at
            yield at, value, value
        stop = min(end, self.times[-1])
        if known == begin or stop - known > SILENCE:
            yield (end, *self._bounds(self.around(known, end)))

    def entered(self, low: float, high: float, begin: Instant, end: Instant) -> Entered:
        """Between which instants it came into the range, as far as the readings tell."""
        wide, narrow = self._ranges(low, high)
        first = bisect_left(self.asked, begin)
        earliest: Instant | None = None
        before = begin
        for index in range(first, len(self.samples)):
            value = self.samples[index].value
            if earliest is None and wide[0] <= value <= wide[1]:
                earliest = before
            if narrow[0] <= value <= narrow[1] and self.times[index] <= end:
                return Entered(earliest, self._since(index, first, begin, narrow), self.by)
            if self.asked[index] >= end:
                return Entered(earliest, None, self.by)
            before = self.asked[index]
        # What came after the last question is not known.
        return Entered(before if earliest is None else earliest, None, self.by)

    def _since(self, index: int, first: int, begin: Instant, narrow: Range) -> Instant:
        """Since when it was there for sure: from the begin on where the reading before that was in the range too."""
        before = bisect_right(self.times, begin) - 1
        if index == first and before >= 0 and narrow[0] <= self.samples[before].value <= narrow[1]:
            return begin
        return self.times[index]


def _distance(value: float, low: float, high: float) -> float:
    """Of a value from a range; 0 within."""
    return max(low - value, value - high, 0.0)


__all__ = ["SILENCE", "Band", "PolledSignal", "UnsureSignal"]
