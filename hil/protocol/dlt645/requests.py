"""Data of requests that change a meter: password blocks, writes, freezes, relay commands (sheet serial 2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hil.errors import CodecError
from hil.protocol.dlt645.codes import RelayCommand
from hil.protocol.dlt645.items import di_bytes, time_bytes

EVERY = 0x99
"""In a freeze: every minute, hour, day or month."""
ALL_EVENTS = bytes((0xFF,)) * 4
"""Clears the records of every event."""

LATEST, EARLIEST = datetime(2099, 12, 31, 23, 59, 59), datetime(2000, 1, 1)
"""The last and the first second that two digits of a year can tell."""


@dataclass(frozen=True, slots=True)
class Access:
    """Level, password and operator's code of a request.

    ``password`` and ``operator`` are digits as people write them; the lowest byte goes first. Most meters have
    000000. Sources do not settle the order of the password's bytes; the rule of the low byte first is taken.
    """

    password: str = "000000"  # noqa: S105 - what most meters leave the factory with, sheet serial 2.2
    level: int = 0x02
    operator: str = "00000000"

    def __post_init__(self) -> None:
        """What fits no block raises :class:`CodecError`."""
        for name, text, size in (("password", self.password, 6), ("operator's code", self.operator, 8)):
            if len(text) != size or not (text.isascii() and text.isdigit()):
                raise CodecError(f"{name} {text!r}: {size} digits are due")
        if not 0 <= self.level <= 0xFF:
            raise CodecError(f"level {self.level}: 0..255 is allowed")

    @property
    def key(self) -> bytes:
        """``PA P0 P1 P2``."""
        return bytes((self.level,)) + bytes.fromhex(self.password)[::-1]

    @property
    def block(self) -> bytes:
        """``PA P0 P1 P2 C0 C1 C2 C3``."""
        return self.key + bytes.fromhex(self.operator)[::-1]


def write_data(di: int, access: Access, data: bytes) -> bytes:
    """Of :attr:`Function.WRITE`: identifier, block, the item's bytes."""
    return di_bytes(di) + access.block + data


def password_data(di: int, old: Access, new: Access) -> bytes:
    """Of :attr:`Function.CHANGE_PASSWORD`: identifier, the old and the new password, each with its level."""
    return di_bytes(di) + old.key + new.key


def freeze_data(minute: int = EVERY, hour: int = EVERY, day: int = EVERY, month: int = EVERY) -> bytes:
    """Of :attr:`Function.FREEZE`, as ``mm hh DD MM``; all of them :data:`EVERY` freezes now."""
    fields = (("minute", minute, 59), ("hour", hour, 23), ("day", day, 31), ("month", month, 12))
    for name, value, most in fields:
        if value != EVERY and not 0 <= value <= most:
            raise CodecError(f"{name} {value} of a freeze: 0..{most} or EVERY is allowed")
    return bytes(value if value == EVERY else value // 10 << 4 | value % 10 for _, value, _ in fields)


def relay_data(command: int, access: Access, expires: datetime) -> bytes:
    """Of :attr:`Function.RELAY`: block, N1 (one of :class:`RelayCommand`, or another to be refused), N2, expiry."""
    if not 0 <= command <= 0xFF:
        raise CodecError(f"relay command {command}: {', '.join(each.name for each in RelayCommand)} or 0..255")
    return access.block + bytes((command, 0)) + time_bytes(expires)
