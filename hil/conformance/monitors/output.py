"""The wire against the plant, where samples of its signals are among the observations."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

from hil.conformance.catalogue import limit, quantity
from hil.conformance.monitors.sequence import ErrorMonitor
from hil.conformance.monitors.timeouts import Common
from hil.conformance.monitors.track import Track
from hil.conformance.monitors.transport import Meter
from hil.plant.observe import Sample
from hil.units import Instant, Span, ms

_ZERO_AMPERE = 4000
_FAULT_STOP = 0b0001_0000
_WIRE_STEP = 0.1
_FRESH: Span = ms(20)
"""A sample this old still tells the current at which contactors opened."""
_DELAY: Span = ms(150)
"""CCS may show what was measured a few periods ago."""


class _Shown:
    """What CCS shows of a signal, against the extremes of the signal's samples around it.

    A sample tells the extremes since the one before, so a shown value can be judged once the next
    sample has come, and never against one that is out of date.
    """

    def __init__(self, unit: str, tell: Callable[[Instant, str, float, float, float], None]) -> None:
        self.value: float | None = None
        self.before: float | None = None
        """Its value before it changed at the present instant; None where only the change was seen."""
        self.t: Instant = -1
        self._arrived = 0.0
        self._unit = unit
        self._tell = tell
        self._recent: deque[tuple[Instant, float, float]] = deque(maxlen=256)
        self._since: Instant | None = None
        self._low = self._high = 0.0

    def show(self, t: Instant, value: float) -> None:
        """A CCS frame."""
        if self._since is None:
            self._since, self._low, self._high = t, value, value
        elif value < self._low:
            self._low = value
        elif value > self._high:
            self._high = value

    def drop(self) -> None:
        """What was shown so far is not judged."""
        self._since = None

    def see(self, sample: Sample) -> None:
        """The next sample of the signal."""
        recent = self._recent
        recent.append((sample.t, sample.low, sample.high))
        if self._since is not None and sample.t >= self._since:
            while len(recent) > 1 and recent[1][0] < self._since - _DELAY:
                recent.popleft()
            low, high = min(each[1] for each in recent), max(each[2] for each in recent)
            self._tell(self._since, self._unit, self._low, low, high)
            self._tell(self._since, self._unit, self._high, low, high)
            self._since = None
        self.before = self._arrived if sample.t == self.t else None
        self._arrived = self._arrived if sample.t == self.t else sample.value
        self.value = sample.value
        self.t = sample.t


class OutputMonitor:
    """Contactors, current and voltage of the plant against what the messages say."""

    def __init__(self, common: Common, errors: ErrorMonitor, streams: Mapping[str, Track | Meter]) -> None:
        ccs, cst = streams["CCS"], streams["CST"]
        assert isinstance(cst, Track), "CST fits one frame"
        self._session = common.session
        self._ledger = common.ledger
        self._errors = errors
        self._cst = cst
        self._loose = common.readings["ccs-accuracy"] == "5-percent"
        self._voltage = _Shown("V", self._compare)
        self._current = _Shown("A", self._compare)
        self._closed: float | None = None
        self._opening = quantity("opening-current").high or 0.0
        self._shutdown = limit("shutdown").high
        self._errors_allowed = (
            (quantity("voltage-error").high or 0.0) / 100,
            (quantity("current-error").high or 0.0) / 100,
            quantity("current-error-small").high or 0.0,
        )
        ccs.on_change.append(self._ccs)
        common.session.on(["CEM", "BEM"], self._error)
        self.handlers: dict[str, Callable[[Sample], None]] = {
            "output_voltage": self._voltage.see,
            "output_current": self._current.see,
            "k1k2_closed": self._k1k2,
            "k3k4_closed": self._k3k4,
            "plugged": self._plugged,
        }

    def _k3k4(self, sample: Sample) -> None:
        self._errors.supply_is_sampled()
        if not sample.value:
            self._session.powered = False

    def _plugged(self, sample: Sample) -> None:
        if not sample.value:
            self._session.powered = False

    def _k1k2(self, sample: Sample) -> None:
        self._voltage.drop()
        self._current.drop()
        opened = self._closed and not sample.value
        self._closed = sample.value
        if not opened or "CST" not in self._session.first or self._session.error:
            return
        if self._cst.data and self._cst.data[0] & _FAULT_STOP:
            return
        level = self._current
        fresh = sample.t - level.t <= _FRESH
        current = level.before if level.t == sample.t else level.value if fresh else None
        if current is not None and current > self._opening:
            expected = f"K1/K2 open at {self._opening:g} A or less"
            self._ledger.add("OUTPUT.contactors", "charger", sample.t, expected, f"{current:.1f} A before")

    def _error(self, t: Instant) -> None:
        self._session.at(t + self._shutdown, partial(self._still_closed, t))

    def _still_closed(self, since: Instant, now: Instant) -> None:
        if self._closed and "CCS" in self._session.first:
            expected = "K1/K2 open within 10 s of the error message"
            self._ledger.add("ERROR.off", "charger", since + self._shutdown, expected, "closed")

    def _ccs(self, t: Instant, raw: int) -> None:
        if self._closed and "CST" not in self._session.first:
            self._voltage.show(t, (raw & 0xFFFF) / 10)
            self._current.show(t, (_ZERO_AMPERE - (raw >> 16 & 0xFFFF)) / 10)

    def _compare(self, t: Instant, unit: str, shown: float, low: float, high: float) -> None:
        error = self._error_of(unit, max(abs(low), abs(high))) + _WIRE_STEP
        if not low - error <= shown <= high + error:
            expected = f"CCS within {error:.1f} {unit} of the output"
            seen = f"{shown:.1f} {unit}, output {low:.1f} .. {high:.1f} {unit}"
            self._ledger.add("OUTPUT.accuracy", "charger", t, expected, seen)

    def _error_of(self, unit: str, value: float) -> float:
        if self._loose:
            return max(0.05 * value, 1.0)
        voltage, current, small = self._errors_allowed
        return voltage * value if unit == "V" else max(current * value, small)
