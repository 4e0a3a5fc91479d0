"""How a live world reads a port: when its file descriptor has something, else by a thread that waits for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from hil.transport.queue import LiveQueue

_WAITS = 0.2
"""s that a thread waits at a time, so that it ends soon after it is told to."""
HOPELESS = 1_000
"""So many exceptions in a row, and nothing between them: it is not what was read that is broken, but the driver."""


class Failures:
    """Counts what a driver raises in a row."""

    def __init__(self) -> None:
        self._count = 0

    def over(self) -> None:
        """It has read something, or waited in vain."""
        self._count = 0

    def judged(self, error: Exception) -> Exception:
        """What it raised, or, where that goes on and on, the :class:`OSError` of a port that is lost."""
        self._count += 1
        if self._count < HOPELESS:
            return error
        return OSError(f"the driver raised {HOPELESS} times in a row, at last {type(error).__name__}: {error}")


class Reader(Protocol):
    """Reads until it is stopped."""

    def stop(self) -> None:
        """Read no more."""


class DescriptorReader:
    """Calls ``take_in`` whenever the descriptor has something."""

    def __init__(self, queue: LiveQueue, number: int, take_in: Callable[[], None]) -> None:
        self._queue = queue
        self._number = number
        self._take_in = take_in
        queue.add_source(self)

    def fileno(self) -> int:
        """What to wait for."""
        return self._number

    def take_in(self) -> None:
        """Read what is there."""
        self._take_in()

    def stop(self) -> None:
        """Read no more."""
        self._queue.remove_source(self)


class ThreadReader:
    """Calls ``read`` with a time limit in a thread; what it gives or raises is handed to ``took`` in the queue's own.

    It reads on after an exception, but for an :class:`OSError`; raising on and on comes to one.
    """

    def __init__(self, queue: LiveQueue, name: str, read: Callable[[float], Any], took: Callable[[Any], None]) -> None:
        self._queue = queue
        self._read = read
        self._took = took
        self._brought: deque[Any] = deque()
        self._stopped = False
        queue.add_thread(self._take_in)
        self._thread = threading.Thread(target=self._run, name=f"reader of {name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        failures = Failures()
        while not self._stopped:
            try:
                brought = self._read(_WAITS)
                failures.over()
            except Exception as error:  # whatever a driver raises is judged by the port
                brought = failures.judged(error)
            if brought is not None and not self._stopped:
                self._brought.append(brought)
                self._queue.bell.ring()
                if isinstance(brought, OSError):
                    return

    def _take_in(self) -> None:
        while self._brought and not self._stopped:
            self._took(self._brought.popleft())

    def stop(self) -> None:
        """Read no more; waits for the thread."""
        self._stopped = True
        if self._thread is not threading.current_thread():
            self._thread.join(2 * _WAITS)


def descriptor_of(port: Any) -> int | None:
    """The file descriptor of a port that can be waited for; None where it has none."""
    try:
        number: int = port.fileno()
    except Exception:  # interfaces say in many ways that they have none
        return None
    return number if number >= 0 else None
