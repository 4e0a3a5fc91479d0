"""Whether something answers at a port: one question in the language of the device, and how long its answer took."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from hil.transport.clock import monotonic
from hil.units import Instant, Span, s, seconds, show_span

ANSWER_WITHIN: Span = s(1)
_MOST = 4096
T = TypeVar("T")
State = Literal["ok", "quiet", "fault"]


@dataclass(frozen=True)
class Probe:
    """What one look at a port came to."""

    what: str
    """What was looked at."""
    state: State
    """``quiet`` where nothing came and nothing has to; ``fault`` where something does not answer, or wrongly."""
    told: str
    """For people."""


class Stream(Protocol):
    """Bytes out and in, with a limit to waiting."""

    def write(self, data: bytes, /) -> None:
        """Send."""

    def read(self, within: Span, /) -> bytes:
        """What comes within the span; empty when nothing does."""


class SocketStream:
    """A socket, which the caller closes."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def write(self, data: bytes) -> None:
        """Send."""
        self._socket.sendall(data)

    def read(self, within: Span) -> bytes:
        """What comes within the span; empty when nothing does, :class:`EOFError` when the other end has closed."""
        self._socket.settimeout(max(seconds(within), 0.001))
        try:
            data = self._socket.recv(_MOST)
        except TimeoutError:
            return b""
        if not data and self._socket.type == socket.SOCK_STREAM:
            raise EOFError("the other end has closed the connection")
        return data


class SerialStream:
    """A port of pyserial, which the caller closes."""

    def __init__(self, port: Any) -> None:
        self._port = port
        with contextlib.suppress(OSError, AttributeError, RuntimeError):
            port.reset_input_buffer()

    def write(self, data: bytes) -> None:
        """Send."""
        self._port.write(data)
        self._port.flush()

    def read(self, within: Span) -> bytes:
        """What comes within the span; empty when nothing does."""
        self._port.timeout = max(seconds(within), 0.001)
        first: bytes = self._port.read(1)
        more: bytes = self._port.read(self._port.in_waiting) if first else b""
        return first + more


@dataclass(frozen=True)
class Heard:
    """What came of a question."""

    data: bytes
    """All that came until the answer was whole."""
    took: Span
    """From the question to the end of what came."""
    trouble: str = ""
    """Why no more could come."""


def ask(
    stream: Stream, question: bytes, read: Callable[[bytes], T | None], within: Span = ANSWER_WITHIN
) -> tuple[T | None, Heard]:
    """Put a question; ``read`` is shown all that has come and gives the answer, or None until it is whole."""
    begin = monotonic()
    try:
        stream.write(question)
    except OSError as error:
        return None, Heard(b"", 0, str(error))
    data = b""
    for part in _parts(stream, begin + within):
        if isinstance(part, str):
            return None, Heard(data, monotonic() - begin, part)
        data += part
        answer = read(data)
        if answer is not None:
            return answer, Heard(data, monotonic() - begin)
        if len(data) > _MOST:
            break
    return None, Heard(data, monotonic() - begin)


def _parts(stream: Stream, due: Instant) -> Iterator[bytes | str]:
    """What comes, piece by piece; a text when no more can come."""
    while (left := due - monotonic()) > 0:
        try:
            part = stream.read(left)
        except (OSError, EOFError) as error:
            yield str(error)
            return
        if part:
            yield part


def unanswered(what: str, heard: Heard, within: Span = ANSWER_WITHIN) -> Probe:
    """The probe of a device that gave no answer, with what may be wrong."""
    if heard.trouble:
        return Probe(what, "fault", f"no answer: {heard.trouble}")
    if not heard.data:
        return Probe(what, "fault", f"no answer within {show_span(within)}: is it on, wired, and is its address right?")
    shown = heard.data[:12].hex(" ").upper() + (" ..." if len(heard.data) > 12 else "")
    size = f"{len(heard.data)} byte{'s' * (len(heard.data) != 1)}"
    return Probe(what, "fault", f"{size} that are no answer ({shown}): are bit rate, parity and protocol right?")


def took(spans: list[Span]) -> str:
    """How long answers took, for people."""
    worst, best = max(spans), min(spans)
    middle = sorted(spans)[len(spans) // 2]
    return f"{seconds(middle) * 1e3:.2f} ms ({seconds(best) * 1e3:.2f} .. {seconds(worst) * 1e3:.2f} ms)"
