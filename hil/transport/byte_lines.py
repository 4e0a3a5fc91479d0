"""Serial ports and datagrams of the machine as lines of a live world.

What is read at once is one chunk: a driver hands bytes over in pieces of its own, so that gaps inside and between
chunks are the driver's and not the wire's. Machines on such a line find frames by their content and by silences
far longer than those of the standard (``VirtualSerial`` is for the rules about single bit times).
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import serial

from hil.bus.bytefaults import (
    CorruptBytes,
    CutLine,
    InsertBytes,
    LineFault,
    LoseBytes,
    RepeatBytes,
    SplitBytes,
    StallBytes,
)
from hil.bus.linefaults import Faulty, LineFaults
from hil.bus.observe import BytesSeen, Note, Sent
from hil.bus.serial import Heard, SerialFormat
from hil.errors import UsageError
from hil.transport.echo import Echo
from hil.transport.opening import is_pty
from hil.transport.outlet import Outlet
from hil.transport.queue import LiveQueue
from hil.transport.reading import DescriptorReader, Reader, ThreadReader, descriptor_of
from hil.units import Instant, Span, ms, s, seconds, show_span

OnBytes = Callable[[Heard], None]
Sink = Callable[[Any], None]
_KINDS = (LoseBytes, CorruptBytes, InsertBytes, SplitBytes, StallBytes, RepeatBytes, CutLine)
_LARGEST = 65_536
_RETRY: Span = ms(1)
_STUCK: Span = s(10)
"""A device that has taken nothing of what is there for it for so long is a lost port."""


class LiveBytePort:
    """One node of this world on the line."""

    def __init__(self, line: _LiveBytes, name: str, on_bytes: OnBytes) -> None:
        self._line = line
        self.name = name
        self.on_bytes = on_bytes

    @property
    def busy_until(self) -> Instant:
        """What it was given to write has gone by then, by the line's baud rate."""
        return self._line.busy_until

    def write(self, data: bytes) -> None:
        """Send a chunk, as the faults on the line have it."""
        self._line.send(self, data)

    def retune(self, port_format: SerialFormat) -> None:
        """Take another format."""
        self._line.retune(port_format)


class _LiveBytes(Faulty, ABC):
    """What serial ports and datagrams have in common."""

    kind: Final = "serial"

    def __init__(self, queue: LiveQueue, *, name: str, sink: Sink, clock: str, uncertainty: Span) -> None:
        self.name = name
        self.lost = ""
        """Why the port can be used no more; empty while it can."""
        self.busy_until: Instant = 0
        self.ports: list[LiveBytePort] = []
        self._queue = queue
        self._sink = sink
        self._echo: Echo | None = None
        self._unsent: deque[Instant] = deque()
        """When chunks were due of which the device has not taken everything yet."""
        self.faults = LineFaults(name, queue, sink, _KINDS)
        sink(Note(queue.now, "clock", name, {"kind": clock, "uncertainty_s": seconds(uncertainty)}))

    def attach(self, name: str, on_bytes: OnBytes) -> LiveBytePort:
        """A new node; ``on_bytes`` is called with what comes in."""
        if any(port.name == name for port in self.ports):
            raise UsageError(f"{self.name} has a node {name!r} already")
        port = LiveBytePort(self, name, on_bytes)
        self.ports.append(port)
        return port

    def send(self, port: LiveBytePort, data: bytes) -> None:
        """Write what is to go out, at once or when a fault lets it."""
        due = self._queue.now
        if not self.faults.active:
            self._write(port, data, due)
            return
        shaped = self.faults.shape(port.name, data)
        due += shaped.delay
        for part, gap in shaped.parts:
            due = max(due, self.busy_until if gap else 0) + gap
            if due == self._queue.now:
                self._write(port, part, due)
            else:
                self._queue.at(due, partial(self._write, port, part, due))

    def _write(self, port: LiveBytePort, data: bytes, due: Instant) -> None:
        if self.lost or (self.faults.active and self.faults.cut(port.name, data.hex(" ").upper())):
            return
        if self.allows is not None and not self.allows(port.name, 0, data):
            return
        try:
            all_gone = self._put(data)
        except OSError as error:
            self._lose(error)
            return
        gone = self._queue.real()
        ended = max(gone, self.busy_until) + self._span(len(data))
        if self._echo is not None:
            self._echo.wrote(data, ended)
        self.busy_until = ended
        if all_gone:
            self._sink(Sent(due, self.name, 0, max(0, gone - due)))
        else:
            self._unsent.append(due)
        self._sink(BytesSeen(ended, self.name, port.name, data, ended - self._span(len(data))))

    def _heard(self, data: bytes) -> None:
        ended = self._queue.real()
        if self._echo is not None:
            data = self._of_others(data, ended)
            if not data:
                return
        self._queue.at_stamp(ended, lambda: self._arrive(data, ended))

    def _of_others(self, data: bytes, now: Instant) -> bytes:
        assert self._echo is not None, "the adapter hears itself"
        others, wrong = self._echo.strip(data, now)
        if wrong:
            details = {"why": wrong, "bytes": data.hex(" ").upper()}
            self._sink(Note(self._queue.now, "echo", self.name, dict(details)))
        return others

    def _arrive(self, data: bytes, ended: Instant) -> None:
        if self.faults.active and self.faults.cut("", data.hex(" ").upper()):
            return
        started = ended - self._span(len(data))
        self._sink(BytesSeen(ended, self.name, "", data, started))
        heard = Heard(data, started, ended)
        for port in self.ports:
            port.on_bytes(heard)

    def _lose(self, error: Exception) -> None:
        if not self.lost:
            self.lost = f"{type(error).__name__}: {error}"
            self._stop()
            self._sink(Note(self._queue.now, "port_lost", self.name, {"why": self.lost}))

    def inject(self, fault: LineFault) -> None:
        """Put a fault on what nodes of this world send; one that takes hardware raises :class:`UsageError`."""
        self.faults.add(fault, (port.name for port in self.ports))

    def retune(self, port_format: SerialFormat) -> None:
        """Take another format."""
        raise UsageError(f"{self.name} has no format to set to {port_format}")

    @abstractmethod
    def _put(self, data: bytes) -> bool:
        """Whether it has gone."""

    @abstractmethod
    def _span(self, count: int) -> Span: ...

    @abstractmethod
    def _stop(self) -> None: ...


