"""What moves: contactors and the plug's lock take their time to follow a command."""

from __future__ import annotations

from hil.units import Instant, Span


class Switch:
    """One contactor pair (or the lock): ``closed`` is where the contacts and the feedback are."""

    __slots__ = ("_closing", "_opening", "closed", "due", "feedback")

    def __init__(self, feedback: str, closing: Span, opening: Span) -> None:
        self.feedback = feedback
        """Name of the sensor that shows it."""
        self.closed = False
        self.due: Instant | None = None
        """When the contacts will have changed over; None while at rest."""
        self._closing = closing
        self._opening = opening

    def command(self, close: bool, now: Instant) -> None:
        """Drive the coil. Commanded back before the contacts moved, they stay where they are."""
        if close == self.closed:
            self.due = None
        elif self.due is None:
            self.due = now + (self._closing if close else self._opening)

    def move(self) -> None:
        """The travel has ended."""
        self.closed = not self.closed
        self.due = None

    def release(self) -> None:
        """Forced open at once, from outside."""
        self.closed = False
        self.due = None
