"""Reading a rig file. Nothing in it is guessed: what is not declared is refused, with its line."""

from __future__ import annotations

import hashlib
import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hil.codec.map_file import find_map
from hil.errors import MapError, RigError
from hil.resources import resource, rig_names
from hil.rig.fields import REQUIRED_TABLES, tables, tables_below
from hil.rig.rig import BenchSettings, Dut, Rig

_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?$")


def find_rig(name: str) -> Path:
    """The path of a rig given as a file or as the name of a shipped one.

    Raises :class:`RigError` naming near matches and the shipped rigs.
    """
    path = Path(name)
    if path.exists() and not path.is_dir():
        return path
    if path.name == name and path.stem in rig_names() and path.suffix in ("", ".toml"):
        return resource(f"rigs/{path.stem}.toml")
    if path.parts[:1] == ("rigs",) and len(path.parts) == 2 and path.stem in rig_names() and path.suffix == ".toml":
        return resource(f"rigs/{path.name}")
    near = get_close_matches(path.stem, rig_names(), n=3)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise RigError(f"no rig {name!r}: {hint}give the path of a rig file or one of {', '.join(rig_names())}")


def load_rig(path: Path) -> Rig:
    """The rig that a TOML file describes.

    Raises :class:`RigError` naming file, line (where it can be told), key, value and what is allowed.
    """
    try:
        data = path.read_bytes()
        text = data.decode("utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise RigError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise RigError(f"{path}: byte {error.start} is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise RigError(f"{path}: not TOML: {error}") from error
    found = _Checked(path, text).all(document)
    return _rig(found, path, hashlib.sha256(data).hexdigest())


def _rig(found: dict[str, dict[str, Any]], path: Path, sha256: str) -> Rig:
    top, readings = found[""], dict(found["readings"])
    preset = readings.pop("preset")
    try:
        dut = {**found["dut"], "map": _map(found["dut"]["map"], path)}
    except MapError as error:
        raise RigError(f"{path}: [dut] map: {error}") from error
    claims = {name: tuple(value) if isinstance(value, list) else value for name, value in found["dut.claims"].items()}
    return Rig(
        name=top["name"],
        description=top["description"],
        kind=top["kind"],
        dut=Dut(**dut, claims=MappingProxyType(claims)),
        edition=found["edition"]["gbt27930"],
        preset=preset,
        readings=MappingProxyType({name: choice for name, choice in readings.items() if choice is not None}),
        bench=BenchSettings(**found["bench"]),
        opt_in=tuple(found["judging"]["opt_in"]),
        path=path,
        sha256=sha256,
    )


def _map(name: str, rig: Path) -> str:
    """A register map that can be read, as a name or a path; raises :class:`MapError`."""
    beside = rig.parent / name
    name = str(beside) if name and beside.is_file() else name
    if name:
        find_map(name)
    return name


class _Checked:
    """Walks a document along the declaration."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()

    def all(self, document: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Every declared table with every declared key, given or by default."""
        return {name: self._table(name, self._lookup(document, name)) for name in tables()}

    def _lookup(self, document: dict[str, Any], name: str) -> dict[str, Any]:
        table: Any = document
        walked = ""
        for part in name.split(".") if name else ():
            given = part in table
            table = table.get(part, {})
            if not isinstance(table, dict):
                raise self._error(walked, part, f"= {_toml(table)}: allowed is a table, [{name}]")
            walked = f"{walked}.{part}" if walked else part
            if not given and walked in REQUIRED_TABLES:
                raise self._error("", "", f"[{walked}] is missing")
        return dict(table)

    def _table(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        fields = tables()[name]
        below = tables_below(name)
        for key in given:
            if key not in fields and key not in below:
                known = [*fields, *below]
                near = get_close_matches(key, known, n=1)
                hint = f"did you mean {near[0]}? " if near else ""
                raise self._error(name, key, f"is unknown; {hint}allowed are {', '.join(known)}")
        values: dict[str, Any] = {}
        for key, field in fields.items():
            if key in given:
                wrong = field.wrong(given[key])
                if wrong is not None:
                    raise self._error(name, key, f"= {_toml(given[key])}: {wrong}")
            elif field.required:
                raise self._error(name, key, f"is missing: {field.text}")
            values[key] = given.get(key, field.default)
        return values

    def _error(self, table: str, key: str, text: str) -> RigError:
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
        return begin


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(_toml(each) for each in value)}]"
    return str(value)
