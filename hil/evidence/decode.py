"""The trace around an instant as a reader wants it: some thirty lines that tell the story.

Periodic messages are folded into one line until something happens; long messages are shown whole,
their transport frames only where a transfer did not come to its end.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from operator import attrgetter

import msgspec

from hil.evidence.content import (
    Content,
    describe_bytes,
    describe_error,
    describe_frame,
    describe_line,
    describe_measured,
    describe_note,
    describe_transfer,
    describe_transport,
)
from hil.plant.ac_signals import AC_BY_NAME
from hil.plant.signals import BY_NAME
from hil.protocol.gbt27930 import MessageSet
from hil.protocol.j1939 import Listener
from hil.protocol.j1939.settings import ABORT, CTS, END_OF_MESSAGE, RTS, TP_CM_PF, TP_DT_PF
from hil.units import SECOND, Instant, Span, ms, s, show_instant, show_span
from hil.world.observation import BusErrorSeen, BytesSeen, FrameSeen, LineSeen, Note, Observation, Sample

_MEASURED = "measured"
"""Kind of the notes of instruments, whose lines are called after them."""
_SIGNALS = "signals"
"""Line that carries the plant to a controller elsewhere."""
LIMIT = 30
WIDTH = 120
_LEAD: Span = s(3)
"""Read before the window, so that transfers under way and states are known when it opens."""
_LEAST, _MOST, _MARGIN, _AFTER = s(2), s(70), ms(500), s(1)
_GONE = 2.5
"""A message that stayed away for so many of its intervals before the window ended came no more."""
_LEVELS = ("cp_high", "cp_duty", "line_current", "limit_request")
"""Signals that are told although they are more than on or off: they move in steps, and seldom."""
_GLANCE = 4
"""So few equal messages are not yet a period worth naming."""


class TraceLine(msgspec.Struct, frozen=True):
    """One line. ``kind`` is message, transport, note, error, signal, mark or omitted."""

    t: Instant
    until: Instant
    """The last one where ``count`` is more than one, else equal to ``t``."""
    kind: str
    who: str
    name: str
    text: str
    count: int = 1
    decisive: bool = False

    @property
    def label(self) -> str:
        """Name, and how many."""
        return self.name if self.count == 1 else f"{self.name} ×{self.count}"

    def render(self, width: int = WIDTH) -> str:
        """The line as plain text, at most ``width`` characters."""
        mark = ">>" if self.decisive else "  "
        if self.kind == "omitted":
            line = f"{mark} {'':>14}  {self.text}"
        else:
            line = f"{mark} {show_instant(self.t):>14}  {self.who:<13}  {self.label:<12} {self.text}".rstrip()
        return line if len(line) <= width else line[: width - 1] + "…"


_Subject = tuple[str, str, str]
_Key = tuple[str, str, str, tuple[str, ...]]


class _Item:
    """Something at an instant, before folding."""

    __slots__ = ("content", "decisive", "kind", "t")

    def __init__(self, t: Instant, kind: str, content: Content) -> None:
        self.t = t
        self.kind = kind
        self.content = content
        self.decisive = False

    @property
    def subject(self) -> _Subject:
        """What repeats, whatever it says: a message's kind without its 00 or AA."""
        return self.kind, self.content.who, self.content.name.split("(")[0]

    @property
    def key(self) -> _Key:
        return self.kind, self.content.who, self.content.name, self.content.state


def decoded_lines(
    observations: Sequence[Observation],
    messages: MessageSet,
    around: Instant,
    *,
    before: Span | None = None,
    after: Span = _AFTER,
    limit: int = LIMIT,
    about: str = "",
) -> list[TraceLine]:
    """At most ``limit`` lines of what was seen from ``around - before`` to ``around + after``.

    ``observations`` are in order of time. Without ``before`` the window opens shortly before the last
    stimulus. What was seen at ``around`` is marked decisive; where nothing was, a line says so. Of
    several things at that instant the one that ``about`` names is taken, else what the charger sent.
    """
    if before is None:
        before = _reach_back(observations, around)
    start, end = around - before, around + after
    items = _items(observations, messages, start - _LEAD, end, around)
    opening = bisect_left(items, start, key=_instant)
    known = {item.subject: item.key for item in items[:opening]}
    shown = _mark(items[opening:], around, about, observations)
    closing = min(end, observations[-1].t) if observations else end
    return _trim(_fold(shown, known, closing), limit)


def _instant(item: Observation | _Item) -> Instant:
    return item.t


