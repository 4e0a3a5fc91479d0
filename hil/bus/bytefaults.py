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
        """Whether a chunk is one of those meant."""
        return self.sender in ("", sender) and data.startswith(bytes.fromhex(self.starts))


class LoseBytes(_Aimed, frozen=True, tag="lose_bytes"):
    """``length`` bytes from ``at`` are lost; a length of 0 loses the whole chunk."""

    at: int = 0
    length: int = 0


class CorruptBytes(_Aimed, frozen=True, tag="corrupt_bytes"):
    """Bits are inverted from byte ``at`` on."""

    invert: str
    at: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._need(bool(self._hex("invert").strip(b"\0")), "invert changes nothing")


class InsertBytes(_Aimed, frozen=True, tag="insert_bytes"):
    """Junk comes before the chunk, or after it."""

    data: str
    before: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._need(bool(self._hex("data")), "data holds no bytes")


class SplitBytes(_Aimed, frozen=True, tag="split_bytes"):
    """The chunk comes in two parts, the second one ``gap`` later."""

    at: int
    gap: Span


class StallBytes(_Aimed, frozen=True, tag="stall_bytes"):
    """The chunk comes later."""

    span: Span


class RepeatBytes(_Aimed, frozen=True, tag="repeat_bytes"):
    """The chunk comes twice."""


class ParityError(_Aimed, frozen=True, tag="parity_error"):
    """Byte ``at`` arrives with a wrong parity bit; a serial line only."""

    at: int = 0


class FramingError(_Aimed, frozen=True, tag="framing_error"):
    """Byte ``at`` arrives without its stop bit; a serial line only."""

    at: int = 0


class CutLine(_Aimed, frozen=True, tag="cut_line"):
    """Nothing of the sender (empty: of anybody) arrives until undone, and nobody is told: a broken wire or a
    half-open connection."""


class ResetLine(_Aimed, frozen=True, tag="reset_line"):
    """The connection is reset instead of carrying the chunk; a TCP link only."""


class RefuseLine(_Aimed, frozen=True, tag="refuse_line"):
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
