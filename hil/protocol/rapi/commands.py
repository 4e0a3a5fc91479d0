"""Every command and notification of the sheet as data (sheet serial 1.3, 1.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from hil.errors import CodecError


@dataclass(frozen=True, slots=True)
class Field:
    """One token of a reply or notification: a decimal, a hexadecimal number or text."""

    name: str
    kind: str = "dec"
    unit: str = ""

    def __post_init__(self) -> None:
        """A kind that does not exist raises :class:`CodecError`."""
        if self.kind not in ("dec", "hex", "text"):
            raise CodecError(f"field {self.name}: kind {self.kind!r}; dec, hex and text are allowed")

    def read(self, token: str) -> int | str | None:
        """The value; None for a token that is no such number."""
        if self.kind == "text":
            return token
        digits = "0123456789abcdefABCDEF" if self.kind == "hex" else "0123456789"
        figures = token.removeprefix("-") if self.kind == "dec" else token
        if not figures or len(figures) > 20 or any(figure not in digits for figure in figures):
            return None
        return int(token, 16 if self.kind == "hex" else 10)


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its parameters, of which the last ``optional`` may be left out, and its reply's fields."""

    name: str
    title: str
    parameters: tuple[str, ...] = ()
    optional: int = 0
    reply: tuple[Field, ...] = ()
    open_ended: bool = False
    """The last parameter may hold blanks."""

    def takes(self, count: int) -> bool:
        """Whether so many parameters are right."""
        least = len(self.parameters) - self.optional
        return count >= least and (self.open_ended or count <= len(self.parameters))

    @property
    def changes(self) -> bool:
        """Whether it does more than tell."""
        return not self.name.startswith("G")


def _fields(text: str) -> tuple[Field, ...]:
    """``amps:dec:A flags:hex`` as fields."""
    return tuple(Field(*each.split(":")) for each in text.split())


def _command(name: str, title: str, parameters: str = "", reply: str = "", *, optional: int = 0) -> Command:
    return Command(name, title, tuple(parameters.split()), optional, _fields(reply))


_BEAT = "interval:dec:s amps:dec:A trigger"
_TIMES = "start_hour start_minute stop_hour stop_minute"
_CLOCK = "year month day hour minute second"

_ALL = (
    _command("F0", "LCD updates off or on", "on"),
    _command("F1", "short press of the front button"),
    _command("FB", "LCD backlight", "colour"),
    _command("FD", "disable"),
    _command("FE", "enable"),
    _command("FF", "switch a feature", "feature on"),
    Command("FP", "print on the LCD", ("x", "y", "text"), open_ended=True),
    _command("FR", "restart"),
    _command("FS", "sleep"),
    _command("S0", "LCD type", "rgb"),
    _command("S1", "set the clock", _CLOCK),
    _command("S2", "ammeter calibration mode", "on"),
    _command("S3", "time limit", "quarters"),
    _command("S4", "authorisation lock", "locked"),
    _command("S5", "Mennekes lock", "mode"),
    _command("SA", "ammeter calibration", "scale offset"),
    _command("SB", "clear the boot lock", reply="locked"),
    _command("SC", "current limit", "amps kind", "amps:dec:A", optional=1),
    _command("SH", "energy limit", "kwh"),
    _command("SK", "set the accumulated energy", "wh"),
    _command("SL", "service level", "level"),
    _command("SM", "voltmeter calibration", "scale offset"),
    _command("ST", "delay timer", _TIMES),
    _command("SV", "assumed voltage", "mv"),
    _command("SY", "heartbeat supervision", "interval amps", _BEAT, optional=2),
    _command("G0", "whether a vehicle is connected", reply="connected"),
    _command("G3", "time limit", reply="quarters"),
    _command("G4", "authorisation lock", reply="locked"),
    _command("G5", "Mennekes lock", reply="locked mode:text"),
    _command("GA", "ammeter calibration", reply="scale offset"),
    _command("GC", "current limits", reply="min:dec:A hardware_max:dec:A pilot:dec:A configured_max:dec:A"),
    _command("GD", "delay timer", reply=_TIMES),
    _command("GE", "current limit and stored settings", reply="amps:dec:A flags:hex"),
    _command("GF", "fault counters", reply="gfi:hex no_ground:hex stuck_relay:hex"),
    _command("GG", "charging current and voltage", reply="current:dec:mA voltage:dec:mV"),
    _command("GH", "energy limit", reply="kwh:dec:kWh"),
    _command("GI", "identity", reply="id:text"),
    _command("GM", "voltmeter calibration", reply="scale offset"),
    _command("GO", "over-temperature thresholds", reply="ambient:dec:0.1°C ir:dec:0.1°C"),
    _command("GP", "temperatures", reply="t1:dec:0.1°C t2:dec:0.1°C t3:dec:0.1°C"),
    _command("GS", "state", reply="state:hex elapsed:dec:s pilot:hex flags:hex"),
    _command("GT", "clock", reply=_CLOCK),
    _command("GU", "energy", reply="session:dec:Ws lifetime:dec:Wh"),
    _command("GV", "versions", reply="firmware:text rapi:text"),
    _command("GY", "heartbeat supervision", reply=_BEAT),
    _command("T0", "fake charging current", "amps"),
    _command("Z0", "relay tuning", "closems holdpwm"),
)

COMMANDS: Mapping[str, Command] = MappingProxyType({each.name: each for each in _ALL})
"""By their two characters. ``T0`` and ``Z0`` exist in test builds only."""

NOTIFICATIONS: Mapping[str, tuple[Field, ...]] = MappingProxyType(
    {
        "AB": _fields("code:hex firmware:text"),
        "AT": _fields("state:hex pilot:hex capacity:dec:A flags:hex"),
        "AN": _fields("press"),
        "WF": _fields("mode:hex"),
        "ST": _fields("state:hex"),
    }
)
"""Asynchronous messages; ``ST`` stands for ``AT`` in very old firmware."""


def decode_fields(fields: Sequence[Field], tokens: Sequence[str]) -> tuple[dict[str, int | str], list[str]]:
    """Values by name and what is wrong with them, in words: too few, too many, not a number.

    Empty tokens (two blanks) are skipped, as in the reply of GI.
    """
    values: dict[str, int | str] = {}
    present = [token for token in tokens if token]
    wrong = [f"{name} is missing" for name in (field.name for field in fields[len(present) :])]
    for field, token in zip(fields, present, strict=False):
        value = field.read(token)
        if value is None:
            wrong.append(f"{field.name} {token!r} is not a {field.kind} number")
        else:
            values[field.name] = value
    wrong.extend(f"{token!r} is one too many" for token in present[len(fields) :])
    return values, wrong
