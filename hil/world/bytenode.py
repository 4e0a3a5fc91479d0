"""Nodes on byte lines: what a world asks of one, and the runner that drives it.

Such a node is sans-IO like any other: it is told of bytes, connections, signals, orders and instants,
and leaves behind what it wants sent, opened or closed, actuations, notes and its next deadline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, runtime_checkable

import msgspec

from hil.bus.lines import ByteLine, BytePort, StreamLine
from hil.bus.serial import Heard, SerialFormat
from hil.errors import UsageError
from hil.units import Instant
from hil.world.observation import Note
from hil.world.queue import EventQueue


class Send(msgspec.Struct, frozen=True):
    """Bytes for a line; ``channel`` is the connection on a TCP link, 0 on a serial line."""

    line: str
    data: bytes
    channel: int = 0


class Open(msgspec.Struct, frozen=True):
    """A connection is wanted; :meth:`ByteNode.opened` or :meth:`ByteNode.ended` answers."""

    line: str


class Shut(msgspec.Struct, frozen=True):
    """A connection is to end, in order or by reset."""

    line: str
    channel: int
    reset: bool = False


class SetFormat(msgspec.Struct, frozen=True):
    """The node's own UART on a serial line takes another format, after what it is sending."""

    line: str
    format: SerialFormat


Wish = Send | Open | Shut | SetFormat


class ByteNode(Protocol):
    """A controller, a meter, an instrument or a stand-in on byte lines, without any I/O of its own."""

    name: str
    wishes: list[Wish]
    """In order; the runner takes them away."""
    actuations: list[tuple[str, float]]
    """Settings of declared actuators; the runner takes them away and the plant sees them later."""
    notes: list[Note]
    """What is worth an observation; the runner takes them away."""

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes have come; ``flaw`` tells what a UART would: ``parity``, ``framing``, ``collision`` or nothing."""

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """A connection is open."""

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """A connection has ended: ``closed``, ``reset`` or ``refused``."""

    def signal(self, name: str, value: float, now: Instant) -> None:
        """A digital sensor of the plant has changed."""

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """The bench wants something; an unknown verb raises :class:`hil.errors.UsageError`."""

    def wake(self, now: Instant) -> None:
        """The deadline has come."""

    def next_deadline(self) -> Instant | None:
        """When to wake next; waking too early does no harm."""


@runtime_checkable
class Parting(Protocol):
    """A byte node that has something to say when a live world goes to its safe state."""

    def part(self, now: Instant, *, waited: bool) -> bool:
        """Leave the wish of what switches off that this node has switched on, and nothing else; nobody waits for
        answers. False: ask again soon, because the line is in use, or not everything is said. ``waited``: there is
        no more time for an answer that is under way.

        From the first call on, nothing else that the node wishes for is carried out.
        """


class _TcpEnd:
    """A node's end of a TCP link."""

    def __init__(self, runner: ByteNodeRunner, line: str) -> None:
        self._runner = runner
        self._line = line

    def on_opened(self, channel: int) -> None:
        """Hand on."""
        self._runner.node.opened(self._line, channel, self._runner.now)
        self._runner.settle()

    def on_data(self, channel: int, data: bytes) -> None:
        """Hand on."""
        self._runner.node.received(self._line, channel, data, "", self._runner.now)
        self._runner.settle()

    def on_ended(self, channel: int, kind: str) -> None:
        """Hand on."""
        self._runner.node.ended(self._line, channel, kind, self._runner.now)
        self._runner.settle()


