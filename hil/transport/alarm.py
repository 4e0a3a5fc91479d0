"""An alarm by the real clock that raises in the main thread, whatever that is busy with.

Where the system has interval timers (everywhere but on Windows) it interrupts calls that wait, too. Elsewhere, or
where somebody else uses the timer's signal, a thread asks the interpreter to raise: that reaches Python code, while a
call of the system that waits is left to return first.
"""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from hil.units import Span, s, seconds

AGAIN: Span = s(1)
"""What was caught and not heeded is raised again so much later."""


@contextmanager
def alarm(after: Span, error: type[BaseException], *, timer: bool = True) -> Iterator[None]:
    """Raise ``error`` in the body when it takes longer than ``after``, and again until the body has ended.

    Does nothing in another thread than the main one. Without ``timer`` a thread does it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
    elif timer and _timer_is_free():
        with _by_timer(after, error):
            yield
    else:
        with _by_thread(after, error):
            yield


def _timer_is_free() -> bool:
    return hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


@contextmanager
def _by_timer(after: Span, error: type[BaseException]) -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> NoReturn:
        raise error

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds(after), seconds(AGAIN))
        yield
    finally:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:
            signal.signal(signal.SIGALRM, before)


@contextmanager
def _by_thread(after: Span, error: type[BaseException]) -> Iterator[None]:
    over = threading.Event()
    main = ctypes.c_ulong(threading.get_ident())
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc

    def watch() -> None:
        span = after
        while not over.wait(seconds(span)):
            raise_in(main, ctypes.py_object(error))
            span = AGAIN

    watcher = threading.Thread(target=watch, name="alarm", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        raise_in(main, None)  # one that has been asked for and has not come yet
