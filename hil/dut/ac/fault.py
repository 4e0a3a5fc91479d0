"""How seeded faults of the reference AC charger are written, and what they may break."""

from __future__ import annotations

from hil.dut.ac.spec import AcSpec
from hil.dut.faults import SeededFault


class Fault(SeededFault[AcSpec]):
    """One defect of the reference AC charger."""

    dut = "ac"


def pilot(*cases: str) -> tuple[str, ...]:
    """Requirement ids of the control pilot (sheet iec61851_control_pilot.md, section 8)."""
    return tuple(f"IEC61851-1/{case}" for case in cases)


def control(*cases: str) -> tuple[str, ...]:
    """Requirement ids of what an AC charger makes of limits."""
    return tuple(f"ACCHARGER/{case}" for case in cases)


def profiles(*cases: str) -> tuple[str, ...]:
    """Requirement ids of AC profiles."""
    return tuple(f"ACPROFILE/{case}" for case in cases)
