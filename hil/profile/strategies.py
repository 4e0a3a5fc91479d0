"""Hypothesis strategies for load profiles and their parts.

Everything is drawn as small whole numbers and mapped, so that examples are cheap and shrink well:
towards one segment of the shortest duration, 0 A, the vehicle's maximum voltage, constant current,
steps instead of ramps and no events. Legal and illegal demand are strategies of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

from hypothesis import strategies as st
from msgspec.structs import replace

from hil.errors import UsageError
from hil.plant.pack import ocv
from hil.profile import events as ev
from hil.profile.events import AnyEvent
from hil.profile.model import LoadProfile, Segment
from hil.profile.reach import Reach, reach_of
from hil.safety.envelope import Envelope
from hil.units import s

DURATIONS = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)
"""Seconds a segment may last: below, around and above every adjustment time."""
_SPANS = (0.1, 0.5, 1.5, 3.0, 6.0, 11.0)
"""Seconds a message may be lost or a BMS be away: below and above the time-outs of 1, 5 and 10 s."""
_TENTHS = 10
_BELOW_PER_CELL = 0.56
"""V per cell below the maximum that voltage demands go down to: below the pack's open-circuit voltage."""
_NEAR_PER_CELL = 0.2
"""Half V per cell above the resting pack: what resistance and charge make of it."""
_EDGES = (0, 1, 2, 10, 29, 30, 31)
_SWEEP_STEP = 20
"""A from one demand of a sweep to the next: narrower than any stretch of the range that is worth looking for."""
_SWEEP_HOLD = 8.0
"""s: for a rise by one step, for what 5 s may take to settle, and 2 s to be judged."""
_SWEEP_BEGIN = 20.0
_SWEEP_NEAR = 2.0
"""V above the resting pack, where the voltage rules."""
_SWEEP_CURRENT = 100.0
_HURRIES = (0.05, 0.1, 0.2, 0.5)
"""s from one change of the demand to the next: one period of BCL and a few."""
_HURRY_HOLD = 8.0
_WIRE_CURRENT = 400
"""A, the most that BCL can tell (sheet 1.3)."""
_BEYOND_VOLTS = 120

EventStrategy = st.SearchStrategy[AnyEvent]
_Volts = tuple[str, int]
"""``below`` the maximum by so many V, or ``near``: above the resting pack by so many half V."""
_Placed = tuple[int, float, AnyEvent]
"""An event at so many tenths of its segment, and so many seconds later."""
_Drawn = tuple[float, int, _Volts, bool, bool, list[_Placed]]


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


def _placed(kinds: Sequence[str]) -> st.SearchStrategy[list[_Placed]]:
    """No event, or one anywhere in its segment."""
    if not kinds:
        return st.just([])
    one = st.tuples(st.integers(0, _TENTHS - 1), st.just(0.0), events(kinds))
    return st.one_of(st.just([]), st.just([]), one.map(lambda each: [each]))


def _pauses(inside: Sequence[str]) -> st.SearchStrategy[list[_Placed]]:
    """A pause anywhere in its segment, in every third one with an event while it goes on."""
    inner = st.one_of(st.none(), st.none(), st.tuples(st.integers(0, _TENTHS - 1), events(inside)))
    # Late ones more often: the demand changes while they go on.
    drawn = st.tuples(st.sampled_from((0, 2, 4, 6, 8, 9, 9)), st.sampled_from((1.5, 0.5, 3.0, 6.0)), inner)

    def placed(tenth: int, span: float, within: tuple[int, AnyEvent] | None) -> list[_Placed]:
        pause: _Placed = (tenth, 0.0, ev.Pause(span=span))
        return [pause] if within is None else [pause, (tenth, span * within[0] / _TENTHS, within[1])]

    return st.one_of(st.just([]), drawn.map(lambda each: placed(*each)), drawn.map(lambda each: placed(*each)))


# --- profiles ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Taste:
    """What a kind of profile is made of."""

    durations: Sequence[float] = DURATIONS
    placed: st.SearchStrategy[list[_Placed]] = field(default_factory=lambda: st.just([]))
    cv: Sequence[bool] = (False, False, True)
    ramp: Sequence[bool] = (False, False, True)
    legal: bool = True
    least: int = 1
    most: int = 10
    """Segments."""


