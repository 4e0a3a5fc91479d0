"""Signals that an instrument measures: readings with their uncertainty, and how sure an instant is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from math import isfinite
from typing import Generic

from hil.bench.core import Core, RecordT
from hil.bench.instruments import Bound, Instruments
from hil.bench.judge import Inconclusive, Latest
from hil.conformance.catalogue import Limit
from hil.conformance.checks import check_window
from hil.conformance.reading import Reading
from hil.conformance.verdict import Measurement, Verdict
from hil.rig.instruments import InstrumentClaim
from hil.units import Instant, Span, s, seconds, show_instant, show_span
from hil.world.measured import KIND
from hil.world.plan import OnNote

_PATIENCE: Span = s(3)
"""For a reading; an instrument that is silent for so long tells nothing."""
_NONE = Instruments()


class MeasuredChecks(Core[RecordT], Generic[RecordT]):
    """The part of a bench that knows instruments."""

    instruments = _NONE

    def measure_with(self, claims: Iterable[InstrumentClaim]) -> None:
        """Judge the signals that these instruments measure by what they tell; to be said before anything happens."""
        self.instruments = Instruments(claims, self.signals)
        self.record.measure_with(self.instruments)

    def seen_by(self, name: str) -> str:
        """Who alone shows a signal and how often, for the reason of a case; empty where the bench sees it itself."""
        bound = self._polled(name)
        return "" if bound is None else f", by {bound.claim.identity}, asked every {show_span(bound.claim.poll)}"

    def _polled(self, name: str) -> Bound | None:
        """The instrument of a signal, where it is one that is asked."""
        bound = self.instruments.bound.get(name)
        return bound if bound is not None and bound.polled else None

    def _told_by(self, bound: Bound, at: Instant) -> Reading:
        """What an instrument tells of an instant: the readings before and after it, and how much they differ."""
        name = bound.signal.name
        asked = self.instruments.asked[name]
        self._await_reading(bound, at)
        samples = self.record.samples(name)
        after = bisect_left(asked, at)
        before = [sample for sample in samples[: after + 1] if sample.t <= at]
        if after >= len(samples) and (not before or at - before[-1].t > _PATIENCE):
            raise Inconclusive(f"{bound.claim.name} has told no {bound.quantity} around {show_instant(at)}")
        first = before[-1] if before else samples[after]
        last = samples[after] if after < len(samples) else first
        middle, spread = (first.value + last.value) / 2, abs(last.value - first.value) / 2
        return bound.reading(middle, spread)

    def _told_before(self, bound: Bound, at: Instant) -> Reading:
        """What an instrument has told last before an instant, and how far it moves up to then at its pace before."""
        self.until(at)
        samples = self.record.samples(bound.signal.name, until=at)
        if not samples or at - samples[-1].t > _PATIENCE:
            raise Inconclusive(f"{bound.claim.name} has told no {bound.quantity} before {show_instant(at)}")
        last, before = samples[-1], samples[-2:][0]
        asked = self.instruments.asked[bound.signal.name][: len(samples)]
        since, apart = at - asked[-1], asked[-1] - asked[-2:][0]
        return bound.reading(last.value, abs(last.value - before.value) * since / apart if apart else 0.0)

    def _told_at_begin(self, bound: Bound, at: Instant) -> Reading:
        """What the readings around an instant allow of it: nobody has looked just then."""
        told = self._told_by(bound, at)
        return Reading(float(told), told.uncertainty, told.by, between=True)

    def _await_reading(self, bound: Bound, at: Instant) -> None:
        """Let time pass until a reading is there that was asked for at an instant or later."""
        asked = self.instruments.asked[bound.signal.name]
        self.record.sort()
        while not (asked and asked[-1] >= at) and self.now < at + _PATIENCE:
            self._advance(at + _PATIENCE, OnNote(KIND, bound.quantity))
            self.record.sort()

    def _told_between(self, bound: Bound, after: Instant, until: Instant) -> list[Reading]:
        """Readings that were asked for and told between two instants; the one of the end where there are none."""
        self.until(until)
        self.record.sort()
        asked = self.instruments.asked[bound.signal.name]
        samples = self.record.samples(bound.signal.name)
        inside = [
            sample.value for begun, sample in zip(asked, samples, strict=True) if begun >= after and sample.t <= until
        ]
        count = len(inside)
        return [bound.reading(value, among=count) for value in inside] or [self._told_by(bound, until)]

    def bracket(
        self, bound: Bound, low: float, high: float, start: Instant, until: Instant
    ) -> tuple[Instant | None, Instant | None]:
        """When a signal came into a range at the earliest and at the latest; None where it may never have.

        Time passes up to then, or up to ``until``.
        """
        self.until(min(start, until))
        while True:
            found = self._bracket(bound, low, high, start)
            if found[1] is not None or self.now >= until:
                return found
            self._advance(until, OnNote(KIND, bound.quantity))

    def _bracket(self, bound: Bound, low: float, high: float, start: Instant) -> tuple[Instant | None, Instant | None]:
        self.record.sort()
        asked = self.instruments.asked[bound.signal.name]
        samples = self.record.samples(bound.signal.name)
        wide, narrow = _band(low, high, bound)
        earliest: Instant | None = None
        before = start
        for index in range(bisect_left(asked, start), len(samples)):
            value = samples[index].value
            if earliest is None and _inside(value, wide):
                earliest = before
            if _inside(value, narrow):
                return earliest, samples[index].t
            if not _inside(value, wide):
                earliest = None
            before = asked[index]
        return earliest, None

    def judge_bracket(
        self, label: str, found: tuple[Instant | None, Instant | None], start: Instant, within: Limit, bound: Bound
    ) -> Instant | None:
        """Judge when a signal came into a range: inconclusive where the readings leave it open."""
        earliest, latest = found
        if latest is None:
            missing = self.missing(label, within, start)
            if earliest is not None:
                note = f"within the uncertainty of {bound.claim.identity}"
                missing = Measurement(label, None, "s", missing.low, missing.high, Verdict.INCONCLUSIVE, earliest, note)
            self.judge.add(missing)
            return None
        assert earliest is not None, "the narrow range lies in the wide one"
        unsure = self.judge.unsure(start, signal=True)
        both = [check_window(label, each - start, within, unsure, at=latest) for each in (earliest, latest)]
        around = earliest - start < within.low and latest - start > within.high
        sure = both[0].verdict is both[1].verdict and not around
        verdict = both[0].verdict if sure else Verdict.INCONCLUSIVE
        width = seconds(latest - earliest)
        either = seconds(latest - earliest + unsure) or None
        note = f"at most {width:.3g} s earlier, by {bound.claim.identity}"
        told = both[1]
        self.judge.add(Measurement(label, told.value, told.unit, told.low, told.high, verdict, latest, note, either))
        return Latest(latest, earliest)


def _band(low: float, high: float, bound: Bound) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where a reading may mean that the value is in a range, and where it does for sure.

    The end of what the signal can be is no limit: of 0 to 50 V only the 50 V are.
    """
    low = low if low > bound.signal.low else float("-inf")
    high = high if high < bound.signal.high else float("inf")
    around = [bound.uncertainty.of(each) if isfinite(each) else 0.0 for each in (low, high)]
    return (low - around[0], high + around[1]), (low + around[0], high - around[1])


def _inside(value: float, band: tuple[float, float]) -> bool:
    return band[0] <= value <= band[1]
