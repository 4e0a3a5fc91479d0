"""What ends a message: it must stop within its tail, and must not have stayed away before (sheet 4.2)."""

from __future__ import annotations

from functools import partial

from hil.codec.message import Message
from hil.conformance.catalogue import limit, tail
from hil.conformance.monitors.session import Ending, Side, Stream
from hil.conformance.monitors.timeouts import Common
from hil.conformance.verdict import Verdict
from hil.units import Instant, Span, ms, s, show_span

_ENDS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    # monitor's name, messages of which the first ends it, further ones that must be there too
    ("BHM", ("CRM00",), ()),
    ("CRM00", ("BRM complete",), ()),
    ("BRM", ("CRMAA",), ()),
    ("CRMAA", ("BCP complete",), ()),
    ("BCP", ("CML",), ()),
    ("CML", ("BROAA",), ()),
    ("CTS", ("BROAA",), ()),
    ("BROAA", ("CROAA",), ()),
    ("CROAA", ("BCL", "BCS complete"), ("BCL", "BCS complete")),
    ("BCL", ("CST", "BST"), ()),
    ("BCS", ("CST", "BST"), ()),
    ("BSM", ("CST", "BST"), ()),
    ("CCS", ("BST", "CST"), ()),
    ("BST", ("BSD",), ()),
    ("CST", ("BSD", "BST"), ("BSD", "BST")),
    ("BEM", ("CRM00",), ()),
)
"""Sheet 4.2. BSD is not judged: a vehicle may go on with it until it has several CSD (5.7, DP.4001)."""
_WATCHED = ("BHM", "CRM", "BRM", "BCP", "CML", "BRO", "CRO", "BCL", "BCS", "CCS", "BSM", "BST", "CST")
_SUPPLYING = ("BCL", "BCS", "CCS", "BSM", "BST", "CST")
_LOOSE: Span = ms(300)
"""BST may stop this long before the first BSD (sheet 7); CST is given as much."""
_PERIODS_LOST = 4
_SHORTEST_SILENCE: Span = s(1)
_ENDINGS = ("BST", "CST", "BEM", "CEM")
"""By sending these a side ends its own state."""
_STAY_IN_RESTART = ("BRM", "BEM")


class StopMonitor:
    """One message and what ends it."""

    def __init__(
        self, name: str, ends: tuple[str, ...], needed: tuple[str, ...], message: type[Message], common: Common
    ) -> None:
        self._name = name
        self._needed = needed
        self._ends = {message_name(each) for each in ends}
        self._session = common.session
        self._tail = tail(message).under(common.readings).high
        self._silence = SilenceJudge(common)
        for each in ends:
            common.session.on([each], partial(self._end, each))

    def _end(self, by: str, t: Instant) -> None:
        first = self._session.first
        stream = self._session.streams[self._name]
        if any(name not in first for name in self._needed) or self._session.doubtful.intersection(self._ends):
            return
        if stream.name == self._name:
            if self._name != "BST":
                self._silence.judge(stream, t, f"until {by}")
            stream.end(self._name, Ending(f"STOP.{self._name}", t, self._tail, by))


class SilenceJudge:
    """Finds that a message stayed away although nothing had ended it."""

    def __init__(self, common: Common) -> None:
        self._session = common.session
        self._ledger = common.ledger

    def judge(
        self, stream: Stream, t: Instant, until: str, *, least: Span = 0, verdict: Verdict = Verdict.FAIL
    ) -> bool:
        """Whether the stream was away for ``least`` and beyond its period at ``t``; then it is a finding."""
        name = message_name(stream.name)
        beyond = stream.overdue(t)
        away = t - stream.last
        least = max(least, _LOOSE if name in ("BST", "CST") else 0)
        if name not in _WATCHED or not beyond or away <= least or not self._session.powered:
            return False
        if beyond <= self._ledger.resolution:
            verdict = Verdict.INCONCLUSIVE
        side = "charger" if name.startswith("C") else "bms"
        expected = f"{stream.name} goes on {until}"
        self._ledger.add(f"SILENCE.{name}", side, stream.last, expected, f"silent for {show_span(away)}", verdict)
        if verdict is Verdict.FAIL:
            stream.interrupt()
        return True


