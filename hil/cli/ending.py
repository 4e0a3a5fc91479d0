"""A request to end is like Ctrl-C, for commands that run until somebody wants no more."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def ending() -> Iterator[None]:
    """Raise :class:`KeyboardInterrupt` on SIGTERM as on SIGINT, also where a shell has started us deaf to that."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
