"""A virtual serial line: bytes take their bit time, RS-485 nodes share the wires and collide.

What a node writes at once is a chunk; it is heard when its last stop bit has ended. On RS-232 each
direction is a line of its own between two nodes. On RS-485 everybody hears everybody, two senders at a
time destroy the bytes that meet, and a driver needs its turnaround time before the first bit. A
receiver with another format than the sender's reads garbage, with the errors that a UART would report.

Where the model is simpler than wires: an error belongs to the whole chunk (the bytes are told, the
place of the error is not), and colliding chunks are heard one by one, each at its own end.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

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
from hil.bus.linefaults import Faulty, LineFaults, Shaped
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

    def retune(self, port_format: SerialFormat) -> None:
        """Take another format for what is sent and heard from now on."""
        self.format = port_format


class _Sending(msgspec.Struct):
    """A chunk under way."""

    port: SerialPort
    format: SerialFormat
    data: bytes
    started: Instant
    ended: Instant
    flaw: str = ""

    def destroy(self, begin: Instant, end: Instant) -> None:
        """Others drive the wires meanwhile: the bytes that meet them are gone."""
        changed = bytearray(self.data)
        for index in range(len(changed)):
            if self.started + self.format.span(index) < end and begin < self.started + self.format.span(index + 1):
                changed[index] = _BREAK
        self.data, self.flaw = bytes(changed), "collision"


class VirtualSerial(Faulty):
    """A line on a scheduler. ``shared`` is RS-485; ``echo`` lets a sender hear itself."""

    kind: Final = "serial"

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
        if isinstance(fault, ParityError) and all(port.format.parity == "N" for port in self.ports):
            raise UsageError(f"{self.name} sends no parity bit ({self.format}) that {fault.name!r} could invert")
        self.faults.add(fault, (port.name for port in self.ports))

    # --- sending ------------------------------------------------------------------------------------

    def send(self, port: SerialPort, data: bytes) -> None:
        """Put a chunk on the line, as faults have it."""
        shaped = self.faults.shape(port.name, data) if self.faults.active else Shaped([(data, 0)])
        earliest = self._scheduler.now + shaped.delay
        if self.shared and port.busy_until <= earliest:
            earliest += self.turnaround
        for part, gap in shaped.parts:
            if self.allows is None or self.allows(port.name, 0, part):
                self._put(port, part, max(earliest, port.busy_until + gap), shaped.flaw)

    def _put(self, port: SerialPort, data: bytes, start: Instant, flaw: str) -> None:
        sending = _Sending(port, port.format, data, start, start + port.format.span(len(data)), flaw)
        port.busy_until = sending.ended
        if self.faults.active and self.faults.cut(port.name, data.hex(" ").upper()):
            return
        if self.shared:
            self._collide(sending)
            self._under_way.append(sending)
        self._scheduler.at(sending.ended, partial(self._arrive, sending))

    def _collide(self, sending: _Sending) -> None:
        for other in self._under_way:
            if other.port is not sending.port and other.started < sending.ended and sending.started < other.ended:
                other.destroy(sending.started, sending.ended)
                sending.destroy(other.started, other.ended)

    def _arrive(self, sending: _Sending) -> None:
        if self.shared:
            self._under_way.remove(sending)
        port, started, ended = sending.port, sending.started, sending.ended
        if self.faults.active and self.faults.cut(port.name, sending.data.hex(" ").upper()):
            return
        self._sink(BytesSeen(ended, self.name, port.name, sending.data, started, 0, sending.flaw))
        for other in self.ports:
            if other is not port or self.echo:
                data, flaw = read_as(sending.data, sending.format, other.format)
                other.on_bytes(Heard(data, started, ended, sending.flaw or flaw))


def read_as(data: bytes, sent: SerialFormat, read: SerialFormat) -> tuple[bytes, str]:
    """What a UART of another format makes of bytes, and the error that it reports.

    A wrong baud rate gives as many bytes as fit the time, all of them wrong; wrong data bits lose the
    eighth; a wrong parity leaves the bytes and gives the error that the bit in its place makes.
    """
    if sent == read:
        return data, ""
    if sent.baud != read.baud:
        count = max(1, len(data) * sent.bits_per_byte * read.baud // (sent.baud * read.bits_per_byte))
        return bytes(data[i % len(data)] ^ 0xA5 ^ i % 0x55 for i in range(count)), "framing"
    if sent.bits != read.bits:
        return bytes(byte & 0x7F for byte in data), "framing"
    return data, _parity_flaw(data, sent, read) if sent.parity != read.parity else ""


def _parity_flaw(data: bytes, sent: SerialFormat, read: SerialFormat) -> str:
    """The parity bit is read as the stop bit, the stop bit as the parity bit, or both sides differ."""
    if read.parity == "N":
        return "framing" if any(not _parity_bit(byte, sent.parity) for byte in data) else ""
    if sent.parity != "N" or any(not _parity_bit(byte, read.parity) for byte in data):
        return "parity"
    return "framing" if len(data) > 1 else ""  # the next start bit stands where a stop bit is due


def _parity_bit(byte: int, parity: str) -> bool:
    return (byte.bit_count() + (parity == "O")) % 2 == 1
