"""Alfen NG9xx with one socket (modbus_chargers.md 5)."""

from __future__ import annotations

from math import sqrt

from hil.codec.register import Value
from hil.dut.ac.control import Control
from hil.dut.ac_modbus.spec import FrontSpec
from hil.dut.ac_modbus.views.basis import Getter, View
from hil.dut.modbus.spec import Refused
from hil.units import SECOND, Instant

_PHASES = ("l1", "l2", "l3")
_SOCKET = "socket1."


class AlfenView(View):
    """Every write of the limit restarts its validity; when that is over, and after a start, the safe current rules."""

    constants = {  # noqa: RUF012 - a table that nobody changes
        "name": "ALF_1000",
        "manufacturer": "Alfen NV",
        "table_version": 1,
        "firmware": "3.4.0-2990",
        "platform": "NG910",
        "serial": "HIL0000001",
        "year": 2026,
        "month": 1,
        "day": 1,
        "sockets": 1,
        "socket1.meter_state": 0b11,
        "socket1.frequency": 50.0,
        "socket1.current_n": 0.0,
        "socket1.set_current_accounted": 1,
    }

    def __init__(self, control: Control, spec: FrontSpec) -> None:
        super().__init__(control, spec)
        self.getters = {
            "uptime": lambda now: now / SECOND,
            "station_max_current": lambda now: control.rated_current,
            **{_SOCKET + name: getter for name, getter in self._measured().items()},
            "socket1.availability": lambda now: int(control.enabled),
            "socket1.state": self.state,
            "socket1.applied_current": control.applied_current,
            "socket1.valid_time": self._valid_time,
            "socket1.set_current": lambda now: self.asked,
            "socket1.safe_current": lambda now: control.safe_current,
            "socket1.phases": lambda now: control.phases,
        }
        self.setters = {"socket1.set_current": self.set_limit, "socket1.phases": self._set_phases}

    def _measured(self) -> dict[str, Getter]:
        found: dict[str, Getter] = {}
        for phase in _PHASES[: self.control.phases]:
            found |= {f"voltage_{phase}": self.by_phase("voltage"), f"current_{phase}": self.by_phase("current")}
            found |= {f"power_{phase}": self.share("power"), f"apparent_power_{phase}": self.share("power")}
            found |= {f"energy_delivered_{phase}": self.share("energy"), f"power_factor_{phase}": lambda now: 1.0}
        for name in ("voltage_l1_l2", "voltage_l2_l3", "voltage_l3_l1"):
            found[name] = lambda now: self.meter.read("voltage", now) * sqrt(3.0)
        found["current_sum"] = lambda now: self.meter.read("current", now) * self.control.phases
        found |= {"power_sum": self.by_phase("power"), "apparent_power_sum": self.by_phase("power")}
        return found | {"energy_delivered_sum": self.by_phase("energy"), "power_factor_sum": lambda now: 1.0}

    def start(self, now: Instant) -> None:
        """After a start the station runs on the safe current (5.2)."""
        self.control.shorten(0, now)

    def _valid_time(self, now: Instant) -> Value:
        return self.control.remaining_validity(now) // SECOND

    def _set_phases(self, value: float, now: Instant) -> Refused | None:
        """Ignored: switching of phases is not allowed at this station (5.2)."""
        return None
