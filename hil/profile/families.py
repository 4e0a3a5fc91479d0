"""Named load profiles: what vehicles, depots and stations do, and the odd things that happen to them.

Each family gives one concrete profile for a vehicle. The demand is computed beforehand from what the
makers of packs allow (sheet lfp_battery.md 4 and 5), so that the file shows it and any bench replays
it. ``full`` profiles take as long as the real thing; the others show the same in minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

from msgspec.structs import replace

from hil.errors import UsageError
from hil.plant.pack import HEAT_CAPACITY, PRESETS, Pack, charge_rate_limit
from hil.profile import events as ev
from hil.profile.events import AnyEvent
from hil.profile.model import LoadProfile, Mode, Segment
from hil.profile.reach import Reach, reach_of
from hil.safety.envelope import Envelope
from hil.tester.gbt27930 import VEHICLES, VehicleSpec

_TAPER_VOLTS = 3.42
"""V per cell at which a vehicle begins to taper (lfp_battery.md 4)."""
_END_RATE = 0.05
"""C at which charging ends (lfp_battery.md 4)."""
_HEATER = 20_000.0
"""W, the most that the plant's heater gives."""
_LONGEST_HEATING = 530.0
"""s: below the 10 minutes that a pause may last, and the window in which a charger may end it (sheet 5.2)."""
_STEP = 10.0


class Builder:
    """Puts a profile together, segment after segment."""

    def __init__(self, vehicle: str, envelope: Envelope | None) -> None:
        self.vehicle = vehicle
        self.reach: Reach = reach_of(vehicle, envelope)
        self.spec: VehicleSpec = VEHICLES[vehicle]
        self.segments: list[Segment] = []

    def hold(
        self,
        seconds: float,
        current: float,
        *events: AnyEvent,
        voltage: float | None = None,
        mode: Mode = "cc",
        ramp: bool = False,
    ) -> None:
        """A demand within the reach, for so long; an equal one before it goes on."""
        volts = round(min(self.reach.voltage if voltage is None else voltage, self.reach.voltage), 1)
        amperes = round(min(current, self.reach.most_current(volts)), 1)
        self.add(seconds, amperes, *events, voltage=volts, mode=mode, ramp=ramp)

    def add(
        self, seconds: float, current: float, *events: AnyEvent, voltage: float, mode: Mode = "cc", ramp: bool = False
    ) -> None:
        """A demand as it is."""
        segment = Segment(
            duration=round(seconds, 3), current=current, voltage=voltage, mode=mode, ramp=ramp, events=events
        )
        last = self.segments[-1] if self.segments else None
        if last is not None and not (events or ramp or last.ramp) and _same_demand(last, segment):
            self.segments[-1] = _longer(last, segment.duration)
        else:
            self.segments.append(segment)

    def next_session(self, *changes: AnyEvent, current: float, stop: float = 0.0) -> None:
        """Stop after so many seconds, pull the plug, change something, and begin again: 20 s."""
        self.hold(9, current, ev.Stop(at=stop))
        self.hold(2, current, ev.Plug(inserted=False), *changes)
        self.hold(9, current, ev.Plug(inserted=True), ev.Start(at=1.0))

    def profile(self, name: str, note: str, *, soc: float = 50.0, temperature: float = 25.0) -> LoadProfile:
        """What was put together."""
        return LoadProfile(
            name=name,
            note=note,
            vehicle=self.vehicle,
            soc=soc,
            temperature=temperature,
            segments=tuple(self.segments),
        )


def _same_demand(one: Segment, other: Segment) -> bool:
    return (one.current, one.voltage, one.mode) == (other.current, other.voltage, other.mode)


def _longer(segment: Segment, by: float) -> Segment:
    return replace(segment, duration=round(segment.duration + by, 3))


Make = Callable[[Builder, bool], LoadProfile]


