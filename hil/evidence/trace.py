"""The trace of one run of a case: a candump log and, beside it, everything that was observed.

Each call of :meth:`TraceWriter.write` hands its bytes to the operating system before it returns, so
that what was seen is on disk even if the process is killed right after. Both files depend on the
observations alone: equal observations give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from io import FileIO
from pathlib import Path

import msgspec

from hil.bus.socketcan import ERROR_FLAG, error_frame
from hil.errors import HilError
from hil.world.observation import BusErrorSeen, FrameSeen, Observation

LOG_SUFFIX = ".log"
STREAM_SUFFIX = ".jsonl"
_LONGEST_NAME = 120
_MOST_KEPT = 4096
_BLOCK = 1 << 20


def safe_name(stem: str) -> str:
    """A file name (without suffix) for a case's id, variant and reading.

    Letters, digits and ``._=+-`` stay; a name that had to change gets a digest, so that two
    different stems never share a file. Raises :class:`HilError` for an empty stem.
    """
    if not stem:
        raise HilError("a trace needs a name; got an empty one")
    cleaned = re.sub(r"[^A-Za-z0-9._=+-]", "_", stem).lstrip(".-")[:_LONGEST_NAME]
    if cleaned == stem:
        return stem
    return f"{cleaned}-{hashlib.sha256(stem.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


class TraceWriter:
    """Writes ``folder/stem.log`` (candump) and ``folder/stem.jsonl`` (all observations).

    Files of that name are replaced. Raises :class:`HilError` naming the path when the folder or the
    disk refuses; what was written before stays readable.
    """

    def __init__(self, folder: Path, stem: str) -> None:
        name = safe_name(stem)
        self.log_path = folder / f"{name}{LOG_SUFFIX}"
        self.stream_path = folder / f"{name}{STREAM_SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _refused(folder, error) from error
        self._log = _File(self.log_path)
        try:
            self._stream = _File(self.stream_path)
        except HilError:
            self._log.close()
            raise
        self._lines = _Lines()
        self._encoder = msgspec.json.Encoder()

    def write(self, observations: Sequence[Observation]) -> None:
        """Append a slice of observations, in order of time, to both files."""
        if not observations:
            return
        stream = self._encoder.encode_lines(observations)
        if b"null" in stream:
            stream = b"".join(_encode_exactly(observation) for observation in observations)
        log = self._lines.render(observations)
        try:
            self._stream.append(stream)
        finally:
            self._log.append(log)

    def close(self) -> None:
        """Close both files. Closing twice is fine."""
        self._log.close()
        self._stream.close()

    def __enter__(self) -> TraceWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class _File:
    """An unbuffered file; each append reaches the operating system or raises :class:`HilError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._raw = FileIO(path, "w")
        except OSError as error:
            raise _refused(path, error) from error

    def append(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._raw.write(rest) :]
        except (OSError, ValueError) as error:
            raise _refused(self._path, error) from error

    def close(self) -> None:
        try:
            self._raw.close()
        except OSError as error:
            raise _refused(self._path, error) from error


def _refused(path: Path, error: Exception) -> HilError:
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return HilError(f"cannot write evidence to {path}: {why}; choose another folder with --out, or make room")


class _Lines:
    """candump text of observations. Most frames repeat earlier ones, so their text is kept."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str, bool, bytes], str] = {}

    def render(self, observations: Iterable[Observation]) -> bytes:
        known = self._known
        lines: list[str] = []
        add = lines.append
        second, head = -1, ""
        for observation in observations:
            kind = type(observation)
            if kind is FrameSeen:
                frame: FrameSeen = observation  # type: ignore[assignment]  # told by kind: faster than isinstance
                key = (frame.id, frame.port, frame.extended, frame.data)
                rest = known.get(key) or self._remember(key)
            elif kind is BusErrorSeen:
                rest = _error(observation)  # type: ignore[arg-type]  # told by kind
            else:
                continue
            whole, part = divmod(observation.t // 1000, 1_000_000)
            if whole != second:
                second, head = whole, f"({whole:010d}."
            add(f"{head}{part:06d}{rest}\n")
        return "".join(lines).encode()

    def _remember(self, key: tuple[int, str, bool, bytes]) -> str:
        identifier, port, extended, data = key
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        shown = f"{identifier:08X}" if extended else f"{identifier:03X}"
        text = self._known[key] = f") {_channel(port)} {shown}#{data.hex().upper()}"
        return text


def _channel(port: str) -> str:
    return re.sub(r"\s", "_", port) or "can"


def _error(error: BusErrorSeen) -> str:
    classes, data = error_frame(error)
    return f") {_channel(error.port)} {ERROR_FLAG | classes:08X}#{data.hex().upper()}"


def _encode_exactly(observation: Observation) -> bytes:
    """A line that also holds NaN and infinities, for which msgspec would write null."""
    return json.dumps(msgspec.to_builtins(observation), separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


_DECODER = msgspec.json.Decoder(Observation)


def read_stream(path: Path) -> Iterator[Observation]:
    """The observations of a saved stream, equal to those written.

    A last line that was cut off (the process was killed while it wrote) is left out. Raises
    :class:`HilError` for a file that cannot be read or a line that is no observation.
    """
    number = 0
    for block in _blocks(path):
        try:
            observations = _DECODER.decode_lines(block)
        except msgspec.MsgspecError:
            observations = [_decode(line, path, number + index) for index, line in enumerate(block.splitlines(), 1)]
        number += len(observations)
        yield from observations


def _blocks(path: Path) -> Iterator[bytes]:
    """Whole lines, about a megabyte at a time."""
    rest = b""
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                whole, newline, torn = (rest + block).rpartition(b"\n")
                rest = torn
                if newline:
                    yield whole + newline
    except OSError as error:
        raise HilError(f"cannot read the stream {path}: {error.strerror or error}") from error


def _decode(line: bytes, path: Path, number: int) -> Observation:
    try:
        observation: Observation = msgspec.convert(json.loads(line), Observation)
    except (ValueError, msgspec.MsgspecError) as error:
        raise HilError(f"{path}, line {number}: not an observation: {error}") from error
    return observation
