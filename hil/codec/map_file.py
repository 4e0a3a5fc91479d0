"""Reading a register map file. Nothing in it is guessed: what is not declared is refused, with its line."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hil.codec.map_checks import contradictions, share, span, toml, unreachable, writes
from hil.codec.map_fields import GROUP, ROLES, TABLES_OF_A_FILE, Table, register_keys
from hil.codec.register import FLOATS, INTEGERS, Register
from hil.codec.registers import (
    READS,
    Behaviour,
    Limits,
    RegisterMap,
    Roles,
    Watchdog,
    frozen,
)
from hil.errors import MapError

_FOLDER = Path(__file__).parent / "maps"
_HEADER = re.compile(r"\s*\[{1,2}\s*([^\[\]]+?)\s*\]{1,2}\s*(#.*)?$")


@cache
def map_names() -> tuple[str, ...]:
    """The maps that travel with the package."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@cache
def shipped_map(name: str) -> RegisterMap:
    """A map that travels with the package; :class:`MapError` with near matches for an unknown name."""
    if name not in map_names():
        near = get_close_matches(name, map_names(), n=3)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise MapError(f"no register map {name!r}: {hint}there are {', '.join(map_names())}")
    return load_map(_FOLDER / f"{name}.toml")


def find_map(name: str) -> RegisterMap:
    """A map given as a file or as the name of a shipped one."""
    path = Path(name)
    return load_map(path) if path.is_file() else shipped_map(name)


