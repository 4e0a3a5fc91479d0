"""How time passes behind a door: in lockstep with its guests, or by the clock on the wall.

**Lockstep.** Time stands still while a program works, and passes while it waits: the world goes on to the first of
what any guest waits for, or to the earliest of their limits. Equal programs see equal frames at equal instants.

**Wall clock.** Programs with threads of their own wait for other things too, so the bus follows the clock on the wall:
whoever calls brings the world up to the present first. That is not deterministic, and is noted in the trace.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Literal

import can

from hil.bus.can import VirtualCan
from hil.bus.observe import BusErrorSeen, FrameSeen, Note
from hil.errors import UsageError
from hil.transport.clock import Clock
from hil.transport.door.guest import Guest
from hil.units import Instant, Span, minutes, ms, s, show_span
from hil.world.base import BaseWorld
from hil.world.observation import Observation

Pace = Literal["auto", "lockstep", "wall"]
PACES: tuple[Pace, ...] = ("auto", "lockstep", "wall")
QUIET: Span = minutes(60)
"""In lockstep nobody waits longer without a limit of his own: by then nothing will come."""
POLLS = 1000
"""So many calls in a row that do not wait and find nothing come from a program that lives by another clock."""
PATIENCE: Span = s(10)
"""In lockstep a guest that runs keeps those that wait at most so long, by the wall clock."""
_LOOK: Span = ms(100)
_MOST_KEPT = 4096
"""Observations that may wait to be handed over while guests let time pass."""

log = logging.getLogger("hil.door")


class NothingMore(can.CanOperationError):
    """In lockstep a guest waits without a limit for what will never come."""


class Passing:
    """The world of a channel, its guests, and who lets time pass in it. Its own methods are called with the lock held.

    ``keep``, where a bench drives the world, makes it take what was observed; ``sink`` takes it otherwise.
    """

    def __init__(
        self,
        name: str,
        world: BaseWorld,
        line: VirtualCan,
        clock: Clock,
        sink: Callable[[Sequence[Observation]], None],
        keep: Callable[[], None] | None,
    ) -> None:
        self.name = name
        self.line = line
        self.guests: list[Guest] = []
        self.closed = False
        self._world = world
        self._clock = clock
        self._sink = sink
        self._keep = keep
        self._changed = threading.Condition()
        self._thread = threading.current_thread()
        self._wall = False
        self._fixed = keep is not None
        self._origin: Instant = 0
        """The clock's reading at instant 0 of the world."""
        self._running = False
        self._looked = 0
        """Observations of the world that have been looked at."""
        self._leaving: list[Guest] = []
        """Guests that have left, whose frames have still to go out."""
        self._polls = 0
        self._turns = 0

    # --- pace -----------------------------------------------------------------------------------------

    @property
    def pace(self) -> Literal["lockstep", "wall"]:
        """What time follows now."""
        return "wall" if self._wall else "lockstep"

    @property
    def now(self) -> Instant:
        """The world's present instant."""
        return self._world.queue.now

    def set_pace(self, pace: Pace) -> None:
        """Ask for a pace; :class:`UsageError` for one that contradicts what was asked for before."""
        if pace not in PACES:
            raise UsageError(f"pace {pace!r}: {', '.join(PACES)} are allowed")
        with self._changed:
            if pace == "wall" and not self._wall:
                if self._keep is not None:
                    raise UsageError(
                        f"channel {self.name!r} belongs to a bench, which passes time itself: no wall clock"
                    )
                if self._fixed:
                    raise UsageError(f"channel {self.name!r} is in lockstep because a guest asked for it")
                self._follow_wall("it was asked for")
            elif pace == "lockstep":
                if self._wall:
                    raise UsageError(f"channel {self.name!r} follows the wall clock already: no lockstep any more")
                self._fixed = True

    def _follow_wall(self, why: str) -> None:
        self._wall = True
        self._origin = self._clock.now() - self.now
        log.info("channel %s follows the wall clock and is not deterministic: %s", self.name, why)
        self._world.see(
            Note(self.now, "paced", "by the wall clock, not deterministic", {"bus": self.line.name, "why": why})
        )

    def _admit(self, guest: Guest) -> None:
        """Who may call now; a second thread turns lockstep into the wall clock where nobody insists on it."""
        if self.closed or not guest.open:
            raise can.CanOperationError(f"channel {self.name!r} is closed" if self.closed else "the bus is shut down")
        thread = threading.current_thread()
        if guest.user is not thread:
            if self._fixed and guest.until is not None:
                raise can.CanOperationError(
                    f"lockstep: {guest.name} waits in thread {guest.user.name!r}, so thread {thread.name!r} cannot use "
                    "it; give each thread a bus of its own, or ask for pace='wall'"
                )
            guest.user = thread
        self._admit_thread(thread)

    def _admit_thread(self, thread: threading.Thread) -> None:
        if thread is self._thread or self._wall:
            return
        if self._keep is not None:
            raise can.CanOperationError(
                f"channel {self.name!r} belongs to a bench: only its thread {self._thread.name!r} can use it, "
                f"thread {thread.name!r} cannot"
            )
        if self._fixed:
            return
        if self._thread.is_alive():
            self._follow_wall(f"thread {thread.name!r} uses it beside thread {self._thread.name!r}")
        else:
            self._thread = thread

    # --- letting time pass ----------------------------------------------------------------------------

    def _await(self, guest: Guest, ready: Callable[[], bool], timeout: Span | None) -> bool:
        """Let time pass until a guest is ready; False when its time is over."""
        if self._wall:
            return self._await_by_wall(guest, ready, timeout)
        guest.ready, guest.endless = ready, timeout is None
        guest.until = self.now + (QUIET if timeout is None else timeout)
        try:
            while not guest.turn:
                if self._all_wait():
                    self._go_on()
                    self._changed.notify_all()
                else:
                    self._wait_for_others(guest)
        finally:
            guest.turn, guest.until = False, None
        self._hand_over()
        return ready()

    def _wait_for_others(self, guest: Guest) -> None:
        """Wait for one's turn, or for the last guest that runs to wait as well."""
        patience, turns = PATIENCE, self._turns
        while not guest.turn and not self._all_wait():
            if self._turns != turns:
                patience, turns = PATIENCE, self._turns
            if patience <= 0:
                raise can.CanOperationError(self._impatience())
            patience -= _LOOK
            self._clock.wait(self._changed, _LOOK)
            if self.closed or not guest.open:
                raise can.CanOperationError("the bus was shut down by another thread")

    def _all_wait(self) -> bool:
        """Nobody's turn is on, and each thread that uses a guest waits (or has ended)."""
        waiting = {each.user for each in self.guests if each.until is not None}
        if any(each.turn for each in self.guests):
            return False
        return all(each.user in waiting or not each.user.is_alive() for each in self.guests)

    def _go_on(self) -> None:
        """Let the world go on up to the first guest's turn; guests take turns in the order of joining."""
        waiting = [each for each in self.guests if each.until is not None]
        queue = self._world.queue
        self._turns += 1
        first = min(waiting, key=lambda each: each.until or 0)
        limit = first.until or 0
        while True:
            for each in waiting:
                if each.ready():
                    each.turn = True
                    return
            due = queue.next_due()
            if due is None and all(each.endless for each in waiting):
                break
            if due is None or due > limit:
                self._run(limit)
                break
            self._run(due)
            if len(self._world.observations) > _MOST_KEPT:
                self._hand_over()
        first.turn = True

    def _silence(self) -> str:
        return "nothing is left to happen" if self._world.queue.next_due() is None else f"silent for {show_span(QUIET)}"

    def _impatience(self) -> str:
        waiting = {each.user for each in self.guests if each.until is not None}
        busy = next((each for each in self.guests if each.user not in waiting), self.guests[0])
        return (
            f"lockstep: thread {busy.user.name!r} of {busy.name} has not waited in recv for {show_span(PATIENCE)}, and "
            "time passes only while every guest waits; ask for pace='wall' where programs wait for other things"
        )

    def _await_by_wall(self, guest: Guest, ready: Callable[[], bool], timeout: Span | None) -> bool:
        end = None if timeout is None else self._clock.now() + timeout
        while True:
            self._catch_up()
            if ready():
                return True
            now = self._clock.now()
            if end is not None and now >= end:
                return False
            due = self._world.queue.next_due()
            spans = [at - now for at in (end, None if due is None else due + self._origin) if at is not None]
            self._clock.wait(self._changed, max(min(spans), 0) if spans else None)
            if self.closed or not guest.open:
                raise can.CanOperationError("the bus was shut down by another thread")

    def _catch_up(self) -> None:
        """Bring the world up to the present, where that is the clock's."""
        if self._wall and not self._running:
            present = self._clock.now() - self._origin
            if present > self.now:
                self._run(present)
                self._hand_over()

    def _run(self, until: Instant) -> None:
        self._running = True
        try:
            self._world.queue.run(until)
        finally:
            self._running = False
        self._look(self._world.observations)

    def _look(self, observations: Sequence[Observation]) -> None:
        """Show guests what concerns them of what has not been looked at."""
        present = {each.name: each for each in (*self.guests, *self._leaving)}
        late: set[Guest] = set()
        for seen in observations[self._looked :]:
            if isinstance(seen, FrameSeen):
                guest = present.get(seen.sender)
            elif isinstance(seen, BusErrorSeen):
                guest = present.get(seen.node)
            else:
                continue
            if guest is not None and seen.port == self.line.name:
                guest.look(seen)
                late.add(guest)
        for guest in late:
            guest.put_in_order()
        self._looked = len(observations)
        if self._leaving:
            self._see_off()

    def _hand_over(self) -> None:
        if self._keep is not None:
            self._keep()
            return
        observations, self._world.observations = self._world.observations, []
        self._looked = 0
        if observations:
            self._sink(observations)

    def _poll(self, guest: Guest) -> can.Message | None:
        if self._wall:
            self._catch_up()
        if guest.received:
            self._polls = 0
            return guest.received.popleft()
        self._polls += 1
        if self._polls >= POLLS and not self._wall:
            why = f"{POLLS} calls in a row did not wait and found nothing"
            if self._fixed:
                raise can.CanOperationError(f"lockstep: {why}; time passes only while a guest waits, recv(timeout > 0)")
            self._follow_wall(why)
        return None

    def _see_off(self) -> None:
        for guest in [each for each in self._leaving if each.owed <= 0]:
            self._leaving.remove(guest)
            guest.port.detach()
