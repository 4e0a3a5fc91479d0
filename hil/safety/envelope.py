"""What a rig may be driven to: every set-point passes it, generated ones too."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan

from hil.errors import UsageError


@dataclass(frozen=True)
class Envelope:
    """Limits of a rig: V, A, W, and seconds of one session. Infinite where the rig sets none."""

    max_voltage: float = inf
    max_current: float = inf
    max_power: float = inf
    max_duration: float = inf
    interlocks: tuple[str, ...] = ()
    """What holds the energy off beside this, by name."""

    def __post_init__(self) -> None:
        """Raises :class:`UsageError` naming the field for a limit that is not above 0."""
        for name in ("max_voltage", "max_current", "max_power", "max_duration"):
            value = getattr(self, name)
            if isnan(value) or value <= 0:
                raise UsageError(f"envelope, {name}: {value:g}; allowed is more than 0")
