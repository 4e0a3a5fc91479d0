"""Pure judgements of times and values against limits, with the uncertainty of what was measured.

Inside the uncertainty of a limit the verdict is *inconclusive*, never *fail* and never *pass*.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace

from hil.conformance.catalogue import Limit
from hil.conformance.verdict import Measurement, Verdict
from hil.units import Instant, Span, seconds

_GENERAL = "beyond a limit of general knowledge alone [K]"


def judge(value: float, low: float | None, high: float | None, uncertainty: float = 0.0) -> Verdict:
    """The verdict on a value: limits themselves pass, unless the measurement could not tell."""
    sides = [bound for bound in (low, high) if bound is not None]
    if uncertainty and any(abs(value - bound) <= uncertainty for bound in sides):
        return Verdict.INCONCLUSIVE
    inside = (low is None or value >= low) and (high is None or value <= high)
    return Verdict.PASS if inside else Verdict.FAIL


def ease(found: Measurement, low: float | None = None, high: float | None = None) -> Measurement:
    """What a limit of general knowledge ([K] in the sheets) comes to in a case that counts.

    Beyond it alone the verdict is *inconclusive*; *fail* stands where the value is surely outside ``low`` to ``high``
    too, which a better source gives (None: none does).
    """
    if found.verdict is not Verdict.FAIL:
        return found
    value = found.value
    bounded = isinstance(value, int | float) and not (low is None and high is None)
    if bounded and judge(float(value or 0.0), low, high, found.uncertainty or 0.0) is Verdict.FAIL:
        return found
    note = f"{found.note}; {_GENERAL}" if found.note else _GENERAL
    return replace(found, verdict=Verdict.INCONCLUSIVE, note=note)


def check_window(
    name: str, span: Span, limit: Limit, uncertainty: Span = 0, *, at: Instant | None = None, note: str = ""
) -> Measurement:
    """One span against a window, in seconds. What came before the window's origin is too early for every window."""
    low = limit.low if limit.low > 0 else None
    verdict = Verdict.FAIL if span < -uncertainty else judge(span, low, limit.high, uncertainty)
    shown = None if low is None else seconds(low)
    unsure = seconds(uncertainty) or None
    return Measurement(name, seconds(span), "s", shown, seconds(limit.high), verdict, at, note, unsure)


def check_period(name: str, times: Sequence[Instant], limit: Limit, uncertainty: Span = 0) -> list[Measurement]:
    """Shortest and longest interval of these instants, in milliseconds; fewer than two leave it open."""
    if len(times) < 2:
        return [Measurement(name, None, "ms", None, None, Verdict.NONE, None, "fewer than two: not judged")]
    gaps = [(after - before, after) for before, after in pairwise(times)]
    measured = []
    for label, (gap, at) in (("shortest", min(gaps)), ("longest", max(gaps))):
        verdict = judge(gap, limit.low, limit.high, uncertainty)
        low, high, unsure = limit.low / 1e6, limit.high / 1e6, uncertainty / 1e6 or None
        measured.append(Measurement(f"{name}, {label}", gap / 1e6, "ms", low, high, verdict, at, uncertainty=unsure))
    return measured
