"""The reference AC charger with registers, the stand-in vehicle, and the bench's energy management on Modbus TCP."""

from __future__ import annotations

from msgspec.structs import replace

from hil.bench.ac_modbus import CLIENT, LINE, AcModbusBench
from hil.bench.core import Sink
from hil.bench.judge import Judge
from hil.bench.kinds.ac import CARRIED, REST, add_vehicle, charger_spec, is_digital, point, rated_current, standalone
from hil.bench.opening import Edits, Kind, Lines, Live
from hil.bench.setup import Setup
from hil.bus.tcp import VirtualTcp
from hil.codec.map_file import find_map
from hil.codec.registers import RegisterMap
from hil.conformance.catalogue import Requirement
from hil.dut.ac import AcCharger
from hil.dut.ac_modbus import FrontSpec, modbus_front, reference
from hil.dut.faults import apply_faults
from hil.plant.ac import AcPlant
from hil.tester.modbus import RegisterClient
from hil.units import s
from hil.world.base import BaseWorld
from hil.world.pipe import World
from hil.world.virtual import VirtualWorld

DUT = "ac_modbus"


def map_of(setup: Setup) -> RegisterMap:
    """The map of the charger: the rig's, or the one that the run is for (``model``)."""
    return find_map(setup.map or setup.model or reference().registers.name)


def front_spec(setup: Setup, edits: Edits) -> FrontSpec:
    """The reference registers' data with the setup's faults of them and the edits."""
    spec = apply_faults(DUT, reference(map_of(setup).name), setup.faults)
    edit = edits.get(DUT)
    return spec if edit is None else edit(spec)


def _charger(setup: Setup) -> Setup:
    """The setup of the charger behind the registers, whose model is the usual one."""
    return Setup(
        seed=setup.seed,
        readings=setup.readings,
        validity=setup.validity,
        safe_current=setup.safe_current,
        claims=setup.claims,
        faults=setup.faults,
    )


def _build(setup: Setup, edits: Edits) -> World:
    world = VirtualWorld(setup.seed)
    link = VirtualTcp(world.queue, name=LINE, sink=world.see)
    world.add_line(link)
    registers = modbus_front(LINE, front_spec(setup, edits))
    world.add_byte_node(point(world, charger_spec(_charger(setup), edits), (registers,)), serves=link)
    world.add_byte_node(RegisterClient(CLIENT, LINE, map_of(setup)), link)
    return world


def _plant(_: BaseWorld, setup: Setup) -> AcPlant:
    return AcPlant(charger_spec(_charger(setup), {}).phases)


def _surround(world: BaseWorld, setup: Setup, lines: Lines) -> None:
    add_vehicle(world)
    world.add_byte_node(RegisterClient(CLIENT, LINE, map_of(setup), permits=True), lines.tcp("modbus"))


def _device(world: BaseWorld, setup: Setup, lines: Lines) -> None:
    registers = modbus_front(LINE, front_spec(setup, {}))
    charger = AcCharger(charger_spec(_charger(setup), {}), world.sense, (registers,))
    world.add_byte_node(charger, serves=lines.tcp("modbus"))


def _bench(world: World, setup: Setup, judge: Judge, sink: Sink) -> AcModbusBench:
    return AcModbusBench(
        world,
        judge,
        setup.readings,
        sink,
        registers=map_of(setup),
        validity=s(setup.validity),
        safe_current=setup.safe_current,
        rated_current=rated_current(_charger(setup)),
        digital=is_digital(_charger(setup)),
    )


def _unfit(setup: Setup, requirement: Requirement, variant: str | None) -> str | None:
    own = map_of(replace(setup, model="")).name
    meant = map_of(replace(setup, map="", model=requirement.model(variant))).name
    return None if own == meant else f"the DUT's map is {own}"


LIVE = Live(
    lines={"modbus": {"tcp": LINE}},
    plant=_plant,
    carried=CARRIED,
    surround=_surround,
    device=_device,
    rest=REST,
    holds=(CLIENT,),
    standalone=standalone,
)
KIND = Kind(duts=("ac", DUT), build=_build, bench=_bench, registers=map_of, live=LIVE, unfit=_unfit)
