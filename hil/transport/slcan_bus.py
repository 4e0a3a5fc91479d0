"""python-can's slcan, for a world that must not wait.

python-can reads a byte at a time, which is about sixty system calls a frame; waits a millisecond where nothing is
there; waits until the last bit of a frame has left; and keeps a line that is no text, hearing nothing after it.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any

import serial
from can.exceptions import error_check
from can.interfaces.slcan import slcanBus

_ENDS = re.compile(rb"[\r\a]")
_FRAMES = b"TtRrx"
"""First letters of lines that are frames; the others are answers to what was written."""
_LONGEST = 64
"""Bytes of a line: more is garbage."""


class SlcanBus(slcanBus):
    """Takes in at once what is there."""

    def __init__(self, channel: str, **options: Any) -> None:
        self._lines: deque[str] = deque()
        self._rest = b""
        super().__init__(channel, **options)

    def _write(self, string: str) -> None:
        with error_check("Could not write to serial device"):
            self.serialPortOrig.write(string.encode() + self.LINE_TERMINATOR)

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
        *lines, self._rest = _ENDS.split(self._rest + data)
        self._rest = self._rest[-_LONGEST:]
        self._lines.extend(line.decode("ascii", "replace") for line in lines if line[:1] and line[0] in _FRAMES)