class SilenceMonitor:
    """Watches the messages of the state that each side is in, as long as the other side speaks."""

    def __init__(self, common: Common) -> None:
        self._session = common.session
        self._judge = SilenceJudge(common)
        self._resolution = common.ledger.resolution
        common.session.on_enter(self._enter)
        common.session.on(["CEM", "BEM"], self._error)

    def _enter(self, side: Side, state: str, t: Instant) -> None:
        if state in _ENDINGS:
            for stream in _streams(side, side.state):
                self._judge.judge(stream, t, f"until {state}")
        self._session.at(t + _SHORTEST_SILENCE, partial(self._look, side, state))

    def _look(self, side: Side, state: str, now: Instant) -> None:
        session = self._session
        if side.state != state or session.error or not session.powered:
            return
        other = session.sides["bms" if side.name == "charger" else "charger"]
        for stream in _streams(side, state):
            if stream.interval is None:
                continue
            least = max(_PERIODS_LOST * stream.interval[1], _SHORTEST_SILENCE) + self._resolution
            if other.last_seen() > stream.last + least // 2:
                sure = message_name(stream.name) in _SUPPLYING
                verdict = Verdict.FAIL if sure else Verdict.INCONCLUSIVE
                if self._judge.judge(stream, now, "until something ends it", least=least, verdict=verdict) and not sure:
                    return
        session.at(now + _SHORTEST_SILENCE, partial(self._look, side, state))

    def _error(self, t: Instant) -> None:
        """An error message ends what both sides were doing."""
        if len([name for name in ("CEM", "BEM") if name in self._session.first]) > 1:
            return
        for side in self._session.sides.values():
            state = side.previous if side.state in ("CEM", "BEM") else side.state
            for stream in _streams(side, state):
                self._judge.judge(stream, t, f"until {self._session.error}")


class ErrorStops:
    """A side that reports an error, and the vehicle in a new attempt, end what they were sending."""

    def __init__(self, common: Common, tails: dict[str, Span]) -> None:
        self._session = common.session
        self._tails = tails
        self._csd = limit("shutdown").high
        common.session.on(["CEM"], partial(self._end_all, "charger", "CEM"))
        common.session.on(["BEM"], partial(self._end_all, "bms", "BEM"))
        common.session.on(["CRM00"], self._reconnected)
        common.session.on(["CSD"], self._statistics)

    def _end_all(self, name: str, by: str, t: Instant) -> None:
        for _, stream in self._session.sides[name].streams:
            if stream.name != by:
                self._end(stream, "STOP.error", t, by)

    def _reconnected(self, t: Instant) -> None:
        for _, stream in self._session.sides["bms"].streams:
            if stream.name not in _STAY_IN_RESTART:
                self._end(stream, "STOP.reconnect", t, "CRM(00)")

    def _end(self, stream: Stream, monitor: str, t: Instant, by: str) -> None:
        tail_span = self._tails.get(message_name(stream.name))
        if tail_span is not None and t - stream.last <= _PERIODS_LOST * tail_span:
            stream.end(stream.name, Ending(monitor, t, tail_span, by))

    def _statistics(self, t: Instant) -> None:
        def end(now: Instant) -> None:
            self._session.streams["CSD"].end("CSD", Ending("STOP.CSD", t, self._csd, "the first one"))

        self._session.at(t + self._csd, end)


def message_name(name: str) -> str:
    """The message of a name that may carry a value."""
    return name[:3]


def _streams(side: Side, state: str) -> list[Stream]:
    return [stream for each, stream in side.streams if each == state or stream.name == state]


def stop_monitors(common: Common, messages: dict[str, type[Message]]) -> list[StopMonitor]:
    """Every row whose message the edition has."""
    return [
        StopMonitor(name, ends, needed, messages[message_name(name)], common)
        for name, ends, needed in _ENDS
        if message_name(name) in messages
    ]
