"""The reference meter and the bench's reader on an RS-485 line, beside a charging point that loads the meter."""

from __future__ import annotations

from hil.bench.core import Sink
from hil.bench.dlt645 import DUT, LINE, READER, MeterBench
from hil.bench.judge import Judge
from hil.bench.kinds.ac import charger_spec, plant, point
from hil.bench.opening import Edits, Kind, Lines, Live
from hil.bench.setup import MeterPlace, Setup
from hil.bus.serial import VirtualSerial
from hil.dut.dlt645 import Meter, MeterSpec, reference
from hil.dut.faults import apply_faults
from hil.errors import UsageError
from hil.protocol.dlt645 import MAX_TARIFFS, Access
from hil.tester.dlt645 import MeterReader
from hil.world.base import BaseWorld
from hil.world.pipe import World
from hil.world.virtual import VirtualWorld

MODELS = {"": reference(), "tariffs": reference().but(tariffs=MAX_TARIFFS)}
"""Reference meters: the usual one, and one whose energies do not fit one frame."""


def meter_spec(setup: Setup, edits: Edits) -> MeterSpec:
    """The reference meter's data with the setup's faults of it and the edits."""
    if setup.model not in MODELS:
        raise UsageError(
            f"no model {setup.model!r} of the reference meter; there are {', '.join(filter(None, MODELS))}"
        )
    model = "tariffs" if setup.claims.get("following_frames") else setup.model
    spec = apply_faults("dlt645", _placed(MODELS[model], setup.meter), setup.faults)
    edit = edits.get("dlt645")
    return spec if edit is None else edit(spec)


def _placed(spec: MeterSpec, place: MeterPlace) -> MeterSpec:
    """A reference meter as the rig has it."""
    access = _access(place)
    key = access.key
    return spec.but(address=place.address or spec.address, level=key[0], password=key[1:])


def _access(place: MeterPlace) -> Access:
    usual = Access()
    return Access(place.password or usual.password, place.level, place.operator or usual.operator)


def _build(setup: Setup, edits: Edits) -> World:
    world = VirtualWorld(setup.seed)
    usual = reference().format
    line = VirtualSerial(world.queue, name=LINE, sink=world.see, line_format=usual, shared=True, echo=True)
    world.add_line(line)
    world.add_byte_node(point(world, charger_spec(Setup(seed=setup.seed, readings=setup.readings), {})))
    world.add_byte_node(Meter(DUT, LINE, world.sense, meter_spec(setup, edits)), line)
    world.add_byte_node(MeterReader(READER, LINE), line)
    return world


def _bench(world: World, setup: Setup, judge: Judge, sink: Sink) -> MeterBench:
    place, usual = setup.meter, reference()
    return MeterBench(
        world,
        judge,
        setup.readings,
        sink,
        address=place.address or usual.address,
        line_format=place.format or usual.format,
        access=_access(place),
    )


def _surround(world: BaseWorld, _: Setup, lines: Lines) -> None:
    world.add_byte_node(MeterReader(READER, LINE), lines.serial("meter"))


def _device(world: BaseWorld, setup: Setup, lines: Lines) -> None:
    if not world.has_plant:
        world.add_plant(plant(world, setup))
    world.add_byte_node(Meter(DUT, LINE, world.sense, meter_spec(setup, {})), lines.serial("meter"))


LIVE = Live(lines={"meter": {"serial": LINE}}, surround=_surround, device=_device)
KIND = Kind(duts=("dlt645",), build=_build, bench=_bench, live=LIVE)
