"""Every set-point that a bench sends passes the rig's envelope, and energy flows no longer than it allows."""

from hil.bench.guard.guard import KIND, Guard
from hil.bench.guard.lines import guard_world
from hil.bench.guard.told import ended_by, held_back, spoilt_by

__all__ = ["KIND", "Guard", "ended_by", "guard_world", "held_back", "spoilt_by"]
