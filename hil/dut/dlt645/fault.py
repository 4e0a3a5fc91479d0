"""How seeded faults of the reference meter are written."""

from __future__ import annotations

from hil.dut.dlt645.spec import MeterSpec
from hil.dut.faults import SeededFault


class Fault(SeededFault[MeterSpec]):
    """One defect of the reference meter."""

    dut = "dlt645"


def cases(*names: str) -> tuple[str, ...]:
    """Requirement ids of the suite for meters."""
    return tuple(f"DLT645/{name}" for name in names)
