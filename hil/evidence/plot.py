"""Curves as a small SVG without a script: one panel for current, one for voltage, one time axis.

Colours come from the page's style sheet by class, so that light, dark and print all read.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from itertools import pairwise
from operator import itemgetter
from typing import TypeVar

from hil.evidence.curves import Curves, Mark, Panel, Point, Spread
from hil.units import SECOND, Instant

_T = TypeVar("_T")
_Scale = Callable[[float], float]
_WIDTH, _LEFT, _RIGHT = 900, 56, 12
_TOP, _PANEL, _GAP, _BOTTOM = 46, 130, 16, 30
_ROW = 13
_RIPPLE = 0.05
"""What swings below zero by no more than this part of the scale gets no scale of its own there."""
_BUCKETS = 200
"""Two points each, the least and the greatest: at most 400 points a curve."""


def draw(curves: Curves) -> str:
    """The SVG element. Every extreme of the data is in it, however many points there were."""
    span = max(curves.end - curves.start, 1)

    def x(t: float) -> float:
        return _LEFT + (t - curves.start) / span * (_WIDTH - _LEFT - _RIGHT)

    panels = [each for each in (curves.current, curves.voltage) if each.demand or each.output or each.limits]
    height = _TOP + len(panels) * (_PANEL + _GAP) - _GAP + _BOTTOM
    label = "Current and voltage: demand, output and limits over time"
    parts = [f'<svg class="plot" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">']
    for number, panel in enumerate(panels):
        parts.extend(_panel(panel, curves, x, _TOP + number * (_PANEL + _GAP)))
    parts.extend(_time_axis(curves, x, height - _BOTTOM))
    parts.extend(_marks(curves.marks, x, height - _BOTTOM))
    parts.append("</svg>")
    return "".join(parts)


def intervals(samples: Sequence[Spread], buckets: int = _BUCKETS) -> list[tuple[Instant, Instant, float, float]]:
    """Begin, end, least and greatest value of at most ``buckets`` intervals that cover the samples.

    The extremes of a sample are those since the one before it, so they hold for the time before it.
    """
    whole = [(before[0], after[0], after[2], after[3]) for before, after in pairwise(samples)]
    if len(whole) <= buckets:
        return whole
    return [
        (part[0][0], part[-1][1], min(each[2] for each in part), max(each[3] for each in part))
        for part in _parts(whole, buckets)
    ]


def points(curve: Sequence[Point], buckets: int = _BUCKETS) -> list[Point]:
    """At most ``2 * buckets`` points with the same least and greatest value, last one kept."""
    if len(curve) <= 2 * buckets:
        return list(curve)
    kept: list[Point] = []
    for part in _parts(curve, buckets - 1):
        kept.extend(sorted({min(part, key=_value), max(part, key=_value)}))
    return [*kept, curve[-1]]


def _value(point: Point) -> float:
    return point[1]


def _parts(items: Sequence[_T], count: int) -> Iterable[Sequence[_T]]:
    size = math.ceil(len(items) / count)
    return (items[start : start + size] for start in range(0, len(items), size))


# --- drawing ----------------------------------------------------------------------------------------


def _panel(panel: Panel, curves: Curves, x: _Scale, top: float) -> Iterator[str]:
    ticks = _ticks(*_range(panel), 4)
    low, high = ticks[0], ticks[-1]

    def y(value: float) -> float:
        return top + _PANEL - (min(max(value, low), high) - low) / (high - low) * _PANEL

    for tick in ticks:
        yield f'<path class="grid" d="M{_LEFT} {y(tick):.1f}H{_WIDTH - _RIGHT}"/>'
        yield f'<text class="tick" x="{_LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
    middle = top + _PANEL / 2
    name = f"{escape(panel.name)}, {escape(panel.unit)}"
    yield f'<text class="axis" transform="translate(13 {middle:g}) rotate(-90)" text-anchor="middle">{name}</text>'
    for row, (whose, since, value) in enumerate(_changes(panel.limits)):
        begin = x(max(since, curves.start))
        kind = whose.lower()
        yield f'<path class="limit {kind}" d="M{begin:.1f} {y(value):.1f}H{_WIDTH - _RIGHT}"/>'
        right, level = _WIDTH - _RIGHT - 4 - 64 * row, y(value)
        level += 12 if level < top + 12 else -3
        yield f'<text class="tick {kind}" x="{right}" y="{level:.1f}" text-anchor="end">{whose} max</text>'
    yield from _output(panel, curves, x, y)
    yield from _demand(panel, curves, x, y)


def _changes(limits: Sequence[tuple[str, int, float]]) -> list[tuple[str, int, float]]:
    """The latest limit of each side: a plot shows what bound in the end."""
    latest: dict[str, tuple[str, int, float]] = {}
    for whose, since, value in limits:
        known = latest.get(whose)
        if known is None or known[2] != value:
            latest[whose] = (whose, since, value)
    return list(latest.values())


def _output(panel: Panel, curves: Curves, x: _Scale, y: _Scale) -> Iterator[str]:
    """The line through the samples, held where a signal at rest brought none, and its extremes."""
    seen = _within(panel.output, curves.start, curves.end)
    if not seen:
        return
    bands = intervals(seen)
    if bands:
        above = "".join(f"V{y(high):.1f}H{x(end):.1f}" for _, end, _, high in bands)
        below = "".join(f"V{y(low):.1f}H{x(begin):.1f}" for begin, _, low, _ in reversed(bands))
        yield f'<path class="band" d="M{x(bands[0][0]):.1f} {y(bands[0][2]):.1f}{above}{below}Z"/>'
    line = [(x(t), y(value)) for t, value in points([(t, value) for t, value, _, _ in seen])]
    held = [*line, (x(curves.end), line[-1][1])]
    yield f'<path class="output" d="M{_path(_thin(held))}"/>'


def _within(samples: Sequence[Spread], start: Instant, end: Instant) -> list[Spread]:
    """Samples of a span, and the last one before it, which tells the value when it begins."""
    first = bisect_left(samples, start, key=itemgetter(0))
    last = bisect_right(samples, end, key=itemgetter(0))
    seen = list(samples[first:last])
    if first:
        _, value, _, _ = samples[first - 1]
        seen.insert(0, (start, value, value, value))
    return seen


def _demand(panel: Panel, curves: Curves, x: _Scale, y: _Scale) -> Iterator[str]:
    seen = points(panel.demand)
    if not seen:
        return
    moves = [f"M{x(seen[0][0]):.1f} {y(seen[0][1]):.1f}"]
    moves.extend(f"H{x(t):.1f}V{y(value):.1f}" for t, value in seen[1:])
    moves.append(f"H{x(curves.demand_end):.1f}")
    yield f'<path class="demand" d="{"".join(moves)}"/>'


def _thin(corners: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without points in the middle of a level stretch."""
    kept: list[tuple[float, float]] = []
    for point in corners:
        if len(kept) > 1 and kept[-1][1] == kept[-2][1] == point[1]:
            kept[-1] = point
        else:
            kept.append(point)
    return kept


