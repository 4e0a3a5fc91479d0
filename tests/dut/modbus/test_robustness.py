"""Whatever comes on its lines, the reference device neither raises nor hangs nor grows."""

from __future__ import annotations

import logging
import random

import pytest

from hil.dut.modbus import ModbusDevice, reference, reference_map
from hil.protocol.modbus import (
    MaskWrite,
    ReadWrite,
    Request,
    WriteCoils,
    WriteRegisters,
    encode_rtu,
    encode_tcp,
    read_coils,
    read_holding,
    read_input,
    write_coil,
    write_register,
)
from hil.units import SECOND, ms
from hil.world.bytenode import Send, Shut
from tests.mutation import COUNT, mutated, size

UNIT = 17
EVERY = 1_000
ROOM = COUNT
"""Bytes by which it may differ after half of them and at the end: two a request, for registers asked for first then."""
REQUESTS: tuple[Request, ...] = (
    read_coils(0, 20),
    read_holding(0, 12),
    read_input(5, 3),
    write_coil(7, on=True),
    write_register(9, 77),
    WriteCoils(3, (True, False, True)),
    WriteRegisters(12, (1, 2, 3)),
    MaskWrite(4, 0xFF, 0x12),
    ReadWrite(0, 5, 10, (8, 9)),
)
GOOD = read_holding(0)


class Runner:
    def __init__(self) -> None:
        self.device = ModbusDevice(reference(reference_map()), "tcp", "serial")
        self.now = SECOND
        self.channel = 1
        self.device.opened("tcp", 1, self.now)

    def give(self, line: str, data: bytes) -> list[bytes]:
        """What it sends; a connection that it closes is opened again."""
        self.now += ms(50) + len(data) * ms(1)
        self.device.received(line, self.channel if line == "tcp" else 0, data, "", self.now)
        until = self.now + ms(100)
        steps = 0
        while (due := self.device.next_deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            self.device.wake(self.now)
            steps += 1
            assert steps < 1000, "it never comes to rest"
        self.now = until
        wishes, self.device.wishes = self.device.wishes, []
        sent = [wish.data for wish in wishes if isinstance(wish, Send)]
        for piece in sent if line == "serial" else ():
            self.device.received("serial", 0, piece, "", self.now)
        if any(isinstance(wish, Shut) for wish in wishes):
            self.channel += 1
            self.device.opened("tcp", self.channel, self.now)
        return sent


@pytest.mark.parametrize("line", ["tcp", "serial"])
def test_mutated_requests(line: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "pymodbus.logging")  # it tells of each
    draw = random.Random(f"modbus {line}")
    runner = Runner()
    pdus = [each.encode() for each in REQUESTS]
    frames = [encode_tcp(at, UNIT, pdu) if line == "tcp" else encode_rtu(UNIT, pdu) for at, pdu in enumerate(pdus)]
    good = encode_tcp(9, UNIT, GOOD.encode()) if line == "tcp" else encode_rtu(UNIT, GOOD.encode())
    answered = early = 0
    for index in range(COUNT):
        if line == "serial" and index % 2:
            data = encode_rtu(UNIT, mutated(draw, pdus[index % len(pdus)]))  # else next to none would be read
        else:
            data = mutated(draw, frames[index % len(frames)])
        answered += bool(runner.give(line, data))
        if index % EVERY == 0:
            if line == "tcp":  # the rest of a frame may still be awaited
                runner.device.ended("tcp", runner.channel, "reset", runner.now)
                runner.device.opened("tcp", runner.channel, runner.now)
            assert runner.give(line, good), index
        if index == COUNT // 2:
            early = size(runner.device)
    assert COUNT // 10 < answered < COUNT
    assert size(runner.device) < early + ROOM
