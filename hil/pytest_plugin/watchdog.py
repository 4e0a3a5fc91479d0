"""A limit by the real clock for one run, so that a bench or a case that never comes to an end is told as such."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hil.errors import HilError
from hil.transport.alarm import alarm
from hil.transport.clock import monotonic
from hil.units import Instant, Span, ms, show_span
from hil.world.pipe import World
from hil.world.plan import Close, Command, Reply

_GRACE: Span = ms(500)
"""A case that gives commands has been stopped between two of them by then."""


class RealTimeError(HilError):
    """A run took longer by the wall clock than it was allowed."""


class WatchedWorld:
    """A world that takes no more commands once the time is up.

    It is asked between two commands, so that everything a command brought is kept; closing is always
    carried out.
    """

    def __init__(self, world: World, limit: Span, clock: Callable[[], Instant] = monotonic) -> None:
        self._world = world
        self._limit = limit
        self._clock = clock
        self._begin = clock()

    def execute(self, command: Command) -> Reply:
        """Carry out a command; raises :class:`RealTimeError` when the time is up."""
        if not isinstance(command, Close):
            self.check()
        return self._world.execute(command)

    def check(self) -> None:
        """Raise :class:`RealTimeError` when the time is up."""
        taken = self._clock() - self._begin
        if taken > self._limit:
            allowed = show_span(self._limit)
            raise RealTimeError(f"the run took {show_span(taken)} of real time, --max-real-time allows {allowed}")

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """End the body by :class:`RealTimeError` soon after the time is up, also where it gives no command."""
        left = self._limit - (self._clock() - self._begin)
        try:
            with alarm(max(left, 0) + _GRACE, _OutOfTime):
                yield
        except _OutOfTime:
            self.check()
            raise RealTimeError("the run was interrupted: it took longer than --max-real-time allows") from None


class _OutOfTime(BaseException):
    """Raised in the middle of anything, and no ``Exception``: a loop that catches those would go on."""
