"""Judging the output of a DC charger."""

from __future__ import annotations

from hil.bench.content import ContentChecks
from hil.bench.core import Moment, instant_of
from hil.bench.judge import Inconclusive
from hil.conformance.catalogue import limit, quantity
from hil.conformance.verdict import Measurement, Verdict

CURRENT = "output_current"
VOLTAGE = "output_voltage"


class ElectricalChecks(ContentChecks):
    """The part of a bench that judges the output."""

    def expect_no_power(self, *, after: Moment) -> None:
        """The output falls to 5 A or less (sheet 4.8, figure A.6) and stays there.

        Judged by measurement where the bench shows the output; not observed otherwise. Without any power
        before, nothing is judged.
        """
        start, within = instant_of(after), limit("stop-current")
        low_enough = quantity("no-power").high
        assert low_enough is not None, "limits.toml gives it"
        self.until(start)
        if self.shows(CURRENT):
            if not any(each.high > low_enough for each in self.record.samples(CURRENT, until=start)):
                raise Inconclusive("there was no power that could be taken off")
            reached = self.expect_signal(CURRENT, high=low_enough, after=start, within=within, label="time to no power")
            if reached is not None:
                self.expect_at_no_instant(
                    CURRENT, "output current afterwards", high=low_enough, after=reached, until=reached + within.high
                )
            return
        self.judge.add(Measurement("time to no power", None, "s", None, None, Verdict.NONE, start, "not observed"))
