"""Lines out of bytes, with a bound: whatever a line does, no more than one of the longest is kept."""

from __future__ import annotations

from collections.abc import Iterator

from hil.protocol.signals.messages import Garbled

MAX_LINE = 16_384
"""Bytes of a line without its end."""
_SHOWN = 80
"""Bytes of a line too long that are shown."""


class LineReader:
    """Give it bytes as they come; it gives lines without their ends, empty ones left out."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._lost = ""
        """Why the rest of the present line is passed over."""

    def feed(self, data: bytes, flaw: str = "") -> Iterator[bytes | Garbled]:
        """Complete lines; a ``flaw`` of the UART spoils every line that these bytes touch."""
        *whole, rest = data.split(b"\n")
        for part in whole:
            self._keep(part, flaw)
            line, lost = bytes(self._kept), self._lost
            self._kept.clear()
            self._lost = ""
            if lost:
                yield Garbled(line[:_SHOWN], lost)
            elif line.strip():
                yield line
        if rest:
            self._keep(rest, flaw)

    def drop(self) -> None:
        """The line that has begun will not be ended."""
        self._kept.clear()
        self._lost = ""

    def _keep(self, part: bytes, flaw: str) -> None:
        if flaw:
            self._lost = f"{flaw} error"
        elif len(self._kept) + len(part) > MAX_LINE:
            self._lost = self._lost or f"a line longer than {MAX_LINE} bytes"
        room = (_SHOWN if self._lost else MAX_LINE) - len(self._kept)
        if room > 0:
            self._kept += part[:room]
        elif self._lost:
            del self._kept[_SHOWN:]
