"""A virtual CAN bus: frames take their bit time, identifiers arbitrate, errors count.

One frame is on the line at a time, for exactly as long as its bits. What is sent at the same instant
arbitrates, whichever call came first. A frame that nobody acknowledges is repeated; its sender's
counter rises to error-passive and no further (ISO 11898-1's exception), and the frame leaves as soon
as somebody listens again. While nothing changes, these repetitions are not simulated one by one.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush

from hil.bus.faults import (
    Active,
    BusOff,
    Corrupt,
    Delay,
    Disconnect,
    Drop,
    DropAt,
    Duplicate,
    ErrorFrame,
    LinkFault,
    ReTime,
    Truncate,
)
from hil.bus.observe import BusErrorSeen, Note, FrameSeen
from hil.bus.scheduler import Scheduler
from hil.bus.timing import ERROR_FRAME, INTERMISSION, frame_bits
from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.units import SECOND, Instant

_QUEUE = 64
"""Frames a node may hold; more are lost and reported."""
_PASSIVE = 128
_OFF = 256
_SUSPEND = 8
"""Bits an error-passive sender waits after its own frame."""
_RECOVERY_BITS = 128 * 11

OnFrame = Callable[[CanFrame, Instant], None]
Sink = Callable[[FrameSeen | BusErrorSeen | Note], None]


class CanPort:
    """One node's controller on a bus."""

    __slots__ = ("_bus", "_connected", "bus_off", "name", "on_frame", "queue", "ready", "rec", "stuck", "tec")

    def __init__(self, bus: VirtualCan, name: str, on_frame: OnFrame) -> None:
        self._bus = bus
        self.name = name
        self.on_frame = on_frame
        self.queue: list[tuple[int, int, CanFrame]] = []
        self.tec = 0
        self.rec = 0
        self.bus_off = False
        self.stuck = False
        """Its repetitions without acknowledge are being left out."""
        self.ready: Instant = 0
        """Not before this may it start a frame."""
        self._connected = True

    @property
    def pending(self) -> int:
        """Frames that wait for the bus."""
        return len(self.queue)

    @property
    def state(self) -> str:
        """``error_active``, ``error_passive`` or ``bus_off``."""
        if self.bus_off:
            return "bus_off"
        return "error_passive" if self.tec >= _PASSIVE or self.rec >= _PASSIVE else "error_active"

    @property
    def connected(self) -> bool:
        """False while this node's line is broken: it hears nothing and nobody hears it."""
        return self._connected

    @connected.setter
    def connected(self, value: bool) -> None:
        self._connected = value
        self._bus.changed()

    def send(self, frame: CanFrame) -> None:
        """Queue a frame; the lowest identifier of the node goes first, equal ones in order."""
        self._bus.queue_frame(self, frame)

    def abort_pending(self) -> None:
        """Take back every frame that waits."""
        self.queue.clear()

    def detach(self) -> None:
        """Take the node off the bus for good."""
        self._bus.detach(self)


