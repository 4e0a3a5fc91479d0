"""A DUT that the rig starts: a process whose output is evidence, watched until it is stopped.

Program and arguments are started as they are, no shell takes part. What belongs to its process group ends with it.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from hil.errors import HilError
from hil.rig.ports import DutProcessSettings
from hil.transport.clock import monotonic
from hil.transport.output import Output
from hil.units import Instant, Span, ms, s, seconds, show_span

_LAST_WORDS = 5
"""Lines."""
_STRAGGLERS: Span = s(1)
"""For output that is still in the pipe when the process has ended."""
_SLICE: Span = ms(100)
_KILL_WITHIN: Span = s(5)
"""For the system to end what was killed."""


class DutError(HilError):
    """The DUT did not come up: it could not be started, ended at once, or never said that it is ready."""


class DutProcess:
    """Started and stopped any number of times; not by several threads at once.

    Whatever becomes of the interpreter, the process is stopped with it; where that is killed, on Linux only, and
    without what else belongs to its group.
    """

    def __init__(self, settings: DutProcessSettings) -> None:
        self._settings = settings
        self._ready = re.compile(settings.ready) if settings.ready else None
        self._alive = re.compile(settings.alive) if settings.alive else None
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._output = Output()
        self.starts = 0
        """How often it was started."""

    # --- starting -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it and wait until it is ready; raises :class:`DutError` with its last words.

        One that runs already is left alone.
        """
        if self.alive:
            return
        self.stop()
        begin = monotonic()
        turn = self._output.begin(self._ready, self._alive)
        process = self._process = self._spawn()
        self.starts += 1
        atexit.register(self.stop)
        self._reader = threading.Thread(target=self._read, args=(process, turn), name="output of the DUT", daemon=True)
        self._reader.start()
        try:
            self._await_ready(begin)
        except BaseException:
            self.stop()
            raise

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = self._settings
        try:
            return subprocess.Popen(  # noqa: S603 - the rig's own command, and no shell
                tethered(program(settings.command, settings.folder)),
                cwd=settings.folder,
                env={**os.environ, **settings.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                # A group of its own, so that its children end with it and Ctrl-C stays ours.
                start_new_session=sys.platform != "win32",
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise DutError(f"the DUT cannot be started: {settings.command[0]}: {said}") from error

    def _await_ready(self, begin: Instant) -> None:
        settings = self._settings
        due = begin + settings.ready_within
        # In slices, as a child that holds the pipe would hide that the process has ended.
        while not self._output.wait_ready(min(_SLICE, due - monotonic())):
            if self._output.over or not self.alive or monotonic() >= due:
                break
        if self._output.ready:
            return
        if self._output.over and self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds(_STRAGGLERS))
        ended = self.ended
        if ended is not None:
            told = f"the DUT {ended} {show_span(round_ms(monotonic() - begin))} after its start, before it was ready"
        else:
            told = f'the DUT did not say "{settings.ready}" within {show_span(settings.ready_within)}'
        raise DutError(f"{told}; {self.last_words}")

    def _read(self, process: subprocess.Popen[bytes], turn: int) -> None:
        """In a thread: take in all it says, whoever is busy, so that a flood never blocks it."""
        assert process.stdout is not None, "it was started with a pipe"
        number = process.stdout.fileno()
        with contextlib.suppress(OSError, ValueError):
            while data := os.read(number, 65_536):
                self._output.take(data, turn)
        self._output.end(turn)

    # --- watching -----------------------------------------------------------------------------------

    @property
    def pid(self) -> int | None:
        """Its id; None when it does not run."""
        return self._process.pid if self._process is not None and self.alive else None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def ended(self) -> str | None:
        """How it ended, as ``exited with code 3``; None while it runs or was never started."""
        process = self._process
        code = None if process is None else process.poll()
        if code is None:
            return None
        if self._reader is not None:
            self._reader.join(seconds(_STRAGGLERS))
        return f"exited with code {code}" if code >= 0 else f"was ended by {_signal_name(-code)}"

    def ended_within(self, span: Span) -> str | None:
        """How it ended, where it does so in that time: what a process holds is gone a moment before it is."""
        if self._process is not None and span > 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds(span))
        return self.ended

    def hung(self) -> str | None:
        """That it hangs, or how it ended meanwhile: it runs, and prints no line that shows that it goes on.

        Waits for such a line as long as the settings allow. None where it goes on, and where they name none.
        """
        within = self._settings.alive_within
        if self._alive is None or not self.alive or self._output.wait_beat(within):
            return None
        return self.ended or f"hangs: for {show_span(within)} no line told that it goes on"

    @property
    def last_words(self) -> str:
        """The last lines of its output, as one line of text."""
        lines = self._output.last(_LAST_WORDS)
        return f"its last words: {' | '.join(lines)}" if lines else "it said nothing"

    def log_to(self, path: Path | None) -> None:
        """Keep its output in this file from now on, with the seconds since now; None keeps none."""
        self._output.log_to(path)

    # --- stopping -----------------------------------------------------------------------------------

    def stop(self) -> None:
        """Ask it to end, and kill what is left of its group after the time it is given. Not running is fine."""
        process = self._process
        if process is None:
            return
        self._process = None
        atexit.unregister(self.stop)
        if process.poll() is None:
            _terminate(process)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds(self._settings.stop_within))
        _kill_group(process)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds(_KILL_WITHIN))
        if self._reader is not None:
            self._reader.join(seconds(_STRAGGLERS))
        if process.stdout is not None and (self._reader is None or not self._reader.is_alive()):
            process.stdout.close()

    def close(self) -> None:
        """Stop it and let go of the file of its output."""
        self.stop()
        self._output.log_to(None)


def program(command: Sequence[str], folder: str) -> list[str]:
    """The command as the system takes it: a path is meant from the folder on, a bare name is looked up."""
    first = Path(command[0])
    if len(first.parts) > 1 and not first.is_absolute():
        return [str(Path(folder) / first), *command[1:]]
    return [shutil.which(command[0]) or command[0], *command[1:]]


def tethered(command: list[str]) -> list[str]:
    """The command so that the system asks it to end when this process is killed, where the system has a tool for that.

    Such a bond is to the thread that starts it, so that only the main one makes it.
    """
    runs = Path(command[0]).is_file() and os.access(command[0], os.X_OK)  # else it is told as what cannot be started
    if not runs or threading.current_thread() is not threading.main_thread():
        return command
    return [*_tether(), *command]


@functools.cache
def _tether() -> tuple[str, ...]:
    """Words before a command: util-linux has them, others' tools of that name may not."""
    tool = shutil.which("setpriv")
    if tool is None:
        return ()
    words = (tool, "--pdeathsig", "TERM", "--")
    tried = subprocess.run([*words, sys.executable, "--version"], capture_output=True, check=False)  # noqa: S603 - fixed
    return words if tried.returncode == 0 else ()


def round_ms(span: Span) -> Span:
    """To whole milliseconds, for people."""
    return round(span / 1_000_000) * 1_000_000


def _signal_name(number: int) -> str:
    try:
        return f"{signal.Signals(number).name} (signal {number})"
    except ValueError:
        return f"signal {number}"


def _terminate(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            os.killpg(process.pid, signal.SIGTERM)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Also what the process has left behind when it ended."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            tool = shutil.which("taskkill") or "taskkill"
            subprocess.run([tool, "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)  # noqa: S603 - a fixed command
        else:
            os.killpg(process.pid, signal.SIGKILL)
