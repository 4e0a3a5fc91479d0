"""Invariants of an AC session, whatever the profile: pure functions over what was observed.

Each belongs to a requirement of the catalogue. Limits come from there, never from a charger's settings; what was
claimed of the charger (safe current, validity, rating) is the rig's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from hil.conformance.catalogue import Limit, limit, quantity
from hil.conformance.checks import check_window, ease
from hil.conformance.duty import apart_from, current_of, duty_of
from hil.conformance.reading import Reading, told_of, uncertainty_of, verdict_of
from hil.conformance.verdict import Measurement, Verdict
from hil.profile.ac.model import FAULTS
from hil.profile.ac.seen import AcSeen, Asked
from hil.units import Instant, Span, s, seconds

PREFIX = "ACPROFILE"
_SUPPLY = "output_voltage"


@dataclass(frozen=True)
class Context:
    """One session, and what the rig claims of the charger. Currents in A each phase."""

    seen: AcSeen
    readings: Mapping[str, str]
    rated: float
    safe: float
    validity: Span
    repeat: Span
    """How often a limit is repeated; 0 where it need not be."""
    uncertainty: Span = 0

    @property
    def settles(self) -> Span:
        """A limit shows by then."""
        return limit("ac-limit-reaction").high

    @property
    def count(self) -> Span:
        """The validity is counted in such steps."""
        return limit("register-seconds").high

    def under_way(self, asked: Asked) -> float | None:
        """The most that may be told while this is asked for; None where nobody has asked yet."""
        if asked.limit is not None:
            return min(asked.limit, self.rated)
        return None if asked.before is None else min(max(asked.before, self.safe), self.rated)


class _Worst:
    """Keeps the value that is nearest to its upper limit, or furthest beyond.

    Of what an instrument has told, one that is inconclusive is worse than any that passes. Limits that are ``general``
    knowledge are eased (:func:`hil.conformance.checks.ease`).
    """

    def __init__(self, name: str, unit: str, *, general: bool = False) -> None:
        self.name, self.unit = name, unit
        self._general = general
        self._kept: tuple[tuple[int, float], Measurement] | None = None

    def take(self, value: float, *, high: float, at: Instant, note: str = "", beyond: float | None = None) -> None:
        """One value and its limit; ``beyond`` is that of a better source, where there is one."""
        verdict, unsure = verdict_of(value, None, high), uncertainty_of(value)
        note = note or told_of(value, self.unit)
        told, most = round(float(value), 4), round(high, 4)
        found = Measurement(self.name, told, self.unit, None, most, verdict, at, note, round(unsure, 6) or None)
        found = ease(found, high=beyond) if self._general else found
        order = (found.verdict.rank, float(value) - high)
        if self._kept is None or order > self._kept[0]:
            self._kept = (order, found)

    def result(self) -> Iterator[Measurement]:
        """The one that was kept."""
        if self._kept is not None:
            yield self._kept[1]


def _duty_at_most(worst: _Worst, context: Context, begin: Instant, end: Instant, most: float) -> None:
    """While the pilot oscillates it tells no more than ``most`` A; nothing at all where that is below the least."""
    least = quantity("least-offer").low or 0.0
    told = most >= least
    high, beyond = (duty_of(most) + quantity("duty-accuracy").most, apart_from(most)[1]) if told else (0.0, 0.0)
    for each in context.seen.stretches("cp_frequency", begin, end):
        if each.value > 0:
            for duty in context.seen.stretches("cp_duty", each.begin, each.end):
                worst.take(duty.value, high=high, at=duty.begin, note=f"{most:g} A may be told", beyond=beyond)


def limit_is_kept(context: Context) -> Iterator[Measurement]:
    """A limit that is asked for is told by the pilot once it has had time to show, and nothing above it."""
    worst = _Worst("highest duty cycle under a limit", "%")
    for asked in context.seen.limits():
        most = context.under_way(asked)
        if asked.limit is not None and most is not None:
            _duty_at_most(worst, context, asked.begin + context.settles, asked.end, most)
    yield from worst.result()


def falls_back(context: Context) -> Iterator[Measurement]:
    """When nobody asks any more, no more than the safe current is told once the validity is over."""
    worst = _Worst("highest duty cycle after the validity", "%", general=quantity("duty-accuracy").general)
    for asked in context.seen.limits():
        if asked.limit is None and asked.before is not None and context.repeat:
            begin = asked.begin + context.validity + context.count
            _duty_at_most(worst, context, begin, asked.end, min(context.safe, context.rated))
    yield from worst.result()


def keeps_limit_meanwhile(context: Context) -> Iterator[Measurement]:
    """Within the validity a limit that nobody repeats stays: the safe current does not come too early."""
    accuracy = quantity("duty-accuracy")
    worst = _Worst("how much less than the limit is told within its validity", "%", general=accuracy.general)
    least = quantity("least-offer").low or 0.0
    for asked in context.seen.limits():
        if asked.limit is not None or asked.before is None or not context.repeat or asked.before < least:
            continue
        most = min(asked.before, context.rated)
        due, beyond = duty_of(most), duty_of(most) - apart_from(most)[0]
        begin = asked.begin + context.settles
        end = min(asked.end, asked.begin + context.validity - context.repeat - context.count)
        for each in context.seen.stretches("cp_frequency", begin, end):
            if each.value > 0:
                for duty in context.seen.stretches("cp_duty", each.begin, each.end):
                    worst.take(due - duty.value, high=accuracy.most, at=duty.begin, beyond=beyond)
    yield from worst.result()


def current_is_watched(context: Context) -> Iterator[Measurement]:
    """A vehicle that draws more than the pilot tells is not supplied for longer than the limit (sheet pilot, 5)."""
    within = limit("ac-overcurrent")
    surely, maybe = _Longest(), _Longest()
    for begin, end in pairwise(context.seen.when("line_current", "cp_duty", "cp_frequency")):
        over = (False, False)
        if context.seen.value("cp_frequency", begin):
            told = current_of(context.seen.value("cp_duty", begin))
            over = context.seen.exceeds("line_current", max(told + 2.0, 1.1 * told), begin, end)
        surely.take(begin, end, holds=over[0])
        maybe.take(begin, end, holds=over[1])
    if maybe.span:
        span = _either(surely.span, maybe.span, context.seen.by("line_current"))
        half = s(uncertainty_of(span))
        note = told_of(span, "s")
        yield check_window(
            "longest overcurrent", maybe.span - half, within, context.uncertainty + half, at=maybe.at, note=note
        )


class _Longest:
    """The longest span for which something held without a break, and when that ended."""

    def __init__(self) -> None:
        self.span: Span = 0
        self.at: Instant = 0
        self._since: Instant | None = None

    def take(self, begin: Instant, end: Instant, *, holds: bool) -> None:
        """Whether it held from one instant to another; these follow each other."""
        if not holds:
            self._since = None
            return
        self._since = begin if self._since is None else self._since
        if end - self._since > self.span:
            self.span, self.at = end - self._since, end


def _either(least: Span, most: Span, by: str) -> float:
    """Seconds of a span that an instrument leaves open between these two."""
    if least == most:
        return seconds(most)
    return Reading(seconds(least + most) / 2, seconds(most - least) / 2, by)


def output_only_when_ready(context: Context) -> Iterator[Measurement]:
    """The output is on only while the pilot shows C or D, but for the time that opening may take."""
    allowed: Mapping[str, Limit] = {
        "AB": limit("ac-supply-off"),
        "E": limit("ac-pilot-fault").under(context.readings),
        "F": limit("ac-fault"),
    }
    worst = {
        group: _Worst(f"output on in state {' or '.join(group)}, for", "s", general=each.general)
        for group, each in allowed.items()
    }
    marks = context.seen.when("cp_high", _SUPPLY)
    group, since, known = "", 0, 0
    for begin, end in pairwise(marks):
        letter = context.seen.letter(begin)
        now = next((each for each in allowed if letter in each), "")
        if now != group:
            group, since, known = now, begin, begin
        surely, maybe = context.seen.exceeds(_SUPPLY, quantity("supply-threshold").most, begin, end)
        known = end if surely else known
        if group and maybe:
            on = _either(known - since, end - since, context.seen.by(_SUPPLY))
            worst[group].take(on, high=seconds(allowed[group].high), at=end)
    for each in worst.values():
        yield from each.result()


def duty_says_something(context: Context) -> Iterator[Measurement]:
    """No duty cycle stands that allows nothing: between 0 and 8 %, or above 97 % (sheet pilot, 2)."""
    odd = [
        duty.begin
        for each in context.seen.stretches("cp_frequency")
        if each.value > 0
        for duty in context.seen.stretches("cp_duty", each.begin, each.end)
        if not 8.0 <= duty.value <= 97.0
    ]
    verdict = Verdict.FAIL if odd else Verdict.PASS
    at = odd[0] if odd else context.seen.end
    yield Measurement("duty cycles that tell nothing", len(odd), "", None, 0.0, verdict, at)


def meter_counts_up(context: Context) -> Iterator[Measurement]:
    """The energy that the charger's registers tell never falls, and is what the output has delivered."""
    told = context.seen.told("energy")
    fall, error = _Worst("energy told falls by", "kWh"), _Worst("energy told is wrong by", "kWh")
    before = 0.0
    for note in told:
        value = float(note.details["value"])
        fall.take(before - value, high=0.0, at=note.t)
        before = value
        low = context.seen.between("meter_energy", int(note.details["asked"]))
        high = context.seen.between("meter_energy", note.t)
        if low is None or high is None:
            continue
        wrong = max(low - value, value - high, high - float(high))
        error.take(wrong, high=quantity("register-accuracy").most / 100.0 * float(high) + 0.001, at=note.t)
    yield from fall.result()
    yield from error.result()


