"""What the reference console and its charger are, as data: a seeded fault is a pure edit of this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from hil.errors import UsageError
from hil.protocol.rapi import COMMANDS, Check, Setting
from hil.units import MILLISECOND, Span

SENSORS: Mapping[str, str] = MappingProxyType(
    {
        "current": "line_current",
        "voltage": "mains_voltage",
        "energy": "meter_energy",
    }
)
"""What this console senses and the AC plant's names for it. ``temperature`` (°C) may be added; without it the
console tells that the sensor is absent."""


@dataclass(frozen=True)
class ConsoleSpec:
    """Everything the reference console is made of."""

    generation: int = 5
    """5 notifies with ``$AT``, 4 with ``$ST`` (sheet serial 1.6)."""
    firmware: str = "8.2.3"
    rapi: str = "5.2.1"
    identity: str = "HILEVS0000002A"
    """6 characters and 8 hex digits."""
    min_current: int = 6
    max_level1: int = 24
    max_level2: int = 80
    start_level1: int = 12
    start_level2: int = 24
    settings: int = Setting.LEVEL_2
    boot_lock: bool = False
    ammeter: bool = True
    voltmeter: bool = True
    over_temperature: float = 65.0
    """°C: the threshold that it tells."""
    sensors: Mapping[str, str] = field(default_factory=lambda: SENSORS)
    gains: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """By sensor: what the console reports is this many times what is so."""

    # --- habits of the line ---
    answer_delay: Span = 5 * MILLISECOND
    busy: Span = 150 * MILLISECOND
    """It looks at the line no sooner than so long after it has switched its contactor."""
    busy_fault: Span = 0
    """It looks at the line no sooner than so long after a fault has come or gone."""
    deaf: bool = False
    """What comes while it is busy is lost instead of being answered late."""
    boot: Span = 500 * MILLISECOND
    chatter: tuple[str, ...] = ()
    """Debug lines before each reply, one after the other."""
    chatter_end: str = "\r\n"
    """How a debug line ends; empty where the next frame begins right behind it."""
    mutter: Span = 0
    """Also prints a debug line so often by itself; 0 never does."""
    notify_first: bool = False
    """An ``$AT`` that a command causes comes before its reply."""
    tells_first: bool = False
    """An ``$AT`` of the present state comes before every reply."""
    line_end: str = "\r"
    reply_check: Check = Check.XOR
    check_offset: int = 0
    """Added to the checksum of every reply."""
    lower_case: bool = False
    """Checksums in lower case."""
    exact_check: bool = False
    """Takes a checksum of two digits alone, not one with characters behind it."""
    whole_names: bool = False
    """Knows a command by its whole first token instead of its first two characters."""
    text_spoils: bool = False
    """Refuses the frame behind text that is none."""
    splits: bool = False
    """Puts the notification that a command causes into the middle of its reply."""
    ids: bool = True
    """Repeats sequence ids."""
    id_with_bad_check: bool = False
    """Repeats the sequence id also in the answer to a wrong checksum."""
    checks: tuple[Check, ...] = (Check.XOR, Check.SUM, Check.NONE)
    """Forms of the checksum that it takes."""
    verify: bool = True
    """Looks at checksums at all."""
    resync: bool = True
    """Begins anew at every ``$``."""
    buffer: int = 31
    max_tokens: int = 10

    # --- habits of commands ---
    missing: frozenset[str] = frozenset({"T0", "Z0"})
    """Commands that are not compiled in."""
    mute: frozenset[str] = frozenset()
    """Commands that it carries out and does not answer."""
    forced: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By command: what it answers whatever happens, such as ``{"G4": "OK 0"}``."""
    idle: frozenset[str] = frozenset()
    """Commands that it answers without doing anything."""
    notifies: bool = True
    notified: frozenset[str] = frozenset({"state", "pilot", "capacity", "flags"})
    """Changes that make a notification."""
    announces_boot: bool = True
    any_count: bool = False
    """Takes any number of parameters."""
    any_level: bool = False
    """Takes any letter for a service level."""
    features_turned: bool = False
    """Switches a feature on where off is asked for, and the other way round."""
    echoes: bool = True
    """Can repeat what it hears."""
    keeps: bool = True
    """Keeps its stored settings over a restart."""
    limits_end: bool = True
    """Limits of time and energy end the charge."""
    limit_error: Span = 0
    """A limit of time is reached so much too late."""
    timer_acts: bool = True
    """The delay timer ends and begins the charge."""
    clamp: bool = True
    """A current outside the limits is set to the nearest one; else it leaves the old one."""
    clamp_ok: bool = False
    """It calls a clamped current OK."""
    set_delay: Span = 0
    """The charger is told so much later of a current that the console has taken."""
    volatile_max: bool = True
    """A volatile current is limited by the stored one."""
    maximum_once: bool = True
    """The unit's maximum can be stored once only."""
    limits_anywhere: bool = False
    """Takes time and energy limits in any state."""
    beat_factor: float = 1.0
    """The heartbeat's interval is this many times the one that was set."""
    beat_check: Span = 50 * MILLISECOND
    """It looks so long after the interval has elapsed, as one that does many things in turn does."""
    beat_wraps: bool = False
    """The interval is counted in 16 bits, so that it wraps above 65 s (sheet serial 1.5, derived)."""
    beat_ends: bool = True
    """An interval of 0 ends the supervision."""
    beat_raises: bool = False
    """A missed heartbeat also raises a current that is lower than the fallback."""
    beat_limits: bool = True
    """A missed heartbeat reduces the current."""
    beat_latches: bool = True
    """A missed heartbeat has to be acknowledged."""
    beat_restores: bool = True
    """An acknowledged heartbeat gives the current back."""

    def __post_init__(self) -> None:
        """What no console can be raises :class:`UsageError`."""
        if self.generation not in (4, 5):
            raise UsageError(f"RAPI generation {self.generation}: 4 and 5 are known")
        unknown = sorted((self.missing | self.mute | self.idle | set(self.forced)) - set(COMMANDS))
        if unknown:
            raise UsageError(f"no RAPI command {unknown[0]!r}; there are {', '.join(COMMANDS)}")
        sensors = [*SENSORS, "temperature"]
        strange = sorted({*self.sensors, *self.gains} - set(sensors))
        if strange:
            raise UsageError(f"nothing is called {strange[0]!r} here; there are {', '.join(sensors)}")

    def but(self, **fields: Any) -> ConsoleSpec:
        """The same with other fields."""
        return replace(self, **fields)

    def without(self, *commands: str) -> ConsoleSpec:
        """The same without some commands."""
        return replace(self, missing=self.missing | set(commands))

    def silent_on(self, *commands: str) -> ConsoleSpec:
        """The same that does not answer some commands."""
        return replace(self, mute=self.mute | set(commands))

    def ignoring(self, *commands: str) -> ConsoleSpec:
        """The same that answers some commands without doing anything."""
        return replace(self, idle=self.idle | set(commands))

    def answering(self, command: str, reply: str) -> ConsoleSpec:
        """The same with a fixed answer to one command."""
        return replace(self, forced=MappingProxyType({**self.forced, command: reply}))

    def misreading(self, sensor: str, gain: float) -> ConsoleSpec:
        """The same that reports this many times what a sensor tells."""
        return replace(self, gains=MappingProxyType({**self.gains, sensor: gain}))


def reference() -> ConsoleSpec:
    """The console that passes every case."""
    return ConsoleSpec()
