"""Frames of RAPI: ``$``, tokens with single blanks, a checksum, CR (sheet serial 1.1, 1.2).

Whatever comes becomes a value: a frame (with a right or a wrong checksum), text between frames, or
bytes that became no frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import xor

from hil.errors import CodecError

START, END = 0x24, 0x0D
BUFFER = 31
"""Characters that the console's buffer holds, ``$`` included and CR not."""
MAX_TOKENS = 10
"""Tokens that the console takes, the command and the sequence id included."""
LONGEST = 256
"""What a reader of replies holds; text between frames is cut into pieces of this length."""
_WHITE = b"\r\n\t \0"


class Check(StrEnum):
    """Forms of the checksum: the character before its two digits."""

    XOR = "^"
    SUM = "*"
    NONE = ""


_RULES: dict[str, Callable[[bytes], int]] = {
    Check.XOR: lambda body: reduce(xor, body, 0),
    Check.SUM: lambda body: sum(body) & 0xFF,
}


def checksum(body: bytes, check: Check = Check.XOR) -> int:
    """The checksum of every byte from ``$`` up to its own mark; 0 for :attr:`Check.NONE`."""
    return _RULES[check](body) if check in _RULES else 0


def encode(*tokens: str, sequence: int | None = None, check: Check = Check.XOR, end: bytes = b"\r") -> bytes:
    """A frame of these tokens, such as ``encode("SC", "16")``; ``sequence`` 1..255 adds `` :SS``.

    A token with a CR, a ``$`` or a character beyond Latin-1, and a sequence id outside 0..255 raise
    :class:`CodecError`. The console's limits are not checked: a judge has to break them.
    """
    if sequence is not None:
        if not 0 <= sequence <= 0xFF:
            raise CodecError(f"sequence id {sequence}: 0..255 is allowed")
        tokens = (*tokens, f":{sequence:02X}")
    text = "$" + " ".join(tokens)
    if "\r" in text or "$" in text[1:] or any(ord(character) > 0xFF for character in text):
        raise CodecError(f"{tokens}: a frame holds Latin-1 characters without CR and $")
    body = text.encode("latin-1")
    if check is not Check.NONE:
        body += f"{check}{checksum(body, check):02X}".encode()
    return body + end


@dataclass(frozen=True, slots=True)
class Frame:
    """One line from ``$`` to CR."""

    raw: bytes
    """Without its CR."""
    tokens: tuple[str, ...]
    """Without ``$``, sequence id and checksum; two blanks make an empty token."""
    sequence: int | None
    """None where there is none, or 00."""
    check: Check
    due: int
    """The checksum that the rule gives."""
    valid: bool
    """Whether the checksum is right; a frame without one is."""

    @property
    def name(self) -> str:
        """The first token: ``OK``, ``NK``, a notification or a command."""
        return self.tokens[0]

    @property
    def text(self) -> str:
        """The line as a reader sees it."""
        return self.raw.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Broken:
    """Bytes that began as a frame and became none, or text between frames."""

    raw: bytes
    why: str
    """``text``, ``restarted`` (another ``$`` came), ``overlong`` or the flaw that the UART told."""


Item = Frame | Broken


def parse(raw: bytes) -> Frame:
    """What a line from ``$`` up to its CR says; anything can be read."""
    body, check, digits = _split(raw)
    due = checksum(body, check)
    tokens = body[1:].decode("latin-1").split(" ")
    sequence = None
    if len(tokens) > 1 and tokens[-1].startswith(":"):
        sequence = _hex(tokens.pop()[1:3]) or None
    valid = check is Check.NONE or (len(digits) >= 2 and _hex(digits[:2].decode("latin-1")) == due)
    return Frame(raw, tuple(tokens), sequence, check, due, valid)


def _split(raw: bytes) -> tuple[bytes, Check, bytes]:
    """What the checksum covers, its form, and what follows its mark."""
    marks = [(at, check) for check in (Check.XOR, Check.SUM) if (at := raw.find(check.value.encode())) >= 0]
    if not marks:
        return raw, Check.NONE, b""
    at, check = min(marks)
    return raw[:at], check, raw[at + 1 :]


def _hex(digits: str) -> int:
    """As the firmware reads it: a character that is no hex digit makes the value 0."""
    if len(digits) != 2 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
        return 0
    return int(digits, 16)


class Framer:
    """Cuts a stream of bytes into frames and what is none. ``limit`` is the longest frame without CR."""

    __slots__ = ("_frame", "_limit", "_text")

    def __init__(self, limit: int = LONGEST) -> None:
        self._limit = limit
        self._frame: bytearray | None = None
        self._text = bytearray()

    def feed(self, data: bytes) -> list[Item]:
        """What these bytes complete, in order."""
        items: list[Item] = []
        for byte in data:
            if byte == START:
                self._drop(items, "restarted")
                self._frame = bytearray((START,))
            elif self._frame is None:
                self._outside(byte, items)
            elif byte == END:
                items.append(parse(bytes(self._frame)))
                self._frame = None
            elif len(self._frame) == self._limit:
                self._frame.append(byte)
                self._drop(items, "overlong")
            else:
                self._frame.append(byte)
        return items

    def _outside(self, byte: int, items: list[Item]) -> None:
        self._text.append(byte)
        if byte in (END, 0x0A) or len(self._text) >= LONGEST:
            self._drop(items, "")

    def _drop(self, items: list[Item], why: str) -> None:
        if self._text.strip(_WHITE):
            items.append(Broken(bytes(self._text.strip(_WHITE)), "text"))
        self._text.clear()
        if self._frame is not None:
            items.append(Broken(bytes(self._frame), why))
            self._frame = None

    def spoil(self, data: bytes, flaw: str) -> list[Item]:
        """Bytes that the UART calls wrong: nothing that they touch is believed."""
        items: list[Item] = []
        raw = (bytes(self._frame) if self._frame is not None else b"") + data
        self._frame = None
        self._drop(items, "")
        items.append(Broken(raw[:LONGEST], flaw))
        return items
