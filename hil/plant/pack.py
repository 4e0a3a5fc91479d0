"""An LFP pack: OCV by SOC, resistance with one RC pair, heat, charge limits by temperature.

Numbers are those of the battery sheet: OCV from section 2 (recommended mean of two measured cells),
resistance from section 3 (large format, J), limits from section 5 (J), thermal from section 6,
presets from section 7.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, sqrt
from types import MappingProxyType

from hil.plant.curve import Curve

OCV_SOC: tuple[float, ...] = (
    0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40, 0.45,
    0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 0.97, 0.98, 0.99, 1.0,
)  # fmt: skip
OCV_VOLTS: tuple[float, ...] = (
    2.15, 2.743, 2.880, 2.962, 3.068, 3.140, 3.200, 3.214, 3.238, 3.258, 3.274, 3.285, 3.293, 3.297,
    3.299, 3.301, 3.303, 3.307, 3.314, 3.326, 3.336, 3.340, 3.342, 3.344, 3.345, 3.348, 3.366, 3.56,
)  # fmt: skip
_SLOPES = tuple((OCV_VOLTS[i + 1] - OCV_VOLTS[i]) / (OCV_SOC[i + 1] - OCV_SOC[i]) for i in range(len(OCV_SOC) - 1))
_ON_BEND = 1e-10
"""A SOC this little below a bend counts as on it: instants are whole nanoseconds."""
R0_NORMAL = 0.045
"""Ohm times ampere-hours per cell: AC resistance of large cells with busbars (sheet 3)."""
R1_NORMAL = 0.055
"""The remainder to 100 mOhm x Ah at 25 °C, in the RC pair."""
TAU = 30.0
"""Seconds (20..60, J)."""
_RESISTANCE_RATIO = ((-20.0, 6.0), (-10.0, 4.0), (0.0, 2.0), (10.0, 1.45), (25.0, 1.0), (40.0, 0.78), (60.0, 0.78))
"""Charging resistance against 25 °C (sheet 3; below 10 °C extrapolated, J)."""
CHARGE_LIMITS = ((0.0, 0.0), (5.0, 0.1), (10.0, 0.15), (15.0, 0.25), (25.0, 0.5), (45.0, 1.0), (50.0, 0.5), (55.0, 0.1))
"""Upper edge of a temperature band in °C, C-rate within it (sheet 5, J); 0 above the last."""
HEAT_CAPACITY = 1000.0 * 0.0196
"""J/K per ampere-hour of one cell (sheet 6)."""
CELL_SPREAD = 0.003
"""V between the mean cell and the highest and lowest; deterministic."""
TEMPERATURE_SPREAD = 1.0
"""K between the mean and the hottest and coldest sensor; deterministic."""


def _segment(soc: float) -> int:
    """Which line of the table holds at a SOC; on a bend the one above it."""
    return min(max(bisect_right(OCV_SOC, soc + _ON_BEND) - 1, 0), len(_SLOPES) - 1)


def ocv(soc: float) -> float:
    """Open-circuit voltage per cell in V at a SOC of 0..1; the end slopes go on beyond."""
    index = _segment(soc)
    return OCV_VOLTS[index] + (soc - OCV_SOC[index]) * _SLOPES[index]


def ocv_slope(soc: float) -> float:
    """V per unit of SOC at a SOC."""
    return _SLOPES[_segment(soc)]


def next_bend(soc: float) -> float:
    """The next higher SOC at which the table bends; infinite above the last."""
    index = bisect_right(OCV_SOC, soc + _ON_BEND)
    return OCV_SOC[index] if index < len(OCV_SOC) else inf


def resistance_ratio(celsius: float) -> float:
    """Resistance at a temperature against 25 °C, interpolated and held at the ends."""
    points = _RESISTANCE_RATIO
    if celsius <= points[0][0]:
        return points[0][1]
    for (t0, r0), (t1, r1) in pairwise(points):
        if celsius <= t1:
            return r0 + (r1 - r0) * (celsius - t0) / (t1 - t0)
    return points[-1][1]


def charge_rate_limit(celsius: float, soc: float) -> float:
    """Allowed C-rate by temperature, halved above 80 % and halved again above 90 % SOC (J)."""
    rate = next((rate for edge, rate in CHARGE_LIMITS if celsius < edge), 0.0)
    return rate * (1.0 if soc <= 0.8 else 0.5 if soc <= 0.9 else 0.25)


@dataclass(frozen=True)
class PackSpec:
    """``cells`` in series of ``capacity`` Ah."""

    cells: int
    capacity: float


PRESETS: Mapping[str, PackSpec] = MappingProxyType(
    {
        "small-car": PackSpec(100, 135.0),
        "car-400v": PackSpec(108, 226.0),
        "bus": PackSpec(176, 560.0),
        "truck-lfp-600v": PackSpec(192, 456.0),
        "truck-lfp-800v": PackSpec(240, 810.0),
        # beyond what usual chargers put out
        "pack-140v": PackSpec(43, 100.0),
        "pack-1020v": PackSpec(310, 300.0),
    }
)


class Pack:
    """State of one pack; :meth:`advance` integrates a stretch of linear current in closed form.

    Currents in A, positive charges; adiabatic but for ``heater``. A stretch must not cross a bend
    of the OCV table (:meth:`seconds_to_bend`); resistances are those of its start.
    """

    __slots__ = ("celsius", "charge", "energy", "heat", "heat_capacity", "heater", "r0", "r1", "soc", "spec", "vrc")

    def __init__(self, spec: PackSpec, soc: float, celsius: float) -> None:
        self.spec = spec
        self.soc = soc
        self.celsius = celsius
        self.vrc = 0.0
        """Voltage of the RC pair, V of the whole pack."""
        self.heater = 0.0
        """Power of the heater in the pack, W."""
        self.heat = 0.0
        """Joule heat so far, J."""
        self.energy = 0.0
        """Taken in at the terminals so far, J."""
        self.charge = 3600.0 * spec.capacity
        """Ampere-seconds from empty to full."""
        self.heat_capacity = HEAT_CAPACITY * spec.capacity * spec.cells
        """J/K of the whole pack."""
        self.r0 = self.r1 = 0.0
        self.refresh()

    def refresh(self) -> None:
        """Resistances at the present temperature, ohm of the whole pack."""
        ratio = resistance_ratio(self.celsius) * self.spec.cells / self.spec.capacity
        self.r0, self.r1 = R0_NORMAL * ratio, R1_NORMAL * ratio

    def rise(self) -> float:
        """V of the whole pack per ampere-second, on the present line of the OCV table."""
        return self.spec.cells * ocv_slope(self.soc) / self.charge

    def terminal(self, i0: float, slope: float) -> Curve:
        """Terminal voltage from now on, for a current of ``i0 + slope * t``: exact up to the next bend."""
        rise = self.rise()
        bias = self.r1 * (i0 - slope * TAU)
        return Curve(
            self.spec.cells * ocv(self.soc) + bias + i0 * self.r0,
            rise * i0 + (self.r1 + self.r0) * slope,
            rise * slope / 2,
            self.vrc - bias,
            TAU,
        )

    def soc_after(self, dt: float, i0: float, slope: float) -> float:
        """SOC (0..1) after ``dt`` seconds of current ``i0 + slope * t``."""
        return self.soc + (i0 + slope * dt / 2) * dt / self.charge

    def vrc_after(self, dt: float, i0: float, slope: float) -> float:
        """Voltage of the RC pair after ``dt``: exact for linear current."""
        bias = i0 - slope * TAU
        return self.r1 * (bias + slope * dt) + (self.vrc - self.r1 * bias) * exp(-dt / TAU)

    def seconds_to_bend(self, i0: float, slope: float) -> float:
        """How long a charging current of ``i0 + slope * t`` takes to the next bend; infinite when it never does."""
        missing = (next_bend(self.soc) - self.soc) * self.charge
        if missing == inf or (i0 <= 0.0 and slope <= 0.0):
            return inf
        square = i0 * i0 + 2.0 * slope * missing
        return 2.0 * missing / (i0 + sqrt(square)) if square >= 0.0 else inf

    def warming(self, current: float) -> float:
        """K/s at the present state."""
        return (current * current * self.r0 + self.vrc * self.vrc / self.r1 + self.heater) / self.heat_capacity

    def advance(self, dt: float, i0: float, slope: float) -> None:
        """Move the state on by ``dt`` seconds of a current of ``i0 + slope * t``.

        Energy and heat by Simpson's rule: within a stretch the power is smooth.
        """
        vrc0, half = self.vrc, dt / 2
        middle, end = i0 + slope * half, i0 + slope * dt
        curve = self.terminal(i0, slope)
        vrc1, vrc2 = self.vrc_after(half, i0, slope), self.vrc_after(dt, i0, slope)
        joule = self.r0 * (i0 * i0 + 4.0 * middle * middle + end * end)
        joule += (vrc0 * vrc0 + 4.0 * vrc1 * vrc1 + vrc2 * vrc2) / self.r1
        heat = joule * dt / 6
        self.energy += (curve.value(0.0) * i0 + 4.0 * curve.value(half) * middle + curve.value(dt) * end) * dt / 6
        self.soc, self.vrc = self.soc_after(dt, i0, slope), vrc2
        self.heat += heat
        self.celsius += (heat + self.heater * dt) / self.heat_capacity
        self.refresh()
