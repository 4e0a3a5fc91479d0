"""What the reference AC charger is, as data: a seeded fault is a pure edit of this.

Figures with a section are those of the sheet iec61851_control_pilot.md; the others are this charger's own.
Limits that judge a charger live in the requirement catalogue and are never taken from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from hil.dut.ac.table import ROWS, STATES
from hil.errors import UsageError
from hil.protocol.table import Row, State
from hil.protocol.tablespec import TableSpec
from hil.units import Span, ms, s

SPANS: Mapping[str, Span] = MappingProxyType(
    {
        "debounce": ms(20),  # a level must stand this long; section 3, design hint
        "supply_delay": ms(300),  # 4: supply on within 3 s
        "close_check": ms(200),
        "lock_wait": ms(500),
        "ventilation_wait": s(2),  # section 5: on within 3 s
        "pwm_off": ms(500),  # 9.3: within 2 s of unplugging
        "unlock": s(1),  # 2.1: within 5 s
        "forced_open": ms(6200),  # 10.2, IEC
        "fault_hold": s(4),  # section 6, T_step_EF
        "restart_delay": s(1),
        "match": s(10),
        "step": s(4),  # section 6, T_step_EF
        "validity": s(60),  # modbus_chargers.md 5, Alfen: set-points hold for so long
        # protective functions, section 5
        "dc-6": s(2),
        "dc-60": ms(150),
        "dc-200": ms(50),
        "ac-30": ms(200),
        "ac-60": ms(80),
        "ac-150": ms(20),
        "overcurrent": ms(4900),
        "weld": ms(100),
        "voltage": ms(100),
        "earth": ms(10),
        "diode": ms(50),
        "cable": ms(50),
    }
)


class Trip(NamedTuple):
    """A protective function: it trips when the signal has been at ``level`` or beyond it for its span.

    ``cause`` names the span. Only while the output is commanded on with ``while_on`` True, off with False.
    """

    cause: str
    signal: str
    level: float
    falling: bool = False
    """It trips at the level or below it."""
    while_on: bool | None = None


TRIPS: tuple[Trip, ...] = (
    Trip("dc-6", "residual_dc", 6.0),
    Trip("dc-60", "residual_dc", 60.0),
    Trip("dc-200", "residual_dc", 200.0),
    Trip("ac-30", "residual_ac", 30.0),
    Trip("ac-60", "residual_ac", 60.0),
    Trip("ac-150", "residual_ac", 150.0),
    Trip("weld", "contactor_closed", 1.0, while_on=False),
    Trip("voltage", "output_voltage", 50.0, while_on=False),
    Trip("earth", "pe_ok", 0.0, falling=True),
)
_IEC_CABLES = ((60.0, 140.0, 63.0), (140.0, 308.0, 32.0), (308.0, 936.0, 20.0), (936.0, 4500.0, 13.0))
_GBT_CABLES = ((60.0, 140.0, 63.0), (140.0, 308.0, 32.0), (308.0, 936.0, 16.0), (936.0, 4500.0, 10.0))
_WINDOWS = {
    "A": (10.5, 13.0),
    "B": (7.4, 10.5),
    "C": (4.5, 7.4),
    "D": (1.5, 4.5),
    "E": (-1.5, 1.5),
    "F": (-13.0, -10.5),
}


@dataclass(frozen=True)
class AcSpec(TableSpec):
    """Everything the reference AC charger is made of. Currents in A each phase, voltages in V."""

    spans: Mapping[str, Span] = field(default_factory=lambda: SPANS)
    states: Mapping[str, State] = field(default_factory=lambda: MappingProxyType(dict(STATES)))
    rows: tuple[Row, ...] = ROWS
    phases: int = 3
    # limits
    rated_current: float = 32.0
    installation: float = 32.0
    min_current: float = 6.0
    safe_current: float = 10.0
    """Applied when whoever asks for a limit has been silent for the validity time."""
    rest: float = 0.0
    """Offered instead of nothing where less than the minimum is asked for: a fault."""
    follow_while_charging: bool = True
    obey_request: bool = True
    keep_validity: bool = True
    """Fall back to the safe current when the validity time has passed."""
    # what it is
    socket: bool = True
    """A socket outlet: proximity tells the cable's ampacity, and the plug is locked."""
    ventilation: bool = False
    """Installed where ventilation can be had, and switches it."""
    digital: bool = False
    """Begins with 5 % for digital communication, and goes on with the nominal duty cycle without."""
    step_level: str = "F"
    """Between 5 % and the nominal duty cycle: ``F`` or ``X1``."""
    fault_level: str = "F"
    """How a fault shows on the pilot: ``F``, or ``X1`` for steady +12 V."""
    needs_authorisation: bool = False
    # pilot
    windows: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType(_WINDOWS))
    """Detection windows of the pilot's positive level, the gaps given to a neighbour (1.1, K)."""
    diode_below: float | None = -10.0
    """The negative half must be below this (section 5); None leaves it unchecked."""
    cables: tuple[tuple[float, float, float], ...] = _IEC_CABLES
    """Ohm from, ohm to, A (section 4: between the ranges the lower ampacity; beyond them no charging)."""
    check_cable: bool = True
    """No charging without a cable that is coded."""
    second_formula_from: float = 51.0
    """A above which the duty cycle follows I / 2.5 + 64 (section 2)."""
    duty_gain: float = 1.0
    duty_offset: float = 0.0
    frequency: float = 1000.0
    # output
    lock: bool = True
    unlock: bool = True
    release: bool = True
    """Open the contactor when commanded."""
    # protective functions
    trips: tuple[Trip, ...] = TRIPS
    overcurrent: tuple[float, float, float] | None = (20.0, 2.0, 1.1)
    """Above the limit by so many A (second) up to a limit of (first), by this factor (third) beyond it
    (section 5, GB/T); None does not watch."""
    restart_by_itself: bool = False
    """Go on after a loss of mains without a new sequence: a fault."""
    readings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def reading_levels(self, **windows: tuple[float, float]) -> AcSpec:
        """The same with other detection windows."""
        return replace(self, windows=MappingProxyType({**self.windows, **windows}))

    def without_trips(self, *causes: str) -> AcSpec:
        """The same without some protective functions; an unknown one raises :class:`UsageError`."""
        for cause in causes:
            if cause not in {trip.cause for trip in self.trips}:
                raise UsageError(f"no protective function {cause!r} among {', '.join(t.cause for t in self.trips)}")
        return replace(self, trips=tuple(trip for trip in self.trips if trip.cause not in causes))


MODELS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "socket": {},
        "cable": {"socket": False},
        "ventilated": {"ventilation": True},
        "80A": {"socket": False, "rated_current": 80.0, "installation": 80.0},
        "63A-socket": {"rated_current": 63.0, "installation": 63.0},
        "digital": {"digital": True},
    }
)
"""Reference chargers for what one of them cannot show."""


def reference(readings: Mapping[str, str] | None = None, model: str = "") -> AcSpec:
    """The AC charger that passes every case, built to the readings claimed (interpretation register).

    ``model`` is one of :data:`MODELS`; an unknown one raises :class:`UsageError`.
    """
    model = model or "socket"
    if model not in MODELS:
        raise UsageError(f"no model {model!r} of the reference AC charger; there are {', '.join(MODELS)}")
    chosen = dict(readings or {})
    spec = AcSpec(readings=MappingProxyType(chosen)).but(**MODELS[model])
    if chosen.get("pilot-standard") == "gbt18487":
        # Section 7: no state F, forced opening after 3.0 to 3.1 s, other amperes for the same resistors.
        spec = spec.timing(forced_open=ms(3030)).but(fault_level="X1", cables=_GBT_CABLES)
    return spec
