"""One clock, one event queue: the virtual world jumps from event to event."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from hil.errors import WorldError
from hil.units import Instant, show_instant


class EventQueue:
    """Calls in order of their instants; equal instants in the order in which they were asked for.

    Implements :class:`hil.bus.scheduler.Scheduler`. ``now`` only moves inside :meth:`run`.
    """

    __slots__ = ("_count", "_heap", "now", "stopped")

    def __init__(self) -> None:
        self.now: Instant = 0
        self.stopped = False
        self._heap: list[tuple[Instant, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, instant: Instant, call: Callable[[], None]) -> None:
        """Call ``call`` at ``instant``; an instant in the past is our own misuse and raises."""
        if instant < self.now:
            raise WorldError(f"an event at {show_instant(instant)} lies before now, {show_instant(self.now)}")
        self._count = count = self._count + 1
        heapq.heappush(self._heap, (instant, count, call))

    def next_due(self) -> Instant | None:
        """The instant of the earliest event that waits; None when nothing is left to happen."""
        return self._heap[0][0] if self._heap else None

    def stop(self) -> None:
        """End the present :meth:`run` after the event that is being served."""
        self.stopped = True

    def end(self, instant: Instant) -> None:
        """Drop every event and let the clock stand at an instant that has not passed."""
        self._heap.clear()
        self.now = max(self.now, instant)

    def run(self, until: Instant) -> None:
        """Serve every event up to and including ``until``, or up to a :meth:`stop`."""
        heap = self._heap
        pop = heapq.heappop
        self.stopped = False
        while heap and heap[0][0] <= until:
            self.now, _, call = pop(heap)
            call()
            if self.stopped:
                return
        self.now = max(self.now, until)
