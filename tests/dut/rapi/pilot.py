"""A charger behind a console that needs no other: pilot, contactor and checks on a few sensors of a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hil.dut.rapi import ConsoleSpec, Status
from hil.protocol.rapi import PilotState, Setting, State
from hil.units import MILLISECOND, SECOND, Instant, Span

Sense = Callable[[str, Instant], float]
SENSORS = {
    "pilot": "cp_high",
    "pilot_low": "cp_low",
    "contactor": "contactor_closed",
    "leakage_dc": "residual_dc",
    "leakage_ac": "residual_ac",
    "ground": "pe_ok",
}
ACTUATORS = {
    "mode": "cp_mode",
    "duty": "cp_duty_set",
    "frequency": "cp_frequency_set",
    "contactor": "contactor_command",
}
FREQUENCY = 1000.0
"""Of the pilot, Hz."""
_LEVELS = ((10.5, PilotState.A), (7.5, PilotState.B), (4.5, PilotState.C), (1.5, PilotState.D))
"""Lowest voltage of each state: the middle of the gaps between the detection windows."""
_OF_PILOT = {
    PilotState.A: State.NOT_CONNECTED,
    PilotState.B: State.CONNECTED,
    PilotState.C: State.CHARGING,
    PilotState.D: State.VENTILATION,
    PilotState.UNKNOWN: State.UNKNOWN,
}
STEADY, PWM, MINUS = 0, 1, 2
"""Modes of the pilot: +12 V, oscillating, -12 V."""


@dataclass(frozen=True)
class PilotSpec:
    """The charger behind the console: how it reads the pilot and switches (sheet serial 1.7)."""

    poll: Span = 100 * MILLISECOND
    """It looks at what does not tell of its changes so often."""
    debounce: Span = 250 * MILLISECOND
    debounce_to_a: Span = 25 * MILLISECOND
    check_after: Span = 1000 * MILLISECOND
    """Ground and relay are looked at so long after switching."""
    gfi_retry: Span = 300 * SECOND
    gfi_retries: int = 6
    cooled: float = 60.0
    """°C: at the console's ``over_temperature`` it stops, at this it goes on."""
    diode_below: float = -10.0
    """V: the negative half-wave is this low or lower when a diode is there."""
    leak_dc: float = 6.0
    leak_ac: float = 30.0
    """mA at which it trips."""


