"""The plant of an AC charging point: pilot circuit, contactor, lock, mains, vehicle's load and meter.

Levels only change at events, energy grows linearly between them; nothing is stepped. Figures are those
of the sheet iec61851_control_pilot.md: circuit and levels of section 1, proximity of section 4.
Controllers meet it through :data:`hil.plant.ac_signals.AC_SIGNALS` only.
"""

from __future__ import annotations

from math import isfinite

from hil.errors import UsageError
from hil.plant.ac_signals import AC_BY_NAME, AC_SAFE_STATE
from hil.plant.observe import Sample
from hil.plant.record import Change, Recorder
from hil.plant.signals import PlantSignal, declared
from hil.plant.switch import Switch
from hil.units import SECOND, Instant, Span, ms, s, show_instant

GENERATOR = 12.0
"""V of the pilot's generator, both signs."""
SOURCE_OHM = 1000.0
DIODE = 0.7
"""V across the vehicle's diode."""
MAINS, PHASES = 230.0, 3
"""V of the mains, line to neutral, and the phases of a charging point, where nothing else is said."""
STEADY, PWM, MINUS, NONE = 0, 1, 2, 3
"""Values of ``cp_mode``."""
OPEN_OHM = 1e9
_PRESS: Span = ms(500)
_METER: Span = s(10)
"""Between samples of the meter while current flows."""
_JOULES_PER_KWH = 3.6e6
_BUTTONS = {"start_press": "start_request", "stop_press": "stop_request"}
_FIRST = {
    "plugged": 0.0,
    "r3": 2740.0,
    "r2": 1300.0,
    "s2_stuck": 0.0,
    "diode_shorted": 0.0,
    "cp_shorted": 0.0,
    "cp_open": 0.0,
    "cable": 1.0,
    "pp": 220.0,
    "pe_broken": 0.0,
    "mains": 1.0,
    "mains_volts": MAINS,
    "leak_dc": 0.0,
    "leak_ac": 0.0,
    "contactor_welded": 0.0,
    "contactor_stuck": 0.0,
    "limit_set": 200.0,
    "limit_silent": 0.0,
    "cp_mode": float(STEADY),
    "cp_duty_set": 100.0,
    "cp_frequency_set": 1000.0,
    "s2_command": 0.0,
    "draw_current": 0.0,
}
_SUBSCRIBED = frozenset(
    name for name, signal in AC_BY_NAME.items() if signal.kind == "sensor" and not name.startswith("meter")
)


