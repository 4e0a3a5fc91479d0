"""A passive listener to a RAPI line: what was asked, what was answered, what came by itself.

It judges nothing: pairing follows the order of the wire and the sequence ids.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from hil.protocol.rapi.commands import NOTIFICATIONS
from hil.protocol.rapi.frame import BUFFER, Broken, Frame, Framer
from hil.units import Instant, Span

_MOST_OPEN = 32


@dataclass(frozen=True, slots=True)
class Exchange:
    """A frame of the console with the command that it answers; a notification answers none.

    Instants are those of the chunks in which the frames ended.
    """

    frame: Frame
    at: Instant
    command: Frame | None = None
    asked: Instant = 0

    @property
    def latency(self) -> Span:
        """From the end of the command to the end of the reply."""
        return self.at - self.asked

    @property
    def is_notification(self) -> bool:
        """Whether it came by itself."""
        return self.frame.name in NOTIFICATIONS


class Listener:
    """Feed it the bytes of both sides in order of time."""

    def __init__(self, limit: int = BUFFER) -> None:
        self._asking = Framer(limit)
        self._answering = Framer()
        self._open: deque[tuple[Frame, Instant]] = deque(maxlen=_MOST_OPEN)

    def client(self, data: bytes, t: Instant) -> list[Frame | Broken]:
        """Bytes of the client; what they complete."""
        items = self._asking.feed(data)
        self._open.extend((item, t) for item in items if isinstance(item, Frame))
        return items

    def console(self, data: bytes, t: Instant) -> list[Exchange | Broken]:
        """Bytes of the console; what they complete."""
        found: list[Exchange | Broken] = []
        for item in self._answering.feed(data):
            if isinstance(item, Broken):
                found.append(item)
            elif item.name in ("OK", "NK"):
                command, asked = self._asked(item)
                found.append(Exchange(item, t, command, asked))
            else:
                found.append(Exchange(item, t))
        return found

    def _asked(self, reply: Frame) -> tuple[Frame | None, Instant]:
        """The command of the same id, else the latest: a client waits for one reply at a time."""
        for command, asked in reversed(self._open):
            if reply.sequence in (None, command.sequence):
                self._open.remove((command, asked))
                return command, asked
        return None, 0
