"""Measured quantities as notes: one form for whatever measures, a meter on its line or an instrument."""

from __future__ import annotations

from hil.units import Instant
from hil.world.observation import Note

KIND = "measured"
"""Kind of the notes; what they are of is the quantity's name."""


def measured(quantity: str, value: float, unit: str, *, by: str, asked: Instant, at: Instant) -> Note:
    """A value that was asked for at one instant and told at another: it held at some instant between them."""
    return Note(at, KIND, quantity, {"value": value, "unit": unit, "by": by, "asked": asked})
