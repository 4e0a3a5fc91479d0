"""A bench as a plain value, and the virtual world built from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import msgspec

from hil.bus.can import VirtualCan
from hil.bus.serial import SerialFormat
from hil.dut.faults import Edit, apply_faults
from hil.dut.gbt27930 import Charger, ChargerSpec, reference
from hil.errors import RigError, UsageError
from hil.plant import PRESETS, Plant
from hil.plant.pack import ocv
from hil.protocol.gbt27930 import edition
from hil.rig import Rig
from hil.rig.instruments import InstrumentClaim
from hil.rig.ports import SerialPortSettings
from hil.tester.gbt27930 import MISFITS, VEHICLES, Vehicle, VehicleSpec
from hil.units import Span, ms
from hil.world.base import BaseWorld
from hil.world.virtual import VirtualWorld

BITRATE = 250_000
"""Sheet 1.1."""
LINE = "can0"
"""Name of the bus in every world, whatever port carries it."""

_PARITIES = "NEO"
_SOC = (30.0, 60.0)
"""Percent between which the seed draws."""


class MeterPlace(msgspec.Struct, frozen=True):
    """A DL/T 645 meter as a rig has it; what is empty is the usual."""

    address: str = ""
    """Twelve digits."""
    password: str = ""
    """Six digits."""
    level: int = 2
    """Of the password."""
    operator: str = ""
    """Eight digits."""
    format: SerialFormat | None = None
    """Of the line, where the rig has a port for it."""

    @classmethod
    def of(cls, rig: Rig) -> MeterPlace:
        """The meter that a rig file describes."""
        dut, port = rig.dut, rig.ports.get(rig.roles.get("meter", ""))
        form = None
        if isinstance(port, SerialPortSettings) and port.parity in _PARITIES:
            form = SerialFormat(port.baud, port.bits, port.parity, int(port.stop))
        return cls(dut.address, dut.password, dut.password_level, dut.operator, form)


class Setup(msgspec.Struct, frozen=True):
    """Everything a virtual bench is made from; serialisable, so that any process can build it."""

    seed: int = 0
    edition: str = "2015"
    vehicle: str = "car-400v"
    soc: float | None = None
    """Percent at the start; None leaves it to the seed."""
    temperature: float = 25.0
    """Of the pack at the start, °C."""
    readings: dict[str, str] = {}
    """Choices of the interpretation register that the reference device is built to."""
    model: str = ""
    """Model of the reference device, where its kind has several; empty for the usual one."""
    claims: dict[str, bool | float] = {}
    """What the rig file tells of a device on real ports (``[dut.claims]``), whose model is no matter of the run."""
    map: str = ""
    """Register map of a Modbus device; empty for that of the reference device."""
    transport: str = ""
    """``tcp`` or ``rtu`` where a rig reaches its Modbus device one way only; empty where it does by either."""
    validity: float = 60.0
    """s for which an AC charger takes a limit that nobody repeats."""
    safe_current: float = 10.0
    """A to which an AC charger falls back without a limit."""
    instruments: tuple[InstrumentClaim, ...] = ()
    """What the bench measures with; what none of them measures is the plant's."""
    meter: MeterPlace = MeterPlace()
    """Where a DL/T 645 meter is, and what it takes."""
    faults: tuple[str, ...] = ()
    """Seeded faults; those of devices that are not in the world have no effect."""


class Habits(NamedTuple):
    """What no requirement fixes and the seed draws, in the order in which it is drawn."""

    soc: float
    """Percent."""
    self_test: Span
    """How long the vehicle's self test takes."""
    insulation: Span
    """How long the charger's insulation test takes."""


def habits(world: BaseWorld, setup: Setup) -> Habits:
    """The habits of a setup; raises :class:`UsageError` for an SOC that no pack has."""
    draw = world.rng("habits")
    soc = draw.uniform(*_SOC) if setup.soc is None else setup.soc
    if not 0.0 <= soc <= 100.0:
        raise UsageError(f"soc: {soc} is not within 0..100 percent")
    return Habits(soc, ms(draw.randint(300, 600)), ms(draw.randint(800, 1200)))


def charger_spec(setup: Setup, drawn: Habits, edit: Edit | None = None) -> ChargerSpec:
    """The reference charger's data with the setup's faults and the edit."""
    spec = reference(setup.readings).timing(insulation=drawn.insulation)
    spec = apply_faults("gbt27930", spec, setup.faults)
    return spec if edit is None else edit(spec)


def vehicle_spec(setup: Setup, drawn: Habits) -> VehicleSpec:
    """The stand-in vehicle's data; an unknown preset raises :class:`RigError`."""
    spec = _preset(setup.vehicle)
    return replace(spec, spans={**spec.spans, "self_test": drawn.self_test})


def pack_of(spec: VehicleSpec, setup: Setup, drawn: Habits) -> Plant:
    """The plant with that vehicle's pack."""
    return Plant(PRESETS[spec.preset], soc=drawn.soc, temperature=setup.temperature)


def build(
    setup: Setup, edit: Edit | None = None, vehicle: Callable[[VehicleSpec], VehicleSpec] | None = None
) -> VirtualWorld:
    """The virtual world of a setup; ``edit`` changes the reference charger beyond its named faults, ``vehicle`` the
    stand-in vehicle.

    The seed draws what no requirement fixes: the pack's SOC, how long the vehicle's self test and
    the charger's insulation test take. Raises :class:`UsageError` for unknown names.
    """
    messages = edition(setup.edition)
    world = VirtualWorld(setup.seed, messages)
    drawn = habits(world, setup)
    charger, car = charger_spec(setup, drawn, edit), vehicle_spec(setup, drawn)
    if vehicle is not None:
        car = vehicle(car)
    bus = VirtualCan(world.queue, bitrate=BITRATE, name=LINE, sink=world.see, rng=world.rng(LINE))
    world.add_line(bus)
    world.add_plant(pack_of(car, setup, drawn))
    runner = world.add_node(Charger(charger, world.sense, messages), bus)
    if not charger.leaves_bus_off:
        bus.stay_off(runner.node.name)
    world.add_node(Vehicle(car, world.sense, messages), bus)
    return world


def _preset(vehicle: str) -> VehicleSpec:
    spec = VEHICLES.get(vehicle) or MISFITS.get(vehicle)
    if spec is None:
        raise RigError(f"no vehicle preset {vehicle!r}; there are {', '.join((*VEHICLES, *MISFITS))}")
    return spec


def highest_voltage(vehicle: str) -> float:
    """Maximum total voltage of a vehicle preset, in V; an unknown one raises :class:`RigError`."""
    return _preset(vehicle).max_total_voltage


def resting_voltages(vehicle: str) -> tuple[float, float]:
    """Lowest and highest battery voltage of a preset at rest, in V, over the SOC that seeds draw."""
    cells = _preset(vehicle).cells
    low, high = (cells * ocv(percent / 100) for percent in _SOC)
    return low, high
