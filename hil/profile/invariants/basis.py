"""What invariants share: the session with its readings, tolerances of the catalogue, the worst of many values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from hil.conformance.catalogue import Limit, adjustment_time, quantity
from hil.conformance.checks import judge
from hil.conformance.verdict import Measurement, Verdict
from hil.profile.seen import Charge, Demand, Seen, Signal
from hil.units import FAR, Instant, Span, seconds

SMALL_CURRENT = 30.0
"""Below this demand in A the control error is absolute (sheet 4.9)."""
CV = 1


class Context:
    """One session to judge. ``uncertainty`` is that of the clock."""

    def __init__(self, seen: Seen, readings: Mapping[str, str], uncertainty: Span = 0) -> None:
        self.seen = seen
        self.readings = readings
        self.uncertainty = uncertainty
        self.current: Signal = seen.signal("output_current")
        self.voltage: Signal = seen.signal("output_voltage")

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

    def asked(self, demand: Demand) -> float:
        """The current that a demand lets through at most: not below the charger's minimum.

        A demand of 0 is the register's (demand-zero).
        """
        if demand.current == 0.0 or demand.voltage == 0.0:
            return self.least_current if self.readings["demand-zero"] == "minimum-output" else 0.0
        return min(max(demand.current, self.least_current), self.most_current)

    def charges(self) -> Iterator[tuple[Charge, Instant]]:
        """Charges, each with the instant up to which it is judged."""
        for charge in self.seen.charges:
            yield charge, min(charge.end, self.seen.end)


def tolerance(current: float) -> float:
    """Width of the control error in A of a demand (sheet 4.9)."""
    if current < SMALL_CURRENT:
        return quantity("current-error-small").most
    return quantity("current-error").most / 100 * current


def voltage_tolerance(voltage: float) -> float:
    """Width of the control error in V of a demand (sheet 4.9)."""
    return quantity("voltage-error").most / 100 * voltage


def time_for(difference: float) -> Span:
    """Adjustment time of a difference in A."""
    return adjustment_time(difference).high


class Worst:
    """Keeps the value that is nearest to its limit, or furthest beyond."""

    def __init__(self, name: str, unit: str, uncertainty: float = 0.0) -> None:
        self.name = name
        self.unit = unit
        self._uncertainty = uncertainty
        self._margin = float("-inf")
        self._kept: tuple[float, float | None, float | None, Instant, str] | None = None

    def see(
        self, value: float, *, low: float | None = None, high: float | None = None, at: Instant, note: str = ""
    ) -> None:
        """One more value with its limits."""
        beyond = max(
            float("-inf") if high is None else value - high,
            float("-inf") if low is None else low - value,
        )
        if beyond > self._margin:
            self._margin = beyond
            self._kept = (value, low, high, at, note)

    def measurements(self) -> Iterator[Measurement]:
        """The worst one, judged; none where nothing was seen."""
        if self._kept is None:
            return
        value, low, high, at, note = self._kept
        verdict = judge(round(value, 4), _rounded(low), _rounded(high), self._uncertainty)
        yield Measurement(self.name, round(value, 4), self.unit, _rounded(low), _rounded(high), verdict, at, note)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def missing(name: str, unit: str, high: Span, at: Instant) -> Measurement:
    """Something that had to come within a span and never did."""
    return Measurement(name, None, unit, None, seconds(high), Verdict.FAIL, at, "never came")


__all__ = ["CV", "FAR", "Context", "Worst", "missing", "time_for", "tolerance", "voltage_tolerance"]
