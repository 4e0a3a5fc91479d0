"""What a rig may be driven to: every set-point passes it, generated ones too."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan
from typing import NamedTuple

from hil.errors import UsageError


class SetPoint(NamedTuple):
    """What something is asked for: at most so many V, A and W, as far as it says any."""

    name: str
    """Of the message, register or command."""
    voltage: float = 0.0
    current: float = 0.0
    power: float = 0.0
    fallback: bool = False
    """It is what something falls back to later: nothing flows by it now."""
    releases: bool = False
    """It permits what other set-points ask for, and asks for nothing itself."""

    @property
    def energises(self) -> bool:
        """Whether energy may flow by it."""
        return not self.fallback and (self.releases or any((self.voltage, self.current, self.power)))


class Excess(NamedTuple):
    """A value beyond a limit."""

    value: float
    most: float
    unit: str


@dataclass(frozen=True)
class Envelope:
    """Limits of a rig: V, A, W, and seconds of one session. Infinite where the rig sets none."""

    max_voltage: float = inf
    max_current: float = inf
    max_power: float = inf
    max_duration: float = inf
    interlocks: tuple[str, ...] = ()
    """What holds the energy off beside this, by name."""
    phases: int | None = None
    """1 or 3: that of a charger that is told a current each phase. None: as its register map has it, else 1."""
    nominal_voltage: float | None = None
    """V line to neutral: with the phases, what power such a current is. None: it is judged as a current alone."""

    def __post_init__(self) -> None:
        """Raises :class:`UsageError` naming the field for a limit that is not above 0."""
        for name in ("max_voltage", "max_current", "max_power", "max_duration"):
            value = getattr(self, name)
            if isnan(value) or value <= 0:
                raise UsageError(f"envelope, {name}: {value:g}; allowed is more than 0")

    def excess(self, asked: SetPoint) -> Excess | None:
        """By what a set-point is beyond it; None where it is within."""
        for value, most, unit in (
            (asked.voltage, self.max_voltage, "V"),
            (asked.current, self.max_current, "A"),
            (asked.power, self.max_power, "W"),
        ):
            if value > most:
                return Excess(value, most, unit)
        return None

    def power_of(self, current: float, phases: int) -> float:
        """W of a current each phase, A; 0 where no voltage is known. ``phases`` where the envelope has none."""
        return 0.0 if self.nominal_voltage is None else (self.phases or phases) * self.nominal_voltage * current
