"""What a rig file says of a bench with ports: ports, roles, signals, plant, instruments, envelope, process."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from hil.plant import SIGNALS
from hil.plant.ac_signals import AC_SIGNALS
from hil.rig.abilities import CLAIMABLE
from hil.rig.field import Field, Named, Table
from hil.rig.instruments import KINDS, QUANTITIES
from hil.rig.ports import CLOCKS
from hil.rig.roles import ROLES as PARTS

_HOST = "[^\\s:/]+"
_STAMPS: Table = {
    "clock": Field(
        "text",
        "What stamps what the port hears; without it, what is known of the interface's driver.",
        allowed=lambda: tuple(CLOCKS),
    ),
    "uncertainty": Field(
        "number",
        "Of these stamps, s; without it, what such a clock is assumed to have. A measured one counts where larger.",
        low=0,
        high=1,
    ),
}


PORTS = Named(
    "Ports of a live rig, by the names that traces show.",
    by="type",
    variants={
        "can": {
            "interface": Field("text", "Interface of python-can, as socketcan.", required=True),
            "channel": Field("text", "Its channel, as python-can takes it.", required=True),
            "bitrate": Field("integer", "bit/s.", default=250_000, low=10_000, high=1_000_000),
            "options": Field("map of values", "Further arguments of `can.Bus`.", default={}),
            **_STAMPS,
        },
        "serial": {
            "url": Field(
                "text", "Device or URL, as pyserial takes it.", required=True, form=".+", example="/dev/ttyUSB0"
            ),
            "baud": Field("integer", "bit/s.", default=9600, low=50, high=4_000_000),
            "bits": Field("integer", "Data bits.", default=8, allowed=lambda: (5, 6, 7, 8)),
            "parity": Field("text", "Parity: none, even, odd, mark, space.", default="N", allowed=lambda: (*"NEOMS",)),
            "stop": Field("number", "Stop bits.", default=1, allowed=lambda: (1, 1.5, 2)),
            "echo": Field(
                "boolean",
                "The adapter hears what it sends itself, as RS-485 ones may: that is taken out of what it hears.",
                default=False,
            ),
            **_STAMPS,
        },
        "tcp": {
            "host": Field("text", "Name or address of the server.", required=True, form="\\S+", example="192.168.1.50"),
            "port": Field("integer", "Its port.", required=True, low=1, high=65535),
            **_STAMPS,
        },
        "signals": {
            "url": Field(
                "text",
                "`tcp://host:port`, `udp://host:port`, or a serial port as pyserial takes it.",
                required=True,
                form=f"(tcp|udp)://(\\[[0-9A-Fa-f:%.]+\\]|{_HOST}):[0-9]{{1,5}}|(?!(tcp|udp):).+",
                example="tcp://127.0.0.1:9100, udp://127.0.0.1:9100 or a serial port as /dev/ttyACM0",
            ),
            "baud": Field("integer", "bit/s, where it is a serial port.", default=115_200, low=50, high=4_000_000),
            **_STAMPS,
        },
    },
)
ROLES: Table = {name: Field("text", f"Port of {part.text}: {' or '.join(part.types)}.") for name, part in PARTS.items()}
PLANT: Table = {
    "source": Field(
        "text",
        "`model`: the bench's plant, met through the signals port; `hardware`: a real one, seen by instruments. "
        "Without it, `model` where there is a signals port.",
        allowed=lambda: ("model", "hardware"),
    )
}
_UNCERTAINTY: Table = {
    "absolute": Field("number", "In the quantity's unit.", default=0.0, low=0, high=1e6),
    "relative": Field("number", "In parts of the value: 0.002 is 0.2 %.", default=0.0, low=0, high=0.2),
}
_INSTRUMENT: Table = {
    "kind": Field("text", "How it is read.", required=True, allowed=lambda: KINDS),
    "port": Field("text", "The port that it is read over.", default=""),
    "map": Field("text", "Register map of kind modbus: a shipped one, or a file.", default=""),
    "address": Field("integer or text", "Unit id (modbus), or a text of twelve digits (dlt645).", default=""),
    "serial": Field("text", "Its serial number.", default=""),
    "calibrated": Field(
        "text",
        "Date of the last calibration.",
        default="",
        form="([0-9]{4}-[0-9]{2}-[0-9]{2})?",
        example='a date as "2026-03-01"',
    ),
    "poll": Field(
        "number",
        "s from one question for a quantity to the next; more often than its line allows has no effect.",
        default=0.1,
        low=0.001,
        high=60,
    ),
}
INSTRUMENTS = Named(
    "What the bench measures with; for the uncertainty of each quantity, a table below.",
    variants={"": _INSTRUMENT},
    below={"measures": Named("Uncertainty by quantity.", {"": _UNCERTAINTY}, names=lambda: tuple(QUANTITIES))},
)
ENVELOPE: Table = {
    "max_voltage": Field("number", "V.", required=True, low=1, high=2000),
    "max_current": Field("number", "A.", required=True, low=0.1, high=4000),
    "max_power": Field("number", "W.", required=True, low=1, high=5e6),
    "max_duration": Field("number", "s of one session.", required=True, low=1, high=86_400),
    "interlocks": Field(
        "texts",
        "What holds the energy off, by name. One that [signals] binds to a name on the box is watched; for the others "
        "the operator answers.",
        default=[],
    ),
    "phases": Field(
        "integer",
        "1 or 3, of an AC charger that is told a current each phase; without it, what its register map has, or 1.",
        allowed=lambda: (1, 3),
    ),
    "nominal_voltage": Field(
        "number",
        "V line to neutral: what power a current of an AC charger is. Without it, such a set-point is judged as a "
        "current alone.",
        low=1,
        high=1000,
    ),
}
PROCESS: Table = {
    "command": Field("texts", "Program and arguments; no shell takes part.", required=True, low=1),
    "folder": Field("text", "Where it runs, from the rig file's folder on.", default="."),
    "environment": Field("map of texts", "Variables beside the bench's own.", default={}),
    "ready": Field("text", "Regular expression over its output lines; without it, it is ready at once.", default=""),
    "ready_within": Field("number", "s from its start.", default=10.0, low=0.1, high=600),
    "alive": Field(
        "text", "Regular expression of lines that it prints again and again as long as it does not hang.", default=""
    ),
    "alive_within": Field("number", "The longest time between two of them, s.", default=5.0, low=0.1, high=600),
    "stop_within": Field("number", "s until it is killed.", default=5.0, low=0.1, high=600),
}


@cache
def signals() -> Table:
    """Every signal that a signals port can carry, to be renamed."""
    carried = {
        each.name: Field("text", f"{each.doc}: its name on the box.", form="\\S+", example="a name without blanks")
        for each in (*SIGNALS, *AC_SIGNALS)
        if each.side == "charger" and each.kind in ("sensor", "actuator")
    }
    return MappingProxyType(carried)


INTERLOCK = Field(
    "text", "Name on the box of an interlock of the envelope.", form="\\S+", example="a name without blanks"
)


@cache
def capabilities() -> Mapping[str, Field]:
    """What the bench can do beyond what its ports give, or cannot although they would."""
    return MappingProxyType(
        {name.replace("-", "_"): Field("boolean", f"{text[:1].upper()}{text[1:]}.") for name, text in CLAIMABLE.items()}
    )
