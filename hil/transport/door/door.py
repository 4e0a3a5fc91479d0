"""A virtual bus with a door: python-can programs are nodes on it, beside those of its world."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import TracebackType

import can

from hil.bus.can import VirtualCan
from hil.bus.observe import Note
from hil.codec.frame import CanFrame
from hil.errors import UsageError, WorldError
from hil.transport.clock import Clock, WallClock
from hil.transport.door.guest import Guest
from hil.transport.door.passing import NothingMore, Pace, Passing
from hil.units import Span
from hil.world.base import BaseWorld
from hil.world.observation import Observation
from hil.world.plan import Advance, Close, Command, Reply


def drop(observations: Sequence[Observation]) -> None:
    """A sink that keeps nothing."""


class Door(Passing):
    """One virtual CAN bus that python-can programs may join; itself a world that takes commands.

    ``line`` is the bus's name in the world. ``sink`` gets what is observed. A bench that drives the world gives
    ``keep`` instead, which makes it fetch what was observed: such a door stays in lockstep, and only the bench's
    thread may use it. Where ``ends_with_guests``, its world ends with the last guest. Raises :class:`UsageError` for a
    line that is no virtual CAN bus and a pace that is none.
    """

    def __init__(
        self,
        name: str,
        world: BaseWorld,
        *,
        line: str = "can0",
        pace: Pace = "auto",
        clock: Clock | None = None,
        sink: Callable[[Sequence[Observation]], None] = drop,
        keep: Callable[[], None] | None = None,
        ends_with_guests: bool = False,
    ) -> None:
        bus = world.line(line)
        if not isinstance(bus, VirtualCan):
            raise UsageError(f"{line} is no virtual CAN bus: python-can programs cannot join it")
        super().__init__(name, world, bus, clock or WallClock(), sink, keep)
        self._ends_with_guests = ends_with_guests
        self._count = 0
        self.set_pace(pace)

    # --- guests ---------------------------------------------------------------------------------------

    def join(
        self,
        *,
        name: str = "",
        wants: Callable[[can.Message], bool],
        own: bool,
        errors: bool,
        most: int,
        pace: Pace = "auto",
    ) -> Guest:
        """A new node; without a ``name`` it gets one. :class:`UsageError` for a name or a pace that cannot be."""
        with self._changed:
            if self.closed:
                raise UsageError(f"channel {self.name!r} is closed")
            self.set_pace(pace)
            if not self.guests and self._keep is None:
                self._thread = threading.current_thread()
            self._admit_thread(threading.current_thread())
            self._catch_up()
            self._count += 1
            name = name or ("guest" if self._count == 1 else f"guest-{self._count}")
            note = self._world.see
            guest = Guest(self.line, name, wants=wants, note=note, own=own, errors=errors, most=most)
            self.guests.append(guest)
            self._world.see(Note(self.now, "guest", f"{name} joined {self.line.name}", {"pace": self.pace}))
            self._changed.notify_all()
            return guest

    def leave(self, guest: Guest) -> None:
        """Take a guest off the bus, when what it has sent has gone out; a second time does nothing."""
        with self._changed:
            if not guest.open:
                return
            guest.open = False
            self.guests.remove(guest)
            if not self.closed:
                self._catch_up()
                self._world.see(Note(self.now, "guest", f"{guest.name} left {self.line.name}"))
                self._leaving.append(guest)
                self._see_off()
            self._changed.notify_all()
            self.end_unused()

    def end_unused(self) -> None:
        """End a world that is there for its guests only and has none."""
        with self._changed:
            if self._ends_with_guests and not self.guests:
                self.close()

    # --- what guests do -------------------------------------------------------------------------------

    def receive(self, guest: Guest, timeout: Span | None) -> can.Message | None:
        """The next message for a guest, None when there is none within the time-out.

        Without a time-out :class:`NothingMore` tells, in lockstep, that nothing will come any more.
        """
        with self._changed:
            self._admit(guest)
            if self._running:
                raise can.CanOperationError("the world is being run: a callback in it cannot wait for a message")
            if timeout is not None and timeout <= 0:
                return self._poll(guest)
            self._polls = 0
            if not self._await(guest, guest.has_message, timeout) and timeout is None:
                raise NothingMore(f"lockstep: nothing more comes on channel {self.name!r} ({self._silence()})")
            return guest.received.popleft() if guest.received else None

    def send(self, guest: Guest, frame: CanFrame, timeout: Span | None) -> None:
        """Hand over a frame. While the controller is full this waits for room, at most for the time-out.

        :class:`can.CanOperationError` when there is none in time, or, in lockstep, will never be.
        """
        with self._changed:
            self._admit(guest)
            if not self._running:
                self._catch_up()
                if not guest.has_room() and not self._await(guest, guest.has_room, timeout):
                    raise can.CanOperationError(f"no room for another frame: {guest.port.pending} wait for the bus")
            guest.send(frame)
            self._changed.notify_all()

    def discard(self, guest: Guest) -> None:
        """Take back what a guest has handed over and has not begun on the bus."""
        with self._changed:
            self._admit(guest)
            self._catch_up()
            guest.discard()

    def schedule(self, call: Callable[[], None], span: Span = 0) -> None:
        """Have something called in the world, a span from now on."""
        with self._changed:
            self._catch_up()
            self._world.queue.at(self.now + span, call)
            self._changed.notify_all()

    # --- a world that takes commands --------------------------------------------------------------------

    def execute(self, command: Command) -> Reply:
        """Carry out a command of the world, see :mod:`hil.world.plan`.

        Raises :class:`UsageError` for an advance while the wall clock passes time, :class:`WorldError` after the end.
        """
        with self._changed:
            if self._running:
                raise WorldError("the world is being run: a callback in it cannot command it")
            if self._wall and isinstance(command, Advance):
                raise UsageError(f"channel {self.name!r} follows the wall clock: time passes by itself")
            self._catch_up()
            self._running = True
            try:
                reply = self._world.execute(command)
            finally:
                self._running = False
            self._look(reply.observations)
            self._looked = 0
            self.closed = self.closed or isinstance(command, Close)
            self._changed.notify_all()
            return reply

    def sense(self, name: str) -> float:
        """A declared sensor of the world's plant, now; :class:`UsageError` for one that is none."""
        with self._changed:
            self._catch_up()
            return self._world.sense(name, self.now)

    def close(self) -> None:
        """The end of the world behind the door, in its safe state; a second call does nothing.

        Guests that are still there get :class:`can.CanOperationError` from then on.
        """
        with self._changed:
            if not self.closed:
                self._sink(self.execute(Close()).observations)

    def __enter__(self) -> Door:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
