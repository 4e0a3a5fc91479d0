"""A request to end is like Ctrl-C: what runs until somebody wants no more is closed, and told."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_ALWAYS = ("SIGTERM", "SIGINT")
"""Also where a shell has started us deaf to the latter."""
_UNLESS_IGNORED = ("SIGHUP",)
"""A terminal that is closed; ``nohup`` makes it ignored."""


@contextlib.contextmanager
def ending() -> Iterator[None]:
    """Raise :class:`KeyboardInterrupt` on SIGTERM, and where a terminal is closed, as on SIGINT.

    Does nothing in another thread than the main one, which hears no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in (*_ALWAYS, *_UNLESS_IGNORED) if hasattr(signal, name)]
    ignored = {getattr(signal, name, None) for name in _UNLESS_IGNORED}
    before = {
        number: signal.signal(number, stop)
        for number in numbers
        if number not in ignored or signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
