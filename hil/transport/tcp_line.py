"""TCP of the machine as a line of a live world: connections to a server, or the server's own.

The same calls as a virtual link's. Opening waits in a thread; everything else is done in the queue's own.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from hil.bus.bytefaults import LineFault
from hil.bus.linefaults import Faulty, LineFaults
from hil.bus.observe import BytesSeen, LineSeen, Note, Sent
from hil.bus.tcp import KINDS, TcpUser
from hil.errors import HilError, UsageError
from hil.transport.queue import LiveQueue
from hil.transport.reading import DescriptorReader
from hil.units import Instant, Span, ms, seconds

Sink = Callable[[Any], None]
Connect = Callable[[], socket.socket]
REFUSED = "refused"
"""Kind of the note that tells why a connection did not come about."""
_LARGEST = 65_536
_RETRY: Span = ms(1)
_UNSENT = 1 << 20
"""Bytes that may wait for a peer that takes none; then the connection is given up."""
_ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER: on, 0 s, so that closing is a reset."""


class _Channel:
    """One connection."""

    def __init__(self, number: int, port: socket.socket, node: str, take_in: Callable[[], None], queue: LiveQueue):
        self.number = number
        self.port = port
        self.node = node
        self.unsent = bytearray()
        self.retrying = False
        port.setblocking(False)
        with contextlib.suppress(OSError):  # what is no TCP has no such thing
            port.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = DescriptorReader(queue, port.fileno(), take_in)

    def end(self, *, reset: bool = False) -> None:
        """Close it."""
        self.reader.stop()
        with contextlib.suppress(OSError):
            if reset:
                self.port.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            self.port.close()


