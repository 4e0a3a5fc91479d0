"""Collects what the plant tells between two visits of the world."""

from __future__ import annotations

from hil.plant.observe import Sample
from hil.units import Instant

_NOTICEABLE = 0.02
"""A step of a moving signal below this (in its unit) is left to interpolation: a fifth of what is promised."""
_SUBSCRIBED = frozenset(
    {
        "cc1_voltage",
        "cc2_voltage",
        "aux_voltage",
        "k1k2_closed",
        "k3k4_closed",
        "k5k6_closed",
        "lock_engaged",
        "ac_present",
        "pe_ok",
        "emergency_stop",
        "stop_button",
        "start_request",
    }
)

Change = tuple[Instant, str, float]


class Recorder:
    """Samples and changes, in order of time; holds every level and the last sample of each signal."""

    __slots__ = ("_changes", "_last", "_samples", "_subscribed", "levels")

    def __init__(self, subscribed: frozenset[str] = _SUBSCRIBED) -> None:
        self._subscribed = subscribed
        self.levels: dict[str, float] = {}
        """Sensors that only change in steps."""
        self._samples: list[Sample] = []
        self._changes: list[Change] = []
        self._last: dict[str, tuple[Instant, float]] = {}

    def level(self, now: Instant, name: str, value: float) -> None:
        """Set a level; the first setting is its state at the start, not a change."""
        before = self.levels.get(name)
        if before == value:
            return
        self.levels[name] = value
        if before is None:
            self._samples.append(Sample(now, name, value, value, value))
            return
        self._samples.append(Sample(now, name, value, min(value, before), max(value, before)))
        if name in self._subscribed:
            self._changes.append((now, name, value))

    def sample(self, now: Instant, name: str, value: float, low: float, high: float) -> None:
        """Keep a sample, unless it says nothing new: the same value at the same instant, without extremes."""
        if low != high or self._last.get(name) != (now, value):
            self._last[name] = (now, value)
            self._samples.append(Sample(now, name, value, low, high))

    def onward(self, now: Instant, name: str, value: float, moving: bool) -> None:
        """Keep where a signal goes on from, where its last sample does not tell that."""
        last = self._last.get(name)
        if last is None:
            self.sample(now, name, value, value, value)
            return
        t, before = last
        if abs(value - before) > (_NOTICEABLE if moving else 0.0):
            self.sample(now, name, before, before, before)  # it stood there until now
            self.sample(now, name, value, min(value, before), max(value, before))
        elif moving and t != now:
            self.sample(now, name, value, min(value, before), max(value, before))

    def drift(self, now: Instant, name: str, value: float) -> None:
        """Keep a slow signal, where it has changed."""
        last = self._last.get(name)
        before = value if last is None else last[1]
        if last is None or value != before:
            self.sample(now, name, value, min(value, before), max(value, before))

    def take_samples(self) -> list[Sample]:
        """Samples since the last call."""
        taken, self._samples = self._samples, []
        return taken

    def take_changes(self) -> list[Change]:
        """Changes that controllers subscribe to, since the last call."""
        taken, self._changes = self._changes, []
        return taken
