"""The other side: the reference device of a kind on real ports, for a bench elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hil.bench.live import SIGNALS
from hil.bench.opening import Lines, kind_of
from hil.bench.setup import Setup
from hil.dut.remote import RemotePlant
from hil.errors import RigError
from hil.protocol.gbt27930 import edition
from hil.rig.ports import PortSettings
from hil.transport.live import LiveWorld
from hil.transport.serving import serve_line


@dataclass(frozen=True)
class ServedSetup:
    """Everything that the serving process makes the device from; plain values, which cross to it."""

    kind: str
    setup: Setup
    ports: Mapping[str, PortSettings]
    """By role, as the bench's rig has them: where the bench connects, this side listens."""
    names: Mapping[str, str]
    """Plant signal to its name on the box, where it differs."""
    interlocks: tuple[str, ...] = ()
    """Names on the box of those that the rig watches there."""
    standalone: bool = False
    """The device has a plant of its own, with everything around it, and needs no bench to charge."""


def served_ports(served: ServedSetup) -> dict[str, PortSettings]:
    """The ports, by role, that the device of a kind is served on: not every one of the rig is of use to it."""
    sides = kind_of(served.kind).live
    if sides is None:
        raise RigError(f"devices of kind {served.kind} cannot be served on real ports")
    return {
        role: settings
        for role, settings in served.ports.items()
        if sides.line_of(role, settings.type)
        or (role == SIGNALS and sides.carried is not None and not served.standalone)
    }


def build_served(served: ServedSetup) -> LiveWorld:
    """The device's side of a kind on real ports; raises :class:`RigError` for a port that cannot be served."""
    sides = kind_of(served.kind).live
    if sides is None:
        raise RigError(f"devices of kind {served.kind} cannot be served on real ports")
    world = LiveWorld(served.setup.seed, edition(served.setup.edition))
    lines = {
        role: serve_line(world, replace(settings, name=sides.line_of(role, settings.type) or role))
        for role, settings in served_ports(served).items()
    }
    if SIGNALS in lines and sides.carried is not None:
        remote = RemotePlant(
            "plant",
            SIGNALS,
            sides.carried.signals,
            safe=sides.carried.safe,
            names=served.names,
            box=f"hil {served.kind}",
            closed=served.interlocks,
        )
        world.add_plant(remote)
        line = lines[SIGNALS]
        if line.kind == "tcp":
            world.add_byte_node(remote, serves=line)
        else:
            world.add_byte_node(remote, line)  # type: ignore[arg-type]  # a signals port is no CAN bus
    elif served.standalone and sides.plant is not None:
        world.add_plant(sides.plant(world, served.setup))
    elif sides.carried is not None:
        raise RigError("the device's plant is the bench's: give role signals a port, or serve it standalone")
    sides.device(world, served.setup, Lines(lines))
    if served.standalone and sides.standalone is not None:
        sides.standalone(world, served.setup, Lines(lines))
    return world
