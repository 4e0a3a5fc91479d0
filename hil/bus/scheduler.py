"""What a bus model needs of time: the present instant and a way to be called later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hil.units import Instant


class Scheduler(Protocol):
    """One clock and one event queue. Equal instants are served in the order of the calls."""

    now: Instant

    def at(self, instant: Instant, call: Callable[[], None]) -> None:
        """Call ``call`` at ``instant`` (not before ``now``); it cannot be taken back."""
