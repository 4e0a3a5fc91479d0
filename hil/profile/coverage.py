"""What load profiles have reached: ranges of the demand, phases, events by phase, rows of both machines' tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from hil.errors import UsageError
from hil.profile.files import write
from hil.profile.model import LoadProfile
from hil.world.observation import Note, Observation

FOLDER = "coverage"
"""Where statistics lie, in a folder of profiles or in a report: apart from files that are profiles."""
Range = tuple[float, float] | None


class Machine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows of the table of one machine."""

    taken: float
    """Share of its rows that were taken at all, 0 .. 1."""
    missed: list[str]
    rows: dict[str, int]
    """In how many sessions each was taken."""


class Statistics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: everything that a number of profiles has reached. Ranges are null where there were none."""

    format: Literal["hil-profile-coverage"]
    version: Literal[1]
    profiles: int
    sessions: int
    """Of these profiles, those that were replayed: only they have phases and rows."""
    segments: int
    ramps: int
    current: Range = msgspec.field(name="current_a")
    voltage: Range = msgspec.field(name="voltage_v")
    duration: Range = msgspec.field(name="duration_s")
    modes: dict[str, int]
    events: dict[str, int]
    """Events that the profiles have, by kind."""
    phases: dict[str, int]
    """Sessions that went through each state of the vehicle."""
    events_by_phase: dict[str, dict[str, int]]
    """Events that happened, by the state of the vehicle and by kind."""
    machines: dict[str, Machine]


class Coverage:
    """Grows with every profile and what was observed of it."""

    def __init__(self) -> None:
        self.profiles = 0
        self.sessions = 0
        self.segments = 0
        self.ramps = 0
        self.current: Range = None
        """Least and greatest A demanded."""
        self.voltage: Range = None
        self.duration: Range = None
        self.modes: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.phases: Counter[str] = Counter()
        """States of the vehicle that sessions have been through."""
        self.events_by_phase: dict[str, Counter[str]] = {}
        self.rows: dict[str, dict[str, int]] = {}
        """By machine: rows of its table, and in how many profiles each was taken."""

    def add(self, profile: LoadProfile, observations: Iterable[Observation] = ()) -> None:
        """One more profile, and what was seen of it; notes are enough."""
        self.profiles += 1
        for segment in profile.segments:
            self.segments += 1
            self.current = _wider(self.current, (segment.current, segment.current))
            self.voltage = _wider(self.voltage, (segment.voltage, segment.voltage))
            self.duration = _wider(self.duration, (segment.duration, segment.duration))
            self.modes[segment.mode] += 1
            self.ramps += segment.ramp
            self.events.update(str(event.__struct_config__.tag) for event in segment.events)
        self.events.update(str(event.__struct_config__.tag) for event in profile.before)
        notes = [each for each in observations if type(each) is Note]
        self.sessions += bool(notes)
        self._follow(notes)

    def _follow(self, notes: Iterable[Note]) -> None:
        """The phases of one session, and what happened in which."""
        state = "idle"
        states: set[str] = set()
        for note in notes:
            if note.kind == "vehicle":
                state = note.what
                states.add(state)
            elif note.kind == "stimulus" and (kind := _kind_of(note.what)):
                self.events_by_phase.setdefault(state, Counter())[kind] += 1
            elif note.kind == "coverage":
                self._take(note.what, note.details)
        self.phases.update(states)

    def _take(self, machine: str, details: Mapping[str, Any]) -> None:
        rows = self.rows.setdefault(machine, dict.fromkeys(details, 0))
        for row, taken in details.items():
            rows[row] += int(taken)

    def merge(self, other: Statistics) -> None:
        """Add what a file tells."""
        self.profiles += other.profiles
        self.sessions += other.sessions
        self.segments += other.segments
        self.ramps += other.ramps
        self.current = _wider(self.current, other.current)
        self.voltage = _wider(self.voltage, other.voltage)
        self.duration = _wider(self.duration, other.duration)
        self.modes.update(other.modes)
        self.events.update(other.events)
        self.phases.update(other.phases)
        for phase, events in other.events_by_phase.items():
            self.events_by_phase.setdefault(phase, Counter()).update(events)
        for name, machine in other.machines.items():
            rows = self.rows.setdefault(name, dict.fromkeys(machine.rows, 0))
            for row, count in machine.rows.items():
                rows[row] = rows.get(row, 0) + count

    def taken(self, machine: str) -> float:
        """Share of a machine's rows that were taken at all."""
        rows = self.rows.get(machine, {})
        return sum(count > 0 for count in rows.values()) / len(rows) if rows else 0.0

    def missed(self, machine: str) -> list[str]:
        """Rows of a machine that no profile has taken."""
        return [row for row, count in self.rows.get(machine, {}).items() if not count]

    def statistics(self) -> Statistics:
        """Everything as a plain value, for a file."""
        return Statistics(
            format="hil-profile-coverage",
            version=1,
            profiles=self.profiles,
            sessions=self.sessions,
            segments=self.segments,
            ramps=self.ramps,
            current=self.current,
            voltage=self.voltage,
            duration=self.duration,
            modes=dict(sorted(self.modes.items())),
            events=dict(sorted(self.events.items())),
            phases=dict(sorted(self.phases.items())),
            events_by_phase={phase: dict(sorted(each.items())) for phase, each in sorted(self.events_by_phase.items())},
            machines={
                name: Machine(taken=round(self.taken(name), 4), missed=self.missed(name), rows=rows)
                for name, rows in sorted(self.rows.items())
            },
        )

    def summary(self) -> Iterator[tuple[str, str]]:
        """What it comes to, in a few lines: names and texts."""
        yield "profiles", f"{self.profiles}, {self.sessions} replayed; {self.segments} segments, {self.ramps} ramps"
        yield "demand", f"{_show(self.current, 'A')}, {_show(self.voltage, 'V')}, held {_show(self.duration, 's')}"
        yield "modes", _counts(self.modes)
        yield "events", _counts(self.events)
        if self.sessions:
            yield "phases", _counts(self.phases)
            by_phase = (f"{phase}: {_counts(each)}" for phase, each in sorted(self.events_by_phase.items()))
            yield "events by phase", "; ".join(by_phase) or "none"
        for name, rows in sorted(self.rows.items()):
            count = len(rows) - len(self.missed(name))
            yield f"transitions of the {name}", f"{count} of {len(rows)} ({100 * self.taken(name):.0f} %)"


