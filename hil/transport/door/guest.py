"""One python-can program's controller on a virtual bus: what it has received and what it waits for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import can

from hil.bus.can import VirtualCan
from hil.bus.observe import BusErrorSeen, FrameSeen, Note
from hil.codec.frame import CanFrame
from hil.transport.door.messages import error_message, message_of
from hil.units import Instant

MOST_WAITING = 32
"""Frames of a guest that may wait for the bus; :meth:`hil.transport.door.door.Door.send` waits for room."""


class Guest:
    """A node of the bus whose frames come from outside of the world.

    ``wants`` decides on received frames; ``own`` and ``errors`` tell whether its own frames and what happens to its
    controller are received too. At most ``most`` messages wait to be fetched, more are lost and noted once.
    """

    def __init__(
        self,
        line: VirtualCan,
        name: str,
        *,
        wants: Callable[[can.Message], bool],
        note: Callable[[Note], None],
        own: bool,
        errors: bool,
        most: int,
    ) -> None:
        self.name = name
        self.received: deque[can.Message] = deque()
        self.lost = 0
        """Messages that were not fetched in time."""
        self.user = threading.current_thread()
        """Who called last."""
        self.open = True
        self.owed = 0
        """Frames handed to the controller that have not been seen on the bus."""
        self.until: Instant | None = None
        """While its user waits: up to here at most."""
        self.endless = False
        """It waits without a limit of its own."""
        self.ready: Callable[[], bool] = self.has_message
        """What its user waits for."""
        self.turn = False
        """Its user goes on next."""
        self._line = line
        self._wants = wants
        self._note = note
        self._own = own
        self._errors = errors
        self._most = most
        self.port = line.attach(name, self._hear)

    def has_room(self) -> bool:
        """Whether its controller takes another frame."""
        return self.port.pending < MOST_WAITING

    def has_message(self) -> bool:
        """Whether there is something to fetch."""
        return bool(self.received)

    def send(self, frame: CanFrame) -> None:
        """Hand a frame to the controller."""
        self.owed += 1
        self.port.send(frame)

    def discard(self) -> None:
        """Take back what waits; the frame that is on the bus goes on."""
        self.owed -= self.port.pending
        self.port.abort_pending()

    # --- what the world brings ------------------------------------------------------------------------

    def _hear(self, frame: CanFrame, now: Instant) -> None:
        if self.open:
            message = message_of(frame, now, self._line.name)
            if self._wants(message):
                self._keep(message, now)

    def look(self, seen: FrameSeen | BusErrorSeen) -> None:
        """Take notice of an observation that concerns this node: its own frame, or its own controller."""
        if isinstance(seen, FrameSeen):
            self.owed -= 1
            if self._own and self.open:
                message = message_of(CanFrame(seen.id, seen.data, seen.extended), seen.t, seen.port, received=False)
                if self._wants(message):
                    self._keep(message, seen.t)
        else:
            if seen.kind == "bus_off":
                self.owed = 0
            if self._errors and self.open:
                self._keep(error_message(seen), seen.t)

    def put_in_order(self) -> None:
        """Order what was received by time: what is looked at comes after what was heard meanwhile."""
        if self._own or self._errors:
            self.received = deque(sorted(self.received, key=lambda each: each.timestamp))

    def _keep(self, message: can.Message, now: Instant) -> None:
        if len(self.received) < self._most:
            self.received.append(message)
            return
        self.lost += 1
        if self.lost == 1:
            self._note(Note(now, "guest", f"{self.name} fetches too little: messages are lost", {"kept": self._most}))
