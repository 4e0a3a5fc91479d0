"""What the reference charger is, as data: a seeded fault is a pure edit of this.

The timing is this charger's own. Limits that judge a charger live in the requirement catalogue and
are never taken from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from hil.dut.gbt27930.quirks import Quirks
from hil.dut.gbt27930.table import ROWS, STATES
from hil.protocol.j1939 import TpBehaviour, TpTiming
from hil.protocol.table import Row, State
from hil.protocol.tablespec import TableSpec
from hil.units import Span, minutes, ms, s

Names = tuple[str, ...]


def _frozen(values: dict[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(values)


SPANS: Mapping[str, Span] = _frozen(
    {
        # periods, sheet 2.1
        "CHM": ms(250),
        "CRM00": ms(250),
        "CRMAA": ms(250),
        "CML": ms(250),
        "CTS": ms(500),
        "CRO00": ms(250),
        "CROAA": ms(250),
        "CCS": ms(50),
        "CST": ms(10),
        "CSD": ms(250),
        "CEM": ms(250),
        # time-outs, sheet 4.3
        "T1": s(5),
        "T2": s(5),
        "T3": s(5),
        "T4": s(60),
        "T5": s(5),
        "T6": s(1),
        "T7": s(5),
        "T8": s(1),
        "T9": s(5),
        "T10": s(5),
        "T11": s(10),
        "T22": minutes(10),
        "T23": s(5),
        # this charger's own habits
        "bhm_silence": s(10),  # CHG-FW3's, sheet 4.3
        "insulation": ms(1000),
        "cem": ms(2000),  # seen in FIELD, sheet 4.4
        "cem_end": ms(2000),
        "statistics": ms(1500),
        "poll": ms(5),
        "demand_poll": ms(10),
        "bem_pause": ms(2000),
        "extra": 0,  # of :meth:`ChargerSpec.doing`
    }
)


@dataclass(frozen=True)
class Power:
    """How the controller drives the power stage and watches the connector."""

    max_voltage: float = 950.0
    min_voltage: float = 150.0
    max_current: float = 300.0
    min_current: float = 2.0
    test_current: float = 2.0
    """Current allowed during the insulation test, A."""
    outside_voltage_limit: float = 10.0
    check_outside: bool = True
    test_voltage_factor: float = 1.0
    test_beyond_rating: bool = False
    """Test the insulation at BHM's voltage although the own rated one is lower."""
    insulation_fault_ohm_per_volt: float = 100.0
    """At or below: no charging (sheet 4.8)."""
    measure_insulation: bool = True
    discharge_below: float = 60.0
    discharge: bool = True
    discharge_after: Span = 0
    """The output keeps its voltage at least so long after the charge has ended."""
    battery_tolerance: float = 0.05
    """Allowed difference of the measured battery voltage from BCP, relative (sheet 4.8)."""
    check_range: bool = True
    """Take only a battery inside the own output range."""
    precharge_below: float = 5.0
    """Precharge to this much below the battery voltage, V (1..10 V, sheet 4.8)."""
    precharge_window: float = 2.0
    """Ready when the output is this near to the precharge voltage, V."""
    open_below: float = 5.0
    """Contactors open at or below this current, A."""
    open_unconditionally: bool = False
    open_after: Span = 0
    """Contactors stay closed at least so long after the charge has ended."""
    aux_after: Span = 0
    """The auxiliary supply stays on so long after the session has ended."""
    close_k1k2: bool = True
    release_k1k2: bool = True
    """Open the output contactors when charging has ended."""
    release_aux: bool = True
    stop_ramp: float = 0.0
    """A/s when stopping; 0 leaves it to the power stage."""
    fall_ramp: float = 0.0
    """A/s after a lower demand; 0 leaves it to the power stage."""
    rise_ramp: float = 0.0
    """A/s after a higher demand; 0 leaves it to the power stage."""
    voltage_gain: float = 1.0
    voltage_offset: float = 0.0
    current_gain: float = 1.0
    current_offset: float = 0.0
    set_voltage_gain: float = 1.0
    set_current_gain: float = 1.0
    set_current_offset: float = 0.0
    """How the power stage's set-points miss the demand."""
    time_gain: int = 1
    """Minutes counted for each minute."""
    hold_at_zero: bool = False
    """A demand of 0 leaves the output as it is."""
    follow_limits: bool = True
    """Keep below BCP's maxima and the own ones."""
    follow_demand: bool = True
    overvoltage_watch: bool = True
    pause_output: bool = True
    resume_output: bool = True
    """Give current again after a pause or a reconnection."""
    stop_output: bool = True
    """Cut the output when stopping or in error."""
    fast_causes: Names = ("emergency", "connector", "earth", "supply", "voltage")
    """Causes for which the stage is switched off rather than ramped down (sheet 4.8)."""
    fast_ramp: float = 0.0
    """A/s after such a cause, where the stage is not switched off at once."""
    cc1_low: float = 3.2
    cc1_high: float = 4.8
    start_cc1_low: float = 3.2
    start_cc1_high: float = 4.8
    quirks: Quirks | None = None
    """What only an unusual load profile brings to light."""


