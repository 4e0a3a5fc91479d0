"""Broken bytes for as long as a test can take: no machine of a serial line keeps more of them than it must."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from hil.dut.dlt645 import Meter
from hil.dut.rapi import Console, ConsoleSpec
from hil.protocol.dlt645 import Frame, Master, di_bytes
from hil.protocol.rapi import Client, encode
from hil.protocol.scpi import ScpiClient
from hil.tester.dlt645 import MeterReader, MeterStandIn
from hil.tester.rapi import ConsoleClient
from hil.tester.scpi import Instrument, ScpiDriver
from hil.units import Instant, ms, s
from tests.dut.rapi.pilot import PilotCharger
from tests.mutation import mutated, size

SETTLED, COUNT = 3_000, 20_000
ROOM = 4_000
"""Bytes by which a machine may differ between two moments: buffers that are more or less full."""
METER = "000000000161"
RAPI = (
    *(encode("GS", sequence=5), encode("SC", "16"), b"debug text\r\n", encode("OK", "01", "0", "01", "0000")),
    *(encode("AT", "01", "01", "16", "0000"), b"$$$", encode("FE"), encode("S4", "1")),
)
DLT645 = (
    Frame(METER, 0x11, di_bytes(0x00010000)).encode(),
    Frame(METER, 0x91, di_bytes(0x00010000) + bytes(4)).encode(),
    Frame(METER, 0xB1, di_bytes(0x0001FF00) + bytes(180)).encode(0),
    Frame("9" * 12, 0x16, b"\x99" * 4).encode(),
    Frame(METER, 0x14, di_bytes(0x04000402) + b"\x02" + bytes(13)).encode(),
    b"\x68" * 30,
)
SCPI = (
    b"CURR 5;VOLT?\n",
    b"SYST:ERR?\n",
    b"FOO\n",
    b"48.00V\r\n",
    b"INP ON;:LIST:CURR 1,2,3\n",
    b"INIT;*TRG;*OPC?\n",
    b'"',
)


def sense(name: str, now: Instant) -> float:
    return 1.0


def console() -> Console:
    spec = ConsoleSpec()
    made = Console("console", "line", PilotCharger(spec, sense), spec)
    made.wake(spec.boot)
    return made


MACHINES: dict[str, tuple[Callable[[], Any], tuple[bytes, ...]]] = {
    "RAPI client": (Client, RAPI),
    "RAPI client's node": (lambda: ConsoleClient("client", "line"), RAPI),
    "RAPI console": (console, RAPI),
    "DL/T 645 master": (Master, DLT645),
    "DL/T 645 reader": (lambda: MeterReader("reader", "line"), DLT645),
    "DL/T 645 meter": (lambda: Meter("meter", "line", sense), DLT645),
    "DL/T 645 stand-in": (lambda: MeterStandIn("meter", "line", sense, {0x00010000: ("e", 1.0)}, METER), DLT645),
    "SCPI client": (ScpiClient, SCPI),
    "SCPI driver": (lambda: ScpiDriver("driver", "line"), SCPI),
    "SCPI instrument": (lambda: Instrument("load", "line", sense), SCPI),
}


def ask(machine: Any, now: Instant) -> None:
    """Something to wait for, where the machine asks."""
    if isinstance(machine, Client):
        machine.request("GS", now=now)
    elif isinstance(machine, Master):
        machine.read(METER, 0x00010000, now=now)
    elif isinstance(machine, ScpiClient):
        machine.send("VOLT?", now=now)
    elif isinstance(machine, ConsoleClient):
        machine.order("request", {"name": "GS"}, now)
    elif isinstance(machine, MeterReader):
        machine.order("read", {"address": METER, "di": 0x00010000}, now)
    elif isinstance(machine, ScpiDriver):
        machine.order("send", {"text": "VOLT?"}, now)


def hear(machine: Any, data: bytes, flaw: str, now: Instant) -> None:
    if hasattr(machine, "received"):
        machine.received("line", 0, data, flaw, now)
        for told in (machine.wishes, machine.notes, machine.actuations):
            told.clear()
    else:
        machine.receive(data, now, flaw)
        machine.take_output()
        machine.take_events()


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_does_not_grow_with_what_it_hears(name: str) -> None:
    make, lines = MACHINES[name]
    rng, machine, now, early = random.Random(name), make(), s(1), 0
    for number in range(COUNT):
        now += rng.choice((0, ms(1), ms(40), ms(600), s(3)))
        if number % 3 == 0:
            ask(machine, now)
        hear(machine, mutated(rng, rng.choice(lines)), "framing" if number % 40 == 0 else "", now)
        machine.wake(now)
        if number == SETTLED:
            now += s(200)
            machine.wake(now)
            early = size(machine)
    now += s(200)
    machine.wake(now)
    hear(machine, b"", "framing", now)
    assert size(machine) < early + ROOM
