"""Phoenix Contact CHARX SEC-3xxx with one charging point (modbus_chargers.md 2)."""

from __future__ import annotations

from hil.codec.register import Value
from hil.dut.ac.control import Control
from hil.dut.ac_modbus.spec import FrontSpec
from hil.dut.ac_modbus.views.basis import Getter, View
from hil.dut.modbus.spec import FAILURE, Refused
from hil.units import Instant

_POINT = "point1."
_OFF = 65_535
_LOCK_BIT, _CONTACTOR_BIT, _RESIDUAL_BIT = 21, 27, 30
_BITS = {
    "cable": 18,
    "earth": 19,
    "lock": _LOCK_BIT,
    "overcurrent": 24,
    "ventilation": 26,
    "contactor": _CONTACTOR_BIT,
    "weld": _CONTACTOR_BIT,
    "voltage": _CONTACTOR_BIT,
    "diode": 28,
}
"""Bits of the error mask by the charger's causes (2.3)."""
_PER_AMPERE, _STEADY_FROM = 0.6, 51.0


class CharxView(View):
    """Any write to the control registers restarts the watchdog; then the fallback current rules (2.4)."""

    constants = {  # noqa: RUF012 - a table that nobody changes
        "designation": "CHARX SEC-3050",
        "software": "1.9.0",
        "controllers": 1,
        "modem": 0,
        "signal": 0,
        "availability": 1,
        "point1.min_current": 6,
        "point1.temperature_low": 0,
        "point1.temperature_high": 0,
        "point1.meter_type": 2,
        "point1.uid": "HIL001",
        "point1.server_uid": "HIL001",
        "point1.bus_position": 1,
        "point1.release_mode": 5,
        "point1.rcm_fitted": 1,
    }

    def __init__(self, control: Control, spec: FrontSpec) -> None:
        super().__init__(control, spec)
        self.getters = {**self._group(), **{_POINT + name: getter for name, getter in self._point().items()}}
        setters = {
            "release": self.set_release,
            "set_current": self.set_limit,
            "available": self.set_release,
            "fallback_current": self.set_safe,
            "watchdog_time": lambda value, now: self.set_validity(value, now, off=_OFF),
        }
        self.setters = {_POINT + name: setter for name, setter in setters.items()}

    def put(self, name: str, value: Value, now: Instant) -> Refused | None:
        """Take a value; the lock follows the charger's states here and cannot be moved."""
        if name in (f"{_POINT}lock", f"{_POINT}force_unlock"):
            return FAILURE
        refused = super().put(name, value, now)
        if refused is None and name.startswith(_POINT) and self.spec.feed == "as the map says":
            self._feed(now)
        return refused

    def _feed(self, now: Instant) -> None:
        """A limit that has run out stays so until one is written, which restarts its validity itself."""
        if self.control.remaining_validity(now):
            self.control.heartbeat(now)

    # --- registers --------------------------------------------------------------------------------

    def _group(self) -> dict[str, Getter]:
        read, control = self.meter.read, self.control
        found: dict[str, Getter] = {
            f"current_l{each}": self.by_phase("current") for each in range(1, control.phases + 1)
        }
        return found | {
            "points_e_f": lambda now: int(self.state(now) in ("E", "F")),
            "points_a": lambda now: int(self.state(now) == "A"),
            "points_b_c_d": lambda now: int(self.state(now)[0] in "BCD"),
            "points_charging": lambda now: int(self.state(now) == "C2"),
            "power": self.by_phase("power"),
            "apparent_power": lambda now: read("power", now),
        }

    def _point(self) -> dict[str, Getter]:
        control, session, read = self.control, self.session, self.meter.read
        phases = range(1, control.phases + 1)
        return {
            **{f"voltage_l{phase}": self.by_phase("voltage") for phase in phases},
            **{f"current_l{phase}": self.by_phase("current") for phase in phases},
            "interface": lambda now: 0,
            "max_current": lambda now: control.rated_current,
            "power": self.by_phase("power"),
            "apparent_power": self.by_phase("power"),
            "energy_total": self.by_phase("energy"),
            "apparent_energy_total": self.by_phase("energy"),
            "energy_session": lambda now: session.energy(read("energy", now)),
            "connection_time": session.connected,
            "charging_time": session.charging,
            "errors": lambda now: self._errors(),
            "duty": lambda now: self._duty(control.applied_current(now)),
            "setpoint": control.applied_current,
            "cable_current": lambda now: control.cable_current,
            "state": self._state,
            "release": lambda now: int(control.enabled),
            "set_current": lambda now: 0 if self.asked is None else self.asked,
            "lock": lambda now: int(control.locked),
            "available": lambda now: int(control.enabled),
            "fallback_current": lambda now: control.safe_current,
            "watchdog_time": lambda now: self.validity(off=_OFF, most=_OFF - 1),
        }

    def _state(self, now: Instant) -> Value:
        told = self.state(now)
        return {"A": "A1", "E": "E0", "F": "F0"}.get(told, told)

    def _errors(self) -> int:
        alarm = self.alarm
        if not alarm:
            return 0
        return 1 << (_RESIDUAL_BIT if alarm.startswith(("dc-", "ac-")) else _BITS.get(alarm, _LOCK_BIT))

    @staticmethod
    def _duty(ampere: float) -> float:
        return ampere / _PER_AMPERE if ampere <= _STEADY_FROM else ampere / 2.5 + 64.0
