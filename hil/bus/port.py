"""A node's controller on a virtual CAN bus: what waits to be sent, and its error counters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hil.bus.link import Marks
from hil.codec.frame import CanFrame
from hil.units import Instant, Span

if TYPE_CHECKING:
    from hil.bus.can import VirtualCan

PASSIVE = 128
"""From this count on a controller is error-passive."""
OFF = 256
"""From this transmit count on it is bus-off."""
NEVER: Instant = -1

OnFrame = Callable[[CanFrame, Instant], None]
Entry = tuple[int, int, CanFrame, Span, Marks]
"""A frame that waits: arbitration key, count of queueing, frame, its time on the line, faults to prove."""


class CanPort:
    """One node's controller on a bus."""

    __slots__ = (
        "_bus",
        "_connected",
        "attempt",
        "bus_off",
        "hears",
        "name",
        "on_frame",
        "queue",
        "ready",
        "rec",
        "receivers",
        "recovered",
        "since",
        "stays_off",
        "tec",
    )

    def __init__(self, bus: VirtualCan, name: str, on_frame: OnFrame) -> None:
        self._bus = bus
        self.name = name
        self.on_frame = on_frame
        self.queue: list[Entry] = []
        self.tec = 0
        self.rec = 0
        self.bus_off = False
        self.hears = False
        """It takes part in what is on the line."""
        self.receivers: tuple[CanPort, ...] = ()
        """Who hears it; nobody means that its frames are not acknowledged."""
        self.ready: Instant = 0
        """Not before this may it start a frame."""
        self.attempt: Instant = NEVER
        """When the attempt that nobody hears will miss its acknowledge."""
        self.since: Instant = NEVER
        """From here on its repetitions without acknowledge are left out."""
        self.recovered: Instant = NEVER
        """When it will have counted enough recessive bits to leave bus-off."""
        self.stays_off = False
        """Its software never leaves bus-off."""
        self._connected = True

    @property
    def pending(self) -> int:
        """Frames that wait for the bus, without the one that is on it."""
        return len(self.queue) + self._bus.holds(self)

    @property
    def state(self) -> str:
        """``error_active``, ``error_passive`` or ``bus_off``."""
        if self.bus_off:
            return "bus_off"
        return "error_passive" if self.tec >= PASSIVE or self.rec >= PASSIVE else "error_active"

    @property
    def connected(self) -> bool:
        """False while this node's line is broken: it hears nothing and nobody hears it."""
        return self._connected

    @connected.setter
    def connected(self, value: bool) -> None:
        if value != self._connected:
            self._connected = value
            self._bus.changed()

    def send(self, frame: CanFrame) -> None:
        """Queue a frame; the lowest identifier of the node goes first, equal ones in order.

        A frame that CAN cannot carry, or a node that was detached, raises :class:`UsageError`.
        """
        bus = self._bus
        if bus.allows is not None and not bus.allows(frame):
            return
        if bus.faulty:
            bus.enqueue_faulty(self, frame)
        else:
            bus.enqueue(self, frame)

    def abort_pending(self) -> None:
        """Take back every frame that waits."""
        self._bus.take_back(self)

    def detach(self) -> None:
        """Take the node off the bus for good."""
        self._bus.detach(self)

    # --- error counters -----------------------------------------------------------------------------

    def count_sent(self, step: int, kind: str = "") -> None:
        """Change the transmit error counter; ``kind`` is what the bus reports beside a change of state."""
        before = self.state
        self.tec += step
        if kind:
            self._bus.report(self, kind)
        self._report_change(before)

    def count_received(self, step: int) -> None:
        """Change the receive error counter, which stops at the error-passive limit."""
        before = self.state
        self.rec = min(self.rec + step, PASSIVE)
        self._report_change(before)

    def _report_change(self, before: str) -> None:
        if self.tec < OFF and self.state != before:
            self._bus.report(self, self.state)
