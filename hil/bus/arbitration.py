"""Who of the nodes on a virtual CAN bus sends, and when: arbitration, bit time, and who hears whom (ISO 11898-1).

What goes on for each frame is here; what goes wrong is in :mod:`hil.bus.can`.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

from hil.bus.link import LinkFaults, Marks
from hil.bus.observe import BusErrorSeen, FrameSeen, Note
from hil.bus.port import NEVER, CanPort, Entry
from hil.bus.scheduler import Scheduler
from hil.bus.timing import INTERMISSION, frame_shape
from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.native import mypyc_attr
from hil.units import SECOND, Instant, Span

_QUEUE = 64
"""Frames a node may hold; more are lost and reported."""
SUSPEND = 8
"""Bits an error-passive sender waits after its own frame."""
_NOTHING: Entry = (0, 0, CanFrame(0, b""), 0, ())

Sink = Callable[[FrameSeen | BusErrorSeen | Note], None]


@mypyc_attr(allow_interpreted_subclasses=True)
class Arbitration(ABC):
    """A CAN bus as long as nothing goes wrong on it; :class:`hil.bus.can.VirtualCan` is the whole of it."""

    kind: Final = "can"

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        bitrate: int = 250_000,
        name: str = "can0",
        sink: Sink,
        rng: random.Random | None = None,
    ) -> None:
        if bitrate <= 0 or SECOND % bitrate:
            raise UsageError(f"bit rate {bitrate}: a bit must last a whole number of nanoseconds")
        self.name = name
        self.bit: Span = SECOND // bitrate
        self.ports: list[CanPort] = []
        self.allows: Callable[[CanFrame], bool] | None = None
        """Asked of each frame that a node wants to send."""
        self._scheduler = scheduler
        self._sink = sink
        self._faults = LinkFaults(name, scheduler, sink, rng)
        self.faulty = self._faults.active
        """Not empty while link faults are on the bus."""
        self._count = 0
        self._intermission = INTERMISSION * self.bit
        self._idle: Instant = 0
        """Not before this may a frame start."""
        # The frame that has won: on the line from start to end. Up to its start it can be replaced.
        self._sender: CanPort | None = None
        self._entry = _NOTHING
        self._start: Instant = NEVER
        self._end_due: Instant = NEVER
        self._cut = False
        """The sender has left in the middle of its frame."""
        self._joining = False
        """A node waits for the end of the frame to join."""
        self._shorted = False
        """Nothing that a node sends shows on the line."""
        self._on_end = self._end

    # --- who hears whom -----------------------------------------------------------------------------

    def _rehear(self) -> None:
        """Work out who hears whom; during a frame nodes only leave."""
        self._joining = False
        stuck = [(port, port.hears) for port in self.ports if port.since != NEVER]
        for port in self.ports:
            takes_part = port.connected and not port.bus_off and not self._shorted
            if takes_part and not port.hears and self._sender is not None:
                self._joining = True
            else:
                port.hears = takes_part
        hearing = [port for port in self.ports if port.hears]
        for port in self.ports:
            port.receivers = tuple(other for other in hearing if other is not port) if port.hears else ()
        for port, on_the_line in stuck:
            if port.receivers or (self._shorted and port.connected):
                self._resume(port, on_the_line)

    # --- sending ------------------------------------------------------------------------------------

    def enqueue(self, port: CanPort, frame: CanFrame, marks: Marks = ()) -> None:
        """Take a frame of a node. It wins at once where the line is free, until a better one comes in time."""
        key, bits = frame_shape(frame)
        queue = port.queue
        if queue and len(queue) >= _QUEUE:
            self.report(port, "overflow")
            return
        self._count = count = self._count + 1
        entry = (key, count, frame, bits * self.bit, marks)
        if not port.receivers:
            self._enqueue_unheard(port, entry)
            return
        start = self._scheduler.now
        if start < self._idle:
            start = self._idle
        if start < port.ready:
            start = port.ready
        if self._sender is not None:
            if start > self._start or (start == self._start and entry > self._entry):
                heappush(queue, entry)
                return
            self._retract()
        self._sender = port
        self._entry = entry
        self._start = start
        self._end_due = end = start + entry[3]
        self._scheduler.at(end, self._on_end)

    def holds(self, port: CanPort) -> bool:
        """Whether a frame of this node has been chosen and not begun."""
        return self._sender is port and self._scheduler.now < self._start

    def take_back(self, port: CanPort) -> None:
        """Take back every frame of a node that has not begun."""
        self._retract()
        port.queue.clear()
        port.since = NEVER
        self._go_on()

    def _retract(self) -> None:
        """Put the frame that has won, and has not begun before this instant, back into its queue."""
        if self._sender is not None and self._scheduler.now <= self._start:
            heappush(self._sender.queue, self._entry)
            self._sender = None
            self._end_due = NEVER

    def _begin(self, port: CanPort, entry: Entry, start: Instant) -> None:
        self._sender = port
        self._entry = entry
        self._start = start
        self._end_due = end = start + entry[3]
        self._scheduler.at(end, self._on_end)

    def _choose(self) -> None:
        """Whoever may start first begins; of several the one with the lowest identifier."""
        now = self._scheduler.now
        free = max(now, self._idle)
        best: CanPort | None = None
        best_start = 0
        for port in self.ports:
            queue = port.queue
            if not queue or not port.receivers:
                continue
            start = max(free, port.ready)
            if best is None or start < best_start or (start == best_start and queue[0] < best.queue[0]):
                best, best_start = port, start
        if best is not None:
            self._begin(best, heappop(best.queue), best_start)

    def _go_on(self) -> None:
        """After a change: the next frame of those that are heard, the next attempts of those that are not."""
        for port in self.ports:
            if port.queue:
                break
        else:
            return
        if self._sender is None:
            self._choose()
        for port in self.ports:
            if port.queue and not port.receivers:
                self._attempt(port)

    def _end(self) -> None:
        """The frame on the line has come to its end: it is acknowledged, seen and received."""
        now = self._scheduler.now
        sender, entry = self._sender, self._entry
        if now != self._end_due or sender is None:
            return  # another frame had taken its place before it began
        self._sender = None
        self._end_due = NEVER
        receivers = sender.receivers
        frame = entry[2]
        if not receivers or (self.faulty and self._faults.destroys(sender.name, frame)):
            self._failed(sender, entry)
            return
        self._idle = now + self._intermission
        if sender.tec:
            sender.count_sent(-1)
            sender.ready = self._idle + self._suspension(sender)
        if self._joining:
            self._rehear()
        self._go_on()
        if entry[4] or self.faulty:
            left = self._receivers_left(sender, entry, receivers)
            if left is None:
                return
            receivers = left
        self._sink(FrameSeen(now, self.name, frame.id, frame.data, sender.name, frame.extended))
        for port in receivers:
            if port.rec:
                port.count_received(-1)
            port.on_frame(frame, now)

    def _suspension(self, port: CanPort) -> Span:
        return SUSPEND * self.bit if port.state == "error_passive" else 0

    # --- what goes wrong, and is worked out elsewhere -------------------------------------------------

    def report(self, port: CanPort, kind: str) -> None:
        """Tell what happened to a node, with its counters."""
        self._sink(BusErrorSeen(self._scheduler.now, self.name, port.name, kind, port.tec, port.rec))

    @abstractmethod
    def _failed(self, sender: CanPort, entry: Entry) -> None: ...

    @abstractmethod
    def _enqueue_unheard(self, port: CanPort, entry: Entry) -> None: ...

    @abstractmethod
    def _attempt(self, port: CanPort) -> None: ...

    @abstractmethod
    def _resume(self, port: CanPort, on_the_line: bool) -> None: ...

    @abstractmethod
    def _receivers_left(
        self, sender: CanPort, entry: Entry, receivers: tuple[CanPort, ...]
    ) -> tuple[CanPort, ...] | None: ...
