"""Whatever comes on its fronts, registers or console, the AC charger neither raises nor hangs nor grows."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator

import pytest

from hil.codec.map_file import shipped_map
from hil.dut.ac import AcCharger
from hil.dut.ac import reference as ac_reference
from hil.dut.ac.control import FrontMaker
from hil.dut.ac_modbus import modbus_front, reference
from hil.dut.ac_modbus.spec import ONE_OUTLET
from hil.dut.rapi.front import console_front
from hil.protocol.modbus import Read, WriteRegisters, encode_tcp, write_register
from hil.protocol.rapi import COMMANDS, encode
from hil.units import ms, s
from hil.world.bytenode import Send, Shut
from tests.mutation import COUNT, mutated, size

LINE = "line"
EVERY = 1_000
ROOM = COUNT // 2
"""Bytes by which it may differ after half of what comes and at the end, for what is first asked for in between."""
SENSED = {"cp_high": 9.0, "cp_low": -12.0, "pp_resistance": 220.0, "pe_ok": 1.0, "mains_present": 1.0}
WORDS = (0, 1, 0x4180, 0x7FC0, 0x7F80, 0xFF80, 0xBF80, 0xFFFF)
"""Parts of numbers, small and large, and of those that are none."""


class Alone:
    """A charger without a plant: it feels the same at all times."""

    def __init__(self, front: FrontMaker) -> None:
        self.charger = AcCharger(ac_reference(), lambda name, now: SENSED.get(name, 0.0), [front])
        self.now = s(10)
        self.channel = 1
        self.charger.wake(self.now)
        self.charger.opened(LINE, 1, self.now)

    def give(self, data: bytes, flaw: str = "") -> bytes:
        """What it sends; a connection that it closes is opened again."""
        self.charger.received(LINE, self.channel, data, flaw, self.now)
        self.now += ms(40)
        for _ in range(3):
            self.charger.wake(self.now)
            self.now += ms(20)
        wishes, self.charger.wishes = self.charger.wishes, []
        self.charger.actuations.clear()
        self.charger.notes.clear()
        if any(isinstance(wish, Shut) for wish in wishes):
            self.reconnect()
        return b"".join(wish.data for wish in wishes if isinstance(wish, Send))

    def reconnect(self) -> None:
        """Another connection in the place of the present one."""
        self.charger.ended(LINE, self.channel, "reset", self.now)
        self.channel += 1
        self.charger.opened(LINE, self.channel, self.now)


def requests(name: str, draw: random.Random) -> Iterator[bytes]:
    """Every read that the map plans, and writes of what can be written and of what cannot."""
    registers = shipped_map(name)
    for block in registers.plan():
        yield encode_tcp(1, block.unit_id, Read(block.function, block.address, block.count).encode())
    for each in registers.registers.values():
        if each.writable or draw.random() < 0.1:
            words = tuple(draw.choices(WORDS, k=each.size))
            for write in (WriteRegisters(each.address, words), write_register(each.address, words[0])):
                yield encode_tcp(2, each.unit_id, write.encode())


def endure(alone: Alone, pieces: list[bytes], good: bytes, draw: random.Random, count: int) -> int:
    """How many of so many mutated pieces were answered; the good one always is."""
    answered = early = 0
    for index in range(count):
        answered += bool(alone.give(mutated(draw, draw.choice(pieces)), "framing" if index % 50 == 7 else ""))
        if index % EVERY == 0:
            alone.reconnect()  # the rest of a frame may still be awaited
            alone.now += s(10)
            alone.give(b"")
            assert alone.give(good), index
        if index == count // 2:
            early = size(alone.charger)
    assert size(alone.charger) < early + ROOM
    return answered


@pytest.mark.parametrize("name", ONE_OUTLET)
def test_mutated_requests_of_registers(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "pymodbus.logging")  # it tells of each
    draw = random.Random(name)
    alone = Alone(modbus_front(LINE, reference(name)))
    pieces = list(requests(name, draw))
    share = COUNT // len(ONE_OUTLET)
    assert share // 10 < endure(alone, pieces, pieces[0], draw, share) < share


def test_mutated_lines_of_a_console() -> None:
    """Fewer, as the console by itself hears as many (tests/dut/rapi)."""
    draw, count = random.Random("console"), COUNT // 5
    alone = Alone(console_front(LINE))
    pieces = [encode(each, *(str(draw.randrange(300)) for _ in range(draw.randrange(4)))) for each in COMMANDS] * 5
    assert count // 10 < endure(alone, pieces, b"\r$GV^35\r", draw, count) < count
