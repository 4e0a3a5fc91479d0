"""The reference AC charger (wallbox) and its seeded faults."""

from hil.dut.ac.charger import AcCharger
from hil.dut.ac.spec import AcSpec, reference

__all__ = ["AcCharger", "AcSpec", "reference"]
