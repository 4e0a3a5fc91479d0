"""CSV logs, read through a small declared mapping (TOML): encoding, columns, form of the time.

encoding = "gbk"            # any that Python knows; default utf-8
delimiter = ","             # default comma
header = true               # the first row names the columns; else columns are numbers from 1
skip = 0                    # rows before the header

[columns]
time = "Time"               # name, or number from 1
id = "ID"
data = "Data"               # hex bytes, separated or not; a single digit is a byte
length = "DLC"              # optional: compared with the data

[time]
form = "MM:SS.f"            # s, ms, us, MM:SS.f or HH:MM:SS.f

[id]
base = 16                   # default

[extended]                  # optional: which rows are 29-bit frames; default: identifiers above 0x7FF
column = "Type"
contains = "Extended"
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from hil.errors import UsageError
from hil.units import MICROSECOND, MILLISECOND, SECOND, Instant, Span
from hil.world.observation import FrameSeen

_FORMS: dict[str, Span] = {"s": SECOND, "ms": MILLISECOND, "us": MICROSECOND}
_CLOCKS: dict[str, Span] = {"MM:SS.f": 3600 * SECOND, "HH:MM:SS.f": 24 * 3600 * SECOND}
"""Forms of a clock, and after how long they start again at 0."""
_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_LARGEST_ID = 0x1FFFFFFF
_LARGEST_STANDARD = 0x7FF
_MOST_DATA = 8


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a frame stands in a row: names of the header, or numbers from 1."""

    time: str | int
    id: str | int
    data: str | int
    length: str | int | None = None


class TimeForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the time is written."""

    form: str = "s"


class IdForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How identifiers are written."""

    base: int = 16


class Extended(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows whose column contains a text are 29-bit frames."""

    column: str | int
    contains: str


class CsvMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one kind of CSV file holds frames."""

    columns: Columns
    encoding: str = "utf-8"
    delimiter: str = ","
    header: bool = True
    skip: int = 0
    time: TimeForm = TimeForm()
    id: IdForm = IdForm()
    extended: Extended | None = None


_TABLES: dict[str, type[msgspec.Struct]] = {
    "columns": Columns,
    "time": TimeForm,
    "id": IdForm,
    "extended": Extended,
}


def shipped() -> dict[str, CsvMapping]:
    """The mappings that come with the package, by name."""
    folder = files("hil.transport").joinpath("mappings")
    texts = {entry.name: entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".toml")}
    return {name.removesuffix(".toml"): parse_mapping(text, name) for name, text in sorted(texts.items())}


