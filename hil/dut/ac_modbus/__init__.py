"""The registers of the reference AC charger (a front on its control surface) and their seeded faults."""

from hil.dut.ac_modbus.front import ModbusFront, modbus_front
from hil.dut.ac_modbus.spec import FrontSpec, reference

__all__ = ["FrontSpec", "ModbusFront", "modbus_front", "reference"]
