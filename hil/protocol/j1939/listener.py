"""A passive listener to transport connections, for judges, logs and triggers (sheet 1.4).

It asks nothing of either side, keeps at most one connection per direction and never raises.
"""

from __future__ import annotations

import msgspec

from hil.protocol.j1939.settings import ABORT, CTS, END_OF_MESSAGE, PACKET, RTS, TP_CM_PF, TP_DT_PF
from hil.units import Instant


class Transfer(msgspec.Struct, frozen=True):
    """A transfer that ended. Times are ends of frames: its RTS, its EndOfMsgACK (or abort), its last packet."""

    source: int
    destination: int
    pgn: int
    data: bytes
    started: Instant
    ended: Instant
    complete: bool
    reason: str = ""
    """Why it is not complete."""
    aborted_by: int | None = None
    """Source address of the abort that ended it."""
    received: Instant = 0
    """The last data packet: from then on the receiver has it all. The RTS where none came."""


class _Open:
    __slots__ = ("packets", "parts", "pgn", "received", "size", "started")

    def __init__(self, pgn: int, size: int, packets: int, started: Instant) -> None:
        self.pgn = pgn
        self.size = size
        self.packets = packets
        self.started = self.received = started
        self.parts: dict[int, bytes] = {}


_MOST_PAIRS = 64


class Listener:
    """Feed it every frame with PF 0xEC or 0xEB; it returns what ended with that frame."""

    def __init__(self) -> None:
        self._open: dict[int, _Open] = {}

    def see(self, identifier: int, data: bytes, t: Instant) -> Transfer | None:
        """One frame at an instant; a transfer when this frame ended one."""
        protocol_format = identifier >> 16 & 0xFF
        if protocol_format == TP_DT_PF:
            self._packet(identifier & 0xFFFF, data, t)
            return None
        if protocol_format != TP_CM_PF or len(data) != 8:
            return None
        control = data[0]
        if control == CTS:
            return None
        if control == RTS:
            return self._request(identifier & 0xFFFF, data, t)
        if control == END_OF_MESSAGE:
            return self._acknowledged(identifier & 0xFFFF, data, t)
        if control == ABORT:
            return self._aborted(identifier & 0xFFFF, data, t)
        return None

    def is_open(self, pgn: int) -> bool:
        """Whether a transfer of a PGN has begun and not ended, in either direction."""
        return any(transfer.pgn == pgn for transfer in self._open.values())

    def _packet(self, direction: int, data: bytes, t: Instant) -> None:
        transfer = self._open.get(direction)
        if transfer is not None and len(data) == 8 and 1 <= data[0] <= transfer.packets:
            transfer.parts[data[0]] = data[1:]
            transfer.received = t

    def _request(self, direction: int, data: bytes, t: Instant) -> Transfer | None:
        replaced = self._open.pop(direction, None)
        size, pgn = data[1] | data[2] << 8, data[5] | data[6] << 8 | data[7] << 16
        if len(self._open) >= _MOST_PAIRS:
            del self._open[next(iter(self._open))]  # the oldest: a flood must not hide what comes after it
        self._open[direction] = _Open(pgn, size, data[3], t)
        return None if replaced is None else _ended(direction, replaced, t, "replaced by a new RTS")

    def _acknowledged(self, direction: int, data: bytes, t: Instant) -> Transfer | None:
        swapped = (direction & 0xFF) << 8 | direction >> 8
        transfer = self._open.get(swapped)
        if transfer is None or transfer.pgn != data[5] | data[6] << 8 | data[7] << 16:
            return None
        del self._open[swapped]
        missing = -(-transfer.size // PACKET) - len(transfer.parts)
        return _ended(swapped, transfer, t, f"{missing} packets missing" if missing > 0 else "")

    def _aborted(self, direction: int, data: bytes, t: Instant) -> Transfer | None:
        pgn = data[5] | data[6] << 8 | data[7] << 16
        swapped = (direction & 0xFF) << 8 | direction >> 8
        for key in (direction, swapped):
            transfer = self._open.get(key)
            if transfer is not None and transfer.pgn == pgn:
                del self._open[key]
                return _ended(key, transfer, t, f"aborted, reason {data[1]}", direction & 0xFF)
        return None


def _ended(direction: int, transfer: _Open, t: Instant, reason: str, aborted_by: int | None = None) -> Transfer:
    data = b"".join(part for _, part in sorted(transfer.parts.items()))[: transfer.size]
    source, destination = direction & 0xFF, direction >> 8
    return Transfer(
        source, destination, transfer.pgn, data, transfer.started, t, not reason, reason, aborted_by, transfer.received
    )