class VirtualCan:
    """A CAN bus on a scheduler. ``sink`` is told of every frame, error and fired fault."""

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        bitrate: int = 250_000,
        name: str = "can0",
        sink: Sink,
        rng: random.Random | None = None,
    ) -> None:
        if bitrate <= 0 or SECOND % bitrate:
            raise UsageError(f"bit rate {bitrate}: a bit must last a whole number of nanoseconds")
        self.name = name
        self.bit = SECOND // bitrate
        self.ports: list[CanPort] = []
        self._scheduler = scheduler
        self._sink = sink
        self._rng = rng
        self._count = 0
        self._idle: Instant = 0
        self._due: Instant | None = None
        self._busy = False
        self._sender: CanPort | None = None
        self._frame: CanFrame | None = None
        self._faults: dict[str, Active] = {}

    # --- nodes --------------------------------------------------------------------------------------

    def attach(self, name: str, on_frame: OnFrame) -> CanPort:
        """A new node; ``on_frame`` is called at the end of every frame of another node."""
        if any(port.name == name for port in self.ports):
            raise UsageError(f"{self.name} has a node {name!r} already")
        port = CanPort(self, name, on_frame)
        self.ports.append(port)
        self.changed()
        return port

    def detach(self, port: CanPort) -> None:
        """Remove a node with all it wanted to send."""
        port.queue.clear()
        self.ports.remove(port)

    def changed(self) -> None:
        """Who hears whom has changed: stuck senders try again."""
        for port in self.ports:
            port.stuck = False
        if any(port.queue for port in self.ports):
            self._arbitrate_at(self._scheduler.now)

    # --- sending ------------------------------------------------------------------------------------

    def queue_frame(self, port: CanPort, frame: CanFrame) -> None:
        """Take a frame of a node, as link faults have it."""
        if self._faults:
            self._send_faulty(port, frame)
        else:
            self._enqueue(port, frame)

    def _enqueue(self, port: CanPort, frame: CanFrame) -> None:
        queue = port.queue
        if len(queue) >= _QUEUE:
            self._report(port, "overflow")
            return
        identifier = frame.id
        if frame.extended:
            key = (identifier >> 18) << 19 | 1 << 18 | identifier & 0x3FFFF
        else:
            key = identifier << 19
        self._count += 1
        heappush(queue, (key, self._count, frame))
        if not self._busy and self._due is None:
            self._arbitrate_at(self._scheduler.now)

    def _arbitrate_at(self, instant: Instant) -> None:
        if self._busy:
            return
        due = max(instant, self._idle)
        if self._due is None or due < self._due:
            self._due = due
            self._scheduler.at(due, self._arbitrate)

    def _arbitrate(self) -> None:
        now = self._scheduler.now
        if self._busy or self._due is None or now < self._due:
            return
        self._due = None
        best: CanPort | None = None
        best_key = (0, 0)
        later: Instant | None = None
        for port in self.ports:
            queue = port.queue
            if not queue or port.bus_off or port.stuck:
                continue
            if port.ready > now:
                later = port.ready if later is None else min(later, port.ready)
                continue
            if not self._heard(port):
                self._unacknowledged(port)
                continue
            key = queue[0][:2]
            if best is None or key < best_key:
                best, best_key = port, key
        if best is not None:
            self._start(best, now)
        elif later is not None:
            self._arbitrate_at(later)

    def _heard(self, sender: CanPort) -> bool:
        if not sender._connected:
            return False
        return any(port is not sender and port._connected and not port.bus_off for port in self.ports)

    def _start(self, port: CanPort, now: Instant) -> None:
        frame = heappop(port.queue)[2]
        self._sender, self._frame, self._busy = port, frame, True
        end = now + frame_bits(frame.id, frame.data, frame.extended) * self.bit
        self._idle = end + INTERMISSION * self.bit
        self._scheduler.at(end, self._end)

    def _end(self) -> None:
        now = self._scheduler.now
        sender, frame = self._sender, self._frame
        assert sender is not None and frame is not None, "a frame ends that has begun"
        self._busy = False
        if self._faults and self._destroyed(sender, frame, now):
            return
        if sender.tec:
            sender.tec -= 1
            if sender.state == "error_passive":
                sender.ready = self._idle + _SUSPEND * self.bit
        missed = self._missed(sender, frame) if self._faults else None
        if missed is None or missed != "*":
            self._sink(FrameSeen(now, self.name, frame.id, frame.data, sender.name, frame.extended))
            for port in self.ports:
                if port is not sender and port._connected and not port.bus_off:
                    if port.rec:
                        port.rec -= 1
                    if port.name != missed:
                        port.on_frame(frame, now)
        for port in self.ports:
            if port.queue:
                self._arbitrate_at(now)
                return

    # --- errors -------------------------------------------------------------------------------------

    def _unacknowledged(self, port: CanPort) -> None:
        """One attempt that nobody acknowledges; in error-passive the rest are left out until a change."""
        if port.tec >= _PASSIVE:
            port.stuck = True
            return
        frame = port.queue[0][2]
        port.tec += 8
        bits = frame_bits(frame.id, frame.data, frame.extended) + ERROR_FRAME + INTERMISSION
        port.ready = self._scheduler.now + bits * self.bit
        self._report(port, "ack")
        if port.tec >= _PASSIVE:
            self._report(port, "error_passive")
        self._arbitrate_at(port.ready)

    def _destroyed(self, sender: CanPort, frame: CanFrame, now: Instant) -> bool:
        for active in self._matching(ErrorFrame, sender, frame):
            self._fired(active, frame)
            heappush(sender.queue, (self._key(frame), 0, frame))
            self._idle = now + (ERROR_FRAME + INTERMISSION) * self.bit
            for port in self.ports:
                if port is not sender and port._connected and not port.bus_off:
                    port.rec = min(port.rec + 1, 255)
            self._raise(sender, 8, "injected")
            self._arbitrate_at(self._idle)
            return True
        return False

    def _raise(self, port: CanPort, step: int, kind: str) -> None:
        before = port.state
        port.tec += step
        self._report(port, kind)
        if port.tec >= _OFF:
            self._go_off(port)
        elif port.state != before:
            self._report(port, port.state)

    def _go_off(self, port: CanPort) -> None:
        port.bus_off = True
        port.queue.clear()
        self._report(port, "bus_off")
        self._scheduler.at(self._scheduler.now + _RECOVERY_BITS * self.bit, partial(self._recover, port))

    def _recover(self, port: CanPort) -> None:
        port.bus_off = False
        port.tec = port.rec = 0
        self._report(port, "recovered")
        self.changed()

    def _report(self, port: CanPort, kind: str) -> None:
        self._sink(BusErrorSeen(self._scheduler.now, self.name, port.name, kind, port.tec, port.rec))

    @staticmethod
    def _key(frame: CanFrame) -> int:
        if frame.extended:
            return (frame.id >> 18) << 19 | 1 << 18 | frame.id & 0x3FFFF
        return frame.id << 19

    # --- link faults ----------------------------------------------------------------------------------

    def inject(self, fault: LinkFault) -> None:
        """Put a fault on the bus; a name in use or a node that is not there raises :class:`UsageError`."""
        if fault.name in self._faults:
            raise UsageError(f"{self.name} has a link fault {fault.name!r} already")
        active = Active(fault)
        if isinstance(fault, BusOff | Disconnect):
            port = self._port(fault.sender)
            active.fired = 1
            self._note(active, f"node {port.name}")
            if isinstance(fault, BusOff):
                port.tec = _OFF
                self._go_off(port)
            else:
                port.connected = False
        self._faults[fault.name] = active

    def undo(self, name: str) -> None:
        """Take one fault back; an unknown name raises :class:`UsageError`."""
        active = self._faults.pop(name, None)
        if active is None:
            raise UsageError(f"{self.name} has no link fault {name!r}; there are {', '.join(self._faults) or 'none'}")
        if isinstance(active.fault, Disconnect):
            self._port(active.fault.sender).connected = True

    def undo_all(self) -> None:
        """Take every fault back."""
        for name in list(self._faults):
            self.undo(name)

    def fired(self, name: str) -> int:
        """How often a fault has fired."""
        active = self._faults.get(name)
        return 0 if active is None else active.fired

    def _port(self, name: str) -> CanPort:
        for port in self.ports:
            if port.name == name:
                return port
        raise UsageError(f"{self.name} has no node {name!r}; there are {', '.join(port.name for port in self.ports)}")

    def _matching(self, kind: type[LinkFault], sender: CanPort, frame: CanFrame) -> list[Active]:
        return [
            active
            for active in self._faults.values()
            if isinstance(active.fault, kind) and active.takes(sender.name, frame)
        ]

    def _missed(self, sender: CanPort, frame: CanFrame) -> str | None:
        for active in self._matching(Drop, sender, frame):
            self._fired(active, frame)
            return "*"
        for active in self._matching(DropAt, sender, frame):
            self._fired(active, frame)
            return active.fault.receiver if isinstance(active.fault, DropAt) else None
        return None

    def _send_faulty(self, port: CanPort, frame: CanFrame) -> None:
        copies, delay = 1, 0
        for active in list(self._faults.values()):
            fault = active.fault
            if isinstance(fault, Delay | Duplicate | Corrupt | Truncate | ReTime) and active.takes(port.name, frame):
                self._fired(active, frame)
                if isinstance(fault, Delay):
                    delay += fault.span
                elif isinstance(fault, ReTime):
                    delay += self._draw(fault.spread)
                elif isinstance(fault, Duplicate):
                    copies += fault.copies
                elif isinstance(fault, Truncate):
                    frame = CanFrame(frame.id, frame.data[: fault.length], frame.extended)
                else:
                    mask = bytes.fromhex(fault.invert).ljust(len(frame.data), b"\0")
                    data = bytes(byte ^ bits for byte, bits in zip(frame.data, mask, strict=False))
                    frame = CanFrame(frame.id, data, frame.extended)
        for _ in range(copies):
            if delay:
                self._scheduler.at(self._scheduler.now + delay, partial(self._enqueue, port, frame))
            else:
                self._enqueue(port, frame)

    def _draw(self, spread: int) -> int:
        if self._rng is None:
            raise UsageError(f"{self.name} was made without a generator, which ReTime needs")
        return self._rng.randrange(spread + 1)

    def _fired(self, active: Active, frame: CanFrame) -> None:
        self._note(active, str(frame))

    def _note(self, active: Active, what: str) -> None:
        kind = type(active.fault).__name__
        self._sink(Note(self._scheduler.now, "fault_fired", active.fault.name, {"fault": kind, "on": what}))
