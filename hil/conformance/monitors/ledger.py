"""Where monitors leave their findings: bounded per requirement, with a count of the further ones."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from hil.conformance.monitors.declarations import Monitor, monitors
from hil.conformance.verdict import Finding, Verdict
from hil.units import Instant, Span, show_span

SIDES = ("charger", "bms")
_KEEP = {Verdict.FAIL: 10, Verdict.INCONCLUSIVE: 1}

Text = str | Callable[[], str]
"""Words, or what makes them: most findings of a bad recording are only counted."""


class Tally(msgspec.Struct):
    """How often one side deviated from one requirement, and when last."""

    requirement: str
    side: str
    verdict: Verdict
    count: int = 0
    last: Instant = 0


class Ledger:
    """Takes deviations and judges spans within the clock's resolution."""

    def __init__(self, resolution: Span, sides: Collection[str]) -> None:
        self.resolution = resolution
        self._sides = frozenset(sides)
        self._monitors = monitors()
        self._tallies: dict[tuple[str, str, Verdict], Tally] = {}
        self._new: list[Finding] = []

    def add(
        self, name: str, side: str, at: Instant, expected: Text, seen: Text, verdict: Verdict = Verdict.FAIL
    ) -> None:
        """A deviation of ``side`` from the monitor ``MON/name``."""
        if side not in self._sides:
            return
        monitor = self._monitors[f"MON/{name}"]
        tally = self._tallies.get((monitor.id, side, verdict))
        if tally is None:
            tally = self._tallies[monitor.id, side, verdict] = Tally(monitor.id, side, verdict)
        tally.count += 1
        tally.last = at
        if tally.count <= _KEEP[verdict]:
            self._new.append(_finding(monitor, side, at, _text(expected), _text(seen), verdict))

    def span(self, name: str, side: str, at: Instant, span: Span, low: Span, high: Span, what: str) -> None:
        """``what`` took ``span``: outside the window it is a deviation, or undecidable within the resolution."""
        if low <= span <= high:
            return
        beyond = low - span if span < low else span - high
        verdict = Verdict.INCONCLUSIVE if beyond <= self.resolution else Verdict.FAIL
        self.add(name, side, at, lambda: f"{what} {_window(low, high)}", lambda: self._seen(span, verdict), verdict)

    def _seen(self, span: Span, verdict: Verdict) -> str:
        if verdict is Verdict.FAIL:
            return show_span(span)
        return f"{show_span(span)}, give or take {show_span(self.resolution)}"

    def take(self) -> list[Finding]:
        """What was found since the last call."""
        new, self._new = self._new, []
        return new

    @property
    def tallies(self) -> list[Tally]:
        """How often each kind of deviation was seen."""
        return list(self._tallies.values())

    def summary(self) -> list[Finding]:
        """One finding for every requirement with more deviations than were kept one by one."""
        found = []
        for (identifier, side, verdict), tally in self._tallies.items():
            further = tally.count - _KEEP[verdict]
            if further > 0:
                seen = f"{further} further of this kind, the last one here"
                found.append(_finding(self._monitors[identifier], side, tally.last, "as above", seen, verdict))
        return found


def _text(text: Text) -> str:
    return text if isinstance(text, str) else text()


def _window(low: Span, high: Span) -> str:
    return f"within {show_span(high)}" if low <= 0 else f"in {show_span(low)} .. {show_span(high)}"


def _finding(monitor: Monitor, side: str, at: Instant, expected: str, seen: str, verdict: Verdict) -> Finding:
    return Finding(monitor.id, at, side, expected, seen, verdict, monitor.source, monitor.advisory)