@dataclass(frozen=True)
class Family:
    """One named profile."""

    name: str
    summary: str
    make: Make
    vehicle: str = ""
    """The vehicle it is about; empty for any."""
    legal: bool = True
    """Within the envelope; what is not is never for a rig."""

    def profile(self, vehicle: str, envelope: Envelope | None = None, *, full: bool = False) -> LoadProfile:
        """The profile for a vehicle (or the family's own one) within an envelope."""
        return self.make(Builder(self.vehicle or vehicle, envelope), full)


def families() -> Mapping[str, Family]:
    """Every family by name."""
    return _FAMILIES


def family(name: str) -> Family:
    """One of them; :class:`UsageError` with near names for one that there is not."""
    if name not in _FAMILIES:
        near = get_close_matches(name, _FAMILIES, n=3) or list(_FAMILIES)
        raise UsageError(f"no family {name!r}; near are {', '.join(near)}")
    return _FAMILIES[name]


# --- charges ----------------------------------------------------------------------------------------


def _cc_cv(celsius: float) -> Make:
    """Constant current by temperature and SOC, constant voltage, then balancing."""

    def make(builder: Builder, full: bool) -> LoadProfile:
        soc = 20.0 if full else 98.6
        pack = Pack(PRESETS[builder.spec.preset], soc / 100, celsius)
        volts = _TAPER_VOLTS * builder.spec.cells
        ending = _END_RATE * builder.spec.rated_capacity
        left = 5 * 3600.0 if full else 260.0
        while left > 0:
            allowed = charge_rate_limit(pack.celsius, pack.soc) * builder.spec.rated_capacity
            current = min(allowed, builder.reach.most_current(volts))
            room = (volts - pack.terminal(0.0, 0.0).value(0.0)) / (pack.r0 + pack.r1)
            tapering = room < current
            if tapering and room <= min(ending, current):
                break
            builder.hold(_STEP, current, voltage=volts, mode="cv" if tapering else "cc")
            _take(pack, min(current, max(room, 0.0)))
            left -= _STEP
        for _ in range(3):
            builder.hold(15, 0.0, voltage=volts)
            builder.hold(15, 0.02 * builder.spec.rated_capacity, voltage=volts, mode="cv")
        note = f"LFP pack at {celsius:g} °C: constant current as its makers allow, constant voltage, balancing."
        return builder.profile(f"cc-cv-{celsius:g}c", note, soc=soc, temperature=celsius)

    return make


def _take(pack: Pack, current: float) -> None:
    """The pack after one step, up to bends of its table."""
    left = _STEP
    while left > 1e-9:
        part = min(left, max(pack.seconds_to_bend(current, 0.0), 1e-3))
        pack.advance(part, current, 0.0)
        left -= part


def _cold(builder: Builder, full: bool) -> LoadProfile:
    """Forbidden below 0 °C: the heater warms the pack while the charge is paused."""
    spec = PRESETS[builder.spec.preset]
    per_kelvin = HEAT_CAPACITY * spec.capacity * spec.cells
    begin = max(-20.0, round(1.5 - _LONGEST_HEATING * _HEATER / per_kelvin, 1))
    heating = round((1.5 - begin) * per_kelvin / _HEATER, 1)
    current = charge_rate_limit(1.5, 0.5) * spec.capacity
    builder.hold(heating, 0.0, ev.Pause(), ev.Heat(watts=_HEATER))
    builder.hold(600 if full else 40, current, ev.Heat(watts=0.0), ev.Resume())
    note = "Below 0 °C charging is forbidden: BSM pauses until the heater has warmed the pack, then a slow charge."
    return builder.profile("cold-start", note, temperature=begin)


def _truck(builder: Builder, full: bool) -> LoadProfile:
    builder.hold(5, 20)
    builder.hold(20, builder.reach.current, ramp=True)
    builder.hold(3600 if full else 60, builder.reach.current)
    builder.hold(1, builder.reach.current / 2)
    builder.hold(20, builder.reach.current / 2)
    builder.hold(15, builder.reach.current)
    return builder.profile("heavy-truck", "A heavy truck takes all that the charger gives.")


