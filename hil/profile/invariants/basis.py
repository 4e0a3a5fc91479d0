"""What invariants share: the session with its readings, tolerances of the catalogue, the worst of many values."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from hil.conformance.catalogue import Limit, limit
from hil.conformance.checks import judge
from hil.conformance.reading import Reading, least_of, most_of, told_of, verdict_of
from hil.conformance.verdict import Measurement, Verdict
from hil.profile.invariants.causes import Cause, causes
from hil.profile.invariants.tolerances import time_for, tolerance, voltage_tolerance
from hil.profile.seen import Charge, Demand, Entered, Seen, Signal
from hil.units import FAR, Instant, Span, s, seconds

CV = 1
_PASSES, _FAILS = Verdict.PASS.rank, Verdict.FAIL.rank

Unsure = Callable[[Instant], Span]
"""How unsure a span is that begins at an instant."""


class Context:
    """One session to judge.

    ``stamps`` is the uncertainty of a span between two frames of a line, ``unsure`` (by default the same) that of one
    that begins with what the bench did, or has to do with signals.
    """

    def __init__(self, seen: Seen, readings: Mapping[str, str], stamps: Span = 0, unsure: Unsure | None = None) -> None:
        self.seen = seen
        self.readings = readings
        self.stamped: Unsure = lambda start: stamps
        self.unsure: Unsure = unsure or self.stamped
        self.current: Signal = seen.signal("output_current")
        self.voltage: Signal = seen.signal("output_voltage")
        self._causes: dict[Instant, list[Cause]] = {}

    def under(self, limit: Limit) -> Limit:
        """A limit as the readings have it."""
        return limit.under(self.readings)

    @cached_property
    def most_current(self) -> float:
        """The lower of BCP's and CML's maximum in A; infinite before both are known."""
        bcp, cml = self.seen.latest("BCP"), self.seen.latest("CML")
        if bcp is None or cml is None:
            return float("inf")
        return min(-float(bcp.message.max_current), -float(cml.message.max_current))

    @cached_property
    def most_voltage(self) -> float:
        """The lower of BCP's and CML's maximum in V."""
        bcp, cml = self.seen.latest("BCP"), self.seen.latest("CML")
        if bcp is None or cml is None:
            return float("inf")
        return min(float(bcp.message.max_total_voltage), float(cml.message.max_voltage))

    @cached_property
    def least_current(self) -> float:
        """CML's minimum in A; 0 where none was told (2011 tells none)."""
        cml = self.seen.latest("CML")
        least = None if cml is None else getattr(cml.message, "min_current", None)
        return 0.0 if least is None else -float(least)

    @cached_property
    def failed_stage(self) -> bool:
        """The rig made the power stage exceed its set-point."""
        return any(note.kind == "stimulus" and note.what.startswith("over_voltage_fault") for note in self.seen.notes)

    @cached_property
    def pauses(self) -> list[tuple[Instant, Instant]]:
        """Stretches in which BSM forbade charging: from its first frame to the first that allows it."""
        found: list[tuple[Instant, Instant]] = []
        since: Instant | None = None
        for told in self.seen.all("BSM"):
            if told.message.charging_permission == 0:
                since = told.t if since is None else since
            elif since is not None:
                found.append((since, told.t))
                since = None
        return found if since is None else [*found, (since, FAR)]

    def asked(self, demand: Demand) -> float:
        """The current that a demand lets through at most: not below the charger's minimum.

        A demand of 0 is the register's (demand-zero).
        """
        if demand.current == 0.0 or demand.voltage == 0.0:
            return self.least_current if self.readings["demand-zero"] == "minimum-output" else 0.0
        return min(max(demand.current, self.least_current), self.most_current)

    @cached_property
    def _turns(self) -> list[Instant]:
        """Instants at which charges begin and end."""
        return sorted(t for charge in self.seen.charges for t in (charge.begin, charge.end))

    def same_state(self, begin: Instant, end: Instant) -> bool:
        """Whether no charge began or ended after ``begin`` and up to ``end``."""
        return bisect_right(self._turns, begin) == bisect_right(self._turns, end)

    def causes(self, charge: Charge) -> list[Cause]:
        """Everything that asked for the end of a charge, in order of time."""
        found = self._causes.get(charge.begin)
        if found is None:
            found = self._causes[charge.begin] = causes(self.seen, charge, self.overvoltage)
        return found

    @property
    def overvoltage(self) -> float | None:
        """V above which the output exceeds the vehicle's limit, where the rig made the power stage fail."""
        return self.most_voltage + voltage_tolerance(self.most_voltage) if self.failed_stage else None

    def cause(self, charge: Charge) -> Cause | None:
        """The first of them."""
        return next(iter(self.causes(charge)), None)

    def charges(self) -> Iterator[tuple[Charge, Instant]]:
        """Charges, each with the last instant before it ended, or before something asked for its end."""
        vehicle = self.seen.signal("k5k6_closed")
        for charge in self.seen.charges:
            first = self.cause(charge)
            opened = next((t for t, closed in vehicle.changes(charge.begin) if not closed), FAR)
            yield charge, min(charge.end, self.seen.end, opened, FAR if first is None else first.t) - 1

    def paused(self, begin: Instant, end: Instant) -> bool:
        """Whether the vehicle forbade charging meanwhile, or so shortly before that the output may still follow."""
        demand = self.seen.demand_at(begin)
        lately = limit("reaction").high + time_for(0.0 if demand is None else demand.current)
        return any(since < end and until + lately > begin for since, until in self.pauses)

    def voltage_rules(self, demand: Demand, begin: Instant, end: Instant) -> bool:
        """Whether the voltage came so near to a limit that the current may be lower than demanded."""
        volts = min(demand.voltage, self.most_voltage)
        peak = self.voltage.peak(begin, end)
        return peak is None or most_of(peak) >= volts - voltage_tolerance(volts)