class PilotCharger:
    """A charger of its own, on the plant's sensors and actuators."""

    def __init__(self, spec: ConsoleSpec, sense: Sense) -> None:
        self.spec = spec
        self.pilot = PilotSpec()
        self.actuations: list[tuple[str, float]] = []
        self.capacity = spec.start_level2
        self.mode = "enabled"
        self.locked = False
        self.settings = int(spec.settings)
        self.trips: dict[int, int] = {}
        self._sense = sense
        self._sensors = {**SENSORS, **spec.sensors}
        self._pilot = PilotState.UNKNOWN
        self._seen = PilotState.UNKNOWN
        self._seen_since: Instant = 0
        self._fault = State.UNKNOWN
        self._fault_since: Instant = 0
        self._closed = False
        self._switched: Instant = 0
        self._oscillates_since: Instant = 0
        self._duty = -1.0
        self._next: Instant = 0

    # --- for the console ----------------------------------------------------------------------------

    def status(self, now: Instant) -> Status:
        """What is so at the moment."""
        return Status(self._state(), self._pilot, self._closed, self._duty > 0)

    def measure(self, sensor: str, now: Instant) -> float:
        """A sensor's value."""
        return self._sense(self._sensors[sensor], now)

    def has(self, sensor: str) -> bool:
        """Whether there is such a sensor."""
        return sensor in self._sensors

    def next_deadline(self) -> Instant:
        """When to look next."""
        return self._next

    def wake(self, now: Instant) -> None:
        """Look at the sensors and act."""
        self._read_pilot(now)
        self._watch(now)
        self._drive(now)
        settles = self._seen_since + self._debounce if self._seen is not self._pilot else now
        self._next = min(now + self.pilot.poll, settles if settles > now else now + self.pilot.poll)

    def restart(self, now: Instant) -> None:
        """Open the contactor, +12 V on the pilot, no state known."""
        self.mode, self.locked = "enabled", False
        self._pilot = self._seen = PilotState.UNKNOWN
        self._fault = State.UNKNOWN
        self._closed, self._switched, self._duty = False, now, -1.0
        self.actuations += [(ACTUATORS["contactor"], 0.0), (ACTUATORS["mode"], float(STEADY))]

    # --- inside -------------------------------------------------------------------------------------

    def _state(self) -> State:
        if self.mode == "disabled":
            return State.DISABLED
        if self._fault:
            return self._fault
        if self.mode == "sleeping":
            return State.SLEEPING
        if self._pilot in (PilotState.C, PilotState.D) and self.locked:
            return State.CONNECTED
        return _OF_PILOT[self._pilot]

    def _read_pilot(self, now: Instant) -> None:
        if self._duty == 0:
            return  # the pilot is held at -12 V: nothing to be read
        volts = self.measure("pilot", now)
        seen = next((state for least, state in _LEVELS if volts >= least), PilotState.UNKNOWN)
        if seen is not self._seen:
            self._seen, self._seen_since = seen, now
        if seen is not self._pilot and (now - self._seen_since >= self._debounce or self._duty < 0):
            self._pilot = seen

    @property
    def _debounce(self) -> Span:
        pilot = self.pilot
        return pilot.debounce_to_a if self._seen is PilotState.A else pilot.debounce

    def _watch(self, now: Instant) -> None:
        if self._fault and self._gone(now):
            self._fault = State.UNKNOWN
        if not self._fault:
            self._fault = self._cause(now)
            if self._fault:
                self._fault_since = now
                self.trips[self._fault] = self.trips.get(self._fault, 0) + 1

    def _cause(self, now: Instant) -> State:
        """The first fault that the sensors show."""
        if self._leaks(now):
            return State.GFI
        if self._checked(Setting.TEMPERATURE_CHECK_OFF) and self._hot(now):
            return State.OVER_TEMPERATURE
        if self._checked(Setting.DIODE_CHECK_OFF) and self._no_diode(now):
            return State.DIODE
        if now - self._switched < self.pilot.check_after:
            return State.UNKNOWN
        if self._checked(Setting.STUCK_RELAY_CHECK_OFF):
            feedback = self.measure("contactor", now) > 0
            if feedback != self._closed:
                return State.STUCK_RELAY if feedback else State.RELAY_CLOSURE
        if self._checked(Setting.GROUND_CHECK_OFF) and not self.measure("ground", now):
            return State.NO_GROUND
        return State.UNKNOWN

    def _checked(self, off: int) -> bool:
        return not self.settings & int(off)

    def _leaks(self, now: Instant) -> bool:
        pilot = self.pilot
        return self.measure("leakage_dc", now) >= pilot.leak_dc or self.measure("leakage_ac", now) >= pilot.leak_ac

    def _hot(self, now: Instant) -> bool:
        if not self.has("temperature"):
            return False
        limit = self.pilot.cooled if self._fault else self.spec.over_temperature
        return self.measure("temperature", now) > limit

    def _no_diode(self, now: Instant) -> bool:
        connected = self._pilot in (PilotState.B, PilotState.C, PilotState.D)
        oscillates = 0 < self._duty < 100 and now - self._oscillates_since >= self.pilot.debounce
        return connected and oscillates and self.measure("pilot_low", now) > self.pilot.diode_below

    def _gone(self, now: Instant) -> bool:
        """Whether a fault may be left: at once when unplugged, else when its cause has ended."""
        if self._fault is State.GFI:
            retry = now - self._fault_since >= self.pilot.gfi_retry
            allowed = self.trips.get(State.GFI, 0) <= self.pilot.gfi_retries
            return not self._leaks(now) and (self._pilot is PilotState.A or (retry and allowed))
        if self._fault is State.DIODE:
            return self._pilot is PilotState.A
        if self._fault is State.OVER_TEMPERATURE:
            return not self._hot(now)
        if self._fault in (State.STUCK_RELAY, State.RELAY_CLOSURE):
            return self._pilot is PilotState.A and not self.measure("contactor", now)
        return bool(self.measure("ground", now))

    def _drive(self, now: Instant) -> None:
        state = self._state()
        ready = state in (State.CONNECTED, State.CHARGING, State.VENTILATION) and not self.locked
        duty = self._duty_of(self.capacity) if ready else 0.0 if state is State.DISABLED else 100.0
        if duty != self._duty:
            if (0 < duty < 100) != (0 < self._duty < 100):
                self._oscillates_since = now
            self._set_pilot(duty)
        wanted = state is State.CHARGING or (
            state is State.VENTILATION and not self._checked(Setting.VENTILATION_CHECK_OFF)
        )
        if wanted != self._closed:
            self._closed, self._switched = wanted, now
            self.actuations.append((ACTUATORS["contactor"], float(wanted)))

    def _set_pilot(self, duty: float) -> None:
        """The duty cycle before the mode, so that at no instant an old one is told."""
        if self._duty < 0:
            self.actuations.append((ACTUATORS["frequency"], FREQUENCY))
        if 0 < duty < 100:
            self.actuations.append((ACTUATORS["duty"], duty))
        mode = MINUS if duty == 0 else PWM if duty < 100 else STEADY
        self.actuations.append((ACTUATORS["mode"], float(mode)))
        self._duty = duty

    def _duty_of(self, amps: float) -> float:
        """Percent that offer a current (control pilot sheet, section 2)."""
        percent = amps / 0.6 if amps <= 51 else amps / 2.5 + 64
        return min(97.0, max(8.0, percent))
