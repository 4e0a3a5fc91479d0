"""The vehicle as cases speak to it: orders carried out now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hil.bench import actions
from hil.bench.record import MessageSeen
from hil.units import ms, s

if TYPE_CHECKING:
    from hil.bench.driver import Driver

_TRANSFER_LIMIT = ms(100)
"""A transfer that is under way when its message is silenced shows by then, and mostly has ended."""
_HELD_LIMIT = s(5)
"""A receiver may hold it, again and again, every 500 ms (sheet 1.4); so late nobody counts it any more (sheet 4.3)."""
_STEP = ms(10)
_FRAME_LIMIT = ms(5)
"""A frame that waits for the bus when its message is silenced has ended by then."""


class VehicleHandle:
    """Each method gives one order; the module :mod:`hil.bench.actions` says what it means."""

    node = "vehicle"
    """Its name in the world."""

    def __init__(self, bench: Driver) -> None:
        self._bench = bench

    def silence(self, *messages: actions.MessageType) -> MessageSeen:
        """Stop sending these messages; returns the last of the first one that was seen on the wire.

        A transfer under way is let end, so that the last complete one is known.
        """
        self._bench.do(actions.silence(*messages))
        return self._last_of(messages)

    def _last_of(self, messages: Sequence[actions.MessageType]) -> MessageSeen:
        """The last of the first message on the wire, what was under way included; now when there was none."""
        long = [message.pgn for message in messages if message.transport]
        self._bench.let(_TRANSFER_LIMIT if long else _FRAME_LIMIT)
        end = self._bench.now + _HELD_LIMIT
        while self._bench.now < end and any(self._bench.record.under_way(pgn) for pgn in long):
            self._bench.let(_STEP)
        now = self._bench.now
        name = messages[0].name if messages else ""
        last = self._bench.record.last(name)
        return last if last is not None else MessageSeen(now, now, name, "bms", b"", 0, received=now)

    def resume(self, *messages: actions.MessageType) -> None:
        """Send these messages again, correctly."""
        self._bench.do(actions.resume(*messages))

    def hold(self, *states: str) -> None:
        """Stay in these states, whatever is received."""
        self._bench.do(actions.hold(*states))

    def release(self, *states: str) -> None:
        """Leave these states again as due."""
        self._bench.do(actions.release(*states))

    def go(self, state: str) -> None:
        """Go to a state at once."""
        self._bench.do(actions.go(state))

    def alter(self, message: actions.MessageType, **fields: Any) -> None:
        """Give signals of a message these values."""
        self._bench.do(actions.alter(message, **fields))

    def restore(self, message: actions.MessageType) -> None:
        """Compose a message correctly again."""
        self._bench.do(actions.restore(message))

    def malform(self, message: actions.MessageType, variant: str) -> MessageSeen:
        """Send frames that do not match the definition; returns the last correct message seen."""
        last = self._bench.record.last(message.name)
        self._bench.do(actions.malform(message, variant))
        if message.transport:
            return self._last_of((message,))
        now = self._bench.now
        return last if last is not None else MessageSeen(now, now, message.name, "bms", b"", 0, received=now)

    def demand(self, *, voltage: float | None = None, current: float | None = None, mode: int | None = None) -> None:
        """Change BCL's demand."""
        self._bench.do(actions.demand(voltage=voltage, current=current, mode=mode))

    def stop(self, reason: str) -> None:
        """End the charge by BST for this reason."""
        self._bench.do(actions.stop_charging(reason))

    def report_error(self, *awaited: str) -> None:
        """Report by BEM that these were awaited in vain, and wait for CRM(00)."""
        self._bench.do(actions.report_error(*awaited))

    def transfer(self, message: actions.MessageType, data: bytes) -> None:
        """Send one long message by the transport protocol."""
        self._bench.do(actions.transfer(message, data))
