"""What a world asks of a line, whether it is a virtual one or a port of the machine.

Nodes and their runners meet lines through these shapes only, so that the very same nodes run on
virtual lines and on real ports.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

from hil.bus.bytefaults import LineFault
from hil.bus.faults import LinkFault
from hil.bus.serial import Heard, SerialFormat
from hil.bus.tcp import TcpUser
from hil.codec.frame import CanFrame
from hil.units import Instant


class Line(Protocol):
    """Anything that nodes share and faults are put on."""

    name: str

    @property
    def kind(self) -> Literal["can", "serial", "tcp"]:
        """What goes over it."""

    def inject(self, fault: Any, /) -> None:
        """Put a fault on; one that the line cannot have raises :class:`hil.errors.UsageError`."""

    def undo(self, name: str, /) -> None:
        """Take one fault back; an unknown name raises :class:`hil.errors.UsageError`."""

    def undo_all(self) -> None:
        """Take every fault back."""


class FramePort(Protocol):
    """One node's controller on a CAN bus."""

    def send(self, frame: CanFrame, /) -> None:
        """Queue a frame."""


class FrameLine(Line, Protocol):
    """A CAN bus."""

    @property
    def kind(self) -> Literal["can"]:
        """What goes over it."""

    def attach(self, name: str, on_frame: Callable[[CanFrame, Instant], None], /) -> FramePort:
        """A new node; ``on_frame`` is called with every frame of another node."""


class BytePort(Protocol):
    """One node's UART on a serial line."""

    @property
    def busy_until(self) -> Instant:
        """What it has been given to write has gone by then."""

    def write(self, data: bytes, /) -> None:
        """Send a chunk."""

    def retune(self, port_format: SerialFormat, /) -> None:
        """Take another format."""


class ByteLine(Line, Protocol):
    """A serial line, or datagrams without connections."""

    @property
    def kind(self) -> Literal["serial"]:
        """What goes over it."""

    def attach(self, name: str, on_bytes: Callable[[Heard], None], /) -> BytePort:
        """A new node; ``on_bytes`` is called with every chunk that it hears."""


class StreamLine(Line, Protocol):
    """A TCP link."""

    @property
    def kind(self) -> Literal["tcp"]:
        """What goes over it."""

    def attach(self, name: str, user: TcpUser, /, *, server: bool = False) -> None:
        """A new node; exactly one is the server."""

    def open(self, client: str, /) -> int:
        """Ask for a connection; returns its channel."""

    def send(self, sender: str, channel: int, data: bytes, /) -> None:
        """Send on a connection; on one that has ended it goes nowhere."""

    def close(self, node: str, channel: int, /) -> None:
        """End a connection in order."""

    def reset(self, node: str, channel: int, /) -> None:
        """Break a connection."""


def fits(line: Line, fault: LinkFault | LineFault) -> bool:
    """Whether a fault is of the sort that a line of this kind may have."""
    return isinstance(fault, LinkFault) == (line.kind == "can")