class ByteNodeRunner:
    """Binds one node to the queue, to its lines and to the plant."""

    def __init__(
        self,
        node: ByteNode,
        queue: EventQueue,
        actuate: Callable[[str, float], None],
        note: Callable[[Note], None],
    ) -> None:
        self.node = node
        self._queue = queue
        self._actuate = actuate
        self._note = note
        self.settled: Callable[[], None] | None = None
        """Called when all that the node left has been carried away: for a node that is the world's plant."""
        self._parting = self._parted = False
        self._next: Instant | None = None
        self._serial: dict[str, BytePort] = {}
        self._tcp: dict[str, StreamLine] = {}

    @property
    def now(self) -> Instant:
        """The present instant."""
        return self._queue.now

    def join(self, line: ByteLine | StreamLine, *, server: bool = False) -> None:
        """Put the node on a line; on a TCP link as the server or as a client."""
        if line.kind == "tcp":
            line.attach(self.node.name, _TcpEnd(self, line.name), server=server)
            self._tcp[line.name] = line
        else:
            self._serial[line.name] = line.attach(self.node.name, partial(self._heard, line.name))

    def _heard(self, line: str, heard: Heard) -> None:
        self.node.received(line, 0, heard.data, heard.flaw, self._queue.now)
        self.settle()

    def on_signal(self, name: str, value: float) -> None:
        """Hand a changed sensor to the node."""
        self.node.signal(name, value, self._queue.now)
        self.settle()

    def on_order(self, verb: str, arguments: Mapping[str, Any]) -> None:
        """Hand an order of the bench to the node."""
        self.node.order(verb, arguments, self._queue.now)
        self.settle()

    @property
    def parts(self) -> bool:
        """Whether the node has last words, and has not said all of them."""
        return isinstance(self.node, Parting) and not self._parted

    def part(self, *, waited: bool) -> bool:
        """Let the node have its last words; whether it has said something."""
        node: object = self.node
        assert isinstance(node, Parting), "asked of a node that has last words"
        self._parting = True
        self._parted = node.part(self._queue.now, waited=waited)
        said = bool(self.node.wishes)
        self._carry_wishes()
        self.settle()
        return said

    def settle(self) -> None:
        """Carry away what the node left behind and note when it wants to wake."""
        node = self.node
        if self._parting:
            node.wishes.clear()
        self._carry_wishes()
        for name, value in node.actuations:
            self._actuate(name, value)
        node.actuations.clear()
        for note in node.notes:
            self._note(note)
        node.notes.clear()
        deadline = node.next_deadline()
        if deadline is not None and (self._next is None or deadline < self._next):
            self._next = max(deadline, self._queue.now)
            self._queue.at(self._next, self._wake)
        if self.settled is not None:
            self.settled()

    def _carry_wishes(self) -> None:
        node = self.node
        while node.wishes:
            wishes, node.wishes = node.wishes, []
            for wish in wishes:
                self._fulfil(wish)

    def _fulfil(self, wish: Wish) -> None:
        if wish.line in self._serial:
            self._fulfil_on_serial(self._serial[wish.line], wish)
            return
        link = self._tcp.get(wish.line)
        if link is None:
            lines = ", ".join([*self._serial, *self._tcp]) or "none"
            raise UsageError(f"{self.node.name} is not on a line {wish.line!r}; it is on {lines}")
        if isinstance(wish, Send):
            link.send(self.node.name, wish.channel, wish.data)
        elif isinstance(wish, Open):
            link.open(self.node.name)
        elif isinstance(wish, SetFormat):
            raise UsageError(f"{self.node.name}: {wish.line} is a TCP link, it has no {wish.format}")
        elif wish.reset:
            link.reset(self.node.name, wish.channel)
        else:
            link.close(self.node.name, wish.channel)

    def _fulfil_on_serial(self, port: BytePort, wish: Wish) -> None:
        if isinstance(wish, Send):
            port.write(wish.data)
        elif isinstance(wish, SetFormat):
            if port.busy_until > self._queue.now:
                self._queue.at(port.busy_until, partial(port.retune, wish.format))
            else:
                port.retune(wish.format)
        else:
            raise UsageError(f"{self.node.name}: {wish.line} is a serial line, there is nothing to open or shut")

    def _wake(self) -> None:
        now = self._queue.now
        if self._next is None or now < self._next:
            return  # an earlier deadline has replaced this one
        self._next = None
        self.node.wake(now)
        self.settle()
