"""What the charger's own meter tells, and what has passed since a vehicle came."""

from __future__ import annotations

from hil.dut.ac.control import Control
from hil.dut.ac_modbus.spec import FrontSpec
from hil.units import Instant, seconds

_WH = 1000.0
_SENSORS = {
    "voltage": ("mains_voltage", 1.0),
    "current": ("line_current", 1.0),
    "power": ("meter_power", 1.0),
    "energy": ("meter_energy", _WH),
}


class ChargerMeter:
    """V, A, W and Wh as the registers tell them."""

    def __init__(self, control: Control, spec: FrontSpec) -> None:
        self._control = control
        self._spec = spec
        self._read: dict[str, tuple[Instant, float]] = {}

    def read(self, quantity: str, now: Instant) -> float:
        """``voltage`` (line to neutral), ``current`` (each phase), ``power`` and ``energy`` (all phases)."""
        period = self._spec.meter_period
        at, value = self._read.get(quantity, (-1, 0.0))
        if at < 0 or now - at >= period:
            sensor, factor = _SENSORS[quantity]
            value = self._control.measure(sensor, now) * factor * self._spec.gains.get(quantity, 1.0)
            self._read[quantity] = (now, value)
        return value


class Session:
    """Times and energy of the vehicle that is connected, or was last."""

    def __init__(self) -> None:
        self._since: Instant | None = None
        self._ready: Instant | None = None
        self._connected = self._charging = 0
        self._begun = 0.0
        self._ended: float | None = 0.0

    def see(self, letter: str, energy: float, now: Instant) -> None:
        """The pilot's state and the meter in Wh, from now on."""
        connected, ready = letter in "BCD", letter in "CD"
        if connected and self._since is None:
            self._since, self._connected, self._charging = now, 0, 0
            self._begun, self._ended = energy, None
        elif not connected and self._since is not None:
            self._connected, self._since, self._ended = now - self._since, None, energy - self._begun
        if ready and self._ready is None:
            self._ready = now
        elif not ready and self._ready is not None:
            self._charging, self._ready = self._charging + now - self._ready, None

    def connected(self, now: Instant) -> float:
        """s in states B, C and D."""
        return seconds(self._connected if self._since is None else now - self._since)

    def charging(self, now: Instant) -> float:
        """s in states C and D."""
        return seconds(self._charging + (0 if self._ready is None else now - self._ready))

    def energy(self, meter: float) -> float:
        """Wh of this session, by what the meter tells."""
        return meter - self._begun if self._ended is None else self._ended