@dataclass(frozen=True)
class WireEdit:
    """How frames of one message leave the charger, where that is not as declared."""

    length: int | None = None
    """Padded with 0xFF or cut to this many bytes."""
    priority: int | None = None
    source: int | None = None
    pgn: int | None = None
    set_bits: bytes = b""
    clear_bits: bytes = b""
    """Masks over the data, from byte 1."""
    every: int = 1
    """Send only each ``every``-th frame."""
    jitter: Span = 0
    """Alternate frames come this much early and late."""
    limit: int | None = None
    """No more frames than this in one visit of a state."""
    quiet: Span = 0
    """Not sent during the first such span of a state."""
    swap: tuple[tuple[int, int], ...] = ()
    """Pairs of bytes, counted from 1, that change places."""
    stale: bool = False
    """Every frame says what the first one said."""
    only: tuple[tuple[str, Any], ...] = ()
    """Signals and values: the bytes of frames that say something else are left as they are."""


@dataclass(frozen=True)
class ChargerSpec(TableSpec):
    """Everything the reference charger is made of."""

    number: int = 1
    region: str = "310"
    version: int = 0x000101
    spans: Mapping[str, Span] = field(default_factory=lambda: SPANS)
    wander: Mapping[str, tuple[Span, ...]] = field(default_factory=lambda: _frozen({}))
    """By how much the intervals of a message are longer than its period, in turn."""
    states: Mapping[str, State] = field(default_factory=lambda: MappingProxyType(dict(STATES)))
    rows: tuple[Row, ...] = ROWS
    power: Power = field(default_factory=Power)
    content: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _frozen({}))
    """Signals that are forced to a value, by the name under which a state sends the message."""
    wire: Mapping[str, WireEdit] = field(default_factory=lambda: _frozen({}))
    deaf_to: Names = ()
    """Messages that are not taken in."""
    accept_priorities: bool = False
    """Any priority will do; the reference takes only the declared one."""
    accept_longer: bool = False
    """More bytes than defined will do (register: dlc)."""
    accept_values: bool = False
    """Values out of the printed range and undefined codes will do."""
    accept_lengths: Mapping[str, int] = field(default_factory=lambda: _frozen({}))
    """Shorter than declared and still taken in."""
    accept_sources: tuple[int, ...] = ()
    accept_pgns: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    """PGNs taken for another one."""
    accept_untransported: Names = ()
    """Long messages whose first eight bytes are taken as the whole."""
    tp_timing: TpTiming = field(default_factory=TpTiming)
    tp: TpBehaviour = field(default_factory=TpBehaviour)
    tp_deaf: Mapping[str, Names] = field(default_factory=lambda: _frozen({}))
    """Long messages whose announcement is not answered, by state; the state ``*`` means every one."""
    ignored_reasons: Names = ()
    """A BST that gives no other reason than these is not taken in."""
    own_version_only: bool = False
    """A BRM of another protocol version is not taken in."""
    any_address: bool = False
    """Frames of and to other addresses are taken in."""
    reconnections: int = 3
    leaves_bus_off: bool = True
    """Its controller comes back by itself, 128 times 11 recessive bits after the line has failed."""
    slow_to: Mapping[str, Span] = field(default_factory=lambda: _frozen({}))
    """Triggers of which the controller takes notice so much later."""
    crashes_on: str = ""
    """A trigger at which the controller hangs for good."""
    crashes_on_foreign: bool = False
    """Frames that are none of ours hang the controller."""
    crashes_on_malformed: Names = ()
    """Messages of which a frame that cannot be one hangs the controller."""
    crashes_on_stray: bool = False
    """Transport frames that belong to no connection, or open none, hang the controller."""
    crashes_on_short: bool = False
    """Transport frames of less than 8 bytes hang the controller."""
    abnormal: Mapping[str, tuple[int, ...]] = field(
        default_factory=lambda: _frozen(
            {
                "cell_voltage_state": (1, 2),
                "soc_state": (1, 2),
                "overcurrent": (1,),
                "overtemperature": (1,),
                "insulation": (1,),
                "connector": (1,),
            }
        )
    )
    """Values of BSM's items that stop the charge (sheet 3.12)."""
    stop_causes: Mapping[str, Mapping[str, int]] = field(
        default_factory=lambda: _frozen(
            {
                "bst": {"bms_stopped": 1},
                "bsm": {"fault_stop": 1},
                "manual": {"manual_stop": 1},
                "emergency": {"fault_stop": 1, "emergency_stop": 1},
                "connector": {"fault_stop": 1, "charging_connector_fault": 1},
                "pause": {"condition_reached": 1},
                "supply": {"fault_stop": 1, "energy_not_deliverable": 1},
                "earth": {"fault_stop": 1, "other_fault": 1},
                "voltage": {"fault_stop": 1, "voltage_abnormal": 1},
            }
        )
    )
    """CST content by cause. Beyond the named ones the standard gives no mapping (register: cst-cause)."""
    readings: Mapping[str, str] = field(default_factory=lambda: _frozen({}))

    def powered(self, **values: Any) -> ChargerSpec:
        """The same with other settings of :class:`Power`."""
        return replace(self, power=replace(self.power, **values))

    def quirky(self, **quirks: Any) -> ChargerSpec:
        """The same with other :class:`~hil.dut.gbt27930.quirks.Quirks`."""
        return self.powered(quirks=replace(self.power.quirks or Quirks(), **quirks))

    def saying(self, send: str, **signals: Any) -> ChargerSpec:
        """The same with signals of one message forced."""
        return replace(self, content=_frozen({**self.content, send: {**self.content.get(send, {}), **signals}}))

    def wired(self, send: str, **edit: Any) -> ChargerSpec:
        """The same with one message's frames edited."""
        return replace(self, wire=_frozen({**self.wire, send: WireEdit(**edit)}))

    def causing(self, cause: str, **signals: int) -> ChargerSpec:
        """The same with another CST content for a cause."""
        return replace(self, stop_causes=_frozen({**self.stop_causes, cause: signals}))

    def doing(self, states: str | Names, after: Span, *actions: str) -> ChargerSpec:
        """The same with actions that are carried out so long after one of these states was entered.

        States among them that follow each other count as one; the actions are left out where it ends before.
        """
        names = (states,) if isinstance(states, str) else states
        spec = self.timing(extra=after).with_row(names, "extra", do=actions)
        for name in names:
            spec = spec.stating(name, timers=(*spec.states[name].timers, "extra"))
        return spec

    def also_sending(self, state: str, *sends: str) -> ChargerSpec:
        """The same with more messages sent in a state."""
        return self.stating(state, sends=(*self.states[state].sends, *sends))


