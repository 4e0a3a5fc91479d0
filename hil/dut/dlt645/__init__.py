"""The reference meter (DL/T 645-2007) and its seeded-fault hooks."""

from hil.dut.dlt645.meter import Meter
from hil.dut.dlt645.spec import FIXED, MEASURED, MeterSpec, Source, reference

__all__ = ["FIXED", "MEASURED", "Meter", "MeterSpec", "Source", "reference"]
