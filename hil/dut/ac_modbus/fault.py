"""How seeded faults of the reference AC charger's registers are written, and what they may break."""

from __future__ import annotations

from hil.dut.ac_modbus.spec import FrontSpec
from hil.dut.faults import SeededFault


class Fault(SeededFault[FrontSpec]):
    """One defect of the reference AC charger's registers."""

    dut = "ac_modbus"


def registers(*cases: str) -> tuple[str, ...]:
    """Requirement ids of an AC charger's registers."""
    return tuple(f"ACMODBUS/{case}" for case in cases)


def profiles(*cases: str) -> tuple[str, ...]:
    """Requirement ids of AC profiles."""
    return tuple(f"ACPROFILE/{case}" for case in cases)