def _kind_of(rule: str) -> str:
    """The kind of event that a rule of a profile's plan carries out; empty for its end, and for other rules."""
    place, colon, kind = rule.rpartition(": ")
    is_event = colon and (place.startswith("before[") or ".events[" in place)
    return kind if is_event and not kind.endswith(" ends") else ""


def _wider(one: Range, other: Range) -> Range:
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), max(one[1], other[1])


def _show(extremes: Range, unit: str) -> str:
    return "none" if extremes is None else f"{extremes[0]:g} .. {extremes[1]:g} {unit}"


def _counts(counted: Mapping[str, int]) -> str:
    ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{name} {count}" for name, count in ordered) or "none"


# --- files ------------------------------------------------------------------------------------------


def save_coverage(coverage: Coverage, path: Path) -> None:
    """Write statistics as JSON; :class:`hil.errors.HilError` when the disk refuses."""
    write(path, msgspec.json.format(msgspec.json.encode(coverage.statistics()), indent=2).decode() + "\n")


def load_coverage(path: Path) -> Statistics:
    """The statistics in a file; :class:`UsageError` naming the file and the reason for what is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Statistics)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except msgspec.DecodeError as error:
        raise UsageError(f"{path}: {error}") from error


def coverage_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of such a file."""
    derived: dict[str, Any] = msgspec.json.schema(Statistics)
    definitions = derived["$defs"]
    root = definitions.pop("Statistics")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Coverage of load profiles of hil, version 1",
        **root,
        "$defs": definitions,
    }
