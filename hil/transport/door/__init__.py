"""The door for python-can programs: ``can.Bus(interface="hil", channel=...)`` is a node on a virtual bus."""

from hil.transport.door.bus import DoorBus
from hil.transport.door.door import Door, drop
from hil.transport.door.passing import PACES, NothingMore, Pace
from hil.transport.door.registry import publish

__all__ = ["PACES", "Door", "DoorBus", "NothingMore", "Pace", "drop", "publish"]
