"""The power stage: a source with a voltage and a current limit, and the output it feeds.

It decides how current and output voltage run from one event to the next. All figures here are those
of the modelled hardware (judgement; the sheet limits what they may be, section 4.8 and 4.9).
"""

from __future__ import annotations

from math import ceil, exp, inf, log, sqrt

from hil.plant.curve import Curve
from hil.plant.pack import TAU, Pack
from hil.units import SECOND, Span

RISE = 100.0
"""A/s towards a higher set-point."""
FALL = 400.0
"""A/s towards a lower set-point: above the 100 A/s that a stop needs (sheet 4.9)."""
COLLAPSE = 1e5
"""A/s when switched off: 300 A are gone after 3 ms."""
VOLTAGE_RISE = 1000.0
"""V/s of the unloaded output towards a higher set-point."""
DISCHARGE = 2500.0
"""V/s of the discharge circuit: 950 V fall below 60 V in 0.36 s (limit 1 s, sheet 4.8)."""
BLEED = 60.0
"""Time constant of the unloaded output when nothing discharges it, s."""
LINK_OHM = 0.005
"""Output to pack terminals: contactors and cable, both conductors."""
INRUSH_OHM = 0.6
"""Output capacitors to pack at the first instant: 10 V of difference give 17 A (limit 20 A, sheet 4.8)."""
RIPPLE_VOLTS = 0.2
RIPPLE_AMPERES = 0.1
RIPPLE_PART = 0.002
"""Ripple is plus and minus ``RIPPLE_AMPERES`` and this part of the current."""

_LONGEST = 1.0
"""s without an event while something moves fast."""
_LONGEST_RELAXING = 10.0
"""s without an event while the pack relaxes or is heated."""
RELAXED = 0.01
"""V of the RC pair below which nobody needs to see it fade."""
_CHORD_VOLTS = 0.05
_CHORD_AMPERES = 0.02
"""How far a straight line between two events may be off."""
_NEAR = 0.003
"""V around the voltage limit that are regulated away within one stretch."""
_EXACT = 1e-9
"""A: on the set-point."""
_EXACT_VOLTS = 1e-3
"""V: on the set-point, unloaded; above what a nanosecond's ramp moves."""


class Leg:
    """From one event to the next: ``current + slope * t`` into the pack, over ``span`` ns (None: for ever).

    ``end`` is the current at the end: where a ramp was to lead, not the nanosecond beyond.
    """

    __slots__ = ("current", "end", "slope", "span")

    def __init__(self, current: float, slope: float, seconds: float, end: float | None = None) -> None:
        self.current = current
        self.slope = slope
        self.span: Span | None = None if seconds == inf else max(ceil(seconds * SECOND), 1)
        if end is None:
            end = current if self.span is None else current + slope * self.span / SECOND
        self.end = end


