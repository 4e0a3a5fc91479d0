"""All passive monitors over one stream of observations, live or recorded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial

import msgspec

from hil.conformance.catalogue import period, tail
from hil.conformance.monitors.content import ContentMonitor
from hil.conformance.monitors.declarations import declared
from hil.conformance.monitors.format import Layout
from hil.conformance.monitors.ledger import SIDES, Ledger, Tally
from hil.conformance.monitors.output import OutputMonitor
from hil.conformance.monitors.sequence import ErrorMonitor, SequenceMonitor
from hil.conformance.monitors.session import NEVER, UNSEEN, Report, Run, Session
from hil.conformance.monitors.stops import ErrorStops, SilenceMonitor, stop_monitors
from hil.conformance.monitors.timeouts import Common, FollowMonitor, ReportMonitor, TimeoutMonitor, rows_of
from hil.conformance.monitors.track import Track, variants
from hil.conformance.monitors.transport import Direction, Meter
from hil.conformance.register import resolve
from hil.conformance.verdict import Finding
from hil.errors import UsageError
from hil.native import mypyc_attr
from hil.protocol.gbt27930 import BMS_ADDRESS, CHARGER_ADDRESS, can_id, edition, split_id
from hil.protocol.j1939.settings import ABORT, CTS, END_OF_MESSAGE, PRIORITY, TP_CM_PF, TP_DT_PF
from hil.units import Instant, Span, ms, s, show_instant, show_span
from hil.world.observation import BusErrorSeen, FrameSeen, Observation, Sample

_PAIRS = {
    (BMS_ADDRESS, CHARGER_ADDRESS): "charger",
    (CHARGER_ADDRESS, BMS_ADDRESS): "bms",
}
"""Destination and source to the side that sends."""
_HABITS: Mapping[str, tuple[Span, Span]] = {
    "CTS": (s(0.15), s(0.7)),
    "CML": (s(0.15), s(0.7)),
    "CRO": (s(0.15), s(2.5)),
}
"""Intervals of single units in the field, beyond 40 % (sheet 7): taken with the reading that allows these."""
_JITTER: Span = ms(10)
"""Stamps out of order by so little break periods only; by more, nothing before them counts."""
_ANSWERS = (bytes([CTS]), bytes([END_OF_MESSAGE]))
_ABORT = bytes([ABORT])
_BROKEN = ("ack", "bit", "bus_off")
_STALE: Span = ms(500)
"""For so long after a disturbance frames may be stale."""
_MOST_REMARKS = 200


class Remark(msgspec.Struct, frozen=True):
    """Something about the observations themselves: a clock that jumped, for instance."""

    at: Instant
    text: str


@mypyc_attr(allow_interpreted_subclasses=True)
class MonitorSet:
    """Feed it observations in order of time; it never raises for what they hold.

    ``edition`` and ``readings`` (missing ones take their default) choose the requirements;
    ``resolution`` is that of the stamps, in nanoseconds: what lies within it is *inconclusive*.
    ``sides`` are those whose deviations are kept. Memory does not grow with the stream when
    :meth:`take` is called now and then. Raises :class:`UsageError` for an unknown edition, reading
    or side, or a resolution below 0.
    """

    def __init__(
        self,
        edition: str,
        readings: Mapping[str, str],
        resolution: Span = 0,
        *,
        sides: Collection[str] = SIDES,
    ) -> None:
        unknown = set(sides) - set(SIDES)
        if unknown or resolution < 0:
            raise UsageError(f"sides {sorted(unknown)} or resolution {resolution}: there are {SIDES} and 0 or more ns")
        self.edition = edition
        self.remarks: list[Remark] = []
        self._readings = resolve(readings)
        self._session = Session()
        self._ledger = Ledger(resolution, sides)
        self._now: Instant = UNSEEN
        self._disturbed = False
        self._blind: Instant | None = None
        """Frames before this instant follow a disturbance of the bus and are not judged."""
        self._tracks: dict[int, Track] = {}
        self._transport: dict[int, Callable[[Instant, bytes], None]] = {}
        self._streams: dict[str, Track | Meter] = {}
        self._common = Common(self._session, self._ledger, edition, self._readings)
        self._build_streams()
        self._build_monitors()
        self._build_transport()

    # --- building ---------------------------------------------------------------------------------

    def _build_streams(self) -> None:
        self._meters: dict[str, dict[int, Meter]] = {side: {} for side in SIDES}
        for message in edition(self.edition).messages:
            if message.sender is None:
                continue
            side = self._session.sides[message.sender]
            layout = Layout(message, message.sender, self.edition, self._readings)
            interval = self._interval(message.name)
            if message.transport:
                meter = Meter(message, layout, interval, self._session, side, self._ledger)
                self._meters[message.sender][message.pgn] = meter
                self._streams[message.name] = meter
            elif message.can_id is not None:
                track = Track(message, layout, interval, self._session, side, self._ledger)
                self._tracks[message.can_id] = track
                self._streams[message.name] = track
            stream = self._streams[message.name]
            state = stream.state if isinstance(stream, Track) else stream.state or ""
            self._session.add(message.sender, variants(message.name), state, stream)

    def _interval(self, name: str) -> tuple[Span, Span] | None:
        message = edition(self.edition).by_name[name]
        if message.period is None or f"MON/PERIOD.{name}" not in declared().monitors:
            return None
        chosen = period(message).under(self._readings)
        if self._readings["period-tolerance"] == "40-percent" and name in _HABITS:
            return _HABITS[name]
        return chosen.low, chosen.high

    def _build_monitors(self) -> None:
        common, messages = self._common, dict(edition(self.edition).by_name)
        tables = declared()
        rows = [TimeoutMonitor(row, common) for row in rows_of(tables.timeouts, self.edition, self._readings)]
        for side, report in (("charger", "CEM"), ("bms", "BEM")):
            track = self._streams[report]
            assert isinstance(track, Track), "error messages fit one frame"
            own = [row for row in rows if row.row.side == side]
            ReportMonitor(side, track, own, common)
        for follow in tables.follows:
            FollowMonitor(follow, common)
        SequenceMonitor(common)
        errors = ErrorMonitor(common)
        SilenceMonitor(common)
        stop_monitors(common, messages)
        tails = {
            name: tail(message).under(self._readings).high
            for name, message in messages.items()
            if message.period is not None
        }
        ErrorStops(common, tails)
        ContentMonitor(common, self._streams)
        self._samples = OutputMonitor(common, errors, self._streams).handlers

    def _build_transport(self) -> None:
        fill = self.edition != "2011" and self._readings["reserved-bits"] == "ones"
        ends = (BMS_ADDRESS, CHARGER_ADDRESS)
        to_charger = Direction(*ends, self._meters["bms"], self._session, self._ledger, fill)
        to_bms = Direction(*ends[::-1], self._meters["charger"], self._session, self._ledger, fill)
        self._directions = (to_charger, to_bms)
        for sender, sends, receives in ((BMS_ADDRESS, to_charger, to_bms), (CHARGER_ADDRESS, to_bms, to_charger)):
            other = CHARGER_ADDRESS if sender == BMS_ADDRESS else BMS_ADDRESS
            self._transport[can_id(PRIORITY, TP_DT_PF << 8, other, sender)] = sends.data
            self._transport[can_id(PRIORITY, TP_CM_PF << 8, other, sender)] = partial(_control, sends, receives)
        for direction in self._directions:
            self._session.on(["CEM", "BEM"], direction.close)
        self._session.on_restart(lambda how, t: self._restart_transfers(t))

    # --- the stream -------------------------------------------------------------------------------

    def feed(self, observations: Iterable[Observation]) -> None:
        """Take in what was seen, in order of time."""
        session, tracks, transport = self._session, self._tracks, self._transport
        now = self._now
        for seen in observations:
            kind = type(seen)
            if kind is FrameSeen:
                frame: FrameSeen = seen  # type: ignore[assignment]  # told by kind: faster than isinstance
                t = frame.t
                if not now <= t < session.due and self._irregular(t, now):
                    continue
                now = t
                track = tracks.get(frame.id)
                if track is not None:
                    if frame.data == track.data and track.low <= t - track.last <= track.high:
                        track.last = t
                    elif frame.extended:
                        track.see(t, frame.data)
                    continue
                control = transport.get(frame.id)
                if control is not None:
                    control(t, frame.data)
                else:
                    self._other(frame)
            elif kind is Sample:
                self._sample(seen)  # type: ignore[arg-type]  # told by kind
            elif kind is BusErrorSeen:
                self._bus_error(seen)  # type: ignore[arg-type]  # told by kind
        self._now = now

    def _sample(self, sample: Sample) -> None:
        handler = self._samples.get(sample.name)
        if handler is not None:
            if sample.t >= self._session.due and not self._disturbed:
                self._session.wake(sample.t)
            handler(sample)

    def take(self) -> list[Finding]:
        """Findings since the last call, in the order in which they became certain."""
        return self._ledger.take()

    def finish(self, now: Instant) -> list[Finding]:
        """The observations end at ``now``: findings not yet taken, and one for each kind that was only counted."""
        return [*self.close(now), *self._ledger.summary()]

    def close(self, now: Instant) -> list[Finding]:
        """The observations end at ``now``: findings not yet taken; :attr:`tallies` tells what was only counted."""
        if now >= self._now and not self._disturbed:
            self._session.wake(now)
            for direction in self._directions:
                direction.close(now)
        self._session.finish()
        return self._ledger.take()

    @property
    def tallies(self) -> list[Tally]:
        """How often each kind of deviation was seen, those kept as findings included."""
        return self._ledger.tallies

    @property
    def runs(self) -> list[Run]:
        """What each side sent, one entry for each uninterrupted state; the first 2,000."""
        return self._session.runs

    @property
    def reports(self) -> list[Report]:
        """Time-outs that either side reported; the first 500."""
        return self._session.reports

    # --- what is not the usual --------------------------------------------------------------------

    def _irregular(self, t: Instant, now: Instant) -> bool:
        """A stamp that is not simply the next one; True for a frame that is not to be judged."""
        session = self._session
        if now == UNSEEN:
            session.start = now = t
        if self._disturbed and not self._recovered(t):
            return True
        if t < now:
            self._backwards(t, now)
        if t >= session.due:
            session.wake(t)
        return False

    def _bus_error(self, error: BusErrorSeen) -> None:
        """A line that does not work: what was queued meanwhile is sent late, in a burst, and judges nobody."""
        if error.kind not in _BROKEN:
            return
        if not self._disturbed:
            self._remark(error.t, f"the bus is disturbed ({error.kind}): not judged until it has recovered")
            self._disturbed = True
            self._lose_transfers(error.t)
            self._session.lose_track(error.t)
            self._session.due = NEVER
        self._blind = None

    def _recovered(self, t: Instant) -> bool:
        """Whether frames count again: some time after the first one that came through."""
        if self._blind is None or t + _STALE < self._blind:
            self._blind = t + _STALE
        if t < self._blind:
            return False
        self._disturbed = False
        self._session.lose_track(t)
        self._lose_transfers(t)
        return True

    def _backwards(self, t: Instant, now: Instant) -> None:
        self._remark(t, f"time runs backwards by {show_span(now - t)}, from {show_instant(now)}")
        if now - t <= _JITTER:
            for stream in self._streams.values():
                stream.interrupt()
        else:
            self._session.lose_track(t)
            self._lose_transfers(t)

    def _restart_transfers(self, t: Instant) -> None:
        if not self._session.sides["charger"].state:
            self._lose_transfers(t)  # not the first such message: a transfer may be under way
            return
        for direction in self._directions:
            direction.forget()

    def _lose_transfers(self, t: Instant) -> None:
        for direction in self._directions:
            direction.lose_track(t)

    def _remark(self, at: Instant, text: str) -> None:
        if len(self.remarks) < _MOST_REMARKS:
            self.remarks.append(Remark(at, text))

    def _other(self, frame: FrameSeen) -> None:
        priority, pgn, destination, source = split_id(frame.id)
        side = _PAIRS.get((destination, source))
        if side is None or not frame.extended:
            return
        message = edition(self.edition).by_pgn.get(pgn)
        shown = f"{frame.id:08X}"
        if message is None and pgn not in (TP_CM_PF << 8, TP_DT_PF << 8):
            self._ledger.add("FORMAT.identifier", side, frame.t, f"a PGN of the {self.edition} edition", shown)
        elif message is not None and message.sender not in (None, side):
            expected = f"{message.name} from the other side only"
            self._ledger.add("FORMAT.identifier", side, frame.t, expected, shown)
        elif message is not None and message.transport:
            self._ledger.add("FORMAT.identifier", side, frame.t, f"{message.name} by transport protocol", shown)
        else:
            printed = PRIORITY if message is None else message.priority
            if priority != printed:
                self._ledger.add("FORMAT.priority", side, frame.t, f"priority {printed}", shown)


def _control(sends: Direction, receives: Direction, t: Instant, data: bytes) -> None:
    """A connection management frame of a side that sends in one direction and receives in the other."""
    if data[:1] in _ANSWERS or (data[:1] == _ABORT and not sends.has(data)):
        receives.answer(t, data)
    else:
        sends.control(t, data)
