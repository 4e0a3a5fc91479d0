"""Load profiles: the vehicle's demand and behaviour over time, as plain values in files.

Nothing here drives a bench; :mod:`hil.bench.profiles` does. ``model`` and ``events`` say what a profile
is, ``files`` reads and writes it, ``plan`` turns it into a stimulus plan, ``seen`` and ``invariants``
judge what was observed, ``strategies`` generates, ``reduce`` makes a failing profile small.
"""

from hil.profile.model import Found, LoadProfile, Mode, Segment

__all__ = ["Found", "LoadProfile", "Mode", "Segment"]
