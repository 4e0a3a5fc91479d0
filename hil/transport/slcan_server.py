"""The adapter's side of slcan (Lawicel): a python-can bus behind a pty that another program opens as its adapter.

Takes ``O`` and ``L`` (open), ``C`` (close), ``S`` and ``s`` (bit rate, only told), ``Z`` (time stamps), ``V``, ``N``,
``F``, ``t``, ``T``, ``r``, ``R``; answers as an adapter does. Frames go to the other end only while it has the channel
open.
"""

from __future__ import annotations

import select
from typing import Any

import can

from hil.transport.clock import monotonic
from hil.transport.pty_port import PtyPort
from hil.transport.slcan_bus import TURN
from hil.units import ms

_OK, _ERROR = b"\r", b"\a"
_LONGEST = 64
"""Bytes of a line: more is garbage."""
_STANDARD, _EXTENDED = 3, 8
"""Hex digits of an identifier."""


class SlcanServer(can.BusABC):
    """Frames that the other end transmits are received here, and what is sent here it receives."""

    def __init__(self, port: PtyPort, **options: Any) -> None:
        super().__init__(channel=str(port.link), **options)
        self.channel_info = f"slcan adapter on {port.link}"
        self._port = port
        self._rest = b""
        self._received: list[can.Message] = []
        self._stamps = False
        self.opened = False
        """The other end has opened the channel."""

    def fileno(self) -> int:
        """What to wait for."""
        return self._port.fileno()

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        if not self._received:
            if timeout != 0:
                select.select([self._port], (), (), timeout)
            self._take(self._port.read())
        return (self._received.pop(0) if self._received else None), False

    def _take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\r")
        for line in lines:
            self._answer(line.lstrip(b"\n"))
        if len(self._rest) > _LONGEST:
            self._rest = b""
            self._port.write(_ERROR)

    def _answer(self, line: bytes) -> None:
        command = line[:1]
        if command in (b"O", b"L"):
            self.opened = True
        elif command == b"C":
            self.opened = False
        elif line in (b"Z0", b"Z1"):
            self._stamps = line == b"Z1"
        elif command == b"V":
            self._port.write(b"V1013\r")
            return
        elif command == b"N":
            self._port.write(b"NA000\r")
            return
        elif command == b"F":
            self._port.write(b"F00\r")
            return
        elif command in (b"t", b"T", b"r", b"R"):
            message = _message(line) if self.opened else None
            if message is None:
                self._port.write(_ERROR)
                return
            self._received.append(message)
            self._port.write(b"Z\r" if command in (b"T", b"R") else b"z\r")
            return
        elif command not in (b"", b"S", b"s", b"M", b"m", b"W", b"X", b"U", b"Q"):
            self._port.write(_ERROR)
            return
        self._port.write(_OK)

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        """Let the other end receive a frame; while it has the channel closed it goes nowhere."""
        if not self.opened:
            return
        kind = ("R" if msg.is_extended_id else "r") if msg.is_remote_frame else "T" if msg.is_extended_id else "t"
        digits = _EXTENDED if msg.is_extended_id else _STANDARD
        data = "" if msg.is_remote_frame else bytes(msg.data).hex().upper()
        stamp = f"{monotonic() // ms(1) % TURN:04X}" if self._stamps else ""
        self._port.write(f"{kind}{msg.arbitration_id:0{digits}X}{msg.dlc}{data}{stamp}\r".encode())

    def shutdown(self) -> None:
        """Give the pty back."""
        super().shutdown()
        self._port.close()


def _message(line: bytes) -> can.Message | None:
    """The frame of a line; None for what is none."""
    extended, remote = line[:1] in (b"T", b"R"), line[:1] in (b"r", b"R")
    digits = _EXTENDED if extended else _STANDARD
    try:
        identifier = int(line[1 : 1 + digits], 16)
        length = int(line[1 + digits : 2 + digits])
        data = b"" if remote else bytes.fromhex(line[2 + digits : 2 + digits + 2 * length].decode())
    except ValueError:
        return None
    if length > 8 or (not remote and len(data) != length):
        return None
    return can.Message(
        arbitration_id=identifier, is_extended_id=extended, is_remote_frame=remote, dlc=length, data=data
    )
