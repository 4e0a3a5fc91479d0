"""What a bus tells: frames, errors and notes, as plain values in order of time."""

from __future__ import annotations

import msgspec

from hil.units import Instant, Span

Scalar = bool | int | float | str


class FrameSeen(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="frame"):
    """A CAN frame that was transmitted correctly; ``t`` is the end of the frame on the bus."""

    t: Instant
    port: str
    id: int
    data: bytes
    sender: str = ""
    """Name of the sending node where the bus knows it (virtual bus), else empty."""
    extended: bool = True


class BusErrorSeen(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="bus_error"):
    """An error on the bus, or a node's change of state. ``kind`` is ``ack`` (nobody acknowledged), ``bit`` (a
    shorted line did not carry a start of frame), ``injected``, ``error_passive``, ``error_active`` (again),
    ``bus_off``, ``recovered`` or ``overflow`` (a frame was lost because too many wait); the counters are those
    of ``node`` after it."""

    t: Instant
    port: str
    node: str
    kind: str
    tec: int
    rec: int


class BytesSeen(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="bytes"):
    """Bytes that went over a serial line or a TCP link without a gap between them."""

    t: Instant
    """End of the last byte's stop bit; of a TCP segment, its arrival."""
    port: str
    sender: str
    data: bytes
    started: Instant
    """Begin of the first byte's start bit; of a TCP segment, its departure."""
    channel: int = 0
    """Connection on a TCP link; 0 on a serial line."""
    flaw: str = ""
    """``collision``, ``parity`` or ``framing`` where the bytes are not what was sent."""


class LineSeen(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="line"):
    """A change of a line's state: ``opened``, ``closed``, ``reset`` or ``refused``."""

    t: Instant
    port: str
    node: str
    kind: str
    channel: int = 0


class Note(msgspec.Struct, frozen=True, array_like=True, tag="note"):
    """Something the bench did or learnt: a stimulus fired, a phase was reached, a frame was late."""

    t: Instant
    kind: str
    what: str
    details: dict[str, Scalar] = {}


class Sent(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="sent"):
    """A frame or bytes that a node of the bench handed to a real port: the bench's own lateness, one by one."""

    t: Instant
    """When it was due."""
    port: str
    id: int
    """Identifier of a frame; 0 for bytes."""
    late: Span
    """How much later the driver took it."""