def spent(since: Instant, came: Entered, end: Instant, *, slack: Span = 0) -> tuple[float, Instant]:
    """Seconds from an instant until a signal came into its range, or ``end``, and the instant that tells.

    A reading where an instrument leaves it open; ``slack`` is how unsure ``since`` is beside that.
    """
    at = end if came.last is None else came.last
    first = at if came.first is None else min(came.first, at)
    if first == at and not slack:
        return seconds(at - since), at
    width = seconds(at - first) / 2
    return Reading(seconds(at - since) - width, width + seconds(slack), came.by), at


class Worst:
    """Keeps the value that is nearest to its limit, or furthest beyond. Spans (in s) have an uncertainty.

    Of what an instrument has told, one that is inconclusive is worse than any that passes.
    """

    def __init__(self, name: str, unit: str, unsure: Unsure | None = None, *, among: str = "readings") -> None:
        self.name = name
        self.unit = unit
        self._unsure = unsure
        self._rank, self._over = 0, float("-inf")
        self._kept: tuple[float, float | None, float | None, Instant, str] | None = None
        self._among = among
        self._readings = 0

    def see(
        self, value: float, *, low: float | None = None, high: float | None = None, at: Instant, note: str = ""
    ) -> None:
        """One more value with one of its limits."""
        over = value - high if high is not None else low - value if low is not None else 0.0
        rank = _FAILS if over > 0 else _PASSES
        if isinstance(value, Reading):
            self._readings += not value.between
            rank = verdict_of(value, low, high).rank
        if rank > self._rank or (rank == self._rank and over > self._over):
            self._rank, self._over = rank, over
            self._kept = (value, low, high, at, note)

    def measurements(self) -> Iterator[Measurement]:
        """The worst one, judged; none where nothing was seen."""
        if self._kept is None:
            return
        value, low, high, at, note = self._kept
        more = 0.0 if self._unsure is None else seconds(self._unsure(at - s(most_of(value))))
        low, high = _rounded(low), _rounded(high)
        if isinstance(value, Reading):
            yield self._measured(value, low, high, at, note, more)
            return
        verdict = judge(round(value, 4), low, high, more)
        yield Measurement(self.name, round(value, 4), self.unit, low, high, verdict, at, note, more or None)

    def _measured(
        self, value: Reading, low: float | None, high: float | None, at: Instant, note: str, more: float
    ) -> Measurement:
        verdict = verdict_of(round(value, 4), low, high, more)
        parts = [note, told_of(value, self.unit)]
        parts += [f"among {self._readings} {self._among}"] if self._unsure is None and self._readings else []
        told = ", ".join(filter(None, parts))
        width = round(value.uncertainty + more, 6)
        return Measurement(self.name, round(float(value), 4), self.unit, low, high, verdict, at, told, width or None)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def missing(name: str, unit: str, high: Span, at: Instant) -> Measurement:
    """Something that had to come within a span and never did."""
    return Measurement(name, None, unit, None, seconds(high), Verdict.FAIL, at, "never came")


def deviation(name: str, seen: str, expected: str, at: Instant) -> Measurement:
    """Something told that does not fit."""
    return Measurement(name, seen, "", None, None, Verdict.FAIL, at, f"expected {expected}")


__all__ = [
    "CV",
    "FAR",
    "Context",
    "Worst",
    "deviation",
    "least_of",
    "missing",
    "most_of",
    "spent",
    "time_for",
    "tolerance",
    "voltage_tolerance",
]
