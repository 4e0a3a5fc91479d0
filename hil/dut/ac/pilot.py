"""What the reference AC charger reads from the pilot, and the duty cycle that tells a current."""

from __future__ import annotations

from hil.dut.ac.spec import AcSpec
from hil.units import FAR, Instant

_PER_AMPERE = 0.6
_PER_AMPERE_ABOVE, _BASE_ABOVE = 2.5, 64.0
DIGITAL = 5.0
"""Percent: digital communication is wanted (section 2)."""


def duty_for(current: float, spec: AcSpec) -> float:
    """The duty cycle in percent that offers a current in A (section 2)."""
    first = current <= spec.second_formula_from
    duty = current / _PER_AMPERE if first else current / _PER_AMPERE_ABOVE + _BASE_ABOVE
    return min(max(duty * spec.duty_gain + spec.duty_offset, 0.0), 100.0)


class PilotReader:
    """The letter that the positive level stands for, once it has stood for the debounce time."""

    def __init__(self, spec: AcSpec) -> None:
        self._spec = spec
        self.letter = "A"
        self._candidate = "A"
        self.due: Instant = FAR
        """When the candidate counts."""

    def read(self, level: float, now: Instant) -> None:
        """A level in V from now on."""
        letter = self._classify(level)
        if letter == self._candidate:
            return
        self._candidate = letter
        self.due = FAR if letter == self.letter else now + self._spec.spans["debounce"]

    def wake(self, now: Instant) -> str | None:
        """The new letter, where one counts from now on."""
        if now < self.due:
            return None
        self.due = FAR
        self.letter = self._candidate
        return self.letter

    def _classify(self, level: float) -> str:
        for letter, (low, high) in self._spec.windows.items():
            if low <= level <= high:
                return letter
        return "E"  # no state at all: treated as a short
