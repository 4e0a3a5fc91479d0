"""python-can's slcan, for a world that must not wait.

python-can reads a byte at a time, which is about sixty system calls a frame; waits a millisecond where nothing is
there; waits until the last bit of a frame has left, and for an adapter that takes no more; and keeps a line that is no
text, hearing nothing after it.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any

import can
import serial
from can.exceptions import error_check
from can.interfaces.slcan import slcanBus

from hil.transport.clock import monotonic
from hil.transport.outlet import Outlet
from hil.units import Instant, Span

_LINE = re.compile(rb"([^\r\a]*)([\r\a])")
_FRAMES = b"TtRrx"
"""First letters of lines that are frames; the others are answers to what was written."""
_TAKEN = (b"z", b"Z")
"""What an adapter answers when it has taken a frame."""
_UNANSWERED = 64
_LONGEST = 64
"""Bytes of a line: more is garbage."""


class SlcanBus(slcanBus):
    """Takes in at once what is there.

    Adapters answer each frame that they have taken. How long that takes tells how late what they send is read.
    """

    def __init__(self, channel: str, **options: Any) -> None:
        self._lines: deque[str] = deque()
        self._rest = b""
        self._written: deque[Instant] = deque(maxlen=_UNANSWERED)
        self._slowest: Span = 0
        self._outlet: Outlet | None = None
        super().__init__(channel, **options)

    def take_slowest(self) -> Span:
        """The longest that an answer took since this was last asked; 0 where none came, or the adapter gives none."""
        slowest, self._slowest = self._slowest, 0
        return slowest

    def _write(self, string: str) -> None:
        """A frame is refused while the adapter has not taken the one before; a command waits behind it."""
        if self._outlet is None:
            self._outlet = Outlet(self.serialPortOrig)
        frame = string[:1] in ("T", "t")
        with error_check("Could not write to serial device"):
            free = self._outlet.flush()
        if frame and not free:
            raise can.CanOperationError("the adapter's buffer is full")
        if frame:
            self._written.append(monotonic())
        with error_check("Could not write to serial device"):
            self._outlet.write(string.encode() + self.LINE_TERMINATOR)

    def _read(self, timeout: float | None) -> str | None:
        patience = serial.serialutil.Timeout(timeout)
        while not self._lines:
            with error_check("Could not read from serial device"):
                there = self.serialPortOrig.in_waiting
                if not there and timeout == 0:
                    return None
                self._take(self.serialPortOrig.read(max(1, there)))
            if patience.expired():
                break
        return self._lines.popleft() if self._lines else None

    def _take(self, data: bytes) -> None:
        data = self._rest + data
        end = 0
        for found in _LINE.finditer(data):
            end = found.end()
            line, sign = found.groups()
            if line[:1] and line[0] in _FRAMES:
                self._lines.append(line.decode("ascii", "replace"))
            elif self._written and (line in _TAKEN or sign == self._ERROR):
                self._slowest = max(self._slowest, monotonic() - self._written.popleft())
        self._rest = data[end:][-_LONGEST:]
