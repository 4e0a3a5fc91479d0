"""One clock, one event queue: the virtual world jumps from event to event."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from hil.errors import WorldError
from hil.native import mypyc_attr
from hil.units import Instant, show_instant


@mypyc_attr(allow_interpreted_subclasses=True)
class EventQueue:
    """Calls in order of their instants; equal instants in the order in which they were asked for.

    Implements :class:`hil.bus.scheduler.Scheduler`. ``now`` only moves inside :meth:`run`.
    """

    __slots__ = ("_heap", "_turn", "now", "stopped")

    def __init__(self) -> None:
        self.now: Instant = 0
        self.stopped = False
        self._heap: list[tuple[Instant, int, Callable[[], None]]] = []
        self._turn = count().__next__

    def at(self, instant: Instant, call: Callable[[], None]) -> None:
        """Call ``call`` at ``instant``; an instant in the past is our own misuse and raises."""
        if instant < self.now:
            raise WorldError(f"an event at {show_instant(instant)} lies before now, {show_instant(self.now)}")
        heappush(self._heap, (instant, self._turn(), call))

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
        pop = heappop
        self.stopped = False
        while heap and heap[0][0] <= until:
            self.now, _, call = pop(heap)
            call()
            if self.stopped:
                return
        self.now = max(self.now, until)
