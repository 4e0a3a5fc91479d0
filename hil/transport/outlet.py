"""Writing to a serial port without waiting for it: a device that takes no more must not hold the world up."""

from __future__ import annotations

import os
import sys
from typing import Any

import serial

LARGEST = 65_536
"""Bytes that may be held for a device that takes none."""


class Outlet:
    """Hands bytes to a pyserial port; what that does not take at once is held here, in order.

    Only devices of a POSIX system can be written to so. Others take everything, if need be by waiting; a pty of our
    own loses what nobody reads.
    """

    def __init__(self, port: Any) -> None:
        self._port = port
        self._held = bytearray()
        device = sys.platform != "win32" and getattr(type(port), "write", None) is serial.Serial.write
        self._number: int | None = port.fileno() if device else None

    def write(self, data: bytes) -> bool:
        """Send, after what is held already. Whether everything has gone; :class:`OSError` where too much is held."""
        if self._number is None:
            self._port.write(data)
            return True
        if len(self._held) + len(data) > LARGEST:
            raise OSError(f"the device takes no more bytes: {len(self._held)} wait to be sent")
        self._held += data
        return self.flush()

    def flush(self) -> bool:
        """Send what the port takes of what is held; whether everything has gone."""
        # Not by pyserial, which tries again for ever where a device takes nothing.
        try:
            while self._held and self._number is not None:
                del self._held[: os.write(self._number, self._held)]
        except BlockingIOError:
            return False
        return True
