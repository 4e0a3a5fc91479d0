"""A virtual serial line: bytes take their bit time, RS-485 nodes share the wires and collide.

What a node writes at once is a chunk; it is heard when its last stop bit has ended. On RS-232 each
direction is a line of its own between two nodes. On RS-485 everybody hears everybody, two senders at a
time destroy each other's bytes, and a driver needs its turnaround time before the first bit. A
receiver with another format than the sender's reads garbage, with the errors that a UART would report.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from hil.bus.bytefaults import (
    CorruptBytes,
    CutLine,
    FramingError,
    InsertBytes,
    LineFault,
    LoseBytes,
    ParityError,
    RepeatBytes,
    SplitBytes,
    StallBytes,
)
from hil.bus.linefaults import LineFaults, Shaped
from hil.bus.observe import BytesSeen, Note
from hil.bus.scheduler import Scheduler
from hil.errors import UsageError
from hil.units import SECOND, Instant, Span

_KINDS = (
    LoseBytes,
    CorruptBytes,
    InsertBytes,
    SplitBytes,
    StallBytes,
    RepeatBytes,
    ParityError,
    FramingError,
    CutLine,
)
_BREAK = 0x00
"""What a receiver reads of bytes that two drivers fight over."""


class SerialFormat(msgspec.Struct, frozen=True):
    """Baud rate, data bits, parity (``N``, ``E``, ``O``) and stop bits of a UART."""

    baud: int = 9600
    bits: int = 8
    parity: str = "N"
    stop: int = 1

    def __post_init__(self) -> None:
        """A format that no UART has raises :class:`UsageError`."""
        if self.baud <= 0:
            raise UsageError(f"baud rate {self.baud}: above 0 is allowed")
        if self.bits not in (7, 8) or self.parity not in ("N", "E", "O") or self.stop not in (1, 2):
            raise UsageError(f"{self}: 7 or 8 data bits, parity N, E or O, 1 or 2 stop bits are allowed")

    @property
    def bits_per_byte(self) -> int:
        """Start, data, parity and stop bits."""
        return 1 + self.bits + (self.parity != "N") + self.stop

    def span(self, count: int) -> Span:
        """How long so many bytes take, in nanoseconds."""
        return count * self.bits_per_byte * SECOND // self.baud

    def __str__(self) -> str:
        return f"{self.baud} {self.bits}{self.parity}{self.stop}"


class Heard(msgspec.Struct, frozen=True):
    """A chunk as one node hears it."""

    data: bytes
    started: Instant
    ended: Instant
    flaw: str = ""


OnBytes = Callable[[Heard], None]


class SerialPort:
    """One node's UART on a line."""

    __slots__ = ("_line", "busy_until", "format", "name", "on_bytes")

    def __init__(self, line: VirtualSerial, name: str, on_bytes: OnBytes, format_: SerialFormat) -> None:
        self._line = line
        self.name = name
        self.on_bytes = on_bytes
        self.format = format_
        self.busy_until: Instant = 0
        """End of what it is sending."""

    def write(self, data: bytes) -> None:
        """Send bytes, after those still being sent."""
        if data:
            self._line.send(self, data)


class _Sending(msgspec.Struct):
    """A chunk under way."""

    port: SerialPort
    data: bytes
    started: Instant
    ended: Instant
    flaw: str = ""
    lost: bool = False


class VirtualSerial:
    """A line on a scheduler. ``shared`` is RS-485; ``echo`` lets a sender hear itself."""

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        name: str,
        sink: Callable[[BytesSeen | Note], None],
        line_format: SerialFormat | None = None,
        shared: bool = False,
        echo: bool = False,
        turnaround: Span = 0,
    ) -> None:
        self.name = name
        self.format = line_format or SerialFormat()
        self.shared = shared
        self.echo = echo
        self.turnaround = turnaround
        self.ports: list[SerialPort] = []
        self.faults = LineFaults(name, scheduler, sink, _KINDS)
        self._scheduler = scheduler
        self._sink = sink
        self._under_way: list[_Sending] = []

    def attach(self, name: str, on_bytes: OnBytes, port_format: SerialFormat | None = None) -> SerialPort:
        """A new node; RS-232 has two at most. ``on_bytes`` is called at the end of every chunk it hears."""
        if any(port.name == name for port in self.ports):
            raise UsageError(f"{self.name} has a node {name!r} already")
        if not self.shared and len(self.ports) == 2:
            raise UsageError(f"{self.name} joins two nodes, {self.ports[0].name} and {self.ports[1].name}")
        port = SerialPort(self, name, on_bytes, port_format or self.format)
        self.ports.append(port)
        return port

    def inject(self, fault: LineFault) -> None:
        """Put a fault on the line; raises :class:`UsageError` for one that does not fit it."""
        self.faults.add(fault, (port.name for port in self.ports))

    def undo(self, name: str) -> None:
        """Take one fault back."""
        self.faults.remove(name)

    def undo_all(self) -> None:
        """Take every fault back."""
        for name in list(self.faults.active):
            self.faults.remove(name)

    # --- sending ------------------------------------------------------------------------------------

    def send(self, port: SerialPort, data: bytes) -> None:
        """Put a chunk on the line, as faults have it."""
        shaped = self.faults.shape(port.name, data) if self.faults.active else Shaped([(data, 0)])
        for part, wait in shaped.parts:
            self._put(port, part, wait, shaped.flaw)

    def _put(self, port: SerialPort, data: bytes, wait: Span, flaw: str) -> None:
        now = self._scheduler.now
        free = port.busy_until
        start = max(free + wait, now + wait + (self.turnaround if self.shared and free <= now else 0))
        sending = _Sending(port, data, start, start + port.format.span(len(data)), flaw, self.faults.cut(port.name))
        port.busy_until = sending.ended
        if self.shared:
            self._collide(sending)
            self._under_way.append(sending)
        self._scheduler.at(sending.ended, partial(self._arrive, sending))

    def _collide(self, sending: _Sending) -> None:
        for other in self._under_way:
            if other.port is not sending.port and other.started < sending.ended and sending.started < other.ended:
                for each in (other, sending):
                    each.flaw = "collision"
                    each.data = bytes([_BREAK]) * len(each.data)

    def _arrive(self, sending: _Sending) -> None:
        if sending in self._under_way:
            self._under_way.remove(sending)
        if sending.lost:
            return
        port, started, ended = sending.port, sending.started, sending.ended
        self._sink(BytesSeen(ended, self.name, port.name, sending.data, started, 0, sending.flaw))
        for other in self.ports:
            if other is not port or self.echo:
                data, flaw = read_as(sending.data, port.format, other.format)
                other.on_bytes(Heard(data, started, ended, sending.flaw or flaw))


def read_as(data: bytes, sent: SerialFormat, read: SerialFormat) -> tuple[bytes, str]:
    """What a UART of another format makes of bytes, and the error that it reports.

    A wrong baud rate gives as many bytes as fit the time, all of them wrong; a wrong parity gives the
    bytes with a parity error.
    """
    if sent == read:
        return data, ""
    if sent.baud != read.baud:
        count = max(1, len(data) * sent.bits_per_byte * read.baud // (sent.baud * read.bits_per_byte))
        return bytes((data[i % len(data)] ^ 0xA5 ^ i) & 0xFF for i in range(count)), "framing"
    if sent.bits != read.bits:
        return bytes(byte & 0x7F for byte in data), "framing"
    return data, "parity" if sent.parity != read.parity else ""
