"""The reference AC charger and the stand-in vehicle on one charging point (IEC 61851-1, GB/T 18487.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hil.bench.ac import AcBench
from hil.bench.core import Sink
from hil.bench.judge import Judge
from hil.bench.opening import Edits, Kind
from hil.bench.setup import Setup
from hil.dut.ac import AcCharger, AcSpec, reference
from hil.dut.ac.control import FrontMaker
from hil.dut.faults import apply_faults
from hil.plant.ac import AcPlant
from hil.tester.ac import AcVehicle, AcVehicleSpec
from hil.units import ms, s
from hil.world.pipe import World
from hil.world.virtual import VirtualWorld

DUT = "ac"


def charger_spec(setup: Setup, edits: Edits) -> AcSpec:
    """The reference AC charger's data with the setup's faults of it and the edits."""
    spec = reference(setup.readings, setup.model)
    spec = spec.timing(validity=s(setup.validity)).but(safe_current=setup.safe_current)
    spec = apply_faults(DUT, spec, setup.faults)
    edit = edits.get(DUT)
    return spec if edit is None else edit(spec)


def point(world: VirtualWorld, spec: AcSpec, fronts: Iterable[FrontMaker] = ()) -> AcCharger:
    """Put plant, charger and vehicle into a world; the charger is to be added to its lines by the caller.

    The seed draws what no requirement fixes: how long the vehicle takes.
    """
    draw = world.rng("habits")
    world.add_plant(AcPlant(spec.phases))
    vehicle = replace(AcVehicleSpec(), close_after=ms(draw.randint(300, 700)), draw_after=ms(draw.randint(200, 600)))
    charger = AcCharger(spec, world.sense, fronts)
    world.add_node(AcVehicle(vehicle, world.sense))
    return charger


def _build(setup: Setup, edits: Edits) -> World:
    world = VirtualWorld(setup.seed)
    world.add_byte_node(point(world, charger_spec(setup, edits)))
    return world


def _bench(world: World, setup: Setup, judge: Judge, sink: Sink) -> AcBench:
    return AcBench(
        world,
        judge,
        setup.readings,
        sink,
        validity=s(setup.validity),
        safe_current=setup.safe_current,
        rated_current=reference(setup.readings, setup.model).rated_current,
    )


KIND = Kind(duts=(DUT,), build=_build, bench=_bench)
