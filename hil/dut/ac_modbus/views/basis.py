"""What the views of all maps share: values and settings by name, on the charger's control surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite

from hil.codec.register import Register, Value
from hil.dut.ac.control import Control
from hil.dut.ac_modbus.meter import ChargerMeter, Session
from hil.dut.ac_modbus.spec import FrontSpec
from hil.dut.modbus.spec import ILLEGAL_VALUE, Refused
from hil.units import FAR, SECOND, Instant, Span, s

Getter = Callable[[Instant], Value]
Setter = Callable[[float, Instant], Refused | None]
_PAUSED = 6.0
"""A; a limit below it pauses (iec61851_control_pilot.md 8, CP-13)."""


class View:
    """:class:`hil.dut.modbus.Values` of the charger. A map's own view fills :attr:`getters` and :attr:`setters`.

    What is declared and has no getter is constant (:attr:`constants`), else 0 or empty.
    """

    constants: Mapping[str, Value] = {}
    unlimited: Span = FAR
    """The validity of a limit that nobody has to repeat."""

    def __init__(self, control: Control, spec: FrontSpec) -> None:
        self.control = control
        self.spec = spec
        self.meter = ChargerMeter(control, spec)
        self.session = Session()
        self.getters: dict[str, Getter] = {}
        self.setters: dict[str, Setter] = {}
        self.written: dict[str, Value] = {}
        """What was written to registers that are read back."""
        self.asked: float | None = None
        """The limit that was last written, A."""
        self._told = "A"
        self._shown = (0, "A")
        self._alarm = ""
        self._paused = False

    def start(self, now: Instant) -> None:
        """The charger has come up."""

    def changed(self, now: Instant) -> None:
        """The charger's state may have changed."""
        state = self.control.mode3
        if state != self._shown[1]:
            self._told, self._shown = self.state(now), (now, state)
        if self.control.fault or not self.spec.keeps_alarms:
            self._alarm = self.control.fault
        self.session.see(self.control.state_letter, self.meter.read("energy", now), now)

    def state(self, now: Instant) -> str:
        """``A`` .. ``F`` with 1 or 2 for B to D, as it is told."""
        since, state = self._shown
        return self._told if now < since + self.spec.state_delay else self.spec.tells_state(state)

    @property
    def alarm(self) -> str:
        """Cause of the fault that is told; empty without one."""
        return self._alarm if self.spec.tells_alarms else ""

    # --- registers --------------------------------------------------------------------------------

    def get(self, name: str, now: Instant) -> Value | Refused:
        """The value of a register."""
        getter = self.getters.get(name)
        if getter is not None:
            return getter(now)
        if name in self.written:
            return self.written[name]
        return self.constants[name] if name in self.constants else self._empty(self.spec.registers[name])

    @staticmethod
    def _empty(register: Register) -> Value:
        if register.absent:
            return None
        if register.type == "bytes":
            return bytes(2 * register.size)
        return "" if register.type == "string" else 0

    def put(self, name: str, value: Value, now: Instant) -> Refused | None:
        """Take a value that the map allows."""
        setter = self.setters.get(name)
        if setter is None:
            self.written[name] = value
            return None
        if not isinstance(value, int | float) or not isfinite(value):
            return ILLEGAL_VALUE
        return setter(float(value), now)

    # --- what the setters of all maps do -----------------------------------------------------------

    def set_limit(self, ampere: float, now: Instant) -> Refused | None:
        """A limit was written."""
        if ampere < 0:
            return ILLEGAL_VALUE
        refused = self.spec.obeys_refused and not self._limit_allowed(ampere)
        self.asked = ampere
        if not self.spec.obeys:
            return None
        taken = self.spec.takes(ampere)
        self._paused |= taken < _PAUSED
        if self._paused and not self.spec.resumes:
            taken = 0.0
        kept = self.control.remaining_validity(now)
        self.control.request_current(taken, now)
        if self.spec.feed == "nothing" and 0 < kept < self.control.validity:
            self.control.shorten(kept, now)
        return ILLEGAL_VALUE if refused else None

    def _limit_allowed(self, ampere: float) -> bool:
        """Whether the map allows a limit."""
        return self.spec.registers[self.spec.registers.roles.set_current].allows(ampere)

    def set_release(self, value: float, now: Instant) -> Refused | None:
        """Charging was released, or not."""
        if self.spec.obeys_release and (value < 1 or self.spec.resumes or self.control.enabled):
            self.control.enable(value >= 1, now)
        return None

    def set_validity(self, value: float, now: Instant, *, off: float) -> Refused | None:
        """For so many s a limit counts; ``off`` is the value for ever."""
        self.control.set_validity(self.unlimited if value == off else s(value) + self.spec.validity_error, now)
        return None

    def set_safe(self, ampere: float, now: Instant) -> Refused | None:
        """The limit for the time in which nobody asks."""
        if self.spec.obeys_safe:
            self.control.set_safe_current(ampere, now)
        return None

    def validity(self, *, off: int, most: int) -> int:
        """For so many s a limit counts, as a register tells it."""
        span = self.control.validity
        return off if span >= self.unlimited else min(round(span / SECOND), most)

    def by_phase(self, quantity: str) -> Getter:
        """A phase of a quantity."""
        return lambda now: self.meter.read(quantity, now)

    def share(self, quantity: str) -> Getter:
        """A phase's share of a quantity of all phases."""
        return lambda now: self.meter.read(quantity, now) / self.control.phases
