"""Opening a bench for a case: which world, which record and which checks belong to a kind.

Kinds are the modules of :mod:`hil.bench.kinds`, by name; only the one that is asked for is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, cast

from hil.bench import kinds
from hil.bench.core import Core, Sink
from hil.bench.judge import Judge
from hil.bench.setup import Setup
from hil.bus.lines import ByteLine, FrameLine, Line, StreamLine
from hil.codec.registers import RegisterMap
from hil.conformance.catalogue import Requirement
from hil.dut.faults import Edit
from hil.errors import RigError, UsageError
from hil.plant.signals import PlantSignal
from hil.units import Span
from hil.world.base import BaseWorld, Plant
from hil.world.pipe import World

Edits = Mapping[str, Edit]
"""Changes of reference devices beyond their named faults, by the device (``SeededFault.dut``)."""


class Lines(Mapping[str, Line]):
    """The lines of a live world by the role that they play."""

    def __init__(self, lines: Mapping[str, Line]) -> None:
        self._lines = dict(lines)

    def __getitem__(self, role: str) -> Line:
        return self._lines[role]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def can(self, role: str) -> FrameLine:
        """The CAN bus of a role; a line of another type raises :class:`RigError`."""
        return cast("FrameLine", self._of(role, "can"))

    def serial(self, role: str) -> ByteLine:
        """The serial line of a role; a line of another type raises :class:`RigError`."""
        return cast("ByteLine", self._of(role, "serial"))

    def tcp(self, role: str) -> StreamLine:
        """The TCP link of a role; a line of another type raises :class:`RigError`."""
        return cast("StreamLine", self._of(role, "tcp"))

    def bytes(self, role: str) -> ByteLine | StreamLine:
        """The serial line or TCP link of a role; any other raises :class:`RigError`."""
        return cast("ByteLine | StreamLine", self._of(role, "serial", "tcp"))

    def _of(self, role: str, *kinds: str) -> Line:
        line = self._lines.get(role)
        if line is None or line.kind not in kinds:
            found = "no port" if line is None else f"a port of type {line.kind}"
            raise RigError(f"role {role} has {found}; allowed is one of type {' or '.join(kinds)}")
        return line


@dataclass(frozen=True)
class Carried:
    """What a signals port carries of a plant: its signals, and the actuators in their safe state."""

    signals: tuple[PlantSignal, ...]
    safe: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Live:
    """How the two sides of a bench stand on real ports, each in a process of its own."""

    lines: Mapping[str, Mapping[str, str]]
    """Role, and type of port that may play it, to the name of its line in the world, as on a virtual bench."""
    surround: Callable[[BaseWorld, Setup, Lines], None]
    """Put the stand-ins of the bench into a world that has its plant."""
    device: Callable[[BaseWorld, Setup, Lines], None]
    """Put the reference device, with the setup's faults, into a world that has its plant, or one that carries it."""
    plant: Callable[[BaseWorld, Setup], Plant] | None = None
    """The bench's plant; None where the bench has none."""
    carried: Carried | None = None
    """What of it a signals port carries."""
    quiet: Span = 0
    """A device that has sent nothing for so long is at rest; 0 for one that sends only when it is asked."""
    rest: tuple[tuple[str, float, float], ...] = ()
    """Signals of the plant with the lowest and highest value that they have while the device is at rest."""
    holds: tuple[str, ...] = ()
    """Nodes that leave a device as it is when a case ends in order, as its plug is out then and the next case may know
    it by its pins alone. They know the order ``hold``."""
    standalone: Callable[[BaseWorld, Setup, Lines], None] | None = None
    """Put what stands around the device besides its plant beside it, where no bench does that."""

    def line_of(self, role: str, kind: str) -> str | None:
        """Name of the line of a role on a port of that type; None where this bench has no use for it."""
        return self.lines.get(role, {}).get(kind)


@dataclass(frozen=True)
class Kind:
    """How benches of one kind are made."""

    duts: tuple[str, ...]
    """The reference devices in its world: seeded faults of these take effect there."""
    build: Callable[[Setup, Edits], World]
    """The virtual world of a setup, with the setup's faults and the edits in the reference devices."""
    bench: Callable[[World, Setup, Judge, Sink], Core[Any]]
    """A bench on a world, judging by the setup's readings."""
    registers: Callable[[Setup], RegisterMap] | None = None
    """The register map of the device on the line of role modbus."""
    live: Live | None = None
    """How it stands on real ports; None where it cannot."""
    unfit: Callable[[Setup, Requirement, str | None], str | None] | None = None
    """Why a run (a requirement in a variant) is not applicable to the device of a setup; None when it is."""


def kind_names() -> tuple[str, ...]:
    """Every kind there is."""
    return tuple(sorted(module.name for module in iter_modules(kinds.__path__)))


def kind_of(name: str) -> Kind:
    """The kind of that name; :class:`UsageError` with those that there are."""
    if name not in kind_names():
        raise UsageError(f"no kind of bench {name!r}; there are {', '.join(kind_names())}")
    kind = import_module(f"{kinds.__name__}.{name}").KIND
    assert isinstance(kind, Kind), f"{name}: KIND is a Kind"
    return kind
