"""The link faults that are on a bus: what they do to frames, and the proof that they fired.

A fault counts as fired when the wire has shown it: an altered frame at its end on the bus, a lost or
destroyed one at the same instant, a broken node or a shorted line at once. What overflowed or was taken
back never fired.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator

from hil.bus.faults import (
    Active,
    Corrupt,
    Delay,
    Disconnect,
    Drop,
    DropAt,
    Duplicate,
    ErrorFrame,
    LinkFault,
    ReTime,
    Shorted,
    Truncate,
)
from hil.bus.observe import Note, Scalar
from hil.bus.scheduler import Scheduler
from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.units import Span

Marks = tuple[Active, ...]
"""The faults that made a frame what it is; they fire when it has gone over the bus."""
Sending = tuple[CanFrame, Span, Marks]
"""A frame to queue, after how long, and what it proves."""


class LinkFaults:
    """The faults of one bus, by name, in the order in which they were put on."""

    __slots__ = ("_bus", "_counts", "_rng", "_scheduler", "_sink", "active")

    def __init__(
        self, bus: str, scheduler: Scheduler, sink: Callable[[Note], None], rng: random.Random | None = None
    ) -> None:
        self.active: dict[str, Active] = {}
        self._bus = bus
        self._scheduler = scheduler
        self._sink = sink
        self._rng = rng
        self._counts: dict[str, int] = {}

    def add(self, fault: LinkFault, nodes: Iterable[str]) -> Active:
        """Put a fault on; a name in use, or a node that is not among ``nodes``, raises :class:`UsageError`."""
        if fault.name in self.active:
            raise UsageError(f"{self._bus} has a link fault {fault.name!r} already")
        names = list(nodes)
        for wanted in (fault.sender, fault.receiver if isinstance(fault, DropAt) else ""):
            if wanted and wanted not in names:
                raise UsageError(f"{self._bus} has no node {wanted!r}; there are {', '.join(names) or 'none'}")
        if isinstance(fault, ReTime) and self._rng is None:
            raise UsageError(f"{self._bus} was made without a generator, which {fault.name!r} needs")
        active = self.active[fault.name] = Active(fault)
        self._counts[fault.name] = 0
        return active

    def remove(self, name: str) -> LinkFault:
        """Take one fault off; an unknown name raises :class:`UsageError`."""
        active = self.active.pop(name, None)
        if active is None:
            raise UsageError(f"{self._bus} has no link fault {name!r}; there are {', '.join(self.active) or 'none'}")
        return active.fault

    def fired(self, name: str) -> int:
        """How often the latest fault of that name has fired, undone or not; 0 when there never was one."""
        return self._counts.get(name, 0)

    def cuts_off(self, node: str) -> bool:
        """Whether a node's line is broken by one of the faults."""
        return any(isinstance(one.fault, Disconnect) and one.fault.sender == node for one in self.active.values())

    def shorts(self) -> bool:
        """Whether the line is shorted by one of the faults."""
        return any(isinstance(one.fault, Shorted) for one in self.active.values())

    def prove(self, active: Active, what: str) -> None:
        """Note that a fault has fired."""
        active.fired += 1
        fault = active.fault
        self._counts[fault.name] = active.fired
        details: dict[str, Scalar] = {"fault": type(fault).__name__, "on": what}
        self._sink(Note(self._scheduler.now, "fault_fired", fault.name, details))

    # --- what they do to frames ---------------------------------------------------------------------

    def alter(self, sender: str, frame: CanFrame) -> Iterator[Sending]:
        """What is queued in place of a frame that its node sends."""
        copies = 1
        delay: Span = 0
        marks: list[Active] = []
        for active in self.active.values():
            fault = active.fault
            if not isinstance(fault, Corrupt | Truncate | Delay | ReTime | Duplicate):
                continue
            altered = _altered(fault, frame)
            if altered is None or not active.takes(sender, frame):
                continue
            marks.append(active)
            frame = altered
            copies += fault.copies if isinstance(fault, Duplicate) else 0
            delay += self._delay(fault)
        for left in range(copies - 1, -1, -1):
            yield frame, delay, () if left else tuple(marks)

    def _delay(self, fault: LinkFault) -> Span:
        if isinstance(fault, ReTime):
            assert self._rng is not None, "checked when the fault was put on"
            return self._rng.randrange(fault.spread) + 1
        return fault.span if isinstance(fault, Delay) else 0

    def destroys(self, sender: str, frame: CanFrame) -> bool:
        """Whether an error frame hits this attempt."""
        for active in self.active.values():
            if isinstance(active.fault, ErrorFrame) and active.takes(sender, frame):
                self.prove(active, str(frame))
                return True
        return False

    def loses(self, sender: str, frame: CanFrame) -> bool:
        """Whether the frame reaches nobody although it ended correctly for its sender."""
        for active in self.active.values():
            if isinstance(active.fault, Drop) and active.takes(sender, frame):
                self.prove(active, str(frame))
                return True
        return False

    def missed_by(self, sender: str, frame: CanFrame, receivers: Iterable[str]) -> set[str]:
        """Which of the receivers do not get the frame."""
        missed: set[str] = set()
        listening = set(receivers)
        for active in self.active.values():
            fault = active.fault
            if isinstance(fault, DropAt) and fault.receiver in listening - missed and active.takes(sender, frame):
                self.prove(active, str(frame))
                missed.add(fault.receiver)
        return missed


def _altered(fault: LinkFault, frame: CanFrame) -> CanFrame | None:
    """The frame as a fault has it; None where it is too short to show the fault on the wire."""
    data, size = frame.data, len(frame.data)
    if isinstance(fault, Truncate):
        data = data[: fault.length]
    elif isinstance(fault, Corrupt):
        mask = int.from_bytes(bytes.fromhex(fault.invert)[:size], "little")
        data = (int.from_bytes(data, "little") ^ mask).to_bytes(size, "little")
    else:
        return frame
    return None if data == frame.data else CanFrame(frame.id, data, frame.extended)
