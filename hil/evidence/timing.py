"""How true the bench itself was: the clocks of its ports, and how late its own frames left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from hil.transport.ledger import Ledger
from hil.units import s, show_span
from hil.world.observation import Note, Observation, Sent


class Timing(msgspec.Struct, frozen=True):
    """Of one run, or of all; empty on a virtual bench, whose clock is exact and which is never late."""

    clocks: Sequence[tuple[str, str]] = ()
    """Port, and its clock in words."""
    summary: str = ""
    classes: Sequence[tuple[str, int, float]] = ()
    """Of the histogram: name, number of frames, percent."""


class Timings:
    """Takes the observations of runs, one after the other."""

    def __init__(self) -> None:
        self._ledger = Ledger()
        self._clocks: dict[str, str] = {}

    def feed(self, observations: Iterable[Observation]) -> None:
        """Take in one run."""
        sent = []
        for seen in observations:
            if type(seen) is Sent:
                sent.append(seen)
            elif type(seen) is Note and seen.kind == "clock":
                self._clocks[seen.what] = _words(seen)
        self._ledger.feed(sent)

    def timing(self) -> Timing:
        """What it came to."""
        count = self._ledger.count
        if not count:
            return Timing(list(self._clocks.items()))
        classes = [(name, number, 100 * number / count) for name, number in self._ledger.histogram().items()]
        return Timing(list(self._clocks.items()), self._ledger.summary(), classes)


def timing_of(observations: Iterable[Observation]) -> Timing:
    """Of one run."""
    timings = Timings()
    timings.feed(observations)
    return timings.timing()


def _words(note: Note) -> str:
    uncertainty = show_span(s(float(note.details.get("uncertainty_s", 0))))
    return f"{note.details.get('kind', '')} clock, ± {uncertainty}"
