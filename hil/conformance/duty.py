"""Duty cycles and the currents that they tell (sheet iec61851_control_pilot.md, 2), and when two are told apart."""

from __future__ import annotations

from hil.conformance.catalogue import quantity

_PER_AMPERE, _FIRST_UP_TO = 0.6, 51.0


def duty_of(current: float) -> float:
    """The duty cycle in percent that tells a current in A."""
    return current / _PER_AMPERE if current <= _FIRST_UP_TO else current / 2.5 + 64.0


def current_of(duty: float) -> float:
    """The current in A that a duty cycle in percent tells."""
    return duty * _PER_AMPERE if duty <= duty_of(_FIRST_UP_TO) else (duty - 64.0) * 2.5


def apart_from(current: float) -> tuple[float, float]:
    """Duty cycles in percent between which a current in A may be meant; outside them another one is told.

    How exact a duty cycle is, is general knowledge. Sourced is how much more than a limit is taken for more than it
    (sheet, 5: a tenth and 0.5 A): a current beyond that, or of which this one is beyond that, is another.
    """
    part, step = 1.0 + quantity("current-apart").most / 100.0, quantity("current-apart-step").most
    return duty_of(max(current - step, 0.0) / part), duty_of(current * part + step)
