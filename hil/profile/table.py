"""Load profiles as CSV, and time-stamped demand data from elsewhere as load profiles."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any

import msgspec

from hil.errors import UsageError
from hil.profile.files import FORMAT, VERSION, json_of, loads
from hil.profile.model import MOST_CURRENT, MOST_VOLTAGE, LoadProfile, Mode, Segment

_COLUMNS = ("duration_s", "voltage_v", "current_a", "mode", "ramp", "events")
_MOST_ROWS = 1_000_000
_MOST_SOC = 100.0
_HEAD = "# {"
"""With which the first line of a profile begins."""
_SEGMENT = re.compile(r"segments\[(\d+)\][.:] ?")


def to_csv(profile: LoadProfile) -> str:
    """One row a segment; what stands before the segments goes into a comment, as JSON."""
    values: dict[str, Any] = msgspec.to_builtins(profile)
    rows = values.pop("segments")
    out = io.StringIO()
    out.write(f"# {json.dumps({'format': FORMAT, 'version': VERSION, **values}, ensure_ascii=False)}\n")
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        events = json.dumps(row["events"], ensure_ascii=False) if row["events"] else ""
        writer.writerow({**row, "ramp": "yes" if row["ramp"] else "", "events": events})
    return out.getvalue()


def is_table(path: Path) -> bool:
    """Whether a file begins as :func:`to_csv` writes one; what cannot be read does not."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return file.read(len(_HEAD)) == _HEAD
    except OSError:
        return False


def from_csv(text: str) -> LoadProfile:
    """The profile in a CSV as :func:`to_csv` writes it; :class:`UsageError` names line, column and reason."""
    lines = text.splitlines()
    if not lines or not lines[0].startswith(_HEAD):
        raise UsageError("line 1: no comment with the profile's head; `hil profile import` reads other tables")
    try:
        head: dict[str, Any] = json_of(lines[0][2:])
    except UsageError as error:
        raise UsageError(f"line 1: no JSON: {error}") from error
    if "segments" in head:
        raise UsageError("line 1: segments: they are the rows of a CSV")
    reader = csv.DictReader(lines[1:])
    if tuple(reader.fieldnames or ()) != _COLUMNS:
        raise UsageError(f"line 2: columns {', '.join(reader.fieldnames or ())}; allowed are {', '.join(_COLUMNS)}")
    try:
        numbered = [(reader.line_num + 1, row) for row in reader]
        segments = [_segment(row, number) for number, row in numbered]
    except csv.Error as error:
        raise UsageError(f"line {reader.line_num + 2}: {error}") from error
    try:
        return loads(json.dumps({**head, "segments": segments}))
    except UsageError as error:
        at = _SEGMENT.match(str(error))
        line = numbered[int(at[1])][0] if at else 1
        raise UsageError(f"line {line}, {str(error)[at.end() if at else 0 :]}") from error


