"""Faults of byte lines (serial and TCP) as data: aimed by sender, countable, undoable, proven to fire."""

from __future__ import annotations

import msgspec

from hil.errors import UsageError
from hil.units import Span


class _Aimed(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    """Unique on the line; notes of firing carry it."""
    sender: str = ""
    """Name of the sending node; empty aims at every sender."""
    starts: str = ""
    """Hex; only chunks that begin with these bytes are meant."""
    skip: int = 0
    """So many matching chunks pass first."""
    count: int = 0
    """So many are hit; 0 means until undone."""

    def __post_init__(self) -> None:
        """Values that make no fault raise :class:`UsageError`."""
        self._need(bool(self.name), "a name is needed")
        self._need(self.skip >= 0 and self.count >= 0, f"skip {self.skip}, count {self.count}: 0 or more is allowed")
        self._hex("starts")

    def _need(self, holds: bool, why: str) -> None:
        if not holds:
            raise UsageError(f"line fault {self.name!r}: {why}")

    def _hex(self, field: str) -> bytes:
        text: str = getattr(self, field)
        try:
            return bytes.fromhex(text)
        except ValueError:
            raise UsageError(f"line fault {self.name!r}: {field} {text!r} is not hexadecimal bytes") from None

    def aims_at(self, sender: str, data: bytes) -> bool:
        """Whether a chunk is one of those meant, and long enough for the fault to change something."""
        meant = self.sender in ("", sender) and data.startswith(bytes.fromhex(self.starts))
        return meant and len(data) >= self.shortest

    @property
    def shortest(self) -> int:
        """Length of the shortest chunk that the fault can hit."""
        return 0


class _Placed(_Aimed, frozen=True, kw_only=True):
    """A fault of the byte ``at``, counted from 0; shorter chunks pass unhurt and uncounted."""

    at: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._need(self.at >= 0, f"at {self.at}: 0 or more is allowed")

    @property
    def shortest(self) -> int:
        """So that there is a byte ``at``."""
        return self.at + 1


class _Lasting(_Aimed, frozen=True, kw_only=True):
    """A state of the line, there until undone: no chunks are chosen or counted."""

    def __post_init__(self) -> None:
        super().__post_init__()
        chosen = self.starts or self.skip or self.count
        self._need(not chosen, "it lasts until undone; starts, skip and count are not allowed")


class LoseBytes(_Placed, frozen=True, tag="lose_bytes"):
    """``length`` bytes from ``at`` on are lost; a length of 0 loses all of them."""

    length: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._need(self.length >= 0, f"length {self.length}: 0 or more is allowed")


class CorruptBytes(_Placed, frozen=True, tag="corrupt_bytes"):
    """Bits are inverted from byte ``at`` on; ``invert`` is hex."""

    invert: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self._need(bool(self._hex("invert").strip(b"\0")), "invert changes nothing")

    @property
    def shortest(self) -> int:
        """So that the first inverted bit is in it."""
        mask = bytes.fromhex(self.invert)
        return self.at + 1 + len(mask) - len(mask.lstrip(b"\0"))


class InsertBytes(_Aimed, frozen=True, tag="insert_bytes"):
    """Junk comes before the chunk, or after it."""

    data: str
    before: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._need(bool(self._hex("data")), "data holds no bytes")


class SplitBytes(_Placed, frozen=True, tag="split_bytes"):
    """The chunk comes in two parts, the second one begins with byte ``at`` and comes ``gap`` later."""

    gap: Span

    def __post_init__(self) -> None:
        super().__post_init__()
        self._need(self.at > 0, f"at {self.at}: 1 or more is allowed")
        self._need(self.gap >= 0, f"gap {self.gap} ns: 0 or more is allowed")


class StallBytes(_Aimed, frozen=True, tag="stall_bytes"):
    """The chunk leaves so much later; what is sent after it waits for it."""

    span: Span

    def __post_init__(self) -> None:
        super().__post_init__()
        self._need(self.span > 0, f"span {self.span} ns: above 0 is allowed")


class RepeatBytes(_Aimed, frozen=True, tag="repeat_bytes"):
    """The chunk comes twice."""


class ParityError(_Placed, frozen=True, tag="parity_error"):
    """Byte ``at`` arrives with a wrong parity bit, its data bits are right; a serial line with parity only."""


class FramingError(_Placed, frozen=True, tag="framing_error"):
    """Byte ``at`` arrives without its stop bit, its data bits are right; a serial line only."""


class CutLine(_Lasting, frozen=True, tag="cut_line"):
    """Nothing of the sender (empty: of anybody) arrives until undone, and nobody is told: a broken wire or a
    half-open connection."""


class ResetLine(_Aimed, frozen=True, tag="reset_line"):
    """The connection is reset instead of carrying the chunk; a TCP link only."""


class RefuseLine(_Lasting, frozen=True, tag="refuse_line"):
    """Connections are refused until undone; a TCP link only."""


LineFault = (
    LoseBytes
    | CorruptBytes
    | InsertBytes
    | SplitBytes
    | StallBytes
    | RepeatBytes
    | ParityError
    | FramingError
    | CutLine
    | ResetLine
    | RefuseLine
)


class ActiveLine:
    """A fault on a line, with how often it matched and fired."""

    __slots__ = ("fault", "fired", "matched")

    def __init__(self, fault: LineFault) -> None:
        self.fault = fault
        self.matched = 0
        self.fired = 0

    def takes(self, sender: str, data: bytes) -> bool:
        """Whether the fault hits this chunk; counts it when it does."""
        fault = self.fault
        if (fault.count and self.fired >= fault.count) or not fault.aims_at(sender, data):
            return False
        self.matched += 1
        if self.matched <= fault.skip:
            return False
        self.fired += 1
        return True
