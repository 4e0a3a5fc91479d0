"""An LFP pack: OCV by SOC, resistance with one RC pair, heat, charge limits by temperature.

Numbers are those of the battery sheet: OCV from section 2 (recommended mean of two measured cells),
resistance from section 3 (large format, J), limits from section 5 (J), thermal from section 6,
presets from section 7.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from types import MappingProxyType

OCV_SOC: tuple[float, ...] = (
    0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40, 0.45,
    0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 0.97, 0.98, 0.99, 1.0,
)  # fmt: skip
OCV_VOLTS: tuple[float, ...] = (
    2.15, 2.743, 2.880, 2.962, 3.068, 3.140, 3.200, 3.214, 3.238, 3.258, 3.274, 3.285, 3.293, 3.297,
    3.299, 3.301, 3.303, 3.307, 3.314, 3.326, 3.336, 3.340, 3.342, 3.344, 3.345, 3.348, 3.366, 3.56,
)  # fmt: skip
_SLOPES = tuple((OCV_VOLTS[i + 1] - OCV_VOLTS[i]) / (OCV_SOC[i + 1] - OCV_SOC[i]) for i in range(len(OCV_SOC) - 1))
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


def ocv(soc: float) -> float:
    """Open-circuit voltage per cell in V at a SOC of 0..1; the end slopes go on beyond."""
    index = min(max(bisect_right(OCV_SOC, soc) - 1, 0), len(_SLOPES) - 1)
    return OCV_VOLTS[index] + (soc - OCV_SOC[index]) * _SLOPES[index]


def ocv_slope(soc: float) -> float:
    """V per unit of SOC at a SOC."""
    return _SLOPES[min(max(bisect_right(OCV_SOC, soc) - 1, 0), len(_SLOPES) - 1)]


def next_bend(soc: float) -> float:
    """The next higher SOC at which the table bends (1 when none is left)."""
    index = bisect_right(OCV_SOC, soc + 1e-12)
    return OCV_SOC[index] if index < len(OCV_SOC) else 2.0


def resistance_ratio(celsius: float) -> float:
    """Resistance at a temperature against 25 °C, interpolated and held at the ends."""
    points = _RESISTANCE_RATIO
    if celsius <= points[0][0]:
        return points[0][1]
    for (t0, r0), (t1, r1) in zip(points, points[1:], strict=False):
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
    }
)


class Pack:
    """State of one pack; :meth:`advance` integrates a stretch of linear current in closed form."""

    __slots__ = ("celsius", "heat", "heater", "r0", "r1", "soc", "spec", "vrc")

    def __init__(self, spec: PackSpec, soc: float, celsius: float) -> None:
        self.spec = spec
        self.soc = soc
        self.celsius = celsius
        self.vrc = 0.0
        self.heater = 0.0
        self.heat = 0.0
        """Joule heat so far, J."""
        self.r0 = self.r1 = 0.0
        self.refresh()

    def refresh(self) -> None:
        """Resistances at the present temperature, ohm of the whole pack."""
        ratio = resistance_ratio(self.celsius) * self.spec.cells / self.spec.capacity
        self.r0, self.r1 = R0_NORMAL * ratio, R1_NORMAL * ratio

    def soc_after(self, dt: float, i0: float, slope: float) -> float:
        """SOC (0..1) after ``dt`` seconds of current ``i0 + slope * t``."""
        return self.soc + (i0 + slope * dt / 2) * dt / (3600.0 * self.spec.capacity)

    def vrc_after(self, dt: float, i0: float, slope: float) -> float:
        """Voltage of the RC pair after ``dt``: exact for linear current."""
        bias = i0 - slope * TAU
        return self.r1 * (bias + slope * dt) + (self.vrc - self.r1 * bias) * exp(-dt / TAU)

    def voltage_after(self, dt: float, i0: float, slope: float) -> float:
        """Terminal voltage after ``dt`` seconds."""
        current = i0 + slope * dt
        rest = self.spec.cells * ocv(self.soc_after(dt, i0, slope))
        return rest + self.vrc_after(dt, i0, slope) + current * self.r0

    def advance(self, dt: float, i0: float, slope: float) -> float:
        """Move the state on by ``dt`` seconds; returns the energy taken in, in J.

        Energy and heat by Simpson's rule: within a stretch the power is smooth, as stretches end
        where the table bends.
        """
        if dt <= 0.0:
            return 0.0
        powers, heats = [], []
        for part in (0.0, dt / 2, dt):
            current = i0 + slope * part
            vrc = self.vrc_after(part, i0, slope)
            powers.append(self.voltage_after(part, i0, slope) * current)
            heats.append(current * current * self.r0 + vrc * vrc / self.r1)
        heat = (heats[0] + 4 * heats[1] + heats[2]) * dt / 6
        soc, vrc = self.soc_after(dt, i0, slope), self.vrc_after(dt, i0, slope)
        self.soc, self.vrc = soc, vrc
        self.heat += heat
        capacity = HEAT_CAPACITY * self.spec.capacity * self.spec.cells
        self.celsius += (heat + self.heater * dt) / capacity
        self.refresh()
        return (powers[0] + 4 * powers[1] + powers[2]) * dt / 6
