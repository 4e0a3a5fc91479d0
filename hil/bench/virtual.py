"""The virtual world of a rig: what its kind builds, with the rig's instruments, and a guard by the rig's envelope."""

from __future__ import annotations

from hil.bench.guard import guard_world
from hil.bench.instruments import add_instruments
from hil.bench.opening import Edits, Kind
from hil.bench.setup import Setup
from hil.safety.envelope import Envelope
from hil.world.base import BaseWorld
from hil.world.pipe import World


def build_virtual(kind: Kind, setup: Setup, edits: Edits, envelope: Envelope | None = None) -> World:
    """A fresh world of a setup, with the edits in the reference devices."""
    world = kind.build(setup, edits)
    if not isinstance(world, BaseWorld):
        return world
    carried = None if kind.live is None else kind.live.carried
    if setup.instruments and carried is not None:
        add_instruments(world, setup.instruments, {each.name: each for each in carried.signals})
    if envelope is not None:
        guard_world(world, kind, setup, envelope)
    return world
