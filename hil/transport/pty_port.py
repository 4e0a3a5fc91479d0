"""A pseudo terminal under a name of its own: a serial port for another program to open."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

_LARGEST = 65_536


def is_served(link: Path) -> bool:
    """Whether a process serves a pty under this name: its :class:`PtyPort` holds a lock on it."""
    import fcntl  # not there on Windows

    try:
        number = os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EACCES, errno.EAGAIN)
    finally:
        os.close(number)
    return False


class PtyPort:
    """Opens a pty whose other end is reachable as ``link`` until it is closed.

    Raises :class:`OSError` where the link cannot be made, :class:`AttributeError` on a system without ptys.
    """

    def __init__(self, link: Path) -> None:
        import fcntl  # not there on Windows, nor is the next
        import tty

        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        # Of the kind that locks out nobody but who asks for the same: clients may lock a port for themselves by flock.
        with contextlib.suppress(OSError):
            fcntl.lockf(self._far, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
