"""How the reference charger drives its power stage, contactors and discharge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hil.native import mypyc_attr
from hil.units import SECOND, Instant

if TYPE_CHECKING:
    from hil.dut.gbt27930.steps import ChargerSteps

_MINUTE = 60 * SECOND
_LONGEST_MINUTES = 600
"""CCS and CSD count no further (sheet 3.11)."""
_OVERVOLTAGE_MARGIN = 1.02
"""Above the vehicle's maximum by more than control error and measuring error."""


@mypyc_attr(allow_interpreted_subclasses=True)
class PowerControl:
    """Set-points over time. Reads sensors, sets actuators, knows nothing of the bus."""

    def __init__(self, charger: ChargerSteps) -> None:
        self._charger = charger
        self._target = 0.0
        self._set_current = 0.0
        self._set_voltage = 0.0
        self._enabled = self._discharging = False
        self._started: Instant | None = None
        self._ended: Instant | None = None
        self._meter_at_start = 0.0
        self._test_voltage = 0.0
        self._precharge_voltage = 0.0
        self._slewed: Instant = 0
        self._measured = 0.0
        self._ramp = 0.0
        self._followed: Any = None
        self._held = False
        """Gives no current any more after an interruption: a seeded fault."""

    # --- session counters ---------------------------------------------------------------------------

    def session_begins(self, now: Instant) -> None:
        """Charging time and energy count from nought in a new session."""
        self._started = self._ended = None
        self._held = False
        self._meter_at_start = self._charger.sense("meter_energy", now)

    def minutes(self, now: Instant) -> int:
        """Accumulated charging time, in whole minutes (sheet 3.11: 0..600)."""
        if self._started is None:
            return 0
        end = now if self._ended is None else self._ended
        gain = self._charger.spec.power.time_gain
        elapsed = gain * (end - self._started) // _MINUTE
        return elapsed if elapsed < _LONGEST_MINUTES else _LONGEST_MINUTES  # noqa: FURB136 - a call in a hot path

    def energy(self, now: Instant) -> float:
        """Energy delivered in this session, kWh, by the meter."""
        return max(self._charger.sense("meter_energy", now) - self._meter_at_start, 0.0)

    # --- insulation test and precharge ---------------------------------------------------------------

    def test(self, now: Instant) -> None:
        """Test voltage: the lower of BHM's and the own rated voltage (sheet 4.8)."""
        power = self._charger.spec.power
        told = self._charger.bhm.max_total_voltage
        lowest = told if power.test_beyond_rating else min(told, power.max_voltage)
        self._test_voltage = lowest * power.test_voltage_factor
        self._set(self._test_voltage, power.test_current)
        self._enable(True)

    def reached(self, now: Instant, factor: float) -> bool:
        """The output has settled at the test voltage."""
        return abs(self._charger.sense("output_voltage", now) - self._test_voltage) < 0.01 * self._test_voltage

    def insulation_bad(self, now: Instant) -> bool:
        """At or below 100 ohm per volt (sheet 4.8)."""
        power = self._charger.spec.power
        if not power.measure_insulation:
            return False
        resistance = self._charger.sense("insulation_resistance", now)
        return resistance <= power.insulation_fault_ohm_per_volt * self._test_voltage

    def battery_fits(self, now: Instant) -> bool:
        """Battery voltage within the tolerance of BCP and inside the output range (sheet 4.8)."""
        charger = self._charger
        power = charger.spec.power
        measured = charger.sense("battery_side_voltage", now)
        told = charger.bcp.present_voltage
        near = abs(measured - told) <= power.battery_tolerance * told
        return near and (not power.check_range or power.min_voltage <= measured <= power.max_voltage)

    def precharge(self, now: Instant) -> None:
        """Bring the output to just below the battery voltage."""
        charger = self._charger
        power = charger.spec.power
        self.end_discharge()
        self._precharge_voltage = charger.sense("battery_side_voltage", now) - power.precharge_below
        self._set(self._precharge_voltage, power.test_current)
        self._enable(True)

    def precharged(self, now: Instant) -> bool:
        """The output is within the window of the precharge voltage."""
        output = self._charger.sense("output_voltage", now)
        return abs(output - self._precharge_voltage) < self._charger.spec.power.precharge_window

    # --- charging -----------------------------------------------------------------------------------

    def charge(self, now: Instant) -> None:
        """Begin, or go on after a pause."""
        charger = self._charger
        if self._started is None:
            self._started = now
        else:
            self._held = not charger.spec.power.resume_output
        self._ended = None
        self._followed = None
        self._enable(True)
        charger.act("k1k2_command", 1)
        self.follow(charger.bcl, now)

    def follow(self, bcl: Any, now: Instant) -> None:
        """Set voltage and current to the demand, inside the limits of both sides."""
        charger = self._charger
        power = charger.spec.power
        if bcl is self._followed or self._held or (self._followed is not None and not power.follow_demand):
            return
        self._followed = bcl
        volts, amperes = bcl.voltage_demand, max(-bcl.current_demand, 0.0)
        if power.hold_at_zero and not (volts and amperes):
            return
        if charger.spec.readings.get("demand-zero", "minimum-output") == "minimum-output":
            volts, amperes = max(volts, power.min_voltage), max(amperes, power.min_current)
        if power.follow_limits:
            bcp = charger.bcp
            volts = min(volts, power.max_voltage, bcp.max_total_voltage)
            amperes = min(amperes, power.max_current, -bcp.max_current)
        volts *= power.set_voltage_gain
        self._set_voltage = volts
        charger.act("voltage_setpoint", volts)
        self._target = amperes * power.set_current_gain + power.set_current_offset
        self._slewed = now
        self.slew(now)

    def slew(self, now: Instant) -> None:
        """Move the current set-point towards the target, at once where no ramp is set."""
        power = self._charger.spec.power
        rising = self._target > self._set_current
        ramp = power.rise_ramp if rising else power.fall_ramp
        if ramp:
            step = ramp * (now - self._slewed) / SECOND
            difference = self._target - self._set_current
            self._set_current += max(-step, min(step, difference))
            if self._set_current != self._target:
                self._charger.start_timer("demand_poll", now)
        else:
            self._set_current = self._target
        self._slewed = now
        self._charger.act("current_setpoint", self._set_current)

    def pause(self) -> None:
        """Output to nothing, contactors closed, ready to resume."""
        self._followed = None
        if self._charger.spec.power.pause_output:
            self._target = self._set_current = 0.0
            self._charger.act("current_setpoint", 0.0)

    def measure(self, now: Instant) -> tuple[float, float]:
        """V and A at the output; :meth:`watch` judges the same reading."""
        sense = self._charger.sense
        self._measured = volts = sense("output_voltage", now)
        return volts, sense("output_current", now)

    def watch(self, now: Instant) -> None:
        """Output measured above the vehicle's maximum total voltage: stop (sheet 4.8)."""
        charger = self._charger
        if charger.spec.power.overvoltage_watch and charger.bcp is not None:
            limit = charger.bcp.max_total_voltage * _OVERVOLTAGE_MARGIN
            if self._measured > limit:
                charger.trigger("overvoltage", now)

    # --- stopping -----------------------------------------------------------------------------------

    def cut(self, now: Instant, *, fast: bool) -> None:
        """Take the current down: by ramp in a normal stop, by switching off for a fault."""
        power = self._charger.spec.power
        if self._ended is None and self._started is not None:
            self._ended = now
        if not power.stop_output:
            return
        if self._target or self._set_current:
            self._slewed = now
        self._target = 0.0
        self._ramp = power.fast_ramp if fast else power.stop_ramp
        if fast and not power.fast_ramp:
            self._set_current = 0.0
            self.off()
        elif not self._ramp:
            self._set_current = 0.0
            self._charger.act("current_setpoint", 0.0)
        if power.open_unconditionally:
            self._charger.do_open_k1k2(now)

    def ramp_and_open(self, now: Instant) -> None:
        """Every poll while stopping: next step of the ramp, then open the contactors."""
        charger = self._charger
        power = charger.spec.power
        if power.stop_output and self._set_current > 0.0:
            self._set_current = max(0.0, self._set_current - self._ramp * (now - self._slewed) / SECOND)
            self._slewed = now
            charger.act("current_setpoint", self._set_current)
        if charger.sense("output_current", now) <= power.open_below:
            if self._enabled and power.stop_output:
                self.off()
            since = now if self._ended is None else now - self._ended
            if not charger.sense("k1k2_closed", now):
                if since >= power.discharge_after:
                    self.discharge()
            elif power.release_k1k2 and since >= power.open_after:
                charger.do_open_k1k2(now)

    def discharge(self) -> None:
        """Take the voltage off the output; while joined to a battery that would discharge the battery."""
        if self._charger.spec.power.discharge and not self._discharging:
            self._discharging = True
            self._charger.act("discharge_command", 1)

    def end_discharge(self) -> None:
        """Leave the output alone again."""
        self._discharging = False
        self._charger.act("discharge_command", 0)

    def off(self) -> None:
        """Switch the power stage off."""
        self._enable(False)

    def _enable(self, on: bool) -> None:
        self._enabled = on
        self._charger.act("output_enable", 1 if on else 0)

    def _set(self, volts: float, amperes: float) -> None:
        self._set_voltage, self._target, self._set_current = volts, amperes, amperes
        self._charger.act("voltage_setpoint", volts)
        self._charger.act("current_setpoint", amperes)
