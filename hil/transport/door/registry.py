"""The channels of this process that ``can.Bus(interface="hil", channel=...)`` finds by their names."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hil.errors import UsageError
from hil.transport.door.door import Door

_open: dict[str, Door] = {}
_lock = threading.RLock()


def publish(door: Door) -> Door:
    """Let programs of this process find a door by its name; :class:`UsageError` for a name that is in use."""
    with _lock:
        if find(door.name) is not None:
            raise UsageError(f"a channel {door.name!r} is open already")
        _open[door.name] = door
    return door


def find(name: str) -> Door | None:
    """The door of that name, where one is open."""
    with _lock:
        door = _open.get(name)
        if door is not None and door.closed:
            del _open[name]
            return None
        return door


def find_or_publish(name: str, make: Callable[[str], Door]) -> Door:
    """The door of that name, made where none is open."""
    with _lock:
        return find(name) or publish(make(name))


def names() -> list[str]:
    """Channels that are open, sorted."""
    with _lock:
        return sorted(name for name, door in _open.items() if not door.closed)
