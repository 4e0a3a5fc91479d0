"""The bench's Modbus master: what stands before a device under test on TCP and on a serial line."""

from hil.tester.modbus.master import ModbusMaster

__all__ = ["ModbusMaster"]
