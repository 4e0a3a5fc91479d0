"""Ways of a charger that only an unusual load profile brings to light; the reference has none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hil.codec.frame import CanFrame
from hil.dut.gbt27930.power import PowerControl
from hil.units import SECOND, Instant, Span, ms

if TYPE_CHECKING:
    from hil.dut.gbt27930.steps import ChargerSteps

_CV = 1
_QUICK: Span = ms(60)
"""Demands that change with each BCL come closer together than this."""
_REPORT = 0x18FFA056
"""A proprietary broadcast of the charger (J1939 PDU2)."""
_LONG_AGO: Instant = -(1 << 62)


@dataclass(frozen=True)
class Quirks:
    """All off. Currents in A, spans in nanoseconds."""

    overshoot_from: float = 0.0
    """A rise by this much or more overshoots; 0 for never."""
    overshoot: float = 1.05
    overshoot_span: Span = 0
    deaf_after_change: Span = 0
    """A new demand within this span of the last one taken is lost."""
    cv_keeps_current: bool = False
    """A lower current demand is not taken in constant-voltage mode."""
    resumes_old_demand: bool = False
    """After a pause the demand from before it is followed until the next change."""
    wakes_in_pause: bool = False
    """A changed demand is followed although the output is paused."""
    limits_in_cc_only: bool = False
    """The limits of both sides are kept in constant-current mode only."""
    finishes_rise: Span = 0
    """A stop within this span of a higher demand waits for the span's end."""
    tells_demand: Span = 0
    """CCS tells the demand instead of the output for this span after a change."""
    meter_restarts: bool = False
    """Energy counts anew after each pause."""
    opens_after: Span = 0
    """K1/K2 open this long after a stop began, whatever flows."""
    reconnections_add_up: bool = False
    """A charge that succeeds does not make up for the reconnections before it."""
    most_pauses: int = 0
    """After more pauses than this the output stays off; 0 for no limit."""
    off_between: tuple[float, float] = (0.0, 0.0)
    """Demands in this range are met with ``off_gain``."""
    off_gain: float = 1.0
    cv_gain: float = 1.0
    """Of the voltage in constant-voltage mode, while less than ``cv_below`` is demanded."""
    cv_below: float = 0.0
    cv_keeps_at_zero: bool = False
    """A demand of 0 in constant-voltage mode leaves the output as it is."""
    slow_above: float = 0.0
    """A current above this falls by ``slow_fall`` A/s; 0 for none."""
    slow_fall: float = 0.0
    early_after_reconnection: bool = False
    """After a reconnection the former set-points are in force as soon as K1/K2 close."""
    ccs_waits: Span = 0
    """A demand that changes with each BCL puts the next CCS off by this much."""
    reports_changes: int = 0
    """Each changed demand is reported by one frame more than the one before, up to so many; 0 for no report."""


