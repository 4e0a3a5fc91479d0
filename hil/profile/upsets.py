"""Profiles in which something goes wrong anywhere in a session: made to lead a charger through its whole table."""

from __future__ import annotations

from hypothesis import strategies as st
from msgspec.structs import replace

from hil.profile import events as ev
from hil.profile.events import AnyEvent
from hil.profile.model import LoadProfile, Segment
from hil.profile.reach import reach_of
from hil.profile.strategies import amperes

_SPANS = (0.5, 3.0, 6.0, 11.0, 65.0)
"""Seconds: below and above the time-outs of 1, 5, 10 and 60 s."""
_LOST = ("BHM", "BRM", "BCP", "BRO", "BCL", "BCS")
_LINES: tuple[AnyEvent, ...] = (
    ev.StopButton(),
    ev.EmergencyStop(),
    ev.SwitchS(closed=False),
    ev.Cc1(broken=True),
    ev.Earth(),
    ev.Supply(on=False),
    ev.Plug(inserted=False),
)
Scene = tuple[AnyEvent, ...]
AT_ONCE: tuple[Scene, ...] = (
    *((ev.Lose(messages=(name,), span=span),) for name in _LOST for span in _SPANS),
    *((ev.NotReady(span=span),) for span in _SPANS),
    *((ev.NotReady(span=65.0),) for _ in range(3)),
    (ev.Insulation(ohm=10_000.0),),
    (ev.VehicleContactors(closed=True),),
    *((ev.Say(message="BHM", signal="max_total_voltage", value=100.0),) for _ in range(3)),
    *((ev.Say(message="BCP", signal="present_voltage", value=500.0),) for _ in range(3)),
    *(
        (ev.Say(message="BCP", signal="present_voltage", value=500.0), ev.Lose(messages=("BRO",), span=11.0, at=at))
        for at in (3.0, 4.0)
    ),
    *(
        (ev.Lose(messages=("BCS",), span=65.0), ev.Lose(messages=("BCL",), span=65.0, at=at))
        for at in (2.7, 2.8, 2.9, 3.0)
    ),
)
"""From the authorisation on; what is rare by its nature stands more than once."""
ON_THE_WAY: tuple[AnyEvent, ...] = (
    *_LINES,
    *(ev.Lose(span=span) for span in _SPANS),
    ev.Stop(),
    ev.VehicleError(awaited="cro"),
)
"""At any instant on the way to charging."""
CHARGING: tuple[AnyEvent, ...] = (
    *_LINES,
    ev.Pause(span=3.0),
    ev.Pause(),
    ev.Stop(),
    ev.Stop(reason="insulation_fault"),
    ev.Alarm(item="overtemperature"),
    ev.Lose(messages=("BCL",), span=3.0),
    ev.Lose(messages=("BCS",), span=7.0),
    ev.Lose(messages=("BST",), span=20.0),
    ev.Lose(messages=("BSD",), span=20.0),
    ev.Lose(span=11.0),
    ev.Lose(span=65.0),
    ev.Reset(span=1.5),
    ev.VehicleError(),
    ev.Excess(volts=120.0),
    ev.Supply(on=True),
)
"""While charging."""
_GAPS = (0.02, 0.1, 0.5, 1.5, 2.5, 4.0)
"""Seconds from one event to the next: into a stop, into an error report, into a reconnection."""
_LONG_PAUSE = 640.0
_ERRORS_APART = 2.6
"""Seconds from one report of an error to the next: before a reconnection has led to charging."""
_REPEATS = 5


def upset_profiles(vehicle: str = "car-400v") -> st.SearchStrategy[LoadProfile]:
    """Up to two things on the way to charging and up to three while charging, in any combination.

    For coverage: some last for minutes, as time-outs do. Shrinks towards none of either and 0 A.
    """
    reach = reach_of(vehicle)
    at_once = st.sampled_from(AT_ONCE)
    line = st.tuples(st.sampled_from(ON_THE_WAY), st.integers(0, 70)).map(
        lambda pair: (replace(pair[0], at=pair[1] / 10),)
    )
    first = st.sampled_from(CHARGING).map(lambda event: [replace(event, at=1.0)])
    second = st.tuples(st.sampled_from(CHARGING), st.sampled_from(_GAPS), st.sampled_from((*_LINES, *CHARGING)))
    repeated = st.just([ev.VehicleError(at=round(1.0 + number * _ERRORS_APART, 3)) for number in range(_REPEATS)])
    long: st.SearchStrategy[list[AnyEvent]] = st.just([ev.Pause(at=0.5, span=_LONG_PAUSE)])
    late = {
        0: st.just([]),
        1: first,
        2: second.map(lambda drawn: [replace(drawn[0], at=1.0), replace(drawn[2], at=round(1.0 + drawn[1], 3))]),
        3: repeated,
        4: long,
    }

    def profile(current: int, early: Scene, late: list[AnyEvent]) -> LoadProfile:
        end = max((event.at + event.lasts for event in late), default=1.0)
        segment = Segment(
            duration=round(end + 2.0, 3), current=float(current), voltage=reach.voltage, events=tuple(late)
        )
        return LoadProfile(name="upset", vehicle=vehicle, before=early, segments=(segment,))

    def kind(number: int) -> st.SearchStrategy[LoadProfile]:
        """Most have one disturbance at a place; few have several, and the long ones are rare."""
        early = at_once if number < 6 else line if number < 9 else st.just(())
        which = 0 if number < 9 else 4 if number == 9 else 3 if number == 10 else 1 if number < 13 else 2
        return st.builds(profile, amperes(int(reach.current)), early, late[which])

    return st.integers(0, 19).flatmap(kind)
