"""The time-outs of sheet 4.3: reported in their window, with their cause, and only then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hil.codec.message import Message
from hil.conformance.catalogue import partner
from hil.conformance.monitors.declarations import Follow, Timeout
from hil.conformance.monitors.ledger import Ledger
from hil.conformance.monitors.session import Report, Session
from hil.conformance.monitors.track import Track
from hil.conformance.verdict import Verdict
from hil.units import Instant, Span, ms, show_span

_OTHER = {"charger": "bms", "bms": "charger"}
_STOP = {"charger": "BST", "bms": "CST"}
"""The partner's stop: from then on the time-outs of charging are over."""
_END_PHASE = ("T10", "T11", "T19", "T20")
_A_MOMENT: Span = ms(1)


@dataclass(frozen=True)
class Common:
    """What every monitor needs."""

    session: Session
    ledger: Ledger
    edition: str
    readings: Mapping[str, str]


class TimeoutMonitor:
    """One row of sheet 4.3: a report that is missing is found here, one that comes by :class:`ReportMonitor`."""

    def __init__(self, row: Timeout, common: Common) -> None:
        self.row = row
        self.low, self.high = row.window(common.edition, common.readings)
        self._session = common.session
        self._ledger = common.ledger
        self.awaits = row.awaits
        self._patience = self.high + common.ledger.resolution + _A_MOMENT
        self._armed = -1
        """Attempt in which a check is due."""
        self._side = common.session.sides[row.side]
        self._readings = common.readings
        starts = [*(state for state in row.states if state), *(name.split(" ", 1)[1] for name in row.references)]
        common.session.on(dict.fromkeys(starts), self._arm)

    def spans(self, state: str, t: Instant) -> list[Span] | None:
        """Spans since the references that are known; None where this time-out does not run in ``state``."""
        first = self._session.first
        row = self.row
        if state not in row.states or any(name in first for name in row.absent):
            return None
        if self._session.observed and any(name not in first for name in row.seen):
            return None
        return [t - reference for reference in self._references()]

    def _references(self) -> list[Instant]:
        found = []
        for reference in self.row.references:
            which, name = reference.split(" ", 1)
            if which == "first" and (not self._session.observed or name in self._session.vague):
                continue
            instant = self._session.first.get(name) if which == "first" else self._session.last(name)
            if instant is not None:
                found.append(instant)
            if which == "last" and name in self._session.had:
                found.append(self._session.had[name])
        return found

    def _arm(self, t: Instant) -> None:
        if self._armed != self._session.attempt:
            self._armed = self._session.attempt
            self._session.at(t + self._patience, self._check)

    def _check(self, now: Instant) -> None:
        session = self._session
        self._armed = -1
        spans = self.spans(self._side.state, now)
        if session.error or not session.powered or not spans or self._over() or self._excused():
            return
        if session.doubtful & self.awaits:
            return
        reference = now - min(spans)
        if reference + self._patience > now:
            self._armed = session.attempt
            session.at(reference + self._patience, self._check)
        elif self._side.last_seen() >= reference + self.high // 2:
            due = reference + self.high
            expected = f"{self.row.report} {self.row.spn} within {show_span(self.high)} without {self.row.awaited}"
            self._ledger.add(f"TIMEOUT.{self.row.label}", self.row.side, due, expected, "no report")

    def _over(self) -> bool:
        return self.row.label not in _END_PHASE and _STOP[self.row.side] in self._session.first

    def _excused(self) -> bool:
        """By the print of DN.2009 a fall back to BRO(00) ends the session without a report."""
        stream = self._session.streams.get("BRO00")
        printed = self._readings["dn2007-2009"] == "print"
        return printed and self.row.label == "T5" and stream is not None and stream.name == "BRO00"


