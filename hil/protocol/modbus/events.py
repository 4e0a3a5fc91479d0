"""What a client tells of its transactions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hil.protocol.modbus.pdu import ExceptionReply, Reply, Request, show_bytes
from hil.protocol.modbus.replies import Malformed
from hil.units import Instant, Span, s, show_span

TIMEOUT: Span = s(1)
"""How long clients wait for a reply unless they are told otherwise; no standard says."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A request that was sent. ``token`` is what ``request`` gave back."""

    token: int
    unit: int
    request: Request
    sent: Instant
    """When it was handed to the line."""
    frame: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """A good reply, which an exception is too. It ends the transaction."""

    transaction: Transaction
    reply: Reply
    at: Instant
    frame: bytes

    @property
    def refused(self) -> bool:
        """Whether the reply is an exception."""
        return isinstance(self.reply, ExceptionReply)

    @property
    def took(self) -> Span:
        """From handing the request to the line to the end of the reply."""
        return self.at - self.transaction.sent


@dataclass(frozen=True, slots=True)
class Faulty:
    """Bytes that are not the reply that was due."""

    transaction: Transaction
    malformed: Malformed
    at: Instant
    final: bool
    """Whether the transaction ends with it; else the client still waits for a better answer."""

    def show(self) -> str:
        """What is wrong, the bytes, and beside them what was due."""
        malformed = self.malformed
        return f"{malformed.fault}: {malformed.text}; came {show_bytes(malformed.data)}, due {malformed.due}"


@dataclass(frozen=True, slots=True)
class NoReply:
    """No good reply came in time; to a broadcast, none is due. It ends the transaction."""

    transaction: Transaction
    at: Instant

    def show(self) -> str:
        """The request and how long was waited."""
        waited = show_span(self.at - self.transaction.sent)
        return f"no reply within {waited} to {show_bytes(self.transaction.frame)}"


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection ended before a reply came. So does the transaction."""

    transaction: Transaction
    at: Instant


class StrayKind(StrEnum):
    """Why bytes belong to no open transaction."""

    UNASKED = "nothing was asked"
    LATE = "the request was given up before"
    REPEATED = "the request was answered before"


@dataclass(frozen=True, slots=True)
class Stray:
    """Bytes that answer no open transaction; ``transaction`` is the one they would have answered."""

    data: bytes
    at: Instant
    kind: StrayKind
    transaction: Transaction | None = None


Event = Answered | Faulty | NoReply | Lost | Stray


def ending(event: Event) -> int | None:
    """The token of the transaction that an event ends; None when it ends none."""
    if isinstance(event, Stray) or (isinstance(event, Faulty) and not event.final):
        return None
    return event.transaction.token
