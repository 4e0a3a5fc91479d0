"""The requirement catalogue and the limits that judge, as data (``requirements/*.toml``, ``limits.toml``).

Limits come from here and never from a device's settings. A limit that depends on a reading of the
interpretation register carries the alternatives; the bench takes the one of its readings.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import msgspec

from hil.codec.message import Message
from hil.conformance.limit_file import LimitFile, QuantityRow, SpanRow, read_limits
from hil.conformance.register import register
from hil.errors import CatalogueError
from hil.protocol.gbt27930 import EDITIONS
from hil.units import Instant, Span, ms, s, seconds

BASES = ("S2", "S1", "DIS", "DER", "K")
"""Confidence marks of the sheets."""
CAPABILITIES: Mapping[str, str] = MappingProxyType(
    {
        "start": "authorise a session, as by card or app",
        "stop-button": "stop the charge at the charger",
        "emergency-stop": "press the emergency stop",
        "plug": "insert and pull the plug",
        "signals": "observe output, contactors and lock",
        "pilot": "move switch S, break the line of CC1 or drive it",
        "insulation": "set the insulation resistance",
        "earth": "break the protective earth",
        "supply": "switch the AC supply",
        "overvoltage": "make the power stage exceed its set-point",
        "raw-frames": "send any frame on the bus",
        "link-faults": "disturb the bus: break lines, drop and corrupt frames",
        "twin": "start over in a fresh world for every load profile",
        "vehicle": "stand in for an AC vehicle: resistors, S2, diode, current",
        "pilot-faults": "short or break the control pilot of an AC charger",
        "proximity": "set the resistance of the cable's plug",
        "residual": "make residual currents flow",
        "limit": "ask for a current limit, as an energy management does",
        "socket": "a cable can be inserted into the charger (claimed by the DUT)",
        "digital": "begin with a duty cycle of 5 % (claimed by the DUT)",
        "ventilation": "switch the ventilation of the place where it is installed (claimed by the DUT)",
        "registers": "read and write the registers of an AC charger",
        "safe-current": "fall back to a safe current (claimed by the DUT)",
        "at-notifications": "tell of states, capacity and flags by $AT (claimed by the DUT)",
        "following-frames": "hold more than fits one frame (claimed by the DUT)",
        "weld": "hold the output contactor closed or open",
        "virtual-line": "a serial line or TCP link of the bench's own making, where silences, parity, collisions and"
        " vanished clients are exact; a live port shows and does none of them to the bit",
        "shorted-bus": "short the wires of a CAN bus",
        "device-state": "make a Modbus device busy, or let it fail",
        "meter-settings": "write, readdress and switch an energy meter whose password is known",
        "irreversible": "do to the DUT what cannot be undone, such as a setting that it takes once in its life",
        "inspection": "a person looks at the charger",
    }
)
"""What a bench may be able to do; requirements name what they need."""
MAP_FEATURES: Mapping[str, str] = MappingProxyType(
    {
        "tcp": "TCP",
        "rtu": "a serial line",
        "broadcast": "writes to all stations that are carried out",
        "parity": "a serial line with a parity bit",
        "gap": "an address that is not declared",
        "row": "several values in one request",
        "coils": "coils to be read",
        "contacts": "discrete inputs to be read",
        "holding": "holding registers to be read by function 3",
        "inputs": "input registers to be read",
        "write-coil": "a coil to be written by function 5",
        "write-register": "a register to be written by function 6",
        "write-coils": "coils to be written by function 15",
        "write-registers": "registers of any value to be written by function 16",
        "mask": "function 22",
        "read-write": "function 23",
        "one": "a register to be written and read",
        "any": "a value to be written and read",
        "read-only": "a register that can only be read",
        "range": "a register with a range",
        "range-several": "a register with a range, and function 16",
        "couple": "two neighbours, the second with a range, and function 16",
        "end": "a register to be written with nothing behind it, and function 16",
        "wide": "a value of several registers to be written and read, and function 16",
    }
)
"""What a register map may offer; requirements on Modbus devices name what they need."""
_ADVISORY = ("DER", "K")
_GENERAL = "[K]"
EVERY = "*"
"""In a requirement's ``moot``, ``models``, ``vehicles`` and ``offers``: whatever the variant."""
_FAST = ms(10)


