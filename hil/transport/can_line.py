"""A CAN bus of the machine, through any python-can interface, as a line of a live world.

Frames that nodes of this world send are handed to the driver at once; their time is that of the driver's echo
where it gives one (``receive_own_messages``), else when the driver took them. What the driver cannot take yet
waits here and is tried again; reading goes on meanwhile.
"""

from __future__ import annotations

import contextlib
import random
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import can

from hil.bus.faults import BusOff, Disconnect, ErrorFrame, LinkFault, Shorted
from hil.bus.link import LinkFaults
from hil.bus.observe import BusErrorSeen, FrameSeen, Note, Scalar, Sent
from hil.bus.socketcan import error_of
from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.transport.correlation import Correlation
from hil.transport.own_frames import OwnFrames
from hil.transport.queue import LiveQueue
from hil.transport.reading import DescriptorReader, Failures, Reader, ThreadReader, descriptor_of
from hil.transport.slcan_bus import SlcanBus
from hil.units import Instant, Span, ms

OnFrame = Callable[[CanFrame, Instant], None]
Sink = Callable[[Any], None]

_WAITING = 64
"""Frames that may wait for a driver that takes no more."""
_RETRY: Span = ms(1)
_GARBAGE_TOLD = 100
"""So many readings that were no frames are told one by one; then only their number."""
_AT_ONCE = 64
"""Frames read in one go, so that a flood on one port does not keep the others waiting."""
_FULL = 105
"""ENOBUFS: the kernel's queue for sending is full; nothing is wrong with the port."""
USER_CLOCK: Span = ms(2)
"""How sure a stamp is that a program makes when it gets to read."""
SLOW = "slow port"
"""Kind of a note: an adapter took longer to answer (``round_trip_s``) than the port's clock is declared unsure by."""
CLOCK_STEP = "clock_step"
"""Kind of a note: the clock by which the driver stamps was set, or began anew (``by_s``)."""
_SLOW_AGAIN: Span = ms(50)
"""So often at most it is told where it holds for what is sent about that time alone."""


class LiveCanPort:
    """One node of this world on the bus."""

    __slots__ = ("_line", "connected", "name", "on_frame")

    def __init__(self, line: LiveCan, name: str, on_frame: OnFrame) -> None:
        self._line = line
        self.name = name
        self.on_frame = on_frame
        self.connected = True

    def send(self, frame: CanFrame) -> None:
        """Hand a frame to the driver."""
        self._line.send(self, frame)


