"""What both sides sent, on one axis: stretched so that seconds of a handshake show beside hours of charging."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import sqrt

import msgspec

from hil.conformance.monitors import Run
from hil.units import SECOND, Instant

PHASES = {
    "CHM": "handshake",
    "BHM": "handshake",
    "CRM00": "identification",
    "CRMAA": "identification",
    "BRM": "identification",
    "CML": "configuration",
    "BCP": "configuration",
    "BRO00": "configuration",
    "BROAA": "configuration",
    "CRO00": "configuration",
    "CROAA": "configuration",
    "CCS": "charging",
    "BCL": "charging",
    "CST": "stop",
    "BST": "stop",
    "CSD": "end",
    "BSD": "end",
    "CEM": "error",
    "BEM": "error",
}
"""State of either side to the phase of sheet 4.1."""
_PAUSE = SECOND
"""A side that sends nothing for longer is shown as silent."""
_MOST = 400
_BRIEF = SECOND // 5
"""A side that is silent for less is not said to be."""
_LEAST_SHARE = 0.012
SIDES = {"charger": "charger", "bms": "vehicle"}
"""What each side is called where people read."""
LANES = tuple(SIDES)


class Piece(msgspec.Struct, frozen=True):
    """A stretch of time in which neither side changed. ``left`` and ``right`` lie in 0..1 of the axis."""

    start: Instant
    end: Instant
    states: dict[str, str]
    """Side to what it sent; a silent side is missing."""
    left: float
    right: float

    @property
    def phase(self) -> str:
        """Phase of the session: an error of either side first, then the charger's, then the vehicle's."""
        phases = [PHASES.get(self.states.get(side, ""), "") for side in LANES]
        return "error" if "error" in phases else next((phase for phase in phases if phase), "silence")


def pieces(runs: Sequence[Run], end: Instant) -> list[Piece]:
    """The stretches of a log that ended at ``end``; the first 400."""
    lanes = {side: [run for run in runs if run.side == side] for side in LANES}
    spans = [span for lane in lanes.values() for span in _spans(lane, end)]
    marks = sorted({mark for start, stop, _ in spans for mark in (start, stop)})[: _MOST + 1]
    if len(marks) < 2:
        return []
    weights = [sqrt(after - before) for before, after in pairwise(marks)]
    least = _LEAST_SHARE * sum(weights)
    weights = [max(weight, least) for weight in weights]
    total, place, found = sum(weights), 0.0, []
    states = {side: _States(_spans(lane, end)) for side, lane in lanes.items()}
    for weight, (start, stop) in zip(weights, pairwise(marks), strict=True):
        now = {side: name for side in LANES if (name := states[side].at(start))}
        found.append(Piece(start, stop, now, place / total, (place + weight) / total))
        place += weight
    return found


class _States:
    """Answers in order of time what one side was sending."""

    def __init__(self, spans: Iterable[tuple[Instant, Instant, str]]) -> None:
        self._spans = list(spans)
        self._index = 0

    def at(self, t: Instant) -> str:
        while self._index < len(self._spans) and self._spans[self._index][1] <= t:
            self._index += 1
        if self._index < len(self._spans) and self._spans[self._index][0] <= t:
            return self._spans[self._index][2]
        return ""


def _spans(lane: Sequence[Run], end: Instant) -> list[tuple[Instant, Instant, str]]:
    """Start, end and state; a run goes on to the next one unless a pause lies between."""
    spans = []
    for index, run in enumerate(lane):
        following = lane[index + 1].start if index + 1 < len(lane) else end
        stop = following if 0 <= following - run.end <= _PAUSE else run.end
        if stop > run.start:
            spans.append((run.start, stop, run.state))
    return spans


class Stretch(msgspec.Struct):
    """Neighbouring pieces of one phase, with all that each side sent in it."""

    start: Instant
    end: Instant
    phase: str
    silent: frozenset[str]
    sends: dict[str, list[str]]


def stretches(found: Sequence[Piece]) -> list[Stretch]:
    """The phases of a log; where a side is silent for a while, a phase is told in parts."""
    joined: list[Stretch] = []
    for piece in found:
        silent = frozenset(LANES) - set(piece.states)
        last = joined[-1] if joined else None
        brief = piece.end - piece.start < _BRIEF
        if last is None or last.phase != piece.phase or (last.silent != silent and not brief):
            if last is not None and last.phase == piece.phase and last.end - last.start < _BRIEF:
                last.silent = silent
            else:
                last = Stretch(piece.start, piece.end, piece.phase, silent, {side: [] for side in LANES})
                joined.append(last)
        last.end = piece.end
        for side, state in piece.states.items():
            if state not in last.sends[side]:
                last.sends[side].append(state)
    return joined


def bars(found: Sequence[Piece], side: str) -> list[tuple[float, float, str, Instant, Instant]]:
    """Left, right, state, start and end of what one side sent, neighbours of one state joined."""
    joined: list[tuple[float, float, str, Instant, Instant]] = []
    for piece in found:
        state = piece.states.get(side, "")
        if joined and joined[-1][2] == state:
            left, _, _, start, _ = joined[-1]
            joined[-1] = (left, piece.right, state, start, piece.end)
        else:
            joined.append((piece.left, piece.right, state, piece.start, piece.end))
    return [bar for bar in joined if bar[2]]


def as_text(found: Sequence[Piece], width: int) -> list[str]:
    """A line a side of ``width`` characters: ``|CHM----|CRM``, cut where there is no room."""
    lines = []
    for side in LANES if found else ():
        cells = [" "] * (width - 8)
        for left, right, state, _, _ in bars(found, side):
            first = int(left * len(cells))
            room = max(int(right * len(cells)) - first, 1)
            cells[first : first + room] = f"|{state}"[:room].ljust(room, "-")
        lines.append(f"{SIDES[side]:8}{''.join(cells)}".rstrip())
    return lines
