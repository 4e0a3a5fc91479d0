"""Frames of DL/T 645-2007: wake-up bytes, two ``68``, data plus 0x33, a sum, ``16`` (sheet serial 2.1).

Whatever comes becomes a value: a frame whose sum is right, or bytes that became none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hil.errors import CodecError
from hil.units import MILLISECOND, Span

WAKE, START, END, SHIFT = 0xFE, 0x68, 0x16, 0x33
WAKE_BYTES = 4
"""What a master sends before a frame."""
MAX_DATA = 200
"""Data bytes of a read; a write has 50 at most."""
BYTE_GAP: Span = 500 * MILLISECOND
"""The longest pause inside a frame."""
WILDCARD = "A" * 12
"""A single meter on the line answers."""
BROADCAST = "9" * 12
"""Every meter obeys, none answers."""
_HEAD, _OVERHEAD = 10, 12
_MOST_JUNK = 512


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; ``data`` is what was meant, without the 0x33 of the wire."""

    address: str
    """12 digits as people write them, the highest first; ``A`` stands where a digit is left open."""
    control: int
    data: bytes = b""

    def __post_init__(self) -> None:
        """What does not fit the fields raises :class:`CodecError`; limits of the standard are not checked."""
        if len(self.address) != 12 or any(digit not in "0123456789ABCDEF" for digit in self.address):
            raise CodecError(f"meter address {self.address!r}: 12 digits are due, A where one is left open")
        if not 0 <= self.control <= 0xFF or len(self.data) > 0xFF:
            raise CodecError(f"control {self.control}, {len(self.data)} data bytes: 0..255 is allowed")

    @property
    def function(self) -> int:
        """Bits 0 to 4 of the control code."""
        return self.control & 0x1F

    @property
    def from_meter(self) -> bool:
        """Bit 7: an answer."""
        return bool(self.control & 0x80)

    @property
    def is_error(self) -> bool:
        """Bit 6 of an answer."""
        return self.control & 0xC0 == 0xC0

    @property
    def more(self) -> bool:
        """Bit 5: further data can be read."""
        return bool(self.control & 0x20)

    def encode(self, wake: int = WAKE_BYTES) -> bytes:
        """Bytes for the wire, with so many wake-up bytes before them."""
        body = bytearray((START,)) + bytes.fromhex(self.address)[::-1]
        body += bytes((START, self.control, len(self.data)))
        body += bytes(byte + SHIFT & 0xFF for byte in self.data)
        return bytes((WAKE,)) * wake + bytes(body) + bytes((sum(body) & 0xFF, END))


@dataclass(frozen=True, slots=True)
class Broken:
    """Bytes that became no frame: ``junk``, ``checksum``, ``end`` (no ``16``), ``short`` or a UART's flaw."""

    raw: bytes
    why: str


Item = Frame | Broken


def addressed(frame: Frame, own: str) -> Literal["", "me", "all"]:
    """Whether a request is for a meter: for it alone (also by a wildcard), for all, or not."""
    if frame.from_meter:
        return ""
    if frame.address == BROADCAST:
        return "all"
    matches = all(asked in ("A", digit) for asked, digit in zip(frame.address, own, strict=True))
    return "me" if matches else ""


class Framer:
    """Cuts a stream of bytes into frames. A ``68`` inside a frame or in noise does not throw it off."""

    __slots__ = ("_buffer", "_junk", "_why")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._junk = bytearray()
        self._why = ""

    @property
    def waiting(self) -> bool:
        """Bytes are there that may yet become a frame: call :meth:`expire` after :data:`BYTE_GAP`."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Item]:
        """What these bytes complete, in order."""
        self._buffer += data
        return self._scan(final=False)

    def expire(self) -> list[Item]:
        """Nothing has come for the longest pause: what is there is all there is."""
        return self._scan(final=True)

    def spoil(self, data: bytes, flaw: str) -> list[Item]:
        """Bytes that the UART calls wrong: the frame that they touch is lost."""
        items = self._scan(final=True)
        items.append(Broken(bytes(data), flaw))
        return items

    def _scan(self, *, final: bool) -> list[Item]:
        items: list[Item] = []
        buffer = self._buffer
        while buffer:
            start = buffer.find(START)
            if start:
                skipped = buffer[:] if start < 0 else buffer[:start]
                self._junk += skipped
                del buffer[: len(skipped)]
                continue
            size, why = _judge(buffer)
            if why == "short" and not final:
                break
            if why:
                self._why = self._why or ("" if why == "junk" else why)
                self._junk.append(buffer.pop(0))
                continue
            self._drop(items)
            items.append(_read(buffer[:size]))
            del buffer[:size]
        if final or not buffer or len(self._junk) > _MOST_JUNK:
            self._drop(items)
        return items

    def _drop(self, items: list[Item]) -> None:
        if self._junk.strip(bytes((WAKE,))):
            items.append(Broken(bytes(self._junk), self._why or "junk"))
        self._junk.clear()
        self._why = ""


def _judge(buffer: bytearray) -> tuple[int, str]:
    """Length of the frame at the start of the buffer, or why there is none."""
    if len(buffer) > 7 and buffer[7] != START:
        return 0, "junk"
    if len(buffer) < _HEAD:
        return 0, "short"
    if buffer[9] > MAX_DATA:
        return 0, "junk"
    size = _OVERHEAD + buffer[9]
    if len(buffer) < size:
        return 0, "short"
    if sum(buffer[: size - 2]) & 0xFF != buffer[size - 2]:
        return 0, "checksum"
    return (size, "") if buffer[size - 1] == END else (0, "end")


def _read(raw: bytearray) -> Frame:
    data = bytes(byte - SHIFT & 0xFF for byte in raw[_HEAD:-2])
    return Frame(raw[6:0:-1].hex().upper(), raw[8], data)
