"""A box written without our wire layer, and worlds in which a plant is carried to it or to a controller."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from hil.bus.serial import SerialFormat, VirtualSerial
from hil.bus.tcp import VirtualTcp
from hil.plant import PRESETS, Plant
from hil.plant.signals import SAFE_STATE, SIGNALS
from hil.tester.signals import BridgeSettings, PlantBridge
from hil.units import Instant, Span
from hil.world.bytenode import Send, Wish
from hil.world.observation import Note
from hil.world.plan import Advance, Do, Inject, Stimulate, UndoFault
from hil.world.virtual import VirtualWorld

BAUD = 115_200
CHARGER = {
    each.name: {"kind": each.kind, "unit": each.unit, "low": each.low, "high": each.high}
    for each in SIGNALS
    if each.side == "charger" and each.kind != "stimulus"
}


class PlainBox:
    """Does as the reference page says, and keeps what it was asked for. ``mute``: it hears, and says nothing."""

    def __init__(self, signals: Mapping[str, Any]) -> None:
        self.name = "box"
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self.signals = signals
        self.asked: list[tuple[Instant, dict[str, Any]]] = []
        self.values: dict[str, float] = {}
        self.subscribed: list[str] = []
        self.mute = False
        self.version = 1
        self.answers: dict[str, dict[str, Any]] = {}
        """Other answers than the right ones, by the request's key."""
        self._channel = 0
        self._unread = b""

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        self._channel = channel
        *lines, self._unread = (self._unread + data).split(b"\n")
        for text in lines:
            if text and not flaw:
                request = json.loads(text)
                self.asked.append((now, request))
                self.say(self._answer(request) | {"id": request["id"]})

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        for key, answer in self.answers.items():
            if key in request:
                return answer
        if "hello" in request:
            return {"hello": self.version, "box": "plain", "signals": self.signals}
        if "set" in request:
            self.values |= request["set"]
            return {"ok": "set"}
        self.subscribed = request["subscribe"]
        return {"values": {name: self.values.get(name, 0) for name in self.subscribed}}

    def drive(self, **values: float) -> None:
        """The controller has driven actuators."""
        self.values |= values
        self.say({"event": values})

    def say(self, message: object) -> None:
        self.raw(json.dumps(message).encode() + b"\n")

    def raw(self, data: bytes) -> None:
        if not self.mute:
            self.wishes.append(Send("io", data, self._channel))

    def opened(self, line: str, channel: int, now: Instant) -> None: ...

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        self._unread = b""

    def signal(self, name: str, value: float, now: Instant) -> None: ...

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None: ...

    def wake(self, now: Instant) -> None: ...

    def next_deadline(self) -> Instant | None:
        return None

    def sets(self, name: str) -> list[tuple[Instant, float]]:
        """When a sensor was set, and to what."""
        return [(t, each["set"][name]) for t, each in self.asked if name in each.get("set", ())]


class Carried:
    """A world with a plant, and a box that it is carried to."""

    def __init__(
        self,
        line: str = "tcp",
        *,
        signals: Mapping[str, Any] = CHARGER,
        settings: BridgeSettings | None = None,
        baud: int = BAUD,
        **bridge: Any,
    ) -> None:
        self.world = VirtualWorld(1)
        self.plant = Plant(PRESETS["car-400v"], soc=40.0, temperature=25.0)
        self.world.add_plant(self.plant)
        self.box = PlainBox(signals)
        self.link: VirtualTcp | VirtualSerial
        tcp = line == "tcp"
        self.bridge = PlantBridge(
            "bridge", "io", self.world.sense, SIGNALS, safe=SAFE_STATE, tcp=tcp, settings=settings, **bridge
        )
        if tcp:
            self.link = VirtualTcp(self.world.queue, name="io", sink=self.world.see)
            self.runner = self.world.add_byte_node(self.box, serves=self.link)
        else:
            self.link = VirtualSerial(self.world.queue, name="io", sink=self.world.see, line_format=SerialFormat(baud))
            self.runner = self.world.add_byte_node(self.box, self.link)
        self.world.add_line(self.link)
        self.world.add_byte_node(self.bridge, self.link)
        self.notes: list[Note] = []

    def run(self, until: Instant) -> None:
        reply = self.world.execute(Advance(until))
        self.notes += [each for each in reply.observations if isinstance(each, Note)]

    def let(self, span: Span) -> None:
        self.run(self.world.queue.now + span)

    def stimulate(self, name: str, value: float) -> None:
        self.world.execute(Do((Stimulate(name, value),)))

    def inject(self, fault: Any) -> None:
        self.world.execute(Do((Inject(fault, "io"),)))

    def undo(self) -> None:
        self.world.execute(Do((UndoFault(bus="io", name=""),)))

    def drive(self, **values: float) -> None:
        self.box.drive(**values)
        self.runner.settle()

    def raw(self, data: bytes) -> None:
        self.box.raw(data)
        self.runner.settle()

    def sense(self, name: str) -> float:
        return self.plant.sense(name, self.world.queue.now)

    def told(self, what: str) -> list[Note]:
        """Notes about the port."""
        return [note for note in self.notes if note.kind == "signals" and note.what == what]


@pytest.fixture
def carried() -> type[Carried]:
    return Carried
