"""What a bench has seen: the observations, and the messages recognised among them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from hil.codec.message import Message
from hil.protocol.gbt27930 import BMS_ADDRESS, CHARGER_ADDRESS, MessageSet
from hil.protocol.j1939 import Listener, Transfer
from hil.units import Instant
from hil.world.observation import FrameSeen, Note, Observation, Sample

_TP_FORMATS = (0xEC, 0xEB)
_SENDERS = {CHARGER_ADDRESS: "charger", BMS_ADDRESS: "bms"}


class MessageSeen(msgspec.Struct, frozen=True):
    """A message recognised on the wire by PGN and sender; its priority, length and content may be wrong."""

    t: Instant
    """End of the frame; of a long message, its EndOfMsgACK."""
    started: Instant
    """The same for a single frame; of a long message, its RTS."""
    name: str
    sender: str
    data: bytes
    id: int
    """Identifier of the frame; 0 for a long message."""
    message: Any = None
    """The decoded message; None where the bytes are too few."""
    received: Instant = 0
    """When its receiver has it all: the end of the frame; of a long message, its last data packet. An answer may
    overtake the EndOfMsgACK, whose identifier gives way to every other."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.message, name)


class Record:
    """Grows with every reply of the world; never forgets. What came is sorted when something is asked."""

    def __init__(self, messages: MessageSet) -> None:
        self.observations: list[Observation] = []
        self.notes: list[Note] = []
        self._index = _Index(messages)

    def add(self, observations: Sequence[Observation]) -> None:
        """Take in what a reply brought."""
        self.observations += observations
        self.notes += [observation for observation in observations if type(observation) is Note]

    # --- questions --------------------------------------------------------------------------------

    def _sorted(self) -> _Index:
        index = self._index
        if index.taken < len(self.observations):
            index.take(self.observations[index.taken :])
        return index

    def all(self, name: str, after: Instant = -1, until: Instant | None = None) -> list[MessageSeen]:
        """Messages of that name with ``after < t <= until``."""
        seen = self._sorted().by_name.get(name, [])
        first = bisect_right(seen, after, key=_instant)
        last = len(seen) if until is None else bisect_right(seen, until, key=_instant)
        return seen[first:last]

    def last(self, name: str) -> MessageSeen | None:
        """The latest message of that name."""
        seen = self._sorted().by_name.get(name)
        return seen[-1] if seen else None

    def first(
        self, name: str, after: Instant = -1, where: Callable[[MessageSeen], bool] | None = None
    ) -> MessageSeen | None:
        """The first message of that name after an instant that satisfies ``where``."""
        for seen in self.all(name, after):
            if seen.message is not None and (where is None or where(seen)):
                return seen
        return None

    def charger_frames(self, after: Instant = -1, until: Instant | None = None) -> list[FrameSeen]:
        """Frames from the charger's address with ``after < t <= until``."""
        seen = self._sorted().charger_frames
        first = bisect_right(seen, after, key=_instant)
        last = len(seen) if until is None else bisect_right(seen, until, key=_instant)
        return seen[first:last]

    def last_charger_frame(self) -> FrameSeen | None:
        """The latest frame from the charger's address."""
        seen = self._sorted().charger_frames
        return seen[-1] if seen else None

    def frames(self, protocol_format: int, after: Instant, until: Instant) -> list[FrameSeen]:
        """Transport frames (PF 0xEC or 0xEB) of both sides with ``after < t <= until``."""
        seen = self._sorted().transport_frames
        first, last = bisect_right(seen, after, key=_instant), bisect_right(seen, until, key=_instant)
        return [frame for frame in seen[first:last] if frame.id >> 16 & 0xFF == protocol_format]

    def transfers(self, pgn: int) -> list[Transfer]:
        """Transfers of a PGN that ended, in order, complete or not."""
        return self._sorted().transfers.get(pgn, [])

    def last_before(self, name: str, instant: Instant) -> MessageSeen | None:
        """The latest message of that name before an instant."""
        seen = self.all(name, until=instant - 1)
        return seen[-1] if seen else None

    def samples_around(self, name: str, at: Instant) -> tuple[Sample | None, Sample | None]:
        """The signal's latest sample at or before an instant, and the first one after it."""
        seen = self._sorted().samples.get(name, [])
        index = bisect_right(seen, at, key=_instant)
        return (seen[index - 1] if index else None), (seen[index] if index < len(seen) else None)

    def samples(self, name: str, after: Instant = -1, until: Instant | None = None) -> list[Sample]:
        """Samples of a signal with ``after < t <= until``."""
        seen = self._sorted().samples.get(name, [])
        first = bisect_right(seen, after, key=_instant)
        last = len(seen) if until is None else bisect_right(seen, until, key=_instant)
        return seen[first:last]

    def value(self, name: str, at: Instant | None = None) -> float | None:
        """The signal's latest sample at or before an instant; None before the first one."""
        seen = self._sorted().samples.get(name, [])
        index = len(seen) if at is None else bisect_right(seen, at, key=_instant)
        return seen[index - 1].value if index else None

    def fired(self, kind: str, what: str) -> bool:
        """Whether a note of that kind and text is there: the proof of firing."""
        return any(note.kind == kind and note.what == what for note in self.notes)


