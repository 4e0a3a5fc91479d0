"""Frames of ours that a CAN driver shows when they have gone out: whose they are, and which it never shows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hil.bus.observe import Note, Scalar
from hil.codec.frame import CanFrame
from hil.transport.queue import LiveQueue
from hil.units import Instant, Span, ms, s

if TYPE_CHECKING:
    from hil.transport.can_line import LiveCanPort

NO_ECHO = "no_echo"
"""Kind of a note: the driver has not shown a ``frame`` of ours (``sent_s``); ``shown``: whether it ever has one."""
ECHOES = "echoes"
"""Kind of a note: the driver shows our frames after all."""
_WITHIN: Span = ms(500)
_OVERDUE = 64
"""Frames whose echo has not come, and is known as one where it comes late."""
_OVERDUE_FOR: Span = s(10)


class OwnFrames:
    """What the driver of a port was given and has not shown yet.

    ``sink`` is told of what it does not show; ``tell`` is called with such a frame, its node and the instant at which
    the driver took it.
    """

    def __init__(
        self,
        queue: LiveQueue,
        name: str,
        sink: Callable[[Any], None],
        tell: Callable[[Instant, LiveCanPort, CanFrame], None],
    ) -> None:
        self._queue = queue
        self._name = name
        self._sink = sink
        self._tell = tell
        self._due: deque[tuple[CanFrame, LiveCanPort, Instant]] = deque()
        self._overdue: deque[tuple[CanFrame, Instant]] = deque(maxlen=_OVERDUE)
        self._shown = self._missed = False
        """The driver has shown a frame of ours; it has not shown one."""
        self._looking = False
        """It will be looked whether one is missing."""

    def gave(self, frame: CanFrame, port: LiveCanPort, gone: Instant) -> None:
        """The driver has taken a frame."""
        self._due.append((frame, port, gone))
        self._look_later()

    def whose(self, frame: CanFrame) -> LiveCanPort | None:
        """Who of us sent a frame that the driver shows; None when somebody else did, or its echo was given up."""
        due = self._due
        for index, (sent, port, _) in enumerate(due):
            if sent == frame:
                del due[index]
                if not self._shown:
                    self._show()
                return port
        return None

    def came_late(self, frame: CanFrame) -> bool:
        """Whether it is an echo that was given up: such a frame was told already, and is nobody else's."""
        for index, (lost, gone) in enumerate(self._overdue):
            if lost == frame and self._queue.now - gone < _OVERDUE_FOR:
                del self._overdue[index]
                if not self._shown:
                    self._show()
                return True
        return False

    def _show(self) -> None:
        self._shown = True
        if self._missed:
            self._sink(Note(self._queue.now, ECHOES, self._name))

    def _look_later(self) -> None:
        if self._due and not self._looking:
            self._looking = True
            self._queue.at(self._due[0][2] + _WITHIN, self._look)

    def _look(self) -> None:
        """A driver that never shows a frame of ours is told, also where nothing else is on the bus."""
        self._looking = False
        while self._due and self._queue.now - self._due[0][2] >= _WITHIN:
            lost, port, gone = self._due.popleft()
            details: dict[str, Scalar] = {"frame": str(lost), "sent_s": gone / 1e9, "shown": self._shown}
            self._sink(Note(self._queue.now, NO_ECHO, self._name, details))
            self._missed = True
            self._overdue.append((lost, gone))
            self._tell(gone, port, lost)
        self._look_later()
