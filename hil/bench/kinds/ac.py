"""The reference AC charger and the stand-in vehicle on one charging point (IEC 61851-1, GB/T 18487.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from hil.bench.ac import AcBench
from hil.bench.core import Sink
from hil.bench.judge import Judge
from hil.bench.load import LOAD, LOAD_DRIVER, LOAD_LINE
from hil.bench.opening import Carried, Edits, Kind, Lines, Live
from hil.bench.setup import Setup
from hil.bus.serial import SerialFormat, VirtualSerial
from hil.dut.ac import AcCharger, AcSpec, reference
from hil.dut.ac.control import FrontMaker
from hil.dut.faults import apply_faults
from hil.plant.ac import AcPlant
from hil.plant.ac_signals import AC_SAFE_STATE, AC_SIGNALS
from hil.tester.ac import AcVehicle, AcVehicleSpec
from hil.tester.scpi import Instrument, InstrumentSpec, ScpiDriver
from hil.units import ms, s
from hil.world.base import BaseWorld
from hil.world.pipe import World
from hil.world.virtual import VirtualWorld

DUT = "ac"
_LOAD_BAUD = 115_200
_MAKE = ("rated_current", "ventilation", "digital", "socket")
"""Claims that tell how a charger is made."""
_MOST = 80.0
"""A each phase, the highest that a pilot can offer."""


def charger_spec(setup: Setup, edits: Edits) -> AcSpec:
    """The reference AC charger's data with the setup's faults of it and the edits."""
    spec = _as_claimed(reference(setup.readings, setup.model), setup)
    spec = spec.timing(validity=s(setup.validity)).but(safe_current=setup.safe_current)
    spec = apply_faults(DUT, spec, setup.faults)
    edit = edits.get(DUT)
    return spec if edit is None else edit(spec)


def _as_claimed(spec: AcSpec, setup: Setup) -> AcSpec:
    """A charger on real ports is what its rig file claims."""
    claimed: dict[str, Any] = {name: setup.claims[name] for name in _MAKE if name in setup.claims}
    if "rated_current" in claimed:
        claimed["installation"] = claimed["rated_current"]
    return spec.but(**claimed)


def rated_current(setup: Setup) -> float:
    """What the charger of a setup may offer where it is installed, A each phase."""
    return _as_claimed(reference(setup.readings, setup.model), setup).rated_current


def is_digital(setup: Setup) -> bool:
    """Whether the charger of a setup begins with 5 % for digital communication."""
    return _as_claimed(reference(setup.readings, setup.model), setup).digital


def point(world: VirtualWorld, spec: AcSpec, fronts: Iterable[FrontMaker] = ()) -> AcCharger:
    """Put plant, charger, vehicle and load into a world; the charger is to be added to its lines by the caller."""
    world.add_plant(AcPlant(spec.phases))
    charger = AcCharger(spec, world.sense, fronts)
    add_vehicle(world)
    add_load(world)
    return charger


def add_vehicle(world: BaseWorld) -> None:
    """Put the stand-in vehicle into a world. The seed draws what no requirement fixes: how long it takes."""
    draw = world.rng("habits")
    vehicle = replace(AcVehicleSpec(), close_after=ms(draw.randint(300, 700)), draw_after=ms(draw.randint(200, 600)))
    world.add_node(AcVehicle(vehicle, world.sense))


def _load_spec() -> InstrumentSpec:
    """The load of a virtual bench: what it draws flows in each phase, its voltage is line to neutral."""
    usual = InstrumentSpec()
    return replace(usual, ranges=MappingProxyType({**usual.ranges, "voltage": (0.0, 300.0), "current": (0.0, _MOST)}))


def add_load(world: BaseWorld) -> None:
    """Put an electronic load, switched off, and its driver on a line of their own into a world."""
    line = VirtualSerial(world.queue, name=LOAD_LINE, sink=world.see, line_format=SerialFormat(_LOAD_BAUD))
    world.add_line(line)
    world.add_byte_node(Instrument(LOAD, LOAD_LINE, world.sense, _load_spec()), line)
    world.add_byte_node(ScpiDriver(LOAD_DRIVER, LOAD_LINE), line)


def plant(_: BaseWorld, setup: Setup) -> AcPlant:
    """The charging point's plant."""
    return AcPlant(charger_spec(setup, {}).phases)


def _surround(world: BaseWorld, _: Setup, __: Lines) -> None:
    add_vehicle(world)


def _device(world: BaseWorld, setup: Setup, _: Lines) -> None:
    world.add_byte_node(AcCharger(charger_spec(setup, {}), world.sense))


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
        rated_current=rated_current(setup),
        digital=is_digital(setup),
    )


def standalone(world: BaseWorld, _: Setup, __: Lines) -> None:
    """Put the stand-in vehicle beside a device that no bench surrounds."""
    add_vehicle(world)


CARRIED = Carried(AC_SIGNALS, AC_SAFE_STATE)
REST = (("cp_high", 11.0, 13.0), ("contactor_closed", 0.0, 0.0), ("lock_engaged", 0.0, 0.0))
"""Without a vehicle: state A1 (sheet iec61851_control_pilot.md, 3)."""
LIVE = Live(
    lines={},
    plant=plant,
    carried=CARRIED,
    surround=_surround,
    device=_device,
    rest=REST,
    standalone=standalone,
)
KIND = Kind(duts=(DUT,), build=_build, bench=_bench, live=LIVE)
