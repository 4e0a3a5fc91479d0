"""Link faults as data: aimed by sender, identifier and content, countable, undoable, proven to fire."""

from __future__ import annotations

import msgspec

from hil.codec.frame import CanFrame
from hil.units import Span


class _Aimed(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    """Unique on the bus; notes of firing carry it."""
    sender: str = ""
    """Name of the sending node; empty aims at every sender."""
    id: int = 0
    id_mask: int = 0
    """A frame is meant when ``id & id_mask`` agrees; a mask of 0 means every identifier."""
    data: str = ""
    data_mask: str = ""
    """Hex; bytes beyond the frame never agree."""
    skip: int = 0
    """So many matching frames pass first."""
    count: int = 0
    """So many are hit; 0 means until undone."""

    def aims_at(self, sender: str, frame: CanFrame) -> bool:
        """Whether a frame is one of those meant."""
        if self.sender and sender != self.sender:
            return False
        if (frame.id ^ self.id) & self.id_mask:
            return False
        mask, data = bytes.fromhex(self.data_mask), bytes.fromhex(self.data)
        if not mask:
            return True
        if len(frame.data) < len(mask):
            return False
        wanted = data.ljust(len(mask), b"\0")
        return all(not (have ^ want) & bits for have, want, bits in zip(frame.data, wanted, mask, strict=False))


class Drop(_Aimed, frozen=True, tag="drop"):
    """The frame ends correctly for its sender and reaches nobody (as lost in a bridge)."""


class DropAt(_Aimed, frozen=True, tag="drop_at"):
    """One receiver misses the frame."""

    receiver: str


class Delay(_Aimed, frozen=True, tag="delay"):
    """The frame joins arbitration later."""

    span: Span


class Duplicate(_Aimed, frozen=True, tag="duplicate"):
    """The frame is sent more than once."""

    copies: int = 1


class Corrupt(_Aimed, frozen=True, tag="corrupt"):
    """Bits of the payload are inverted, with a correct checksum."""

    invert: str
    """Hex mask over the payload, from byte 1."""


class Truncate(_Aimed, frozen=True, tag="truncate"):
    """Only the first bytes of the payload are sent, with a correct length code."""

    length: int


class ReTime(_Aimed, frozen=True, tag="retime"):
    """Each frame is delayed by a different part of ``spread``, drawn from the world's seed."""

    spread: Span


class ErrorFrame(_Aimed, frozen=True, tag="error_frame"):
    """The frame is destroyed on the bus; error counters rise and the sender repeats it."""


class BusOff(_Aimed, frozen=True, tag="bus_off"):
    """The node named by ``sender`` goes bus-off at once."""


class Disconnect(_Aimed, frozen=True, tag="disconnect"):
    """The line of the node named by ``sender`` is broken until undone."""


LinkFault = Drop | DropAt | Delay | Duplicate | Corrupt | Truncate | ReTime | ErrorFrame | BusOff | Disconnect


class Active:
    """A fault on a bus, with how often it matched and fired."""

    __slots__ = ("fault", "fired", "matched")

    def __init__(self, fault: LinkFault) -> None:
        self.fault = fault
        self.matched = 0
        self.fired = 0

    def takes(self, sender: str, frame: CanFrame) -> bool:
        """Whether the fault fires on this frame; counts it when it does."""
        fault = self.fault
        if (fault.count and self.fired >= fault.count) or not fault.aims_at(sender, frame):
            return False
        self.matched += 1
        if self.matched <= fault.skip:
            return False
        self.fired += 1
        return True
