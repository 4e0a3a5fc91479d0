"""What a bench for GB/T 27930 has seen: the observations, and the messages recognised among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from hil.bench.judge import CheckFailed, Inconclusive
from hil.bench.stream import Index, StreamRecord, between
from hil.codec.message import Message
from hil.protocol.gbt27930 import BMS_ADDRESS, CHARGER_ADDRESS, MessageSet
from hil.protocol.j1939 import Listener, Transfer
from hil.units import Instant, show_instant
from hil.world.observation import FrameSeen, Observation

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
        if self.message is None:
            told = f"{self.name} of {len(self.data)} bytes at {show_instant(self.t)} has too few of them to tell {name}"
            raise CheckFailed(told) if self.sender == "charger" else Inconclusive(told)
        return getattr(self.message, name)


class Record(StreamRecord):
    """What a bench for GB/T 27930 has seen: messages and frames beside samples, bytes and notes."""

    def __init__(self, messages: MessageSet) -> None:
        self._messages_index = _Index(messages)
        super().__init__(self._messages_index)

    # --- questions --------------------------------------------------------------------------------

    def _sorted(self) -> _Index:
        self.sort()
        return self._messages_index

    def all(self, name: str, after: Instant = -1, until: Instant | None = None) -> list[MessageSeen]:
        """Messages of that name with ``after < t <= until``."""
        seen = self._sorted().by_name.get(name, [])
        return between(seen, after, until)

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
        return between(seen, after, until)

    def last_charger_frame(self) -> FrameSeen | None:
        """The latest frame from the charger's address."""
        seen = self._sorted().charger_frames
        return seen[-1] if seen else None

    def frames(self, protocol_format: int, after: Instant, until: Instant) -> list[FrameSeen]:
        """Transport frames (PF 0xEC or 0xEB) of both sides with ``after < t <= until``."""
        seen = self._sorted().transport_frames
        return [frame for frame in between(seen, after, until) if frame.id >> 16 & 0xFF == protocol_format]

    def transfers(self, pgn: int) -> list[Transfer]:
        """Transfers of a PGN that ended, in order, complete or not."""
        return self._sorted().transfers.get(pgn, [])

    def under_way(self, pgn: int) -> bool:
        """Whether a transfer of a PGN has begun and not ended."""
        return self._sorted().is_open(pgn)

    def last_before(self, name: str, instant: Instant) -> MessageSeen | None:
        """The latest message of that name before an instant."""
        seen = self.all(name, until=instant - 1)
        return seen[-1] if seen else None


class _Index(Index):
    """Messages and frames too."""

    def __init__(self, messages: MessageSet) -> None:
        super().__init__()
        self.by_name: dict[str, list[MessageSeen]] = {}
        self.charger_frames: list[FrameSeen] = []
        self.transport_frames: list[FrameSeen] = []
        self.transfers: dict[int, list[Transfer]] = {}
        self._messages = messages
        self._listener = Listener()
        self._known: dict[tuple[int, bytes], Any] = {}
        """Decoded messages by PGN and payload: most come again and again."""

    def is_open(self, pgn: int) -> bool:
        return self._listener.is_open(pgn)

    def take_other(self, observation: Observation) -> None:
        if isinstance(observation, FrameSeen):
            self._take_frame(observation)
        else:
            super().take_other(observation)

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
