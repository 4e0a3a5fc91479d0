"""What happened electrically in a session, taken from its observations: the data of the plot."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import msgspec

from hil.codec.message import Message
from hil.evidence.content import plain
from hil.plant.ac_signals import limit_of
from hil.protocol.gbt27930 import MessageSet
from hil.protocol.j1939 import Listener
from hil.protocol.j1939.settings import TP_CM_PF, TP_DT_PF
from hil.units import Instant
from hil.world.observation import FrameSeen, Note, Observation, Sample

Point = tuple[Instant, float]
Spread = tuple[Instant, float, float, float]
"""Instant, value, and the extremes since the previous sample."""

_SOMETHING = 1.0
"""Below 1 A (or 1 V) nothing is said to happen."""
_MARKED = ("CST", "CEM", "BST", "BEM")
_MOST_STIMULI = 4
_LONGEST_LABEL = 20


class Mark(msgspec.Struct, frozen=True):
    """An instant worth a line across the plot. ``kind`` is stimulus, message or decisive."""

    t: Instant
    label: str
    kind: str


class Panel(msgspec.Struct):
    """One quantity: what was demanded, what came out, what was allowed. Charging current is positive."""

    name: str
    unit: str
    demand: list[Point] = []
    output: list[Spread] = []
    limits: list[tuple[str, Instant, float]] = []
    """Whose limit, since when, how much."""


class Curves(msgspec.Struct):
    """Both panels and the marks, over the span that matters."""

    current: Panel
    voltage: Panel
    marks: list[Mark]
    start: Instant
    end: Instant
    demand_end: Instant
    """The last BCL: nothing is demanded after it."""


def collect(
    observations: Iterable[Observation], messages: MessageSet, decisive: Instant | None, *, electrical: bool = False
) -> Curves | None:
    """The curves of a session; None where it neither demanded nor delivered current.

    ``electrical`` says that the case judged electrical quantities: then voltage alone is enough.
    """
    found = _Collector(messages)
    for observation in observations:
        found.see(observation)
    charged = bool(found.panel_i.demand) or found.peak_current > _SOMETHING
    if not charged and not (electrical and found.peak_voltage > _SOMETHING):
        return None
    start = max(found.first, found.begin - (found.last - found.begin) // 20)
    until = found.last if decisive is None else decisive
    marks = [*found.marks, *[mark for mark in found.stimuli if mark.t <= until][-_MOST_STIMULI:]]
    if decisive is not None:
        marks.append(Mark(decisive, "decisive", "decisive"))
    marks = sorted((mark for mark in marks if start <= mark.t <= found.last), key=attrgetter("t"))
    return Curves(found.panel_i, found.panel_v, marks, start, found.last, found.demand_end or found.last)


class _Collector:
    """One pass over the observations."""

    def __init__(self, messages: MessageSet) -> None:
        self._messages = messages
        self._listener = Listener()
        self._names = {cls.can_id: cls.name for cls in messages.messages if cls.can_id is not None}
        self._demanded: dict[str, bytes] = {}
        self.stimuli: list[Mark] = []
        self._marked: set[str] = set()
        self.panel_i = Panel("current", "A")
        self.panel_v = Panel("voltage", "V")
        self.marks: list[Mark] = []
        self.peak_current = self.peak_voltage = 0.0
        self.first: Instant = -1
        self.begin: Instant = -1
        self.last: Instant = 0
        self.demand_end: Instant = 0
        self._stepped = False
        """Told by an AC charging point, whose output only changes in steps."""

    def see(self, observation: Observation) -> None:
        self.last = observation.t
        if self.first < 0:
            self.first = observation.t
        if isinstance(observation, FrameSeen):
            self._frame(observation)
        elif isinstance(observation, Sample):
            self._sample(observation)
        elif isinstance(observation, Note) and observation.kind in ("stimulus", "fault_fired", "order"):
            asks, limit = limit_of(observation.what)
            if asks and limit is not None:
                self.panel_i.demand.append((observation.t, limit))
            else:
                self.stimuli.append(Mark(observation.t, "silent" if asks else _label(observation), "stimulus"))

    def _sample(self, sample: Sample) -> None:
        if sample.name in ("output_current", "line_current"):
            self.peak_current = max(self.peak_current, sample.high)
            self._put(self.panel_i, sample)
        elif sample.name == "output_voltage":
            self.peak_voltage = max(self.peak_voltage, sample.high)
            self._put(self.panel_v, sample)
        elif sample.name == "cp_high":
            self._stepped = True

    def _put(self, panel: Panel, sample: Sample) -> None:
        self._begins(sample)
        if self._stepped and panel.output:
            before = panel.output[-1][1]
            panel.output.append((sample.t, before, before, before))  # it stood there until now
        panel.output.append((sample.t, sample.value, sample.low, sample.high))

    def _begins(self, sample: Sample) -> None:
        if self.begin < 0 and sample.high > _SOMETHING:
            self.begin = sample.t

    def _frame(self, frame: FrameSeen) -> None:
        name = self._names.get(frame.id)
        if name is not None:
            if name in ("BCL", "CML"):
                self._decode(name, frame)
            elif name in _MARKED and name not in self._marked:
                self._marked.add(name)
                self.marks.append(Mark(frame.t, f"first {name}", "message"))
        elif frame.extended and frame.id >> 16 & 0xFF in (TP_CM_PF, TP_DT_PF):
            transfer = self._listener.see(frame.id, frame.data, frame.t)
            if transfer is not None and transfer.complete and transfer.pgn == self._messages.by_name["BCP"].pgn:
                decoded = self._messages.decode(transfer.pgn, transfer.data)
                self._limit("BCP", frame.t, decoded, "max_current", "max_total_voltage")

    def _decode(self, name: str, frame: FrameSeen) -> None:
        """What differs from the last such frame; most are equal."""
        if name == "BCL":
            self.demand_end = frame.t
        if self._demanded.get(name) == frame.data:
            return
        self._demanded[name] = frame.data
        decoded = self._messages.decode(self._messages.by_name[name].pgn, frame.data)
        if name == "CML":
            self._limit("CML", frame.t, decoded, "max_current", "max_voltage")
        elif isinstance(decoded, Message):
            self.begin = frame.t if self.begin < 0 else self.begin
            self.panel_i.demand.append((frame.t, -_field(decoded, "current_demand")))
            self.panel_v.demand.append((frame.t, _field(decoded, "voltage_demand")))

    def _limit(self, whose: str, t: Instant, decoded: object, current: str, voltage: str) -> None:
        if isinstance(decoded, Message):
            self.panel_i.limits.append((whose, t, -_field(decoded, current)))
            self.panel_v.limits.append((whose, t, _field(decoded, voltage)))


def _label(note: Note) -> str:
    """What was ordered of the vehicle, in a few letters; of others only that they came."""
    if note.kind != "order":
        return note.kind.replace("_", " ")
    told = " ".join([note.what, *(plain(value) for value in note.details.values())])
    return told if len(told) <= _LONGEST_LABEL else note.what


def _field(message: Message, name: str) -> float:
    """A number of a message; on the wire charging current is negative."""
    value: Any = getattr(message, name)
    return float(value)
