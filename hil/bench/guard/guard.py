"""The guard of one world: no set-point beyond the envelope goes out, and what must not go on is ended.

It stands behind the faults of each line, at the last place before the wire, so that a set-point that a fault has raised
is held back too. It lives in the world, never in the test: whatever the test does, it watches.
"""

from __future__ import annotations

from functools import partial
from math import inf
from typing import Any

from hil.bench.guard.readers import Asked, DemandReader, MakeReader, Reader
from hil.codec.frame import CanFrame
from hil.plant.ac_signals import LIMIT, NO_LIMIT
from hil.plant.observe import Sample
from hil.protocol.gbt27930 import MessageSet
from hil.protocol.signals import INTERLOCK
from hil.safety.envelope import Envelope, Excess, SetPoint
from hil.units import FAR, Instant, Span, s
from hil.world.base import BaseWorld
from hil.world.observation import Note, Observation

KIND = "envelope"
"""Kind of the note: what was held back (``what``), with its value (``demand``), the limit (``most``), and the ``unit``;
``why`` where it is not the limit that forbids it."""
UNKNOWN = "unknown"
"""The value of one of which nobody knows what it comes to."""
_PAUSE: Span = s(5)
"""A demand that comes again and again is none any more after such a silence: longer than a reconnection takes."""
_CONTACTORS = ("contactor_closed", "k1k2_closed")
"""Signals of the plant: while one of these is on, energy may flow whoever has asked for it."""


class Guard:
    """Watches a world by an envelope; ``interlocks`` are those that a box tells, each open until it is told closed.

    Energy may flow from the first set-point above 0 (or demand of BCL, or closed contactor) until all of them are 0
    again, which is a session. One that lasts longer than the envelope allows, and an interlock that opens, end the
    world: it goes to its safe state by itself.
    """

    def __init__(self, world: BaseWorld, envelope: Envelope, interlocks: tuple[str, ...] = ()) -> None:
        self._world = world
        self._envelope = envelope
        self._closed = dict.fromkeys(interlocks, False)
        self._flows: dict[str, Instant] = {}
        """What energises, until when where it has to come again and again."""
        self._since: Instant | None = None
        world.overseer = self._see
        world.permits = self._permits

    # --- lines ----------------------------------------------------------------------------------------

    def guard_can(self, line: Any, messages: MessageSet) -> None:
        """No demand beyond the envelope goes out on a CAN bus."""
        reader = DemandReader(messages)

        def allows(frame: CanFrame) -> bool:
            demand = reader.demand(frame)
            return demand is None or self._passes(line.name, Asked([demand]), lasting=_PAUSE)

        line.allows = allows

    def guard_bytes(self, line: Any, make: MakeReader, *, devices: frozenset[str] = frozenset()) -> None:
        """No set-point beyond the envelope goes out on a serial line or a TCP link; ``devices`` are no bench's nodes.

        Where a part of what is held back has gone out already, nothing more goes out on that connection: the device
        would take it for the rest.
        """
        world = self._world
        readers: dict[int, Reader] = {}
        shut: set[int] = set()

        def allows(sender: str, channel: int, data: bytes) -> bool:
            if sender in devices:
                return True
            if channel in shut and not (world.parting and _only_off(make().read(data))):
                return False
            if channel not in readers:
                readers[channel] = make()
            asked = readers[channel].read(data)
            if self._passes(line.name, asked):
                return True
            del readers[channel]
            if asked.begun:
                shut.add(channel)
            return False

        line.allows = allows

    # --- set-points -----------------------------------------------------------------------------------

    def _passes(self, line: str, asked: Asked, lasting: Span = 0) -> bool:
        """Whether all of this may go out; what may not is told."""
        now = self._world.queue.now
        for point in asked.points:
            excess = self._envelope.excess(point)
            # The least that a charger can be told is less than what it was told before.
            told = excess is not None or not point.energises or self._world.parting
            why = "" if told else self._forbidden()
            if excess is not None or why:
                self._tell(point, excess, why)
                return False
        for point in asked.points:
            # How long energy flows is counted by what asks for it: a release may stand while nothing is asked for.
            if not point.fallback and not point.releases:
                self._flow(f"{line} {point.name}", on=point.energises, until=now + lasting if lasting else FAR)
        if asked.off:
            for name in [name for name in self._flows if name.startswith(f"{line} ")]:
                self._flow(name, on=False)
        return True

    def _forbidden(self) -> str:
        """Why nothing may energise now; empty where it may."""
        return self._world.ended or ", ".join(
            f"interlock {name} is not known to be closed" for name, closed in self._closed.items() if not closed
        )

    def _tell(self, point: SetPoint, excess: Excess | None, why: str) -> None:
        asked = ((point.voltage, "V"), (point.current, "A"), (point.power, "W"))
        least = (Excess(value, 0.0, unit) for value, unit in asked if value)
        value, most, unit = excess or next(least, Excess(float(point.releases), 0.0, ""))
        told = UNKNOWN if value == inf else value
        details = {"demand": told, "most": most, "unit": unit} | ({"why": why} if why else {})
        self._world.see(Note(self._world.queue.now, KIND, point.name, details))

    def _permits(self, name: str, value: float) -> bool:
        """The limit at the input of an AC charger is a set-point too, whatever carries it to the charger."""
        if name != LIMIT or value >= NO_LIMIT:
            return True
        power = self._envelope.power_of(value, 1)
        return self._passes("", Asked([SetPoint(name, current=value, power=power, fallback=True)]))

    # --- how long -------------------------------------------------------------------------------------

    def _flow(self, name: str, *, on: bool, until: Instant = FAR) -> None:
        now = self._world.queue.now
        self._drop_stale(now)
        if on:
            self._flows[name] = until
            if self._since is None:
                self._since = now
                self._watch(now)
        else:
            self._flows.pop(name, None)

    def _watch(self, begun: Instant) -> None:
        if self._envelope.max_duration < inf:
            self._world.queue.at(begun + s(self._envelope.max_duration), partial(self._expire, begun))

    def _expire(self, begun: Instant) -> None:
        if self._since != begun:
            return  # that session is over
        self._drop_stale(self._world.queue.now)
        if self._since is not None:
            most = self._envelope.max_duration
            self._world.end(f"energy has flowed for {most:g} s, the longest session that the rig's envelope allows")

    def _drop_stale(self, now: Instant) -> None:
        for name in [name for name, until in self._flows.items() if until < now]:
            del self._flows[name]
        if not self._flows:
            self._since = None

    # --- what is seen ---------------------------------------------------------------------------------

    def _see(self, seen: Observation) -> None:
        kind = type(seen)
        if kind is Sample:
            assert isinstance(seen, Sample), "it is one"
            if seen.name in _CONTACTORS:
                self._flow(seen.name, on=seen.value > 0)
        elif kind is Note:
            assert isinstance(seen, Note), "it is one"
            if seen.kind == INTERLOCK and seen.what in self._closed:
                self._interlock(seen)

    def _interlock(self, note: Note) -> None:
        name, why = note.what, str(note.details.get("why", ""))
        was, self._closed[name] = self._closed[name], bool(note.details["closed"])
        if not self._closed[name]:
            how = "opened" if was else "is open"
            self._world.end(f"interlock {name} {how}{f': {why}' if why else ''}")


def _only_off(asked: Asked) -> bool:
    return asked.off and not asked.points
