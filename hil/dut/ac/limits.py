"""How much current the reference AC charger may offer: the least of all limits, or none."""

from __future__ import annotations

from collections.abc import Mapping

from hil.dut.ac.spec import AcSpec
from hil.units import FAR, Instant

NO_REQUEST = 200.0
"""A: the end of the range, which limits nothing."""


class Limits:
    """The requested limit with its validity, and the least of all limits. Currents in A each phase."""

    def __init__(self, spec: AcSpec) -> None:
        self._spec = spec
        self.requested = NO_REQUEST
        self.safe_current = spec.safe_current
        self.valid_until: Instant = FAR

    def request(self, current: float, valid_until: Instant) -> None:
        """A limit was asked for, and counts up to an instant."""
        self.requested, self.valid_until = current, valid_until

    def expired(self, now: Instant) -> bool:
        """Whether whoever asked has been silent for too long."""
        return now >= self.valid_until and self._spec.keep_validity

    def dynamic(self, now: Instant) -> float:
        """The limit asked for, or the safe current."""
        if not self._spec.obey_request:
            return NO_REQUEST
        return self.safe_current if self.expired(now) else self.requested

    def cable(self, ohm: float) -> float:
        """The ampacity of the cable by its proximity resistance; 0 where it is no cable (section 4)."""
        for low, high, ampere in self._spec.cables:
            if low <= ohm <= high:
                return ampere
        return 0.0 if self._spec.check_cable else self._spec.rated_current

    def offered(self, view: Mapping[str, float], now: Instant) -> float:
        """What may be offered: the least of all limits, or 0 where that is less than the minimum."""
        spec = self._spec
        least = min(spec.installation, spec.rated_current, self.dynamic(now))
        if spec.socket:
            cable = self.cable(view["pp_resistance"])
            if cable == 0.0:
                return 0.0
            least = min(least, cable)
        return least if least >= spec.min_current else spec.rest
