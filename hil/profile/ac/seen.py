"""What a session at an AC charging point was: signals over time, limits that were asked for, and what happened."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from hil.conformance.reading import least_of, most_of
from hil.plant.ac_signals import limit_of
from hil.profile.measured import PolledSignal
from hil.profile.seen import Signal
from hil.units import FAR, Instant
from hil.world.measured import KIND as MEASURED
from hil.world.observation import Note, Observation, Sample

_LEVELS = ((10.5, "A"), (7.5, "B"), (4.5, "C"), (1.5, "D"), (-1.5, "E"))
"""V from which a level shows a state: the middle of the gaps between the nominal levels (sheet pilot, 1)."""


@dataclass(frozen=True)
class Stretch:
    """A value that stood from ``begin`` to ``end``."""

    begin: Instant
    end: Instant
    value: float


@dataclass(frozen=True)
class Asked:
    """A limit in A that stood; None for silence, ``before`` for what was asked last."""

    begin: Instant
    end: Instant
    limit: float | None
    before: float | None


class AcSeen:
    """Sorted observations of one session; ``end`` is the last instant that was seen.

    ``measured`` are the signals that an instrument measures, of which the plant's own samples count nothing.
    """

    def __init__(
        self, observations: Iterable[Observation], end: Instant, measured: Mapping[str, Signal] | None = None
    ) -> None:
        self.end = end
        self._measured = dict(measured or {})
        self._instruments = {each.instrument for each in self._measured.values()}
        self.notes: list[Note] = []
        self._samples: dict[str, list[Sample]] = {}
        for each in observations:
            if isinstance(each, Sample):
                self._samples.setdefault(each.name, []).append(each)
            elif isinstance(each, Note):
                self.notes.append(each)

    # --- signals ----------------------------------------------------------------------------------

    def value(self, name: str, at: Instant) -> float:
        """A stepped signal at an instant; 0 before it was seen."""
        samples = self._samples.get(name, [])
        index = bisect_right(samples, at, key=_instant)
        return samples[index - 1].value if index else 0.0

    def by(self, name: str) -> str:
        """The instrument that measures a signal; empty where the plant itself is seen."""
        return self._measured[name].by if name in self._measured else ""

    def exceeds(self, name: str, level: float, begin: Instant, end: Instant) -> tuple[bool, bool]:
        """Whether a stepped signal was above a level from one of its instants to the next: for sure, and maybe."""
        signal = self._measured.get(name)
        if signal is None:
            above = self.value(name, begin) > level
            return above, above
        if not signal.polled:
            value = signal.reading(self.value(name, begin))
            return least_of(value) > level, most_of(value) > level
        least, most = signal.least(begin, end), signal.peak(begin, end)
        if least is None or most is None:
            return False, True
        return least > level, most > level

    def between(self, name: str, at: Instant) -> float | None:
        """A signal that runs straight between samples, at an instant; None behind the last sample."""
        if name in self._measured:
            return self._measured[name].held(at)
        samples = self._samples.get(name, [])
        index = bisect_right(samples, at, key=_instant)
        if not index or index == len(samples):
            return None
        before, after = samples[index - 1], samples[index]
        return before.value + (after.value - before.value) * (at - before.t) / (after.t - before.t)

    def stretches(self, name: str, begin: Instant = 0, end: Instant = FAR) -> Iterator[Stretch]:
        """What stood of a stepped signal, one after the other, cut to a span."""
        end = min(end, self.end)
        inside = [sample for sample in self._samples.get(name, []) if begin < sample.t < end]
        marks = [(begin, self.value(name, begin)), *((sample.t, sample.value) for sample in inside), (end, 0.0)]
        for (at, value), (until, _) in pairwise(marks):
            if until > at:
                yield Stretch(at, until, value)

    def when(self, *names: str) -> list[Instant]:
        """Every instant at which one of these signals changed, with the begin and the end."""
        instants = {t for name in names for t in self._instants(name)}
        return sorted({0, self.end, *(t for t in instants if t < self.end)})

    def _instants(self, name: str) -> Iterator[Instant]:
        signal = self._measured.get(name)
        if isinstance(signal, PolledSignal):
            yield from signal.asked
            yield from signal.times
        else:
            yield from (sample.t for sample in self._samples.get(name, []))

    def letter(self, at: Instant) -> str:
        """``A`` .. ``F`` as the pilot's level shows it."""
        level = self.value("cp_high", at)
        return next((letter for least, letter in _LEVELS if level >= least), "F")

    # --- orders -----------------------------------------------------------------------------------

    def limits(self) -> list[Asked]:
        """Limits that were asked for, as the plan's rules fired."""
        fired = [(note.t, limit_of(note.what)) for note in self.notes if note.kind == "stimulus"]
        marks = [(t, limit) for t, (known, limit) in fired if known]
        found: list[Asked] = []
        last: float | None = None
        for (t, limit), until in zip(marks, [*(t for t, _ in marks[1:]), self.end], strict=True):
            found.append(Asked(t, until, limit, last))
            last = last if limit is None else limit
        return found

    def happened(self) -> list[tuple[Instant, str]]:
        """Events of the profile, as they fired: when, and what (``leak``, ``leak ends``)."""
        marks = [(note.t, note.what.partition(": ")[2]) for note in self.notes if note.kind == "stimulus"]
        return [(t, what) for t, what in marks if what]

    def told(self, quantity: str) -> list[Note]:
        """Values that a client of the charger has read there, and no instrument of the rig has measured."""
        notes = [note for note in self.notes if note.kind == MEASURED and note.what == quantity]
        return [note for note in notes if note.details.get("by") not in self._instruments]


def _instant(sample: Sample) -> Instant:
    return sample.t
