"""The monitors as data (``monitors.toml``): what each requires, its source, basis and limits."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import msgspec

from hil.conformance.catalogue import BASES, partner, timeout
from hil.conformance.register import register
from hil.errors import CatalogueError
from hil.units import Span, s

_SHEET = "gbt27930.md"
_ADVISORY = ("DER", "K")
_CLASSES = (("T8", s(1)), ("T1", s(5)), ("T11", s(10)))
"""A charger's time-out of each class, with its nominal span: windows are the same for both sides."""


class Monitor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One requirement that a passive monitor judges."""

    id: str
    title: str
    source: str
    basis: str
    reading: str | None = None
    """Register entry that its judgement depends on."""

    @property
    def advisory(self) -> bool:
        """Derived or general knowledge: reported, never failing."""
        return self.basis in _ADVISORY


class Timeout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of sheet 4.3. Names in the lists are those under which a session knows messages."""

    name: str
    side: str
    field: str
    spn: int
    awaited: str
    states: tuple[str, ...]
    references: tuple[str, ...]
    absent: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    limit: str = ""
    nominal: float | None = None
    nominal_2011: float | None = None

    @property
    def label(self) -> str:
        """The name in the sheet."""
        return self.limit or self.name

    @property
    def report(self) -> str:
        """The message that reports it."""
        return "CEM" if self.side == "charger" else "BEM"

    @property
    def awaits(self) -> frozenset[str]:
        """Messages whose coming or staying away this is about."""
        lasts = (name.split(" ")[1] for name in self.references if name.startswith("last "))
        return frozenset(name[:3] for name in (*self.absent, *lasts))

    def window(self, edition: str, readings: Mapping[str, str]) -> tuple[Span, Span]:
        """Earliest and latest span from the reference to the report (sheet 5.2, 5.7)."""
        nominal = self._nominal(edition)
        if nominal is None:
            limit = timeout(self.label).under(readings)
            return limit.low, limit.high
        name, class_nominal = next((row for row in _CLASSES if nominal <= row[1]), _CLASSES[-1])
        limit = timeout(name).under(readings)
        return nominal + limit.low - class_nominal, nominal + limit.high - class_nominal

    def _nominal(self, edition: str) -> Span | None:
        if edition == "2011" and self.nominal_2011 is not None:
            return s(self.nominal_2011)
        if self.nominal is not None:
            return s(self.nominal)
        return None if self.side == "charger" else partner(self.label).high


class Follow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message that must come within its partner's time-out (sheet 5.7, all DP)."""

    message: str
    side: str
    after: tuple[str, ...]
    limit: str
    states: tuple[str, ...]
    """What the side sends until then; in another state nothing is awaited."""


class _Declared(msgspec.Struct, frozen=True):
    monitors: Mapping[str, Monitor]
    timeouts: tuple[Timeout, ...]
    follows: tuple[Follow, ...]


@cache
def declared() -> _Declared:
    """All of ``monitors.toml``; what contradicts itself raises :class:`CatalogueError`."""
    document = tomllib.loads(files("hil.conformance.monitors").joinpath("monitors.toml").read_text("utf-8"))
    try:
        timeouts = msgspec.convert(document["timeout"], tuple[Timeout, ...])
        follows = msgspec.convert(document["follow"], tuple[Follow, ...])
        rows = [row for entry in document["monitor"] for row in _expand(entry)]
        rows += [_timeout_row(each) for each in timeouts]
        rows += [_follow_row(each) for each in follows]
        monitors = {row["id"]: _monitor(row) for row in rows}
    except (msgspec.ValidationError, KeyError) as error:
        raise CatalogueError(f"monitors.toml: {error}") from error
    return _Declared(MappingProxyType(monitors), timeouts, follows)


def monitors() -> Mapping[str, Monitor]:
    """Every monitor by id, in the order of the file: for docs and lists."""
    return declared().monitors


def _expand(entry: dict[str, Any]) -> list[dict[str, Any]]:
    messages = entry.pop("messages", None)
    if messages is None:
        return [entry]
    return [
        {key: value.replace("{message}", name) if isinstance(value, str) else value for key, value in entry.items()}
        for name in messages
    ]


def _timeout_row(row: Timeout) -> dict[str, Any]:
    title = f"{row.report} {row.spn} reports in time that {row.awaited} stayed away, and only then"
    return {
        "id": f"MON/TIMEOUT.{row.label}",
        "title": title,
        "source": "4.3, 5.2, 5.7",
        "basis": "S2",
        "reading": "timeout-window",
    }


def _follow_row(row: Follow) -> dict[str, Any]:
    title = f"{row.message} follows {' and '.join(row.after)} before the partner's {row.limit} runs out"
    return {"id": f"MON/FOLLOW.{row.message}", "title": title, "source": "4.3, 5.7 (all DP)", "basis": "S2"}


def _monitor(row: dict[str, Any]) -> Monitor:
    monitor = msgspec.convert({**row, "source": f"{_SHEET} {row['source']}"}, Monitor)
    if monitor.basis not in BASES:
        raise CatalogueError(f"monitors.toml, {monitor.id}: basis {monitor.basis!r}; there are {', '.join(BASES)}")
    if monitor.reading is not None and monitor.reading not in register():
        raise CatalogueError(f"monitors.toml, {monitor.id}: the register has no reading {monitor.reading!r}")
    return monitor
