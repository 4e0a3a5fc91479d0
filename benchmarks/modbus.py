"""Modbus TCP transactions beside pymodbus' client and server over loopback, in the same run.

``python -m benchmarks.modbus`` prints the table. Ours: the client machine and the reference device,
bytes handed over in process, as on a virtual line. The peer: an asynchronous client and server in one
event loop, which is the faster of its arrangements. Both read ten holding registers a transaction.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pymodbus
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hil.dut.modbus import Refused, Responder, ServerSpec, TcpServer
from hil.protocol.modbus import Answered, TcpClient, read_holding
from hil.units import Instant, us

COUNT = 4_000
REPEATS = 5
GOAL = 2.0
_REGISTERS = 10
_SPREAD = 100
"""Addresses, so that no two requests in a row are alike."""


class _Store:
    def __init__(self) -> None:
        self._words = list(range(_SPREAD + _REGISTERS))

    def read(self, unit: int, function: int, address: int, count: int, now: Instant) -> Sequence[int] | Refused:
        return self._words[address : address + count]

    def write(self, unit: int, function: int, address: int, values: Sequence[int], now: Instant) -> Refused | None:
        return Refused(1)


def measures(*, quick: bool = False) -> list[dict[str, Any]]:
    """One entry: transactions per second, the best of repeats that take turns. ``quick`` repeats less."""
    best = peer_best = float("inf")
    for _ in range(1 if quick else REPEATS):
        best = min(best, _ours())
        peer_best = min(peer_best, asyncio.run(_theirs()))
    value, peer_value = COUNT / best, COUNT / peer_best
    ratio = value / peer_value
    return [
        {
            "name": "virtual Modbus TCP",
            "value": round(value),
            "unit": "transactions/s",
            "peer": f"pymodbus {pymodbus.__version__} client and server over loopback",
            "peer_value": round(peer_value),
            "ratio": round(ratio, 2),
            "goal": GOAL,
            "met": ratio >= GOAL,
        }
    ]


def _ours() -> float:
    """Seconds of :data:`COUNT` transactions in virtual time."""
    client = TcpClient(1)
    server = TcpServer(Responder(ServerSpec(), _Store()))
    start = time.perf_counter()
    now = answered = 0
    for number in range(COUNT):
        client.request(read_holding(number % _SPREAD, _REGISTERS), now)
        now += us(200)
        for data in client.bytes_to_send():
            server.receive(data, now)
        now += us(200)
        for data in server.bytes_to_send():
            client.receive(data, now)
        answered += sum(isinstance(event, Answered) for event in client.events())
    seconds = time.perf_counter() - start
    assert answered == COUNT
    return seconds


async def _theirs() -> float:
    """Seconds of :data:`COUNT` transactions over loopback."""
    words = SimData(0, values=list(range(_SPREAD + _REGISTERS)), datatype=DataType.REGISTERS)
    server: Any = ModbusTcpServer(SimDevice(1, simdata=[words]), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    client = AsyncModbusTcpClient("127.0.0.1", port=server.transport.sockets[0].getsockname()[1])
    try:
        assert await client.connect()
        start = time.perf_counter()
        for number in range(COUNT):
            reply = await client.read_holding_registers(number % _SPREAD, count=_REGISTERS, device_id=1)
            assert len(reply.registers) == _REGISTERS
        return time.perf_counter() - start
    finally:
        client.close()
        await server.shutdown()


if __name__ == "__main__":
    for each in measures():
        rates = f"{each['value']:,} {each['unit']}, {each['peer']}: {each['peer_value']:,}"
        print(f"{each['name']}: {rates}, ratio {each['ratio']}, {'met' if each['met'] else 'missed'}")
