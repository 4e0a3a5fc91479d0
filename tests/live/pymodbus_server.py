"""A Modbus server of other hands: ``pymodbus_server.py tcp PORT`` or ``pymodbus_server.py rtu PLACE``."""

from __future__ import annotations

import asyncio
import sys

from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusSerialServer, ModbusTcpServer

UNIT = 7
FIRST = 1
"""The block's first address is 1 for the one that is 0 on the wire."""


async def main(transport: str, place: str) -> None:
    words = [230, 0x0001, 0x86A0, 6, *range(20)]
    device = ModbusDeviceContext(hr=ModbusSequentialDataBlock(FIRST, words))  # type: ignore[no-untyped-call]  # pymodbus has no types there
    context = ModbusServerContext(devices={UNIT: device}, single=False)
    server: ModbusTcpServer | ModbusSerialServer
    if transport == "tcp":
        server = ModbusTcpServer(context, address=("127.0.0.1", int(place)))
    else:
        server = ModbusSerialServer(context, port=place, baudrate=9600)
    await server.serve_forever(background=True)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().create_future()


asyncio.run(main(*sys.argv[1:]))
