"""The real clock."""

from __future__ import annotations

import datetime
import threading
import time
from typing import Protocol

from hil.units import Instant, Span, seconds


def monotonic() -> Instant:
    """Nanoseconds of a clock that never steps; only differences mean anything."""
    return time.monotonic_ns()


def wall_time() -> str:
    """The time of day as ISO 8601 text with its zone, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")  # noqa: TID251 - this is the place


class Clock(Protocol):
    """A clock that can be waited by; tests have one of their own."""

    def now(self) -> Instant:
        """Nanoseconds; only differences mean anything."""

    def wait(self, changed: threading.Condition, span: Span | None) -> None:
        """Give the condition's lock away until it is notified or the span is over (None: until notified)."""


class WallClock:
    """The real one."""

    def now(self) -> Instant:
        """Nanoseconds of a clock that never steps."""
        return monotonic()

    def wait(self, changed: threading.Condition, span: Span | None) -> None:
        """Wait on the condition, at most for the span."""
        changed.wait(None if span is None else seconds(span))


def wall_nanoseconds() -> int:
    """Nanoseconds since 1970 by the clock on the wall, which may be set at any time."""
    return time.time_ns()


def wall_seconds() -> float:
    """Seconds since 1970, as log files have them."""
    return wall_nanoseconds() / 1e9