def _segment(row: Mapping[str | Any, str | Any], number: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if None in row:
        raise UsageError(f"line {number}: more than the {len(_COLUMNS)} columns")
    for name in _COLUMNS[:3]:
        values[name] = _number(row[name], f"line {number}, {name}")
    values["mode"] = row["mode"]
    if row["ramp"] not in ("", "yes", "no", None):
        raise UsageError(f"line {number}, ramp: {row['ramp']!r}; allowed are yes and no")
    values["ramp"] = row["ramp"] == "yes"
    if row["events"]:
        try:
            values["events"] = json_of(row["events"])
        except UsageError as error:
            raise UsageError(f"line {number}, events: no JSON: {error}") from error
    return values


def _number(text: str | None, place: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        raise UsageError(f"{place}: {text!r} is no number") from None
    if not isfinite(value):
        raise UsageError(f"{place}: {text} is no finite number")
    return value


# --- import -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Columns:
    """Which columns of a table hold what, and what one unit of them is in s, V, A and percent.

    ``voltage`` and ``soc`` may be missing: then the vehicle's maximum and 50 % are taken. ``ramp``
    draws straight lines between the rows; without it a row holds until the next.
    """

    time: str = "time"
    current: str = "current"
    voltage: str = ""
    soc: str = ""
    time_scale: float = 1.0
    current_scale: float = 1.0
    voltage_scale: float = 1.0
    soc_scale: float = 1.0
    ramp: bool = False


def columns_of(values: Mapping[str, Any]) -> Columns:
    """A mapping as a TOML file or a command line has it; :class:`UsageError` for unknown names."""
    known = {each.name for each in fields(Columns)}
    for name in values:
        if name not in known:
            raise UsageError(f"columns: no {name!r}; there are {', '.join(sorted(known))}")
    for name, value in values.items():
        if name.endswith("_scale") and not (isfinite(value) and value):
            raise UsageError(f"columns: {name} {value:g}; allowed is a finite number other than 0")
    return Columns(**values)


def import_table(path: Path, columns: Columns, *, vehicle: str, voltage: float) -> LoadProfile:
    """A profile from a table of time, current and perhaps voltage and SOC.

    ``voltage`` is demanded where the table has none. Negative currents (driving, braking) demand 0.
    Raises :class:`UsageError` naming line, column and reason.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    try:
        return _imported(text, columns, path.stem, vehicle, voltage)
    except (UsageError, csv.Error) as error:
        raise UsageError(f"{path}: {error}") from error


def _imported(text: str, columns: Columns, name: str, vehicle: str, voltage: float) -> LoadProfile:
    rows = list(_rows(text.lstrip(), columns, voltage))
    if len(rows) < 2:
        raise UsageError("fewer than two rows")
    segments: list[Segment] = []
    for (t0, volts, amperes, _), (t1, after_volts, after_amperes, _) in pairwise(rows):
        if t1 <= t0:
            raise UsageError(f"time {t1:g} s does not follow {t0:g} s")
        target = (after_volts, after_amperes) if columns.ramp else (volts, amperes)
        if columns.ramp and not segments:
            segments.append(_plain(0.001, volts, amperes, ramp=False))
        _append(segments, _plain(round(t1 - t0, 3), *target, ramp=columns.ramp and target != (volts, amperes)))
    soc = next((row[3] for row in rows if row[3] is not None), 50.0)
    return LoadProfile(name=name, note="Imported.", vehicle=vehicle, soc=soc, segments=tuple(segments))


def _plain(seconds: float, volts: float, amperes: float, *, ramp: bool) -> Segment:
    mode: Mode = "cc"
    return Segment(duration=max(seconds, 0.001), voltage=volts, current=amperes, mode=mode, ramp=ramp)


def _append(segments: list[Segment], segment: Segment) -> None:
    """Equal demands that hold become one segment."""
    last = segments[-1] if segments else None
    same = last is not None and (last.voltage, last.current) == (segment.voltage, segment.current)
    if last is not None and same and not segment.ramp and not last.ramp:
        segments[-1] = _plain(round(last.duration + segment.duration, 3), last.voltage, last.current, ramp=False)
    else:
        segments.append(segment)


_Row = tuple[float, float, float, float | None]


def _rows(text: str, columns: Columns, voltage: float) -> Iterable[_Row]:
    """Time, V, A and percent of each row."""
    reader = csv.DictReader(io.StringIO(text))
    names = reader.fieldnames or []
    for name in filter(None, (columns.time, columns.current, columns.voltage, columns.soc)):
        if name not in names:
            raise UsageError(f"no column {name!r}; there are {', '.join(names)}")
    for number, row in enumerate(reader, 2):
        if number > _MOST_ROWS:
            raise UsageError(f"more than {_MOST_ROWS} rows")
        place = f"line {number}"
        seconds = _number(row[columns.time], f"{place}, {columns.time}") * columns.time_scale
        amperes = max(_number(row[columns.current], f"{place}, {columns.current}") * columns.current_scale, 0.0)
        volts, soc = voltage, None
        if columns.voltage:
            volts = _number(row[columns.voltage], f"{place}, {columns.voltage}") * columns.voltage_scale
        if columns.soc:
            soc = _number(row[columns.soc], f"{place}, {columns.soc}") * columns.soc_scale
        _within(amperes, MOST_CURRENT, "A", f"{place}, {columns.current}")
        _within(volts, MOST_VOLTAGE, "V", f"{place}, {columns.voltage}")
        _within(soc or 0.0, _MOST_SOC, "percent", f"{place}, {columns.soc}")
        yield seconds, round(volts, 1), round(amperes, 1), soc


def _within(value: float, most: float, unit: str, place: str) -> None:
    if not 0 <= value <= most:
        raise UsageError(f"{place}: {value:g} {unit}; allowed is 0 .. {most:g} (is there a scale to be given?)")
