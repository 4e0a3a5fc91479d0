"""What the reference AC charger is, as data: a seeded fault is a pure edit of this.

Figures marked by section are those of the sheet iec61851_control_pilot.md; the others are this charger's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from hil.dut.ac.table import ROWS, STATES
from hil.errors import UsageError
from hil.protocol.table import Row, State
from hil.units import Span, ms, s

SPANS: Mapping[str, Span] = MappingProxyType(
    {
        "debounce": ms(20),  # a level must stand this long; 1.1 and the design hint of section 3
        "supply_delay": ms(300),  # CP-04: at most 3 s
        "lock_wait": ms(500),
        "ventilation_wait": s(2),  # CP-20: on within 3 s
        "pwm_off": ms(500),  # 2.1: within 2 s of unplugging
        "unlock": s(1),  # 2.1: within 5 s
        "forced_open": s(6),  # 10.2, IEC
        "overcurrent": s(5),  # section 5, GB/T
        "trip_dc_6": s(2),  # section 5: 6 mA within 10 s
        "trip_dc_60": ms(150),  # 60 mA within 0.3 s
        "trip_dc_200": ms(50),  # 200 mA within 0.1 s
        "trip_ac_30": ms(200),  # 30 mA within 0.3 s
        "trip_ac_60": ms(80),  # 60 mA within 0.15 s
        "trip_ac_150": ms(20),  # 150 mA within 0.04 s
        "weld_check": ms(300),
        "restart_delay": s(1),
        "poll": ms(10),
    }
)


@dataclass(frozen=True)
class AcSpec:
    """Everything the reference AC charger is made of. Currents in A each phase, voltages in V."""

    spans: Mapping[str, Span] = field(default_factory=lambda: SPANS)
    states: Mapping[str, State] = field(default_factory=lambda: MappingProxyType(dict(STATES)))
    rows: tuple[Row, ...] = ROWS
    phases: int = 3
    rated_current: float = 32.0
    min_current: float = 6.0
    safe_current: float = 10.0
    """Applied when its master has been silent for the validity time."""
    validity: Span = s(60)
    socket: bool = True
    """A socket outlet: proximity tells the cable's ampacity."""
    ventilation: bool = False
    """Installed where ventilation can be had, and switches it."""
    needs_authorisation: bool = False
    windows: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: MappingProxyType(
            {"A": (10.5, 13.0), "B": (7.5, 10.5), "C": (4.5, 7.5), "D": (1.5, 4.5), "E": (-1.5, 1.5), "F": (-13.0, -10.5)}
        )
    )
    """Detection windows of the pilot's positive level, the gaps given to a neighbour (1.1, K)."""
    r3_range: tuple[float, float] = (1870.0, 4610.0)
    """Ohm that count as a vehicle in state B (section 1)."""
    diode_below: float = -10.0
    """The negative half must be below this (section 5)."""
    check_diode: bool = True
    cable_limits: tuple[tuple[float, float, float], ...] = (
        (80.0, 140.0, 63.0),
        (140.0, 308.0, 32.0),
        (308.0, 936.0, 20.0),
        (936.0, 2460.0, 13.0),
        (2460.0, 4500.0, 13.0),
    )
    """Ohm from, ohm to, A (section 4: between the ranges the lower ampacity; beyond them no charging)."""
    second_formula_from: float = 51.0
    """A above which the duty cycle follows I / 2.5 + 64 (section 2)."""
    duty_gain: float = 1.0
    duty_offset: float = 0.0
    frequency: float = 1000.0
    overcurrent_factor: float = 1.1
    overcurrent_margin: float = 2.0
    """Above the limit by 2 A up to 20 A, by a tenth beyond (section 5, GB/T)."""
    watch_overcurrent: bool = True
    watch_residual: bool = True
    watch_weld: bool = True
    watch_earth: bool = True
    watch_cable: bool = True
    pause_below_minimum: bool = True
    restart_by_itself: bool = False
    """Go on after a loss of mains without a new B2 sequence: a fault."""
    open_on_fault: bool = True
    readings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def but(self, **fields: Any) -> AcSpec:
        """The same with other fields."""
        return replace(self, **fields)

    def timing(self, **spans: Span) -> AcSpec:
        """The same with other spans; an unknown name raises :class:`UsageError`."""
        for name in spans:
            if name not in self.spans:
                raise UsageError(f"no span {name!r}; there are {', '.join(sorted(self.spans))}")
        return replace(self, spans=MappingProxyType({**self.spans, **spans}))

    def without_rows(self, *, state: str = "", trigger: str = "", target: str = "", guard: str = "") -> AcSpec:
        """The same without the rows that match everything given; no match raises :class:`UsageError`."""
        rows: list[Row] = []
        for row in self.rows:
            hit = (
                (not state or state in row.states)
                and (not trigger or row.trigger == trigger)
                and (not target or row.target == target)
                and (not guard or row.guard == guard)
            )
            rest = tuple(name for name in row.states if name != state) if hit and state else ()
            if not hit:
                rows.append(row)
            elif rest:
                rows.append(row._replace(states=rest))
        if tuple(rows) == self.rows:
            raise UsageError(f"no row has state {state!r}, trigger {trigger!r}, target {target!r} and guard {guard!r}")
        return replace(self, rows=tuple(rows))

    def with_row(
        self, states: str | tuple[str, ...], trigger: str, target: str = "", guard: str = "", do: tuple[str, ...] = ()
    ) -> AcSpec:
        """The same with a row that is tried before all others."""
        names = (states,) if isinstance(states, str) else states
        return replace(self, rows=(Row(names, trigger, target, guard, do), *self.rows))

    def stating(self, name: str, **fields: Any) -> AcSpec:
        """The same with one state edited."""
        return replace(self, states=MappingProxyType({**self.states, name: self.states[name]._replace(**fields)}))


def reference(readings: Mapping[str, str] | None = None) -> AcSpec:
    """The AC charger that passes every case, built to the readings claimed (interpretation register)."""
    chosen = dict(readings or {})
    spec = AcSpec(readings=MappingProxyType(chosen))
    if chosen.get("pilot-standard") == "gbt18487":
        spec = spec.timing(forced_open=ms(3050))
    return spec
