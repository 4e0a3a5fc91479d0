"""Hypothesis strategies for load profiles and their parts.

Everything is drawn as small whole numbers and mapped, so that examples are cheap and shrink well:
towards one segment of the shortest duration, 0 A, the vehicle's maximum voltage, constant current,
steps instead of ramps and no events. Legal and illegal demand are strategies of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf

from hypothesis import strategies as st
from msgspec.structs import replace

from hil.errors import UsageError
from hil.profile import events as ev
from hil.profile.events import AnyEvent
from hil.profile.model import LoadProfile, Segment
from hil.safety.envelope import Envelope
from hil.tester.gbt27930 import VEHICLES
from hil.units import s

DURATIONS = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)
"""Seconds a segment may last: below, around and above every adjustment time."""
_SPANS = (0.1, 0.5, 1.5, 3.0, 6.0, 11.0)
"""Seconds a message may be lost or a BMS be away: below and above the time-outs of 1, 5 and 10 s."""
_TENTHS = 10
_BELOW_PER_CELL = 0.56
"""V per cell below the maximum that voltage demands go down to: below the pack's open-circuit voltage."""
_MOST_SEGMENTS = 10
_EDGES = (0, 1, 2, 10, 29, 30, 31)
_RARELY = st.sampled_from((False, False, True))
_WIRE_CURRENT = 400
"""A, the most that BCL can tell (sheet 1.3)."""
_BEYOND_VOLTS = 200

EventStrategy = st.SearchStrategy[AnyEvent]
_Drawn = tuple[float, int, int, bool, bool, tuple[int, AnyEvent] | None]


@dataclass(frozen=True)
class Reach:
    """What a demand may be: the vehicle's own maxima and, where given, the charger's or the rig's."""

    voltage: float
    current: float
    power: float
    cells: int

    def most_current(self, voltage: float) -> float:
        """A at this voltage, by current and power."""
        return min(self.current, self.power / voltage) if voltage else self.current


def reach_of(vehicle: str, envelope: Envelope | None = None) -> Reach:
    """The legal reach of a vehicle within an envelope; :class:`UsageError` for an unknown vehicle."""
    if vehicle not in VEHICLES:
        raise UsageError(f"vehicle: no {vehicle!r}; there are {', '.join(VEHICLES)}")
    spec, limits = VEHICLES[vehicle], envelope or Envelope()
    return Reach(
        min(spec.max_total_voltage, limits.max_voltage),
        min(spec.max_current, limits.max_current),
        limits.max_power,
        spec.cells,
    )


# --- events -----------------------------------------------------------------------------------------


def _spans(make: Callable[[float], AnyEvent]) -> EventStrategy:
    return st.sampled_from(_SPANS).map(make)


EVENTS: dict[str, EventStrategy] = {
    "pause": _spans(lambda x: ev.Pause(span=x)),
    "pause_for_good": st.just(ev.Pause()),
    "stop": st.sampled_from(("soc_reached", "total_voltage_reached", "insulation_fault")).map(
        lambda r: ev.Stop(reason=r)
    ),
    "stop_button": st.just(ev.StopButton()),
    "alarm": st.sampled_from(("overcurrent", "overtemperature", "insulation", "connector")).map(
        lambda i: ev.Alarm(item=i)
    ),
    "lose_bcl": _spans(lambda x: ev.Lose(messages=("BCL",), span=x)),
    "lose_bcs": _spans(lambda x: ev.Lose(messages=("BCS",), span=x)),
    "lose_all": _spans(lambda x: ev.Lose(span=x)),
    "reset": _spans(lambda x: ev.Reset(span=x)),
    "vehicle_error": st.just(ev.VehicleError()),
    "switch_s": st.just(ev.SwitchS(closed=False)),
    "cc1": st.just(ev.Cc1(broken=True)),
    "earth": st.just(ev.Earth()),
    "supply": st.just(ev.Supply(on=False)),
    "emergency_stop": st.just(ev.EmergencyStop()),
    "excess": st.just(ev.Excess(volts=120.0)),
    "unplug": st.just(ev.Plug(inserted=False)),
    "soc": st.integers(20, 95).map(lambda x: ev.Pack(soc=float(x))),
    "temperature": st.sampled_from((25.0, 0.0, 10.0, 45.0)).map(lambda x: ev.Pack(temperature=x)),
}
"""One strategy a kind; each shrinks to its mildest form."""
LEGAL_EVENTS: tuple[str, ...] = ("pause", "soc", "temperature")
"""What belongs to a charge that goes on."""


