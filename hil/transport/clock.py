"""The real clock."""

from __future__ import annotations

import datetime
import time

from hil.units import Instant


def monotonic() -> Instant:
    """Nanoseconds of a clock that never steps; only differences mean anything."""
    return time.monotonic_ns()


def wall_time() -> str:
    """The time of day as ISO 8601 text with its zone, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")  # noqa: TID251 - this is the place
