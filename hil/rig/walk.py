"""Walking a rig file along its declaration; what is wrong is told with file, line, key and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hil.codec.map_checks import toml
from hil.errors import RigError
from hil.rig.combinations import Found
from hil.rig.field import Field, Named, Table
from hil.rig.fields import NAMED, OPTIONAL_TABLES, REQUIRED_TABLES, tables, tables_below
from hil.rig.live_fields import INTERLOCK

_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?$")


class Walk:
    """Over one file."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()

    def all(self, document: dict[str, Any]) -> tuple[Found, Found]:
        """Every declared table with every declared key, given or by default; and the tables as the file has them.

        Raises :class:`RigError` for the first thing that is wrong.
        """
        self._known("", document, [*tables()[""], *tables_below("")])  # first: a table that is missing may be misspelt
        given = {name: self._lookup(document, name) for name in (*tables(), *NAMED)}
        found = {name: self._table(name, given[name], _more(name, given)) for name in tables()}
        return found | {name: self._named(name, each, given[name]) for name, each in NAMED.items()}, given

    def _named(self, place: str, named: Named, given: dict[str, Any]) -> dict[str, Any]:
        """Tables whose names are the user's, each with every key."""
        found = {}
        names = named.names() if named.names is not None else None
        for name, table in given.items():
            if names is not None and name not in names:
                raise self._unknown(place, name, names)
            if not isinstance(table, dict):
                raise self.error(place, name, f"= {toml(table)}: allowed is a table, [{place}.{name}]")
            found[name] = self._one(f"{place}.{name}", named, table)
        return found

    def _one(self, place: str, named: Named, table: dict[str, Any]) -> dict[str, Any]:
        chosen: dict[str, Any] = {}
        fields = named.variants.get("", {})
        if named.by:
            chosen = self._fields(place, {named.by: named.chooses}, table)
            fields = named.variants[chosen[named.by]]
        self._known(place, table, [*chosen, *fields, *named.below])
        below = {}
        for key, each in named.below.items():
            inner = table.get(key, {})
            if not isinstance(inner, dict):
                raise self.error(place, key, f"= {toml(inner)}: allowed is a table, [{place}.{key}]")
            below[key] = self._named(f"{place}.{key}", each, inner)
        return chosen | self._fields(place, fields, table) | below

    def _lookup(self, document: dict[str, Any], name: str) -> dict[str, Any]:
        table: Any = document
        walked = ""
        for part in name.split(".") if name else ():
            given = part in table
            table = table.get(part, {})
            if not isinstance(table, dict):
                raise self.error(walked, part, f"= {toml(table)}: allowed is a table, [{name}]")
            walked = f"{walked}.{part}" if walked else part
            if not given and walked in REQUIRED_TABLES:
                there = [f"[{key}]" for key, each in document.items() if isinstance(each, dict)]
                has = f"the file has {', '.join(there) or 'no table'}"
                keys = [key for key, field in tables()[walked].items() if field.required]
                raise self.error("", "", f"[{walked}] is missing, a table with {', '.join(keys)}; {has}")
        return dict(table)

    def _table(self, name: str, given: dict[str, Any], more: Table) -> dict[str, Any]:
        fields = {**tables()[name], **more}
        self._known(name, given, [*fields, *tables_below(name)])
        if name in OPTIONAL_TABLES and not given:
            return dict.fromkeys(fields)
        return self._fields(name, fields, given)

    def _fields(self, name: str, fields: Table, given: dict[str, Any]) -> dict[str, Any]:
        return {key: self._value(name, key, field, given) for key, field in fields.items()}

    def _value(self, name: str, key: str, field: Field, given: dict[str, Any]) -> Any:
        if key in given:
            wrong = field.wrong(given[key])
            if wrong is not None:
                raise self.error(name, key, f"= {toml(given[key])}: {wrong}")
        elif field.required:
            raise self.error(name, key, f"is missing: {field.text}")
        return given.get(key, field.default)

    def _known(self, name: str, given: dict[str, Any], known: Sequence[str]) -> None:
        for key in given:
            if key not in known:
                raise self._unknown(name, key, known)

    def _unknown(self, name: str, key: str, known: Sequence[str]) -> RigError:
        near = get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        return self.error(name, key, f"is unknown; {hint}allowed are {', '.join(known)}")

    def error(self, table: str, key: str, text: str) -> RigError:
        """The error that tells what is wrong at a key of a table, or at a table as a whole."""
        line = self._line(table, key)
        place = str(self._path) if line is None else f"{self._path}, line {line}"
        section = f"[{table}] " if table else ""
        return RigError(f"{place}: {section}{f'{key} ' if key else ''}{text}")

    def _line(self, table: str, key: str) -> int | None:
        """Where a key stands, else where its table begins; None for forms that this search does not know."""
        begin: int | None = None
        section = ""
        wanted = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=") if key else None
        for number, line in enumerate(self._lines, 1):
            header = _HEADER.match(line)
            if header:
                section = header[1]
                # A misspelt table is reported as an unknown key of the table around it.
                if key and section == (f"{table}.{key}" if table else key):
                    return number
                begin = number if section == table else begin
            elif section == table and wanted is not None and wanted.match(line):
                return number
        if begin is None and table:
            # A table within one line stands there as a key of the table around it.
            outer, _, last = table.rpartition(".")
            return self._line(outer, last)
        return begin


def _more(name: str, given: dict[str, Any]) -> Table:
    """Keys of a table that the file itself declares elsewhere: interlocks may be bound as signals are."""
    interlocks = given["envelope"].get("interlocks", []) if name == "signals" else []
    named = interlocks if isinstance(interlocks, list) else []
    return {each: INTERLOCK for each in named if isinstance(each, str) and each not in tables()[name]}
