"""How a signal runs between two events: a parabola and one decaying exponential."""

from __future__ import annotations

from collections.abc import Callable
from math import exp

_HALVINGS = 60
"""Bisection of any stretch down to the resolution of a float."""


class Curve:
    """``value(t) = a + b t + c t² + d exp(-t / tau)``, t in seconds since the last event.

    Everything electrical in the plant has this form while the current is linear and the OCV table
    does not bend, so that reading a sensor between events is one line of arithmetic.
    """

    __slots__ = ("a", "b", "c", "d", "tau")

    def __init__(self, a: float, b: float = 0.0, c: float = 0.0, d: float = 0.0, tau: float = 1.0) -> None:
        self.a = a
        self.b = b
        self.c = c
        self.d = d
        self.tau = tau

    def value(self, t: float) -> float:
        """The value ``t`` seconds after the event."""
        if self.d:
            return self.a + t * (self.b + t * self.c) + self.d * exp(-t / self.tau)
        return self.a + t * (self.b + t * self.c)

    def slope(self, t: float) -> float:
        """Change per second at ``t``."""
        return self.b + 2.0 * self.c * t - self.d / self.tau * exp(-t / self.tau)

    def bend(self) -> float:
        """Bound of the second derivative from now on."""
        return abs(2.0 * self.c) + abs(self.d) / self.tau**2

    def plus(self, a: float, b: float) -> Curve:
        """The same with a straight line added."""
        return Curve(self.a + a, self.b + b, self.c, self.d, self.tau)

    def extremes(self, t: float) -> tuple[float, float]:
        """Lowest and highest value from now to ``t``, turning points included.

        A stretch has one turning point at most: two would need the parabola and the exponential to
        balance twice within a small part of ``tau``, where they differ by less than a microvolt.
        """
        start, end = self.value(0.0), self.value(t)
        low, high = (start, end) if start <= end else (end, start)
        if self.slope(0.0) * self.slope(t) < 0.0:
            turn = self.value(_root(self.slope, 0.0, t))
            low, high = min(low, turn), max(high, turn)
        return low, high

    def crossing(self, level: float, t: float) -> float | None:
        """When the curve goes through ``level`` within ``t`` seconds; None when its ends do not lie on both sides."""
        if (self.value(0.0) - level) * (self.value(t) - level) >= 0.0:
            return None
        return _root(lambda at: self.value(at) - level, 0.0, t)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with different signs at both ends is nought."""
    rising = function(low) < 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if (function(middle) < 0.0) == rising:
            low = middle
        else:
            high = middle
    return high
