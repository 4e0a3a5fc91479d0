"""Instruments that a rig measures with, as its file declares them: where they are and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from types import MappingProxyType

from hil.codec.registers import RegisterMap
from hil.errors import RigError
from hil.units import Span, ms

KINDS = ("modbus", "dlt645", "scpi", "plant")
"""How an instrument is read: by a register map, by DL/T 645-2007, by SCPI, or the plant itself."""
QUANTITIES: Mapping[str, str] = MappingProxyType(
    {"voltage": "V", "current": "A", "power": "W", "energy": "kWh", "insulation": "ohm"}
)
"""What an instrument may measure, with the unit of its absolute uncertainty."""
TO_UNIT: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "voltage": {"V": 1.0, "mV": 1e-3, "kV": 1e3},
        "current": {"A": 1.0, "mA": 1e-3},
        "power": {"W": 1.0, "kW": 1e3},
        "energy": {"kWh": 1.0, "Wh": 1e-3, "MWh": 1e3},
        "insulation": {"ohm": 1.0, "Ω": 1.0, "kΩ": 1e3, "MΩ": 1e6},
    }
)
"""For each quantity, the units in which an instrument may tell it, and the factor to that of :data:`QUANTITIES`."""
_TOLD = {"dlt645": ("voltage", "current", "power", "energy"), "scpi": ("voltage", "current", "power")}
"""What instruments tell that have no map."""
POLL: Span = ms(100)
"""Where a rig file says nothing else."""
_LINED = ("modbus", "dlt645", "scpi")
"""Kinds that are read over a port."""


@dataclass(frozen=True)
class Uncertainty:
    """Half of the band in which the true value lies: a part in the quantity's unit and one of the value."""

    absolute: float = 0.0
    """In the quantity's unit (:data:`QUANTITIES`)."""
    relative: float = 0.0
    """In parts: 0.002 is 0.2 % of the value."""

    def __post_init__(self) -> None:
        """Raises :class:`RigError` naming a part that is no number of at least 0."""
        for name in ("absolute", "relative"):
            value = getattr(self, name)
            if not isfinite(value) or value < 0:
                raise RigError(f"uncertainty, {name} = {value:g}: allowed is a number of at least 0")

    def of(self, value: float) -> float:
        """The uncertainty of a value, in its unit."""
        return self.absolute + self.relative * abs(value)


@dataclass(frozen=True)
class InstrumentClaim:
    """One table ``[instruments.NAME]`` of a rig file."""

    name: str
    kind: str
    """One of :data:`KINDS`."""
    measures: Mapping[str, Uncertainty] = field(default_factory=lambda: MappingProxyType({}))
    """Quantity (one of :data:`QUANTITIES`) to its uncertainty."""
    port: str = ""
    """Name of the rig's port; empty for the plant, and on a virtual rig, where the bench makes the line."""
    map: str = ""
    """Register map, a shipped one or the path of a file; of kind ``modbus`` only."""
    address: int | str | None = None
    """Unit identifier (modbus) or the meter's address of 12 digits (dlt645); None takes the usual one."""
    serial: str = ""
    calibrated: str = ""
    """Date of the last calibration, ``YYYY-MM-DD``."""
    poll: Span = POLL
    """From one question for a quantity to the next; more often than its line allows has no effect."""

    def __post_init__(self) -> None:
        """Raises :class:`RigError` naming instrument, field, value and what is allowed."""
        if self.kind not in KINDS:
            raise self._wrong("kind", self.kind, f"allowed is {' or '.join(KINDS)}")
        unknown = [each for each in self.measures if each not in QUANTITIES]
        if unknown:
            raise self._wrong("measures", ", ".join(unknown), f"allowed is {', '.join(QUANTITIES)}")
        for each in self.measures:
            if each not in _TOLD.get(self.kind, QUANTITIES):
                raise self._wrong("measures", each, f"kind {self.kind} tells {', '.join(_TOLD[self.kind])}")
        if (self.kind == "modbus") != bool(self.map):
            raise self._wrong("map", self.map, "it names the register map of kind modbus, and of no other")
        if self.port and self.kind not in _LINED:
            raise self._wrong("port", self.port, f"kind {self.kind} is read over no port")

    def _wrong(self, key: str, value: str, allowed: str) -> RigError:
        return RigError(f'[instruments.{self.name}] {key} = "{value}": {allowed}')

    @property
    def polled(self) -> bool:
        """Whether it is asked for; the plant tells by itself."""
        return self.kind in _LINED

    @property
    def identity(self) -> str:
        """As reports show it: name, kind, map, serial number and calibration date, as far as declared."""
        parts = [self.map or self.kind]
        parts += [f"serial {self.serial}"] if self.serial else []
        parts += [f"calibrated {self.calibrated}"] if self.calibrated else []
        return f"{self.name} ({', '.join(parts)})"


def register_of(claim: InstrumentClaim, registers: RegisterMap, quantity: str) -> str:
    """The register that holds a quantity; :class:`RigError` where the map names none, or one of an unknown unit."""
    named = getattr(registers.roles, quantity)
    name = str(named[0] if isinstance(named, tuple) and named else named or "")
    if not name:
        raise RigError(f"[instruments.{claim.name}] the map {registers.name} names no register of {quantity}")
    unit, known = registers[name].unit, TO_UNIT[quantity]
    if unit not in known:
        where = f"[instruments.{claim.name}] the map {registers.name} has {name} in {unit or 'no unit'}"
        raise RigError(f"{where}: allowed for {quantity} is {' or '.join(known)}")
    return name