def events(kinds: Iterable[str]) -> st.SearchStrategy[AnyEvent]:
    """One event of these kinds (names of :data:`EVENTS`); shrinks to the first kind."""
    names = list(kinds)
    for name in names:
        if name not in EVENTS:
            raise UsageError(f"events: no {name!r}; there are {', '.join(EVENTS)}")
    return st.sampled_from(names).flatmap(EVENTS.__getitem__)


def _placed(kinds: Sequence[str]) -> st.SearchStrategy[tuple[int, AnyEvent] | None]:
    """No event, or one with the tenth of its segment at which it comes."""
    if not kinds:
        return st.none()
    one = st.tuples(st.integers(0, _TENTHS - 1), events(kinds))
    return st.one_of(st.none(), st.none(), one)


# --- profiles ---------------------------------------------------------------------------------------


def load_profiles(
    vehicle: str = "car-400v",
    envelope: Envelope | None = None,
    duration: tuple[float, float] = (0.1, 60.0),
    events: Sequence[str] = LEGAL_EVENTS,
) -> st.SearchStrategy[LoadProfile]:
    """Profiles whose demand is legal: inside BCP, the envelope and what the vehicle itself allows.

    ``duration`` gives the shortest and longest profile in seconds. Raises :class:`UsageError` for an
    unknown vehicle or event, and for a duration that is none.
    """
    reach = reach_of(vehicle, envelope)
    return _profiles(vehicle, duration, events, _amperes(int(reach.current)), _below(reach), reach)


def illegal_profiles(
    vehicle: str = "car-400v", duration: tuple[float, float] = (0.1, 60.0), events: Sequence[str] = ()
) -> st.SearchStrategy[LoadProfile]:
    """Profiles that also demand more than BCP and CML allow, up to what BCL can tell.

    Not for a rig: what a charger does then is the question.
    """
    reach = reach_of(vehicle)
    below = st.one_of(_below(reach), st.integers(-_BEYOND_VOLTS, 0))
    return _profiles(vehicle, duration, events, _amperes(_WIRE_CURRENT), below, None)


def _amperes(most: int) -> st.SearchStrategy[int]:
    """Whole A up to the most, with 0 and the edge at 30 A (sheet 4.9) more often; shrinks to 0."""
    return st.one_of(st.integers(0, most), st.sampled_from([each for each in _EDGES if each <= most]))


def _below(reach: Reach) -> st.SearchStrategy[int]:
    """V below the maximum, half of the time none; shrinks to none."""
    return st.one_of(st.just(0), st.integers(0, int(reach.cells * _BELOW_PER_CELL)))


def _profiles(
    vehicle: str,
    duration: tuple[float, float],
    kinds: Sequence[str],
    amperes: st.SearchStrategy[int],
    below: st.SearchStrategy[int],
    reach: Reach | None,
) -> st.SearchStrategy[LoadProfile]:
    shortest, longest = duration
    if not 0 < shortest <= longest < inf:
        raise UsageError(f"duration: {shortest:g} .. {longest:g} s; allowed is 0 < shortest <= longest")
    lasting = st.sampled_from([each for each in DURATIONS if each <= longest])
    drawn = st.tuples(lasting, amperes, below, _RARELY, _RARELY, _placed(kinds))
    most = reach_of(vehicle).voltage if reach is None else reach.voltage

    def profile(parts: list[_Drawn], soc: int) -> LoadProfile:
        segments = list(_segments(parts, most, longest, reach))
        missing = shortest - sum(each.duration for each in segments)
        if missing > 0:
            segments[-1] = _longer(segments[-1], round(missing, 3))
        return LoadProfile(name="generated", vehicle=vehicle, soc=float(soc), segments=tuple(segments))

    return st.builds(profile, st.lists(drawn, min_size=1, max_size=_MOST_SEGMENTS), _socs())


def _socs() -> st.SearchStrategy[int]:
    """Percent; shrinks to 50."""
    return st.sampled_from((50, 30, 70, 85, 95, 20, 98))


def _segments(parts: Iterable[_Drawn], most: float, longest: float, reach: Reach | None) -> Iterable[Segment]:
    left = s(longest)
    for seconds, amperes, below, held_voltage, ramp, event in parts:
        if s(seconds) > left:
            return
        left -= s(seconds)
        volts = max(round(most - below, 1), 0.0)
        current = float(amperes) if reach is None else float(min(amperes, int(reach.most_current(volts))))
        yield Segment(
            duration=seconds,
            current=current,
            voltage=volts,
            mode="cv" if held_voltage else "cc",
            ramp=ramp,
            events=() if event is None else (_at(event[1], round(event[0] * seconds / _TENTHS, 3)),),
        )


def _at(event: AnyEvent, at: float) -> AnyEvent:
    return replace(event, at=at)


def _longer(segment: Segment, by: float) -> Segment:
    return replace(segment, duration=round(segment.duration + by, 3))
