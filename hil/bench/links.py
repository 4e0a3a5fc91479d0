"""What became of the ports of a live bench in a case, from the notes of its world."""

from __future__ import annotations

from collections.abc import Iterable

from hil.errors import WorldError
from hil.transport.can_line import CLOCK_STEP
from hil.transport.own_frames import ECHOES, NO_ECHO
from hil.units import SECOND, Span, show_instant
from hil.world.observation import Note
from hil.world.plan import OnNote

_PORT_LOST = "port_lost"
_SIGNALS = "signals"
_CAUSES = 3
"""So many are told one by one."""


class LinkLostError(WorldError):
    """A port that the bench needs is gone: the case cannot go on."""


class Links:
    """Fed with notes; says what was lost, what makes instants less sure than declared, and why.

    ``lines`` are the names of the world's lines.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.ends = (*(OnNote(_PORT_LOST, line) for line in lines), OnNote(_SIGNALS, "lost"))
        """What ends a wait at once."""
        self.lost = ""
        """Which port is gone, when and why; empty while all are there."""
        self._moved: dict[str, Span] = {}
        self._steps: list[str] = []
        self._unechoed: list[str] = []
        self._mute: dict[str, str] = {}

    def take(self, note: Note) -> None:
        """Take in what the world tells; notes of other kinds do no harm."""
        if note.kind == _PORT_LOST:
            self._lose(f"port {note.what} was lost at {show_instant(note.t)}: {note.details.get('why', '')}")
        elif (note.kind, note.what) == (_SIGNALS, "lost"):
            why = note.details.get("why", "")
            self._lose(f"the box on the signals port was lost at {show_instant(note.t)}: {why}")
        elif note.kind == CLOCK_STEP:
            by = float(note.details["by_s"])
            self._moved[note.what] = self._moved.get(note.what, 0) + abs(round(by * SECOND))
            self._steps.append(
                f"the clock that stamps port {note.what} was set by {by:+.3g} s at {show_instant(note.t)}"
            )
        elif note.kind == NO_ECHO:
            self._miss(note)
        elif note.kind == ECHOES:
            self._mute.pop(note.what, None)

    def _lose(self, what: str) -> None:
        self.lost = self.lost or what

    def _miss(self, note: Note) -> None:
        frame, sent = note.details["frame"], show_instant(round(float(note.details["sent_s"]) * SECOND))
        self._unechoed.append(f"port {note.what} never showed the bench's own frame {frame} of {sent}")
        if not note.details["shown"]:
            self._mute[note.what] = (
                f"port {note.what} showed no frame that the bench sent, although its rig has it do so: nothing tells "
                "when, or whether, they were on the bus"
            )

    @property
    def moved(self) -> Span:
        """By how much the clock that stamps a port was set since the world began, all steps together."""
        return max(self._moved.values(), default=0)

    @property
    def mute(self) -> str:
        """Which port has shown none of the bench's own frames, as it was to; empty while every one does."""
        return next(iter(self._mute.values()), "")

    @property
    def causes(self) -> str:
        """Why instants are less sure than declared; empty while they are not."""
        told = [*self._steps, *self._unechoed]
        more = f"and {len(told) - _CAUSES} more" if len(told) > _CAUSES else ""
        return "; ".join([*told[:_CAUSES], *([more] if more else [])])