def _depot(builder: Builder, full: bool) -> LoadProfile:
    """The depot deals out its power anew every minute (full: every quarter of an hour, all night)."""
    most, step = builder.reach.current, 900.0 if full else 45.0
    shares = (0.2, 0.5, 0.35, 0.0, 0.15, 0.6, 0.25, 0.1, 0.4, 0.05)
    for share in shares * (3 if full else 1):
        builder.hold(step, share * most)
    return builder.profile("depot-night", "A bus in its depot: shares of power that change all night.", soc=30.0)


def _swap(builder: Builder, full: bool) -> LoadProfile:
    """Pack after pack in one bay."""
    current = min(120.0, builder.reach.current)
    for soc in (40.0, 22.0, 65.0):
        builder.hold(1800 if full else 25, current)
        builder.next_session(ev.Pack(soc=soc, temperature=20.0 + soc / 10), current=current)
    builder.hold(25, current)
    return builder.profile("swap-bay", "A bay of a swap station: one pack after the other.", soc=30.0)


# --- responses --------------------------------------------------------------------------------------


def _steps(builder: Builder, full: bool) -> LoadProfile:
    most = builder.reach.current
    for current in (10.0, most, 20.0, most / 2, 29.0, 30.0, most, most / 2, 120.0, 0.0, 135.0, most, most - 15):
        builder.hold(18, current)
    rest = _rest(builder)
    for offset, current in ((4.0, most), (2.0, most), (6.0, most / 2), (3.0, most / 2), (2.0, 40.0), (20.0, 0.0)):
        builder.hold(18, current, voltage=rest + offset, mode="cv")
    builder.hold(18, 60.0)
    return builder.profile("steps", "Steps over the whole range, each held until it has settled.")


def _ramps(builder: Builder, full: bool) -> LoadProfile:
    most = builder.reach.current
    builder.hold(8, 10)
    for seconds, current in ((10.0, most), (5.0, 20.0), (20.0, most), (2.0, 0.0), (0.5, most), (0.5, 30.0)):
        builder.hold(seconds, current, ramp=True)
        builder.hold(12, current)
    return builder.profile("ramps", "Ramps over the whole range, from 0.5 s to 20 s.")


def _quick(builder: Builder, full: bool) -> LoadProfile:
    most = builder.reach.current
    builder.hold(4, 60)
    for gap in (0.05, 0.1, 0.2, 0.5, 1.0):
        for first, second in ((most, 40.0), (20.0, 150.0), (120.0, 80.0)):
            builder.hold(gap, first)
            builder.hold(8, second)
    return builder.profile("quick-steps", "Two steps shortly after each other: faster than the adjustment time.")


def _beyond(builder: Builder, full: bool) -> LoadProfile:
    spec = builder.spec
    modes: tuple[Mode, Mode] = ("cc", "cv")
    for mode in modes:
        builder.add(6, 60.0, voltage=spec.max_total_voltage, mode=mode)
        builder.add(10, 400.0, voltage=spec.max_total_voltage, mode=mode)
        builder.add(10, 350.0, voltage=round(spec.max_total_voltage + 120, 1), mode=mode)
        builder.add(10, 60.0, voltage=1000.0, mode=mode)
    return builder.profile("beyond-limits", "Demands beyond BCP and CML, in both modes.", soc=60.0)


def _rest(builder: Builder) -> float:
    """V of the resting pack at 50 %."""
    return Pack(PRESETS[builder.spec.preset], 0.5, 25.0).terminal(0.0, 0.0).value(0.0)


# --- pauses and interruptions -----------------------------------------------------------------------


