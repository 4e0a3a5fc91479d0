"""What the stand-in vehicle is, as data: identity, limits, demand, habits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from hil.protocol.j1939 import TpBehaviour, TpTiming
from hil.units import Span, ms, s

SPANS: Mapping[str, Span] = MappingProxyType(
    {
        # periods, sheet 2.1
        "BHM": ms(250),
        "BRM": ms(250),
        "BCP": ms(500),
        "BRO00": ms(250),
        "BROAA": ms(250),
        "BCL": ms(50),
        "BCS": ms(250),
        "BSM": ms(250),
        "BST": ms(10),
        "BSD": ms(250),
        "BEM": ms(250),
        "BMV": s(10),
        "BMT": s(10),
        "BSP": s(10),
        # time-outs, sheet 4.3
        "T12": s(60),
        "T13": s(30),
        "T14": s(5),
        "T15": s(5),
        "T16": s(5),
        "T17": s(60),
        "T18": s(1),
        "T19": s(5),
        "T20": s(10),
        "T21": s(30),
        # this vehicle's own habits
        "self_test": ms(400),
        "stop_answer": ms(100),
        "early_end": 0,  # BST may end so long before BSD (sheet 7)
        "contactors": ms(300),
        "contactors_limit": s(9),  # open within 10 s of an error (sheet 4.4), travel included
    }
)


@dataclass(frozen=True)
class VehicleSpec:
    """One vehicle. Voltages in V, currents in A (positive = charging), energies in kWh."""

    preset: str
    """Name of the plant's pack preset that belongs to it."""
    battery_type: int
    rated_capacity: float
    rated_voltage: float
    max_cell_voltage: float
    max_total_voltage: float
    max_current: float
    nominal_energy: float
    max_temperature: float
    demand_current: float
    """Current demanded while nothing else is ordered."""
    demand_voltage: float
    cells: int
    vin: str
    maker: str = "HILB"
    stop_soc: float = 100.0
    """The vehicle ends the charge at this SOC, percent."""
    spans: Mapping[str, Span] = field(default_factory=lambda: SPANS)
    wander: Mapping[str, tuple[Span, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """By how much the intervals of a message are longer than its period, in turn."""
    content: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    """Signals of a message that always have these values."""
    optional: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Which of BMV, BMT and BSP are sent, and the elements of each: as many as go by transport protocol."""
    padded: bool = False
    """Single frames are filled up to 8 bytes, as some equipment does (sheet 7)."""
    clear_bits: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    """Masks over a message's data, from byte 1: reserved bits that this vehicle leaves 0."""
    tp_timing: TpTiming = field(default_factory=TpTiming)
    tp: TpBehaviour = field(default_factory=TpBehaviour)


def _lfp(preset: str, cells: int, capacity: float, demand: float, vin: str) -> VehicleSpec:
    """An LFP vehicle: 3.2 V nominal and 3.65 V at most per cell (lfp_battery.md 4 and 7)."""
    return VehicleSpec(
        preset=preset,
        battery_type=3,
        rated_capacity=capacity,
        rated_voltage=round(3.2 * cells, 1),
        max_cell_voltage=3.65,
        max_total_voltage=round(3.65 * cells, 1),
        max_current=min(float(capacity), 400.0),
        nominal_energy=round(3.2 * cells * capacity / 1000, 1),
        max_temperature=55.0,
        demand_current=demand,
        demand_voltage=round(3.65 * cells, 1),
        cells=cells,
        vin=vin,
    )


VEHICLES: Mapping[str, VehicleSpec] = MappingProxyType(
    {
        "car-400v": _lfp("car-400v", 108, 226.0, 100.0, "LHILCAR4000000001"),
        "truck-lfp-600v": _lfp("truck-lfp-600v", 192, 456.0, 200.0, "LHILTRK6000000001"),
        "truck-lfp-800v": _lfp("truck-lfp-800v", 240, 810.0, 250.0, "LHILTRK8000000001"),
    }
)
"""What rigs choose from."""
MISFITS: Mapping[str, VehicleSpec] = MappingProxyType(
    {
        "pack-140v": _lfp("pack-140v", 43, 100.0, 50.0, "LHILMIS0140000001"),
        "pack-1020v": _lfp("pack-1020v", 310, 300.0, 100.0, "LHILMIS1020000001"),
    }
)
"""Vehicles whose battery lies outside the output range of usual chargers: cases name them, rigs do not."""