@dataclass(frozen=True)
class Limit:
    """A window of time. ``low`` and ``high`` in nanoseconds from the moment a check names."""

    name: str
    low: Span
    high: Span
    source: str
    alternatives: tuple[tuple[str, str, Span, Span, str], ...] = ()
    """Reading, choice, low, high, source: taken where the reading has that choice."""

    @property
    def general(self) -> bool:
        """General knowledge (its source ends with [K]): beyond it alone, a case that counts does not fail."""
        return self.source.endswith(_GENERAL)

    def under(self, readings: Mapping[str, str]) -> Limit:
        """The limit as these readings have it."""
        for reading, choice, low, high, source in self.alternatives:
            if readings.get(reading) == choice:
                return replace(self, low=low, high=high, source=source, alternatives=())
        return self


@dataclass(frozen=True)
class Quantity:
    """A range of a measured quantity; None where a side is open."""

    name: str
    low: float | None
    high: float | None
    unit: str
    source: str

    @property
    def general(self) -> bool:
        """General knowledge, as with :attr:`Limit.general`."""
        return self.source.endswith(_GENERAL)

    @property
    def most(self) -> float:
        """The upper limit; :class:`CatalogueError` where that side is open."""
        if self.high is None:
            raise CatalogueError(f"limits.toml, {self.name}: no upper limit")
        return self.high


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One requirement and how it is run."""

    id: str
    case: str
    suite: str
    title: str
    source: str
    basis: str
    clause: str | None = None
    editions: tuple[str, ...] = ("2015",)
    """Of GB/T 27930; none where that standard is of no matter."""
    variants: tuple[str, ...] = ()
    """Each is a run of its own."""
    advisory_variants: tuple[str, ...] = ()
    """Further runs that are reported and never fail the whole."""
    reading: str | None = None
    """Register entry whose choices exclude each other here."""
    advisory_choices: tuple[str, ...] = ()
    """Choices of ``reading`` under which it is reported only; the basis is that of the others."""
    needs: tuple[str, ...] = ()
    """Capabilities that the bench must have."""
    variant_needs: dict[str, tuple[str, ...]] = {}
    """Those that single variants need besides."""
    unless: dict[str, tuple[str, ...]] = {}
    """Claims of the DUT with which single variants mean nothing."""
    rated: dict[str, float] = {}
    """Rated current in A that an AC charger must have at least, by variant."""
    offers: dict[str, tuple[str, ...]] = {}
    """What a register map must offer (:data:`MAP_FEATURES`), by variant, and ``*`` for every run."""
    models: dict[str, str] = {}
    """Models of the reference device that a virtual bench takes, by variant, or ``*`` for every run."""
    vehicles: dict[str, str] = {}
    """Presets of the stand-in vehicle that take the place of the rig's, by variant, or ``*`` for every run."""
    bench: str = "gbt27930"
    """The kind of bench that the case is written for (see ``hil.bench.kinds``)."""
    moot: dict[str, str] = {}
    """Variants, or ``*`` for every run, and the reading (``name=choice``) under which they mean nothing."""

    def moot_by(self, variant: str | None, readings: Mapping[str, str]) -> str | None:
        """The reading under which a run means nothing; None where it does."""
        for each in (variant, EVERY):
            name, _, choice = self.moot.get(each or EVERY, "").partition("=")
            if name and readings.get(name) == choice:
                return f"{name}={choice}"
        return None

    def model(self, variant: str | None) -> str:
        """The model of the reference device for a run; empty for the usual one."""
        return self.models.get(variant or EVERY, self.models.get(EVERY, ""))

    def vehicle(self, variant: str | None) -> str:
        """The preset of the stand-in vehicle for a run; empty for the rig's."""
        return self.vehicles.get(variant or EVERY, self.vehicles.get(EVERY, ""))

    def offered(self, variant: str | None) -> tuple[str, ...]:
        """What a register map must offer for a run."""
        return (*self.offers.get(EVERY, ()), *self.offers.get(variant or "", ()))

    @property
    def advisory(self) -> bool:
        """Derived or general knowledge: reported, never failing, unless a rig opts in."""
        return self.basis in _ADVISORY


