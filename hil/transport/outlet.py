"""Writing to a serial port without waiting for it: a device that takes no more must not hold the world up."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from typing import Any

import serial
from serial.urlhandler import protocol_socket

from hil.transport.pty_port import PtySerial

LARGEST = 65_536
"""Bytes that may be held for a device that takes none."""
_LAST = 0.3
"""s for what is held when the port is closed."""
_WITH_DESCRIPTORS = (serial.Serial.write, protocol_socket.Serial.write)
"""How ports write whose descriptor can be written to as well; what refines it, as ``spy://``, is to be called."""


class Outlet:
    """Hands bytes to a pyserial port; what that does not take at once is held here, in order.

    A device of a POSIX system, and a socket there, is written to as far as it takes something. For any other port
    whose ``write`` may wait, a thread does so. A pty of our own loses what nobody reads, and never waits.
    """

    def __init__(self, port: Any) -> None:
        self._port = port
        self._held = bytearray()
        written = sys.platform != "win32" and getattr(type(port), "write", None) in _WITH_DESCRIPTORS
        self._number: int | None = port.fileno() if written else None
        self._writer = None if written or isinstance(port, PtySerial) else _Writer(port)

    @property
    def waiting(self) -> int:
        """Bytes that the port has not taken yet."""
        return len(self._held) if self._writer is None else self._writer.waiting

    def write(self, data: bytes) -> bool:
        """Send, after what is held already. Whether everything has gone; :class:`OSError` where too much is held."""
        if self.waiting + len(data) > LARGEST:
            raise OSError(f"the device takes no more bytes: {self.waiting} wait to be sent")
        if self._writer is not None:
            self._writer.put(data)
        elif self._number is None:
            self._port.write(data)
        else:
            self._held += data
        return self.flush()

    def flush(self) -> bool:
        """Send what the port takes of what is held; whether all has gone. A broken one raises :class:`OSError`."""
        if self._writer is not None:
            return self._writer.done()
        # Not by pyserial, which tries again for ever where a device takes nothing.
        try:
            while self._held and self._number is not None:
                del self._held[: os.write(self._number, self._held)]
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Hand over what is still held, if that goes soon; the port is its owner's to close."""
        if self._writer is not None:
            self._writer.end()


class _Writer:
    """A thread that writes; it may wait as long as the port has it wait."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self._changed = threading.Condition()
        self._chunks: deque[bytes] = deque()
        self._over = False
        self._error: Exception | None = None
        self.waiting = 0
        self._thread = threading.Thread(target=self._run, name="writer of a serial port", daemon=True)
        self._thread.start()

    def put(self, data: bytes) -> None:
        """Write this next."""
        with self._changed:
            self._chunks.append(data)
            self.waiting += len(data)
            self._changed.notify()

    def done(self) -> bool:
        """Whether everything is written; raises :class:`OSError` where that has failed."""
        error = self._error
        if isinstance(error, OSError):
            raise error
        if error is not None:
            raise OSError(f"{type(error).__name__}: {error}") from error
        return self.waiting == 0

    def end(self) -> None:
        """Write what is held and end; what takes longer is left behind."""
        with self._changed:
            self._over = True
            self._changed.notify()
        self._thread.join(_LAST)

    def _run(self) -> None:
        while (data := self._next()) is not None:
            try:
                self._port.write(data)
            except Exception as error:  # whatever a driver raises: the port is lost
                self._error = error
                return
            with self._changed:
                self.waiting -= len(data)

    def _next(self) -> bytes | None:
        with self._changed:
            self._changed.wait_for(lambda: self._chunks or self._over)
            return self._chunks.popleft() if self._chunks else None
