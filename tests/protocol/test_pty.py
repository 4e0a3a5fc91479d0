"""RAPI, DL/T 645 and SCPI over a real pseudo-terminal with pyserial at one end: the bytes are all they need."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from typing import Protocol

import pytest
import serial

from hil.dut.dlt645 import Meter
from hil.dut.rapi import Console
from hil.dut.rapi import reference as console_reference
from hil.protocol import dlt645, rapi, scpi
from hil.tester.scpi import Instrument
from hil.units import Instant, ms, s
from hil.world.bytenode import ByteNode, Send
from tests.dut.rapi.pilot import PilotCharger

PATIENCE = 10.0
"""Seconds until a byte that was written has to be readable."""


class Asking(Protocol):
    """What the three clients have in common."""

    @property
    def idle(self) -> bool: ...

    def receive(self, data: bytes, now: Instant, flaw: str = "") -> None: ...

    def wake(self, now: Instant) -> None: ...

    def next_deadline(self) -> Instant | None: ...

    def take_output(self) -> bytes: ...


class Wire:
    """A node at the master's end, a client over pyserial at the other; time is a number that we move."""

    def __init__(self, node: ByteNode, **port: object) -> None:
        self.node = node
        self.now: Instant = s(1)
        self.master, self.slave = os.openpty()
        self.port = serial.Serial(os.ttyname(self.slave), timeout=0, **port)
        self.node.wake(self.now)

    def close(self) -> None:
        self.port.close()
        os.close(self.master)
        os.close(self.slave)

    def to_node(self, data: bytes) -> None:
        """Through the line, in whatever pieces the kernel hands over."""
        self.port.write(data)
        left = len(data)
        while left:
            assert select.select([self.master], [], [], PATIENCE)[0], f"{left} bytes never came"
            piece = os.read(self.master, left)
            left -= len(piece)
            self.node.received("tty", 0, piece, "", self.now)

    def to_client(self, data: bytes, client: Asking) -> None:
        os.write(self.master, data)
        left = len(data)
        while left:
            assert select.select([self.port.fileno()], [], [], PATIENCE)[0], f"{left} bytes never came"
            piece = self.port.read(left)
            left -= len(piece)
            client.receive(piece, self.now)

    def carry(self, client: Asking) -> None:
        """Until nothing is left to say."""
        for _ in range(1000):
            output = client.take_output()
            if output:
                self.to_node(output)
            wishes, self.node.wishes = self.node.wishes, []
            for wish in wishes:
                assert isinstance(wish, Send)
                self.to_client(wish.data, client)
            if client.idle and not output and not wishes:
                return
            if not output and not wishes:
                dues = [due for due in (client.next_deadline(), self.node.next_deadline()) if due is not None]
                self.now = max(self.now, min(dues))
                self.node.wake(self.now)
                client.wake(self.now)
        raise AssertionError("they never come to an end")


def values(name: str, now: Instant) -> float:
    return {"cp_high": 9.0, "cp_low": -12.0, "pe_ok": 1.0, "mains_voltage": 231.0, "meter_energy": 0.26}.get(name, 0.0)


@pytest.fixture
def wires() -> Iterator[list[Wire]]:
    opened: list[Wire] = []
    yield opened
    for wire in opened:
        wire.close()


def test_a_console_is_asked_over_a_pty(wires: list[Wire]) -> None:
    spec = console_reference().but(chatter=("debug $ text",))
    wire = Wire(Console("charger", "tty", PilotCharger(spec, values), spec), baudrate=115200)
    wires.append(wire)
    client = rapi.Client()
    for name in ("GV", "GG", "GS", "SC 10", "XX"):
        client.request(*name.split(" "), now=wire.now)
    wire.carry(client)
    replies = [event for event in client.take_events() if isinstance(event, rapi.Reply)]
    assert [reply.ok for reply in replies] == [True, True, True, True, False]
    assert replies[1].values == {"current": 0, "voltage": 231_000}
    assert replies[3].values == {"amps": 10}


def test_a_meter_is_read_over_a_pty(wires: list[Wire]) -> None:
    wire = Wire(Meter("meter", "tty", values), baudrate=2400, parity=serial.PARITY_EVEN)
    wires.append(wire)
    master = dlt645.Master()
    master.read_address(now=wire.now)
    for di in (0x00010000, 0x0001FF00, 0x12345678):
        master.read("000000000161", di, now=wire.now)
    wire.carry(master)
    address, energy, block, refused = master.take_events()
    assert isinstance(address, dlt645.Answer)
    assert isinstance(energy, dlt645.Answer)
    assert isinstance(block, dlt645.Answer)
    assert isinstance(refused, dlt645.Refused)
    assert address.address == "000000000161"
    assert [value.number for value in energy.values] == [0.26]
    assert len(block.values) == 5


def test_an_instrument_is_driven_over_a_pty(wires: list[Wire]) -> None:
    wire = Wire(Instrument("load", "tty", lambda name, now: 48.0), baudrate=9600)
    wires.append(wire)
    client = scpi.ScpiClient()
    for line in ("CURR 5;:INP ON", "*IDN?", "MEAS:VOLT?", "*OPC?"):
        client.send(line, now=wire.now)
    wire.carry(client)
    answers = [event.text for event in client.take_events() if isinstance(event, scpi.Answer)]
    assert answers == ["HIL,SIMULATED LOAD,0001,1.0", "48.000", "1"]
    assert ("draw_current", 5.0) in wire.node.actuations


def test_pyserial_alone_can_talk_to_a_console(wires: list[Wire]) -> None:
    spec = console_reference()
    wire = Wire(Console("charger", "tty", PilotCharger(spec, values), spec), baudrate=115200)
    wires.append(wire)
    wire.to_node(b"$GV^35\r")
    wire.now += ms(50)
    wire.node.wake(wire.now)
    [sent] = [wish.data for wish in wire.node.wishes if isinstance(wish, Send) and wish.data.startswith(b"$OK")]
    os.write(wire.master, sent)
    assert select.select([wire.port.fileno()], [], [], PATIENCE)[0]
    wire.port.timeout = PATIENCE
    assert wire.port.read_until(b"\r") == b"$OK 8.2.3 5.2.1^2F\r"