class LiveCan:
    """A python-can bus on a live queue. ``sink`` is told of every frame, error and note.

    ``echoes`` tells that the driver shows our own frames when they have gone out. ``clock`` and ``uncertainty``
    are those of the driver's stamps. ``rng`` draws what a fault spreads.
    """

    kind: Final = "can"

    def __init__(
        self,
        queue: LiveQueue,
        bus: can.BusABC,
        *,
        name: str,
        sink: Sink,
        echoes: bool = False,
        clock: str = "user",
        uncertainty: Span = USER_CLOCK,
        rng: random.Random | None = None,
    ) -> None:
        self.name = name
        self.clock = clock
        self.uncertainty = uncertainty
        self.lost = ""
        """Why the port can be used no more; empty while it can."""
        self.ports: list[LiveCanPort] = []
        self.allows: Callable[[CanFrame], bool] = lambda frame: True
        """Asked of each frame as it is to go out, whatever faults have made of it."""
        self._queue = queue
        self._bus = bus
        self._sink = sink
        self._own = OwnFrames(queue, name, sink, self._tell) if echoes else None
        slcan = bus if isinstance(bus, SlcanBus) else None
        self._stamps = Correlation(queue.real, resolution=0 if slcan is None else slcan.resolution)
        self._steps_told = 0
        self._faults = LinkFaults(name, queue, sink, rng)
        self._waiting: deque[tuple[LiveCanPort, CanFrame, Instant]] = deque()
        self._garbage = 0
        self._failures = Failures()
        self._closed = False
        self._tell_clock()
        self._answers = None if slcan is None else slcan.take_slowest
        self._slowest: Span = uncertainty
        self._slow_told: Instant = 0
        # Interfaces that read bytes may hold several frames behind one readiness.
        self._single = type(bus).__name__ in ("SocketcanBus", "UdpMulticastBus")
        number = descriptor_of(bus)
        self._reader: Reader = (
            ThreadReader(queue, name, bus.recv, self._brought)
            if number is None
            else DescriptorReader(queue, number, self._read)
        )

    def _tell_clock(self) -> None:
        bracket, uncertainty = self._stamps.bracket / 1e9, self.uncertainty / 1e9
        details: dict[str, Scalar] = {
            "kind": self.clock,
            "uncertainty_s": uncertainty,
            "compared_within_s": bracket,
        }
        self._sink(Note(self._queue.now, "clock", self.name, details))

    # --- nodes --------------------------------------------------------------------------------------

    def attach(self, name: str, on_frame: OnFrame) -> LiveCanPort:
        """A new node; ``on_frame`` is called with every frame that is not its own."""
        if any(port.name == name for port in self.ports):
            raise UsageError(f"{self.name} has a node {name!r} already")
        port = LiveCanPort(self, name, on_frame)
        self.ports.append(port)
        return port

    def close(self) -> None:
        """Give the port back; what waits is lost."""
        self._closed = True
        self._reader.stop()
        self._waiting.clear()
        with contextlib.suppress(Exception):  # some talk to their adapter, which may have been unplugged
            self._bus.shutdown()

    # --- sending ------------------------------------------------------------------------------------

    def send(self, port: LiveCanPort, frame: CanFrame) -> None:
        """Send a frame as the faults on the line have it."""
        now = self._queue.now
        if not self._faults.active:
            self._hand_over(port, frame, now)
            return
        if not port.connected:
            return
        if self._faults.loses(port.name, frame):
            return
        for altered, delay, marks in self._faults.alter(port.name, frame):
            for mark in marks:
                self._faults.prove(mark, str(altered))
            if delay:
                self._queue.at(now + delay, partial(self._hand_over, port, altered, now + delay))
            else:
                self._hand_over(port, altered, now)

    def _hand_over(self, port: LiveCanPort, frame: CanFrame, due: Instant) -> None:
        if self.lost or not self.allows(frame):
            return
        if self._waiting:
            self._wait(port, frame, due)
        elif not self._try(port, frame, due):
            self._wait(port, frame, due)
            self._queue.at(self._queue.now + _RETRY, self._retry)

    def _wait(self, port: LiveCanPort, frame: CanFrame, due: Instant) -> None:
        if len(self._waiting) >= _WAITING:
            self._error(port.name, "overflow")
            return
        self._waiting.append((port, frame, due))

    def _retry(self) -> None:
        while self._waiting and not self.lost:
            if not self._try(*self._waiting[0]):
                self._queue.at(max(self._queue.now, self._queue.real()) + _RETRY, self._retry)
                return
            self._waiting.popleft()

    def _try(self, port: LiveCanPort, frame: CanFrame, due: Instant) -> bool:
        """Whether the driver has taken a frame (or never will)."""
        message = can.Message(arbitration_id=frame.id, data=frame.data, is_extended_id=frame.extended, check=False)
        try:
            self._bus.send(message)
        except (can.CanError, OSError) as error:
            if _busy(error):
                return False
            self._lose(error)
            return True
        gone = self._queue.real()
        self._sink(Sent(due, self.name, frame.id, max(0, gone - due)))
        if self._own is not None:
            self._own.gave(frame, port, gone)
        else:
            self._tell(gone, port, frame)
        return True

    def _tell(self, stamp: Instant, port: LiveCanPort, frame: CanFrame) -> None:
        """A frame of ours is on the wire."""
        self._sink(FrameSeen(stamp, self.name, frame.id, frame.data, port.name, frame.extended))
        for other in self.ports:
            if other is not port and other.connected:
                other.on_frame(frame, self._queue.now)

    # --- receiving ----------------------------------------------------------------------------------

    def _read(self) -> None:
        self._read_some()
        slowest = 0 if self._answers is None else self._answers()
        now = self._queue.now
        # What an adapter stamps it stamps rightly then, so that only what was sent about that time is unsure.
        again = self.clock == "hardware" and slowest > self.uncertainty and now - self._slow_told >= _SLOW_AGAIN
        if slowest > self._slowest or again:
            self._slowest, self._slow_told = max(self._slowest, slowest), now
            self._sink(Note(self._queue.now, SLOW, self.name, {"round_trip_s": slowest / 1e9, "clock": self.clock}))

    def _read_some(self) -> None:
        for _ in range(_AT_ONCE):
            if self._closed or self.lost:
                return
            try:
                message = self._bus.recv(0)
            except Exception as error:  # interfaces also raise what their parsing comes to on garbage
                self._brought(self._failures.judged(error))
                continue
            self._failures.over()
            if message is None:
                return
            self._took(message)
            if self._single:
                return
            if self._queue.pressed:
                break
        self._queue.read_on(self._read)

    def _brought(self, brought: can.Message | Exception) -> None:
        if isinstance(brought, can.Message):
            self._took(brought)
        elif isinstance(brought, can.CanError | OSError) and "unpack" not in str(brought):
            self._lose(brought)
        else:
            self._note_garbage(f"{type(brought).__name__}: {brought}")

    def _took(self, message: can.Message) -> None:
        """Something was read from the bus: it happens at its stamp."""
        stamp = self._stamps.instant(message.timestamp)
        if len(self._stamps.steps) > self._steps_told:
            self._tell_step()
        self._queue.at_stamp(stamp, partial(self._arrive, message, stamp))

    def _tell_step(self) -> None:
        when, moved = self._stamps.steps[-1]
        self._steps_told = len(self._stamps.steps)
        self._sink(Note(max(when, self._queue.now), CLOCK_STEP, self.name, {"by_s": moved / 1e9}))

    def _arrive(self, message: can.Message, stamp: Instant) -> None:
        if message.is_error_frame:
            self._arrive_error(message)
            return
        if message.is_remote_frame or message.is_fd:
            self._note_garbage(f"{'remote' if message.is_remote_frame else 'FD'} frame {message.arbitration_id:X}")
            return
        frame = CanFrame(message.arbitration_id, bytes(message.data), message.is_extended_id)
        if self._own is not None:
            port = self._own.whose(frame)
            if port is not None:
                self._tell(stamp, port, frame)
                return
            if self._own.came_late(frame):
                return
        self._sink(FrameSeen(stamp, self.name, frame.id, frame.data, "", frame.extended))
        now = self._queue.now
        for each in self.ports:
            if each.connected and not self._misses(each, frame):
                each.on_frame(frame, now)

    def _misses(self, port: LiveCanPort, frame: CanFrame) -> bool:
        return bool(self._faults.active) and bool(self._faults.missed_by("", frame, (port.name,)))

    def _arrive_error(self, message: can.Message) -> None:
        found = error_of(message.arbitration_id, bytes(message.data))
        if found is not None:
            self._error(self.ports[0].name if self.ports else "", *found)

    # --- what goes wrong ----------------------------------------------------------------------------

    def _note_garbage(self, what: str) -> None:
        self._garbage += 1
        if self._garbage <= _GARBAGE_TOLD or not self._garbage & (self._garbage - 1):
            self._sink(Note(self._queue.now, "garbage", self.name, {"what": what, "count": self._garbage}))

    def _lose(self, error: Exception) -> None:
        if not self.lost:
            self.lost = f"{type(error).__name__}: {error}"
            self._reader.stop()
            self._sink(Note(self._queue.now, "port_lost", self.name, {"why": self.lost}))

    def _error(self, node: str, kind: str, tec: int = 0, rec: int = 0) -> None:
        self._sink(BusErrorSeen(self._queue.now, self.name, node, kind, tec, rec))

    # --- faults -------------------------------------------------------------------------------------

    def inject(self, fault: LinkFault) -> None:
        """Put a fault on what nodes of this world send and hear.

        Raises :class:`UsageError` for what takes hardware between the driver and the wire.
        """
        if isinstance(fault, ErrorFrame | BusOff | Shorted):
            raise UsageError(f"{self.name} is a real bus: {type(fault).__name__} {fault.name!r} takes hardware for it")
        active = self._faults.add(fault, [port.name for port in self.ports])
        if isinstance(fault, Disconnect):
            self._faults.prove(active, f"node {fault.sender}")
            self._connect(fault.sender, connected=False)

    def undo(self, name: str) -> None:
        """Take one fault back; an unknown name raises :class:`UsageError`."""
        fault = self._faults.remove(name)
        if isinstance(fault, Disconnect) and not self._faults.cuts_off(fault.sender):
            self._connect(fault.sender, connected=True)

    def undo_all(self) -> None:
        """Take every fault back."""
        for name in list(self._faults.active):
            self.undo(name)

    def _connect(self, name: str, *, connected: bool) -> None:
        for port in self.ports:
            if port.name == name:
                port.connected = connected


def _busy(error: Exception) -> bool:
    """Whether a driver only has no room at present."""
    code = getattr(error, "error_code", None) or getattr(error, "errno", None)
    return code == _FULL or "buffer" in str(error).lower() or "full" in str(error).lower()
