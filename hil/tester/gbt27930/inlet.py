"""The vehicle's contactors where its BMS is somebody else's program, which reaches the vehicle by CAN only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.protocol.gbt27930 import BMS_ADDRESS, MessageSet, split_id
from hil.units import FAR, Instant, Span, ms
from hil.world.node import Sense
from hil.world.observation import Note

_WAKES_AT = 9.0
"""Auxiliary supply by which a BMS lives, V."""
_DEAD_CURRENT = 5.0
"""Contactors may open at or below this current, A (sheet 4.8)."""
_LOOK: Span = ms(10)


class Inlet:
    """A :class:`hil.world.node.Node` that does what a BMS would do beside speaking.

    K5/K6 close when the BMS sends BRO, open when the current is low after it has sent BSD or BEM, and open at once
    when the auxiliary supply goes off.
    """

    name = "inlet"

    def __init__(self, sense: Sense, messages: MessageSet) -> None:
        self.sense = sense
        self.out: list[CanFrame] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self._closes = messages.by_name["BRO"].pgn
        self._opens = {messages.by_name[name].pgn for name in ("BSD", "BEM")}
        self._closed = False
        self._due: Instant = FAR

    def receive(self, frame: CanFrame, now: Instant) -> None:
        """A frame on the bus; those of the BMS matter."""
        if not frame.extended:
            return
        _, pgn, _, source = split_id(frame.id)
        if source != BMS_ADDRESS:
            return
        if pgn == self._closes and not self._closed and self.sense("aux_voltage", now) >= _WAKES_AT:
            self._command(True)
        elif pgn in self._opens and self._closed:
            self._due = min(self._due, now)

    def signal(self, name: str, value: float, now: Instant) -> None:
        """Without the auxiliary supply the contactors drop out."""
        if name == "aux_voltage" and value < _WAKES_AT and self._closed:
            self._command(False)

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """There is nothing to order."""
        raise UsageError(f"the inlet takes no orders, {verb!r} was given")

    def wake(self, now: Instant) -> None:
        """Open at low current; look again later while there is more."""
        if now < self._due:
            return
        if self.sense("pack_current", now) <= _DEAD_CURRENT:
            self._command(False)
        else:
            self._due = now + _LOOK

    def next_deadline(self) -> Instant:
        """When to look at the current again."""
        return self._due

    def _command(self, closed: bool) -> None:
        self._closed = closed
        self._due = FAR
        self.actuations.append(("k5k6_command", float(closed)))
