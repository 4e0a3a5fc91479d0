"""What a rig file may say, declared once: the loader, its messages and the JSON Schema follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from types import MappingProxyType

from hil.conformance.catalogue import BASES
from hil.conformance.register import PRESETS, register
from hil.protocol.gbt27930 import EDITIONS
from hil.rig import live_fields as live
from hil.rig.field import Field, Named, Table
from hil.tester.gbt27930 import VEHICLES

SCHEMA = 1
KINDS = ("virtual", "live")


def _readings() -> dict[str, Field]:
    preset = Field("text", "Preset of the interpretation register.", allowed=lambda: PRESETS)
    return {
        "preset": preset,
        **{
            name: Field("text", entry.question, allowed=partial(tuple, entry.choices))
            for name, entry in register().items()
        },
    }


_TOP = {
    "schema": Field("integer", "Version of this file's form.", required=True, allowed=lambda: (SCHEMA,)),
    "name": Field("text", "Name of the rig, as reports show it.", required=True),
    "description": Field("text", "What stands there, for people.", default=""),
    "kind": Field(
        "text", "What the bench is made of: a virtual world, or ports.", required=True, allowed=lambda: KINDS
    ),
}
_DUT = {
    "name": Field("text", "What is under test.", required=True),
    "manufacturer": Field("text", "Its maker.", default=""),
    "model": Field("text", "Its model.", default=""),
    "serial": Field("text", "Its serial number.", default=""),
    "firmware": Field("text", "Its firmware.", default=""),
    "map": Field(
        "text",
        "Register map of a Modbus device: a shipped one, or a file (from the rig file's folder on).",
        default="",
    ),
    "address": Field(
        "text",
        "Address on its line where it is not the usual one: of a DL/T 645 meter, twelve digits.",
        default="",
        form="([0-9]{12})?",
        example="twelve digits",
    ),
    "password": Field(
        "text",
        "Password of a DL/T 645 meter where it is not the usual one (000000).",
        default="",
        form="([0-9]{6})?",
        example="six digits",
    ),
    "password_level": Field("integer", "Level of that password.", default=2, low=0, high=255),
    "operator": Field(
        "text",
        "Operator's code that a DL/T 645 meter is told where it is not the usual one (00000000).",
        default="",
        form="([0-9]{8})?",
        example="eight digits",
    ),
}
_CLAIMS = {
    "stop_button": Field("boolean", "A user can stop the charge at the charger.", default=True),
    "socket": Field("boolean", "An AC charger with a socket for a cable.", default=True),
    "digital": Field(
        "boolean",
        "An AC charger that begins with 5 % for digital communication. Without it, a live rig's does not.",
    ),
    "ventilation": Field(
        "boolean",
        "An AC charger that switches the ventilation of its place. Without it, a live rig's does not.",
    ),
    "rated_current": Field(
        "number",
        "A each phase that an AC charger may offer where it is installed. Without it, a live rig's may offer 32 A.",
        low=6,
        high=80,
    ),
    "safe_current": Field("boolean", "An AC charger that falls back to a safe current.", default=True),
    "at_notifications": Field(
        "boolean",
        "A console that tells of states, capacity and flags by $AT; very old firmware tells of states alone, by $ST.",
        default=True,
    ),
    "following_frames": Field(
        "boolean",
        "A DL/T 645 meter with items that do not fit one frame, as energies by tariff. Without it, a live rig's has "
        "none.",
    ),
    "output_voltage": Field(
        "range", "Lowest and highest output voltage of a DC charger, V, as [150, 950]; without it no battery beyond."
    ),
    "optional_messages": Field(
        "texts",
        "Optional messages that the charger sends or takes in.",
        default=["CTS", "BMV", "BMT", "BSP"],
        allowed=lambda: ("CTS", "BMV", "BMT", "BSP"),
    ),
}
_EDITION = {
    "gbt27930": Field("text", "Edition of GB/T 27930 that the DUT speaks.", default="2015", allowed=lambda: EDITIONS)
}
_BENCH = {
    "vehicle": Field("text", "The stand-in vehicle.", default="car-400v", allowed=lambda: tuple(VEHICLES)),
    "seed": Field("integer", "Draws what no requirement fixes.", default=0, low=0),
    "soc": Field("number", "Of the pack at the start, percent; without it the seed draws it.", low=0, high=100),
    "validity": Field(
        "number", "For so many s an AC charger takes a limit that nobody repeats, as set there.", default=60.0, low=2
    ),
    "safe_current": Field(
        "number", "A to which an AC charger falls back without a limit, as set there.", default=10.0, low=0, high=80
    ),
    "max_real_time": Field(
        "number", "s by the wall clock that a run of one case may take; without it no limit.", low=1, high=86_400
    ),
    "temperature": Field("number", "Of the pack at the start, °C.", default=25.0, low=-40, high=80),
}
_JUDGING = {
    "opt_in": Field(
        "texts",
        "Bases of requirements that count although they are advisory elsewhere.",
        default=[],
        allowed=lambda: BASES,
    )
}


@cache
def tables() -> Mapping[str, Table]:
    """Every table of a rig file that has a name of its own; the top level is ``""``."""
    return MappingProxyType(
        {
            "": _TOP,
            "dut": _DUT,
            "dut.claims": _CLAIMS,
            "dut.process": live.PROCESS,
            "edition": _EDITION,
            "readings": _readings(),
            "bench": _BENCH,
            "judging": _JUDGING,
            "roles": live.ROLES,
            "signals": live.signals(),
            "plant": live.PLANT,
            "envelope": live.ENVELOPE,
            "capabilities": live.capabilities(),
        }
    )


NAMED: Mapping[str, Named] = MappingProxyType({"ports": live.PORTS, "instruments": live.INSTRUMENTS})
"""Tables of the top level that hold tables whose names are the user's."""
OPTIONAL_TABLES = ("dut.process", "envelope")
"""Tables whose required keys are required only where the table is there."""


def tables_below(name: str) -> tuple[str, ...]:
    """Keys of a table that are tables themselves."""
    depth = f"{name}." if name else ""
    below = [each[len(depth) :] for each in tables() if each.startswith(depth) and each != name]
    return tuple(each for each in (*below, *(NAMED if not name else ())) if each and "." not in each)


REQUIRED_TABLES = ("dut",)
