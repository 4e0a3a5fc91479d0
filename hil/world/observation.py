"""What a world tells: one stream of plain, serialisable values, in order of time.

Everything the judge sees is here: frames, bus errors, signal samples, notes of the bench. The
stream is what monitors judge, what a recorded log turns into, and what is saved as evidence.
"""

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
    """An error on the bus: ``kind`` is ``ack``, ``bit``, ``injected``, ``error_passive``,
    ``bus_off``, ``recovered`` or ``overflow``; counters are those of ``node`` after it."""

    t: Instant
    port: str
    node: str
    kind: str
    tec: int
    rec: int


class Sample(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="sample"):
    """A signal of the plant (or of an instrument) at an instant.

    ``low`` and ``high`` are the extremes since the previous sample of the same signal, so that
    "at no instant" can be judged without sampling finely. Booleans are 0.0 and 1.0.
    """

    t: Instant
    name: str
    value: float
    low: float
    high: float


class Note(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="note"):
    """Something the bench did or learnt: a stimulus fired, a phase was reached, a frame was late."""

    t: Instant
    kind: str
    what: str
    details: dict[str, Scalar] = {}


Observation = FrameSeen | BusErrorSeen | Sample | Note
