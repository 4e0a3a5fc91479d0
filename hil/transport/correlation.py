"""Time stamps of a driver as instants of the world.

Drivers stamp by the clock on the wall or by one of the adapter's own. Both run beside the monotonic clock that
a world counts by; the difference is measured, and measured again, since the one is set and the other drifts.
"""

from __future__ import annotations

from collections.abc import Callable

from hil.transport.clock import wall_nanoseconds
from hil.units import SECOND, Instant, Span, ms, s, us

_STEP: Span = us(500)
"""A wall clock that has moved by more than this between two looks was set."""
_PARTED: Span = us(200)
"""Where the clocks have moved apart by so much they are looked at anew: one that is slewed takes 0.4 s for it."""
_MIXED: Span = ms(100)
"""So long after it was set, stamps of before are still read."""
_TOLD_APART: Span = ms(2)
"""Stamps of before and after a smaller step are not told apart: what was on its way then is wrong by the step."""
_SURE: Span = us(500)
"""A stamp is in the future by less than that where the comparison of the clocks is to blame."""
_LOOK: Span = s(1)
_DRIFT = 10_000
"""Two clocks part by less than one in so many."""
_RESTART: Span = s(1)
"""A frame that has come from so long ago by an adapter's own clock has not: the clock began anew."""
_EPOCH: Span = s(365 * 24 * 3600)
"""A stamp beyond this counts from 1970; an adapter's own clock counts from its start."""


class Correlation:
    """Turns stamps (seconds, as python-can gives them) into instants.

    ``real`` is the world's monotonic clock, ``wall`` the one that drivers stamp by. What an adapter's own clock counts
    in steps (``resolution``) happened by the end of its step: an answer is never stamped before its question.
    """

    def __init__(
        self, real: Callable[[], Instant], wall: Callable[[], int] = wall_nanoseconds, *, resolution: Span = 0
    ) -> None:
        self._ours = real
        self._resolution = resolution
        self._wall = wall
        self._looked: Instant = real()
        self.bracket: Span = 0
        """How long the latest comparison of the two clocks took: it is no surer than that."""
        self._offset = self._compare()
        self._former = self._offset
        """Until the wall clock was set last."""
        self._mixed_until: Instant = real()
        self._seen: Instant = 0
        self._own: Span | None = None
        """Smallest difference seen between our clock and an adapter's own."""
        self.steps: list[tuple[Instant, Span]] = []
        """When a clock was found to have been set, and by how much."""

    def instant(self, stamp: float) -> Instant:
        """The instant of a stamp; 0 or less (a driver without stamps) is now."""
        real = self._ours()
        if stamp <= 0:
            return real
        nanoseconds = round(stamp * SECOND)
        if nanoseconds < _EPOCH:
            return self._from_own_clock(nanoseconds, real)
        # Asked with every stamp: one that was made by a clock that was set since the last look is wrong by as much.
        if real - self._looked > _LOOK or abs(self._wall() - real - self._offset) > _PARTED:
            self._look(real)
        found = nanoseconds - self._offset
        if real < self._mixed_until:
            # By the clock before or after it was set: that by which the stamp is nearest to now, and not to come.
            either = (found, nanoseconds - self._former)
            found = max((each for each in either if each <= real + _SURE), default=found)
        return min(found, real)

    def _from_own_clock(self, nanoseconds: int, real: Instant) -> Instant:
        # A frame can be read late but not early, so that the smallest difference is the nearest to the truth.
        # It is let grow as slowly as two crystals may part.
        difference = real - nanoseconds
        if self._own is not None:
            grown = self._own + (real - self._seen) // _DRIFT
            if difference - grown > _RESTART:
                self.steps.append((real, grown - difference))
            else:
                difference = min(difference, grown)
        self._own, self._seen = difference, real
        return min(nanoseconds + difference + self._resolution, real)

    def _look(self, real: Instant) -> None:
        before, unsure, self._looked = self._offset, self.bracket, real
        self._offset = self._compare()
        moved = self._offset - before
        if abs(moved) > _STEP + unsure + self.bracket:
            self.steps.append((real, moved))
            if abs(moved) > _TOLD_APART:
                self._former, self._mixed_until = before, real + _MIXED

    def _compare(self) -> Span:
        """Wall clock less ours, by the quickest of a few comparisons."""
        best: tuple[Span, Span] | None = None
        for _ in range(5):
            begin = self._ours()
            wall = self._wall()
            taken = self._ours() - begin
            if best is None or taken < best[0]:
                best = taken, wall - (begin + taken // 2)
        assert best is not None, "five comparisons were made"
        self.bracket = best[0]
        return best[1]
