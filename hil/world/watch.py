"""Recognises messages on the wire for the triggers of stimulus plans and of waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from hil.errors import UsageError
from hil.protocol.gbt27930 import BMS_ADDRESS, CHARGER_ADDRESS, MessageSet
from hil.protocol.j1939 import Listener
from hil.units import Instant
from hil.world.observation import BytesSeen, FrameSeen, Note, Observation, Sample
from hil.world.plan import AtInstant, OnBytes, OnMessage, OnNote, OnSignal, Trigger

_SENDERS = {CHARGER_ADDRESS: "charger", BMS_ADDRESS: "bms"}
TP_FORMATS = (0xEC, 0xEB)
_LONGEST_TRANSFER = 600
"""Frames of a transfer of 255 packets that are released one by one, and some."""


class Watch:
    """One trigger that waits, and what to call when it comes."""

    __slots__ = ("call", "done", "left", "trigger")

    def __init__(self, trigger: Trigger, call: Callable[[], None]) -> None:
        self.trigger = trigger
        self.call = call
        self.left = trigger.count if isinstance(trigger, OnMessage | OnBytes) else 1
        self.done = False


class Watcher:
    """Holds waiting triggers and is shown every observation; costs nothing while none waits.

    One that ``remembers`` is for a world that goes on between two commands: what came meanwhile is news to whoever
    waits next, up to :meth:`forget`.
    """

    def __init__(self, messages: MessageSet | None, *, remembers: bool = False) -> None:
        self._remembers = remembers
        self._recent: list[Callable[[Trigger], bool]] = []
        self._messages = messages
        self._watches: list[Watch] = []
        self._listener = Listener()
        self.active = remembers
        self.missed: deque[FrameSeen] = deque(maxlen=_LONGEST_TRANSFER)
        """Transport frames seen while nothing waited: a trigger may come in the middle of a transfer."""

    def add(self, trigger: Trigger, call: Callable[[], None], *, counts_on: bool = False) -> Watch:
        """Wait for ``trigger``; ``AtInstant`` is the world's own business and never comes here.

        ``counts_on``: what is remembered of it counts. A message or a field that the edition does not have raises
        :class:`UsageError`.
        """
        self.check(trigger)
        while self.missed:
            frame = self.missed.popleft()
            self._listener.see(frame.id, frame.data, frame.t)
        watch = Watch(trigger, call)
        if counts_on:
            watch.left -= self._times(trigger)
        self._watches.append(watch)
        self.active = True
        return watch

    def came(self, trigger: Trigger) -> bool:
        """Whether it has come since the last :meth:`forget`, as often as it counts; never where nothing is remembered.

        Raises :class:`UsageError` as :meth:`add` does.
        """
        if not self._remembers:
            return False
        self.check(trigger)
        wanted = trigger.count if isinstance(trigger, OnMessage | OnBytes) else 1
        return self._times(trigger) >= wanted

    def _times(self, trigger: Trigger) -> int:
        return sum(matches(trigger) for matches in self._recent)

    @property
    def remembered(self) -> int:
        """How much is."""
        return len(self._recent)

    def forget(self, kept: int = 0) -> None:
        """What has come up to now is known, but for so much of it, the oldest."""
        del self._recent[kept:]

    def check(self, trigger: Trigger) -> None:
        """Raise :class:`UsageError` for a trigger that could never come."""
        if not isinstance(trigger, OnMessage):
            return
        by_name = {} if self._messages is None else self._messages.by_name
        declared = by_name.get(trigger.message)
        if declared is None:
            raise UsageError(f"no message {trigger.message!r} to wait for; there are {', '.join(by_name) or 'none'}")
        for field in trigger.fields:
            if field not in declared.signals:
                raise UsageError(f"{declared.name} has no signal {field!r}; it has {', '.join(declared.signals)}")
        if trigger.sender not in ("", *_SENDERS.values()) or trigger.count < 1:
            raise UsageError(f"{trigger}: sender is charger, bms or empty, count 1 or more")

    def remove(self, watch: Watch) -> None:
        """Stop waiting; a watch that has come already is gone anyway."""
        watch.done = True
        self._tidy()

    def see(self, observation: Observation) -> None:
        """Show one observation to everything that waits."""
        if isinstance(observation, FrameSeen):
            self._see_frame(observation)
        elif isinstance(observation, Sample):
            self._fire(lambda trigger: _signal_matches(trigger, observation))
        elif isinstance(observation, BytesSeen):
            seen = observation
            self._fire(lambda trigger: _bytes_match(trigger, seen))
        elif isinstance(observation, Note):
            note = observation
            self._fire(
                lambda trigger: isinstance(trigger, OnNote) and trigger.kind == note.kind and trigger.what == note.what
            )

    def _see_frame(self, frame: FrameSeen) -> None:
        protocol_format = frame.id >> 16 & 0xFF
        if protocol_format in TP_FORMATS:
            transfer = self._listener.see(frame.id, frame.data, frame.t)
            if transfer is not None and transfer.complete:
                self._see_message(transfer.pgn, transfer.data, transfer.source)
        elif frame.extended:
            self._see_message(protocol_format << 8, frame.data, frame.id & 0xFF, alone=True)

    def _see_message(self, pgn: int, data: bytes, source: int, *, alone: bool = False) -> None:
        """``alone``: in a frame of its own, in which no long message can come."""
        messages = self._messages
        declared = None if messages is None else messages.by_pgn.get(pgn)
        sender = _SENDERS.get(source)
        if messages is None or declared is None or sender is None or declared.sender not in (None, sender):
            return
        if alone and declared.transport:
            return
        name = declared.name
        self._fire(
            lambda trigger: (
                isinstance(trigger, OnMessage)
                and trigger.message == name
                and trigger.sender in ("", sender)
                and _fields_match(messages, trigger, pgn, data)
            )
        )

    def _fire(self, matches: Callable[[Trigger], bool]) -> None:
        if self._remembers:
            self._recent.append(matches)
        fired: list[Watch] = []
        for watch in self._watches:
            if not watch.done and matches(watch.trigger):
                watch.left -= 1
                if watch.left <= 0:
                    watch.done = True
                    fired.append(watch)
        if fired:
            self._tidy()
            for watch in fired:
                watch.call()

    def _tidy(self) -> None:
        self._watches = [watch for watch in self._watches if not watch.done]
        self.active = self._remembers or bool(self._watches)


def _fields_match(messages: MessageSet, trigger: OnMessage, pgn: int, data: bytes) -> bool:
    if not trigger.fields:
        return True
    message = messages.decode(pgn, data)
    return all(getattr(message, name, None) == value for name, value in trigger.fields.items())


def _bytes_match(trigger: Trigger, seen: BytesSeen) -> bool:
    return (
        isinstance(trigger, OnBytes)
        and trigger.line == seen.port
        and trigger.sender in ("", seen.sender)
        and seen.data.startswith(bytes.fromhex(trigger.starts))
    )


def _signal_matches(trigger: Trigger, sample: Sample) -> bool:
    return isinstance(trigger, OnSignal) and trigger.name == sample.name and trigger.low <= sample.value <= trigger.high


def due(trigger: Trigger) -> Instant | None:
    """The instant of a trigger that needs no watching, else None."""
    return trigger.instant if isinstance(trigger, AtInstant) else None
