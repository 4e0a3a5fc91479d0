"""A live world in a process of its own: whatever the test's process does, frames leave on time.

The pipe between the two carries plain values only. When it closes on either side the world goes to its safe
state and the process ends. Ctrl-C, and a terminal that is closed, end the test's process alone: the world goes on
until it is told, or finds the pipe closed.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from hil.errors import HilError, WorldError
from hil.transport.live import LiveWorld
from hil.world.pipe import GoneError, RemoteWorld, answer_to, encoded, failure
from hil.world.plan import Close, Command, Reply

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

Build = Callable[[], LiveWorld]
"""Makes the world in its process; it must be picklable, so it is a plain function with plain values."""

Check = Callable[[], None]
"""Asked now and then while somebody waits for the world; raises what ends the wait."""

_ASK = 0.2
"""s between two such questions."""
_TURN = 0.0005
"""s that a thread which reads or writes a port may go on while the world's wants its turn."""
_REAL_TIME = 10
"""Of 1 to 99 in the real-time class: before everything that is in none, behind the system's own threads."""
_PRIORITY = -15
"""Of 19 (last) to -20, where there is no real-time class to be had."""
_OF_THE_TERMINAL = ("SIGINT", "SIGHUP", "SIGQUIT")
"""A terminal sends these to every process of a command. The world's would end without its safe state."""
_GOING = 10.0
"""s for a process to end by itself after its world was closed."""


def nothing() -> None:
    """A check that lets every wait go on."""


class _CheckedPipe:
    """The near end of a pipe; waiting for the other end can be ended."""

    def __init__(self, pipe: Connection, check: Check) -> None:
        self._pipe = pipe
        self.check = check
        self.send_bytes = pipe.send_bytes
        self.close = pipe.close

    def recv_bytes(self) -> bytes:
        """What the other end says; raises what the check does, :class:`EOFError` or :class:`OSError` at its end."""
        while not self._pipe.poll(_ASK):
            self.check()
        return self._pipe.recv_bytes()


class LiveProcess:
    """The near end: looks like a world.

    Raises what ``build`` raised over there, :class:`WorldError` when the process died in the attempt. ``check`` is
    asked while an answer is waited for, but for that to :class:`Close`; what it raises breaks the wait off, and what
    was seen until then comes with the next reply.
    """

    def __init__(self, build: Build, check: Check = nothing) -> None:
        context = multiprocessing.get_context("spawn")
        near, far = context.Pipe()
        self._pipe = _CheckedPipe(near, check)
        self._process: SpawnProcess = context.Process(target=_main, args=(far, build), name="hil world", daemon=True)
        self._process.start()
        far.close()
        self._world = RemoteWorld(self._pipe)
        self._closed = False
        try:
            self._opened = self._world.next_answer()
        except GoneError as error:
            self.end()
            raise WorldError(f"the live world's process ended in its start with code {self.exit_code}") from error
        except BaseException:
            self.end()
            raise

    @property
    def pid(self) -> int:
        """Id of the world's process."""
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    def execute(self, command: Command) -> Reply:
        """Carry out one command over there; raises as the world does, :class:`WorldError` when it has gone."""
        if self._closed:
            raise WorldError("the world is closed")
        if isinstance(command, Close):
            self._pipe.check = nothing
        try:
            reply = self._world.execute(command)
        except GoneError:
            self.end()
            raise
        if isinstance(command, Close):
            self._closed = True
            self.end()
        opened, self._opened = self._opened, Reply(0, None, [])
        return Reply(reply.now, reply.stopped_by, opened.observations + reply.observations)

    @property
    def exit_code(self) -> int | None:
        """How the process ended; None while it runs."""
        return self._process.exitcode

    def end(self) -> None:
        """Close the pipe, which is the safe state, and see the process off; a second call does nothing."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._pipe.close()
        self._process.join(_GOING)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


class _Inbox:
    """Takes commands off the pipe in a thread, so that the world need not wait for them."""

    def __init__(self, pipe: Connection, ring: Callable[[], None]) -> None:
        self._pipe = pipe
        self._ring = ring
        self._commands: deque[bytes] = deque()
        self.over = False
        """The other end has gone, or this process was told to end."""
        threading.Thread(target=self._run, name="commands", daemon=True).start()

    def _run(self) -> None:
        try:
            while True:
                self._commands.append(self._pipe.recv_bytes())
                self._ring()
        except (EOFError, OSError):
            self.over = True
            self._ring()

    def waiting(self) -> bool:
        """Whether somebody wants something."""
        return self.over or bool(self._commands)

    def take(self) -> bytes | None:
        """The next command; None when none has come."""
        return self._commands.popleft() if self._commands else None


def _main(pipe: Connection, build: Build) -> None:
    for name in _OF_THE_TERMINAL:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        world = build()
    except HilError as error:
        _answer(pipe, encoded(failure(error)))
        return
    except Exception as error:
        _answer(
            pipe, encoded(failure(WorldError(f"the live world could not be built: {type(error).__name__}: {error}")))
        )
        raise
    sys.setswitchinterval(_TURN)
    inbox = _Inbox(pipe, world.queue.bell.ring)
    if sys.platform != "win32":
        signal.signal(signal.SIGTERM, lambda *_: setattr(inbox, "over", True))
    gc.collect()
    gc.freeze()
    gc.disable()  # the queue collects where nothing is due
    _come_first()  # not before: what this takes until here keeps no other world from running
    world.queue.catch_up()
    begin = Reply(world.queue.now, None, world.observations)
    world.observations = []
    _answer(pipe, encoded(begin))
    serve(world, inbox, pipe)


def _come_first() -> None:
    """Ask the system to run this process before others; one that may not goes on as it is, and the ledger tells.

    Both take a right that root has, or whom the system gives it (RLIMIT_RTPRIO, RLIMIT_NICE). On a busy machine only
    the real-time class keeps lateness below a millisecond; nice alone has seen tens of them.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(_REAL_TIME))
        return
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)


def serve(world: LiveWorld, inbox: _Inbox, pipe: Connection) -> None:
    """Carry out commands until the world is closed or nobody is there any more; in between it goes on."""
    closed = False
    try:
        while not closed and not inbox.over:
            world.queue.interrupted = inbox.waiting
            world.idle()
            data = inbox.take()
            if data is not None:
                # The end of the pipe breaks a command off, and so does the next one: its sender waits no more.
                world.queue.interrupted = inbox.waiting
                answer, closed = answer_to(world, data)
                _answer(pipe, encoded(answer))
    finally:
        if not closed:
            last = world.execute(Close())
            with contextlib.suppress(OSError, AttributeError):
                os.set_blocking(pipe.fileno(), False)  # for whoever still listens, and not waiting for that
            _answer(pipe, encoded(last))
        pipe.close()


def _answer(pipe: Connection, data: bytes) -> None:
    with contextlib.suppress(OSError):  # nobody is there any more: the inbox hears of it too
        pipe.send_bytes(data)