def _reach_back(observations: Sequence[Observation], around: Instant) -> Span:
    first = bisect_left(observations, around - _MOST, key=_instant)
    last = bisect_right(observations, around, key=_instant)
    for index in range(last - 1, first - 1, -1):
        note = observations[index]
        if isinstance(note, Note) and note.kind in ("stimulus", "order", "fault_fired"):
            return max(_LEAST, around - note.t + _MARGIN)
    return _LEAST


# --- reading ----------------------------------------------------------------------------------------


def _items(
    observations: Sequence[Observation], messages: MessageSet, start: Instant, end: Instant, around: Instant
) -> list[_Item]:
    first = bisect_left(observations, start, key=_instant)
    last = bisect_right(observations, end, key=_instant)
    transfers = _Transfers(messages, around)
    digital: dict[str, float] = {}
    found: list[_Item] = []
    hidden = _hidden(observations[first:last])
    for observation in observations[first:last]:
        if isinstance(observation, FrameSeen):
            if observation.extended and observation.id >> 16 & 0xFF in (TP_CM_PF, TP_DT_PF):
                found.extend(transfers.see(observation))
            else:
                found.append(_Item(observation.t, "message", describe_frame(observation, messages)))
        elif isinstance(observation, Sample):
            found.extend(_change(observation, digital))
        elif isinstance(observation, BusErrorSeen):
            found.append(_Item(observation.t, "error", describe_error(observation)))
        elif isinstance(observation, BytesSeen):
            if observation.port in hidden:
                continue
            found.append(_Item(observation.t, "bytes", describe_bytes(observation)))
        elif isinstance(observation, LineSeen):
            found.append(_Item(observation.t, "line", describe_line(observation)))
        elif isinstance(observation, Note):
            found.append(_noted(observation))
    found.extend(transfers.left())
    found.sort(key=attrgetter("t"))
    return found


def _hidden(observations: Sequence[Observation]) -> set[str]:
    """Lines whose bytes are shown otherwise: as the plant's signals, or as what was measured."""
    measured = (each for each in observations if isinstance(each, Note) and each.kind == _MEASURED)
    return {_SIGNALS, *(f"{each.details.get('by', '')}-line" for each in measured)}


def _noted(note: Note) -> _Item:
    if note.kind == _MEASURED:
        return _Item(note.t, "message", describe_measured(note))
    return _Item(note.t, "note", describe_note(note))


def _change(sample: Sample, digital: dict[str, float]) -> Iterator[_Item]:
    """A change of a signal that is on or off, or of an AC charger's pilot; others are for the plot."""
    declared = BY_NAME.get(sample.name) or AC_BY_NAME.get(sample.name)
    if declared is None or not declared.steps or (declared.unit and sample.name not in _LEVELS):
        return
    before = digital.get(sample.name)
    digital[sample.name] = sample.value
    if before is not None and before != sample.value:
        text = f"{sample.name.replace('_', ' ')}: {before:.4g} → {sample.value:.4g} {declared.unit}".rstrip()
        yield _Item(sample.t, "signal", Content("plant", "signal", (text,)))


class _Transfers:
    """Assembles long messages. Frames of transfers that came to nothing are shown as they were, and
    so is the one at the decisive instant."""

    def __init__(self, messages: MessageSet, around: Instant) -> None:
        self._messages = messages
        self._around = around
        self._listener = Listener()
        self._open: dict[int, list[FrameSeen]] = {}

    def see(self, frame: FrameSeen) -> Iterator[_Item]:
        direction = self._direction(frame)
        requested = frame.id >> 16 & 0xFF == TP_CM_PF and frame.data[:1] == bytes((RTS,))
        ended = self._listener.see(frame.id, frame.data, frame.t)
        if requested or (ended is not None and not ended.complete):
            if not requested:
                self._open.setdefault(direction, []).append(frame)
            yield from self._show(self._open.pop(direction, []))
        if ended is not None:
            parts = self._open.pop(direction, [])
            yield from self._show([part for part in parts if part.t == self._around])
            yield _Item(ended.ended, "message", describe_transfer(ended, self._messages))
        if ended is None or requested:
            self._open.setdefault(direction, []).append(frame)

    def left(self) -> Iterator[_Item]:
        """Frames of transfers that had not ended."""
        for frames in self._open.values():
            yield from self._show(frames)

    def _show(self, frames: list[FrameSeen]) -> Iterator[_Item]:
        for frame in frames:
            yield _Item(frame.t, "transport", describe_transport(frame, self._messages))

    def _direction(self, frame: FrameSeen) -> int:
        """Destination and source of the message that a frame belongs to."""
        own = frame.id & 0xFFFF
        swapped = (own & 0xFF) << 8 | own >> 8
        if frame.id >> 16 & 0xFF == TP_DT_PF or not frame.data:
            return own
        answers = frame.data[0] in (CTS, END_OF_MESSAGE) or (frame.data[0] == ABORT and own not in self._open)
        return swapped if answers else own


