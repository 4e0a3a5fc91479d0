"""The reference DC charger of GB/T 27930 and its seeded faults."""

from hil.dut.gbt27930.charger import Charger
from hil.dut.gbt27930.spec import ChargerSpec, reference

__all__ = ["Charger", "ChargerSpec", "reference"]
