"""The bench's Modbus nodes: the master before a device under test, a client by register map, a meter."""

from hil.tester.modbus.master import ModbusMaster
from hil.tester.modbus.meter import ModbusMeter
from hil.tester.modbus.registers import RegisterClient

__all__ = ["ModbusMaster", "ModbusMeter", "RegisterClient"]
