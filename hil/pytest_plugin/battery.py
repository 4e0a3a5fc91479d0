"""Whether a rig can stand the battery that a run names against its DUT."""

from __future__ import annotations

from hil.bench.setup import highest_voltage, resting_voltages
from hil.rig import Rig
from hil.rig.rig import output_range


def lacks_battery(vehicle: str, rig: Rig) -> str | None:
    """Why a run with a vehicle beyond the DUT's output range is not applicable; None where it is, or names none."""
    if not vehicle:
        return None
    if rig.plant != "model":
        return f"the battery of rig {rig.name} is none of the bench's: it cannot be {vehicle}"
    claimed = output_range(rig.dut)
    if claimed is None:
        return "the DUT claims no output_voltage"
    (low, high), (lowest, highest) = resting_voltages(vehicle), claimed
    within = f"the DUT claims {lowest:g} .. {highest:g} V"
    if low <= highest and high >= lowest:
        return f"{within}: a battery of {low:.0f} .. {high:.0f} V is none out of range"
    if highest_voltage(vehicle) < lowest:
        return f"{within}: BHM of a battery of {low:.0f} .. {high:.0f} V is refused before"
    return None


def beyond_envelope(vehicle: str, rig: Rig) -> str | None:
    """Why no run with a vehicle may stand on a rig: its BHM and BCP are set-points too; None where it may.

    A charger tests the insulation at what BHM allows.
    """
    most = None if rig.envelope is None else rig.envelope.max_voltage
    allowed = highest_voltage(vehicle)
    if rig.virtual or most is None or allowed <= most:
        return None
    return f"BHM and BCP of vehicle {vehicle} allow {allowed:g} V, the envelope of rig {rig.name} {most:g} V"
