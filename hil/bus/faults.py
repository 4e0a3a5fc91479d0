"""Link faults as data: aimed by sender, identifier and content, countable, undoable, proven to fire."""

from __future__ import annotations

import msgspec

from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.units import Span

_LONGEST = 8


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

    def __post_init__(self) -> None:
        """Values that make no fault raise :class:`UsageError`."""
        self._need(bool(self.name), "a name is needed")
        self._need(self.skip >= 0 and self.count >= 0, f"skip {self.skip}, count {self.count}: 0 or more is allowed")
        mask, data = self._hex("data_mask"), self._hex("data")
        self._need(len(mask) <= _LONGEST, f"data_mask {self.data_mask!r}: at most {_LONGEST} bytes are allowed")
        self._need(len(data) <= len(mask), f"data {self.data!r}: longer than data_mask {self.data_mask!r}")

    def _need(self, holds: bool, why: str) -> None:
        if not holds:
            raise UsageError(f"link fault {self.name!r}: {why}")

    def _hex(self, field: str) -> bytes:
        text: str = getattr(self, field)
        try:
            return bytes.fromhex(text)
        except ValueError:
            raise UsageError(f"link fault {self.name!r}: {field} {text!r} is not hexadecimal bytes") from None


class _WholeNode(_Aimed, frozen=True):
    """Hits a node, not a frame: only ``name`` and ``sender`` have a meaning."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._need(bool(self.sender), "sender must name a node")
        aimed = self.id_mask or self.data_mask or self.skip or self.count
        self._need(not aimed, "it acts at once on a whole node; id, data, skip and count have no meaning")


class Drop(_Aimed, frozen=True, tag="drop"):
    """The frame ends correctly for its sender and reaches nobody (as lost in a bridge)."""


class DropAt(_Aimed, frozen=True, tag="drop_at"):
    """One receiver misses the frame."""

    receiver: str


class Delay(_Aimed, frozen=True, tag="delay"):
    """The frame joins arbitration later."""

    span: Span

    def __post_init__(self) -> None:
        super().__post_init__()
        self._need(self.span > 0, f"span {self.span}: more than 0 ns is needed")


class Duplicate(_Aimed, frozen=True, tag="duplicate"):
    """The frame is sent more than once."""

    copies: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._need(1 <= self.copies <= 16, f"copies {self.copies}: 1 .. 16 is allowed")


class Corrupt(_Aimed, frozen=True, tag="corrupt"):
    """Bits of the payload are inverted, with a correct checksum. A frame too short to have them is left alone."""

    invert: str
    """Hex mask over the payload, from byte 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        mask = self._hex("invert")
        self._need(any(mask) and len(mask) <= _LONGEST, f"invert {self.invert!r}: 1 .. {_LONGEST} bytes, not all 0")


class Truncate(_Aimed, frozen=True, tag="truncate"):
    """Only the first bytes of the payload are sent, with a correct length code; shorter frames are left alone."""

    length: int

    def __post_init__(self) -> None:
        super().__post_init__()
        self._need(0 <= self.length < _LONGEST, f"length {self.length}: 0 .. {_LONGEST - 1} is allowed")


class ReTime(_Aimed, frozen=True, tag="retime"):
    """Each frame is delayed by a part of its own of ``spread``, drawn from the world's seed; order may change."""

    spread: Span

    def __post_init__(self) -> None:
        super().__post_init__()
        self._need(self.spread > 0, f"spread {self.spread}: more than 0 ns is needed")


class ErrorFrame(_Aimed, frozen=True, tag="error_frame"):
    """The frame is destroyed on the bus; error counters rise and the sender repeats it. Repetitions count too."""


class BusOff(_WholeNode, frozen=True, tag="bus_off"):
    """The node named by ``sender`` goes bus-off at once."""


class Disconnect(_WholeNode, frozen=True, tag="disconnect"):
    """The line of the node named by ``sender`` is broken until undone."""


class Shorted(_Aimed, frozen=True, tag="shorted"):
    """The two wires are shorted until undone, for every node: each start of frame is an error, up to bus-off, and
    nobody comes back before."""

    def __post_init__(self) -> None:
        super().__post_init__()
        aimed = self.sender or self.id_mask or self.data_mask or self.skip or self.count
        self._need(not aimed, "it acts at once on the whole bus; sender, id, data, skip and count have no meaning")


LinkFault = Drop | DropAt | Delay | Duplicate | Corrupt | Truncate | ReTime | ErrorFrame | BusOff | Disconnect | Shorted


class Active:
    """A fault on a bus. ``fired`` counts what the wire has shown, ``taken`` what was chosen to be hit."""

    __slots__ = ("_mask", "_size", "_wanted", "fault", "fired", "matched", "taken")

    def __init__(self, fault: LinkFault) -> None:
        self.fault = fault
        self.matched = 0
        self.taken = 0
        self.fired = 0
        mask = bytes.fromhex(fault.data_mask)
        self._size = len(mask)
        self._mask = int.from_bytes(mask, "little")
        self._wanted = int.from_bytes(bytes.fromhex(fault.data), "little") & self._mask

    def aims_at(self, sender: str, frame: CanFrame) -> bool:
        """Whether a frame is one of those meant."""
        fault = self.fault
        if fault.sender and sender != fault.sender:
            return False
        if (frame.id ^ fault.id) & fault.id_mask or len(frame.data) < self._size:
            return False
        return int.from_bytes(frame.data[: self._size], "little") & self._mask == self._wanted

    def takes(self, sender: str, frame: CanFrame) -> bool:
        """Whether the fault is to hit this frame; counts it when it does."""
        fault = self.fault
        if (fault.count and self.taken >= fault.count) or not self.aims_at(sender, frame):
            return False
        self.matched += 1
        if self.matched <= fault.skip:
            return False
        self.taken += 1
        return True
