"""The form of ``limits.toml``: what a file of limits must hold so that nothing in it contradicts itself."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec

from hil.conformance.register import register
from hil.errors import CatalogueError


class Windows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How early and how late a time-out may be reported, s."""

    source: str
    early: float
    late_1s: float
    late_5s: float
    late_10s: float
    next_period: float


class Periods(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Deviations of a period: parts of it, and s for those of 10 ms."""

    source: str
    relative: float
    relative_field: float
    fast_3ms: float
    fast_5ms: float


class Tails(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a message may go on: parts of its period, and s for those of 10 ms."""

    source: str
    relative: float
    fast: float


class Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A span by one reading, s; ``source`` where it is another than the row's."""

    high: float
    low: float = 0.0
    source: str = ""


class SpanRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named span, s; where ``reading`` has one of ``choices`` its range is taken."""

    high: float
    source: str
    low: float = 0.0
    reading: str | None = None
    choices: dict[str, Range] = {}


class QuantityRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A range of a measured quantity."""

    unit: str
    source: str
    low: float | None = None
    high: float | None = None


class LimitFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. ``timeouts`` and ``partners`` map names to s, and carry their ``source``."""

    windows: Windows
    periods: Periods
    tails: Tails
    timeouts: dict[str, float | str]
    partners: dict[str, float | str]
    spans: dict[str, SpanRow]
    quantities: dict[str, QuantityRow]


def read_limits(text: str, name: str = "limits.toml") -> LimitFile:
    """The limits of a file; whatever contradicts itself raises :class:`CatalogueError` naming file and entry."""
    try:
        document = msgspec.convert(tomllib.loads(text), LimitFile)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{name}: {error}") from error
    for table in ("windows", "periods", "tails"):
        for key, value in msgspec.structs.asdict(getattr(document, table)).items():
            if key != "source":
                _need(value > 0, name, f"{table}.{key}", f"{value} is not more than 0")
    for table in ("timeouts", "partners"):
        _check_times(name, table, getattr(document, table))
    for key, row in document.spans.items():
        _check_span(name, f"spans.{key}", row)
    for key, quantity in document.quantities.items():
        ends = [end for end in (quantity.low, quantity.high) if end is not None]
        _need(bool(ends) and ends == sorted(ends), name, f"quantities.{key}", f"{quantity.low} to {quantity.high}")
    return document


def _check_times(name: str, table: str, rows: Mapping[str, Any]) -> None:
    _need(isinstance(rows.get("source"), str), name, table, "it names no source")
    for key, value in rows.items():
        if key != "source":
            valid = not isinstance(value, str) and value > 0
            _need(valid, name, f"{table}.{key}", f"{value!r} is no time of more than 0 s")


def _check_span(name: str, entry: str, row: SpanRow) -> None:
    ranges: list[SpanRow | Range] = [row, *row.choices.values()]
    for each in ranges:
        _need(0 <= each.low <= each.high, name, entry, f"{each.low} to {each.high} s")
    if row.reading is None:
        _need(not row.choices, name, entry, "it has choices of no reading")
        return
    known = register().get(row.reading)
    if known is None:
        raise CatalogueError(f"{name}: {entry}: the register has no reading {row.reading!r}")
    for choice in row.choices:
        allowed = ", ".join(known.choices)
        _need(choice in known.choices, name, entry, f"{row.reading} has no choice {choice!r}; there are {allowed}")
    _need(bool(row.choices), name, entry, f"it has no choice of {row.reading}")


def _need(holds: bool, name: str, entry: str, why: str) -> None:
    if not holds:
        raise CatalogueError(f"{name}: {entry}: {why}")
