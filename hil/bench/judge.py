"""Collects what a case measured and comes to a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from msgspec.structs import replace

from hil.conformance.verdict import Measurement, Verdict, worst
from hil.units import Instant, Span


class CheckFailed(AssertionError):  # noqa: N818 - a verdict, not an error of the program
    """A requirement was broken so that nothing further can be judged."""


class Inconclusive(Exception):  # noqa: N818 - a verdict, not an error of the program
    """The case came to no judgement: a precondition or a stimulus was missing."""


class Latest(int):
    """An instant that instruments leave open: at the latest this one, ``open`` earlier at the earliest."""

    open: Span

    def __new__(cls, latest: Instant, earliest: Instant) -> Latest:
        """Both ends."""
        made = super().__new__(cls, latest)
        made.open = max(latest - earliest, 0)
        return made


def open_of(instant: Instant) -> Span:
    """How much earlier an instant may have been than it tells; 0 for one that is known."""
    return instant.open if isinstance(instant, Latest) else 0


class Judge:
    """Measurements of one case, and how sure the bench is of instants: ``uncertainty`` is that of all of them.

    On real ports the bench adds how late it was itself, by ``late``, and keeps ``signals`` apart.
    """

    def __init__(self, *, uncertainty: Span = 0) -> None:
        self.stamps = uncertainty
        """Of a span between two things that the clock of one line stamped."""
        self.signals = uncertainty
        """Of the instant at which a signal of the plant or of the controller is seen to change."""
        self.lag: Span = 0
        """By so much later than the plant has a value the DUT may know it."""
        self.untold: Mapping[str, float] = MappingProxyType({})
        """By unit, how far a value may move before the DUT is told of it."""
        self.late: Callable[[Instant], Span] = lambda start: 0
        """How late the bench was in what it did about an instant."""
        self.moved: Instant | None = None
        """When the clock of a line was set first, as far as it is known: what monitors found since then may be that."""
        self.measurements: list[Measurement] = []

    def unsure(self, start: Instant, *, signal: bool = False) -> Span:
        """Of a span that begins with what the bench did at ``start``, and ends on a line or with a signal."""
        return (self.signals if signal else self.stamps) + self.late(start) + open_of(start)

    def add(self, measurement: Measurement) -> None:
        """Keep one judged value."""
        if isinstance(measurement.at, Latest):
            measurement = replace(measurement, at=int(measurement.at))
        self.measurements.append(measurement)

    def extend(self, measurements: Iterable[Measurement]) -> None:
        """Keep several judged values."""
        self.measurements.extend(measurements)

    @property
    def verdict(self) -> Verdict:
        """The worst of what was measured; *none* counts as *inconclusive* by the caller."""
        return worst(measurement.verdict for measurement in self.measurements)

    @property
    def decisive(self) -> Measurement | None:
        """The first measurement with the worst verdict."""
        verdict = self.verdict
        for measurement in self.measurements:
            if measurement.verdict is verdict and verdict is not Verdict.NONE:
                return measurement
        return None
