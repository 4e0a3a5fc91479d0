"""The reference DC charger and the stand-in vehicle on a CAN bus (GB/T 27930)."""

from __future__ import annotations

from hil.bench.bench import Bench
from hil.bench.core import Sink
from hil.bench.judge import Judge
from hil.bench.opening import Carried, Edits, Kind, Lines, Live
from hil.bench.setup import LINE, Setup, build, charger_spec, habits, pack_of, vehicle_spec
from hil.conformance.monitors import MonitorSet
from hil.dut.gbt27930 import Charger
from hil.plant import Plant
from hil.plant.signals import SAFE_STATE, SIGNALS
from hil.protocol.gbt27930 import edition
from hil.tester.gbt27930 import Vehicle
from hil.tester.gbt27930.inlet import Inlet
from hil.units import ms
from hil.world.base import BaseWorld
from hil.world.pipe import World


def _build(setup: Setup, edits: Edits) -> World:
    return build(setup, edits.get("gbt27930"))


def _bench(world: World, setup: Setup, judge: Judge, sink: Sink) -> Bench:
    monitors = MonitorSet(setup.edition, setup.readings, judge.stamps)
    return Bench(world, edition(setup.edition), judge, setup.readings, sink, monitors)


def _plant(world: BaseWorld, setup: Setup) -> Plant:
    drawn = habits(world, setup)
    return pack_of(vehicle_spec(setup, drawn), setup, drawn)


def _surround(world: BaseWorld, setup: Setup, lines: Lines) -> None:
    spec = vehicle_spec(setup, habits(world, setup))
    world.add_node(Vehicle(spec, world.sense, edition(setup.edition)), lines.can("can"))


def _device(world: BaseWorld, setup: Setup, lines: Lines) -> None:
    spec = charger_spec(setup, habits(world, setup))
    world.add_node(Charger(spec, world.sense, edition(setup.edition)), lines.can("can"))


def _standalone(world: BaseWorld, setup: Setup, lines: Lines) -> None:
    world.add_node(Inlet(world.sense, edition(setup.edition)), lines.can("can"))


LIVE = Live(
    lines={"can": {"can": LINE}},
    plant=_plant,
    carried=Carried(SIGNALS, SAFE_STATE),
    quiet=ms(1500),
    surround=_surround,
    device=_device,
    standalone=_standalone,
)
KIND = Kind(duts=("gbt27930",), build=_build, bench=_bench, live=LIVE)
