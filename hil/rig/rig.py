"""A rig as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

BY_PERSON = ("inspection",)
"""Capabilities that take somebody who looks at the DUT."""
Claim = bool | tuple[str, ...]


@dataclass(frozen=True)
class Dut:
    """What is under test, and what it claims to do (PICS)."""

    name: str
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    map: str = ""
    """Register map of a Modbus device, a shipped one or the path of a file; empty for that of the reference device."""
    claims: Mapping[str, Claim] = field(default_factory=lambda: MappingProxyType({}))
    """Every claim of the rig file's declaration, given or by default."""


@dataclass(frozen=True)
class BenchSettings:
    """What stands around the DUT on a virtual bench (PIXIT)."""

    vehicle: str
    seed: int
    soc: float | None
    """Percent at the start; None leaves it to the seed."""
    temperature: float
    """Of the pack at the start, °C."""
    validity: float = 60.0
    """s for which an AC charger takes a limit that nobody repeats."""
    safe_current: float = 10.0
    """A to which an AC charger falls back without a limit."""


@dataclass(frozen=True)
class Rig:
    """One rig file, checked."""

    name: str
    description: str
    kind: str
    dut: Dut
    edition: str
    """Of GB/T 27930."""
    preset: str | None
    """Preset of the interpretation register; None takes its defaults."""
    readings: Mapping[str, str]
    """Readings that the file claims for the DUT."""
    bench: BenchSettings
    opt_in: tuple[str, ...]
    """Bases whose requirements count although they are advisory elsewhere."""
    path: Path
    sha256: str
    """Of the file's bytes."""

    @property
    def virtual(self) -> bool:
        """Whether everything on this rig is simulated."""
        return self.kind == "virtual"

    def can(self, capability: str) -> bool:
        """Whether the bench has a capability. A virtual one has all that take no person: its plant shows everything."""
        return self.virtual and capability not in BY_PERSON