def goes_on(context: Context) -> Iterator[Measurement]:
    """When nothing stands against it for long enough, a vehicle that wants to charge is supplied."""
    within = limit("ac-goes-on").high
    worst = _Worst("longest wait for the output", "s")
    for begin, end in _free(context):
        surely, maybe = _Longest(), _Longest()
        marks = [t for t in context.seen.when(_SUPPLY) if begin < t < end]
        for first, last in pairwise([begin, *marks, end]):
            on = context.seen.exceeds(_SUPPLY, quantity("supply-threshold").most, first, last)
            surely.take(first, last, holds=not on[1])
            maybe.take(first, last, holds=not on[0])
        if maybe.span:
            worst.take(_either(surely.span, maybe.span, context.seen.by(_SUPPLY)), high=seconds(within), at=maybe.at)
    yield from worst.result()


def _free(context: Context) -> Iterator[tuple[Instant, Instant]]:
    """Stretches in which vehicle, session, limit and supply all allow the charge, and nothing has failed."""
    conditions = _Conditions()
    least = quantity("least-offer").low or 0.0
    limits = {each.begin: _surely(each, context.safe) >= least for each in context.seen.limits()}
    events: dict[Instant, list[str]] = {}
    for t, what in context.seen.happened():
        events.setdefault(t, []).append(what)
    since: Instant | None = None
    for t in sorted({*limits, *events}):
        conditions.limit = limits.get(t, conditions.limit)
        for what in events.get(t, ()):
            conditions.take(what, t)
        if conditions.free and since is None:
            since = t
        elif not conditions.free and since is not None:
            yield since, t
            since = None
    if since is not None:
        yield since, context.seen.end