def load_profiles(
    vehicle: str = "car-400v",
    envelope: Envelope | None = None,
    duration: tuple[float, float] = (0.1, 60.0),
    events: Sequence[str] = LEGAL_EVENTS,
) -> st.SearchStrategy[LoadProfile]:
    """Profiles whose demand is legal: inside BCP, the envelope and what the vehicle itself allows.

    ``duration`` gives the shortest and longest profile in seconds; ``events`` are names of
    :data:`EVENTS`. Raises :class:`UsageError` for an unknown vehicle or event, and for a duration that
    is none.
    """
    return _profiles(vehicle, envelope, duration, _Taste(placed=_placed(events)))


def holding_profiles(
    vehicle: str = "car-400v", envelope: Envelope | None = None, duration: tuple[float, float] = (0.1, 90.0)
) -> st.SearchStrategy[LoadProfile]:
    """Legal profiles of demands that hold until the output has settled: steps over the whole range."""
    taste = _Taste(durations=(8.0, 12.0, 16.0, 20.0), cv=(False, True), ramp=(False,), most=6)
    return _profiles(vehicle, envelope, duration, taste)


def sweeping_profiles(vehicle: str = "car-400v", envelope: Envelope | None = None) -> st.SearchStrategy[LoadProfile]:
    """Legal profiles that hold a demand in every stretch of 20 A of the whole range, upwards or downwards; then the
    most, and in constant-voltage mode 0 A, and 100 A at a voltage that the pack nearly has.

    Draws where in its stretch the first demand lies, the direction, and the SOC; shrinks to 0 A, upwards, 50 %.
    """
    reach = reach_of(vehicle, envelope)
    most = int(reach.most_current(reach.voltage))

    def profile(offset: int, down: bool, soc: int) -> LoadProfile:
        currents = sorted(range(min(offset, most), most + 1, _SWEEP_STEP), reverse=down)
        segments = tuple(
            Segment(duration=_SWEEP_HOLD if number else _SWEEP_BEGIN, current=float(each), voltage=reach.voltage)
            for number, each in enumerate(currents)
        )
        near = min(round(ocv(soc / 100) * reach.cells + _SWEEP_NEAR, 1), reach.voltage)
        held = min(_SWEEP_CURRENT, float(most))
        ends = (
            Segment(duration=_SWEEP_BEGIN, current=float(most), voltage=reach.voltage),
            Segment(duration=_SWEEP_BEGIN, current=0.0, voltage=reach.voltage, mode="cv"),
            Segment(duration=_SWEEP_BEGIN, current=held, voltage=near, mode="cv"),
        )
        return LoadProfile(name="generated", vehicle=vehicle, soc=float(soc), segments=(*segments, *ends))

    return st.builds(profile, st.integers(0, _SWEEP_STEP - 1), st.booleans(), st.sampled_from((50, 30, 70)))


def hurried_profiles(vehicle: str = "car-400v", envelope: Envelope | None = None) -> st.SearchStrategy[LoadProfile]:
    """Legal profiles whose demand changes twice in short order, again and again, and in part in a pause.

    Draws how shortly, both demands, and whether a pause of 3 s begins with the first; shrinks to two changes to 0 A.
    """
    reach = reach_of(vehicle, envelope)
    most = int(reach.most_current(reach.voltage))
    drawn = st.tuples(
        st.sampled_from(_HURRIES), amperes(most), amperes(most), st.sampled_from(((), (), (ev.Pause(span=3.0),)))
    )

    def profile(parts: list[tuple[float, int, int, tuple[AnyEvent, ...]]], soc: int) -> LoadProfile:
        segments: list[Segment] = []
        for hurry, first, second, placed in parts:
            segments += (
                Segment(duration=hurry, current=float(first), voltage=reach.voltage, events=placed),
                Segment(duration=_HURRY_HOLD, current=float(second), voltage=reach.voltage),
            )
        return LoadProfile(name="generated", vehicle=vehicle, soc=float(soc), segments=tuple(segments))

    return st.builds(profile, st.lists(drawn, min_size=3, max_size=6), st.sampled_from((50, 30, 70)))


def pausing_profiles(
    vehicle: str = "car-400v", envelope: Envelope | None = None, duration: tuple[float, float] = (0.1, 90.0)
) -> st.SearchStrategy[LoadProfile]:
    """Profiles full of pauses, in which other things happen."""
    inside = ("stop", "cc1", "lose_bcl", "stop_button", "reset")
    taste = _Taste(durations=(5.0, 8.0, 12.0, 20.0), placed=_pauses(inside), ramp=(False,), least=3)
    return _profiles(vehicle, envelope, duration, taste)