class _Index:
    """The observations by kind and name; ``taken`` of them so far."""

    def __init__(self, messages: MessageSet) -> None:
        self.taken = 0
        self.by_name: dict[str, list[MessageSeen]] = {}
        self.samples: dict[str, list[Sample]] = {}
        self.charger_frames: list[FrameSeen] = []
        self.transport_frames: list[FrameSeen] = []
        self.transfers: dict[int, list[Transfer]] = {}
        self._messages = messages
        self._listener = Listener()
        self._known: dict[tuple[int, bytes], Any] = {}
        """Decoded messages by PGN and payload: most come again and again."""

    def take(self, observations: Iterable[Observation]) -> None:
        for observation in observations:
            self.taken += 1
            if isinstance(observation, FrameSeen):
                self._take_frame(observation)
            elif isinstance(observation, Sample):
                self.samples.setdefault(observation.name, []).append(observation)

    def _take_frame(self, frame: FrameSeen) -> None:
        source = frame.id & 0xFF
        if source == CHARGER_ADDRESS and frame.extended:
            self.charger_frames.append(frame)
        protocol_format = frame.id >> 16 & 0xFF
        if protocol_format in _TP_FORMATS:
            self._take_transport(frame)
            return
        declared = self._messages.by_pgn.get(protocol_format << 8)
        sender = _SENDERS.get(source)
        if not frame.extended or declared is None or declared.transport or sender is None:
            return
        if declared.sender in (None, sender):
            self._take_message(declared, frame.data, sender, (frame.t, frame.t, frame.t), frame.id)

    def _take_transport(self, frame: FrameSeen) -> None:
        self.transport_frames.append(frame)
        transfer = self._listener.see(frame.id, frame.data, frame.t)
        if transfer is None:
            return
        self.transfers.setdefault(transfer.pgn, []).append(transfer)
        declared = self._messages.by_pgn.get(transfer.pgn)
        if transfer.complete and declared is not None:
            sender = _SENDERS.get(transfer.source, "")
            times = (transfer.ended, transfer.started, transfer.received)
            self._take_message(declared, transfer.data, sender, times, 0)

    def _take_message(
        self,
        declared: type[Message],
        data: bytes,
        sender: str,
        times: tuple[Instant, Instant, Instant],
        identifier: int,
    ) -> None:
        key = (declared.pgn, data)
        if key in self._known:
            message = self._known[key]
        else:
            decoded = self._messages.decode(declared.pgn, data)
            message = self._known[key] = decoded if isinstance(decoded, declared) else None
        t, started, received = times
        seen = MessageSeen(t, started, declared.name, sender, data, identifier, message, received)
        self.by_name.setdefault(declared.name, []).append(seen)


def _instant(seen: Any) -> Instant:
    instant: Instant = seen.t
    return instant