class LiveSerial(_LiveBytes):
    """A serial port through pyserial. Its lines keep their format; :meth:`retune` sets that of the port.

    ``echo``: the adapter hears what it sends, as RS-485 ones may. That is taken out; where it is not as it was sent,
    or does not come, a note of kind ``echo`` tells ``why`` and the ``bytes`` that came instead.
    """

    def __init__(
        self,
        queue: LiveQueue,
        port: serial.SerialBase,
        *,
        name: str,
        sink: Sink,
        line_format: SerialFormat,
        clock: str = "user",
        uncertainty: Span = 0,
        echo: bool = False,
    ) -> None:
        super().__init__(queue, name=name, sink=sink, clock=clock, uncertainty=uncertainty)
        self._echo = Echo() if echo else None
        self.format = line_format
        self._port = port
        self._outlet = Outlet(port)
        self._draining = self._closed = False
        self._left = 0
        self._taken: Instant = 0
        """What the device has not taken yet, and when it last took something."""
        number = descriptor_of(port)
        self._reader: Reader = (
            ThreadReader(queue, name, self._wait, self._brought)
            if number is None
            else DescriptorReader(queue, number, self._read)
        )

    def _put(self, data: bytes) -> bool:
        gone = self._outlet.write(data)
        if not gone:
            self._drain_later()
        return gone

    def _drain_later(self) -> None:
        if not self._draining:
            self._draining = True
            self._left, self._taken = self._outlet.waiting, self._queue.real()
            self._queue.at(max(self._queue.now, self._queue.real()) + _RETRY, self._drain)

    def _drain(self) -> None:
        if self.lost or self._closed:
            return
        real = self._queue.real()
        try:
            self._draining = not self._outlet.flush()
            if self._outlet.waiting != self._left:
                self._left, self._taken = self._outlet.waiting, real
            elif self._draining and real - self._taken > _STUCK:
                raise TimeoutError(
                    f"the device has taken no byte for {show_span(_STUCK)}, {self._left} wait to be sent"
                )
        except OSError as error:
            self._lose(error)
            return
        if self._echo is not None:
            self._echo.wrote(b"", max(real, self.busy_until))  # what goes later comes back later
        if self._draining:
            self._queue.at(real + _RETRY, self._drain)
            return
        while self._unsent:
            due = self._unsent.popleft()
            self._sink(Sent(due, self.name, 0, max(0, real - due)))

    def _span(self, count: int) -> Span:
        return self.format.span(count)

    def _read(self) -> None:
        try:
            self._brought(self._port.read(_LARGEST))
        except OSError as error:
            self._brought(error)

    def _wait(self, timeout: float) -> bytes | None:
        if self._port.timeout != timeout:
            self._port.timeout = timeout
        first = self._port.read(1)
        return first + self._port.read(self._port.in_waiting) if first else None

    def _brought(self, brought: bytes | Exception) -> None:
        if isinstance(brought, bytes):
            if brought:
                self._heard(brought)
        else:
            self._lose(brought)

    def retune(self, port_format: SerialFormat) -> None:
        """Take another format from now on."""
        self.format = port_format
        try:
            self._port.baudrate = port_format.baud
            self._port.bytesize = port_format.bits
            if not is_pty(getattr(self._port, "port", "")):  # a pty that this side serves has no name of a port
                self._port.parity = port_format.parity
            self._port.stopbits = port_format.stop
        except (OSError, ValueError) as error:
            self._lose(error)

    def _stop(self) -> None:
        self._reader.stop()

    def close(self) -> None:
        """Give the port back; what waits is lost."""
        self._closed = True
        self._reader.stop()
        self._outlet.close()
        self._port.close()


class LiveDatagrams(_LiveBytes):
    """A UDP socket. One that is connected talks to its peer; one that is bound answers whom it heard last."""

    def __init__(self, queue: LiveQueue, port: socket.socket, *, name: str, sink: Sink, uncertainty: Span = 0) -> None:
        super().__init__(queue, name=name, sink=sink, clock="user", uncertainty=uncertainty)
        self._port = port
        self._port.setblocking(False)
        self._peer: Any = None
        try:
            port.getpeername()
            self._connected = True
        except OSError:
            self._connected = False
        self._reader = DescriptorReader(queue, port.fileno(), self._read)

    def _put(self, data: bytes) -> bool:
        try:
            if self._connected:
                self._port.send(data)
            elif self._peer is not None:
                self._port.sendto(data, self._peer)
        except (BlockingIOError, ConnectionRefusedError):
            pass  # datagrams may get lost, also where nobody listens yet
        return True

    def _span(self, count: int) -> Span:
        return 0

    def _read(self) -> None:
        try:
            data, self._peer = self._port.recvfrom(_LARGEST)
        except (BlockingIOError, ConnectionRefusedError):
            return
        except OSError as error:
            self._lose(error)
            return
        if data:
            self._heard(data)

    def _stop(self) -> None:
        self._reader.stop()

    def close(self) -> None:
        """Give the port back."""
        self._reader.stop()
        self._port.close()
