"""The live world: the same nodes as in a virtual one, on the clock of the wall and on ports of the machine."""

from __future__ import annotations

from collections.abc import Callable

from hil.protocol.gbt27930 import MessageSet
from hil.transport.clock import monotonic
from hil.transport.queue import LiveQueue
from hil.units import Instant, Span, ms, s
from hil.world.base import BaseWorld
from hil.world.plan import Close, Command, Reply

_STRETCH: Span = s(1)
_FAREWELL: Span = ms(300)
"""So long the ports live on after the plant was told to be safe, for a controller behind a port to hear of it."""


class LiveWorld(BaseWorld):
    """Runs nodes and a plant in real time. Time goes on between two commands, in :meth:`idle`."""

    queue: LiveQueue

    def __init__(self, seed: int, messages: MessageSet | None = None, clock: Callable[[], Instant] = monotonic) -> None:
        super().__init__(seed, messages, LiveQueue(clock), goes_on=True)
        self._ports: list[Callable[[], None]] = []

    def at_end(self, give_back: Callable[[], None]) -> None:
        """Give a port back at the end of the world."""
        self._ports.append(give_back)

    def execute(self, command: Command) -> Reply:
        """As every world does; a command comes in at what the clock shows."""
        self.queue.catch_up()
        try:
            return super().execute(command)
        finally:
            if self._closed:
                self._give_back()
            if isinstance(command, Close):
                self.queue.close()

    def idle(self) -> None:
        """Let the world go on until the queue is interrupted."""
        interrupted = self.queue.interrupted
        while not interrupted():
            self.queue.run(self.queue.real() + _STRETCH)
            if self.ended and not self._closed:
                self._close()
                self._give_back()
                self.queue.interrupted = interrupted

    def _give_back(self) -> None:
        for give_back in self._ports:
            give_back()
        self._ports.clear()

    def _close(self) -> None:
        self.queue.interrupted = lambda: False
        if self._plant is not None:
            self._plant.go_safe(self.queue.now)
            self._plant_changed()
            until = self.queue.now + _FAREWELL
            while self.queue.now < until:  # whatever else happens meanwhile
                self.queue.run(until)
        super()._close()
