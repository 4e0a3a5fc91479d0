"""What a bench of any kind has seen: the observations, and samples, bytes and notes among them."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

from hil.units import Instant
from hil.world.observation import BytesSeen, LineSeen, Note, Observation, Sample

_Seen = TypeVar("_Seen")


class Measures(Protocol):
    """Instruments whose notes take the place of the plant's own samples (:mod:`hil.bench.instruments`)."""

    def hides(self, sample: Sample, /) -> bool:
        """Whether the judge must not know a sample."""

    def sample_of(self, note: Note, /) -> Sample | None:
        """The sample that a note is; None for other notes."""


class Index:
    """The observations by kind and name; ``taken`` of them so far."""

    def __init__(self) -> None:
        self.taken = 0
        self.measures: Measures | None = None
        self.samples: dict[str, list[Sample]] = {}
        self.bytes_by_line: dict[str, list[BytesSeen]] = {}
        self.lines: list[LineSeen] = []

    def take(self, observations: Iterable[Observation]) -> None:
        """Sort in what came."""
        for observation in observations:
            self.taken += 1
            if isinstance(observation, Sample):
                if self.measures is None or not self.measures.hides(observation):
                    self.samples.setdefault(observation.name, []).append(observation)
            elif self.measures is not None and type(observation) is Note:
                sample = self.measures.sample_of(observation)
                if sample is not None:
                    self.samples.setdefault(sample.name, []).append(sample)
            else:
                self.take_other(observation)

    def take_other(self, observation: Observation) -> None:
        """Sort in what is no sample."""
        if isinstance(observation, BytesSeen):
            # On a live line an answer may be seen before the request's last byte is reckoned to have left.
            insort(self.bytes_by_line.setdefault(observation.port, []), observation, key=instant)
        elif isinstance(observation, LineSeen):
            self.lines.append(observation)


class StreamRecord:
    """Grows with every reply of the world; never forgets. What came is sorted when something is asked."""

    def __init__(self, index: Index | None = None) -> None:
        self.observations: list[Observation] = []
        self.notes: list[Note] = []
        self._index = Index() if index is None else index

    def add(self, observations: Sequence[Observation]) -> None:
        """Take in what a reply brought."""
        self.observations += observations
        self.notes += [observation for observation in observations if type(observation) is Note]

    def measure_with(self, measures: Measures) -> None:
        """From the beginning, let instruments tell the signals that they measure."""
        self._index.measures = measures

    def sort(self) -> None:
        """Sort in what came since something was last asked."""
        index = self._index
        if index.taken < len(self.observations):
            index.take(self.observations[index.taken :])

    def samples_around(self, name: str, at: Instant) -> tuple[Sample | None, Sample | None]:
        """The signal's latest sample at or before an instant, and the first one after it."""
        self.sort()
        seen = self._index.samples.get(name, [])
        index = bisect_right(seen, at, key=instant)
        return (seen[index - 1] if index else None), (seen[index] if index < len(seen) else None)

    def samples(self, name: str, after: Instant = -1, until: Instant | None = None) -> list[Sample]:
        """Samples of a signal with ``after < t <= until``."""
        self.sort()
        return between(self._index.samples.get(name, []), after, until)

    def value(self, name: str, at: Instant | None = None) -> float | None:
        """The signal's latest sample at or before an instant; None before the first one."""
        self.sort()
        seen = self._index.samples.get(name, [])
        index = len(seen) if at is None else bisect_right(seen, at, key=instant)
        return seen[index - 1].value if index else None

    def fired(self, kind: str, what: str) -> bool:
        """Whether a note of that kind and text is there: the proof of firing."""
        return any(note.kind == kind and note.what == what for note in self.notes)

    def bytes_on(
        self, line: str, after: Instant = -1, until: Instant | None = None, *, sender: str = ""
    ) -> list[BytesSeen]:
        """Chunks of bytes on a line with ``after < t <= until``, of one sender or of all."""
        self.sort()
        seen = between(self._index.bytes_by_line.get(line, []), after, until)
        return [each for each in seen if not sender or each.sender == sender]

    def heard_on(
        self, line: str, after: Instant = -1, until: Instant | None = None, *, but: tuple[str, ...]
    ) -> list[BytesSeen]:
        """Chunks of bytes on a line with ``after < t <= until`` of anybody but these nodes of the bench.

        So a case finds what the DUT sent on any line: a live port tells no sender.
        """
        return [each for each in self.bytes_on(line, after, until) if each.sender not in but]

    def changes_of(self, line: str, after: Instant = -1, until: Instant | None = None) -> list[LineSeen]:
        """Connections opened, closed, reset or refused on a line with ``after < t <= until``."""
        self.sort()
        return [each for each in between(self._index.lines, after, until) if each.port == line]


def between(seen: list[_Seen], after: Instant, until: Instant | None) -> list[_Seen]:
    """Those of a list in order of time with ``after < t <= until``."""
    first = bisect_right(seen, after, key=instant)
    last = len(seen) if until is None else bisect_right(seen, until, key=instant)
    return seen[first:last]


def instant(seen: Any) -> Instant:
    """When something was seen."""
    at: Instant = seen.t
    return at
