"""The CAN frame used inside: bytes and an identifier, no time (time is an argument)."""

from __future__ import annotations

import msgspec


class CanFrame(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One CAN data frame: ``id`` (11 or 29 bits), up to 8 bytes, ``extended`` for 29-bit ids."""

    id: int
    data: bytes
    extended: bool = True

    def __str__(self) -> str:
        width = 8 if self.extended else 3
        return f"{self.id:0{width}X} [{len(self.data)}] {self.data.hex(' ').upper()}"
