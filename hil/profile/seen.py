"""What a session showed, sorted once for all invariants: demands, messages, charges, signals.

From observations only, so that a virtual bench, a rig and a recorded log are judged alike.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from hil.codec.message import Message
from hil.plant.signals import BY_NAME
from hil.protocol.gbt27930 import BCL, BCP, CCS, CHARGER_ADDRESS, MessageSet
from hil.protocol.j1939 import Listener
from hil.protocol.j1939.settings import TP_CM_PF, TP_DT_PF
from hil.units import FAR, Instant, Span
from hil.world.observation import FrameSeen, Note, Observation, Sample

_ENDS = frozenset({"BST", "CST", "CEM", "BEM", "CRM", "CHM"})
"""Messages that show that a charge is over."""


class Demand(NamedTuple):
    """BCL from an instant on. V, A (positive charges), 1 = constant voltage, 2 = constant current."""

    t: Instant
    voltage: float
    current: float
    mode: int


class Told(NamedTuple):
    """A message and the instant of its frame's end; of a long one, of its acknowledgement."""

    t: Instant
    message: Any


class Charge:
    """From the first CCS to what ended it."""

    __slots__ = ("begin", "end", "ended_by")

    def __init__(self, begin: Instant) -> None:
        self.begin = begin
        self.end: Instant = FAR
        self.ended_by = ""
        """Name of the message; empty while it goes on."""


class Entered(NamedTuple):
    """When a signal came into a range: ``first`` at the earliest, ``last`` at the latest; None for never."""

    first: Instant | None
    last: Instant | None
    by: str = ""
    """The instrument that leaves it open; empty where the instant is exact."""


class Signal:
    """One signal's samples: straight lines between them where it is an analogue one."""

    __slots__ = ("by", "digital", "instrument", "samples", "times")
    polled = False
    """Whether it is known only at the instants at which an instrument was asked."""

    def __init__(self, name: str) -> None:
        self.by = ""
        """The instrument that measures it, as reports show it; empty where the plant itself is seen."""
        self.instrument = ""
        """Its name."""
        declared = BY_NAME.get(name)
        self.digital = declared is not None and declared.unit == "" and declared.high == 1
        self.samples: list[Sample] = []
        self.times: list[Instant] = []

    def value(self, t: Instant) -> float | None:
        """Its value at an instant; None before the first sample."""
        index = bisect_right(self.times, t)
        if not index:
            return None
        before = self.samples[index - 1]
        if self.digital or index == len(self.samples):
            return before.value
        after = self.samples[index]
        return _between(before, after, t)

    def held(self, t: Instant) -> float | None:
        """Its latest sample's value at an instant, for signals that are told seldom and when they come to rest."""
        index = bisect_right(self.times, t)
        return self.samples[index - 1].value if index else None

    @property
    def latency(self) -> Span:
        """How much later than it held a value may be told."""
        return 0

    def reading(self, value: float) -> float:
        """A value of this signal as its instrument would tell it; here the value itself."""
        return value

    def peak(self, begin: Instant, end: Instant) -> float | None:
        """The greatest value from ``begin`` to ``end``, at no instant beyond; None where nothing is known."""
        values = [value for _, _, value in self.stretches(begin, end)]
        return max(values) if values else self.value(end)

    def least(self, begin: Instant, end: Instant) -> float | None:
        """The least value from ``begin`` to ``end``."""
        values = [low for _, low, _ in self.stretches(begin, end)]
        return min(values) if values else self.value(end)

    def extremes(self, ends: Iterable[Instant], age: Span) -> Iterator[tuple[float, float]]:
        """For each of these instants, in order, least and greatest value of the ``age`` before it.

        Cheaper and a little wider than :meth:`stretches`: a stretch that lies in it in part counts as a
        whole. (0, 0) where nothing is known.
        """
        samples, times = self.samples, self.times
        count, first, last = len(samples), 0, 0
        low = high = 0.0
        at = (-1, -1)
        for end in ends:
            while first + 1 < count and times[first + 1] <= end - age:
                first += 1
            while last < count and times[last] < end:
                last += 1
            if at != (first, last):
                at = first, last
                inside = samples[first + 1 : last + 1]
                start = samples[first].value if count else 0.0
                low = min((sample.low for sample in inside), default=start)
                high = max((sample.high for sample in inside), default=start)
                low, high = min(low, start), max(high, start)
            yield low, high

    def stretches(self, begin: Instant, end: Instant) -> Iterator[tuple[Instant, float, float]]:
        """Instant, least and greatest value of each stretch that ends with a sample, cut to ``begin`` .. ``end``.

        What a sample's extremes go beyond its line (ripple, a short peak) counts for the whole stretch.
        """
        samples = self.samples
        index = max(bisect_right(self.times, begin), 1)
        while index < len(samples):
            before, after = samples[index - 1], samples[index]
            first = before.value if before.t >= begin else _between(before, after, begin)
            last, at = after.value, after.t
            if after.t > end:
                last, at = _between(before, after, end), end
            over = after.high - max(before.value, after.value)
            under = after.low - min(before.value, after.value)
            yield at, min(first, last) + min(under, 0.0), max(first, last) + max(over, 0.0)
            if after.t > end:
                return
            index += 1

    def first_in(self, low: float, high: float, begin: Instant, end: Instant) -> Instant | None:
        """The first instant from ``begin`` to ``end`` at which the value lies in the range."""
        value = Signal.value(self, begin)
        if value is not None and low <= value <= high:
            return begin
        index = bisect_right(self.times, begin)
        last = value
        at = begin
        while index < len(self.samples) and self.times[index] <= end:
            sample = self.samples[index]
            if low <= sample.value <= high:
                return _crossing(at, last, sample, low, high, digital=self.digital)
            last, at = sample.value, sample.t
            index += 1
        return None

    def entered(self, low: float, high: float, begin: Instant, end: Instant) -> Entered:
        """The same, for a signal that may be known to an instrument only."""
        found = self.first_in(low, high, begin, end)
        return Entered(found, found)

    def changes(self, begin: Instant = -1) -> Iterator[tuple[Instant, float]]:
        """Instants and new values after ``begin``."""
        for index in range(max(bisect_right(self.times, begin), 1), len(self.samples)):
            if self.samples[index].value != self.samples[index - 1].value:
                yield self.times[index], self.samples[index].value


