"""A pseudo terminal under a name of its own: a serial port for another program to open."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

_LARGEST = 65_536


class PtyPort:
    """Opens a pty whose other end is reachable as ``link`` until it is closed.

    Raises :class:`OSError` where the link cannot be made, :class:`AttributeError` on a system without ptys.
    """

    def __init__(self, link: Path) -> None:
        import tty  # not there on Windows

        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        self.path = os.ttyname(self._far)
        self.link = link
        try:
            if link.is_symlink():
                link.unlink()  # of a run that was killed
            link.symlink_to(self.path)
        except OSError:
            os.close(self._near)
            os.close(self._far)
            raise

    def fileno(self) -> int:
        """What to wait for."""
        return self._near

    def read(self) -> bytes:
        """What is there, without waiting."""
        try:
            return os.read(self._near, _LARGEST)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno == errno.EIO:
                return b""  # nobody has it open
            raise

    def write(self, data: bytes) -> None:
        """Send; what does not fit because nobody reads is lost, as on a wire."""
        rest = memoryview(data)
        with contextlib.suppress(BlockingIOError):
            while rest:
                rest = rest[os.write(self._near, rest) :]

    def close(self) -> None:
        """Give it back, with its name."""
        with contextlib.suppress(OSError):
            if self.link.is_symlink() and str(self.link.readlink()) == self.path:
                self.link.unlink()
        for number in (self._near, self._far):
            with contextlib.suppress(OSError):
                os.close(number)


class PtySerial:
    """A pty with the few calls of a pyserial port that a line needs. It has no format to get wrong."""

    def __init__(self, port: PtyPort) -> None:
        self._port = port
        self.timeout: float | None = 0
        self.baudrate = self.bytesize = 0
        self.parity = ""
        self.stopbits: float = 0
        self.in_waiting = 0

    def fileno(self) -> int:
        """What to wait for."""
        return self._port.fileno()

    def read(self, size: int = 1) -> bytes:
        """What is there, without waiting."""
        return self._port.read()

    def write(self, data: bytes) -> int:
        """Send."""
        self._port.write(data)
        return len(data)

    def close(self) -> None:
        """Give it back."""
        self._port.close()
