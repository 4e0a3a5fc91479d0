"""The reference DC charger and the stand-in vehicle on a CAN bus (GB/T 27930)."""

from __future__ import annotations

from hil.bench.bench import Bench
from hil.bench.core import Sink
from hil.bench.judge import Judge
from hil.bench.opening import Edits, Kind
from hil.bench.setup import Setup, build
from hil.conformance.monitors import MonitorSet
from hil.protocol.gbt27930 import edition
from hil.world.pipe import World


def _build(setup: Setup, edits: Edits) -> World:
    return build(setup, edits.get("gbt27930"))


def _bench(world: World, setup: Setup, judge: Judge, sink: Sink) -> Bench:
    monitors = MonitorSet(edition=setup.edition, readings=setup.readings)
    return Bench(world, edition(setup.edition), judge, setup.readings, sink, monitors)


KIND = Kind(duts=("gbt27930",), build=_build, bench=_bench)
