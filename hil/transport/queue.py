"""The event queue of a live world: the same calls as a virtual one's, at the instants of the real clock.

Between two events it waits for input of the ports. What has come in is put into the queue at its own
time stamp before anything that is due later is served, so that a process that was kept from running
finds out late, but never in the wrong order: no time-out is blamed on a frame that lies in a buffer.
"""

from __future__ import annotations

import contextlib
import gc
import heapq
import select
import socket
import threading
from collections.abc import Callable
from typing import Protocol

from hil.transport.clock import monotonic
from hil.units import FAR, Instant, Span, ms, s, seconds
from hil.world.queue import EventQueue

_PAUSE: Span = ms(20)
"""Garbage is collected only where nothing is due for so long."""
_COLLECTING: Span = s(2)
"""Not more often than this."""


class Source(Protocol):
    """A port that is read when its file descriptor has something."""

    def fileno(self) -> int:
        """What to wait for."""

    def take_in(self) -> None:
        """Read what is there, without waiting, and put it into the queue."""


class Doorbell:
    """Wakes a waiting queue from another thread; the thread leaves what it brought where its owner looks."""

    def __init__(self) -> None:
        self._ear, self._hand = socket.socketpair()
        self._ear.setblocking(False)
        self._hand.setblocking(False)
        self._lock = threading.Lock()
        self._rung = False

    def ring(self) -> None:
        """Wake the queue; ringing again before it has looked does nothing."""
        with self._lock:
            if not self._rung:
                self._rung = True
                with contextlib.suppress(OSError):  # a thread that comes too late: nobody listens any more
                    self._hand.send(b"\0")

    def fileno(self) -> int:
        """What to wait for."""
        return self._ear.fileno()

    def hush(self) -> None:
        """It has been heard."""
        with self._lock:
            if self._rung:
                self._rung = False
                self._ear.recv(16)

    def close(self) -> None:
        """Give the sockets back."""
        self._ear.close()
        self._hand.close()


class LiveQueue(EventQueue):
    """Serves calls at the instants of ``clock``, counted from the queue's making.

    ``interrupted`` ends a :meth:`run` early, after the event that is being served; it is asked whenever the
    queue has waited.
    """

    __slots__ = (
        *("_awaited", "_clock", "_collected", "_ears", "_left", "_origin", "_sources", "_threads"),
        *("bell", "interrupted"),
    )

    def __init__(self, clock: Callable[[], Instant] = monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._origin = clock()
        self._sources: dict[int, Source] = {}
        self._threads: list[Callable[[], None]] = []
        self._collected: Instant = 0
        self._awaited: Instant = FAR
        self._left: list[Callable[[], None]] = []
        self.bell = Doorbell()
        """For threads that bring input."""
        self._ears = [self.bell.fileno()]
        self.interrupted: Callable[[], bool] = lambda: False

    @property
    def origin(self) -> Instant:
        """Reading of the monotonic clock at instant 0."""
        return self._origin

    def real(self) -> Instant:
        """What the clock shows, while ``now`` is the instant of the event that is being served."""
        return self._clock() - self._origin

    def catch_up(self) -> None:
        """Let ``now`` be what the clock shows: for what comes from outside of any event."""
        self.now = max(self.now, self.real())

    def add_source(self, source: Source) -> None:
        """Read this port when it has something."""
        self._sources[source.fileno()] = source
        self._ears = [*self._sources, self.bell.fileno()]

    def remove_source(self, source: Source) -> None:
        """Read it no more; one that is not there does no harm."""
        for number, each in list(self._sources.items()):
            if each is source:
                del self._sources[number]
        self._ears = [*self._sources, self.bell.fileno()]

    def add_thread(self, take_in: Callable[[], None]) -> None:
        """Call this when a thread has rung :attr:`bell`."""
        self._threads.append(take_in)

    @property
    def pressed(self) -> bool:
        """Something that was planned is due: a port that has more to read lets it go first, and reads on afterwards."""
        return self.real() >= self._awaited

    def read_on(self, take_in: Callable[[], None]) -> None:
        """Call this when what is due has been served: for a port that holds more than its descriptor shows."""
        self._left.append(take_in)

    def at_stamp(self, stamp: Instant, call: Callable[[], None]) -> None:
        """Call ``call`` at the time stamp of something that came in: not before what was served already, and not
        later than now."""
        self.at(max(self.now, min(stamp, self.real())), call)

    def close(self) -> None:
        """Listen no more."""
        self.bell.close()

    def run(self, until: Instant) -> None:
        """Serve every event up to and including ``until``, or up to a :meth:`stop` or an interruption."""
        heap = self._heap
        pop = heapq.heappop
        self.stopped = False
        while True:
            self._listen(min(heap[0][0] if heap else FAR, until))
            real = self.real()
            horizon = min(real, until)
            while heap and heap[0][0] <= horizon:
                instant, _, call = pop(heap)
                self.now = max(self.now, instant)
                call()
                if self.stopped:
                    return
            if real >= until:
                self.now = max(self.now, until)
                return
            if self.interrupted():
                self.now = max(self.now, real)
                return

    def _listen(self, until: Instant) -> None:
        """Wait for input up to an instant and take it in."""
        left, self._left = self._left, []
        self._awaited = until
        wait = 0 if left else until - self.real()
        if wait > _PAUSE and self.now - self._collected > _COLLECTING:
            self._collected = self.now
            gc.collect(1)
            wait = until - self.real()
        sources = self._sources
        # select() and not epoll: its time limit is in microseconds, theirs in whole milliseconds.
        bell = self.bell.fileno()
        ready = select.select(self._ears, (), (), max(0.0, seconds(min(wait, s(1)))))[0]
        for number in ready:
            if number == bell:
                self.bell.hush()
                for take_in in self._threads:
                    take_in()
            else:
                source = sources.get(number)
                if source is not None:
                    source.take_in()
        for take_in in left:
            take_in()
