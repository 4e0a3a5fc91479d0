"""The faults that are on a byte line: which hit a chunk, and the proof that they fired."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from hil.bus.bytefaults import (
    ActiveLine,
    CorruptBytes,
    CutLine,
    FramingError,
    InsertBytes,
    LineFault,
    LoseBytes,
    ParityError,
    RefuseLine,
    RepeatBytes,
    ResetLine,
    SplitBytes,
    StallBytes,
)
from hil.bus.observe import Note
from hil.bus.scheduler import Scheduler
from hil.errors import UsageError
from hil.units import Span

Allows = Callable[[str, int, bytes], bool]


class Shaped(NamedTuple):
    """What becomes of a chunk under the faults of a line."""

    parts: list[tuple[bytes, Span]]
    """Pieces to send, each with the gap after the one before it."""
    delay: Span = 0
    """How long the first piece is held back."""
    flaw: str = ""
    """``parity`` or ``framing``."""
    reset: bool = False
    """The connection ends instead."""


class LineFaults:
    """The faults of one line, by name, in the order in which they were put on."""

    def __init__(
        self, line: str, scheduler: Scheduler, sink: Callable[[Note], None], allowed: tuple[type[LineFault], ...]
    ) -> None:
        self.active: dict[str, ActiveLine] = {}
        self._line = line
        self._scheduler = scheduler
        self._sink = sink
        self._allowed = allowed
        self._counts: dict[str, int] = {}

    def add(self, fault: LineFault, nodes: Iterable[str]) -> None:
        """Put a fault on; a name in use, a kind that the line does not know or an unknown sender raise
        :class:`UsageError`."""
        if fault.name in self.active:
            raise UsageError(f"{self._line} has a line fault {fault.name!r} already")
        if not isinstance(fault, self._allowed):
            kinds = ", ".join(sorted(kind.__name__ for kind in self._allowed))
            raise UsageError(f"{self._line} knows no {type(fault).__name__}; it knows {kinds}")
        names = list(nodes)
        if fault.sender and fault.sender not in names:
            raise UsageError(f"{self._line} has no node {fault.sender!r}; there are {', '.join(names) or 'none'}")
        self.active[fault.name] = ActiveLine(fault)
        self._counts[fault.name] = 0

    def remove(self, name: str) -> LineFault:
        """Take one fault off; an unknown name raises :class:`UsageError`."""
        active = self.active.pop(name, None)
        if active is None:
            raise UsageError(f"{self._line} has no line fault {name!r}; there are {', '.join(self.active) or 'none'}")
        return active.fault

    def fired(self, name: str) -> int:
        """How often the latest fault of that name has fired; 0 when there never was one."""
        return self._counts.get(name, 0)

    def hitting(self, sender: str, data: bytes) -> Iterator[LineFault]:
        """The faults that hit this chunk, each noted as fired."""
        for active in list(self.active.values()):
            if not isinstance(active.fault, RefuseLine | CutLine) and active.takes(sender, data):
                self.note(active.fault, data.hex(" ").upper())
                yield active.fault

    def shape(self, sender: str, data: bytes) -> Shaped:
        """What a chunk becomes, every fault that hits it noted as fired."""
        delay: Span = 0
        copies, flaw = 1, ""
        parts: list[tuple[bytes, Span]] = [(data, 0)]
        for fault in self.hitting(sender, data):
            if isinstance(fault, ResetLine):
                return Shaped([], reset=True)
            if isinstance(fault, StallBytes):
                delay += fault.span
            elif isinstance(fault, RepeatBytes):
                copies += 1
            elif isinstance(fault, SplitBytes):
                parts = [(data[: fault.at], 0), (data[fault.at :], fault.gap)]
            elif isinstance(fault, ParityError | FramingError):
                flaw = "parity" if isinstance(fault, ParityError) else "framing"
            else:
                parts = [(altered(fault, part), gap) for part, gap in parts]
        return Shaped([piece for _ in range(copies) for piece in parts if piece[0]], delay, flaw)

    def cut(self, sender: str, what: str) -> bool:
        """Whether what a node sends (or does to a connection) arrives nowhere; noted as fired."""
        for active in self.active.values():
            if isinstance(active.fault, CutLine) and active.takes(sender, b""):
                self.note(active.fault, what)
                return True
        return False

    def refuses(self, client: str) -> bool:
        """Whether a connection is refused; noted as fired."""
        for active in self.active.values():
            if isinstance(active.fault, RefuseLine) and active.takes(client, b""):
                self.note(active.fault, f"connection of {client}")
                return True
        return False

    def note(self, fault: LineFault, what: str) -> None:
        """Leave the proof of firing."""
        self._counts[fault.name] = self._counts.get(fault.name, 0) + 1
        self._sink(Note(self._scheduler.now, "fault_fired", fault.name, {"fault": type(fault).__name__, "on": what}))


def altered(fault: LineFault, data: bytes) -> bytes:
    """What a chunk becomes under a fault of content; other faults leave it."""
    if isinstance(fault, LoseBytes):
        return data[: fault.at] + (data[fault.at + fault.length :] if fault.length else b"")
    if isinstance(fault, CorruptBytes):
        mask = bytes.fromhex(fault.invert)
        changed = bytearray(data)
        for offset, bits in enumerate(mask, start=fault.at):
            if offset < len(changed):
                changed[offset] ^= bits
        return bytes(changed)
    if isinstance(fault, InsertBytes):
        junk = bytes.fromhex(fault.data)
        return junk + data if fault.before else data + junk
    return data


class Faulty:
    """A line of bytes, virtual or a port of the machine, as far as faults are taken back from it."""

    faults: LineFaults
    allows: Allows | None = None
    """Asked of each chunk as it is to go out, whatever faults have made of it, with its sender and its connection (0 on
    a serial line)."""

    def undo(self, name: str) -> None:
        """Take one fault back; an unknown name raises :class:`UsageError`."""
        self.faults.remove(name)

    def undo_all(self) -> None:
        """Take every fault back."""
        for name in list(self.faults.active):
            self.faults.remove(name)
