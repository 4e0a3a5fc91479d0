"""A demand over time, as a load profile has it: held or along straight lines, told by each BCL."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hil.errors import UsageError
from hil.units import FAR, Instant, Span

Point = Sequence[float]
"""Nanoseconds from the start, V, A (positive charges), mode, and 1 where the way to the next point is straight."""


class Course:
    """Follows points from ``start`` on; the last one holds for ever. After ``ends`` nanoseconds charging is over.

    Raises :class:`UsageError` for no points, and for points that do not follow each other in time.
    """

    __slots__ = ("_end", "_index", "_points", "_start")

    def __init__(self, points: Sequence[Point], start: Instant, ends: Span | None = None) -> None:
        if not points or points[0][0] != 0:
            raise UsageError("a course needs a point at its start")
        for before, after in pairwise(points):
            if after[0] < before[0]:
                raise UsageError(f"a course goes back in time: {after[0]} ns after {before[0]} ns")
        self._points = points
        self._start = start
        self._end = FAR if ends is None else start + ends
        self._index = 0

    def over(self, now: Instant) -> bool:
        """Whether the vehicle has had what it wanted."""
        return now >= self._end

    def demand(self, now: Instant) -> tuple[float, float, int]:
        """V, A (negative charges, as on the wire) and mode; asked for in order of time."""
        passed: Span = now - self._start
        points = self._points
        index = self._index
        while index + 1 < len(points) and points[index + 1][0] <= passed:
            index += 1
        self._index = index
        at, volts, amperes, mode, straight = points[index]
        if straight and index + 1 < len(points):
            after = points[index + 1]
            part = (passed - at) / (after[0] - at)
            volts += (after[1] - volts) * part
            amperes += (after[2] - amperes) * part
        return round(volts, 1), -round(amperes, 1), int(mode)
