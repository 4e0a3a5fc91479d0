"""A virtual CAN bus: frames take their bit time, identifiers arbitrate, errors count (ISO 11898-1).

One frame is on the line at a time, for exactly as long as its bits. What is ready at the instant at
which the line is free arbitrates, whichever call came first. A frame that nobody acknowledges is
repeated; its sender's counter rises to error-passive and no further, and the frame leaves as soon as
somebody listens again. While nothing changes, these repetitions are not simulated one by one.

Where the model is simpler than the standard:

- Nodes see each other without delay, and a node joins between two frames, never in the middle of one.
- Equal identifiers of two nodes do not collide: they go one after the other, in the order of queueing.
- A destroyed frame takes its whole length and the longest usual error frame. Receivers count 1 for it,
  a sender 8; the receivers' extra 8 for a dominant bit behind their flag is left out.
- A frame whose sender is cut off in its middle is lost for all at its regular end.
- A receiver's counter stops at the error-passive limit and leaves it at the next good frame.
- Recovery from bus-off takes 128 times 11 bits without regard to traffic, and starts by itself.
- A shorted line fails each start of frame, as one that stays recessive does, and holds up each recovery, as one that
  stays dominant does: nobody is back earlier than 128 times 11 bits after it is whole again.
- Going bus-off takes back what waits to be sent, as drivers do; what is queued later waits for recovery.
"""

from __future__ import annotations

from functools import partial
from heapq import heappush

from hil.bus.arbitration import SUSPEND, Arbitration, Sink
from hil.bus.faults import BusOff, Disconnect, LinkFault, Shorted
from hil.bus.link import Marks
from hil.bus.port import NEVER, OFF, PASSIVE, CanPort, Entry, OnFrame
from hil.bus.timing import AFTER_ACKNOWLEDGE, ERROR_ALONE, ERROR_FRAME, INTERMISSION
from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.native import mypyc_attr
from hil.units import Instant

_RECOVERY = 128 * 11

__all__ = ["CanPort", "OnFrame", "Sink", "VirtualCan"]


