"""What a process says: its last lines, whether it is ready, and a file of bounded size."""

from __future__ import annotations

import re
import threading
from collections import deque
from io import FileIO
from pathlib import Path

from hil.transport.clock import monotonic
from hil.units import Instant, Span, seconds

KEPT_LINES = 200
"""Of the end."""
LONGEST_LINE = 2000
"""Bytes; what is longer is cut into several."""
HEAD = 1 << 20
"""Bytes of a file that are written as they come; of what follows, the last :data:`KEPT_LINES` lines."""


class Output:
    """Taken in by one thread, asked by others. Its memory and its file are bounded, whatever is said."""

    def __init__(self, head: int = HEAD) -> None:
        self._head = head
        self._changed = threading.Condition()
        self._last: deque[str] = deque(maxlen=KEPT_LINES)
        self._rest = b""
        self._ready: re.Pattern[str] | None = None
        self._turn = 0
        self._alive: re.Pattern[str] | None = None
        self._beat: Instant = 0
        self.ready = False
        """Whether a line has matched."""
        self.trouble = ""
        """Why its file could not be written on; empty while it can."""
        self.over = False
        """Whether nothing more can come."""
        self._file: FileIO | None = None
        self._pending: list[bytes] = []
        self._since: Instant = 0
        self._written = 0
        self._tail: deque[bytes] = deque(maxlen=KEPT_LINES)
        self._left_out = 0
        """Lines that the file lacks, those of the tail among them."""

    def begin(self, ready: re.Pattern[str] | None, alive: re.Pattern[str] | None = None) -> int:
        """A process is started; it is ready when a line matches, and goes on while lines match ``alive``.

        Returns the turn that its output comes with.
        """
        with self._changed:
            self._last.clear()
            self._turn += 1
            self._alive, self._beat = alive, monotonic()
            self._rest, self._ready, self.ready, self.over = b"", ready, ready is None, False
            return self._turn

    def take(self, data: bytes, turn: int) -> None:
        """It has said something; what comes of an earlier turn is nobody's any more."""
        with self._changed:
            if turn != self._turn:
                return
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._line(line)
            while len(self._rest) > LONGEST_LINE:
                self._line(self._rest[:LONGEST_LINE])
                self._rest = self._rest[LONGEST_LINE:]
            self._flush()

    def _flush(self) -> None:
        """A full disk must not stop the reader, or the process would block on its output."""
        data, self._pending = b"".join(self._pending), []
        if self._file is None or not data:
            return
        try:
            self._file.write(data)
        except OSError as error:
            self._file.close()
            self._file, self.trouble = None, error.strerror or str(error)

    def end(self, turn: int) -> None:
        """It will say nothing more."""
        with self._changed:
            if turn != self._turn:
                return
            if self._rest:
                self._line(self._rest)
                self._rest = b""
            self._flush()
            self.over = True
            self._changed.notify_all()

    def _line(self, raw: bytes) -> None:
        for start in range(0, len(raw) or 1, LONGEST_LINE):
            text = raw[start : start + LONGEST_LINE].decode("utf-8", "replace").rstrip()
            self._last.append(text)
            self._keep(text)
            if self._ready is not None and not self.ready and self._ready.search(text):
                self.ready = True
                self._changed.notify_all()
            if self._alive is not None and self._alive.search(text):
                self._beat = monotonic()
                self._changed.notify_all()

    def _keep(self, text: str) -> None:
        if self._file is None:
            return
        line = f"{seconds(monotonic() - self._since):10.3f}  {text}\n".encode()
        if self._written + len(line) <= self._head and not self._left_out:
            self._pending.append(line)
            self._written += len(line)
        else:
            self._left_out += 1
            self._tail.append(line)

    def wait_ready(self, within: Span) -> bool:
        """Whether a line matched before the time was up and before it ended."""
        with self._changed:
            self._changed.wait_for(lambda: self.ready or self.over, seconds(max(within, 0)))
            return self.ready

    def wait_beat(self, within: Span) -> bool:
        """Whether a line that shows that it goes on comes from now on, at most so long after the one before."""
        with self._changed:
            before, now = self._beat, monotonic()
            self._changed.wait_for(lambda: self._beat > before or self.over, seconds(max(before + within - now, 0)))
            return self._beat > before

    def last(self, count: int) -> list[str]:
        """Its last lines that say anything, without what stands around their words."""
        with self._changed:
            lines = [*self._last, self._rest.decode("utf-8", "replace")]
        return [line.strip() for line in lines if any(map(str.isalnum, line))][-count:]

    def log_to(self, path: Path | None) -> None:
        """Write what comes to a new file, with seconds since now; the end of the present one is written first."""
        with self._changed:
            if self._file is not None:
                lacking = self._left_out - len(self._tail)
                self._pending += [f"... {lacking} lines are left out ...\n".encode()] if lacking else []
                self._pending += self._tail
                self._flush()
            if self._file is not None:
                self._file.close()
            self._file, self._written, self._left_out, self._since = None, 0, 0, monotonic()
            self._tail.clear()
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("wb", buffering=0)
