"""The example box: by a client of sockets and JSON alone, and by the bench's own node, over TCP, UDP and a serial line.

The port is bound to a free number of the loopback interface. Nothing is judged by the clock on the wall: what is
waited for must come at all.
"""

from __future__ import annotations

import json
import os
import re
import select
import socket
import subprocess
import sys
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hil.plant import PRESETS, Plant
from hil.plant.signals import SAFE_STATE, SIGNALS
from hil.rig.ports import SignalsPortSettings
from hil.tester.signals import PlantBridge
from hil.transport.live import LiveWorld
from hil.transport.ports import open_line
from hil.units import s
from hil.world.observation import Note
from hil.world.plan import Advance, Close, Do, OnNote, OnSignal, Stimulate

BOX = Path(__file__).resolve().parents[2] / "examples" / "signals_box.py"
PATIENCE = 10.0
"""Seconds until what has to come must have come."""
TRANSPORTS = ["tcp", "udp", "pty"]

Start = Callable[[str], str]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a box; gives the place that it prints."""
    running: list[subprocess.Popen[str]] = []

    def run(transport: str) -> str:
        options = ["--pty"] if transport == "pty" else [f"--{transport}", "127.0.0.1:0"]
        box = subprocess.Popen([sys.executable, str(BOX), *options], stdout=subprocess.PIPE, text=True)
        running.append(box)
        assert box.stdout is not None
        found = re.fullmatch(r"listening on (\S+)\n", box.stdout.readline())
        assert found is not None
        return found[1]

    yield run
    for box in running:
        box.terminate()
        assert box.wait(PATIENCE) is not None
        assert box.stdout is not None
        box.stdout.close()


class Plain:
    """Writes lines and reads lines."""

    def __init__(self, place: str) -> None:
        scheme, _, address = place.partition("://")
        self._socket: socket.socket | None = None
        if scheme in ("tcp", "udp"):
            host, _, port = address.rpartition(":")
            kind = socket.SOCK_STREAM if scheme == "tcp" else socket.SOCK_DGRAM
            self._socket = socket.socket(socket.AF_INET, kind)
            self._socket.connect((host, int(port)))
            self._handle = self._socket.fileno()
        else:
            self._handle = os.open(place, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(self._handle)
        self._unread = b""
        self._lines: list[dict[str, Any]] = []

    def raw(self, data: bytes) -> None:
        assert os.write(self._handle, data) == len(data)

    def say(self, message: object) -> None:
        self.raw(json.dumps(message).encode() + b"\n")

    def next(self) -> dict[str, Any]:
        while not self._lines:
            assert select.select([self._handle], [], [], PATIENCE)[0], "nothing came"
            piece = os.read(self._handle, 65536)
            assert piece, "it has hung up"
            *lines, self._unread = (self._unread + piece).split(b"\n")
            self._lines += [json.loads(each) for each in lines]
        return self._lines.pop(0)

    def ask(self, message: object) -> dict[str, Any]:
        self.say(message)
        return self.next()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        elif self._handle >= 0:
            os.close(self._handle)
        self._handle = -1


@pytest.fixture
def plain(start: Start) -> Iterator[Callable[[str], Plain]]:
    """A plain client of a fresh box."""
    opened: list[Plain] = []

    def run(place: str) -> Plain:
        opened.append(Plain(start(place) if place in TRANSPORTS else place))
        return opened[-1]

    yield run
    for each in opened:
        each.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_box_says_what_it_has_and_does_as_it_is_told(plain: Callable[[str], Plain], transport: str) -> None:
    client = plain(transport)
    hello = client.ask({"hello": 1, "id": 1})
    assert (hello["hello"], hello["id"], len(hello["signals"])) == (1, 1, 20)
    assert hello["signals"]["dac_1"] == {"kind": "sensor", "unit": "V", "low": -15, "high": 15}
    assert client.ask({"subscribe": ["input_1", "adc_1"], "id": 2})["values"] == {"input_1": 0, "adc_1": 0}
    assert client.ask({"set": {"relay_1": 1, "relay_2": True, "dac_1": -3.5}, "id": 3})["ok"] == "set"
    assert client.next()["event"] == {"input_1": 1, "adc_1": -3.5}
    assert client.ask({"get": ["input_2", "relay_2"]})["values"] == {"input_2": 1, "relay_2": 1}


@pytest.mark.parametrize(
    "line",
    [
        b"help",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"set":[]}',
        b'{"set":{"relay_1":"on"}}',
        b'{"set":{"relay_1":1,"relay_99":1}}',
        b'{"set":{"dac_1":NaN}}',
        b'{"set":{"dac_1":1e999}}',
        b'{"set":{"input_1":1}}',
        b'{"get":"relay_1"}',
        b'{"get":[["relay_1"]]}',
        b'{"subscribe":["*"],"every":"often"}',
        b'{"subscribe":["relay_1"]}',
        b'{"hello":1,"watchdog":-1}',
        b"[" * 5000,
        b"x" * 20_000,
    ],
    ids=lambda line: line[:30].decode("latin-1"),
)
def test_what_makes_no_sense_is_refused_and_nothing_else_happens(plain: Callable[[str], Plain], line: bytes) -> None:
    client = plain("tcp")
    client.raw(line + b"\n")
    assert "error" in client.next()
    assert set(client.ask({"get": ["*"]})["values"].values()) == {0}


@pytest.mark.parametrize("how", ["closed", "silent"])
def test_outputs_fall_when_the_bench_has_gone(plain: Callable[[str], Plain], start: Start, how: str) -> None:
    place = start("tcp")
    bench, onlooker = plain(place), plain(place)
    bench.ask({"hello": 1, "watchdog": 0.2 if how == "silent" else 60})
    onlooker.ask({"subscribe": ["input_1"]})
    bench.ask({"set": {"relay_1": 1}})
    assert onlooker.next()["event"] == {"input_1": 1}
    if how == "closed":
        bench.close()
    assert onlooker.next()["event"] == {"input_1": 0}
    if how == "silent":
        assert bench.ask({"set": {"relay_1": 1}})["code"] == "hello"
        assert bench.ask({"hello": 1})["hello"] == 1
        assert bench.ask({"set": {"relay_1": 1}})["ok"] == "set"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_bench_carries_its_plant_to_the_box(start: Start, transport: str) -> None:
    """The output that shows the emergency stop is wired to the input that drives K3/K4, whose feedback comes back."""
    names = {
        "emergency_stop": "relay_1",
        "k3k4_command": "input_1",
        "k3k4_closed": "relay_2",
        "lock_command": "input_2",
    }
    world = LiveWorld(1)
    world.add_plant(Plant(PRESETS["car-400v"], soc=40.0, temperature=25.0))
    line: Any = open_line(world, SignalsPortSettings("io", start(transport)))
    bridge = PlantBridge("bridge", "io", world.sense, SIGNALS, safe=SAFE_STATE, names=names, tcp=line.kind == "tcp")
    world.add_byte_node(bridge, line)
    patience = s(PATIENCE)
    notes: list[Note] = []
    try:
        reply = world.execute(Advance(patience, (OnNote("port_delay", "io"),)))
        notes += [each for each in reply.observations if isinstance(each, Note)]
        assert reply.stopped_by == 0
        world.execute(Do((Stimulate("plugged", 1), Stimulate("emergency_press", 1))))
        reply = world.execute(Advance(reply.now + patience, (OnSignal("k3k4_closed", 0.5, 1),)))
        assert reply.stopped_by == 0, "K3/K4 close"
        reply = world.execute(Advance(reply.now + patience, (OnSignal("lock_engaged", 0.5, 1),)))
        assert reply.stopped_by == 0, "their feedback went out to the box and came back as the lock's drive"
    finally:
        world.execute(Close())
        world.queue.bell.close()
    [up] = [each for each in notes if each.what == "up"]
    assert (up.details["sensors"], up.details["actuators"]) == (2, 2)
