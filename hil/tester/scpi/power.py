"""The power side of a simulated instrument: modes, ramp, list, protections, over the plant's signals."""

from __future__ import annotations

from collections.abc import Callable

from hil.protocol.scpi.status import QUES_CURRENT, QUES_POWER, QUES_VOLTAGE
from hil.tester.scpi.spec import QUANTITIES, InstrumentSpec
from hil.units import FAR, SECOND, Instant, seconds

Sense = Callable[[str, Instant], float]
_PROTECTED = {"voltage": QUES_VOLTAGE, "current": QUES_CURRENT, "power": QUES_POWER}


class ListRun:
    """The steps of a list while it runs."""

    def __init__(self, values: list[float], dwells: list[float], count: int, now: Instant) -> None:
        self._steps = list(zip(values, dwells if len(dwells) > 1 else dwells * len(values), strict=True))
        self._left = count * len(self._steps)
        self._at = -1
        self.due: Instant = now
        self.value = 0.0

    def advance(self, now: Instant) -> bool:
        """Take the steps that are due; False when the list has ended."""
        while now >= self.due:
            if not self._left:
                return False
            self._left -= 1
            self._at = (self._at + 1) % len(self._steps)
            self.value, dwell = self._steps[self._at]
            self.due += round(dwell * SECOND)
        return True


class Power:
    """What the instrument does to the plant. Quantities in V, A, W and ohm."""

    def __init__(self, spec: InstrumentSpec, sense: Sense) -> None:
        self.spec = spec
        self.actuations: list[tuple[str, float]] = []
        self.on = False
        self.short = False
        self.running: ListRun | None = None
        self.tripped = 0
        """Bits of the questionable status that hold the output off."""
        self.reset()
        self._sense = sense
        self._flowing = 0.0
        """The current that the ramp has reached."""
        self._moved_at: Instant = 0
        self._told: dict[str, float] = {}

    def reset(self) -> None:
        """Defaults, and off."""
        high = {name: self.spec.ranges[name][1] for name in (*QUANTITIES, "slew")}
        self.on = self.short = False
        self.running = None
        self.mode = "current"
        self.level = {"voltage": 0.0, "current": 0.0, "power": high["power"], "resistance": high["resistance"]}
        self.slew = high["slew"]
        self.turn_on = 0.0
        self.protection = {name: high[name] * 1.1 for name in _PROTECTED}

    # --- measuring ----------------------------------------------------------------------------------

    def measure(self, name: str, now: Instant) -> float:
        """``voltage``, ``current`` or ``power`` as the plant has it; 0 for what is not wired."""
        if name == "power":
            return self.measure("voltage", now) * self.measure("current", now)
        sensor = self.spec.sensors.get(name)
        value = 0.0 if sensor is None else self._sense(sensor, now)
        return value * self.spec.sign if name == "current" else value

    # --- driving ------------------------------------------------------------------------------------

    def switch(self, on: bool, now: Instant) -> bool:
        """On or off; a protection that has tripped keeps it off."""
        self.on = on and not self.tripped
        self.drive(now)
        return self.on == on

    def clear_protection(self, now: Instant) -> bool:
        """Forget what has tripped, once its cause is gone."""
        self.tripped = self._causes(now)
        return not self.tripped

    def _causes(self, now: Instant) -> int:
        return sum(bit for name, bit in _PROTECTED.items() if abs(self.measure(name, now)) > self.protection[name])

    def drive(self, now: Instant) -> bool:
        """Regulate; True when a list has just ended."""
        ended = self.running is not None and not self.running.advance(now)
        if ended:
            self.running = None
        if self.on:
            self.tripped |= self._causes(now)
            self.on = not self.tripped
        self._ramp(self._wanted(now) if self.on else 0.0, now)
        self._tell("current", self._flowing * self.spec.sign)
        self._tell("voltage", self.level["voltage"] if self.on else 0.0)
        self._tell("on", float(self.on))
        return ended

    def _wanted(self, now: Instant) -> float:
        """The current of the present mode, within every limit."""
        value = self.level[self.mode] if self.running is None else self.running.value
        voltage = self.measure("voltage", now)
        most = self.spec.ranges["current"][1]
        if voltage < self.turn_on:
            return 0.0
        if self.short:
            return most
        if self.spec.source:
            return min(self.level["current"] if self.running is None else self.running.value, most)
        if self.mode == "power":
            return min(value / voltage, most) if voltage > 0 else 0.0
        if self.mode == "resistance":
            return min(voltage / value, most)
        if self.mode == "voltage":
            return most if voltage > value else 0.0
        return value

    def _ramp(self, wanted: float, now: Instant) -> None:
        """Off is at once, and so is the fastest slew rate; else no faster than the slew rate."""
        step = self.slew * seconds(now - self._moved_at)
        self._moved_at = now
        if not self.on or self.slew >= self.spec.ranges["slew"][1]:
            self._flowing = wanted if self.on else 0.0
        else:
            self._flowing += min(step, max(-step, wanted - self._flowing))

    def _tell(self, name: str, value: float) -> None:
        actuator = self.spec.actuators.get(name)
        if actuator is not None and self._told.get(name) != value:
            self._told[name] = value
            self.actuations.append((actuator, value))

    def next_deadline(self, now: Instant) -> Instant:
        """When to regulate next."""
        due = FAR if self.running is None else self.running.due
        return min(due, now + self.spec.tick) if self.on or self.running is not None else due