def reference(readings: Mapping[str, str] | None = None) -> ChargerSpec:
    """The charger that passes every case, built to the readings claimed (interpretation register)."""
    chosen = dict(readings or {})
    spec = replace(ChargerSpec(), readings=_frozen(chosen))
    if chosen.get("reconnections") is not None:
        spec = replace(spec, reconnections={"none": 0, "two": 2, "three": 3}[chosen["reconnections"]])
    if chosen.get("bhm-silence") == "identify-after-5s":
        spec = spec.timing(bhm_silence=s(5))
    if chosen.get("dlc") == "padded":
        spec = replace(spec, accept_longer=True)
        for send in spec.spans.keys() & _SENT.keys():
            spec = spec.wired(send, length=8)
    if chosen.get("reserved-bits") == "any":
        for send, reserved in _RESERVED.items():
            length = spec.wire[send].length if send in spec.wire else None
            spec = spec.wired(send, length=length, clear_bits=bytes.fromhex(reserved))
    return spec


_SENT: Mapping[str, str] = _frozen(
    {"CRM00": "CRM", "CRMAA": "CRM", "CRO00": "CRO", "CROAA": "CRO"}
    | {name: name for name in ("CHM", "CTS", "CML", "CCS", "CST", "CSD", "CEM")}
)
"""Names under which states send, and the messages they are."""
_RESERVED: Mapping[str, str] = _frozen({"CCS": "000000000000FC", "CST": "0000F0F0", "CEM": "FCF0C0FC"})
"""Reserved bits of the messages that have some (sheet 3.11, 3.15, 3.19), from byte 1."""