class _File(msgspec.Struct, forbid_unknown_fields=True):
    prefix: str
    suite: str
    title: str
    source: str
    basis: str
    editions: tuple[str, ...]
    requirement: list[dict[str, Any]]
    bench: str = "gbt27930"


@cache
def requirements() -> Mapping[str, Requirement]:
    """Every requirement by id, in catalogue order; contradictions raise :class:`CatalogueError`."""
    found: dict[str, Requirement] = {}
    folder = files("hil.conformance").joinpath("requirements")
    for path in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if path.name.endswith(".toml"):
            for requirement in read_requirements(path.name, path.read_text("utf-8")):
                if requirement.id in found:
                    raise CatalogueError(f"{path.name}: {requirement.id} is declared in another file too")
                found[requirement.id] = requirement
    return MappingProxyType(found)


def read_requirements(name: str, text: str) -> list[Requirement]:
    """The requirements of a file; contradictions raise :class:`CatalogueError` naming file and entry."""
    try:
        document = msgspec.convert(tomllib.loads(text), _File)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{name}: {error}") from error
    found: dict[str, Requirement] = {}
    for values in document.requirement:
        identifier = f"{document.prefix}/{values.get('case')}"
        defaults = {"suite": document.suite, "source": document.source, "basis": document.basis}
        defaults["bench"] = document.bench
        merged = {"id": identifier, "editions": document.editions, **defaults, **values}
        try:
            requirement = msgspec.convert(merged, Requirement)
            _check(requirement)
        except (msgspec.ValidationError, CatalogueError) as error:
            raise CatalogueError(f"{name}: {identifier}: {error}") from error
        if requirement.id in found:
            raise CatalogueError(f"{name}: {requirement.id} is declared twice")
        found[requirement.id] = requirement
    return list(found.values())


def _check(requirement: Requirement) -> None:
    names = (*requirement.variants, *requirement.advisory_variants)
    if len(set(names)) != len(names):
        raise CatalogueError("a variant is named twice")
    _known("basis", [requirement.basis], BASES)
    _known("edition", requirement.editions, EDITIONS)
    _known("reading", [] if requirement.reading is None else [requirement.reading], register())
    needed = [*requirement.needs, *(each for row in requirement.variant_needs.values() for each in row)]
    needed += [each for row in requirement.unless.values() for each in row]
    _known("capability", needed, CAPABILITIES)
    _known("feature of a map", [each for row in requirement.offers.values() for each in row], MAP_FEATURES)
    by_variant = (requirement.moot, requirement.models, requirement.vehicles, requirement.offers)
    for row_by_variant in (requirement.variant_needs, requirement.unless, requirement.rated):
        _known("variant", row_by_variant, names)
    _known("variant", [name for each in by_variant for name in each], (*names, EVERY))
    choices = register()[requirement.reading].choices if requirement.reading is not None else ()
    _known(f"choice of {requirement.reading}", requirement.advisory_choices, choices)
    for reading in requirement.moot.values():
        entry, _, choice = reading.partition("=")
        _known("reading", [entry], register())
        _known(f"choice of {entry}", [choice], register()[entry].choices)


def _known(what: str, given: Iterable[str], allowed: Iterable[str]) -> None:
    for each in given:
        if each not in allowed:
            raise CatalogueError(f"no {what} {each!r}; there are {', '.join(allowed)}")


def suites() -> tuple[str, ...]:
    """Names of the suites, in catalogue order."""
    return tuple(dict.fromkeys(requirement.suite for requirement in requirements().values()))


