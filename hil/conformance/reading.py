"""A measured value that knows how sure it is: arithmetic carries the uncertainty along to the check."""

from __future__ import annotations

from typing import SupportsIndex, TypeVar

from hil.conformance.checks import judge
from hil.conformance.verdict import Verdict

T = TypeVar("T")


class Reading(float):
    """A number with the half width of the band in which the true value lies, in its unit, and who measured it.

    Sums and products with exact numbers scale the band; of two readings the bands add up. A product of two readings
    takes the bands to be small. Comparisons and everything else see the number alone.
    """

    uncertainty: float
    by: str
    between: bool
    """Nobody has looked: it is what the readings before and after allow. It may acquit, and convicts nobody."""

    def __new__(cls, value: float, uncertainty: float, by: str, *, between: bool = False) -> Reading:
        """``value`` and its band; ``by`` names instrument, serial number and calibration date."""
        made = super().__new__(cls, value)
        made.uncertainty = uncertainty
        made.by = by
        made.between = between
        return made

    def _with(self, value: float, uncertainty: float, other: object = None) -> Reading:
        by = other.by if isinstance(other, Reading) and not self.by else self.by
        between = self.between or (isinstance(other, Reading) and other.between)
        return Reading(value, uncertainty, by, between=between)

    def __add__(self, other: float) -> Reading:
        """The sum."""
        return self._with(float(self) + float(other), self.uncertainty + uncertainty_of(other), other)

    __radd__ = __add__

    def __sub__(self, other: float) -> Reading:
        """The difference."""
        return self._with(float(self) - float(other), self.uncertainty + uncertainty_of(other), other)

    def __rsub__(self, other: float) -> Reading:
        """The difference."""
        return self._with(float(other) - float(self), self.uncertainty + uncertainty_of(other), other)

    def __mul__(self, other: float) -> Reading:
        """The product."""
        width = self.uncertainty * abs(float(other)) + uncertainty_of(other) * abs(float(self))
        return self._with(float(self) * float(other), width, other)

    __rmul__ = __mul__

    def __truediv__(self, other: float) -> Reading:
        """The quotient."""
        quotient = float(self) / float(other)
        width = (self.uncertainty + abs(quotient) * uncertainty_of(other)) / abs(float(other))
        return self._with(quotient, width, other)

    def __neg__(self) -> Reading:
        """The opposite."""
        return self._with(-float(self), self.uncertainty)

    def __abs__(self) -> Reading:
        """The magnitude."""
        return self._with(abs(float(self)), self.uncertainty)

    def __round__(self, digits: SupportsIndex | None = None) -> Reading:  # type: ignore[override]  # float's own has two forms
        """The same with so many digits."""
        return self._with(float(round(float(self), digits or 0)), self.uncertainty)


def uncertainty_of(value: object) -> float:
    """The uncertainty of a value; 0 for one that is exact."""
    return value.uncertainty if isinstance(value, Reading) else 0.0


def least_of(value: float) -> float:
    """The least that a value may be."""
    return float(value) - uncertainty_of(value)


def most_of(value: float) -> float:
    """The most that a value may be."""
    return float(value) + uncertainty_of(value)


def verdict_of(value: float, low: float | None, high: float | None, more: float = 0.0) -> Verdict:
    """The verdict on a value against its limits; ``more`` is uncertain beside what a reading brings along."""
    found = judge(float(value), low, high, uncertainty_of(value) + more)
    open_ = isinstance(value, Reading) and value.between and found is Verdict.FAIL
    return Verdict.INCONCLUSIVE if open_ else found


def told_of(value: float, unit: str) -> str:
    """How sure a value is and who says so, for a note; empty for one that is exact."""
    if not isinstance(value, Reading):
        return ""
    where = "between two readings of" if value.between else "by"
    return f"± {value.uncertainty:.3g} {unit} {where} {value.by}".replace("  ", " ")


def source_of(*values: object) -> str:
    """Who measured the first of these that was measured; empty for none."""
    return next((value.by for value in values if isinstance(value, Reading)), "")


def plain(value: T) -> T | float:
    """A reading as the number that it is, for what only keeps it or sends it."""
    return float(value) if isinstance(value, Reading) else value
