"""What a world asks of a node, and the runner that drives one.

A node is sans-IO: it is told of frames, signals, orders and instants, and leaves behind frames to
send, actuations, notes and its next deadline. The same node runs in every kind of world.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from hil.bus.lines import FramePort
from hil.codec.frame import CanFrame
from hil.native import mypyc_attr
from hil.units import FAR, Instant
from hil.world.observation import Note, Scalar
from hil.world.queue import EventQueue

Sense = Callable[[str, Instant], float]
"""Reads one declared sensor of the plant at an instant; booleans are 0 and 1."""


class Node(Protocol):
    """A controller or a stand-in, without any I/O of its own."""

    name: str
    out: list[CanFrame]
    """Frames to send, in order; the runner takes them away."""
    actuations: list[tuple[str, float]]
    """Settings of declared actuators; the runner takes them away and the plant sees them later."""
    notes: list[Note]
    """What is worth an observation; the runner takes them away."""

    def receive(self, frame: CanFrame, now: Instant) -> bool | None:
        """A frame of another node has ended on the bus. True where it leaves nothing behind, and no nearer deadline."""

    def signal(self, name: str, value: float, now: Instant) -> None:
        """A digital sensor of the plant has changed."""

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """The bench wants something; an unknown verb raises :class:`hil.errors.UsageError`."""

    def wake(self, now: Instant) -> None:
        """The deadline has come."""

    def next_deadline(self) -> Instant:
        """When to wake next, :data:`hil.units.FAR` for never; waking too early does no harm."""


@mypyc_attr(allow_interpreted_subclasses=True)
class NodeRunner:
    """Binds one node to the queue, to a bus port and to the plant."""

    __slots__ = ("_actuate", "_next", "_note", "_queue", "node", "port")

    def __init__(
        self,
        node: Node,
        queue: EventQueue,
        actuate: Callable[[str, float], None],
        note: Callable[[Note], None],
    ) -> None:
        self.node = node
        self.port: FramePort | None = None
        self._queue = queue
        self._actuate = actuate
        self._note = note
        self._next: Instant = FAR

    def on_frame(self, frame: CanFrame, now: Instant) -> None:
        """Hand a received frame to the node."""
        node = self.node
        if node.receive(frame, now):
            return
        # Most frames leave nothing behind.
        if node.out or node.actuations or node.notes or node.next_deadline() < self._next:
            self.settle()

    def on_signal(self, name: str, value: float) -> None:
        """Hand a changed sensor to the node."""
        self.node.signal(name, value, self._queue.now)
        self.settle()

    def on_order(self, verb: str, arguments: Mapping[str, Any]) -> None:
        """Hand an order of the bench to the node."""
        self.node.order(verb, arguments, self._queue.now)
        self.settle()

    def settle(self) -> None:
        """Carry away what the node left behind and note when it wants to wake."""
        node = self.node
        if node.out:
            port = self.port
            if port is not None:
                for frame in node.out:
                    port.send(frame)
            node.out.clear()
        if node.actuations:
            for name, value in node.actuations:
                self._actuate(name, value)
            node.actuations.clear()
        if node.notes:
            for note in node.notes:
                self._note(note)
            node.notes.clear()
        deadline = node.next_deadline()
        if deadline < self._next:
            self._next = deadline
            self._queue.at(deadline, self._wake)

    def _wake(self) -> None:
        now = self._queue.now
        if now < self._next:
            return  # an earlier deadline has replaced this one
        self._next = FAR
        self.node.wake(now)
        self.settle()


def scalars(values: Mapping[str, Any]) -> dict[str, Scalar]:
    """Details of a note: what is not a plain scalar is shown as text."""
    return {key: value if isinstance(value, bool | int | float | str) else str(value) for key, value in values.items()}
