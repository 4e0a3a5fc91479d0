"""Protective functions of the reference AC charger: what has stood for its span trips (section 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from hil.dut.ac.spec import AcSpec
from hil.units import FAR, Instant


class Seen(NamedTuple):
    """What the controller knows of its surroundings."""

    view: Mapping[str, float]
    """Sensors by name."""
    on: bool
    """The contactor's command."""
    limit: float
    """The current offered, A; 0 for none."""
    negative_half: bool
    """A vehicle is there and the pilot oscillates, so that its negative half shows the vehicle's diode."""
    cable: bool
    """The cable is coded, or a fixed one."""


class Protection:
    """Watches conditions; the first that has held for its span is the cause of a trip."""

    def __init__(self, spec: AcSpec) -> None:
        self._spec = spec
        self._since: dict[str, Instant] = {}
        self.due: Instant = FAR

    def look(self, seen: Seen, now: Instant) -> None:
        """Inputs have changed."""
        held = set(self._holding(seen))
        self._since = {cause: self._since.get(cause, now) for cause in held}
        self.due = min((since + self._spec.spans[cause] for cause, since in self._since.items()), default=FAR)

    def tripped(self, now: Instant) -> str:
        """The cause that trips now, or nothing."""
        if now < self.due:
            return ""
        causes = [cause for cause, since in self._since.items() if since + self._spec.spans[cause] <= now]
        self.due = FAR
        self._since = {}
        return min(causes)

    def _holding(self, seen: Seen) -> Iterator[str]:
        spec, view, on = self._spec, seen.view, seen.on
        for trip in spec.trips:
            value = view[trip.signal]
            if trip.while_on in (None, on) and (value <= trip.level if trip.falling else value >= trip.level):
                yield trip.cause
        if spec.overcurrent is not None and seen.limit and on:
            below, margin, factor = spec.overcurrent
            if view["line_current"] > (seen.limit + margin if seen.limit <= below else seen.limit * factor):
                yield "overcurrent"
        if spec.diode_below is not None and seen.negative_half and view["cp_low"] > spec.diode_below:
            yield "diode"
        if on and not seen.cable:
            yield "cable"
