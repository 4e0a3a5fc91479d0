"""The virtual world: it jumps from event to event, repeatable byte for byte.

It runs in the test's own process (or behind a pipe, see :mod:`hil.world.pipe`) and never looks at a
real clock.
"""

from __future__ import annotations

from hil.protocol.gbt27930 import MessageSet
from hil.world.base import BaseWorld
from hil.world.queue import EventQueue


class VirtualWorld(BaseWorld):
    """A world on virtual lines, in virtual time."""

    def __init__(self, seed: int, messages: MessageSet | None = None) -> None:
        super().__init__(seed, messages, EventQueue())