def _between(before: Sample, after: Sample, t: Instant) -> float:
    if after.t == before.t:
        return after.value
    return before.value + (after.value - before.value) * (t - before.t) / (after.t - before.t)


def _crossing(at: Instant, value: float | None, sample: Sample, low: float, high: float, *, digital: bool) -> Instant:
    if value is None or digital or sample.value == value or sample.t <= at:
        return sample.t
    bound = high if value > high else low
    return at + round((sample.t - at) * (bound - value) / (sample.value - value))


class Seen:
    """Grows with every piece of the stream; judged when it is whole."""

    def __init__(self, messages: MessageSet) -> None:
        self.demands: list[Demand] = []
        """Changes of BCL, in order."""
        self.last_bcl: Instant = -1
        self.ccs: list[Told] = []
        self.charges: list[Charge] = []
        self.told: dict[str, list[Told]] = {}
        """Every other message by name; long ones only BCP."""
        self.answers: list[Instant] = []
        """Frames of the charger that are none of its messages: of transport, or unknown."""
        self.transports: list[Instant] = []
        """Frames of transport from the vehicle, which ask for these."""
        self.notes: list[Note] = []
        self.end: Instant = 0
        """The latest observation."""
        self._signals: dict[str, Signal] = {}
        self._messages = messages
        self._names = {each.can_id: each for each in messages.messages if each.can_id is not None}
        self._known: dict[tuple[int, bytes], Any] = {}
        self._listener = Listener()
        self._bcl = b""
        self._armed = True
        self._bcp_pgn = BCP.pgn.to_bytes(3, "little")
        self._bcp_open = False

    def add(self, observations: Iterable[Observation]) -> None:
        """Take in more of the stream."""
        signals = self._signals
        t = self.end
        for each in observations:
            kind = type(each)
            t = each.t
            if kind is FrameSeen:
                self._frame(each)  # type: ignore[arg-type]  # its type has just been looked at
            elif kind is Sample:
                signal = signals.get(each.name)  # type: ignore[union-attr]  # a sample has a name
                if signal is None:
                    signal = signals[each.name] = Signal(each.name)  # type: ignore[union-attr]  # as above
                signal.samples.append(each)  # type: ignore[arg-type]  # as above
                signal.times.append(t)
            elif kind is Note:
                self.notes.append(each)  # type: ignore[arg-type]  # as above
        self.end = t

    def measure(self, name: str, signal: Signal) -> None:
        """From now on, a signal is what an instrument tells of it."""
        self._signals[name] = signal

    def signal(self, name: str) -> Signal:
        """A signal; an empty one where it was never observed."""
        return self._signals.get(name) or Signal(name)

    def all(self, name: str, after: Instant = -1, until: Instant = FAR) -> list[Told]:
        """Messages of that name with ``after < t <= until``."""
        told = self.ccs if name == CCS.name else self.told.get(name, [])
        return told[bisect_right(told, after, key=_instant) : bisect_right(told, until, key=_instant)]

    def first(self, name: str, after: Instant = -1) -> Told | None:
        """The first such message after an instant."""
        told = self.ccs if name == CCS.name else self.told.get(name, [])
        index = bisect_right(told, after, key=_instant)
        return told[index] if index < len(told) else None

    def latest(self, name: str, until: Instant = FAR) -> Told | None:
        """The last such message up to an instant."""
        told = self.ccs if name == CCS.name else self.told.get(name, [])
        index = bisect_right(told, until, key=_instant)
        return told[index - 1] if index else None

    def demand_at(self, t: Instant) -> Demand | None:
        """What BCL demanded at an instant."""
        index = bisect_right(self.demands, t, key=_instant)
        return self.demands[index - 1] if index else None

    def demands_in(self, begin: Instant, end: Instant) -> list[Demand]:
        """Changes with ``begin < t < end``."""
        return self.demands[
            bisect_right(self.demands, begin, key=_instant) : bisect_left(self.demands, end, key=_instant)
        ]

    # --- frames -------------------------------------------------------------------------------------

    def _frame(self, frame: FrameSeen) -> None:
        declared = self._names.get(frame.id)
        if declared is None:
            self._transport(frame)
            return
        name = declared.name
        if name == BCL.name:
            self.last_bcl = frame.t
            if frame.data != self._bcl:
                self._take_bcl(declared, frame)
            return
        key = (frame.id, frame.data)
        try:
            message = self._known[key]
        except KeyError:
            message = self._known[key] = self._decoded(declared, frame.data)
        if message is None:
            return
        if name == CCS.name:
            self.ccs.append(Told(frame.t, message))
            if self._armed:
                self._armed = False
                self.charges.append(Charge(frame.t))
            return
        self.told.setdefault(name, []).append(Told(frame.t, message))
        if name == "CRO":
            self._armed = True
        elif name in _ENDS and self.charges and self.charges[-1].end == FAR:
            self.charges[-1].end, self.charges[-1].ended_by = frame.t, name

    def _take_bcl(self, declared: type[Message], frame: FrameSeen) -> None:
        message: Any = self._decoded(declared, frame.data)
        self._bcl = frame.data
        if message is not None:
            amperes = max(-message.current_demand, 0.0)
            self.demands.append(Demand(frame.t, message.voltage_demand, amperes, message.mode))

    def _decoded(self, declared: type[Message], data: bytes) -> Any:
        message = self._messages.decode(declared.pgn, data)
        return message if isinstance(message, declared) else None

    def _transport(self, frame: FrameSeen) -> None:
        """Only BCP is of interest among the long messages."""
        protocol_format = frame.id >> 16 & 0xFF
        if frame.id & 0xFF == CHARGER_ADDRESS:
            self.answers.append(frame.t)
        elif protocol_format in (TP_CM_PF, TP_DT_PF):
            self.transports.append(frame.t)
        if protocol_format == TP_CM_PF:
            if frame.data[5:8] != self._bcp_pgn:
                return
            self._bcp_open = True
        elif protocol_format != TP_DT_PF or not self._bcp_open:
            return
        transfer = self._listener.see(frame.id, frame.data, frame.t)
        if transfer is not None:
            self._bcp_open = False
            message = self._decoded(self._messages.by_name[BCP.name], transfer.data) if transfer.complete else None
            if message is not None:
                self.told.setdefault(BCP.name, []).append(Told(frame.t, message))


def _instant(each: Any) -> Instant:
    t: Instant = each.t
    return t
