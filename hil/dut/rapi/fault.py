"""How seeded faults of the reference console are written."""

from __future__ import annotations

from hil.dut.faults import SeededFault
from hil.dut.rapi.spec import ConsoleSpec


class Fault(SeededFault[ConsoleSpec]):
    """One defect of the reference console."""

    dut = "rapi"


def cases(*names: str) -> tuple[str, ...]:
    """Requirement ids of the suite for consoles."""
    return tuple(f"RAPI/{name}" for name in names)
