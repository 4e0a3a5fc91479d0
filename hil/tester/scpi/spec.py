"""What a simulated instrument is, as data: its limits, its dialect, and what of the plant it moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hil.errors import UsageError
from hil.units import MILLISECOND, Span

QUANTITIES = ("voltage", "current", "power", "resistance")
UNITS: Mapping[str, str] = MappingProxyType(
    {"voltage": "V", "current": "A", "power": "W", "resistance": "OHM", "slew": "A/S", "dwell": "S"}
)


@dataclass(frozen=True)
class InstrumentSpec:
    """A load, a source or both. Quantities in V, A, W and ohm."""

    identity: str = "HIL,SIMULATED LOAD,0001,1.0"
    source: bool = False
    """``OUTP`` instead of ``INP``; its voltage and current set-points act together."""
    ranges: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: MappingProxyType(
            {
                "voltage": (0.0, 1000.0),
                "current": (0.0, 300.0),
                "power": (0.0, 60_000.0),
                "resistance": (0.01, 10_000.0),
                "slew": (0.1, 100_000.0),
                "dwell": (0.001, 100_000.0),
            }
        )
    )
    sensors: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({"voltage": "supply_voltage", "current": "line_current"})
    )
    """The plant's names of what it measures."""
    actuators: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({"current": "draw_current"}))
    """The plant's names of what it moves: ``current``, ``voltage``, ``on``. What has none is not moved."""
    sign: float = 1.0
    """Of the current for the actuator and of the sensor."""
    decimals: int = 3
    tick: Span = 20 * MILLISECOND
    """How often it regulates and looks at its protections."""
    steps: int = 100
    """Longest list."""
    depth: int = 20
    """Of the error queue."""

    # --- dialect ---
    units: bool = False
    """Measured values with their unit, as EA does."""
    plus: bool = False
    """``+0`` for no error."""
    crlf: bool = False
    onoff: bool = False
    """Booleans are answered ``ON`` and ``OFF``."""
    needs_remote: bool = False
    """Refuses to be set before ``SYST:LOCK ON`` or ``SYST:REM``."""
    answer_delay: Span = 5 * MILLISECOND
    measure_delay: Span = 40 * MILLISECOND
    """``MEAS?`` takes so much longer than ``FETC?``."""
    watchdog: Span = 0
    """Switches off when nothing has come for so long; 0 never."""
    reset_clears: bool = False
    """``*RST`` clears the error queue too."""

    def __post_init__(self) -> None:
        """What no instrument can be raises :class:`UsageError`."""
        missing = {*QUANTITIES, "slew", "dwell"} - set(self.ranges)
        if missing:
            raise UsageError(f"{self.identity}: no range of {', '.join(sorted(missing))}")
        strange = (set(self.sensors) | set(self.actuators)) - {"voltage", "current", "on"}
        if strange:
            raise UsageError(f"{self.identity}: {', '.join(sorted(strange))}; voltage, current and on are allowed")
        if any(low > high for low, high in self.ranges.values()):
            raise UsageError(f"{self.identity}: a range runs from its low to its high end")
