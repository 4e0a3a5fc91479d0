"""Makes a failing profile small: fewer segments and events, shorter, rounder, nearer to the ordinary.

A file has no choices of a generator to shrink, so generated profiles and files are reduced alike, by
edits of the profile itself. Every edit is tried in a fixed order and kept where the profile still fails.
What is left is where the search ended, not where it must end: therefore simple profiles made of the same
parts (:mod:`hil.profile.simple`) are tried from below, and the first that fails takes its place. As their
order does not depend on where the search began, one defect comes to one profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import product
from typing import Any, Generic, TypeVar

from msgspec.structs import replace

from hil.profile.ac.model import AcProfile
from hil.profile.events import AnyEvent
from hil.profile.model import LoadProfile, Mode, Segment
from hil.profile.simple import SOC, TEMPERATURE, simple_events, simple_profiles
from hil.tester.gbt27930 import VEHICLES

P = TypeVar("P", LoadProfile, AcProfile)
Edit = Callable[[P], Iterator[P]]
Fails = Callable[[LoadProfile], bool]

_DURATIONS = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 60.0)
_CURRENTS = (100.0, 50.0, 0.0, 200.0, 20.0, 150.0, 250.0, 300.0, 10.0, 40.0, 30.0)
"""A tried in this order: the ordinary demand first."""
_TOGETHER = {2: 7, 3: 4, 4: 3}
"""How many of them are tried together, by the number of segments: some 50 trials."""


class Budget(Exception):  # noqa: N818 - ends the reduction, and is no error
    """No more trials are allowed."""


def reduced(profile: LoadProfile, fails: Fails, trials: int = 1000) -> LoadProfile:
    """The smallest profile found that still fails, within so many trials.

    ``profile`` must fail; ``fails`` must be deterministic. Profiles tried before are not tried again. Two fifths of
    the trials at most go to edits of the profile, a half to simple profiles, the rest to edits of what came of it.
    """
    reducer = Reducer(profile, fails, trials, _EDITS)
    reducer.descend(spare=trials - trials * 2 // 5)
    if reducer.meet(simple_profiles(reducer.best), spare=trials // 10):
        reducer.descend(spare=0)
    return reducer.best


class Reducer(Generic[P]):
    """Edits that are kept where a profile still fails; ``best`` is the smallest one so far."""

    def __init__(self, profile: P, fails: Callable[[P], bool], trials: int, edits: Sequence[Edit[P]]) -> None:
        self.best: P = replace(profile, found=None)
        self._fails: Callable[[P], bool] = fails
        self._edits: Sequence[Edit[P]] = edits
        self._left = trials
        self._spare = 0
        """Trials that are not to be used up yet."""
        self._known: dict[P, bool] = {_key(self.best): True}
        """Whether a profile fails: those that were tried."""

    def descend(self, spare: int) -> None:
        """Edit after edit, until none is kept any more or the trials are used up."""
        self._spare = spare
        with suppress(Budget):
            while self._pass():
                pass

    def meet(self, simple: Iterable[P], spare: int) -> bool:
        """Take the first simple profile that fails; False where it is the present one, or none was found."""
        self._spare = spare
        before = self.best
        with suppress(Budget):
            any(self._try(candidate) for candidate in simple)
        return self.best is not before

    def _pass(self) -> bool:
        before = self.best
        self._fewer()
        for edit in self._edits:
            self._each(edit)
        return self.best != before

    def _fewer(self) -> None:
        """Leave out runs of segments, long ones first."""
        size = len(self.best.segments) - 1
        while size >= 1:
            start = 0
            while start + size <= len(self.best.segments) and len(self.best.segments) > size:
                if not self._try(_spliced(self.best, start, size)):
                    start += 1
            size = min(size - 1, len(self.best.segments) - 1)

    def _each(self, edit: Edit[P]) -> None:
        """Try an edit's proposals, anew after each that was kept."""
        kept = True
        while kept:
            kept = any(self._try(candidate) for candidate in edit(self.best))

    def _try(self, candidate: P) -> bool:
        """Keep a candidate that fails. The answer for one that was tried before does not depend on when that was."""
        key = _key(candidate)
        known = self._known.get(key)
        if known is None:
            if self._left <= self._spare:
                raise Budget
            self._left -= 1
            known = self._known[key] = self._fails(candidate)
        if known:
            self.best = candidate
        return known


def _key(profile: P) -> P:
    """What is carried out: neither name nor note make another profile of one."""
    return replace(profile, name="tried", note="", found=None)


def with_segment(profile: P, index: int, **fields: Any) -> P:
    """The profile with other fields of one segment."""
    return _spliced(profile, index, 1, replace(profile.segments[index], **fields))


def _spliced(profile: P, start: int, size: int, *segments: Any) -> P:
    """The profile with these segments in the place of so many."""
    return replace(profile, segments=(*profile.segments[:start], *segments, *profile.segments[start + size :]))


# --- edits ------------------------------------------------------------------------------------------


def _plain_start(profile: LoadProfile) -> Iterator[LoadProfile]:
    for index in range(len(profile.before)):
        yield replace(profile, before=profile.before[:index] + profile.before[index + 1 :])
    if profile.soc != SOC:
        yield replace(profile, soc=SOC)
    if profile.temperature != TEMPERATURE:
        yield replace(profile, temperature=TEMPERATURE)
    if profile.seed:
        yield replace(profile, seed=0)