def load_mapping(path: Path) -> CsvMapping:
    """A user's mapping; raises :class:`UsageError` naming file, field and what is allowed."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else f"byte {error.start} is not UTF-8 text"
        raise UsageError(f"mapping {path} cannot be read: {why}") from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, name: str) -> CsvMapping:
    """A mapping from its TOML text."""
    try:
        document = tomllib.loads(text)
        _refuse_unknown(document, CsvMapping, f"mapping {name}: ")
        for table, kind in _TABLES.items():
            if isinstance(document.get(table), dict):
                _refuse_unknown(document[table], kind, f"mapping {name}: {table}.")
        mapping = msgspec.convert(document, CsvMapping)
        "".encode(mapping.encoding)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, LookupError) as error:
        raise UsageError(f"mapping {name}: {error}") from error
    if mapping.time.form not in {**_FORMS, **_CLOCKS}:
        allowed = ", ".join((*_FORMS, *_CLOCKS))
        raise UsageError(f"mapping {name}: time.form {mapping.time.form!r}; allowed is {allowed}")
    if len(mapping.delimiter) != 1:
        raise UsageError(f"mapping {name}: delimiter {mapping.delimiter!r}; allowed is one character")
    if mapping.skip < 0:
        raise UsageError(f"mapping {name}: skip {mapping.skip}; allowed is 0 and more")
    if not 2 <= mapping.id.base <= 36:
        raise UsageError(f"mapping {name}: id.base {mapping.id.base}; allowed is 2 .. 36")
    if any(isinstance(each, int) and each < 1 for each in _places(mapping)):
        raise UsageError(f"mapping {name}: a column is a name of the header or a number from 1")
    if not mapping.header and any(isinstance(each, str) for each in _places(mapping)):
        raise UsageError(f"mapping {name}: without a header the columns are numbers from 1")
    return mapping


def _refuse_unknown(given: dict[str, Any], kind: type[msgspec.Struct], place: str) -> None:
    known = [field.name for field in msgspec.structs.fields(kind)]
    for key in given:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UsageError(f"{place}{key} is unknown; {hint}allowed are {', '.join(known)}")


def _places(mapping: CsvMapping) -> list[str | int]:
    columns = mapping.columns
    extended = [] if mapping.extended is None else [mapping.extended.column]
    return [each for each in (columns.time, columns.id, columns.data, columns.length, *extended) if each is not None]


class CsvFrames:
    """Rows of text to frames. ``tell`` takes what is wrong with a row; nothing raises."""

    def __init__(self, mapping: CsvMapping, tell: Callable[[str], None]) -> None:
        self._mapping = mapping
        self._tell = tell
        self._wrap = _CLOCKS.get(mapping.time.form)
        self._offset: Span = 0
        self._last: Instant = 0
        self._index: dict[str | int, int] = {}

    def read(self, lines: Iterator[str]) -> Iterator[FrameSeen]:
        """The frames of a file."""
        rows = csv.reader(lines, delimiter=self._mapping.delimiter)
        pending = self._mapping.skip + (1 if self._mapping.header else 0)
        if not pending:
            self._place(None)
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                self._tell(str(error))
                continue
            if pending:
                pending -= 1
                if not pending and not self._place(row if self._mapping.header else None):
                    return
            elif row:
                frame = self._frame(row)
                if frame is not None:
                    yield frame

    def _place(self, header: list[str] | None) -> bool:
        names = [name.strip().lstrip("\ufeff") for name in header or ()]
        for place in _places(self._mapping):
            if isinstance(place, int):
                self._index[place] = place - 1
            elif place in names:
                self._index[place] = names.index(place)
            else:
                self._tell(f"no column {place!r}; there are {', '.join(names)}")
                return False
        return True

    def _frame(self, row: list[str]) -> FrameSeen | None:
        columns = self._mapping.columns
        try:
            t = self._instant(self._cell(row, columns.time))
            identifier = int(self._cell(row, columns.id), self._mapping.id.base)
            data = _bytes(self._cell(row, columns.data))
        except (ValueError, IndexError) as error:
            self._tell(f"not a frame: {error}")
            return None
        if not 0 <= identifier <= _LARGEST_ID or len(data) > _MOST_DATA:
            self._tell(f"not a frame of classic CAN: identifier {identifier:X}, {len(data)} bytes")
            return None
        if columns.length is not None:
            self._check_length(row, columns.length, data)
        return FrameSeen(t, "csv", identifier, data, "", self._is_extended(row, identifier))

    def _cell(self, row: list[str], place: str | int) -> str:
        index = self._index[place]
        if index >= len(row):
            raise IndexError(f"there is no column {place}, the row has {len(row)}")
        return row[index].strip()

    def _check_length(self, row: list[str], place: str | int, data: bytes) -> None:
        try:
            stated = int(self._cell(row, place))
        except (ValueError, IndexError):
            return
        if stated != len(data):
            self._tell(f"length {stated} stated, {len(data)} bytes given")

    def _is_extended(self, row: list[str], identifier: int) -> bool:
        rule = self._mapping.extended
        if rule is None:
            return identifier > _LARGEST_STANDARD
        try:
            return rule.contains in self._cell(row, rule.column)
        except IndexError:
            return identifier > _LARGEST_STANDARD

    def _instant(self, text: str) -> Instant:
        if self._wrap is None:
            return _span(text, _FORMS[self._mapping.time.form])
        parts = text.split(":")
        if len(parts) != self._mapping.time.form.count(":") + 1:
            raise ValueError(f"time {text!r} is not {self._mapping.time.form}")
        t = 0
        for part in parts:
            t = t * 60 + _span(part, SECOND)
        if t + self._offset < self._last - self._wrap // 2:
            self._offset += self._wrap
        self._last = t + self._offset
        return self._last


def _span(text: str, unit: Span) -> Span:
    """A decimal number in a unit, exactly."""
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a number")
    whole, _, fraction = text.partition(".")
    return int(whole) * unit + (int(fraction) * unit // 10 ** len(fraction) if fraction else 0)


def _bytes(text: str) -> bytes:
    parts = text.replace("0x", " ").replace("-", " ").split()
    if len(parts) == 1 and len(parts[0]) > 2:
        return bytes.fromhex(parts[0])
    return bytes(int(part, 16) for part in parts)
