"""Channels of ``can.Bus(interface="hil", channel=...)`` that bring a world of their own.

A channel is ``kind?option=value&...#anything``. Buses of one process that name the same channel meet on one bus; what
stands behind ``#`` only tells channels apart. The world ends with its last guest.

- ``gbt27930``: the reference DC charger with the plug inserted and a session authorised; the guest is the BMS.
- ``bus``: nobody but the guests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

import msgspec

from hil.bench.setup import BITRATE, LINE, Setup, build, charger_spec, habits, pack_of, vehicle_spec
from hil.bus.can import VirtualCan
from hil.bus.observe import BusErrorSeen, FrameSeen, Note
from hil.codec.frame import CanFrame
from hil.dut.gbt27930 import Charger
from hil.errors import UsageError
from hil.protocol.gbt27930 import edition
from hil.tester.gbt27930.inlet import Inlet
from hil.transport.door import Door, DoorBus, Pace, drop, publish
from hil.transport.door.registry import names
from hil.units import s
from hil.world.base import BaseWorld
from hil.world.observation import Observation
from hil.world.plan import AtInstant, Do, Plan, Rule, Stimulate
from hil.world.virtual import VirtualWorld

if TYPE_CHECKING:
    from can.typechecking import AutoDetectedConfig


class ChargerChannel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of the channel ``gbt27930``."""

    bms: Literal["guest", "stand-in"] = "guest"
    """Who is the BMS: the guest, or the stand-in vehicle, to which guests listen."""
    vehicle: str = "car-400v"
    """Preset whose pack is plugged in."""
    soc: float | None = None
    """Percent at the start; without it the seed decides."""
    temperature: float = 25.0
    """Of the pack at the start, °C."""
    edition: str = "2015"
    fault: tuple[str, ...] = ()
    """Seeded faults of the charger; may be given several times."""
    seed: int = 0
    start: float = 1.0
    """s from the beginning until the session is authorised."""


class BusChannel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of the channel ``bus``."""

    bitrate: int = BITRATE


def charger_world(options: ChargerChannel) -> BaseWorld:
    """The reference charger on a bus, with the stand-in vehicle or only the vehicle's pack and contactors."""
    setup = Setup(
        seed=options.seed,
        edition=options.edition,
        vehicle=options.vehicle,
        soc=options.soc,
        temperature=options.temperature,
        faults=options.fault,
    )
    if options.start < 0:
        raise UsageError(f"start={options.start}: 0 s or more is allowed")
    world = build(setup) if options.bms == "stand-in" else _alone(setup)
    world.execute(Do((Stimulate("plugged", 1, setup=True),)))
    world.execute(Plan((Rule("start", AtInstant(s(options.start)), (Stimulate("start_press", 1, setup=True),)),)))
    return world


def _alone(setup: Setup) -> BaseWorld:
    """As :func:`hil.bench.setup.build`, with the contactors of a vehicle in the stand-in's place."""
    messages = edition(setup.edition)
    world = VirtualWorld(setup.seed, messages)
    drawn = habits(world, setup)
    charger = charger_spec(setup, drawn)
    world.add_plant(pack_of(vehicle_spec(setup, drawn), setup, drawn))
    inlet = world.add_node(Inlet(world.sense, messages))

    def see(seen: FrameSeen | BusErrorSeen | Note) -> None:
        # The contactors hear what is on the bus without being a node that acknowledges.
        world.see(seen)
        if isinstance(seen, FrameSeen):
            inlet.on_frame(CanFrame(seen.id, seen.data, seen.extended), seen.t)

    bus = VirtualCan(world.queue, bitrate=BITRATE, name=LINE, sink=see, rng=world.rng(LINE))
    world.add_line(bus)
    runner = world.add_node(Charger(charger, world.sense, messages), bus)
    if not charger.leaves_bus_off:
        bus.stay_off(runner.node.name)
    return world


def empty_world(options: BusChannel) -> BaseWorld:
    """A bus without nodes."""
    world = VirtualWorld(0)
    world.add_line(VirtualCan(world.queue, bitrate=options.bitrate, name=LINE, sink=world.see))
    return world


KINDS: dict[str, tuple[type[msgspec.Struct], Callable[[Any], BaseWorld]]] = {
    "bus": (BusChannel, empty_world),
    "gbt27930": (ChargerChannel, charger_world),
}
"""Kind of channel to its options and its world."""


def open_door(channel: str, *, pace: Pace = "auto", sink: Callable[[Sequence[Observation]], None] = drop) -> Door:
    """Open a channel beforehand, so that it stays until it is closed and what is observed goes to ``sink``.

    :class:`UsageError` for a kind, an option or a value that there is not, and for a channel that is open.
    """
    return publish(_door(channel, pace=pace, sink=sink))


def _door(channel: str, **options: Any) -> Door:
    kind, _, query = channel.partition("#")[0].partition("?")
    if kind not in KINDS:
        open_now = ", ".join(names()) or "none"
        raise UsageError(f"no channel {channel!r}: open are {open_now}; made when asked for are {', '.join(KINDS)}")
    declared, build_world = KINDS[kind]
    return Door(channel, build_world(_read(declared, channel, query)), line=LINE, **options)


def _read(options: type[msgspec.Struct], channel: str, query: str) -> msgspec.Struct:
    allowed = options.__struct_fields__
    given: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in allowed:
            raise UsageError(f"channel {channel!r}: no option {name!r}; there are {', '.join(allowed)}")
        if name == "fault":
            given[name] = (*given.get(name, ()), value)
        elif name in given:
            raise UsageError(f"channel {channel!r}: option {name!r} is given twice")
        else:
            given[name] = value
    try:
        return msgspec.convert(given, options, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"channel {channel!r}: {error}") from error


class HilBus(DoorBus):
    """What ``can.Bus(interface="hil")`` is: a guest of an open channel, or of one made when it is asked for."""

    @staticmethod
    def _make(name: str) -> Door:
        return _door(name, ends_with_guests=True)

    @staticmethod
    def _detect_available_configs() -> list[AutoDetectedConfig]:
        """Channels that are open, and those made when asked for."""
        return [{"interface": "hil", "channel": name} for name in sorted({*names(), *KINDS})]
