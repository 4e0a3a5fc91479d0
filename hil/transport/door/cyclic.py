"""``send_periodic``: cyclic messages that the world itself sends, at exact instants of its own time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import can
from can.broadcastmanager import (
    LimitedDurationCyclicSendTaskABC,
    ModifiableCyclicTaskABC,
    RestartableCyclicTaskABC,
)

from hil.transport.door.door import Door
from hil.transport.door.guest import Guest
from hil.transport.door.messages import frame_of
from hil.units import Instant, s


class CyclicTask(LimitedDurationCyclicSendTaskABC, ModifiableCyclicTaskABC, RestartableCyclicTaskABC):
    """Sends the messages in turn, the first one at once, until its duration is over or it is stopped.

    A message for which the controller has no room is left out, as a kernel's cyclic transmission does; the ones
    after it keep their instants. :class:`ValueError` for a period that is not above zero.
    """

    def __init__(
        self,
        door: Door,
        guest: Guest,
        messages: Sequence[can.Message] | can.Message,
        period: float,
        duration: float | None,
        modifier: Callable[[can.Message], None] | None,
    ) -> None:
        super().__init__(messages, period, duration)
        self._period = s(period)
        if self._period <= 0:
            raise ValueError(f"period {period} s: more than 0 is allowed")
        for message in self.messages:
            frame_of(message)
        self._door = door
        self._guest = guest
        self._modifier = modifier
        self._round = 0
        """Counts starts and stops: what an earlier one has scheduled does nothing."""

    def start(self) -> None:
        """Start, or start again, with the first message."""
        self._round += 1
        number = self._round
        end = None if self.duration is None else self._door.now + s(self.duration)
        self._door.schedule(lambda: self._send(number, 0, end))

    def stop(self) -> None:
        """Send no more; a task that is stopped already stays so."""
        self._round += 1

    def _send(self, number: int, index: int, end: Instant | None) -> None:
        if number != self._round or not self._guest.open or (end is not None and self._door.now >= end):
            return
        message = self.messages[index % len(self.messages)]
        # First the next one: a modifier that raises is told to who runs the world and does not end the task.
        self._door.schedule(lambda: self._send(number, index + 1, end), self._period)
        if self._modifier is not None:
            self._modifier(message)
        if self._guest.has_room():
            self._guest.send(frame_of(message))
