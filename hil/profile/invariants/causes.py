"""Why a charge ended, as far as the observations tell: orders of the vehicle, buttons, lines, supply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from hil.profile.seen import Charge, Seen
from hil.units import FAR, Instant, Span

_CC1_CHARGES = (3.2, 4.8)
"""V at detection point 1 outside of which a charger must stop (sheet 4.8)."""
_SWITCH_S = (5.2, 6.8)
"""V when switch S opens with the plug inserted: 6 V ± 0.8 V (sheet 4.8)."""
_ABNORMAL = {
    "cell_voltage_state": (1, 2),
    "soc_state": (1, 2),
    "overcurrent": (1,),
    "overtemperature": (1,),
    "insulation": (1,),
    "connector": (1,),
}
"""Sheet 3.12."""
FAULTS = ("switch_s", "cc1", "earth", "supply", "emergency", "excess")


class Cause(NamedTuple):
    """What asks for the end of a charge, and since when."""

    t: Instant
    kind: str
    """``bst``, ``alarm``, ``manual``, ``error`` or one of :data:`FAULTS`."""
    open: Span = 0
    """By so much later it may have come, where an instrument leaves that open."""


Finder = Callable[[Seen, Instant, Instant], Iterator[Cause]]


def causes(seen: Seen, charge: Charge, overvoltage: float | None) -> list[Cause]:
    """Everything that asked for the end of a charge, from its begin to the next one's, in order of time.

    ``overvoltage`` is the output above which a failed power stage must be switched off, in V.
    """
    until = min((each.begin for each in seen.charges if each.begin > charge.begin), default=FAR)
    found = [cause for find in _FINDERS for cause in find(seen, charge.begin, until)]
    if overvoltage is not None:
        found += _excess(seen, overvoltage, charge.begin, until)
    return sorted(found)


def _excess(seen: Seen, above: float, begin: Instant, until: Instant) -> Iterator[Cause]:
    """The output came above a voltage; one that an instrument cannot tell from it may never have."""
    first, last, _ = seen.signal("output_voltage").entered(above, float("inf"), begin, until)
    if first is not None and first < min(until, seen.end):
        yield Cause(first, "excess", (min(until, seen.end) if last is None else last) - first)


def _messages(seen: Seen, begin: Instant, until: Instant) -> Iterator[Cause]:
    for name, kind in (("BST", "bst"), ("CEM", "error"), ("BEM", "error")):
        told = seen.first(name, begin)
        if told is not None and told.t < until:
            yield Cause(told.t, kind)


def _alarms(seen: Seen, begin: Instant, until: Instant) -> Iterator[Cause]:
    for told in seen.all("BSM", begin, until):
        if any(getattr(told.message, item) in values for item, values in _ABNORMAL.items()):
            yield Cause(told.t, "alarm")
            return


def _lines(seen: Seen, begin: Instant, until: Instant) -> Iterator[Cause]:
    low, high = _CC1_CHARGES
    for t, volts in seen.signal("cc1_voltage").changes(begin):
        if t < until and not low <= volts <= high:
            yield Cause(t, "switch_s" if _SWITCH_S[0] <= volts <= _SWITCH_S[1] else "cc1")
            return


def _flag(name: str, value: float, kind: str) -> Finder:
    def find(seen: Seen, begin: Instant, until: Instant) -> Iterator[Cause]:
        for t, now in seen.signal(name).changes(begin):
            if t < until and now == value:
                yield Cause(t, kind)
                return

    return find


_FINDERS: tuple[Finder, ...] = (
    _messages,
    _alarms,
    _lines,
    _flag("pe_ok", 0.0, "earth"),
    _flag("ac_present", 0.0, "supply"),
    _flag("emergency_stop", 1.0, "emergency"),
    _flag("stop_button", 1.0, "manual"),
)
