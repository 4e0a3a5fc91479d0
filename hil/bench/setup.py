"""A bench as a plain value, and the virtual world built from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec

from hil.bus.can import VirtualCan
from hil.dut.faults import Edit, apply_faults
from hil.dut.gbt27930 import Charger, reference
from hil.errors import RigError, UsageError
from hil.plant import PRESETS, Plant
from hil.protocol.gbt27930 import edition
from hil.tester.gbt27930 import VEHICLES, Vehicle, VehicleSpec
from hil.units import ms
from hil.world.virtual import VirtualWorld

BITRATE = 250_000
"""Sheet 1.1."""


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
    map: str = ""
    """Register map of a Modbus device; empty for that of the reference device."""
    validity: float = 60.0
    """s for which an AC charger takes a limit that nobody repeats."""
    safe_current: float = 10.0
    """A to which an AC charger falls back without a limit."""
    faults: tuple[str, ...] = ()
    """Seeded faults; those of devices that are not in the world have no effect."""


def build(
    setup: Setup, edit: Edit | None = None, vehicle: Callable[[VehicleSpec], VehicleSpec] | None = None
) -> VirtualWorld:
    """The virtual world of a setup; ``edit`` changes the reference charger beyond its named faults, ``vehicle`` the
    stand-in vehicle.

    The seed draws what no requirement fixes: the pack's SOC, how long the vehicle's self test and
    the charger's insulation test take. Raises :class:`UsageError` for unknown names.
    """
    if setup.vehicle not in VEHICLES:
        raise RigError(f"no vehicle preset {setup.vehicle!r}; there are {', '.join(VEHICLES)}")
    messages = edition(setup.edition)
    world = VirtualWorld(setup.seed, messages)
    draw = world.rng("habits")
    soc = draw.uniform(30.0, 60.0) if setup.soc is None else setup.soc
    if not 0.0 <= soc <= 100.0:
        raise UsageError(f"soc: {soc} is not within 0..100 percent")
    vehicle_spec = VEHICLES[setup.vehicle]
    vehicle_spec = replace(vehicle_spec, spans={**vehicle_spec.spans, "self_test": ms(draw.randint(300, 600))})
    charger_spec = reference(setup.readings).timing(insulation=ms(draw.randint(800, 1200)))
    charger_spec = apply_faults("gbt27930", charger_spec, setup.faults)
    if edit is not None:
        charger_spec = edit(charger_spec)
    if vehicle is not None:
        vehicle_spec = vehicle(vehicle_spec)
    bus = VirtualCan(world.queue, bitrate=BITRATE, name="can0", sink=world.see, rng=world.rng("can0"))
    world.add_line(bus)
    plant = Plant(PRESETS[vehicle_spec.preset], soc=soc, temperature=setup.temperature)
    world.add_plant(plant)
    world.add_node(Charger(charger_spec, world.sense, messages), bus)
    if not charger_spec.leaves_bus_off:
        bus.stay_off(Charger.name)
    world.add_node(Vehicle(vehicle_spec, world.sense, messages), bus)
    return world


def highest_voltage(vehicle: str) -> float:
    """Maximum total voltage of a vehicle preset, in V; an unknown one raises :class:`RigError`."""
    if vehicle not in VEHICLES:
        raise RigError(f"no vehicle preset {vehicle!r}; there are {', '.join(VEHICLES)}")
    return VEHICLES[vehicle].max_total_voltage
