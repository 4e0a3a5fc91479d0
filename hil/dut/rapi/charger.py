"""The charger behind the console: pilot, contactor, checks. What it reports is what the plant tells.

Any charger that fulfils :class:`Charger` can stand behind a console. :class:`PilotCharger` is one of its own,
with all that the sheet's commands can switch; :mod:`hil.dut.rapi.front` puts a console on the reference AC
charger, beside its other interfaces.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from hil.dut.rapi.spec import FREQUENCY, ConsoleSpec
from hil.protocol.rapi import PilotState, Setting, State
from hil.units import Instant, Span

Sense = Callable[[str, Instant], float]
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
FAULTS = frozenset(
    {
        *(State.DIODE, State.GFI, State.NO_GROUND, State.STUCK_RELAY, State.GFI_SELF_TEST),
        *(State.OVER_TEMPERATURE, State.OVER_CURRENT, State.RELAY_CLOSURE),
    }
)
HARD_FAULTS = frozenset({State.STUCK_RELAY, State.GFI_SELF_TEST, State.RELAY_CLOSURE})


class Status(NamedTuple):
    """What is so at the moment."""

    state: int
    pilot: int
    closed: bool
    """Current can flow."""
    pilot_on: bool
    """The pilot is not held at -12 V."""


class Charger(Protocol):
    """What a console knows of its charger and commands."""

    actuations: list[tuple[str, float]]
    """Settings of declared actuators; the console hands them on."""
    capacity: int
    """Current that may be offered, A; the console sets it."""
    mode: str
    """``enabled``, ``sleeping`` or ``disabled``; the console sets it."""
    locked: bool
    """No current although the vehicle asks for it; the console sets it."""
    settings: int
    """Stored flags (:class:`hil.protocol.rapi.Setting`); the console sets them."""
    trips: dict[int, int]
    """How often each fault state was entered."""

    def status(self, now: Instant) -> Status:
        """What is so at the moment."""

    def measure(self, sensor: str, now: Instant) -> float:
        """A sensor's value (:data:`hil.dut.rapi.spec.SENSORS`)."""

    def has(self, sensor: str) -> bool:
        """Whether there is such a sensor."""

    def wake(self, now: Instant) -> None:
        """Look at the sensors and act."""

    def next_deadline(self) -> Instant:
        """When to look next."""

    def restart(self, now: Instant) -> None:
        """Open the contactor and forget what a restart forgets; :meth:`wake` begins anew."""


class PilotCharger:
    """A charger of its own, on the plant's sensors and actuators."""

    def __init__(self, spec: ConsoleSpec, sense: Sense) -> None:
        self.spec = spec
        self.actuations: list[tuple[str, float]] = []
        self.capacity = spec.start_level2
        self.mode = "enabled"
        self.locked = False
        self.settings = int(spec.settings)
        self.trips: dict[int, int] = {}
        self._sense = sense
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
        return self._sense(self.spec.sensors[sensor], now)

    def has(self, sensor: str) -> bool:
        """Whether there is such a sensor."""
        return sensor in self.spec.sensors

    def next_deadline(self) -> Instant:
        """When to look next."""
        return self._next

    def wake(self, now: Instant) -> None:
        """Look at the sensors and act."""
        self._read_pilot(now)
        self._watch(now)
        self._drive(now)
        settles = self._seen_since + self._debounce if self._seen is not self._pilot else now
        self._next = min(now + self.spec.pilot.poll, settles if settles > now else now + self.spec.pilot.poll)

    def restart(self, now: Instant) -> None:
        """Open the contactor, +12 V on the pilot, no state known."""
        self.mode, self.locked = "enabled", False
        self._pilot = self._seen = PilotState.UNKNOWN
        self._fault = State.UNKNOWN
        self._closed, self._switched, self._duty = False, now, -1.0
        self.actuations += [(self.spec.actuators["contactor"], 0.0), (self.spec.actuators["mode"], float(STEADY))]

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
        pilot = self.spec.pilot
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
        ignores = self.spec.pilot.ignores
        if "leakage" not in ignores and self._leaks(now):
            return State.GFI
        if "temperature" not in ignores and self._checked(Setting.TEMPERATURE_CHECK_OFF) and self._hot(now):
            return State.OVER_TEMPERATURE
        if "diode" not in ignores and self._checked(Setting.DIODE_CHECK_OFF) and self._no_diode(now):
            return State.DIODE
        if now - self._switched < self.spec.pilot.check_after:
            return State.UNKNOWN
        if "relay" not in ignores and self._checked(Setting.STUCK_RELAY_CHECK_OFF):
            feedback = self.measure("contactor", now) > 0
            if feedback != self._closed:
                return State.STUCK_RELAY if feedback else State.RELAY_CLOSURE
        if "ground" not in ignores and self._checked(Setting.GROUND_CHECK_OFF) and not self.measure("ground", now):
            return State.NO_GROUND
        return State.UNKNOWN

    def _checked(self, off: int) -> bool:
        return not self.settings & int(off)

    def _leaks(self, now: Instant) -> bool:
        pilot = self.spec.pilot
        return self.measure("leakage_dc", now) >= pilot.leak_dc or self.measure("leakage_ac", now) >= pilot.leak_ac

    def _hot(self, now: Instant) -> bool:
        if not self.has("temperature"):
            return False
        limit = self.spec.pilot.cooled if self._fault else self.spec.pilot.over_temperature
        return self.measure("temperature", now) > limit

    def _no_diode(self, now: Instant) -> bool:
        connected = self._pilot in (PilotState.B, PilotState.C, PilotState.D)
        oscillates = 0 < self._duty < 100 and now - self._oscillates_since >= self.spec.pilot.debounce
        return connected and oscillates and self.measure("pilot_low", now) > self.spec.pilot.diode_below

    def _gone(self, now: Instant) -> bool:
        """Whether a fault may be left: at once when unplugged, else when its cause has ended."""
        if self._fault is State.GFI:
            retry = now - self._fault_since >= self.spec.pilot.gfi_retry
            allowed = self.trips.get(State.GFI, 0) <= self.spec.pilot.gfi_retries
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
        if self.spec.pilot.closes_without_pwm and not self._fault:
            wanted = self._pilot is PilotState.C
        if wanted != self._closed:
            self._closed, self._switched = wanted, now
            self.actuations.append((self.spec.actuators["contactor"], float(wanted)))

    def _set_pilot(self, duty: float) -> None:
        """The duty cycle before the mode, so that at no instant an old one is told."""
        actuators = self.spec.actuators
        if self._duty < 0:
            self.actuations.append((actuators["frequency"], FREQUENCY))
        if 0 < duty < 100:
            self.actuations.append((actuators["duty"], duty))
        mode = MINUS if duty == 0 else PWM if duty < 100 else STEADY
        self.actuations.append((actuators["mode"], float(mode)))
        self._duty = duty

    def _duty_of(self, amps: float) -> float:
        """Percent that offer a current (control pilot sheet, section 2)."""
        percent = amps / 0.6 if amps <= 51 else amps / 2.5 + 64
        return min(97.0, max(8.0, percent * self.spec.pilot.duty_gain + self.spec.pilot.duty_offset))