def load_map(path: Path) -> RegisterMap:
    """The map that a TOML file describes.

    Raises :class:`MapError` with one line for everything that is wrong, naming file, line (where it can
    be told), register, key, value and what is allowed.
    """
    try:
        text = path.read_bytes().decode("utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise MapError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise MapError(f"{path}: byte {error.start} is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise MapError(f"{path}: not TOML: {error}") from error
    reading = _Reading(path, text)
    found = reading.map(document)
    if reading.problems:
        raise MapError("\n".join(reading.problems))
    assert found is not None, "without a problem there is a map"
    return found


class _Lines:
    """Where things stand in a file, for the usual ways to write them."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._registers = list(self._entries())

    def _entries(self) -> Iterator[int]:
        """The line of every register: of its header, or of its inline table."""
        inside = False
        for number, line in enumerate(self._lines, 1):
            header = _HEADER.match(line)
            if header:
                inside = False
                if header[1] == "registers":
                    yield number
            elif re.match(r"\s*registers\s*=\s*\[", line):
                inside = True
            elif inside and re.match(r"\s*\{", line):
                yield number

    def of_register(self, index: int, key: str = "") -> int | None:
        """Of a register, or of its key where that has a line of its own."""
        if index >= len(self._registers):
            return None
        start = self._registers[index]
        if key and _HEADER.match(self._lines[start - 1]):
            return self._below(start, key) or start
        return start

    def of(self, table: str, key: str) -> int | None:
        """Of a key, else of its table; None for forms that this search does not know."""
        for number, line in enumerate(self._lines, 1):
            header = _HEADER.match(line)
            if header and header[1] in (f"{table}.{key}".strip("."), table):
                exact = header[1] != table or not key
                return number if exact else self._below(number, key) or number
        return self._below(0, key) if not table else None

    def _below(self, number: int, key: str) -> int | None:
        wanted = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
        for at, line in enumerate(self._lines[number:], number + 1):
            if _HEADER.match(line):
                return None
            if wanted.match(line):
                return at
        return None


class _Reading:
    """Walks a document along the declaration and gathers what is wrong."""

    def __init__(self, path: Path, text: str) -> None:
        self.problems: list[str] = []
        self._path = path
        self._lines = _Lines(text)

    def map(self, document: dict[str, Any]) -> RegisterMap | None:
        """The map, when nothing is wrong."""
        beside = ("groups", "registers", *filter(None, TABLES_OF_A_FILE))
        top = {key: value for key, value in document.items() if key not in beside}
        found = {"": self._table("", TABLES_OF_A_FILE[""], top, beside)}
        for name in filter(None, TABLES_OF_A_FILE):
            if name != "watchdog" or name in document:
                found[name] = self._table(name, TABLES_OF_A_FILE[name], self._is_table(name, document.get(name, {})))
        groups = {
            name: self._group(name, given)
            for name, given in self._is_table("groups", document.get("groups", {})).items()
        }
        given = document.get("registers", [])
        if not isinstance(given, list) or not all(isinstance(each, dict) for each in given) or not given:
            wrong = "allowed is a list of tables, one a register" if "registers" in document else "there are none"
            self._problem(self._lines.of("", "registers"), f"registers: {wrong}; each begins with [[registers]]")
            return None
        keys = register_keys(top.get("base"))
        entries = [self._register(index, each, keys) for index, each in enumerate(given)]
        if self.problems:
            return None
        functions = {table: tuple(codes) for table, codes in found["functions"].items() if codes}
        self._check_functions(functions)
        registers = self._expand(entries, groups, found[""])
        self._check_registers(registers, functions, Limits(**found["limits"]), found[""]["base"])
        names = {register.name for _, register in registers}
        self._check_watchdog(found.get("watchdog"), names)
        self._check_roles(found["roles"], names)
        return self._map(found, functions, groups, registers)

    def _map(
        self,
        found: dict[str, dict[str, Any]],
        functions: Mapping[str, tuple[int, ...]],
        groups: Mapping[str, dict[str, Any]],
        registers: list[tuple[int, Register]],
    ) -> RegisterMap:
        top = found[""]
        watchdog = found.get("watchdog")
        return RegisterMap(
            name=top["name"],
            title=top["title"],
            kind=top["kind"],
            source=top["source"],
            confidence=top["confidence"],
            base=top["base"],
            unit_id=top["unit"],
            transports=tuple(top["transports"]),
            serial=top["serial"],
            quirks=tuple(top["quirks"]),
            registers=frozen(register for _, register in registers),
            functions=MappingProxyType(dict(functions)),
            limits=Limits(**found["limits"]),
            behaviour=Behaviour(**found["behaviour"]),
            watchdog=None if watchdog is None else Watchdog(**(watchdog | {"by": tuple(watchdog["by"])})),
            roles=_roles(found["roles"]),
            groups=MappingProxyType({name: len(group["units"] or group["offsets"]) for name, group in groups.items()}),
        )

    # --- tables -----------------------------------------------------------------------------------

    def _is_table(self, name: str, given: Any) -> dict[str, Any]:
        if isinstance(given, dict):
            return given
        owner, _, key = name.rpartition(".")
        self._problem(self._lines.of(owner, key), f"{name} = {toml(given)}: allowed is a table, [{name}]")
        return {}

    def _table(self, name: str, keys: Table, given: dict[str, Any], beside: tuple[str, ...] = ()) -> dict[str, Any]:
        section = f"[{name}] " if name else ""
        for key, text in _faults(keys, given, beside):
            self._problem(self._lines.of(name, key), f"{section}{text}")
        return {key: given.get(key, declared.default) for key, declared in keys.items()}

    def _group(self, name: str, given: Any) -> dict[str, Any]:
        table = f"groups.{name}"
        found = self._table(table, GROUP, self._is_table(table, given))
        if isinstance(given, dict) and bool(found["units"]) == bool(found["offsets"]):
            self._problem(self._lines.of(table, ""), f"[{table}] allowed is either units or offsets, one a member")
        return found

    def _register(self, index: int, given: dict[str, Any], keys: Table) -> dict[str, Any]:
        name = given.get("name", f"number {index + 1}")
        before = len(self.problems)
        for key, text in _faults(keys, given, ()):
            self._problem(self._lines.of_register(index, key), f"register {name}: {text}")
        found = {key: given.get(key, declared.default) for key, declared in keys.items()}
        if len(self.problems) == before:
            for key, text in contradictions(found):
                self._problem(self._lines.of_register(index, key), f"register {name}: {text}")
        return found

    # --- the whole --------------------------------------------------------------------------------

    def _expand(
        self, entries: list[dict[str, Any]], groups: Mapping[str, dict[str, Any]], top: dict[str, Any]
    ) -> list[tuple[int, Register]]:
        """Every register with the index of its entry; those of groups once a member."""
        registers = []
        for index, entry in enumerate(entries):
            group = groups.get(entry["group"])
            if entry["group"] and group is None:
                known = ", ".join(groups) or "no groups"
                text = f"register {entry['name']}: group = {toml(entry['group'])}: there are {known}"
                self._problem(self._lines.of_register(index, "group"), text)
            elif group is None:
                registers.append((index, _made(entry, top, entry["name"], top["unit"], 0)))
            else:
                members = group["units"] or group["offsets"]
                for number, member in enumerate(members, 1):
                    name = f"{entry['group']}{number}.{entry['name']}"
                    unit, offset = (member, 0) if group["units"] else (top["unit"], member)
                    registers.append((index, _made(entry, top, name, unit, offset)))
        return registers

    def _check_functions(self, functions: Mapping[str, tuple[int, ...]]) -> None:
        owners: dict[int, str] = {}
        for table, codes in functions.items():
            allowed = {*READS[table], *writes(table)}
            for code in codes:
                if code not in allowed:
                    known = ", ".join(map(str, sorted(allowed)))
                    text = f"[functions] {table} has {code}: allowed are {known}"
                    self._problem(self._lines.of("functions", table), text)
                elif code in owners:
                    text = f"[functions] {table} has {code}, which is a function of {owners[code]} already"
                    self._problem(self._lines.of("functions", table), text)
                owners[code] = table

    def _check_registers(
        self,
        registers: list[tuple[int, Register]],
        functions: Mapping[str, tuple[int, ...]],
        limits: Limits,
        base: int,
    ) -> None:
        names = Counter(register.name for _, register in registers)
        places: dict[tuple[int, str], list[tuple[int, Register]]] = {}
        for index, register in registers:
            for key, text in unreachable(register, functions.get(register.table, ()), limits, base):
                self._problem(self._lines.of_register(index, key), f"register {register.name}: {text}")
            if names[register.name] > 1:
                names[register.name] = 0
                text = f"register {register.name}: there are several of this name"
                self._problem(self._lines.of_register(index, "name"), text)
            places.setdefault((register.unit_id, register.table), []).append((index, register))
        for found in places.values():
            found.sort(key=lambda each: (each[1].address, each[1].end))
            for (_, first), (index, second) in pairwise(found):
                if second.address < first.end and not share(first, second):
                    text = f"register {second.name}: address {second.address} lies in {first.name}, {span(first)}"
                    self._problem(self._lines.of_register(index, "address"), text)

    def _check_watchdog(self, watchdog: dict[str, Any] | None, names: set[str]) -> None:
        if watchdog is None:
            return
        named = [*((("by"), each) for each in watchdog["by"]), ("fallback", watchdog["fallback"])]
        if isinstance(watchdog["timeout"], str):
            named.append(("timeout", watchdog["timeout"]))
        last_parts = {name.rpartition(".")[2] for name in names}
        for key, name in named:
            if name and name not in names | last_parts:
                near = get_close_matches(name, names | last_parts, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                self._problem(self._lines.of("watchdog", key), f"[watchdog] {key} = {toml(name)}: no register{hint}")

    def _check_roles(self, roles: Mapping[str, Any], names: set[str]) -> None:
        for key, given in roles.items():
            if ROLES[key].form not in ("text", "texts"):
                continue
            for name in filter(None, [given] if isinstance(given, str) else given):
                if name not in names:
                    near = get_close_matches(name, names, n=1)
                    hint = f"; did you mean {near[0]}?" if near else ""
                    self._problem(self._lines.of("roles", key), f"[roles] {key} has {toml(name)}: no register{hint}")
        for key, of in (("states", "state"), ("alarm_bits", "alarms")):
            if roles[key] and not roles[of]:
                self._problem(self._lines.of("roles", key), f"[roles] {key} without {of}: it tells what {of} means")

    def _problem(self, line: int | None, text: str) -> None:
        place = str(self._path) if line is None else f"{self._path}, line {line}"
        self.problems.append(f"{place}: {text}")


def _roles(given: Mapping[str, Any]) -> Roles:
    taken = {**given, "voltage": tuple(given["voltage"]), "current": tuple(given["current"])}
    taken["states"] = MappingProxyType({text: tuple(states) for text, states in given["states"].items()})
    taken["alarm_bits"] = MappingProxyType(dict(given["alarm_bits"]))
    return Roles(**taken)


def _faults(keys: Table, given: Mapping[str, Any], beside: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Key and text of everything that a table says wrongly or leaves out."""
    for key in given:
        if key not in keys:
            near = get_close_matches(key, [*keys, *beside], n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            yield key, f"{key} is unknown; {hint}allowed are {', '.join((*keys, *beside))}"
    for key, declared in keys.items():
        if key not in given:
            if declared.required:
                yield key, f"{key} is missing: {declared.text.rstrip('.')}; allowed is {declared.told}"
        elif (wrong := declared.wrong(given[key])) is not None:
            yield key, f"{key} = {toml(given[key])}: {wrong}"


def _made(entry: Mapping[str, Any], top: Mapping[str, Any], name: str, unit: int, offset: int) -> Register:
    kind = entry["type"]
    own = INTEGERS[kind][0] if kind in INTEGERS else FLOATS[kind][0] if kind in FLOATS else 1
    return Register(
        name=name,
        table=entry["table"],
        address=entry["address"] - top["base"] + offset,
        type=kind,
        unit_id=unit,
        size=entry["size"] or own,
        text=entry["text"],
        scale=Fraction(entry["scale"]),
        unit=entry["unit"],
        access=entry["access"],
        low=entry["low"],
        high=entry["high"],
        also=tuple(entry["also"]),
        choices=MappingProxyType({int(key, 0): text for key, text in entry["choices"].items()}),
        flags=MappingProxyType({int(key, 0): text for key, text in entry["flags"].items()}),
        absent=tuple(entry["absent"]),
        mask=entry["mask"],
        word_order=entry["word_order"] or top["word_order"],
        byte_order=entry["byte_order"] or top["byte_order"],
        quirk=entry["quirk"],
        source=entry["source"],
    )
