"""Reading a rig file. Nothing in it is guessed: what is not declared is refused, with its line."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hil.codec.map_checks import toml
from hil.codec.map_file import find_map
from hil.errors import MapError, RigError
from hil.resources import resource, rig_names
from hil.rig.combinations import Found, contradictions
from hil.rig.fields import tables
from hil.rig.instruments import InstrumentClaim, Uncertainty, register_of
from hil.rig.ports import (
    CLOCKS,
    CanPortSettings,
    DutProcessSettings,
    PortSettings,
    SerialPortSettings,
    SignalsPortSettings,
    TcpPortSettings,
    clock_of,
)
from hil.rig.rig import BenchSettings, Dut, Rig
from hil.rig.walk import Walk
from hil.safety.envelope import Envelope
from hil.units import s

_WANTED = "the path of a rig file or one of {}"
_FEW = 5


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
    if path.is_dir():
        raise RigError(f"rig {name!r} is a folder{_rigs_in(path)}: give {_WANTED.format(', '.join(rig_names()))}")
    near = get_close_matches(path.stem, rig_names(), n=3)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise RigError(f"no rig {name!r}: {hint}give {_WANTED.format(', '.join(rig_names()))}")


def _rigs_in(folder: Path) -> str:
    """The few files of a folder that may be meant."""
    found = sorted(str(each) for each in folder.glob("*.toml"))[:_FEW]
    return f" with {', '.join(found)}" if found else ""


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
    walk = Walk(path, text)
    found, given = walk.all(document)
    for each in contradictions(found, given, path):
        raise walk.error(each.table, each.key, each.text)
    return _rig(found, path, _Named(path, walk, {str(path): data}))


@dataclass(frozen=True)
class _Named:
    """What a rig file names beside itself, gathered while it is read."""

    path: Path
    walk: Walk
    files: dict[str, bytes]

    def map(self, name: str, table: str) -> str:
        """A register map that can be read, as a name or a path; raises :class:`RigError`."""
        beside = self.path.parent / name
        taken = str(beside) if name and beside.is_file() else name
        try:
            if taken:
                find_map(taken)
            if taken and Path(taken).is_file():
                self.files[taken] = Path(taken).read_bytes()
        except (MapError, OSError) as error:
            raise self.walk.error(table, "map", f"= {toml(name)}: {error}") from error
        return taken

    def instrument(self, name: str, values: dict[str, Any]) -> InstrumentClaim:
        """One table ``[instruments.NAME]``; raises :class:`RigError`."""
        table = f"instruments.{name}"
        measures = {quantity: Uncertainty(**parts) for quantity, parts in values["measures"].items()}
        address = values["address"]
        if values["kind"] == "modbus" and address != "":
            address = int(address)
        found = {
            **values,
            "measures": measures,
            "map": self.map(values["map"], table),
            "address": None if address == "" else address,
            "poll": s(values["poll"]),
        }
        try:
            claim = InstrumentClaim(name, **found)
            for quantity in measures if claim.map else ():
                register_of(claim, find_map(claim.map), quantity)
            return claim
        except RigError as error:
            said = str(error).removeprefix(f"[{table}] ")
            key, _, rest = said.partition(" ")
            raise (self.walk.error(table, key, rest) if key in values else self.walk.error(table, "", said)) from error


def _rig(found: Found, path: Path, named: _Named) -> Rig:
    top, readings = found[""], dict(found["readings"])
    preset = readings.pop("preset")
    dut = {**found["dut"], "map": named.map(found["dut"]["map"], "dut")}
    live = top["kind"] != "virtual"
    roles = _given(found["roles"])
    return Rig(
        name=top["name"],
        description=top["description"],
        kind=top["kind"],
        dut=Dut(**dut, claims={name: _frozen(value) for name, value in found["dut.claims"].items()}),
        edition=found["edition"]["gbt27930"],
        preset=preset,
        readings=_given(readings),
        bench=BenchSettings(**found["bench"]),
        opt_in=tuple(found["judging"]["opt_in"]),
        path=path,
        sha256=hashlib.sha256(named.files[str(path)]).hexdigest(),
        ports={name: _port(name, values) for name, values in found["ports"].items()},
        roles=roles,
        signals={name: on for name, on in _given(found["signals"]).items() if name in tables()["signals"]},
        interlocks={name: on for name, on in _given(found["signals"]).items() if name not in tables()["signals"]},
        plant=found["plant"]["source"] or ("hardware" if live and "signals" not in roles else "model"),
        instruments={name: named.instrument(name, values) for name, values in found["instruments"].items()},
        envelope=_envelope(found["envelope"]),
        process=_process(found["dut.process"], path),
        capabilities={name.replace("_", "-"): value for name, value in _given(found["capabilities"]).items()},
        files=dict(named.files),
    )


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_PORTS: dict[str, type[PortSettings]] = {
    each.type: each for each in (CanPortSettings, SerialPortSettings, TcpPortSettings, SignalsPortSettings)
}


def _port(name: str, values: dict[str, Any]) -> PortSettings:
    clock = values["clock"] or clock_of(values.get("interface", ""))
    declared = values["uncertainty"]
    rest = {key: value for key, value in values.items() if key not in ("type", "clock", "uncertainty")}
    uncertainty = CLOCKS[clock] if declared is None else s(declared)
    return _PORTS[values["type"]](name=name, **rest, clock=clock, uncertainty=uncertainty)


def _envelope(values: dict[str, Any]) -> Envelope | None:
    if values["max_voltage"] is None:
        return None
    return Envelope(**{name: _frozen(value) for name, value in values.items()})


def _process(values: dict[str, Any], path: Path) -> DutProcessSettings | None:
    if values["command"] is None:
        return None
    return DutProcessSettings(
        command=tuple(values["command"]),
        folder=str((path.parent / values["folder"]).resolve()),
        environment=dict(values["environment"]),
        ready=values["ready"],
        ready_within=s(values["ready_within"]),
        alive=values["alive"],
        alive_within=s(values["alive_within"]),
        stop_within=s(values["stop_within"]),
    )