# --- limits ---------------------------------------------------------------------------------------


@cache
def _limits() -> LimitFile:
    return read_limits(files("hil.conformance").joinpath("limits.toml").read_text("utf-8"))


def _row(table: str, name: str) -> Any:
    rows = getattr(_limits(), table)
    if name not in rows or name == "source":
        raise CatalogueError(f"limits.toml has no {name!r} in {table}; there are {', '.join(names(table))}")
    return rows[name]


def names(table: str) -> tuple[str, ...]:
    """What a table of ``limits.toml`` names: ``timeouts``, ``partners``, ``spans`` or ``quantities``."""
    return tuple(name for name in getattr(_limits(), table) if name != "source")


@cache
def timeout(name: str) -> Limit:
    """The window in which a charger reports one of its time-outs (sheet 4.3, 5.2)."""
    nominal = s(_row("timeouts", name))
    windows = _limits().windows
    late = s(windows.late_1s if nominal <= s(1) else windows.late_5s if nominal <= s(5) else windows.late_10s)
    low = nominal - s(windows.early)
    source = str(_limits().timeouts["source"])
    next_period = ("timeout-window", "next-period", low, nominal + s(windows.next_period), source)
    return Limit(name, low, nominal + late, source, (next_period,))


@cache
def partner(name: str) -> Limit:
    """Up to a time-out of the vehicle: later than that it reports an error (sheet 4.3, 5.7)."""
    return Limit(name, 0, s(_row("partners", name)), str(_limits().partners["source"]))


@cache
def period(message: type[Message]) -> Limit:
    """The interval between two messages of that kind (sheet 2.1, 5.2)."""
    nominal = message.period
    if nominal is None:
        raise CatalogueError(f"{message.name} has no period")
    rows = _limits().periods
    name = f"{message.name} period"
    if nominal <= _FAST:
        near, far = s(rows.fast_3ms), s(rows.fast_5ms)
        wide = ("period-10ms", "5ms", nominal - far, nominal + far, rows.source)
    else:
        near, far = round(nominal * rows.relative), round(nominal * rows.relative_field)
        wide = ("period-tolerance", "40-percent", nominal - far, nominal + far, rows.source)
    return Limit(name, nominal - near, nominal + near, rows.source, (wide,))


@cache
def tail(message: type[Message]) -> Limit:
    """How long a message may go on after what ends it (sheet 5.7)."""
    nominal = message.period
    if nominal is None:
        raise CatalogueError(f"{message.name} has no period")
    rows = _limits().tails
    high = s(rows.fast) if nominal <= _FAST else round(nominal * rows.relative)
    return Limit(f"{message.name} tail", 0, high, rows.source, (("stop-tail", "none", 0, 0, rows.source),))


@cache
def limit(name: str) -> Limit:
    """A named span of ``limits.toml``."""
    row: SpanRow = _row("spans", name)
    alternatives = tuple(
        (row.reading, choice, s(values.low), s(values.high), values.source or row.source)
        for choice, values in row.choices.items()
        if row.reading
    )
    return Limit(name, s(row.low), s(row.high), row.source, alternatives)


@cache
def quantity(name: str) -> Quantity:
    """A named range of a measured quantity of ``limits.toml``."""
    row: QuantityRow = _row("quantities", name)
    return Quantity(name, row.low, row.high, row.unit, row.source)


def adjustment_time(difference: float) -> Limit:
    """Time for the current to follow a new demand that differs by so many A (sheet 4.9)."""
    small = limit("adjust-small")
    rate = quantity("adjustment-rate").low
    assert rate is not None, "limits.toml gives it"
    high = small.high if abs(difference) <= rate * seconds(small.high) else s(abs(difference) / rate)
    return Limit("adjustment time", 0, high, small.source)


def window(name: str, low: Instant, high: Instant, source: str) -> Limit:
    """A window computed by a case from other limits."""
    return Limit(name, low, high, source)
