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


class Ending:
    """What is asked to end, and when it hears of that."""

    def __init__(self) -> None:
        self._whole = False
        self._asked = False

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Raise :class:`KeyboardInterrupt`, or remember that it is due."""
        if self._whole:
            self._asked = True
        else:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """What is done in here is done to its end; only then is a request heard that came in the meantime."""
        self._whole = True
        try:
            yield
        finally:
            self._whole = False
        if self._asked:
            raise KeyboardInterrupt


@contextlib.contextmanager
def ending() -> Iterator[Ending]:
    """Raise :class:`KeyboardInterrupt` on SIGTERM, and where a terminal is closed, as on SIGINT.

    Does nothing in another thread than the main one, which hears no signals.
    """
    found = Ending()
    if threading.current_thread() is not threading.main_thread():
        yield found
        return
    numbers = [getattr(signal, name) for name in (*_ALWAYS, *_UNLESS_IGNORED) if hasattr(signal, name)]
    ignored = {getattr(signal, name, None) for name in _UNLESS_IGNORED}
    before = {
        number: signal.signal(number, found.stop)
        for number in numbers
        if number not in ignored or signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