class Stage:
    """Set-points and state of the power stage."""

    __slots__ = ("current_limit", "discharging", "enabled", "fault", "supplied", "voltage_limit")

    def __init__(self) -> None:
        self.enabled = False
        self.supplied = True
        self.discharging = False
        self.voltage_limit = 0.0
        self.current_limit = 0.0
        self.fault = 0.0
        """V that a failed stage adds to its output without knowing."""

    @property
    def live(self) -> bool:
        """Switched on and supplied."""
        return self.enabled and self.supplied

    @property
    def excess(self) -> float:
        """V that the fault adds now."""
        return self.fault if self.live else 0.0

    # --- joined to the pack -------------------------------------------------------------------------

    def drive(self, pack: Pack, current: float) -> Leg:
        """The next leg of the current, from ``current`` on, into a pack joined to the output.

        The current is the lower of the current limit and of what the voltage limit lets through,
        approached at the stage's ramps and never negative.
        """
        if not self.live:
            return self._ramp(pack, current, COLLAPSE, 0.0)
        if current > self.current_limit + _EXACT:
            return self._ramp(pack, current, FALL, self.current_limit)
        room = self.voltage_limit - pack.terminal(current, 0.0).value(0.0) - current * LINK_OHM
        if room < -_NEAR:
            return self._ramp(pack, current, FALL, 0.0)
        if room < _NEAR:
            leg = self._track(pack, current)
            if leg is not None:
                return leg
        return self._ramp(pack, current, RISE, self.current_limit)

    def _ramp(self, pack: Pack, current: float, rate: float, target: float) -> Leg:
        """Towards a target or hold it, up to the next event of any kind."""
        distance = target - current
        if abs(distance) <= _EXACT:
            slope, wanted = 0.0, inf
        else:
            slope, wanted = (rate if distance > 0.0 else -rate), abs(distance) / rate
        seconds = min(wanted, longest(pack, current, slope))
        if self.live and seconds < inf:
            output = pack.terminal(current, slope).plus(LINK_OHM * current, LINK_OHM * slope)
            crossing = output.crossing(self.voltage_limit, seconds)
            if crossing is not None and current <= self.current_limit + _EXACT:
                seconds = crossing
        return Leg(current, slope, seconds, target if seconds == wanted else None)

    def _track(self, pack: Pack, current: float) -> Leg | None:
        """At the voltage limit: the line that ends exactly on it. None when the current limit rules."""
        rate = (pack.rise() + pack.r1 / TAU) / (pack.r0 + LINK_OHM)
        seconds = min(_LONGEST, sqrt(8.0 * _CHORD_AMPERES / max(current, 1.0)) / rate)
        slope = self._slope_to_limit(pack, current, seconds)
        bend = pack.seconds_to_bend(current, slope)
        if bend < seconds:
            seconds = bend
            slope = self._slope_to_limit(pack, current, seconds)
        slope = min(max(slope, -FALL), RISE)
        if slope > 0.0:
            if current >= self.current_limit - _EXACT:
                return None
            reached = (self.current_limit - current) / slope
            if reached <= seconds:
                return Leg(current, slope, reached, self.current_limit)
            return Leg(current, slope, seconds)
        if current + slope * seconds <= 0.0:
            return self._ramp(pack, current, -slope, 0.0) if current > 0.0 else self._ramp(pack, 0.0, FALL, 0.0)
        return Leg(current, slope, seconds)

    def _slope_to_limit(self, pack: Pack, current: float, seconds: float) -> float:
        """A/s at which the output is at the voltage limit after ``seconds``: linear, as all else is."""
        fading = exp(-seconds / TAU)
        flat = pack.terminal(current, 0.0).value(seconds) + LINK_OHM * current
        per_slope = (
            pack.rise() * seconds * seconds / 2
            + pack.r1 * (seconds - TAU * (1.0 - fading))
            + (pack.r0 + LINK_OHM) * seconds
        )
        return (self.voltage_limit - flat) / per_slope

    # --- unloaded -----------------------------------------------------------------------------------

    def unloaded(self, volts: float) -> tuple[Curve, float]:
        """How an unloaded output goes on from ``volts``, and for how many seconds that holds."""
        if not self.live:
            if self.discharging and volts > 0.0:
                return _straight(volts, 0.0, DISCHARGE)
            return _bleed(volts, 0.0)
        target = self.voltage_limit + self.fault
        if volts < target - _EXACT_VOLTS:
            return _straight(volts, target, VOLTAGE_RISE)
        if volts > target + _EXACT_VOLTS:
            return _bleed(volts, target)
        return Curve(target), _LONGEST


def _straight(volts: float, target: float, rate: float) -> tuple[Curve, float]:
    """A ramp that ends on its target at a whole nanosecond."""
    distance = target - volts
    seconds = max(ceil(abs(distance) / rate * SECOND), 1) / SECOND  # a distance may be too small to take any
    return Curve(volts, distance / seconds), seconds


def _bleed(volts: float, target: float) -> tuple[Curve, float]:
    if volts <= RELAXED:
        return Curve(0.0), inf
    fading = Curve(0.0, d=volts, tau=BLEED)
    seconds = sqrt(8.0 * _CHORD_VOLTS / fading.bend())
    return fading, min(seconds, BLEED * log(volts / max(target, RELAXED)))


def longest(pack: Pack, current: float, slope: float) -> float:
    """s a leg may last so that straight lines through its ends are good enough."""
    if current == 0.0 and slope == 0.0:
        if abs(pack.vrc) < RELAXED:
            return _LONGEST_RELAXING if pack.heater else inf
        longest = _LONGEST_RELAXING
    else:
        longest = _LONGEST
    bend = pack.terminal(current, slope).bend()
    chord = sqrt(8.0 * _CHORD_VOLTS / bend) if bend else inf
    return min(longest, chord, pack.seconds_to_bend(current, slope))
