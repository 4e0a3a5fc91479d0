"""One soak session as a plain value: two sides as specs, and what happens to them."""

from __future__ import annotations

from dataclasses import dataclass

from hil.bench.setup import Setup
from hil.dut.gbt27930.spec import ChargerSpec
from hil.tester.gbt27930 import VehicleSpec
from hil.units import Span
from hil.world.plan import Action


@dataclass(frozen=True)
class Step:
    """Something to do, counted from the first CCS of a visit."""

    at: Span
    what: str
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class Loss:
    """The vehicle's wires are open, or shorted, from ``at`` on; so long as ``lasts``, nothing crosses."""

    at: Span
    lasts: Span
    reconnects: bool
    """Long enough for the charger to report it and to begin anew."""
    shorted: bool = False


@dataclass(frozen=True)
class Stop:
    """How a visit ends."""

    what: str
    actions: tuple[Action, ...]
    undo: tuple[Action, ...] = ()
    """Makes everything as it was, once all is open."""
    within: Span = 0
    """What comes on top of the usual time before CSD."""


@dataclass(frozen=True)
class Visit:
    """From the start of a charge until everything is open again."""

    replug: bool
    """The plug comes out and goes in before."""
    rest: Span
    """Between plugging, or the end of the last charge, and the start."""
    steps: tuple[Step, ...]
    losses: tuple[Loss, ...]
    length: Span
    """From the first CCS to the stop; 0 for a vehicle that gives up while it prepares (sheet 4.6, B4)."""
    stop: Stop


@dataclass(frozen=True)
class Plan:
    """All of one session. Equal seeds give equal plans."""

    seed: int
    setup: Setup
    charger: ChargerSpec
    vehicle: VehicleSpec
    csd: int
    """How many CSD the vehicle wants."""
    visits: tuple[Visit, ...]
    features: tuple[str, ...]
    """What this plan has that others have not, for counting."""

    @property
    def length(self) -> Span:
        """Time spent charging."""
        return sum(visit.length for visit in self.visits)