def _mark(items: list[_Item], around: Instant, about: str, observations: Sequence[Observation]) -> list[_Item]:
    kinds = ("message", "bytes", "transport", "line", "signal", "error", "note")

    def rank(item: _Item) -> tuple[bool, int, bool]:
        named = item.subject[2] in about.replace(".", " ").split()
        return not named, kinds.index(item.kind), not item.content.who.startswith("charger")

    there = [item for item in items if item.t == around]
    if there:
        min(there, key=rank).decisive = True
        return items
    values = "".join(f"; {value}" for value in _output(observations, around))
    mark = _Item(around, "mark", Content("", "—", (f"decisive instant: nothing came on the bus here{values}",)))
    mark.decisive = True
    place = bisect_right(items, around, key=_instant)
    return [*items[:place], mark, *items[place:]]


def _output(observations: Sequence[Observation], around: Instant) -> Iterator[str]:
    """What the output was at an instant, where samples tell it."""
    first = bisect_left(observations, around - _MOST, key=_instant)
    last = bisect_right(observations, around, key=_instant)
    wanted = ["output_current", "output_voltage"]
    for index in range(last - 1, first - 1, -1):
        sample = observations[index]
        if isinstance(sample, Sample) and sample.name in wanted:
            wanted.remove(sample.name)
            yield f"{sample.name.replace('_', ' ')} {sample.value:.6g} {BY_NAME[sample.name].unit}"
        if not wanted:
            return


# --- folding ----------------------------------------------------------------------------------------


def _fold(items: list[_Item], known: dict[_Subject, _Key], closing: Instant) -> list[TraceLine]:
    """Equal items become one line, until something happens that a reader wants to see between them."""
    groups: list[list[_Item]] = []
    running: dict[_Key, list[_Item]] = {}
    latest: dict[_Subject, list[_Item]] = {}
    for item in items:
        happens = item.decisive or item.kind in ("note", "signal") or known.get(item.subject) != item.key
        known[item.subject] = item.key
        if happens:
            running.clear()
        group = running.get(item.key)
        if group is None:
            group = []
            groups.append(group)
            if not item.decisive:
                running[item.key] = group
        group.append(item)
        latest[item.subject] = group
    return [_line(group, closing, last=latest[group[0].subject] is group) for group in groups]


def _line(group: list[_Item], closing: Instant, *, last: bool) -> TraceLine:
    first, final = group[0], group[-1]
    parts = [*first.content.state, *_numbers(first.content, final.content)]
    text = ", ".join(parts)
    if len(group) > 1:
        interval = (final.t - first.t) // (len(group) - 1)
        rhythm = f"every {show_span(_rounded(interval))} to {final.t / SECOND:.3f} s"
        if last and first.kind == "message" and len(group) >= _GLANCE and closing - final.t > _GONE * interval:
            rhythm += ", then no more"
        text = f"{rhythm}; {text}" if text else rhythm
    return TraceLine(
        first.t, final.t, first.kind, first.content.who, first.content.name, text, len(group), first.decisive
    )


def _rounded(interval: Span) -> Span:
    step = ms(0.1) if interval < ms(100) else ms(1)
    return round(interval / step) * step


def _numbers(first: Content, final: Content) -> Iterator[str]:
    for (name, begin, unit), (_, end, _) in zip(first.numbers, final.numbers, strict=False):
        value = begin if begin == end else f"{begin} → {end}"
        yield f"{name} {value} {unit}".rstrip()


def _trim(lines: list[TraceLine], limit: int) -> list[TraceLine]:
    """The lines nearest to the decisive one, two thirds of them before it."""
    if len(lines) <= limit:
        return lines
    centre = next((index for index, line in enumerate(lines) if line.decisive), len(lines) - 1)
    room = limit - 2
    start = min(max(0, centre - room * 2 // 3), len(lines) - room)
    kept = lines[start : start + room]
    early, late = start, len(lines) - start - room
    if early:
        kept.insert(0, _omitted(lines[0].t, early, "earlier"))
    if late:
        kept.append(_omitted(lines[-1].t, late, "later"))
    return kept


def _omitted(t: Instant, count: int, which: str) -> TraceLine:
    return TraceLine(t, t, "omitted", "", "", f"… {count} {which} lines left out; the saved stream has them all")