class LiveTcp(Faulty):
    """A TCP link on a live queue. ``connect`` opens a connection to the server; ``listener`` is the server's socket.

    One of the two is given: a world is on one side of a link, or (with both) on either.
    """

    kind: Final = "tcp"

    def __init__(
        self,
        queue: LiveQueue,
        *,
        name: str,
        sink: Sink,
        connect: Connect | None = None,
        listener: socket.socket | None = None,
        uncertainty: Span = 0,
    ) -> None:
        self.name = name
        self.lost = ""
        """Never said of a link: it is a connection that ends."""
        self.faults = LineFaults(name, queue, sink, KINDS)
        self._queue = queue
        self._sink = sink
        self._connect = connect
        self._listener = listener
        self._server: str | None = None
        self._users: dict[str, TcpUser] = {}
        self._channels: dict[int, _Channel] = {}
        self._count = 0
        self._connected: deque[tuple[int, str, socket.socket | Exception]] = deque()
        self._abandoned: set[int] = set()
        self._accepting: DescriptorReader | None = None
        queue.add_thread(self._take_connected)
        sink(Note(queue.now, "clock", name, {"kind": "user", "uncertainty_s": seconds(uncertainty)}))
        if listener is not None:
            listener.setblocking(False)
            self._accepting = DescriptorReader(queue, listener.fileno(), self._accept)

    # --- for nodes ----------------------------------------------------------------------------------

    def attach(self, name: str, user: TcpUser, *, server: bool = False) -> None:
        """A new node, as the server or as a client."""
        if name in self._users:
            raise UsageError(f"{self.name} has a node {name!r} already")
        if server and self._listener is None:
            raise UsageError(f"{self.name} is a connection to a server elsewhere; {name!r} cannot be its server")
        self._users[name] = user
        if server:
            self._server = name

    def open(self, client: str) -> int:
        """Ask for a connection; the node is told when it is open or refused. Returns its channel."""
        if self._connect is None:
            raise UsageError(f"{self.name} is the server's side; {client} cannot open a connection on it")
        self._count += 1
        channel = self._count
        if self.faults.active and self.faults.refuses(client):
            self._connected.append((channel, client, ConnectionRefusedError("refused by a fault")))
            self._queue.at(self._queue.now, self._take_connected)
        else:
            threading.Thread(target=self._open, args=(channel, client), name=f"{self.name} opens", daemon=True).start()
        return channel

    def send(self, sender: str, channel: int, data: bytes) -> None:
        """Send on a connection, as faults have it; on one that has ended it goes nowhere."""
        if not data or channel not in self._channels:
            return
        due = self._queue.now
        if not self.faults.active:
            self._write(sender, channel, data, due)
            return
        shaped = self.faults.shape(sender, data)
        if shaped.reset:
            self._end(channel, "reset", reset=True)
            return
        due += shaped.delay
        for part, gap in shaped.parts:
            due += gap
            if due == self._queue.now:
                self._write(sender, channel, part, due)
            else:
                self._queue.at(due, partial(self._write, sender, channel, part, due))

    def close(self, node: str, channel: int) -> None:
        """End a connection in order."""
        self._leave(node, channel, "closed")

    def reset(self, node: str, channel: int) -> None:
        """Break a connection, as by RST."""
        self._leave(node, channel, "reset")

    # --- opening ------------------------------------------------------------------------------------

    def _open(self, channel: int, client: str) -> None:
        assert self._connect is not None, "open() asked for it"
        try:
            self._connected.append((channel, client, self._connect()))
        except (OSError, HilError) as error:
            self._connected.append((channel, client, error))
        self._queue.bell.ring()

    def _take_connected(self) -> None:
        while self._connected:
            self._queue.at_stamp(self._queue.real(), partial(self._opened, *self._connected.popleft()))

    def _opened(self, channel: int, client: str, came: socket.socket | Exception) -> None:
        if isinstance(came, Exception):
            self._sink(LineSeen(self._queue.now, self.name, client, "refused", channel))
            self._sink(Note(self._queue.now, REFUSED, self.name, {"why": str(came)}))
            self._users[client].on_ended(channel, "refused")
        elif channel in self._abandoned:
            came.close()
        else:
            self._begin(channel, came, client)

    def _accept(self) -> None:
        assert self._listener is not None, "it is read"
        try:
            port, _ = self._listener.accept()
        except OSError:
            return  # it has gone again
        self._count += 1
        self._queue.at_stamp(self._queue.real(), partial(self._begin, self._count, port, self._server or ""))

    def _begin(self, channel: int, port: socket.socket, node: str) -> None:
        user = self._users.get(node)
        if user is None:
            port.close()
            return
        self._channels[channel] = _Channel(channel, port, node, partial(self._read, channel), self._queue)
        self._sink(LineSeen(self._queue.now, self.name, node, "opened", channel))
        user.on_opened(channel)

    # --- bytes --------------------------------------------------------------------------------------

    def _write(self, sender: str, channel: int, data: bytes, due: Instant) -> None:
        found = self._channels.get(channel)
        if found is None or (self.faults.active and self.faults.cut(sender, data.hex(" ").upper())):
            return
        if self.allows is not None and not self.allows(sender, channel, data):
            return
        if len(found.unsent) + len(data) > _UNSENT:
            self._end(channel, "reset", reset=True)
            return
        found.unsent += data
        gone = self._queue.real()
        self._sink(Sent(due, self.name, 0, max(0, gone - due)))
        self._sink(BytesSeen(gone, self.name, sender, data, gone, channel))
        if not found.retrying:
            self._flush(found)

    def _flush(self, found: _Channel) -> None:
        found.retrying = False
        if found.number not in self._channels:
            return
        try:
            while found.unsent:
                del found.unsent[: found.port.send(found.unsent)]
        except BlockingIOError:
            found.retrying = True
            self._queue.at(max(self._queue.now, self._queue.real()) + _RETRY, partial(self._flush, found))
        except OSError:
            self._end(found.number, "reset")

    def _read(self, channel: int) -> None:
        found = self._channels.get(channel)
        if found is None:
            return
        try:
            data = found.port.recv(_LARGEST)
        except BlockingIOError:
            return
        except OSError:
            self._queue.at_stamp(self._queue.real(), partial(self._end, channel, "reset"))
            found.reader.stop()
            return
        stamp = self._queue.real()
        if data:
            self._queue.at_stamp(stamp, partial(self._arrive, channel, data, stamp))
        else:
            found.reader.stop()
            self._queue.at_stamp(stamp, partial(self._end, channel, "closed"))

    def _arrive(self, channel: int, data: bytes, stamp: Instant) -> None:
        found = self._channels.get(channel)
        if found is None or (self.faults.active and self.faults.cut("", data.hex(" ").upper())):
            return
        self._sink(BytesSeen(stamp, self.name, "", data, stamp, channel))
        self._users[found.node].on_data(channel, data)

    # --- ends ---------------------------------------------------------------------------------------

    def _end(self, channel: int, kind: str, *, reset: bool = False) -> None:
        """A connection has ended from the other side, or by a fault."""
        found = self._channels.pop(channel, None)
        if found is None:
            return
        found.end(reset=reset)
        self._sink(LineSeen(self._queue.now, self.name, "", kind, channel))
        self._users[found.node].on_ended(channel, kind)

    def _leave(self, node: str, channel: int, kind: str) -> None:
        found = self._channels.pop(channel, None)
        if found is None:
            self._abandoned.add(channel)
            return
        found.end(reset=kind == "reset")
        self._sink(LineSeen(self._queue.now, self.name, node, kind, channel))

    def inject(self, fault: LineFault) -> None:
        """Put a fault on what nodes of this world send and open."""
        self.faults.add(fault, self._users)

    def shut(self) -> None:
        """Give every connection and the server's socket back."""
        for found in self._channels.values():
            found.end()
        self._channels.clear()
        if self._accepting is not None:
            self._accepting.stop()
        if self._listener is not None:
            self._listener.close()
