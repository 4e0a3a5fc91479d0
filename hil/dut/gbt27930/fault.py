"""How seeded faults of the reference DC charger are written, and what they may break."""

from __future__ import annotations

from hil.dut.faults import SeededFault
from hil.dut.gbt27930.spec import ChargerSpec


class Fault(SeededFault[ChargerSpec]):
    """One defect of the reference DC charger."""

    dut = "gbt27930"


def gbt34658(*cases: str) -> tuple[str, ...]:
    """Requirement ids of GB/T 34658-2017."""
    return tuple(f"GBT34658-2017/{case}" for case in cases)


def gbt27930(*cases: str) -> tuple[str, ...]:
    """Requirement ids of the link layer and of rules without a case in GB/T 34658."""
    return tuple(f"GBT27930-2015/{case}" for case in cases)


def gbt34657(*cases: str) -> tuple[str, ...]:
    """Requirement ids of GB/T 34657.1-2017."""
    return tuple(f"GBT34657.1-2017/{case}" for case in cases)