class AcPlant:
    """One charging point with one vehicle, from the world's instant 0 on; ``phases`` is 1 or 3.

    Instants must not run backwards; anything not declared, not finite or (for stimuli) out of range
    raises :class:`UsageError`.
    """

    def __init__(self, phases: int = PHASES) -> None:
        if phases not in (1, 3):
            raise UsageError(f"{phases} phases; allowed is 1 or 3")
        self.phases = phases
        self._values = dict(_FIRST)
        self._pressed: dict[str, Instant] = {}
        self._switches = {
            "contactor_command": Switch("contactor_closed", ms(20), ms(15)),
            "lock_command": Switch("lock_engaged", ms(100), ms(60)),
            "ventilation_command": Switch("ventilation_on", ms(500), ms(500)),
        }
        self._recorder = Recorder(_SUBSCRIBED)
        self._joules = 0.0
        self._watts = 0.0
        self._since: Instant = 0
        for button in _BUTTONS.values():
            self._recorder.level(0, button, 0.0)
        self._tell(0)
        self._meter(0)

    # --- the interface ------------------------------------------------------------------------------

    def sense(self, name: str, now: Instant) -> float:
        """Read a declared sensor at an instant; booleans are 0.0 and 1.0."""
        deadline = self.next_deadline()
        if deadline is not None and now >= deadline:
            self.wake(now)
        if name == "meter_energy":
            return self._energy(now)
        level = self._recorder.levels.get(name)
        if level is None:
            declared(name, "sensor", among=AC_BY_NAME)
            raise AssertionError(name)
        return level

    def actuate(self, name: str, value: float, now: Instant) -> None:
        """Set a declared actuator, clamped to its range."""
        signal = declared(name, "actuator", among=AC_BY_NAME)
        if not isfinite(value):
            raise UsageError(f"{name}: {value} is not a number within {signal.low:g}..{signal.high:g} {signal.unit}")
        value = min(max(float(value), signal.low), signal.high)
        self._visit(name, now)
        switch = self._switches.get(name)
        if switch is not None:
            switch.command(value >= 0.5 and not (name == "lock_command" and not self._on("cable")), now)
        elif self._values[name] != value:
            self._values[name] = value
            self._tell(now)

    def stimulate(self, name: str, value: float, now: Instant) -> None:
        """Apply a declared stimulus; a value out of its range raises :class:`UsageError`."""
        self.check_stimulus(name, value)
        self._visit(name, now)
        if name in _BUTTONS:
            if value >= 0.5:
                self._pressed[name] = now + _PRESS
            else:
                self._pressed.pop(name, None)
            self._recorder.level(now, _BUTTONS[name], float(value >= 0.5))
            return
        self._values[name] = float(value)
        if name == "cable" and value < 0.5:
            self._switches["lock_command"].release()
        self._tell(now)

    @staticmethod
    def check_stimulus(name: str, value: float) -> None:
        """Raise :class:`UsageError` for a stimulus that is not declared, or a value out of its range."""
        _check(declared(name, "stimulus", among=AC_BY_NAME), value)

    def go_safe(self, now: Instant) -> None:
        """Set every actuator as :data:`hil.plant.ac_signals.AC_SAFE_STATE` has it."""
        for name, value in AC_SAFE_STATE:
            self.actuate(name, value, now)

    def wake(self, now: Instant) -> None:
        """Serve what is due up to now."""
        while True:
            deadline = self.next_deadline()
            if deadline is None or deadline > now:
                return
            self._serve(deadline)

    def next_deadline(self) -> Instant | None:
        """When something inside happens next."""
        dues = [switch.due for switch in self._switches.values() if switch.due is not None]
        dues.extend(self._pressed.values())
        if self._watts:
            dues.append(self._since + _METER)
        return min(dues) if dues else None

    def take_samples(self) -> list[Sample]:
        """Samples since the last call, in order of time."""
        return self._recorder.take_samples()

    def take_changes(self) -> list[Change]:
        """Changes since the last call of what controllers subscribe to."""
        return self._recorder.take_changes()

    # --- events -------------------------------------------------------------------------------------

    def _visit(self, name: str, now: Instant) -> None:
        if now < self._since:
            raise UsageError(f"{name} at {show_instant(now)}: the plant is at {show_instant(self._since)} already")
        self.wake(now)

    def _serve(self, now: Instant) -> None:
        for name in [name for name, until in self._pressed.items() if until <= now]:
            del self._pressed[name]
            self._recorder.level(now, _BUTTONS[name], 0.0)
        for switch in self._switches.values():
            if switch.due is not None and switch.due <= now:
                switch.move()
        self._tell(now)
        if self._watts:
            self._meter(now)

    def _on(self, name: str) -> bool:
        return self._values[name] >= 0.5

    # --- circuit ------------------------------------------------------------------------------------

    @property
    def contactor(self) -> bool:
        """Whether the output's contacts are closed, welded ones included."""
        follows = self._switches["contactor_command"].closed and not self._on("contactor_stuck")
        return follows or self._on("contactor_welded")

    @property
    def s2(self) -> bool:
        """Whether the vehicle's switch S2 is closed."""
        stuck = self._values["s2_stuck"]
        return stuck == 1.0 or (stuck == 0.0 and self._on("s2_command"))

    @property
    def _connected(self) -> bool:
        return self._on("plugged") and self._on("cable")

    def _vehicle_ohm(self) -> float | None:
        """Resistance from the pilot to earth behind the diode; None without a vehicle on the line."""
        if not self._connected or self._on("cp_open") or self._on("pe_broken"):
            return None
        r3, r2 = self._values["r3"], self._values["r2"]
        return r3 * r2 / (r3 + r2) if self.s2 else r3

    def _pilot(self) -> tuple[float, float, float, float]:
        """Positive and negative level, duty cycle and frequency at the charger's measuring point."""
        mode = int(self._values["cp_mode"])
        duty = self._values["cp_duty_set"] if mode == PWM else 100.0
        frequency = self._values["cp_frequency_set"] if mode == PWM and 0.0 < duty < 100.0 else 0.0
        if mode == NONE:
            return 0.0, 0.0, 0.0, 0.0
        if mode == MINUS or duty == 0.0:
            mode, duty = MINUS, 0.0
        if self._on("cp_shorted"):
            return 0.0, 0.0, duty, frequency
        ohm = self._vehicle_ohm()
        high = GENERATOR if ohm is None else DIODE + (GENERATOR - DIODE) * ohm / (ohm + SOURCE_OHM)
        low = -GENERATOR
        if ohm is not None and self._on("diode_shorted"):
            high, low = GENERATOR * ohm / (ohm + SOURCE_OHM), -GENERATOR * ohm / (ohm + SOURCE_OHM)
        if mode == MINUS:
            return low, low, duty, frequency
        return (high, low, duty, frequency) if frequency else (high, high, duty, 0.0)

    def _tell(self, now: Instant) -> None:
        """Every level as it is from now on."""
        values, level = self._values, self._recorder.level
        high, low, duty, frequency = self._pilot()
        level(now, "cp_high", high)
        level(now, "cp_low", low)
        level(now, "cp_duty", duty)
        level(now, "cp_frequency", frequency)
        level(now, "pilot_duty", duty if self._vehicle_ohm() is not None and not self._on("cp_shorted") else 0.0)
        level(now, "pp_resistance", values["pp"] if self._on("cable") else OPEN_OHM)
        for name, switch in self._switches.items():
            closed = self.contactor if name == "contactor_command" else switch.closed
            level(now, switch.feedback, float(closed))
        self._tell_power(now)

    def _tell_power(self, now: Instant) -> None:
        values, level = self._values, self._recorder.level
        mains = values["mains_volts"] if self._on("mains") else 0.0
        output = mains if self.contactor else 0.0
        supply = output if self._connected else 0.0
        current = values["draw_current"] if supply and self.s2 else 0.0
        level(now, "limit_request", values["limit_set"])
        level(now, "limit_alive", float(not self._on("limit_silent")))
        level(now, "mains_present", float(self._on("mains")))
        level(now, "pe_ok", float(not self._on("pe_broken")))
        level(now, "mains_voltage", mains)
        level(now, "output_voltage", output)
        level(now, "supply_voltage", supply)
        level(now, "line_current", current)
        level(now, "residual_dc", values["leak_dc"] if supply else 0.0)
        level(now, "residual_ac", values["leak_ac"] if supply else 0.0)
        watts = self.phases * supply * current
        if watts != self._watts:
            self._meter(now)
            self._watts = watts
        level(now, "meter_power", watts)

    def _energy(self, now: Instant) -> float:
        return (self._joules + self._watts * (now - self._since) / SECOND) / _JOULES_PER_KWH

    def _meter(self, now: Instant) -> None:
        """Read the meter: energy up to now, as a sample; it runs straight from one to the next."""
        energy = self._energy(now)
        self._joules, self._since = energy * _JOULES_PER_KWH, now
        self._recorder.sample(now, "meter_energy", energy, energy, energy)


def _check(signal: PlantSignal, value: float) -> None:
    if not signal.low <= value <= signal.high:
        raise UsageError(f"{signal.name}: {value} is not within {signal.low:g}..{signal.high:g} {signal.unit}".rstrip())
