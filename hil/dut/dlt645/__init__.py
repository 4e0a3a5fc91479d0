"""The reference meter (DL/T 645-2007) and its seeded-fault hooks."""

from hil.dut.dlt645.meter import Meter
from hil.dut.dlt645.spec import FIXED, SINGLE_PHASE, THREE_PHASES, MeterSpec, Source, reference

__all__ = ["FIXED", "SINGLE_PHASE", "THREE_PHASES", "Meter", "MeterSpec", "Source", "reference"]
