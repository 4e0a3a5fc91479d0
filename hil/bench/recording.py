"""A world that only listens: every port of a rig, no node."""

from __future__ import annotations

from dataclasses import dataclass

from hil.rig.ports import PortSettings, SignalsPortSettings, TcpPortSettings
from hil.transport.live import LiveWorld
from hil.transport.ports import open_line


@dataclass(frozen=True)
class Listening:
    """The ports to listen on; plain values, which cross to the world's process."""

    ports: tuple[PortSettings, ...]


def build_listening(listening: Listening) -> LiveWorld:
    """A world with these ports and nobody on them; raises :class:`hil.errors.RigError` for one that stays shut."""
    world = LiveWorld(0)
    for settings in listening.ports:
        open_line(world, settings)
    return world


def deaf(settings: PortSettings) -> str | None:
    """Why a port cannot be listened to without taking part; None where it can."""
    if isinstance(settings, TcpPortSettings) or (
        isinstance(settings, SignalsPortSettings) and settings.transport != "serial"
    ):
        return "a connection shows its bytes only to those who take part in it"
    return None
