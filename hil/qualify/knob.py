"""A knob: a reference device that misses one limit, by a deviation that can be set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hil.conformance.catalogue import Limit
from hil.units import MILLISECOND, SECOND, Span

Turn = Callable[[Any, Span], Any]
"""Takes the data of a device and a span."""
LATE, EARLY, LONG, SHORT = "late", "early", "too long", "too short"
DOWN = (EARLY, SHORT)


@dataclass(frozen=True)
class Knob:
    """A charger that misses one limit, by a deviation that can be set."""

    name: str
    of: str
    """What the limit is about."""
    direction: str
    """``late`` or ``early`` for an instant, ``too long`` or ``too short`` for an interval."""
    requirement: str
    """Its case must catch it."""
    limit: Callable[[], Limit]
    nominal: Span
    edit: Turn
    """Takes the deviation, in nanoseconds in the knob's direction."""
    most: Span
    """The largest deviation to try; the case must fail it."""
    least: Span = 0
    """The smallest; the case passes it."""
    variant: str | None = None
    """Only this variant of the case."""
    reading: str | None = None
    """Only under this reading, ``name=choice``."""
    dut: str = "gbt27930"
    """The kind of reference device whose data ``edit`` takes."""

    def tolerance(self, readings: Mapping[str, str]) -> Span:
        """How far the catalogue allows the deviation to go, under these readings."""
        bound = self.limit().under(readings)
        return self.nominal - bound.low if self.direction in DOWN else bound.high - self.nominal


def late(
    name: str,
    of: str,
    requirement: str,
    bound: Callable[[], Limit],
    edit: Turn,
    *,
    own: Span = 0,
    most: Span = SECOND,
    **options: Any,
) -> Knob:
    """From nought up to a limit: the limit is the nominal value, and nothing beyond it is allowed."""
    nominal = bound().high
    # In whole milliseconds, as deviations are.
    least = -(nominal // 2 // MILLISECOND) * MILLISECOND

    def turn(spec: Any, deviation: Span) -> Any:
        return edit(spec, nominal + deviation - own)

    return Knob(name, of, LATE, requirement, bound, nominal, turn, most, least, **options)
