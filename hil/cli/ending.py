"""A request to end is like Ctrl-C, for commands that run until somebody wants no more."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def ending() -> Iterator[None]:
    """Raise :class:`KeyboardInterrupt` on SIGTERM as on SIGINT."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