class QuirkyPower(PowerControl):
    """The reference's control with some quirks."""

    def __init__(self, charger: ChargerSteps, quirks: Quirks) -> None:
        super().__init__(charger)
        self._quirks = quirks
        self._raw: Any = None
        """The latest BCL looked at."""
        self._taken: Any = None
        """The latest demand followed, as altered here."""
        self._changed: Instant = _LONG_AGO
        self._rose: Instant = _LONG_AGO
        self._over_until: Instant = _LONG_AGO
        self._paused: Any = None
        """BCL when the present pause began."""
        self._pauses = 0
        self._charges = 0
        self._reported = 0

    # --- following ----------------------------------------------------------------------------------

    def follow(self, bcl: Any, now: Instant) -> None:
        """Follow a demand once, as far as the quirks let it through."""
        if bcl is self._raw:
            return
        self._raw = bcl
        quirks = self._quirks
        if now < self._changed + quirks.deaf_after_change:
            return
        if quirks.cv_keeps_at_zero and bcl.mode == _CV and not bcl.current_demand:
            return
        quick = now < self._changed + _QUICK
        if quick and quirks.ccs_waits and "CCS" in self._charger.sends:
            self._charger.sends["CCS"] += quirks.ccs_waits
        self._report()
        before = self._target
        self._changed = now
        self._taken = self._altered(bcl)
        super().follow(self._taken, now)
        if quirks.limits_in_cc_only and bcl.mode == _CV:
            self._beyond_limits(self._taken, now)
        if self._target > before:
            self._rose = now
            if quirks.overshoot_from and self._target - before >= quirks.overshoot_from:
                self._over_until = now + quirks.overshoot_span
                self.slew(now)

    def _report(self) -> None:
        """A list that is never cleared is told from its start."""
        if self._reported < self._quirks.reports_changes:
            self._reported += 1
        self._charger.out += [CanFrame(_REPORT, bytes(8))] * self._reported

    def _altered(self, bcl: Any) -> Any:
        quirks = self._quirks
        volts, amperes = bcl.voltage_demand, -bcl.current_demand
        if bcl.mode == _CV:
            if quirks.cv_keeps_current and self._taken is not None:
                amperes = max(amperes, -self._taken.current_demand)
            if amperes < quirks.cv_below:
                volts *= quirks.cv_gain
        low, high = quirks.off_between
        if low <= amperes < high:
            amperes *= quirks.off_gain
        return bcl.replace(voltage_demand=volts, current_demand=-amperes)

    def _beyond_limits(self, bcl: Any, now: Instant) -> None:
        self._target = max(-bcl.current_demand, 0.0)
        self._charger.act("voltage_setpoint", bcl.voltage_demand)
        self.slew(now)

    def slew(self, now: Instant) -> None:
        """The set-point goes to the target by the quirks' ways."""
        quirks, present = self._quirks, self._set_current
        super().slew(now)
        if quirks.slow_above and present > quirks.slow_above and self._target < present:
            self._fall_slowly(present, now)
        elif now < self._over_until:
            self._charger.act("current_setpoint", self._target * self._quirks.overshoot)
            self._charger.start_timer("demand_poll", now)

    def _fall_slowly(self, present: float, now: Instant) -> None:
        """One step of 10 ms, the charger's own between two looks at the demand."""
        step = self._quirks.slow_fall * self._charger.spans["demand_poll"] / SECOND
        self._set_current = max(present - step, self._target)
        self._charger.act("current_setpoint", self._set_current)
        self._charger.start_timer("demand_poll", now)

    # --- pauses and charges -------------------------------------------------------------------------

    def charge(self, now: Instant) -> None:
        """Begin, or go on."""
        charger, quirks = self._charger, self._quirks
        resumed, self._paused = self._paused is not None, None
        latest = charger.bcl
        old = self._raw if resumed and quirks.resumes_old_demand else None
        self._raw = None
        if old is not None:
            charger.bcl = old
        super().charge(now)
        if old is not None:
            charger.bcl = self._raw = latest
        if not resumed:
            self._charges += 1
        elif quirks.meter_restarts:
            self._meter_at_start = charger.sense("meter_energy", now)
        if quirks.reconnections_add_up:
            charger.reconnects = self._charges - 1
        if quirks.most_pauses and self._pauses > quirks.most_pauses:
            self._held = True
            self._target = self._set_current = 0.0
            charger.act("current_setpoint", 0.0)

    def precharged(self, now: Instant) -> bool:
        """The output is within the window of the precharge voltage."""
        ready = super().precharged(now)
        if ready and self._quirks.early_after_reconnection and self._taken is not None:
            self._charger.act("voltage_setpoint", self._taken.voltage_demand)
            self._charger.act("current_setpoint", -self._taken.current_demand)
        return ready

    def session_begins(self, now: Instant) -> None:
        """A new session knows nothing of the one before."""
        super().session_begins(now)
        self._pauses = self._charges = 0
        self._paused = self._taken = None

    def pause(self) -> None:
        """Output to nothing."""
        super().pause()
        self._paused = self._charger.bcl
        self._pauses += 1

    def watch(self, now: Instant) -> None:
        """With each CCS, in a pause too."""
        super().watch(now)
        paused = self._paused
        if self._quirks.wakes_in_pause and paused is not None and self._charger.bcl is not paused:
            self.follow(self._charger.bcl, now)

    # --- telling and stopping -----------------------------------------------------------------------

    def measure(self, now: Instant) -> tuple[float, float]:
        """What CCS tells."""
        volts, amperes = super().measure(now)
        if now < self._changed + self._quirks.tells_demand and self._raw is not None:
            amperes = -self._raw.current_demand
        return volts, amperes

    def cut(self, now: Instant, *, fast: bool) -> None:
        """Take the current down, unless a rise has to be finished first."""
        if now < self._rose + self._quirks.finishes_rise and not fast:
            return
        super().cut(now, fast=fast)

    def ramp_and_open(self, now: Instant) -> None:
        """The next step of a stop."""
        quirks = self._quirks
        if now < self._rose + quirks.finishes_rise:
            return
        if quirks.finishes_rise and self._ended is None:
            self.cut(now, fast=False)
        super().ramp_and_open(now)
        ended = self._ended
        if quirks.opens_after and ended is not None and now >= ended + quirks.opens_after:
            self._charger.do_open_k1k2(now)
