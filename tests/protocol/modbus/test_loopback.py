"""pymodbus' own client and server over TCP on loopback, against our machines.

The adapters below belong to this test: they move bytes between a socket and a machine, no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hil.dut.modbus import Refused, Responder, ServerSpec, TcpServer
from hil.protocol.modbus import (
    Answered,
    Bits,
    Event,
    ExceptionReply,
    MaskWrite,
    Read,
    ReadWrite,
    Registers,
    Reply,
    Request,
    TcpClient,
    WriteCoils,
    WriteRegisters,
    WriteSingle,
    Written,
    read_holding,
    read_input,
    write_coil,
    write_register,
)
from hil.units import Instant

LIMIT = 10
"""Seconds after which something hangs."""


def within_limit(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, LIMIT))


def now() -> Instant:
    return round(asyncio.get_running_loop().time() * 1e9)


class Store:
    """A hundred bits and a thousand registers."""

    def __init__(self) -> None:
        self.bits = [False] * 100
        self.words = list(range(1000))

    def _table(self, function: int) -> list[Any]:
        return self.bits if function in (1, 2, 5, 15) else self.words

    def read(self, unit: int, function: int, address: int, count: int, now: Instant) -> Sequence[int] | Refused:
        table = self._table(function)
        return table[address : address + count] if address + count <= len(table) else Refused(2)

    def write(self, unit: int, function: int, address: int, values: Sequence[int], now: Instant) -> Refused | None:
        table = self._table(function)
        if address + len(values) > len(table):
            return Refused(2)
        table[address : address + len(values)] = values
        return None


# --- their client, our reference device -----------------------------------------------------------


async def serve(responder: Responder, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection."""
    machine = TcpServer(responder)
    while not machine.closing and (data := await reader.read(4096)):
        machine.receive(data, now())
        writer.writelines(machine.bytes_to_send())
    writer.close()


async def their_client() -> None:
    responder = Responder(ServerSpec(units=frozenset({1, 2})), Store())
    tasks: set[asyncio.Task[Any]] = set()

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await serve(responder, reader, writer)

    async with await asyncio.start_server(on_connection, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=0.2, retries=0)
        assert await client.connect()
        assert (await client.read_holding_registers(5, count=3, device_id=1)).registers == [5, 6, 7]
        assert (await client.read_input_registers(0, count=125, device_id=2)).registers == list(range(125))
        assert not (await client.write_register(5, 500, device_id=1)).isError()
        assert not (await client.write_registers(6, [600, 700], device_id=1)).isError()
        assert (await client.read_holding_registers(5, count=3, device_id=1)).registers == [500, 600, 700]
        assert not (await client.write_coil(3, True, device_id=1)).isError()
        assert not (await client.write_coils(4, [True, False, True], device_id=1)).isError()
        coils = await client.read_coils(3, count=5, device_id=1)
        assert coils.bits[:5] == [True, True, False, True, False]
        assert (await client.read_discrete_inputs(3, count=1, device_id=1)).bits[0]
        assert not (await client.mask_write_register(address=5, and_mask=0xF0, or_mask=0x05, device_id=1)).isError()
        both = await client.readwrite_registers(read_address=5, read_count=2, write_address=6, values=[1], device_id=1)
        assert both.registers == [500 & 0xF0 | 0x05, 1]
        refused = await client.read_holding_registers(999, count=2, device_id=1)
        assert (refused.isError(), refused.exception_code) == (True, 2)
        client.close()
        for task in tasks:
            await task


def test_the_client_of_pymodbus_reads_and_writes_our_reference_device() -> None:
    within_limit(their_client())


# --- our client, their server ---------------------------------------------------------------------


class Link:
    """Our client on a socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.client = TcpClient(1)
        self._reader = reader
        self._writer = writer

    async def reply(self, request: Request) -> Reply:
        """The reply to a request."""
        self.client.request(request, now())
        self._writer.writelines(self.client.bytes_to_send())
        events: list[Event] = []
        while self.client.pending:
            data = await self._reader.read(4096)
            assert data, "the server has closed the connection"
            self.client.receive(data, now())
            events += self.client.events()
        (event,) = events
        assert isinstance(event, Answered)
        return event.reply


def their_device() -> SimDevice:
    bits = [SimData(0, values=[False] * 112, datatype=DataType.BITS)]
    words = [SimData(0, values=list(range(1000)), datatype=DataType.REGISTERS)]
    return SimDevice(1, simdata=(bits, bits, words, words))


async def our_client() -> None:
    server: Any = ModbusTcpServer(their_device(), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    try:
        port = server.transport.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        link = Link(reader, writer)
        assert await link.reply(read_holding(5, 3)) == Registers(3, (5, 6, 7))
        assert await link.reply(read_input(0, 125)) == Registers(4, tuple(range(125)))
        assert await link.reply(write_register(5, 500)) == WriteSingle(6, 5, 500)
        assert await link.reply(WriteRegisters(6, (600, 700))) == Written(16, 6, 2)
        assert await link.reply(read_holding(5, 3)) == Registers(3, (500, 600, 700))
        assert await link.reply(write_coil(3, True)) == write_coil(3, True)
        assert await link.reply(WriteCoils(4, (True, False, True))) == Written(15, 4, 3)
        assert await link.reply(Read(1, 3, 4)) == Bits(1, (True, True, False, True))
        assert await link.reply(MaskWrite(5, 0xF0, 0x05)) == MaskWrite(5, 0xF0, 0x05)
        assert await link.reply(ReadWrite(5, 2, 6, (1,))) == Registers(23, (500 & 0xF0 | 0x05, 1))
        assert await link.reply(read_holding(999, 2)) == ExceptionReply(3, 2)
        writer.close()
    finally:
        await server.shutdown()


def test_our_client_reads_and_writes_the_server_of_pymodbus() -> None:
    within_limit(our_client())
