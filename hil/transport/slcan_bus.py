"""python-can's slcan, for a world that must not wait.

python-can reads a byte at a time, which is about sixty system calls a frame; waits a millisecond where nothing is
there; waits until the last bit of a frame has left, and for an adapter that takes no more; keeps a line that is no
text, hearing nothing after it; and knows no time stamps of an adapter.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from typing import Any

import can
import serial
from can.exceptions import error_check
from can.interfaces.slcan import slcanBus

from hil.transport.clock import monotonic
from hil.transport.outlet import Outlet
from hil.units import Instant, Span, ms

_LINE = re.compile(rb"([^\r\a]*)([\r\a])")
_FRAMES = b"TtRrx"
"""First letters of lines that are frames; the others are answers to what was written."""
_TAKEN = (b"z", b"Z")
"""What an adapter answers when it has taken a frame."""
_UNANSWERED = 64
_LONGEST = 64
"""Bytes of a line: more is garbage."""
TURN = 60_000
"""ms after which an adapter's stamps start again."""
_HEAD: Mapping[str, int] = {"t": 5, "r": 5, "T": 10, "R": 10, "x": 10}
"""Characters before the data, by the first one."""
_STAMP = 4
"""Hex digits of a stamp."""
_STALE = 64
"""So many frames without a stamp may have been on their way when the adapter was told to stamp."""


class SlcanBus(slcanBus):
    """Takes in at once what is there.

    Adapters answer each frame that they have taken. How long that takes tells how late what they send is read. With
    ``stamped`` the adapter is told to stamp what it receives (Lawicel's ``Z1``): in ms of its own clock, which a
    message then has in seconds. One that does not raises :class:`can.CanOperationError` with the first frames.
    """

    def __init__(self, channel: str, *, stamped: bool = False, **options: Any) -> None:
        self._stamped = stamped
        self._stale = _STALE if stamped else 0
        self._ahead: int | None = None
        """ms by which our clock is ahead of the adapter's first turn."""
        self._lines: deque[str] = deque()
        self._latest = ""
        self._rest = b""
        self._written: deque[Instant] = deque(maxlen=_UNANSWERED)
        self._slowest: Span = 0
        self._outlet: Outlet | None = None
        super().__init__(channel, **options)

    @property
    def resolution(self) -> Span:
        """Of the adapter's stamps; 0 where it makes none."""
        return ms(1) if self._stamped else 0

    def open(self) -> None:
        """Open the channel; the adapter stamps from then on, where it is to."""
        if self._stamped:
            self._write("Z1")
        super().open()

    def take_slowest(self) -> Span:
        """The longest that an answer took since this was last asked; 0 where none came, or the adapter gives none."""
        slowest, self._slowest = self._slowest, 0
        return slowest

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        message, filtered = super()._recv_internal(timeout)
        if message is not None and self._stamped:
            message.timestamp = self._stamp_of(self._latest)
        return message, filtered

    def _stamp_of(self, line: str) -> float:
        """Seconds of the adapter's clock; 0, which is none, for what was on its way before it stamped."""
        head = _HEAD[line[0]]
        data = 0 if line[0] in "rR" else 2 * int(line[head - 1])
        digits = line[head + data :]
        if len(digits) != _STAMP:
            self._stale -= 1
            if self._stale < 0:
                raise can.CanOperationError(
                    'the adapter does not stamp frames (it does not know Z1): allowed is clock = "user"'
                )
            return 0.0
        self._stale = 0
        stamp, real = int(digits, 16), monotonic() // ms(1)
        if self._ahead is None:
            self._ahead = real - stamp
        turns = round((real - self._ahead - stamp) / TURN)
        return (stamp + (turns + 1) * TURN) / 1000  # one more, since a stamp of 0 is none

    def close(self) -> None:
        """Close the channel; the serial port is closed after this."""
        super().close()
        if self._outlet is not None:
            self._outlet.close()

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
        self._latest = self._lines.popleft() if self._lines else ""
        return self._latest or None

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
