"""What a legal demand may be: the vehicle's own maxima within a rig's envelope."""

from __future__ import annotations

from dataclasses import dataclass

from hil.errors import UsageError
from hil.safety.envelope import Envelope
from hil.tester.gbt27930 import VEHICLES


@dataclass(frozen=True)
class Reach:
    """What a demand may be: the vehicle's own maxima and, where given, the charger's or the rig's."""

    voltage: float
    current: float
    power: float
    cells: int

    def most_current(self, voltage: float) -> float:
        """A at this voltage, by current and power."""
        return min(self.current, self.power / voltage) if voltage else self.current


def reach_of(vehicle: str, envelope: Envelope | None = None) -> Reach:
    """The legal reach of a vehicle within an envelope; :class:`UsageError` for an unknown vehicle."""
    if vehicle not in VEHICLES:
        raise UsageError(f"vehicle: no {vehicle!r}; there are {', '.join(VEHICLES)}")
    spec, limits = VEHICLES[vehicle], envelope or Envelope()
    return Reach(
        min(spec.max_total_voltage, limits.max_voltage),
        min(spec.max_current, limits.max_current),
        limits.max_power,
        spec.cells,
    )