def _path(corners: Iterable[tuple[float, float]]) -> str:
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)


def _range(panel: Panel) -> tuple[float, float]:
    values = [value for _, value in panel.demand]
    values.extend(low for _, _, low, _ in panel.output)
    values.extend(high for _, _, _, high in panel.output)
    values.extend(value for _, _, value in panel.limits)
    finite = [value for value in values if math.isfinite(value)]
    high = max(1.0, *finite, 1.0)
    low = min(0.0, *finite, 0.0)
    return (low if low < -_RIPPLE * high else 0.0), high


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers around a range."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= rough)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 9) for index in range(first, last + 1)]


def _time_axis(curves: Curves, x: _Scale, bottom: float) -> Iterator[str]:
    start, end = curves.start / SECOND, curves.end / SECOND
    for tick in _ticks(start, max(end, start + 1e-3), 8):
        if start <= tick <= end:
            at = x(tick * SECOND)
            yield f'<path class="grid" d="M{at:.1f} {_TOP}V{bottom:.1f}"/>'
            yield f'<text class="tick" x="{at:.1f}" y="{bottom + 14:.1f}" text-anchor="middle">{tick:g}</text>'
    yield f'<text class="axis" x="{_WIDTH - _RIGHT}" y="{bottom + 26:.1f}" text-anchor="end">time, s</text>'


def _marks(marks: Sequence[Mark], x: _Scale, bottom: float) -> Iterator[str]:
    """Lines with their names above the panels, on rows that keep them apart; the decisive one has the first choice.

    One that finds no room keeps its line, with the name where a pointer rests on it.
    """
    rows: list[list[tuple[float, float]]] = [[], [], []]
    drawn: list[str] = []
    for mark in sorted(marks, key=lambda mark: (mark.kind != "decisive", mark.t)):
        at = x(mark.t)
        width = 6.2 * len(mark.label) + 8
        left = at + width > _WIDTH
        begin, end = (at - width, at) if left else (at, at + width)
        free = (row for row, taken in enumerate(rows) if all(end <= start or begin >= stop for start, stop in taken))
        row = next(free, None)
        level = _TOP - 6 - (0 if row is None else row) * _ROW
        label = escape(mark.label)
        line = f"M{at:.1f} {level - 8:.1f}V{bottom:.1f}"
        drawn.append(f'<path class="mark {mark.kind}" d="{line}"><title>{label}</title></path>')
        if row is not None:
            rows[row].append((begin, end))
            anchor = ' text-anchor="end"' if left else ""
            place = f'x="{at + (-3 if left else 3):.1f}" y="{level:.1f}"{anchor}'
            drawn.append(f'<text class="mark {mark.kind}" {place}>{label}</text>')
    yield from reversed(drawn)  # the decisive one above the others
