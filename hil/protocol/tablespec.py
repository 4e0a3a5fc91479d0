"""What machines of tables are made of, and how it is edited: each edit gives a changed copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Self

from hil.errors import UsageError
from hil.protocol.table import Row, State
from hil.units import Span


@dataclass(frozen=True)
class TableSpec:
    """A device whose controller runs a table; subclasses give these fields their values, and add their own."""

    spans: Mapping[str, Span]
    """Periods, time-outs and habits by name."""
    states: Mapping[str, State]
    rows: tuple[Row, ...]

    def but(self, **fields: Any) -> Self:
        """The same with other fields."""
        return replace(self, **fields)

    def timing(self, **spans: Span) -> Self:
        """The same with other spans, ``_`` in names for ``-``; an unknown one raises :class:`UsageError`."""
        named = {name if name in self.spans else name.replace("_", "-"): span for name, span in spans.items()}
        for name in named:
            if name not in self.spans:
                raise UsageError(f"no span {name!r}; there are {', '.join(sorted(self.spans))}")
        return replace(self, spans=MappingProxyType({**self.spans, **named}))

    def stating(self, name: str, **fields: Any) -> Self:
        """The same with one state edited."""
        return replace(self, states=MappingProxyType({**self.states, name: self.states[name]._replace(**fields)}))

    def without_rows(self, *, state: str = "", trigger: str = "", target: str = "", guard: str = "") -> Self:
        """The same without the rows that match everything given; no match raises :class:`UsageError`.

        A row of several states stays for those that were not named.
        """
        rows: list[Row] = []
        for row in self.rows:
            hit = (
                (not state or state in row.states)
                and (not trigger or row.trigger == trigger)
                and (not target or row.target == target)
                and (not guard or row.guard == guard)
            )
            rest = tuple(name for name in row.states if name != state) if hit and state else ()
            if not hit:
                rows.append(row)
            elif rest:
                rows.append(row._replace(states=rest))
        if tuple(rows) == self.rows:
            raise UsageError(f"no row has state {state!r}, trigger {trigger!r}, target {target!r} and guard {guard!r}")
        return replace(self, rows=tuple(rows))

    def with_row(
        self, states: str | tuple[str, ...], trigger: str, target: str = "", guard: str = "", do: tuple[str, ...] = ()
    ) -> Self:
        """The same with a row that is tried before all others."""
        names = (states,) if isinstance(states, str) else states
        return replace(self, rows=(Row(names, trigger, target, guard, do), *self.rows))
