"""The Modbus side of reference devices: pymodbus answers, bytes with bytes, without any I/O."""

from hil.dut.modbus.device import DeviceSpec, ModbusDevice
from hil.dut.modbus.line import RtuServer, TcpServer
from hil.dut.modbus.reference import reference, reference_map
from hil.dut.modbus.responder import Responder
from hil.dut.modbus.served import ServedMap, Values, spec_of
from hil.dut.modbus.spec import (
    ALL_FUNCTIONS,
    BIT_FUNCTIONS,
    BUSY,
    FAILURE,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    Data,
    Refused,
    SerialTiming,
    ServerSpec,
)

__all__ = [
    "ALL_FUNCTIONS",
    "BIT_FUNCTIONS",
    "BUSY",
    "FAILURE",
    "ILLEGAL_ADDRESS",
    "ILLEGAL_FUNCTION",
    "ILLEGAL_VALUE",
    "Data",
    "DeviceSpec",
    "ModbusDevice",
    "Refused",
    "Responder",
    "RtuServer",
    "SerialTiming",
    "ServedMap",
    "ServerSpec",
    "TcpServer",
    "Values",
    "reference",
    "reference_map",
    "spec_of",
]
