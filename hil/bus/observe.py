"""What a bus tells: frames, errors and notes, as plain values in order of time."""

from __future__ import annotations

import msgspec

from hil.units import Instant

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
    """An error on the bus, or a node's change of state. ``kind`` is ``ack`` (nobody acknowledged),
    ``injected``, ``error_passive``, ``error_active`` (again), ``bus_off``, ``recovered`` or ``overflow``
    (a frame was lost because too many wait); the counters are those of ``node`` after it."""

    t: Instant
    port: str
    node: str
    kind: str
    tec: int
    rec: int


class Note(msgspec.Struct, frozen=True, array_like=True, tag="note"):
    """Something the bench did or learnt: a stimulus fired, a phase was reached, a frame was late."""

    t: Instant
    kind: str
    what: str
    details: dict[str, Scalar] = {}