class ReportMonitor:
    """Every time-out that CEM or BEM names must have its cause, and come neither early nor late."""

    def __init__(self, side: str, track: Track, rows: Sequence[TimeoutMonitor], common: Common) -> None:
        self._session = common.session
        self._ledger = common.ledger
        self._side = common.session.sides[side]
        self._track = track
        self._rows = rows
        self._awaits = {field: frozenset[str]() for field in track.declared.signals}
        for monitor in rows:
            self._awaits[monitor.row.field] |= monitor.awaits
        self._judged: set[str] = set()
        self._other = _other_bits(track.declared)
        common.session.on([track.declared.name], self._begin)
        common.session.on_restart(lambda how, t: self._judged.clear())
        track.on_change.append(self._changed)

    def _begin(self, t: Instant) -> None:
        if self._track.data is not None:
            self._changed(t, int.from_bytes(self._track.data[: self._track.declared.length], "little"))

    def _changed(self, t: Instant, raw: int) -> None:
        name = self._track.declared.name
        if name not in self._session.first:
            return
        fields = {
            key: signal.spn
            for key, signal in self._track.declared.signals.items()
            if raw >> signal.start & signal.mask == 1
        }
        if not fields and raw & self._other == self._other and self._session.observed:
            self._ledger.add("ERROR.cause", self._side.name, t, f"{name} that names a time-out", "none named")
        for field, spn in fields.items():
            if field not in self._judged:
                self._judged.add(field)
                self._judge(field, spn, t)

    def _judge(self, field: str, spn: int, t: Instant) -> None:
        name = self._track.declared.name
        best, possible = self._best(field, t)
        self._tell(name, spn, t, best)
        if self._session.doubtful & self._awaits[field]:
            return
        if best is None:
            if self._session.observed and not possible:
                expected = f"{name} {spn} only when its message stays away"
                seen = f"sent instead of {self._side.previous or 'nothing'}"
                self._ledger.add("ERROR.cause", self._side.name, t, expected, seen)
            return
        span, monitor = best
        row = monitor.row
        what = f"{name} {spn} after {row.awaited} stayed away ({row.label})"
        self._ledger.span(f"TIMEOUT.{row.label}", row.side, t, span, monitor.low, monitor.high, what)

    def _tell(self, name: str, spn: int, t: Instant, best: tuple[Span, TimeoutMonitor] | None) -> None:
        if best is None:
            self._session.report(Report(t, self._side.name, name, spn, "", "", None))
        else:
            span, monitor = best
            row = monitor.row
            self._session.report(Report(t, self._side.name, name, spn, row.awaited, row.label, span))

    def _best(self, field: str, t: Instant) -> tuple[tuple[Span, TimeoutMonitor] | None, bool]:
        """The time-out whose window is nearest, with the span; and whether one runs whose start is not known."""
        state = self._side.previous
        best: tuple[Span, Span, TimeoutMonitor] | None = None
        possible = False
        for monitor in self._rows:
            if monitor.row.field != field:
                continue
            spans = monitor.spans(state, t)
            possible = possible or spans == []
            for span in spans or ():
                off = max(monitor.low - span, span - monitor.high, 0)
                if best is None or off < best[0]:
                    best = (off, span, monitor)
        return (None if best is None else best[1:]), possible


class FollowMonitor:
    """A message that must come before its partner's time-out runs out (sheet 5.7)."""

    def __init__(self, row: Follow, common: Common) -> None:
        self._row = row
        self._session = common.session
        self._ledger = common.ledger
        self._limit = partner(row.limit).high
        common.session.on(row.after, self._arm)

    def _arm(self, t: Instant) -> None:
        if all(name in self._session.first for name in self._row.after):
            self._session.at(t + self._limit + self._ledger.resolution + _A_MOMENT, lambda now: self._check(t, now))

    def _check(self, since: Instant, now: Instant) -> None:
        session, row = self._session, self._row
        if session.doubtful.intersection(name[:3] for name in row.after):
            return
        came = any(name.startswith(row.message) for name in session.first)
        side, other = session.sides[row.side], session.sides[_OTHER[row.side]]
        if came or session.error or not session.powered or side.state not in row.states:
            return
        if other.last_seen() < since + self._limit // 2:
            return
        speaks = side.last_seen() >= now - self._limit // 2
        may_end = row.message in ("CML", "CRO") and not speaks
        verdict = Verdict.INCONCLUSIVE if may_end else Verdict.FAIL
        expected = f"{row.message} within {show_span(self._limit)} of {' and '.join(row.after)}"
        seen = "none; the charger may have ended the session" if may_end else "none"
        self._ledger.add(f"FOLLOW.{row.message}", row.side, since + self._limit, expected, seen, verdict)


def rows_of(rows: Iterable[Timeout], edition: str, readings: Mapping[str, str]) -> list[Timeout]:
    """The rows that an edition and the readings leave, with those that they add."""
    chosen = [row for row in rows if not (edition == "2011" and row.label == "T13")]
    if readings["t3-bro"] == "restart":
        restarted = Timeout(
            "T3 again", "charger", "bro", 3923, "BRO(00)", ("CML",), ("last BRO00",), ("BROAA",), ("BRO00",), "T3"
        )
        chosen.append(restarted)
    return chosen


def _other_bits(declared: type[Message]) -> int:
    """The optional "other" bits of byte 4 (sheet 3.18, 3.19)."""
    last = 8 * (declared.length - 1)
    return 0xFC << last
