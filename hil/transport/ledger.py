"""The ledger of lateness: how much later than planned each frame of ours left, as a histogram."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from hil.units import MICROSECOND, Span, show_span, us
from hil.world.observation import Observation, Sent

BOUNDS: tuple[Span, ...] = tuple(
    us(each) for each in (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
)
"""Upper bounds of the histogram's classes; the last class has none."""


class Ledger:
    """Takes :class:`Sent` out of observations. Keeps each lateness in microseconds, by how often it came."""

    def __init__(self) -> None:
        self.worst: Span = 0
        self._counts: Counter[int] = Counter()

    def feed(self, observations: Iterable[Observation]) -> None:
        """Take in what was sent."""
        for seen in observations:
            if type(seen) is Sent:
                self._counts[seen.late // MICROSECOND] += 1
                self.worst = max(self.worst, seen.late)

    @property
    def count(self) -> int:
        """How many frames or chunks."""
        return self._counts.total()

    def quantile(self, part: float) -> Span:
        """So many parts of all were not later than this; 0 when nothing was sent."""
        left = part * self.count
        for value in sorted(self._counts):
            left -= self._counts[value]
            if left <= 0:
                return value * MICROSECOND
        return self.worst

    def histogram(self) -> Mapping[str, int]:
        """How many were later than one bound and at most as late as the next, up to the worst."""
        found: dict[str, int] = {}
        below: Span = -1
        for bound in (*BOUNDS, None):
            if below >= self.worst:
                break
            number = sum(
                count
                for late, count in self._counts.items()
                if below < late * MICROSECOND and (bound is None or late * MICROSECOND <= bound)
            )
            found[f"above {show_span(below)}" if bound is None else f"up to {show_span(bound)}"] = number
            below = bound if bound is not None else below
        return found

    def worst_text(self) -> str:
        """The worst, for a status."""
        return show_span(round(self.worst, -3)) if self.count else "-"

    def summary(self) -> str:
        """One line for people."""
        if not self.count:
            return "nothing was sent"
        p50, p99 = self.quantile(0.5), self.quantile(0.99)
        late = f"{show_span(p50)} (half), {show_span(p99)} (99 %), {self.worst_text()} (worst)"
        return f"{self.count} sent, late by up to {late}"
