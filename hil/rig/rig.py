"""A rig as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from hil.rig.abilities import BY_DUT, BY_PERSON, lack
from hil.rig.instruments import InstrumentClaim
from hil.rig.ports import DutProcessSettings, PortSettings
from hil.rig.roles import TRANSPORT_OF
from hil.safety.envelope import Envelope

Claim = bool | float | tuple[str, ...] | tuple[float, float] | None
USUAL_RATED = 32.0
"""A each phase, of an AC charger that claims none."""


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
    address: str = ""
    """Of a DL/T 645 meter, twelve digits; empty for the usual one."""
    password: str = ""
    """Of a DL/T 645 meter, six digits; empty for the usual one."""
    password_level: int = 2
    operator: str = ""
    """Operator's code that a DL/T 645 meter is told, eight digits; empty for the usual one."""
    claims: Mapping[str, Claim] = field(default_factory=lambda: MappingProxyType({}))
    """Every claim of the rig file's declaration, given or by default."""


def output_range(dut: Dut) -> tuple[float, float] | None:
    """Lowest and highest output voltage that a DC charger claims, in V; None where it claims none."""
    claim = dut.claims.get("output_voltage")
    if not isinstance(claim, tuple):
        return None
    low, high = claim
    return float(low), float(high)


def told_claims(dut: Dut) -> dict[str, bool | float]:
    """The claims that are a yes, a no or a number, those that the rig file leaves open left out."""
    return {name: claim for name, claim in dut.claims.items() if isinstance(claim, bool | int | float)}


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
    max_real_time: float | None = None
    """s by the wall clock that a run of one case may take; None: no limit."""
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
    ports: Mapping[str, PortSettings] = field(default_factory=dict)
    """Of a live rig, by name."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """Role (:data:`hil.rig.roles.ROLES`) to the name of its port, those that are given."""
    signals: Mapping[str, str] = field(default_factory=dict)
    """Signal of the plant to its name on the box, where they differ."""
    interlocks: Mapping[str, str] = field(default_factory=dict)
    """Interlock of the envelope to its name on the box, those that are watched there."""
    plant: Literal["model", "hardware"] = "model"
    """Whether the plant is the bench's, or a real one."""
    instruments: Mapping[str, InstrumentClaim] = field(default_factory=dict)
    envelope: Envelope | None = None
    """None: the rig declares none."""
    process: DutProcessSettings | None = None
    """The DUT as a process; None: it is there on its own."""
    capabilities: Mapping[str, bool] = field(default_factory=dict)
    """Granted or denied beyond what the ports give, by the capability's name in the catalogue."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """What the rig was read from, by its path: the rig file, then register maps of a user's own that it names."""

    @property
    def virtual(self) -> bool:
        """Whether everything on this rig is simulated."""
        return self.kind == "virtual"

    def port_of(self, role: str) -> PortSettings | None:
        """The port that plays a role; None where none does."""
        return self.ports[self.roles[role]] if role in self.roles else None

    @property
    def unwatched(self) -> tuple[str, ...]:
        """Interlocks of the envelope that no signal tells: for these the operator answers."""
        named = () if self.envelope is None else self.envelope.interlocks
        return tuple(name for name in named if name not in self.interlocks)

    @property
    def modbus_transport(self) -> str:
        """``tcp`` or ``rtu``, by the port that plays the role modbus; empty where none does."""
        port = self.port_of("modbus")
        return "" if port is None else TRANSPORT_OF.get(port.type, "")

    def claims(self, capability: str) -> bool:
        """Whether the DUT claims a capability.

        What a rig file leaves open the devices of a virtual bench have, each run its own, and a real one has not.
        """
        claim = self.dut.claims.get(capability.replace("-", "_"), True)
        return self.virtual if claim is None else bool(claim)

    @property
    def rated_current(self) -> float | None:
        """A each phase that an AC charger may offer where it is installed; None where each run has its own."""
        claim = self.dut.claims.get("rated_current")
        if isinstance(claim, int | float):
            return float(claim)
        return None if self.virtual else USUAL_RATED

    def can(self, capability: str) -> bool:
        """Whether the bench has a capability. A virtual one has all that take no person: its plant shows everything."""
        return self.lacks(capability) is None

    def lacks(self, capability: str) -> str | None:
        """Why the bench has not a capability of the catalogue; None where it has it."""
        if self.virtual:
            return f"rig {self.name} has no {capability}" if capability in BY_PERSON else None
        if capability in BY_DUT or self.capabilities.get(capability):
            return None
        if self.capabilities.get(capability) is False:
            return f"[capabilities] of rig {self.name} denies {capability}"
        return lack(capability, rig=self.name, roles=self.roles, model=self.plant == "model")
