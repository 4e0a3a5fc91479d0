"""What a rig file may say, declared once: the loader, its messages and the JSON Schema follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from hil.conformance.catalogue import BASES
from hil.conformance.register import PRESETS, register
from hil.protocol.gbt27930 import EDITIONS
from hil.tester.gbt27930 import VEHICLES

SCHEMA = 1
KINDS = ("virtual",)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "texts": (list,),
}
_ARTICLES = {"text": "a text", "integer": "an integer", "number": "a number", "boolean": "true or false"}


@dataclass(frozen=True)
class Field:
    """One key of a table. ``allowed`` lists the values there are, where they are not free."""

    type: str
    text: str
    required: bool = False
    default: Any = None
    allowed: Callable[[], Sequence[Any]] | None = None
    low: float | None = None
    high: float | None = None

    def wrong(self, value: Any) -> str | None:
        """What is wrong with a value, as "allowed is ..."; None when it is right."""
        if self.type == "texts":
            return self._wrong_texts(value)
        fits = isinstance(value, _TYPES[self.type]) and (self.type == "boolean") == isinstance(value, bool)
        if self.allowed is not None and not (fits and value in self.allowed()):
            return f"allowed is {_listed(self.allowed())}"
        if not fits:
            return f"allowed is {_ARTICLES[self.type]}{self._range()}"
        if self.type in ("integer", "number") and not self._inside(value):
            return f"allowed is {_ARTICLES[self.type]}{self._range()}"
        return None

    def _wrong_texts(self, value: Any) -> str | None:
        allowed = self.allowed() if self.allowed is not None else None
        texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
        if texts and (allowed is None or all(each in allowed for each in value)):
            return None
        return "allowed is a list of " + (_listed(allowed) if allowed is not None else "texts")

    def _inside(self, value: float) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def _range(self) -> str:
        if self.low is None and self.high is None:
            return ""
        if self.high is None:
            return f" of at least {self.low:g}"
        return f" from {self.low:g} to {self.high:g}"


def _listed(values: Sequence[Any]) -> str:
    return " or ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in values)


Table = Mapping[str, Field]


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
    "kind": Field("text", "What the bench is made of.", required=True, allowed=lambda: KINDS),
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
}
_CLAIMS = {
    "stop_button": Field("boolean", "A user can stop the charge at the charger.", default=True),
    "socket": Field("boolean", "An AC charger with a socket for a cable.", default=True),
    "digital": Field("boolean", "An AC charger that begins with 5 % for digital communication.", default=True),
    "safe_current": Field("boolean", "An AC charger that falls back to a safe current.", default=True),
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


def tables() -> Mapping[str, Table]:
    """Every table of a rig file by its name; the top level is ``""``."""
    return MappingProxyType(
        {
            "": _TOP,
            "dut": _DUT,
            "dut.claims": _CLAIMS,
            "edition": _EDITION,
            "readings": _readings(),
            "bench": _BENCH,
            "judging": _JUDGING,
        }
    )


def tables_below(name: str) -> tuple[str, ...]:
    """Keys of a table that are tables themselves."""
    depth = f"{name}." if name else ""
    below = (each[len(depth) :] for each in tables() if each.startswith(depth) and each != name)
    return tuple(each for each in below if each and "." not in each)


REQUIRED_TABLES = ("dut",)
