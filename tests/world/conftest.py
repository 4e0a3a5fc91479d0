"""A node that behaves: it tells at each instant of a timetable, hears everything and keeps what it was told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hil.bus.can import VirtualCan
from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.plant import PRESETS, Plant
from hil.protocol.gbt27930 import edition
from hil.units import FAR, Instant
from hil.world.observation import Note
from hil.world.virtual import VirtualWorld


class Speaker:
    """Sends the frames of a timetable, each at its instant; obeys ``say`` and ``set``."""

    def __init__(self, name: str, timetable: Mapping[Instant, CanFrame] | None = None) -> None:
        self.name = name
        self.out: list[CanFrame] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self.heard: list[tuple[Instant, CanFrame]] = []
        self.signals: list[tuple[Instant, str, float]] = []
        self.orders: list[tuple[Instant, str]] = []
        self.woken: list[Instant] = []
        self.timetable = dict(timetable or {})

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self.heard.append((now, frame))

    def signal(self, name: str, value: float, now: Instant) -> None:
        self.signals.append((now, name, value))

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        self.orders.append((now, verb))
        if verb == "say":
            self.out.append(CanFrame(arguments["id"], bytes.fromhex(arguments["data"])))
        elif verb == "set":
            self.actuations.extend(arguments.items())
        elif verb == "postpone":
            self.timetable = {at + arguments["by"]: frame for at, frame in self.timetable.items()}
        else:
            raise UsageError(f"{self.name} does not know the order {verb!r}; it knows postpone, say, set")

    def wake(self, now: Instant) -> None:
        self.woken.append(now)
        for at in [at for at in self.timetable if at <= now]:
            self.out.append(self.timetable.pop(at))

    def next_deadline(self) -> Instant:
        return min(self.timetable, default=FAR)


class Bare:
    """A world with a bus, a plant and two speakers."""

    def __init__(self, seed: int = 1, **timetables: Mapping[Instant, CanFrame]) -> None:
        self.world = VirtualWorld(seed, edition("2015"))
        self.bus = VirtualCan(self.world.queue, bitrate=250_000, name="can0", sink=self.world.see)
        self.world.add_line(self.bus)
        self.plant = Plant(PRESETS["car-400v"], soc=40.0, temperature=25.0)
        self.world.add_plant(self.plant)
        self.charger = Speaker("charger", timetables.get("charger"))
        self.vehicle = Speaker("vehicle", timetables.get("vehicle"))
        self.world.add_node(self.charger, self.bus)
        self.world.add_node(self.vehicle, self.bus)


@pytest.fixture
def bare() -> type[Bare]:
    return Bare
