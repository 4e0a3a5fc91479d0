"""The bench: a rig opened for one case. Cases plan, wait and judge through it."""

from __future__ import annotations

from hil.bench.driver import AtInstant, Driver, Moment, Monitors, Sink, ignore, instant_of
from hil.bench.electrical import ElectricalChecks
from hil.bench.messages import Where
from hil.conformance.catalogue import limit
from hil.protocol.gbt27930 import CEM, CRM
from hil.units import Instant, s

_QUIET = s(12)
"""A charger that is silent this long has ended its session: longer than any gap between CEM and CRM(00)
seen in the field, and longer than the time that opening everything may take."""
_ATTEMPT = s(40)
"""The longest reconnection: CEM, up to 30 s (T21) until CRM(00), T1 with its window."""
_RECONNECTIONS = {"three": 3, "two": 2, "none": 0}


class Bench(ElectricalChecks):
    """Everything a case may do. The parts: driving, waiting for messages, contents, signals."""

    @property
    def reconnections(self) -> int:
        """After so many in vain a charger gives up (register: reconnections)."""
        return _RECONNECTIONS[self.reading("reconnections")]

    def end(self) -> None:
        """Leave the session in order: stop from the vehicle's side, statistics, all open."""
        self.vehicle.resume()
        self.vehicle.stop("soc_reached")
        self.let(s(6))

    def replug(self) -> None:
        """Pull the plug and insert it again."""
        self.unplug()
        self.let(s(2))
        self.plug_in()
        self.let(s(1))

    def expect_interruption(self, *, after: Moment) -> Instant:
        """With the vehicle silent, the reconnections run out and everything opens (sheet 4.4).

        Judges the number of reconnections (register: reconnections), the time from the last time-out's
        first CEM until K1/K2 and K3/K4 are open, and returns the instant of the charger's last frame.
        """
        start = instant_of(after)
        last = self.until_silent(_QUIET, 5 * _ATTEMPT)
        restarts, reports = self._attempts(start)
        expected = float(self.reconnections)
        self.check("reconnections before the interruption", float(len(restarts)), equals=expected, at=last)
        begin = reports[-1] if reports else start
        self.expect_open("k1k2_closed", "K1/K2 open after the interruption", after=begin, within=limit("shutdown"))
        self.expect_open("k3k4_closed", "K3/K4 open after the interruption", after=begin, within=limit("shutdown"))
        return last

    def _attempts(self, start: Instant) -> tuple[list[Instant], list[Instant]]:
        """First CRM(00) after each series of CEM, and the first CEM of each series."""
        restarts: list[Instant] = []
        reports: list[Instant] = []
        reporting = False
        events = [*self.record.all(CEM.name, start), *self.record.all(CRM.name, start)]
        for seen in sorted(events, key=lambda each: each.t):
            if seen.name == CEM.name:
                if not reporting:
                    reports.append(seen.t)
                reporting = True
            elif reporting:
                restarts.append(seen.t)
                reporting = False
        return restarts, reports


__all__ = ["AtInstant", "Bench", "Driver", "Moment", "Monitors", "Sink", "Where", "ignore", "instant_of"]
