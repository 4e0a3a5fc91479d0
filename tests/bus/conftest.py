"""A bus with named nodes, and what it told."""

from __future__ import annotations

from collections.abc import Callable

from hil.bus.can import CanPort, VirtualCan
from hil.bus.observe import BusErrorSeen, FrameSeen, Note
from hil.bus.timing import frame_bits
from hil.codec.frame import CanFrame
from hil.units import SECOND, Instant, us
from hil.world.queue import EventQueue

BIT = us(4)
CCS = CanFrame(0x1812F456, bytes.fromhex("E817FA0A0C00FD"))
BCL = CanFrame(0x181056F4, bytes.fromhex("6419F00A02"))
CEM = CanFrame(0x081FF456, bytes.fromhex("FDF0C0FC"))


def bits(frame: CanFrame) -> int:
    return frame_bits(frame.id, frame.data, frame.extended)


class Rig:
    """A bus with named nodes, everything it told and everything the nodes received."""

    def __init__(self, *names: str, bitrate: int = 250_000) -> None:
        self.queue = EventQueue()
        self.told: list[FrameSeen | BusErrorSeen | Note] = []
        self.bus = VirtualCan(self.queue, bitrate=bitrate, sink=self.told.append)
        self.received: dict[str, list[tuple[Instant, CanFrame]]] = {}
        self.ports: dict[str, CanPort] = {}
        for name in names:
            self.attach(name)

    def attach(self, name: str) -> CanPort:
        got: list[tuple[Instant, CanFrame]] = []
        self.received[name] = got
        self.ports[name] = self.bus.attach(name, lambda frame, now: got.append((now, frame)))
        return self.ports[name]

    def at(self, instant: Instant, call: Callable[[], object]) -> None:
        self.queue.at(instant, lambda: (call(), None)[1])

    def send(self, name: str, frame: CanFrame, at: Instant = 0) -> None:
        self.queue.at(at, lambda: self.ports[name].send(frame))

    def run(self, until: Instant = SECOND) -> None:
        self.queue.run(until)

    @property
    def frames(self) -> list[FrameSeen]:
        return [one for one in self.told if isinstance(one, FrameSeen)]

    @property
    def errors(self) -> list[BusErrorSeen]:
        return [one for one in self.told if isinstance(one, BusErrorSeen)]

    def kinds(self, node: str) -> list[str]:
        return [error.kind for error in self.errors if error.node == node]
