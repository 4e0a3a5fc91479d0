"""What a transport endpoint has to tell."""

from __future__ import annotations

import msgspec

from hil.units import Instant


class Received(msgspec.Struct, frozen=True):
    """A complete message; ``started`` is its RTS, ``ended`` its last packet."""

    pgn: int
    data: bytes
    started: Instant
    ended: Instant


class Sent(msgspec.Struct, frozen=True):
    """The partner acknowledged the whole message."""

    pgn: int
    started: Instant
    ended: Instant


class Aborted(msgspec.Struct, frozen=True):
    """A connection ended early. ``role`` is ours: ``sender`` or ``receiver``; ``by`` is ``us`` or ``partner``."""

    pgn: int
    role: str
    reason: int
    by: str
    at: Instant


class Ignored(msgspec.Struct, frozen=True):
    """A frame that fits nothing, and why."""

    why: str
    data: bytes
    at: Instant


TpEvent = Received | Sent | Aborted | Ignored