def joined(profile: P) -> Iterator[P]:
    """One segment in the place of two, as long as both, with the demand of either."""
    segments: tuple[Any, ...] = profile.segments
    for number in range(len(segments) - 1):
        for whole in _as_one(*segments[number : number + 2]):
            yield _spliced(profile, number, 2, whole)


def _as_one(one: Any, other: Any) -> Iterator[Any]:
    span = round(one.duration + other.duration, 3)
    later = tuple(replace(event, at=round(event.at + one.duration, 3)) for event in other.events)
    for kept in (other, one):
        yield replace(kept, duration=span, events=(*one.events, *later))


def _alike(profile: LoadProfile) -> Iterator[LoadProfile]:
    """Every segment in one mode, at the vehicle's maximum voltage, without ramps."""
    most = VEHICLES[profile.vehicle].max_total_voltage
    modes: tuple[Mode, ...] = ("cc", "cv")
    for mode in modes:
        for voltages in (True, False):
            segments = (
                replace(each, mode=mode, ramp=False, voltage=most if voltages else each.voltage)
                for each in profile.segments
            )
            plain = replace(profile, segments=tuple(segments))
            if plain == profile:
                return
            yield plain


def without_events(profile: P) -> Iterator[P]:
    """Each event left out."""
    for number, segment in enumerate(profile.segments):
        for index in range(len(segment.events)):
            yield with_segment(profile, number, events=segment.events[:index] + segment.events[index + 1 :])


def _event_kinds(profile: LoadProfile) -> Iterator[LoadProfile]:
    """Another event that is simpler, in the place of each."""
    for number, segment in enumerate(profile.segments):
        for index, event in enumerate(segment.events):
            for simpler in simple_events(event):
                yield with_segment(profile, number, events=_replaced(segment, index, simpler))


def _steps(profile: LoadProfile) -> Iterator[LoadProfile]:
    for number, segment in enumerate(profile.segments):
        if segment.ramp:
            yield with_segment(profile, number, ramp=False)


def _modes(profile: LoadProfile) -> Iterator[LoadProfile]:
    for number, segment in enumerate(profile.segments):
        if segment.mode != "cc":
            yield with_segment(profile, number, mode="cc")


def _durations(profile: LoadProfile) -> Iterator[LoadProfile]:
    return shorter(profile, _DURATIONS)


def shorter(profile: P, durations: Sequence[float]) -> Iterator[P]:
    """The shortest of the usual durations, in s, that still fails."""
    for number, segment in enumerate(profile.segments):
        latest = max((event.at for event in segment.events), default=0.0)
        for duration in durations:
            if duration >= segment.duration:
                break
            if duration > latest:
                yield with_segment(profile, number, duration=duration)
            elif latest:
                part = duration / segment.duration
                squeezed = tuple(replace(event, at=round(event.at * part, 3)) for event in segment.events)
                yield with_segment(profile, number, duration=duration, events=squeezed)


def _currents(profile: LoadProfile) -> Iterator[LoadProfile]:
    """The first of the usual currents that still fails, then rounder ones."""
    for number, segment in enumerate(profile.segments):
        for current in _CURRENTS:
            if current == segment.current:
                break
            yield with_segment(profile, number, current=current)
        else:
            for grid in (50, 10, 5, 1):
                if segment.current % grid:
                    yield with_segment(profile, number, current=float(round(segment.current / grid) * grid))


def _currents_together(profile: LoadProfile) -> Iterator[LoadProfile]:
    """Usual currents for all of a few segments at once: what one change alone would not keep failing."""
    known = _TOGETHER.get(len(profile.segments))
    if known is None:
        return
    usual = _CURRENTS[:known]
    present = tuple(each.current for each in profile.segments)
    for chosen in sorted(product(range(known), repeat=len(present)), key=lambda each: (sum(each), each)):
        currents = tuple(usual[index] for index in chosen)
        if currents == present:
            return
        segments = (replace(each, current=amperes) for each, amperes in zip(profile.segments, currents, strict=True))
        yield replace(profile, segments=tuple(segments))


def _voltages(profile: LoadProfile) -> Iterator[LoadProfile]:
    most = VEHICLES[profile.vehicle].max_total_voltage
    for number, segment in enumerate(profile.segments):
        if segment.voltage == most:
            continue
        yield with_segment(profile, number, voltage=most)
        for grid in (50, 10, 5, 1):
            if segment.voltage % grid:
                yield with_segment(profile, number, voltage=float(round(segment.voltage / grid) * grid))


def _event_times(profile: LoadProfile) -> Iterator[LoadProfile]:
    for number, segment in enumerate(profile.segments):
        for index, event in enumerate(segment.events):
            if event.at:
                yield with_segment(profile, number, events=_replaced(segment, index, replace(event, at=0.0)))
            if event.lasts:
                for span in _DURATIONS:
                    if span >= event.lasts:
                        break
                    yield with_segment(profile, number, events=_replaced(segment, index, replace(event, span=span)))


def _replaced(segment: Segment, index: int, event: AnyEvent) -> tuple[AnyEvent, ...]:
    return (*segment.events[:index], event, *segment.events[index + 1 :])


_EDITS: tuple[Callable[[LoadProfile], Iterator[LoadProfile]], ...] = (
    _plain_start,
    joined,
    _alike,
    without_events,
    _event_kinds,
    _steps,
    _durations,
    _currents_together,
    _currents,
    _voltages,
    _modes,
    _event_times,
)
"""In the order in which they are tried."""
