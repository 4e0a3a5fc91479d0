"""Collects what a case measured and comes to a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hil.conformance.monitors import MonitorSet
from hil.conformance.verdict import Measurement, Verdict, worst
from hil.units import Instant, Span
from hil.world.observation import Observation


class CheckFailed(AssertionError):
    """A requirement was broken so that nothing further can be judged."""


class Inconclusive(Exception):  # noqa: N818 - a verdict, not an error of the program
    """The case came to no judgement: a precondition or a stimulus was missing."""


class Judge:
    """Measurements of one case, with the monitors that watch beside it."""

    def __init__(self, *, uncertainty: Span = 0, monitors: MonitorSet | None = None) -> None:
        self.uncertainty = uncertainty
        self.measurements: list[Measurement] = []
        self._monitors = monitors

    def watch(self, observations: Sequence[Observation]) -> None:
        """Show the monitors what was seen."""
        if self._monitors is not None:
            self._monitors.feed(observations)

    def add(self, measurement: Measurement) -> None:
        """Keep one judged value."""
        self.measurements.append(measurement)

    def extend(self, measurements: Iterable[Measurement] | Measurement) -> None:
        """Keep several judged values."""
        if isinstance(measurements, Measurement):
            self.add(measurements)
        else:
            self.measurements.extend(measurements)

    def finish(self, now: Instant) -> None:
        """Take in what the monitors found by the end."""
        if self._monitors is not None:
            self.extend(self._monitors.finish(now))
            self._monitors = None

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
