"""Recorded logs as a stream of observations, through python-can's readers.

Whatever a file holds, reading goes on as far as it can: what is wrong becomes a :class:`Problem`
with the line or the frame, never an exception.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import can
import msgspec

from hil.errors import UsageError
from hil.transport.csv_log import CsvFrames, CsvMapping, load_mapping, shipped
from hil.units import MICROSECOND, SECOND, Instant
from hil.world.observation import BusErrorSeen, FrameSeen

FORMATS = {".log": "candump", ".asc": "ASC", ".blf": "BLF", ".trc": "TRC", ".mf4": "MF4", ".csv": "CSV"}
"""Suffix to the name of the format."""
_READERS: dict[str, Any] = {
    "candump": can.CanutilsLogReader,
    "ASC": can.ASCReader,
    "BLF": can.BLFReader,
    "TRC": can.TRCReader,
    "MF4": can.MF4Reader,
}
_TEXT = ("candump", "ASC", "TRC", "CSV")
_MOST_PROBLEMS = 100
_MOST_SHOWN = 80
_LONGEST_LINE = 1 << 16
_HEADER = 1 << 12
_MOST_SECONDS = 1e12
_MOST_CHANNELS = 64
_MINUTES_FORM = "MM:SS.f"


class Problem(msgspec.Struct, frozen=True):
    """Something in a file that could not be read as it stands."""

    where: str
    """``line 12`` or ``frame 3400``."""
    text: str


class LogReader:
    """Iterate it once: frames, and errors of the bus, in the order of the file.

    ``mapping`` is needed for a CSV whose header no shipped mapping knows. Raises :class:`UsageError` for a
    file that does not exist, a suffix that is not known, or a CSV without a mapping.
    """

    def __init__(self, path: Path, mapping: Path | None = None) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.problems_lost = 0
        """How many were only counted."""
        self.frames = 0
        """Frames of a binary file so far."""
        self._lines: _Lines | None = None
        self.ports: dict[Any, str] = {}
        """Channels seen so far, with their names."""
        if path.is_dir():
            raise UsageError(f"{path}: is a folder; give one log in it")
        known = FORMATS.get(path.suffix.lower())
        if known is None:
            raise UsageError(f"{path}: suffix {path.suffix!r} is not known; there are {', '.join(FORMATS)}, .jsonl")
        if not path.is_file():
            raise UsageError(f"{path}: there is no such file")
        if known == "MF4" and find_spec("asammdf") is None:
            raise UsageError(f'{path}: MF4 is read by asammdf, which is not there; pip install "python-can[mf4]"')
        if mapping is not None and known != "CSV":
            raise UsageError(f"--mapping is for CSV; {path} is {known}")
        self.format = known
        self._mapping = self._choose_mapping(mapping) if known == "CSV" else None

    def _choose_mapping(self, chosen: Path | None) -> CsvMapping:
        if chosen is not None:
            return load_mapping(chosen)
        with self.path.open("rb") as file:
            head = file.read(_HEADER)
        for mapping in shipped().values():
            columns = mapping.columns
            text = head.decode(mapping.encoding, "replace")
            if all(str(name) in text for name in (columns.time, columns.id, columns.data)):
                return mapping
        raise UsageError(
            f"{self.path}: no shipped mapping knows this CSV ({', '.join(shipped())}); "
            "declare its columns in a TOML file and name it by --mapping"
        )

    # --- reading ----------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[FrameSeen | BusErrorSeen]:
        try:
            if self.format in _TEXT:
                encoding = "utf-8" if self._mapping is None else self._mapping.encoding
                heard = _Heard(self.tell)
                with heard, self.path.open(encoding=encoding, errors="replace", newline="") as file:
                    self._lines = _Lines(file)
                    yield from self._read_text(self._lines)
            else:
                with self.path.open("rb") as file:
                    yield from self._messages(_READERS[self.format], file)
        except OSError as error:
            self.tell(f"reading ends here: {error.strerror or error}")

    def _read_text(self, lines: _Lines) -> Iterator[FrameSeen | BusErrorSeen]:
        if self._mapping is not None:
            return iter(CsvFrames(self._mapping, self.tell).read(iter(lines)))
        return self._messages(_READERS[self.format], lines)

    def _messages(self, kind: Any, file: Any) -> Iterator[FrameSeen | BusErrorSeen]:
        """What a reader of python-can gives; text readers start again behind a line that they cannot read."""
        try:
            reader = kind(file)
        except Exception as error:
            # Readers raise whatever their parsing happens to raise (struct, zlib, value and own errors).
            self.tell(f"not a {self.format} file: {_why(error)}")
            return
        while True:
            try:
                for message in reader:
                    self.frames += 1
                    seen = self._observation(message)
                    if seen is not None:
                        yield seen
                return
            except Exception as error:
                if self._lines is None or self._lines.ended:
                    self.tell(f"reading ends here: {_why(error)}")
                    return
                self.tell(f"not a frame: {shown(self._lines.last)}")

    def _observation(self, message: can.Message) -> FrameSeen | BusErrorSeen | None:
        stamp = message.timestamp
        if not math.isfinite(stamp) or abs(stamp) > _MOST_SECONDS:
            self.tell(f"time {stamp} is none")
            return None
        t = round(stamp * 1_000_000) * MICROSECOND
        port = self.ports.get(message.channel)
        if port is None:
            port = self._name(message.channel)
        if message.is_error_frame:
            return BusErrorSeen(t, port, "", "ack", 0, 0)
        if message.is_remote_frame or message.is_fd:
            self.tell("a remote or CAN FD frame is left out")
            return None
        return FrameSeen(t, port, message.arbitration_id, bytes(message.data), "", message.is_extended_id)

    def _name(self, channel: Any) -> str:
        name = "" if channel is None else str(channel)
        if len(self.ports) < _MOST_CHANNELS:
            self.ports[channel] = name
        return name

    # --- telling ----------------------------------------------------------------------------------

    def tell(self, text: str) -> None:
        """Note a problem at the present place of the file."""
        if len(self.problems) >= _MOST_PROBLEMS:
            self.problems_lost += 1
            return
        where = f"frame {self.frames}" if self._lines is None else f"line {self._lines.number}"
        self.problems.append(Problem(where, text))

    def show(self, t: Instant) -> str:
        """An instant as the file writes it."""
        if self._mapping is not None and self._mapping.time.form == _MINUTES_FORM:
            tenths = t * 10 // SECOND
            return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"
        return f"{t / SECOND:.6f} s"


class _Lines:
    """A text file as its lines, counted and bounded in length; python-can's readers take it for a file."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.number = 0
        self.last = ""
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = cast("str", self._file.readline(_LONGEST_LINE))
        if not line:
            self.ended = True
            raise StopIteration
        self.number += 1
        self.last = line
        return line

    def close(self) -> None:
        """The file is closed by the one who opened it."""


class _Heard(logging.Handler):
    """While it is entered, what readers of python-can complain of is a problem of the file, and not on the terminal."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell
        self._logger = logging.getLogger("can.io")

    def __enter__(self) -> None:
        self._logger.addHandler(self)
        self._logger.propagate = False

    def __exit__(self, *exception: object) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = True

    def emit(self, record: logging.LogRecord) -> None:
        """Called by logging."""
        self._tell(shown(record.getMessage()))


def shown(text: str) -> str:
    """What a file holds, for a line of a terminal: the beginning of it, without what a terminal would obey."""
    printable = "".join(each if each.isprintable() else "." for each in text.strip())
    return printable if len(printable) <= _MOST_SHOWN else f"{printable[:_MOST_SHOWN]}..."


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
