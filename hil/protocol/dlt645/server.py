"""Answering reads frame by frame: what does not fit one frame is read on with following frames (sheet serial 2.2)."""

from __future__ import annotations

from collections.abc import Callable

from hil.protocol.dlt645.codes import ANSWER, ERROR, MORE, ErrorWord, Function
from hil.protocol.dlt645.frame import MAX_DATA, Frame

Lookup = Callable[[int], bytes | None]
"""The bytes of an identifier; None where there is no such data."""


class ReadServer:
    """Answers of one meter to :attr:`Function.READ` and :attr:`Function.READ_FOLLOWING`."""

    def __init__(self, lookup: Lookup, room: int = MAX_DATA) -> None:
        self._lookup = lookup
        self._room = room
        """Data bytes of one frame."""
        self._di = b""
        self._rest = b""
        self._sequence = 0

    def answer(self, request: Frame, own: str) -> Frame:
        """The reply to a read or to a read of what follows."""
        data = self._begin(request.data) if request.function == Function.READ else self._follow(request.data)
        if data is None:
            return Frame(own, request.function | ANSWER | ERROR, bytes((ErrorWord.NO_SUCH_DATA,)))
        return Frame(own, request.function | ANSWER | (MORE if self._rest else 0), data)

    def _begin(self, asked: bytes) -> bytes | None:
        self._di, self._rest, self._sequence = b"", b"", 0
        found = self._lookup(int.from_bytes(asked, "little")) if len(asked) == 4 else None
        if found is None:
            return None
        self._di = asked
        here = self._room - len(asked)
        self._rest = found[here:]
        return asked + found[:here]

    def _follow(self, asked: bytes) -> bytes | None:
        if len(asked) != 5 or asked[:4] != self._di or not self._rest or asked[4] != self._sequence + 1:
            return None
        self._sequence += 1
        here = self._room - len(asked)
        part, self._rest = self._rest[:here], self._rest[here:]
        return self._di + part + bytes((self._sequence,))