def _surely(asked: Asked, safe: float) -> float:
    """The least that is allowed while this is asked for."""
    return asked.limit if asked.limit is not None else min(asked.before or 0.0, safe)


class _Conditions:
    """What a charge needs, as events come."""

    def __init__(self) -> None:
        self.limit = False
        self._plugged = self._wants = self._authorised = True
        self._hurt = self._refused = False
        """Something has failed; the session was stopped while no vehicle was there, which lasts."""
        self._failing: set[str] = set()
        self._gone: Instant = 0

    @property
    def free(self) -> bool:
        """Whether nothing stands against it."""
        return self.limit and self._plugged and self._wants and self._authorised and not self._hurt

    def take(self, what: str, t: Instant) -> None:
        """An event of the profile."""
        name, _, ends = what.partition(" ")
        if name in FAULTS:
            self._hurt = True
            (self._failing.discard if ends else self._failing.add)(name)
        elif name == "unplug":
            self._gone = t if self._plugged else self._gone
            self._plugged = False
        elif name == "plug":
            # What a session left behind goes with its vehicle, where the charger had the time to see it go.
            if not self._plugged and t - self._gone >= limit("ac-unlock").high:
                self._hurt, self._authorised = bool(self._failing), not self._refused
            self._plugged = True
        elif name in ("want", "rest"):
            self._wants = name == "want"
        else:
            self._authorised = name == "start"
            self._refused = name == "stop" and not self._plugged


Judgement = Callable[[Context], Iterator[Measurement]]
INVARIANTS: Mapping[str, Judgement] = MappingProxyType(
    {
        "AP.01": limit_is_kept,
        "AP.02": current_is_watched,
        "AP.03": output_only_when_ready,
        "AP.04": duty_says_something,
        "AP.05": falls_back,
        "AP.06": keeps_limit_meanwhile,
        "AP.07": meter_counts_up,
        "AP.08": goes_on,
    }
)
"""By case of the requirement."""


def judged(context: Context, cases: tuple[str, ...] = ()) -> dict[str, list[Measurement]]:
    """Measurements by case, of those given or of all; none where a session gave nothing to judge."""
    return {case: list(INVARIANTS[case](context)) for case in cases or INVARIANTS}
