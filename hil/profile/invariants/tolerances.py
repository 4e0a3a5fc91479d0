"""Tolerances and times of the catalogue that depend on a demand (sheet 4.9)."""

from __future__ import annotations

from hil.conformance.catalogue import adjustment_time, quantity
from hil.units import Span

SMALL_CURRENT = 30.0
"""Below this demand in A the control error is absolute."""


def tolerance(current: float) -> float:
    """Width of the control error in A of a demand (sheet 4.9)."""
    if current < SMALL_CURRENT:
        return quantity("current-error-small").most
    return quantity("current-error").most / 100 * current


def voltage_tolerance(voltage: float) -> float:
    """Width of the control error in V of a demand (sheet 4.9)."""
    return quantity("voltage-error").most / 100 * voltage


def time_for(difference: float) -> Span:
    """Adjustment time of a difference in A."""
    return adjustment_time(difference).high
