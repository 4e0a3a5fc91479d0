"""The reference AC charger with a console, the stand-in vehicle, and the bench's client of the console (RAPI)."""

from __future__ import annotations

from hil.bench.core import Sink
from hil.bench.judge import Judge
from hil.bench.kinds.ac import CARRIED, REST, add_vehicle, charger_spec, plant, point, standalone
from hil.bench.opening import Edits, Kind, Lines, Live
from hil.bench.rapi import CLIENT, LINE, RapiBench
from hil.bench.setup import Setup
from hil.bus.serial import SerialFormat, VirtualSerial
from hil.dut.ac import AcCharger
from hil.dut.faults import apply_faults
from hil.dut.rapi import ConsoleSpec, reference
from hil.dut.rapi.front import console_front
from hil.tester.rapi import ConsoleClient
from hil.world.base import BaseWorld
from hil.world.pipe import World
from hil.world.virtual import VirtualWorld

DUT = "rapi"
BAUD = 115_200
"""Sheet serial 1.1."""


def console_spec(setup: Setup, edits: Edits, rated: float) -> ConsoleSpec:
    """The reference console's data for a charger of that current, with the setup's faults of it and the edits."""
    spec = apply_faults(DUT, reference().but(max_level2=int(rated)), setup.faults)
    edit = edits.get(DUT)
    return spec if edit is None else edit(spec)


def _build(setup: Setup, edits: Edits) -> World:
    world = VirtualWorld(setup.seed)
    line = VirtualSerial(world.queue, name=LINE, sink=world.see, line_format=SerialFormat(BAUD))
    world.add_line(line)
    charger = charger_spec(setup, edits)
    console = console_front(LINE, console_spec(setup, edits, charger.rated_current))
    world.add_byte_node(point(world, charger, (console,)), line)
    world.add_byte_node(ConsoleClient(CLIENT, LINE), line)
    return world


def _bench(world: World, setup: Setup, judge: Judge, sink: Sink) -> RapiBench:
    return RapiBench(world, judge, setup.readings, sink)


def _surround(world: BaseWorld, _: Setup, lines: Lines) -> None:
    add_vehicle(world)
    world.add_byte_node(ConsoleClient(CLIENT, LINE), lines.serial("console"))


def _device(world: BaseWorld, setup: Setup, lines: Lines) -> None:
    charger = charger_spec(setup, {})
    console = console_front(LINE, console_spec(setup, {}, charger.rated_current))
    world.add_byte_node(AcCharger(charger, world.sense, (console,)), lines.serial("console"))


LIVE = Live(
    lines={"console": {"serial": LINE}},
    plant=plant,
    carried=CARRIED,
    surround=_surround,
    device=_device,
    rest=REST,
    holds=(CLIENT,),
    standalone=standalone,
)
KIND = Kind(duts=(DUT,), build=_build, bench=_bench, live=LIVE)
