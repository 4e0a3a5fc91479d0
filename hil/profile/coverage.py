"""What generated profiles have reached: ranges of the demand, events by phase, rows of both machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from hil.profile.model import LoadProfile
from hil.world.observation import Note, Observation


class Coverage:
    """Grows with every profile and what was observed of it."""

    def __init__(self) -> None:
        self.profiles = 0
        self.segments = 0
        self.current = (float("inf"), float("-inf"))
        """Least and greatest A demanded."""
        self.voltage = (float("inf"), float("-inf"))
        self.duration = (float("inf"), float("-inf"))
        self.modes: Counter[str] = Counter()
        self.ramps = 0
        self.events: Counter[str] = Counter()
        """Kinds of events, as ``before pause`` or ``charging pause``."""
        self.phases: Counter[str] = Counter()
        """States of the vehicle that sessions have been through."""
        self.rows: dict[str, dict[str, int]] = {}
        """By machine: rows of its table, and in how many profiles each was taken."""

    def add(self, profile: LoadProfile, observations: Iterable[Observation] = ()) -> None:
        """One more profile."""
        self.profiles += 1
        for segment in profile.segments:
            self.segments += 1
            self.current = _wider(self.current, segment.current)
            self.voltage = _wider(self.voltage, segment.voltage)
            self.duration = _wider(self.duration, segment.duration)
            self.modes[segment.mode] += 1
            self.ramps += segment.ramp
            self.events.update(f"charging {event.__struct_config__.tag}" for event in segment.events)
        self.events.update(f"before {event.__struct_config__.tag}" for event in profile.before)
        states = set()
        for each in observations:
            if type(each) is Note:
                if each.kind == "vehicle":
                    states.add(each.what)
                elif each.kind == "coverage":
                    self._take(each.what, each.details)
        self.phases.update(states)

    def _take(self, machine: str, details: Mapping[str, Any]) -> None:
        rows = self.rows.setdefault(machine, dict.fromkeys(details, 0))
        for row, taken in details.items():
            rows[row] += bool(taken)

    def taken(self, machine: str) -> float:
        """Share of a machine's rows that were taken at all."""
        rows = self.rows.get(machine, {})
        return sum(count > 0 for count in rows.values()) / len(rows) if rows else 0.0

    def missed(self, machine: str) -> list[str]:
        """Rows of a machine that no profile has taken."""
        return [row for row, count in self.rows.get(machine, {}).items() if not count]

    def document(self) -> dict[str, Any]:
        """Everything as plain values, for a file."""
        return {
            "profiles": self.profiles,
            "segments": self.segments,
            "current_a": self.current,
            "voltage_v": self.voltage,
            "duration_s": self.duration,
            "modes": dict(sorted(self.modes.items())),
            "ramps": self.ramps,
            "events": dict(sorted(self.events.items())),
            "phases": dict(sorted(self.phases.items())),
            "machines": {
                name: {"taken": round(self.taken(name), 4), "missed": self.missed(name), "rows": rows}
                for name, rows in sorted(self.rows.items())
            },
        }


def _wider(extremes: tuple[float, float], value: float) -> tuple[float, float]:
    return min(extremes[0], value), max(extremes[1], value)
