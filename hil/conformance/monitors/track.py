"""One kind of single frame on the wire: the fast path of all monitors, format and period.

Nearly every frame repeats the bytes of the one before at the right interval. For those
:class:`~hil.conformance.monitors.MonitorSet` compares and goes on; all else comes to :meth:`Track.see`.
"""

from __future__ import annotations

from collections.abc import Callable

from hil.codec.message import Message
from hil.conformance.monitors.format import Layout
from hil.conformance.monitors.ledger import Ledger
from hil.conformance.monitors.session import NEVER, TOGETHER, Ending, Session, Side
from hil.units import Instant, Span, show_span

_BY_VALUE = {"CRM": (0x00, 0xAA), "BRO": (0x00, 0xAA, 0xFF), "CRO": (0x00, 0xAA, 0xFF)}
"""Messages whose first byte tells states apart, with the values that are printed."""
_CLOSED: tuple[Span, Span] = (1, 0)
"""Bounds that no interval meets: the next frame is looked at."""

OnChange = Callable[[Instant, int], None]
"""Takes an instant and the payload as a number."""


def variants(name: str) -> tuple[str, ...]:
    """Names under which a session knows a message."""
    return tuple(f"{name}{value:02X}" for value in _BY_VALUE[name]) if name in _BY_VALUE else (name,)


class Track:
    """A message of one side, by its identifier. ``low`` and ``high`` bound the interval not worth a look."""

    __slots__ = (
        "_by_value", "_ending", "_ledger", "_quiet", "_session", "_side", "data", "declared", "high",
        "interval", "last", "layout", "low", "name", "on_change", "state",
    )  # fmt: skip

    def __init__(
        self,
        declared: type[Message],
        layout: Layout,
        interval: tuple[Span, Span] | None,
        session: Session,
        side: Side,
        ledger: Ledger,
    ) -> None:
        self.declared = declared
        self.layout = layout
        self.name = declared.name
        self.state = TOGETHER.get(declared.name, declared.name)
        self.data: bytes | None = None
        self.last: Instant = NEVER
        self.low, self.high = _CLOSED
        self.on_change: list[OnChange] = []
        self._by_value = _BY_VALUE.get(declared.name)
        self.interval = interval
        self._session = session
        self._side = side
        self._ledger = ledger
        self._ending: Ending | None = None
        self._quiet = True

    def see(self, t: Instant, data: bytes) -> None:
        """A frame that is not simply the last one again."""
        raw: int | None = None
        if data != self.data:
            raw = self.layout.check(data, t, self._ledger)
            if not self.layout.sound:
                self._session.doubtful.add(self.declared.name)
            if raw is None or not self._take(data, t):
                return
        if self._ending is not None and not self._comes_back(t):
            self._ending.see(t, self.name, self._side.name, self._ledger)
        elif self.low > self.high or self._session.sides[self._side.name].state != self.state:
            self._session.begin(self._side, self.name, self.state, t)
            self._judge(t)
            self.low, self.high = self.interval or _CLOSED
        else:
            self._judge(t)
        self._quiet = False
        self.last = t
        if raw is not None:
            for hook in self.on_change:
                hook(t, raw)

    def _take(self, data: bytes, t: Instant) -> bool:
        """Make these the known bytes; False for what counts as not sent."""
        if self._by_value is not None:
            if data[0] not in self._by_value:
                return False
            name = f"{self.declared.name}{data[0]:02X}"
            if name != self.name:
                self._session.lasts[self.name] = self.last
                self.name = self.state = name
                self.interrupt()
                self._ending = None
        self.data = data
        return True

    def _judge(self, t: Instant) -> None:
        if self._quiet or self.interval is None or self.last == self._session.start:
            return
        low, high = self.interval
        gap = t - self.last
        if not low <= gap <= high:
            self._ledger.span(
                f"PERIOD.{self.declared.name}", self._side.name, t, gap, low, high, f"{self.name} interval"
            )

    def _comes_back(self, t: Instant) -> bool:
        """Whether it is no tail any more, but a new beginning after a pause."""
        ending, interval = self._ending, self.interval
        if ending is not None and interval is not None and t - max(self.last, ending.since) > 2 * interval[1]:
            self._ending = None
        return self._ending is None

    # --- what a session asks of a stream ------------------------------------------------------------

    def overdue(self, t: Instant) -> Span:
        """By how much its last interval has run past the period; 0 where that is not judged."""
        if self._quiet or self._ending is not None or self.interval is None:
            return 0
        return max(0, t - self.last - self.interval[1])

    def interrupt(self) -> None:
        """The next interval is not a period."""
        self.low, self.high = _CLOSED
        self._quiet = True

    def restart(self) -> None:
        """A new attempt: what ended may come again."""
        self.interrupt()
        self._ending = None

    def end(self, name: str, ending: Ending) -> None:
        """Frames after the tail are a deviation, as long as the message says what it says now."""
        if name == self.name and self._ending is None:
            self._ending = ending
            self.interrupt()

    def __repr__(self) -> str:
        return f"Track({self.name}, last {show_span(self.last)})"
