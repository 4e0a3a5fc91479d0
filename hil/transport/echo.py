"""What an RS-485 adapter hears of itself: it is taken out again, so that nodes hear others only."""

from __future__ import annotations

from hil.units import Instant, Span, ms

_PATIENCE: Span = ms(500)
"""After its last byte has gone; a driver keeps what it reads far shorter."""


class Echo:
    """The bytes that were written and have not come back yet."""

    def __init__(self) -> None:
        self._due = bytearray()
        self._until: Instant = 0

    def wrote(self, data: bytes, ended: Instant) -> None:
        """Bytes whose last one has gone at ``ended``."""
        self._due += data
        self._until = ended + _PATIENCE

    def strip(self, data: bytes, now: Instant) -> tuple[bytes, str]:
        """What of bytes that came in is of others, and what was wrong with the echo; empty where nothing was.

        An echo that differs tells that somebody else sent at the same time: from there on all is passed on.
        """
        if not self._due:
            return data, ""
        if now > self._until:
            self._due.clear()
            return data, "none came"
        same = min(len(data), len(self._due))
        if data[:same] != self._due[:same]:
            due = self._due.hex(" ").upper()
            self._due.clear()
            return data, f"not {due}"
        del self._due[:same]
        return data[same:], ""