def stormy_profiles(
    vehicle: str = "car-400v", envelope: Envelope | None = None, duration: tuple[float, float] = (0.1, 90.0)
) -> st.SearchStrategy[LoadProfile]:
    """Profiles in which the link goes again and again and comes back."""
    storm = _placed(("reset", "lose_bcl", "lose_all", "vehicle_error"))
    taste = _Taste(durations=(8.0, 8.0, 12.0), placed=st.one_of(storm, storm.filter(bool)), ramp=(False,), least=2)
    return _profiles(vehicle, envelope, duration, taste)


def illegal_profiles(
    vehicle: str = "car-400v", duration: tuple[float, float] = (0.1, 60.0), events: Sequence[str] = ()
) -> st.SearchStrategy[LoadProfile]:
    """Profiles that also demand more than BCP and CML allow, up to what BCL can tell.

    Not for a rig: what a charger does then is the question.
    """
    return _profiles(vehicle, None, duration, _Taste(placed=_placed(events), cv=(False, True), legal=False))


def amperes(most: int) -> st.SearchStrategy[int]:
    """Whole A, with 0, the edge at 30 A (sheet 4.9) and the most more often; shrinks to 0."""
    return st.one_of(st.integers(0, most), st.sampled_from([*(each for each in _EDGES if each < most), most]))


def _volts(reach: Reach, *, legal: bool) -> st.SearchStrategy[_Volts]:
    """The maximum, or below it, or a little above the resting pack, or (where not legal) beyond; shrinks so."""
    below = st.integers(0, int(reach.cells * _BELOW_PER_CELL)).map(lambda x: ("below", x))
    near = st.integers(0, int(reach.cells * _NEAR_PER_CELL)).map(lambda x: ("near", x))
    beyond = st.integers(0, _BEYOND_VOLTS).map(lambda x: ("below", -x))
    return st.one_of(st.just(("below", 0)), below, near, *([] if legal else [beyond]))


def _profiles(
    vehicle: str, envelope: Envelope | None, duration: tuple[float, float], taste: _Taste
) -> st.SearchStrategy[LoadProfile]:
    reach = reach_of(vehicle, envelope)
    shortest, longest = duration
    if not 0 < shortest <= longest < inf:
        raise UsageError(f"duration: {shortest:g} .. {longest:g} s; allowed is 0 < shortest <= longest")
    lasting = [each for each in taste.durations if each <= longest] or [longest]
    drawn = st.tuples(
        st.sampled_from(lasting),
        amperes(int(reach.current) if taste.legal else _WIRE_CURRENT),
        _volts(reach, legal=taste.legal),
        st.sampled_from(taste.cv),
        st.sampled_from(taste.ramp),
        taste.placed,
    )

    def profile(parts: list[_Drawn], soc: int) -> LoadProfile:
        segments = list(_segments(parts, reach, soc, longest, legal=taste.legal))
        missing = shortest - sum(each.duration for each in segments)
        if missing > 0:
            last = segments[-1]
            segments[-1] = replace(last, duration=round(last.duration + missing, 3))
        return LoadProfile(name="generated", vehicle=vehicle, soc=float(soc), segments=tuple(segments))

    return st.builds(profile, st.lists(drawn, min_size=taste.least, max_size=taste.most), _socs())


def _socs() -> st.SearchStrategy[int]:
    """Percent; shrinks to 50."""
    return st.sampled_from((50, 30, 70, 85, 95, 20, 98))


def _segments(parts: Iterable[_Drawn], reach: Reach, soc: int, longest: float, *, legal: bool) -> Iterator[Segment]:
    left = s(longest)
    before = (0.0, 0.0)
    for seconds, asked, (kind, offset), held_voltage, ramp, placed in parts:
        if s(seconds) > left:
            return
        left -= s(seconds)
        rest = ocv(soc / 100) * reach.cells
        volts = max(round(min(rest + offset / 2, reach.voltage) if kind == "near" else reach.voltage - offset, 1), 0.0)
        current = float(min(asked, int(reach.most_current(volts)) if legal else asked))
        # On the way between two demands there may be more power than at either.
        most = max(before[0], volts) * max(before[1], current)
        yield Segment(
            duration=seconds,
            current=current,
            voltage=volts,
            mode="cv" if held_voltage else "cc",
            ramp=ramp and (most <= reach.power or not legal),
            events=tuple(_at(event, tenth * seconds / _TENTHS + later, seconds) for tenth, later, event in placed),
        )
        before = (volts, current)


def _at(event: AnyEvent, at: float, latest: float) -> AnyEvent:
    return replace(event, at=min(round(at, 3), latest))