@mypyc_attr(allow_interpreted_subclasses=True)
class VirtualCan(Arbitration):
    """A CAN bus on a scheduler. ``sink`` is told of every frame, error and fired fault.

    ``rng`` is what :class:`hil.bus.faults.ReTime` draws from. A bit rate whose bit does not last a
    whole number of nanoseconds raises :class:`UsageError`.
    """

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
        """Remove a node with all it wanted to send; one that is not there raises :class:`UsageError`."""
        self._port(port.name)
        self.take_back(port)
        self.ports.remove(port)
        port.hears = False
        port.receivers = ()
        self.changed()

    def changed(self) -> None:
        """Who hears whom has changed: stuck senders try again, a frame without its sender is lost."""
        self._retract()
        self._rehear()
        if self._sender is not None and not self._sender.hears:
            self._cut = True
        self._go_on()

    def _port(self, name: str) -> CanPort:
        for port in self.ports:
            if port.name == name:
                return port
        raise UsageError(f"{self.name} has no node {name!r}; there are {', '.join(port.name for port in self.ports)}")

    # --- errors -------------------------------------------------------------------------------------

    def _failed(self, sender: CanPort, entry: Entry) -> None:
        """The frame on the line was destroyed, left without its sender, or nobody acknowledged it."""
        now = self._scheduler.now
        cut, self._cut = self._cut, False
        witnesses = [port for port in self.ports if port.hears and port is not sender]
        alone = not cut and not witnesses
        flags = ERROR_ALONE - AFTER_ACKNOWLEDGE if alone else ERROR_FRAME
        self._idle = now + (flags + INTERMISSION) * self.bit
        goes_on = not sender.bus_off and sender in self.ports
        if goes_on:
            heappush(sender.queue, entry)
        self._rehear()
        for port in witnesses:
            port.count_received(1)
        if goes_on:
            if self._shorted and sender.connected:
                self._raise(sender, "bit")
            elif alone or cut:
                self._miss_acknowledge(sender)
            else:
                self._raise(sender, "injected")
            sender.ready = self._idle + self._suspension(sender)
        self._retract()
        self._go_on()

    def _raise(self, port: CanPort, kind: str) -> None:
        port.count_sent(8, kind)
        if port.tec >= OFF:
            self._go_off(port)

    def _miss_acknowledge(self, port: CanPort) -> None:
        if port.tec < PASSIVE:  # an error-passive sender counts no further for a missing acknowledge
            self._raise(port, "ack")

    def _go_off(self, port: CanPort) -> None:
        port.tec = OFF
        port.bus_off = True
        self.report(port, "bus_off")
        self.take_back(port)
        self.changed()
        self._begin_recovery(port)

    def _begin_recovery(self, port: CanPort) -> None:
        """Count recessive bits from now on, where the node wants to come back and the line has any."""
        if port.stays_off or self._shorted:
            port.recovered = NEVER
            return
        port.recovered = due = self._scheduler.now + _RECOVERY * self.bit
        self._scheduler.at(due, partial(self._recover, port, due))

    def _recover(self, port: CanPort, due: Instant) -> None:
        if port not in self.ports or due != port.recovered:
            return
        port.recovered = NEVER
        port.bus_off = False
        port.tec = port.rec = 0
        self.report(port, "recovered")
        self.changed()

    # --- a node that nobody hears ---------------------------------------------------------------------

    def _enqueue_unheard(self, port: CanPort, entry: Entry) -> None:
        if port not in self.ports:
            raise UsageError(f"{port.name!r} was detached from {self.name} and cannot send")
        if port.since != NEVER and entry < port.queue[0]:
            port.since = self._next_repetition(port)  # from there on it is the better frame that is repeated
        heappush(port.queue, entry)
        self._attempt(port)

    def _attempt(self, port: CanPort) -> None:
        """Begin an attempt that will not be acknowledged; when error-passive, leave the repetitions out."""
        if port.bus_off or port.attempt != NEVER or port.since != NEVER:
            return
        start = max(self._scheduler.now, port.ready)
        if port.connected:
            start = max(start, self._idle)
        shorted = self._shorted and port.connected
        if port.tec >= PASSIVE and not shorted:
            port.since = start
            return
        taken = self.bit if shorted else port.queue[0][3] - AFTER_ACKNOWLEDGE * self.bit
        port.attempt = start + taken
        free = port.attempt + (ERROR_ALONE + INTERMISSION) * self.bit
        port.ready = free + (SUSPEND * self.bit if port.tec + 8 >= PASSIVE else 0)
        if port.connected and not shorted:
            self._idle = free
        self._scheduler.at(port.attempt, partial(self._attempted, port, port.attempt, shorted))

    def _attempted(self, port: CanPort, due: Instant, shorted: bool) -> None:
        if port.attempt != due:
            return
        port.attempt = NEVER
        if shorted:
            self._raise(port, "bit")
        else:
            self._miss_acknowledge(port)
        if port.queue and not port.receivers:
            self._attempt(port)

    def _next_repetition(self, port: CanPort) -> Instant:
        """When the next of the left-out repetitions starts."""
        period = port.queue[0][3] + (ERROR_ALONE - AFTER_ACKNOWLEDGE + INTERMISSION + SUSPEND) * self.bit
        return port.since + max(0, -(-(self._scheduler.now - port.since) // period)) * period

    def _resume(self, port: CanPort, on_the_line: bool) -> None:
        """Somebody hears a stuck node again: its next repetition will be a frame like any other."""
        port.ready = self._next_repetition(port)
        port.since = NEVER
        if on_the_line:  # the others hear the rest of the repetition that is under way and wait for it
            self._idle = max(self._idle, port.ready - SUSPEND * self.bit)

    # --- link faults ----------------------------------------------------------------------------------

    def enqueue_faulty(self, port: CanPort, frame: CanFrame) -> None:
        """Take a frame of a node, as link faults have it."""
        for altered, delay, marks in self._faults.alter(port.name, frame):
            if delay:
                self._scheduler.at(self._scheduler.now + delay, partial(self._enqueue_late, port, altered, marks))
            else:
                self.enqueue(port, altered, marks)

    def _enqueue_late(self, port: CanPort, frame: CanFrame, marks: Marks) -> None:
        if port in self.ports:
            self.enqueue(port, frame, marks)

    def inject(self, fault: LinkFault) -> None:
        """Put a fault on the bus; a name in use or a node that is not there raises :class:`UsageError`."""
        active = self._faults.add(fault, [port.name for port in self.ports])
        if isinstance(fault, BusOff):
            port = self._port(fault.sender)
            self._faults.prove(active, f"node {port.name}")
            if not port.bus_off:
                self._go_off(port)
        elif isinstance(fault, Disconnect):
            port = self._port(fault.sender)
            self._faults.prove(active, f"node {port.name}")
            port.connected = False
        elif isinstance(fault, Shorted):
            self._faults.prove(active, f"bus {self.name}")
            self._short(True)

    def stay_off(self, node: str) -> None:
        """This node's software never leaves bus-off; a node that is not there raises :class:`UsageError`."""
        port = self._port(node)
        port.stays_off = True
        port.recovered = NEVER

    def _short(self, shorted: bool) -> None:
        """Short the line or part its wires again; who is off the bus counts its recessive bits anew."""
        if shorted == self._shorted:
            return
        self._shorted = shorted
        for port in self.ports:
            if port.bus_off:
                self._begin_recovery(port)
            elif port.connected and not shorted and port.attempt - self.bit >= self._scheduler.now:
                port.ready = port.attempt - self.bit  # it has not begun yet, and will come through
                port.attempt = NEVER
        self.changed()

    def undo(self, name: str) -> None:
        """Take one fault back; an unknown name raises :class:`UsageError`."""
        fault = self._faults.remove(name)
        if isinstance(fault, Shorted):
            self._short(self._faults.shorts())
        elif isinstance(fault, Disconnect) and not self._faults.cuts_off(fault.sender):
            for port in self.ports:
                if port.name == fault.sender:
                    port.connected = True

    def undo_all(self) -> None:
        """Take every fault back."""
        for name in list(self.faulty):
            self.undo(name)

    def fired(self, name: str) -> int:
        """How often the latest fault of that name has fired, undone or not; 0 when there never was one."""
        return self._faults.fired(name)

    def _receivers_left(
        self, sender: CanPort, entry: Entry, receivers: tuple[CanPort, ...]
    ) -> tuple[CanPort, ...] | None:
        """Who gets the frame; None when it is lost for everybody."""
        faults, frame = self._faults, entry[2]
        if faults.loses(sender.name, frame):
            return None
        for active in entry[4]:
            faults.prove(active, str(frame))
        missed = faults.missed_by(sender.name, frame, (port.name for port in receivers))
        return tuple(port for port in receivers if port.name not in missed)
