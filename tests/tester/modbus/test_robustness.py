"""Whatever a device or a master sends, the bench's own Modbus nodes neither raise nor hang nor grow."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hil.codec.map_file import shipped_map
from hil.protocol.modbus import (
    Bits,
    ExceptionReply,
    Read,
    Registers,
    RtuTiming,
    WriteRegisters,
    encode_rtu,
    encode_tcp,
    read_coils,
    read_holding,
    write_register,
)
from hil.tester.modbus import ModbusMaster, ModbusMeter, RegisterClient
from hil.units import Instant, Span, ms, s
from hil.world.bytenode import Open, Send
from tests.mutation import COUNT, mutated, size

TCP, RTU = "tcp0", "rs485"
TIMING = RtuTiming.of(9600)
METER, WALLBOX = shipped_map("eastron-sdm630"), shipped_map("heidelberg-energy-control")
FEWER = COUNT // 4
"""For nodes around a client that hears as many by itself (tests/protocol/modbus)."""
ROOM = 10_000
"""Bytes by which a node may differ between two moments: buffers that are more or less full."""
REQUESTS = [
    *(read_holding(0, 10).encode(), Read(4, 52, 2).encode(), Read(4, 0, 125).encode(), read_coils(0).encode()),
    *(write_register(261, 100).encode(), WriteRegisters(3, (1, 2, 3)).encode()),
]
REPLIES = [
    *(Registers(3, (100,)).encode(), Registers(4, (57,) * 10).encode(), Bits(1, (True,) * 16).encode()),
    *(write_register(261, 100).encode(), ExceptionReply(3, 2).encode(), ExceptionReply(6, 3).encode()),
]


class Alone:
    """A node without a line: it is given bytes, and what it sends tells the next transaction."""

    def __init__(self, node: Any, line: str) -> None:
        self.node = node
        self.line = line
        self.now: Instant = s(1)
        self.header = b"\0\0"
        self.told = 0
        self.sent = 0

    def hear(self, data: bytes, flaw: str = "") -> None:
        self.node.received(self.line, 0, data, flaw, self.now)
        self.settle()

    def let(self, span: Span) -> None:
        self.now += span
        self.node.wake(self.now)
        self.settle()

    def settle(self) -> None:
        wishes, self.node.wishes = self.node.wishes, []
        for wish in wishes:
            if isinstance(wish, Open):
                self.node.opened(self.line, 0, self.now)
            elif isinstance(wish, Send):
                self.sent += 1
                self.header = wish.data[:2]
                if self.line == RTU and isinstance(self.node, ModbusMaster):
                    self.node.received(RTU, 0, wish.data, "", self.now)  # it hears itself
        self.told += len(self.node.notes)
        self.node.notes.clear()
        if wishes:
            self.settle()

    def frame(self, draw: random.Random, pdu: bytes) -> bytes:
        """A frame with an edit, half of them behind a right check on a serial line."""
        if self.line == TCP:
            return mutated(draw, self.header + encode_tcp(0, 1, pdu)[2:])
        return encode_rtu(1, mutated(draw, pdu)) if draw.random() < 0.5 else mutated(draw, encode_rtu(1, pdu))


LINES = pytest.mark.parametrize("line", [TCP, RTU])


@LINES
def test_a_master(line: str) -> None:
    draw = random.Random(f"master {line}")
    alone = Alone(ModbusMaster("master", TCP, RTU, TIMING), line)
    on = "a" if line == TCP else "rtu"
    if line == TCP:
        alone.node.order("open", {"on": on}, alone.now)
        alone.settle()
    alone.told, asked, early = 0, 0, 0
    for number in range(FEWER):
        if number % 2:
            pdu = draw.choice(REQUESTS).hex()
            alone.node.order("request", {"on": on, "ticket": number, "pdu": pdu, "unit": 1}, alone.now)
            alone.settle()
            asked += 1
        alone.let(ms(20))
        alone.hear(alone.frame(draw, draw.choice(REPLIES)), "framing" if number % 40 == 0 else "")
        alone.let(draw.choice((ms(1), ms(600), s(3))))
        if number == FEWER // 2:
            alone.let(s(1000))
            early = size(alone.node)
    alone.let(s(1000))
    assert alone.told > asked  # each came to an end, and what was beside it is told
    assert size(alone.node) < early + ROOM


@LINES
def test_a_client_by_map(line: str) -> None:
    draw = random.Random(f"client {line}")
    node = RegisterClient("client", line, WALLBOX, None if line == TCP else TIMING)
    alone, early = Alone(node, line), 0
    node.order("poll", {"every": s(1), "quantities": [["voltage", "voltage_l1", 1.0, "V"]]}, alone.now)
    node.order("keep", {"name": "set_current", "value": 10.0, "every": s(2)}, alone.now)
    for number in range(FEWER):
        alone.let(draw.choice((ms(20), ms(400), s(2))))
        alone.hear(alone.frame(draw, draw.choice(REPLIES)), "framing" if number % 40 == 0 else "")
        if number == FEWER // 2:
            early = size(node)
    assert alone.told > FEWER // 10
    assert size(node) < early + ROOM
    node.order("stop", {}, alone.now)
    for _ in range(8):  # what was asked for before has come to its end
        alone.let(s(10))
    if line == TCP:  # the rest of a frame may still be awaited
        node.ended(line, 0, "reset", alone.now)
    alone.told = 0
    node.order("read", {"ticket": 1, "names": ["set_current"]}, alone.now)
    alone.let(ms(100))
    pdu = Registers(3, (100,)).encode()
    alone.hear(alone.header + encode_tcp(0, 1, pdu)[2:] if line == TCP else encode_rtu(1, pdu))
    alone.let(ms(100))
    assert alone.told == 1


@LINES
def test_a_meter(line: str) -> None:
    draw = random.Random(f"meter {line}")
    values = {"voltage_l1": ("mains_voltage", 1.0)}
    node = ModbusMeter("meter", line, METER, lambda name, at: 230.0, values, timing=None if line == TCP else TIMING)
    node.opened(line, 0, 0)
    alone, early = Alone(node, line), 0
    for number in range(COUNT):
        alone.hear(alone.frame(draw, REQUESTS[number % len(REQUESTS)]))
        alone.let(ms(50))
        if number % 500 == 0:  # the rest of a frame may still be awaited
            node.ended(line, 0, "reset", alone.now)
            node.opened(line, 0, alone.now)
        if number == COUNT // 2:
            early = size(node)
    assert COUNT // 10 < alone.sent < COUNT
    assert size(node) < early + ROOM
    node.ended(line, 0, "reset", alone.now)
    node.opened(line, 0, alone.now)
    alone.let(ms(100))
    before, good = alone.sent, Read(4, 0, 2).encode()
    alone.hear(encode_tcp(1, 1, good) if line == TCP else encode_rtu(1, good))
    alone.let(ms(50))
    alone.let(ms(50))
    assert alone.sent == before + 1
