"""Finding set-points in what a bench sends: one reader a protocol, each for the bytes of one connection.

A reader errs to the safe side. What a conforming device has to ignore (a wrong check, a wrong length, another unit) is
read as if it were taken, and what is no number counts as beyond every limit.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple, Protocol

from hil.codec.frame import CanFrame
from hil.protocol.gbt27930 import BMS_ADDRESS, MessageSet
from hil.protocol.rapi import Frame, Framer
from hil.safety.envelope import SetPoint

DEMAND = "BCL"


class Asked(NamedTuple):
    """What a reader found in a chunk."""

    points: list[SetPoint]
    off: bool = False
    """Everything that this connection has asked for is switched off."""
    begun: bool = False
    """A part of it has gone out before the chunk."""


class Reader(Protocol):
    """Reads what goes over one connection, chunk by chunk."""

    def read(self, data: bytes) -> Asked:
        """What the chunk asks for, with what came before it."""


MakeReader = Callable[[], Reader]


class DemandReader:
    """The demand of BCL: its voltage, its current, and both together as power, the most that may be made of it."""

    def __init__(self, messages: MessageSet) -> None:
        self._messages = messages
        self._pgn = messages.by_name[DEMAND].pgn

    def demand(self, frame: CanFrame) -> SetPoint | None:
        """What a frame demands; None for one that demands nothing."""
        if frame.id >> 8 & 0xFF00 != self._pgn or frame.id & 0xFF != BMS_ADDRESS:
            return None
        demand: Any = self._messages.decode(self._pgn, frame.data)
        voltage, current = getattr(demand, "voltage_demand", None), getattr(demand, "current_demand", None)
        if voltage is None or current is None:
            return None  # too short to demand anything
        into = max(0.0, -current)  # into the battery is below 0
        return SetPoint(DEMAND, voltage, into, voltage * into)


class ConsoleReader:
    """The current of ``$SC`` on a RAPI console (sheet serial 1.4), whatever its checksum."""

    def __init__(self, power_of: Callable[[float], float]) -> None:
        self._power_of = power_of
        self._framer = Framer()
        self._open = False
        """A ``$`` without its CR has gone out."""

    def read(self, data: bytes) -> Asked:
        """What the commands that these bytes complete set."""
        frames = [each for each in self._framer.feed(data) if isinstance(each, Frame)]
        begun = self._open
        self._open = data[data.rfind(b"\r") + 1 :].find(b"$") >= 0 or (begun and b"\r" not in data)
        return Asked([self._set_by(each) for each in frames if each.name.upper() == "SC"], begun=begun)

    def _set_by(self, frame: Frame) -> SetPoint:
        text = frame.tokens[1] if len(frame.tokens) > 1 else ""
        current = float(text) if text.isascii() and text.isdigit() else inf
        return SetPoint("$SC", current=current, power=self._power_of(current))
