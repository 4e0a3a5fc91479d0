"""KEBA KeContact P30 (modbus_chargers.md 6)."""

from __future__ import annotations

from hil.codec.register import Value
from hil.dut.ac.control import Control
from hil.dut.ac_modbus.spec import FrontSpec
from hil.dut.ac_modbus.views.basis import View
from hil.dut.modbus.spec import ILLEGAL_VALUE, Refused
from hil.units import Instant

_CAUSES = ("dc-", "ac-", "diode", "earth", "weld", "voltage", "contactor", "overcurrent", "lock", "cable")
"""The sheet names no error codes: this charger's are 1 and on, in this order, and the last one for all else."""
_STATES = {"A": 1, "B1": 1, "C1": 1, "D1": 1, "B2": 2, "C2": 2, "D2": 2, "E": 4, "F": 4}
_SUPPLYING = ("C2", "D2")
_CHARGING, _SUSPENDED = 3, 5
_STATION, _LOCKED, _VEHICLE = 1, 2, 4
_MOST = (1 << 16) - 1


class KebaView(View):
    """Failsafe: without a command in time the failsafe current rules, until current and enable are written again."""

    constants = {  # noqa: RUF012 - a table that nobody changes
        "serial": 17_000_001,
        "product": 304_100,  # P30 with a socket, 32 A, x-series, standard meter, no RFID
        "firmware": bytes((3, 10, 30, 0)),
        "phase_switch_source_now": 0,
        "phase_switch_state": 1,
    }

    def __init__(self, control: Control, spec: FrontSpec) -> None:
        super().__init__(control, spec)
        self._due: set[str] = set()
        """What must be written after a failsafe before it counts."""
        self.getters = {
            "state": self._state,
            "cable_state": self._cable_state,
            "error_code": lambda now: self._error_code(),
            **{f"voltage_l{phase}": self.by_phase("voltage") for phase in range(1, control.phases + 1)},
            **{f"current_l{phase}": self.by_phase("current") for phase in range(1, control.phases + 1)},
            "power": self.by_phase("power"),
            "power_factor": lambda now: 100.0 if self.meter.read("power", now) else 0.0,
            "energy_total": self.by_phase("energy"),
            "energy_session": lambda now: self.session.energy(self.meter.read("energy", now)),
            "max_current": control.applied_current,
            "max_supported_current": lambda now: min(control.rated_current, control.cable_current),
            "failsafe_current_now": lambda now: control.safe_current,
            "failsafe_timeout_now": lambda now: self.validity(off=0, most=_MOST),
        }
        self.setters = {
            "set_current": self._set_current,
            "enable": self._set_enable,
            "failsafe_current": self.set_safe,
            "failsafe_timeout": lambda value, now: self.set_validity(value, now, off=0),
            "unlock_plug": self._unlock,
        }

    # --- state ------------------------------------------------------------------------------------

    def _state(self, now: Instant) -> Value:
        told = self.state(now)
        if told in _SUPPLYING and self.control.output_on:
            return _CHARGING
        waits = told in ("B1", "C1", "D1")
        suspended = waits and (not self.control.enabled or self.asked == 0)
        return _SUSPENDED if suspended else _STATES[told]

    def _cable_state(self, now: Instant) -> Value:
        if not self.control.cable_current:
            return 0
        locked = self.control.locked
        vehicle = self.control.state_letter in "BCD"
        return _STATION | (_LOCKED if locked else 0) | (_VEHICLE if vehicle else 0)

    def _error_code(self) -> int:
        alarm = self.alarm
        if not alarm:
            return 0
        return next((code for code, cause in enumerate(_CAUSES, 1) if alarm.startswith(cause)), len(_CAUSES) + 1)

    # --- commands ---------------------------------------------------------------------------------

    def _set_current(self, value: float, now: Instant) -> Refused | None:
        self._note_failsafe(now)
        self._due.discard("current")
        if self._due:
            self.asked = value
            return None
        return self.set_limit(value, now)

    def _set_enable(self, value: float, now: Instant) -> Refused | None:
        self._note_failsafe(now)
        self._due.discard("enable")
        refused = self.set_release(value, now)
        if self._due or self.spec.feed == "nothing":
            return refused
        if self.asked is None:
            self.control.heartbeat(now)
            return refused
        return self.set_limit(self.asked, now)

    def _note_failsafe(self, now: Instant) -> None:
        """After a failsafe current and enable count only when both have been written."""
        if not self.control.remaining_validity(now) and not self._due:
            self._due = {"current", "enable"}

    def _unlock(self, value: float, now: Instant) -> Refused | None:
        """Only while suspended: the reference's lock follows its states, and is open then or never."""
        return None if self._state(now) == _SUSPENDED else ILLEGAL_VALUE
