"""The power circuit: stage, output, K1/K2, cable, K5/K6, pack; in closed form between events."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from hil.plant.curve import Curve
from hil.plant.pack import CELL_SPREAD, TEMPERATURE_SPREAD, Pack, charge_rate_limit
from hil.plant.record import Recorder
from hil.plant.stage import (
    INRUSH_OHM,
    LINK_OHM,
    RELAXED,
    RIPPLE_AMPERES,
    RIPPLE_PART,
    RIPPLE_VOLTS,
    Leg,
    Stage,
    longest,
)
from hil.units import SECOND, Instant, Span, s

_SLOW: Span = s(10)
"""Between samples of what only drifts."""
_JOULES_PER_KWH = 3.6e6


class Circuit:
    """Owns what runs between events; :meth:`commit` ends a leg, :meth:`begin` starts the next one.

    Between the two, fields of ``stage``, ``pack`` and the topology may be changed.
    """

    __slots__ = (
        "_amperes",
        "_drift_told",
        "_joined",
        "_leg",
        "_moving",
        "_out",
        "_recorder",
        "_terminal",
        "_volts",
        "_was_closed",
        "due",
        "k1k2",
        "k5k6",
        "link_heat",
        "metered",
        "pack",
        "plugged",
        "reads",
        "since",
        "stage",
    )

    def __init__(self, pack: Pack, recorder: Recorder) -> None:
        self.pack = pack
        self.stage = Stage()
        self.k1k2 = self.k5k6 = self.plugged = False
        self.metered = 0.0
        """Energy through the output so far, J."""
        self.link_heat = 0.0
        """The part of it that was lost before the pack's terminals, J."""
        self.since: Instant = 0
        """Start of the present leg."""
        self.due: Instant | None = None
        """End of the present leg."""
        self._recorder = recorder
        self._joined = self._was_closed = False
        self._amperes = self._volts = 0.0
        self._leg = Leg(0.0, 0.0, inf)
        self._out = Curve(0.0)
        self._terminal = pack.terminal(0.0, 0.0)
        self._moving = (False, False, False)
        self._drift_told: Instant = 0
        self.reads: dict[str, Callable[[float], float]] = {
            "output_voltage": self.output_voltage,
            "output_current": self.current,
            "battery_side_voltage": self.battery_side_voltage,
            "pack_voltage": self.pack_voltage,
            "pack_current": self.current,
            "inlet_voltage": self.inlet_voltage,
            "cell_voltage_max": lambda t: self.pack_voltage(t) / pack.spec.cells + CELL_SPREAD,
            "cell_voltage_min": lambda t: self.pack_voltage(t) / pack.spec.cells - CELL_SPREAD,
            "temperature_max": lambda t: self.celsius(t) + TEMPERATURE_SPREAD,
            "temperature_min": lambda t: self.celsius(t) - TEMPERATURE_SPREAD,
            "soc": self.soc,
            "charge_current_limit": self.charge_current_limit,
            "meter_energy": self.meter_energy,
        }
        """Analogue sensors, by seconds since the start of the leg."""
        recorder.level(0, "inrush_current", 0.0)
        recorder.level(0, "k1k2_open_current", 0.0)
        self.begin(0)
        self.tell_drift(0)

    # --- reading --------------------------------------------------------------------------------------

    def current(self, t: float) -> float:
        """A through the output; while K1/K2 and K5/K6 are closed also into the pack."""
        return self._leg.current + self._leg.slope * t

    def output_voltage(self, t: float) -> float:
        """V on the stage's side of K1/K2."""
        return self._out.value(t)

    def pack_voltage(self, t: float) -> float:
        """V at the pack's terminals."""
        return self._terminal.value(t)

    def battery_side_voltage(self, t: float) -> float:
        """V on the vehicle's side of K1/K2."""
        if self.k1k2:
            return self._out.value(t)
        return self._terminal.value(t) if self.k5k6 and self.plugged else 0.0

    def inlet_voltage(self, t: float) -> float:
        """V at the inlet, before K5/K6."""
        if self.k5k6:
            return self._terminal.value(t)
        return self._out.value(t) if self.k1k2 and self.plugged else 0.0

    def soc(self, t: float) -> float:
        """Percent."""
        leg = self._leg
        soc = 100.0 * self.pack.soc_after(t, leg.current, leg.slope)
        return soc if 0.0 <= soc <= 100.0 else max(0.0, min(soc, 100.0))

    def celsius(self, t: float) -> float:
        """Mean temperature of the pack."""
        return self.pack.celsius + self.pack.warming(self._leg.current) * t

    def charge_current_limit(self, t: float) -> float:
        """A that the pack's makers allow, by temperature and SOC."""
        leg = self._leg
        soc = self.pack.soc_after(t, leg.current, leg.slope)
        return charge_rate_limit(self.celsius(t), soc) * self.pack.spec.capacity

    def meter_energy(self, t: float) -> float:
        """kWh through the output."""
        return (self.metered + self._energy(t)) / _JOULES_PER_KWH

    def _energy(self, t: float) -> float:
        """J through the output since the start of the leg (Simpson's rule, as in the pack)."""
        leg, out = self._leg, self._out
        if leg.current == 0.0 and leg.slope == 0.0:
            return 0.0
        middle = out.value(t / 2) * self.current(t / 2)
        return (out.value(0.0) * leg.current + 4.0 * middle + out.value(t) * self.current(t)) * t / 6

    # --- events ---------------------------------------------------------------------------------------

    def commit(self, now: Instant) -> None:
        """Move the state on to ``now`` and tell how the signals got there."""
        if now <= self.since:
            return
        t = (now - self.since) / SECOND
        leg = self._leg
        self._amperes = leg.end if now == self.due else self.current(t)
        self._volts = max(self._out.value(t), 0.0)
        self._tell_before(now, t)
        delivered, taken = self._energy(t), self.pack.energy
        self.pack.advance(t, leg.current, leg.slope)
        self.metered += delivered
        self.link_heat += delivered - (self.pack.energy - taken)
        self.since = now

    def begin(self, now: Instant) -> None:
        """Start the leg that follows from the present state and tell where signals go on from."""
        self._connect(now)
        pack, stage = self.pack, self.stage
        if self._joined:
            leg = stage.drive(pack, self._amperes)
            self._terminal = pack.terminal(leg.current, leg.slope)
            self._out = self._terminal.plus(LINK_OHM * leg.current + stage.excess, LINK_OHM * leg.slope)
        else:
            self._terminal = pack.terminal(0.0, 0.0)
            self._out, seconds = stage.unloaded(self._volts)
            leg = Leg(0.0, 0.0, min(seconds, longest(pack, 0.0, 0.0)))
        self._leg = leg
        self.reads["output_voltage"] = self._out.value
        self.reads["pack_voltage"] = self._terminal.value
        self.due = None if leg.span is None else now + leg.span
        self._tell_after(now)

    def _connect(self, now: Instant) -> None:
        """What closing and opening onto a live pack does."""
        joined = self.k1k2 and self.k5k6 and self.plugged
        if self._was_closed and not self.k1k2:
            self._recorder.level(now, "k1k2_open_current", self._amperes)
        if joined and not self._joined:
            self._rush((self._volts - self.pack.terminal(0.0, 0.0).value(0.0)) / INRUSH_OHM, now)
        if not joined:
            self._amperes = 0.0
        self._joined, self._was_closed = joined, self.k1k2

    # --- telling --------------------------------------------------------------------------------------

    def _rush(self, amperes: float, now: Instant) -> None:
        """The output's capacitors meet the pack: a peak far shorter than a leg, negative out of the pack."""
        self._recorder.level(now, "inrush_current", abs(amperes))
        self._recorder.sample(now, "output_current", 0.0, min(amperes, 0.0), max(amperes, 0.0))

    def _tell_before(self, now: Instant, t: float) -> None:
        """Samples at the end of a leg, with the extremes on the way."""
        current_moves, output_moves, pack_moves = self._moving
        live, tell = self.stage.live, self._recorder.sample
        if current_moves:
            low, high = sorted((self._leg.current, self._amperes))
            if live:
                low = max(low - RIPPLE_AMPERES - RIPPLE_PART * low, 0.0)
                high += RIPPLE_AMPERES + RIPPLE_PART * high
            tell(now, "output_current", self._amperes, low, high)
        if output_moves:
            ripple = RIPPLE_VOLTS if live and (current_moves or not self._joined) else 0.0
            value = self._volts
            low, high = self._out.extremes(t)
            low, high = max(low - ripple, 0.0), high + ripple
            tell(now, "output_voltage", value, low, high)
            if self.k1k2:
                tell(now, "battery_side_voltage", value, low, high)
        if pack_moves:
            value = self._terminal.value(t)
            low, high = self._terminal.extremes(t)
            tell(now, "pack_voltage", value, low, high)
            if self.k5k6 and self.plugged and not self.k1k2:
                tell(now, "battery_side_voltage", value, low, high)

    def _tell_after(self, now: Instant) -> None:
        """Where steps have led to, and where movement begins."""
        moved = self._moving[0]
        current_moves = self._leg.current != 0.0 or self._leg.slope != 0.0
        pack_moves = current_moves or abs(self.pack.vrc) >= RELAXED
        out = self._out
        output_moves = pack_moves if self._joined else self.stage.live or out.b != 0.0 or out.d != 0.0
        self._moving = (current_moves, output_moves, pack_moves)
        onward = self._recorder.onward
        onward(now, "output_current", self._leg.current, current_moves)
        onward(now, "output_voltage", out.value(0.0), output_moves)
        onward(now, "pack_voltage", self._terminal.value(0.0), pack_moves)
        side_moves = output_moves if self.k1k2 else pack_moves and self.k5k6 and self.plugged
        onward(now, "battery_side_voltage", self.battery_side_voltage(0.0), side_moves)
        if now - self._drift_told >= _SLOW or (moved and not current_moves):
            self.tell_drift(now)

    def tell_drift(self, now: Instant) -> None:
        """Samples of what changes too slowly to be told at every event."""
        self._drift_told = now
        drift = self._recorder.drift
        drift(now, "soc", self.soc(0.0))
        drift(now, "temperature_max", self.pack.celsius + TEMPERATURE_SPREAD)
        drift(now, "meter_energy", self.metered / _JOULES_PER_KWH)
