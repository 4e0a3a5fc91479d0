"""State of an open transport connection, seen from either end, and the frames that manage it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from hil.codec.frame import CanFrame
from hil.units import Instant


@dataclass(slots=True)
class Outgoing:
    """A message on its way to the partner."""

    pgn: int
    data: bytes
    packets: int
    started: Instant
    deadline: Instant
    """When to send the next packet, or to give up."""
    next: int = 1
    released: int = 0
    """Packets up to this number may be sent."""
    reached: int = 0
    """The highest packet number sent so far."""
    sending: bool = False
    dropped: set[int] = field(default_factory=set)
    """Packets still to be left out once."""
    sent: int = 0
    """Packets that were due so far, repetitions included."""


@dataclass(slots=True)
class Incoming:
    """A message on its way to us."""

    pgn: int
    size: int
    packets: int
    most: int
    """Packets that one CTS may release."""
    started: Instant
    deadline: Instant
    next: int = 1
    released: int = 0
    seen: int = 0
    """The highest packet number since the last CTS or packet in order."""
    retries: int = 0
    holds: int = 0
    parts: list[bytes] = field(default_factory=list)


@lru_cache(maxsize=256)
def management(identifier: int, control: int, b2: int, b3: int, b4: int, b5: int, pgn: int) -> CanFrame:
    """A TP.CM frame; the few that come again and again are made once."""
    return CanFrame(identifier, bytes((control, b2, b3, b4, b5)) + pgn.to_bytes(3, "little"))
