"""A virtual TCP link: one server, any number of clients, segments in order after a latency.

A client opens a connection; the server hears of it and may close it. What is sent at once is one
segment. A cut link loses segments, openings and ends in silence (half-open); a reset ends the connection
for both. There is no retransmission: the link is reliable where no fault says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from hil.bus.bytefaults import (
    CorruptBytes,
    CutLine,
    InsertBytes,
    LineFault,
    LoseBytes,
    RefuseLine,
    RepeatBytes,
    ResetLine,
    SplitBytes,
    StallBytes,
)
from hil.bus.linefaults import Faulty, LineFaults, Shaped
from hil.bus.observe import BytesSeen, LineSeen, Note
from hil.bus.scheduler import Scheduler
from hil.errors import UsageError
from hil.units import Instant, Span, us

LATENCY: Span = us(200)
"""One way, from sending to arrival."""
KINDS = (
    LoseBytes,
    CorruptBytes,
    InsertBytes,
    SplitBytes,
    StallBytes,
    RepeatBytes,
    CutLine,
    ResetLine,
    RefuseLine,
)
"""Faults that a TCP link may have, a virtual one or a real one."""


class TcpUser(Protocol):
    """What a node on the link is told."""

    def on_opened(self, channel: int) -> None:
        """A connection is open."""

    def on_data(self, channel: int, data: bytes) -> None:
        """A segment has arrived."""

    def on_ended(self, channel: int, kind: str) -> None:
        """A connection has ended: ``closed``, ``reset`` or ``refused``."""


class _Connection:
    __slots__ = ("arrivals", "channel", "client", "left")

    def __init__(self, channel: int, client: str) -> None:
        self.channel = channel
        self.client = client
        self.arrivals: dict[str, Instant] = {}
        """Arrival of the last segment of each end: nothing overtakes."""
        self.left: set[str] = set()
        """Ends that have closed or reset it: nothing reaches them any more."""


class VirtualTcp(Faulty):
    """A link on a scheduler. ``sink`` is told of every segment and change of state."""

    kind: Final = "tcp"

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        name: str,
        sink: Callable[[BytesSeen | LineSeen | Note], None],
        latency: Span = LATENCY,
    ) -> None:
        if latency <= 0:
            raise UsageError(f"{name}: latency {latency} ns; above 0 is allowed")
        self.name = name
        self.latency = latency
        self.faults = LineFaults(name, scheduler, sink, KINDS)
        self._scheduler = scheduler
        self._sink = sink
        self._server: str | None = None
        self._users: dict[str, TcpUser] = {}
        self._connections: dict[int, _Connection] = {}
        self._count = 0

    def attach(self, name: str, user: TcpUser, *, server: bool = False) -> None:
        """A new node; exactly one is the server."""
        if name in self._users:
            raise UsageError(f"{self.name} has a node {name!r} already")
        if server and self._server is not None:
            raise UsageError(f"{self.name} has the server {self._server!r} already")
        self._users[name] = user
        if server:
            self._server = name

    def inject(self, fault: LineFault) -> None:
        """Put a fault on the link; raises :class:`UsageError` for one that does not fit it."""
        self.faults.add(fault, self._users)

    # --- for nodes ----------------------------------------------------------------------------------

    def open(self, client: str) -> int:
        """Ask the server for a connection; both are told after the latency. Returns its channel.

        On a cut link nobody is told anything; without a server it is refused. The server itself cannot
        ask: :class:`UsageError`.
        """
        if client == self._server:
            raise UsageError(f"{client} is the server of {self.name} and cannot open a connection to itself")
        self._count += 1
        channel = self._count
        connection = _Connection(channel, client)
        if self._cut(f"opening by {client}", client, self._server or ""):
            return channel
        refused = self._server is None or self.faults.refuses(client)
        call = partial(self._refused, connection) if refused else partial(self._opened, connection)
        if not refused:
            self._connections[channel] = connection
        self._scheduler.at(self._scheduler.now + self.latency, call)
        return channel

    def send(self, sender: str, channel: int, data: bytes) -> None:
        """Send one segment, as faults have it; on a connection that has ended it goes nowhere."""
        connection = self._connections.get(channel)
        if connection is None or sender in connection.left or not data:
            return
        shaped = self.faults.shape(sender, data) if self.faults.active else Shaped([(data, 0)])
        if shaped.reset:
            self._end(connection, "reset", "")
            return
        departure = self._scheduler.now + shaped.delay
        for part, gap in shaped.parts:
            departure = max(departure, connection.arrivals.get(sender, 0) - self.latency) + gap
            allowed = self.allows is None or sender == self._server or self.allows(sender, channel, part)
            if allowed and not self._cut(part.hex(" ").upper(), sender):
                self._put(connection, sender, part, departure)

    def close(self, node: str, channel: int) -> None:
        """End a connection in order; the other end is told after what was sent before."""
        self._leave(node, channel, "closed")

    def reset(self, node: str, channel: int) -> None:
        """End a connection at once, as by RST: what is under way is lost."""
        self._leave(node, channel, "reset")

    # --- inside -------------------------------------------------------------------------------------

    def _cut(self, what: str, *nodes: str) -> bool:
        return bool(self.faults.active) and any(self.faults.cut(node, what) for node in nodes if node)

    def _leave(self, node: str, channel: int, kind: str) -> None:
        connection = self._connections.get(channel)
        if connection is None or node in connection.left:
            return
        connection.left.add(node)
        if not self._cut(f"connection {channel} {kind}", node):
            self._end(connection, kind, node)

    def _other(self, connection: _Connection, node: str) -> str:
        assert self._server is not None, "a connection has a server"
        return connection.client if node == self._server else self._server

    def _opened(self, connection: _Connection) -> None:
        now = self._scheduler.now
        self._sink(LineSeen(now, self.name, connection.client, "opened", connection.channel))
        assert self._server is not None, "a refused connection does not come here"
        self._users[self._server].on_opened(connection.channel)
        self._users[connection.client].on_opened(connection.channel)

    def _refused(self, connection: _Connection) -> None:
        self._sink(LineSeen(self._scheduler.now, self.name, connection.client, "refused", connection.channel))
        self._users[connection.client].on_ended(connection.channel, "refused")

    def _put(self, connection: _Connection, sender: str, data: bytes, departure: Instant) -> None:
        arrival = departure + self.latency
        connection.arrivals[sender] = arrival
        self._scheduler.at(arrival, partial(self._arrive, connection, sender, data, departure))

    def _arrive(self, connection: _Connection, sender: str, data: bytes, departure: Instant) -> None:
        receiver = self._other(connection, sender)
        if connection.channel not in self._connections or receiver in connection.left:
            return
        if self._cut(data.hex(" ").upper(), sender):
            return
        self._sink(BytesSeen(self._scheduler.now, self.name, sender, data, departure, connection.channel))
        self._users[receiver].on_data(connection.channel, data)

    def _end(self, connection: _Connection, kind: str, by: str) -> None:
        """Tell the other end (both, when nobody did it) after the latency and what is under way."""
        told = [self._other(connection, by)] if by else [connection.client, str(self._server)]
        arrival = self._scheduler.now + self.latency
        if kind == "closed":
            arrival = max(arrival, connection.arrivals.get(by, 0))
        self._scheduler.at(arrival, partial(self._ended, connection, kind, by, told))

    def _ended(self, connection: _Connection, kind: str, by: str, told: list[str]) -> None:
        if self._connections.pop(connection.channel, None) is None:
            return
        self._sink(LineSeen(self._scheduler.now, self.name, by, kind, connection.channel))
        for node in told:
            if node not in connection.left:
                self._users[node].on_ended(connection.channel, kind)
