"""What the plant tells: samples of its signals."""

from __future__ import annotations

import msgspec

from hil.units import Instant


class Sample(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="sample"):
    """A signal of the plant (or of an instrument) at an instant.

    ``low`` and ``high`` are the extremes since the previous sample of the same signal, so that
    "at no instant" can be judged without sampling finely. Booleans are 0.0 and 1.0.
    """

    t: Instant
    name: str
    value: float
    low: float
    high: float
