"""The live world: the same nodes as in a virtual one, on the clock of the wall and on ports of the machine."""

from __future__ import annotations

from collections.abc import Callable

from hil.protocol.gbt27930 import MessageSet
from hil.transport.clock import monotonic
from hil.transport.queue import LiveQueue
from hil.units import Instant, Span, ms, s
from hil.world.base import BaseWorld
from hil.world.bytenode import ByteNodeRunner
from hil.world.plan import Close, Command, Reply

_STRETCH: Span = s(1)
_FAREWELL: Span = ms(300)
"""So long the ports live on after the plant was told to be safe, or after the last words of a node, for who is behind a
port to hear of it."""
_AT_MOST: Span = ms(300)
"""So long last words wait for an answer that is under way, and after that for each other."""
_ASK: Span = ms(5)


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
        until = self.queue.now
        if self._plant is not None:
            self._plant.go_safe(self.queue.now)
            self._plant_changed()
            until += _FAREWELL
        until = max(until, self._take_leave())
        while self.queue.now < until:  # whatever else happens meanwhile
            self.queue.run(until)
        super()._close()

    def _take_leave(self) -> Instant:
        """Let every node switch off what it has switched on; returns up to when the ports have to live on for that."""
        self.parting = True
        for line in self._lines.values():
            if line.kind != "can":
                line.undo_all()  # a fault on the line would keep the last words back
        begun = until = self.queue.now
        waiting = [each for each in self._runners.values() if isinstance(each, ByteNodeRunner) and each.parts]
        while waiting and self.queue.now < begun + 2 * _AT_MOST:
            waited = self.queue.now >= begun + _AT_MOST
            for runner in waiting:
                if runner.part(waited=waited):
                    until = self.queue.now + _FAREWELL
            waiting = [each for each in waiting if each.parts]
            if waiting:
                self.queue.run(self.queue.now + _ASK)
        return until
