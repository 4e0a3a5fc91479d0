"""An electronic load at a charging point, in place of what the vehicle draws."""

from __future__ import annotations

from types import MappingProxyType

from hil.bench.ac import AcBench
from hil.bench.scpi import ScpiOrders
from hil.errors import UsageError
from hil.tester.scpi import InstrumentSpec
from hil.tester.scpi.dialect import DIALECTS
from hil.world.plan import Tell

LOAD, LOAD_DRIVER, LOAD_LINE = "electronic load", "electronic load driver", "electronic-load"
"""Nodes and their line."""
LOAD_BAUD = 115_200
_MOST = 80.0
"""A each phase, the highest that a pilot can offer."""


def load_spec() -> InstrumentSpec:
    """The load of a virtual bench: what it draws flows in each phase, its voltage is line to neutral."""
    usual = InstrumentSpec()
    return InstrumentSpec(ranges=MappingProxyType({**usual.ranges, "voltage": (0.0, 300.0), "current": (0.0, _MOST)}))


def put_load(bench: AcBench, driver: str = LOAD_DRIVER, dialect: str = "scpi-load") -> ScpiOrders:
    """From now on an electronic load draws, and the vehicle only works its pilot; the load is off to begin with.

    ``driver`` is the load of the virtual bench, or an instrument of kind ``scpi`` by the name that the rig file gives
    it; ``dialect`` is one of :data:`hil.tester.scpi.dialect.DIALECTS`, else :class:`UsageError`. Currents and power are
    those of one phase. The vehicle still closes S2: without it there is no supply to load.
    """
    if dialect not in DIALECTS:
        raise UsageError(f"no dialect {dialect!r}; there are {', '.join(DIALECTS)}")
    bench.do(Tell("vehicle", "replace", {"on": True}))
    load = ScpiOrders(bench, driver, DIALECTS[dialect])
    load.take()
    return load


def take_load_away(bench: AcBench, load: ScpiOrders) -> None:
    """The load goes off and the vehicle draws again."""
    load.give()
    bench.do(Tell("vehicle", "replace", {"on": False}))
