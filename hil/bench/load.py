"""An electronic load at a charging point, in place of what the vehicle draws."""

from __future__ import annotations

from hil.bench.ac import AcBench
from hil.bench.scpi import ScpiOrders
from hil.errors import UsageError
from hil.protocol.scpi import DIALECTS
from hil.world.plan import Tell

LOAD, LOAD_DRIVER, LOAD_LINE = "electronic load", "electronic load driver", "electronic-load"
"""Nodes and their line."""


def put_load(bench: AcBench, driver: str = LOAD_DRIVER, dialect: str = "scpi-load") -> ScpiOrders:
    """From now on an electronic load draws, and the vehicle only works its pilot; the load is off to begin with.

    ``driver`` is the load of the virtual bench, or an instrument of kind ``scpi`` by the name that the rig file gives
    it; ``dialect`` is one of :data:`hil.protocol.scpi.dialect.DIALECTS`, else :class:`UsageError`. Currents and power
    are those of one phase. The vehicle still closes S2: without it there is no supply to load.
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