def _pauses(builder: Builder, full: bool) -> LoadProfile:
    builder.hold(10, 80)
    builder.hold(20, 0)
    builder.hold(20, 80, ev.Pause(span=1.0))
    builder.hold(30, 80, ev.Pause(span=10.0))
    builder.hold(560, 60, ev.Pause(span=530.0))
    builder.hold(700, 60, ev.Pause())
    return builder.profile("pauses", "A demand of 0, pauses up to 10 minutes, and one that goes on for longer.")


def _disturbed(builder: Builder, full: bool) -> LoadProfile:
    """Sessions in which something happens while the output is paused."""
    builder.hold(10, 100)
    builder.hold(6, 150, ev.Pause(span=9.0))
    builder.hold(14, 40)
    for current in (90.0, 40.0, 90.0):
        builder.hold(16, current, ev.Pause(span=1.5))
    builder.hold(3, 90, ev.Pause())
    builder.next_session(ev.Resume(), current=60)
    builder.hold(12, 60)
    builder.hold(3, 60, ev.Pause(span=8.0))
    builder.hold(4, 60, ev.Cc1(broken=True))
    return builder.profile(
        "disturbed-pauses", "Pauses with changed demands, three in a row, BST and a broken CC1 in one."
    )


def _stops(builder: Builder, full: bool) -> LoadProfile:
    """Stops while the current rises, at its highest, and while it falls."""
    most = builder.reach.current
    for before, after, stop in ((20.0, most, 0.6), (most, most, 1.0), (most, 20.0, 0.1)):
        builder.hold(6, before)
        builder.next_session(current=after, stop=stop)
    builder.hold(6, 0.5 * most)
    return builder.profile("quick-stops", "BST while the current rises, at its highest, and while it falls.")


def _reset(builder: Builder, full: bool) -> LoadProfile:
    builder.hold(10, 120)
    builder.hold(25, 120, ev.Reset(span=2.0))
    builder.hold(15, 60)
    builder.hold(25, 60, ev.Reset(span=6.0))
    return builder.profile("bms-reset", "The BMS restarts in mid-charge, quickly and slowly.")


def _storm(builder: Builder, full: bool) -> LoadProfile:
    for number in range(6):
        lost: AnyEvent = ev.Lose(messages=("BCL",), span=1.5) if number % 2 else ev.Reset(span=1.5)
        builder.hold(10, 90, replace(lost, at=4.0))
    builder.hold(15, 90)
    return builder.profile("reconnect-storm", "The link goes again and again, and comes back each time.")


_FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        each.name: each
        for each in (
            Family("cc-cv-0c", "LFP pack at 0 °C: slow constant current, end of charge, balancing", _cc_cv(0.0)),
            Family("cc-cv-25c", "LFP pack at 25 °C: constant current, constant voltage, balancing", _cc_cv(25.0)),
            Family("cc-cv-45c", "LFP pack at 45 °C: reduced current, constant voltage, balancing", _cc_cv(45.0)),
            Family("cold-start", "LFP pack below 0 °C: paused until it has been heated", _cold),
            Family("steps", "steps over the whole range, in both modes", _steps),
            Family("ramps", "ramps over the whole range", _ramps),
            Family("quick-steps", "two steps shortly after each other", _quick),
            Family("heavy-truck", "a heavy truck at full power", _truck, vehicle="truck-lfp-800v"),
            Family("depot-night", "a bus whose share of the depot's power changes all night", _depot),
            Family("swap-bay", "one pack after the other", _swap),
            Family("pauses", "a demand of 0, pauses up to and over 10 minutes", _pauses),
            Family("disturbed-pauses", "things that happen while the output is paused", _disturbed),
            Family("quick-stops", "BST while the current rises, at its highest, and while it falls", _stops),
            Family("bms-reset", "the BMS restarts in mid-charge", _reset),
            Family("reconnect-storm", "the link goes and comes back, again and again", _storm),
            Family("beyond-limits", "demands beyond BCP and CML", _beyond, legal=False),
        )
    }
)
