"""What a reference device does on a Modbus line, as data that seeded faults edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from hil.units import SECOND, Instant, Span, ms, us

ALL_FUNCTIONS = frozenset({0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0F, 0x10, 0x16, 0x17})
WRITES = frozenset({0x05, 0x06, 0x0F, 0x10, 0x16, 0x17})
BIT_FUNCTIONS = frozenset({0x01, 0x02, 0x05, 0x0F})
"""Functions whose values are bits; those of the others are registers."""


@dataclass(frozen=True)
class Refused:
    """An exception code instead of values."""

    code: int


ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, FAILURE, BUSY = (Refused(code) for code in (1, 2, 3, 4, 6))
NO_TARGET = Refused(0x0B)


class Data(Protocol):
    """What a device reads and writes: its plant, its settings.

    ``function`` is that of the request; 0x16 and 0x17 come as a read and a write of holding registers.
    Values are registers (0..65535), or bits for functions 0x01, 0x02, 0x05 and 0x0F. A span never goes
    beyond address 65535. A refused write must have changed nothing.
    """

    def read(self, unit: int, function: int, address: int, count: int, now: Instant) -> Sequence[int] | Refused:
        """As many values as asked for."""

    def write(self, unit: int, function: int, address: int, values: Sequence[int], now: Instant) -> Refused | None:
        """Take values."""


def _quantities() -> dict[int, int]:
    return {0x01: 2000, 0x02: 2000, 0x03: 125, 0x04: 125, 0x0F: 1968, 0x10: 123, 0x17: 125}


@dataclass(frozen=True)
class ServerSpec:
    """Behaviour on the line. The quantities are those of the standards map, section 8."""

    functions: frozenset[int] = ALL_FUNCTIONS
    quantities: Mapping[int, int] = field(default_factory=_quantities)
    """The most that a request of a function may ask for."""
    units: frozenset[int] | None = None
    """Units that it answers for; None for any."""
    foreign: Literal["silent", "gateway"] = "silent"
    """What a request for another unit gets: nothing, or exception 0x0B."""
    unknown_function: Literal["exception", "silent"] = "exception"
    broadcast: frozenset[int] = frozenset({0})
    """Units of a serial line whose writes are carried out without an answer."""
    checks_read_first: bool = True
    """Function 0x17 writes only when it can read."""
    latency: Span = 0
    """From the end of a request to the beginning of its answer."""


_PIECES: Span = ms(5)
"""Longer than what a driver lets pass between two pieces of a frame, and shorter than any pause of a master."""


@dataclass(frozen=True)
class SerialTiming:
    """Spans of a serial line as the device measures them (standards map, section 8)."""

    character: Span
    inner: Span
    """A longer gap inside a frame spoils it."""
    between: Span
    """A silence as long ends a frame."""

    def loose(self) -> SerialTiming:
        """For a port of the machine, which hands bytes over in pieces: silences in a frame mean nothing there."""
        return SerialTiming(self.character, max(self.inner, _PIECES), max(self.between, _PIECES))

    @classmethod
    def of(cls, baud: int, bits: int = 11) -> SerialTiming:
        """Of a baud rate and the bits that make up a byte."""
        character = bits * SECOND // baud
        if baud > 19_200:
            return cls(character, us(750), us(1750))
        return cls(character, character * 3 // 2, character * 7 // 2)
