"""Contradictions of a rig file whose keys are right one by one: what cannot be together, what needs each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from hil.rig.fields import tables
from hil.rig.roles import ROLES

Found = dict[str, dict[str, Any]]
LIVE_ONLY = ("ports", "roles", "signals", "plant", "dut.process", "capabilities")
"""Tables that a virtual rig must not have."""
_INSTRUMENT_PORTS = {"modbus": ("tcp", "serial"), "dlt645": ("serial",), "scpi": ("tcp", "serial")}
_TINY = 0.01


class Contradiction(NamedTuple):
    """What is wrong, at which key of which table."""

    table: str
    key: str
    text: str


def contradictions(found: Found, given: Found, path: Path) -> Iterator[Contradiction]:
    """Everything that does not go together. ``found`` has every key, ``given`` those of the file only."""
    if found[""]["kind"] == "virtual":
        yield from _virtual(given)
    else:
        yield from _ports(found["ports"])
        yield from _roles(found)
        yield from _plant(found)
        yield from _process(given, found["dut.process"], path)
    yield from _instruments(found)
    yield from _envelope(given.get("envelope", {}), given.get("signals", {}))


def _virtual(given: Found) -> Iterator[Contradiction]:
    for table in LIVE_ONLY:
        if given.get(table):
            yield Contradiction(table, "", 'is for rigs of kind = "live" only; a virtual one makes all that itself')


def _ports(ports: dict[str, dict[str, Any]]) -> Iterator[Contradiction]:
    if not ports:
        yield Contradiction("", "", "[ports.NAME] is missing: a live rig names the ports of this machine that it uses")
    places: dict[object, str] = {}
    for name, port in ports.items():
        table = f"ports.{name}"
        if port["type"] == "can":
            yield from _interface(table, port["interface"])
        if port["type"] == "signals":
            number = re.fullmatch(r"(?:tcp|udp)://.*:(\d+)", port["url"])
            if number and not 1 <= int(number[1]) <= 65535:
                yield Contradiction(table, "url", f'= "{port["url"]}": allowed is a port from 1 to 65535')
        place = port.get("url") or (port.get("interface"), port.get("channel"), port.get("host"), port.get("port"))
        if place in places:
            yield Contradiction(table, "", f"is the same port as [ports.{places[place]}]; one table a port")
        places[place] = name


def _interface(table: str, interface: str) -> Iterator[Contradiction]:
    from can import VALID_INTERFACES  # takes long to import; only rigs with a CAN port need it

    if interface not in VALID_INTERFACES:
        near = get_close_matches(interface, VALID_INTERFACES, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        known = ", ".join(sorted(VALID_INTERFACES))
        yield Contradiction(table, "interface", f'= "{interface}": {hint}python-can here has {known}')


def _roles(found: Found) -> Iterator[Contradiction]:
    ports = found["ports"]
    taken = {role: port for role, port in found["roles"].items() if port is not None}
    if not taken:
        yield Contradiction("roles", "", f"[roles] is missing or empty: it gives a port to one of {', '.join(ROLES)}")
    for role, port in taken.items():
        types = ROLES[role].types
        fitting = [name for name, each in ports.items() if each["type"] in types]
        allowed = f"allowed is a port of type {' or '.join(types)}: {', '.join(fitting) or 'there is none'}"
        if port not in ports:
            yield Contradiction("roles", role, f'= "{port}": there is no [ports.{port}]; {allowed}')
        elif port not in fitting:
            yield Contradiction("roles", role, f'= "{port}": it is of type {ports[port]["type"]}; {allowed}')


def _plant(found: Found) -> Iterator[Contradiction]:
    roles, renamed = found["roles"], {name: on for name, on in found["signals"].items() if on is not None}
    hardware = found["plant"]["source"] == "hardware" or roles["signals"] is None
    if renamed and roles["signals"] is None:
        yield Contradiction("signals", "", "names signals on a signals port, and [roles] signals names none")
    for name, on in renamed.items():
        first = next(each for each in renamed if renamed[each] == on)
        if first != name:
            yield Contradiction("signals", name, f'= "{on}": {first} has that name on the box already')
    if found["plant"]["source"] == "model" and roles["signals"] is None and roles["can"] is not None:
        text = '= "model": a charger on CAN meets it through a signals port only, and [roles] signals names none'
        yield Contradiction("plant", "source", f'{text}; allowed is "hardware", or give that port')
    energised = [each for each in ("can", "modbus", "console") if roles[each] is not None]
    if hardware and found["plant"]["source"] != "model" and energised and found["envelope"]["max_voltage"] is None:
        role = energised[0]
        text = f'= "{roles[role]}": it energises a plant that is hardware, and [envelope] is missing'
        yield Contradiction("roles", role, f'{text}; give V, A, W and s, or [plant] source = "model"')


def _process(given: Found, process: dict[str, Any], path: Path) -> Iterator[Contradiction]:
    if not given.get("dut.process"):
        return
    if not process["command"][0].strip():
        yield Contradiction("dut.process", "command", "begins with an empty text: allowed is a program")
    if not (path.parent / process["folder"]).is_dir():
        yield Contradiction("dut.process", "folder", f'= "{process["folder"]}": no folder there')
    for key in ("ready", "alive"):
        try:
            re.compile(process[key])
        except re.error as error:
            yield Contradiction("dut.process", key, f'= "{process[key]}": no regular expression: {error}')


def _instruments(found: Found) -> Iterator[Contradiction]:
    virtual, ports = found[""]["kind"] == "virtual", found["ports"]
    for name, claim in found["instruments"].items():
        table, kind, port = f"instruments.{name}", claim["kind"], claim["port"]
        types = _INSTRUMENT_PORTS.get(kind, ())
        if not virtual and types:
            fitting = [each for each, settings in ports.items() if settings["type"] in types]
            if port not in fitting:
                allowed = f"a port of type {' or '.join(types)}: {', '.join(fitting) or 'there is none'}"
                yield Contradiction(table, "port", f'= "{port}": allowed is {allowed}')
        if virtual and port:
            yield Contradiction(table, "port", f'= "{port}": a virtual rig makes the line itself; leave it out')
        if kind == "plant" and found["plant"]["source"] == "hardware":
            yield Contradiction(table, "kind", '= "plant": the plant is hardware, nothing can be read in it')
        if kind == "dlt645" and not re.fullmatch(r"(\d{12})?", str(claim["address"])):
            yield Contradiction(table, "address", f'= "{claim["address"]}": allowed is a text of twelve digits')
        if kind == "modbus" and claim["address"] != "" and not _unit(claim["address"]):
            yield Contradiction(table, "address", f"= {claim['address']!r}: allowed is a unit id from 0 to 255")
        if claim["calibrated"]:
            try:
                date.fromisoformat(claim["calibrated"])
            except ValueError:
                yield Contradiction(table, "calibrated", f'= "{claim["calibrated"]}": there is no such day')


def _unit(address: str | int) -> bool:
    return str(address).isdigit() and int(address) <= 255


def _envelope(envelope: dict[str, Any], signals: dict[str, Any]) -> Iterator[Contradiction]:
    if not envelope:
        return
    interlocks = envelope.get("interlocks", [])
    for name in interlocks:
        if interlocks.count(name) > 1:
            yield Contradiction("envelope", "interlocks", f'names "{name}" twice')
        if name in tables()["signals"] and name in signals:
            text = "is a signal of the plant and the name of an interlock too; give the interlock another name"
            yield Contradiction("signals", name, text)
    if "phases" in envelope and "nominal_voltage" not in envelope:
        yield Contradiction("envelope", "phases", "tells a power with nominal_voltage only, and that is missing")
    most = envelope["max_voltage"] * envelope["max_current"]
    if envelope["max_power"] < _TINY * most:
        text = f"= {envelope['max_power']:g}: less than 1 % of max_voltage times max_current, {most:g} W; is it in kW?"
        yield Contradiction("envelope", "max_power", text)
