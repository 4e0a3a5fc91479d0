"""The client (master) of a Modbus TCP connection: bytes and instants in, bytes and events out."""

from __future__ import annotations

from itertools import islice

from hil.errors import UsageError
from hil.protocol.modbus.adu import TcpFrame, TcpStream, encode_tcp
from hil.protocol.modbus.events import TIMEOUT, Answered, Event, Faulty, Lost, NoReply, Stray, StrayKind, Transaction
from hil.protocol.modbus.judge import due_tcp, judge_tcp
from hil.protocol.modbus.pdu import Request
from hil.protocol.modbus.replies import Fault, Malformed
from hil.units import Instant, Span

_IDS = 1 << 16
_REMEMBERED = 64
"""Ended transactions that late and repeated replies are told by."""


class _Open:
    __slots__ = ("deadline", "id", "transaction")

    def __init__(self, identifier: int, transaction: Transaction, deadline: Instant) -> None:
        self.id = identifier
        self.transaction = transaction
        self.deadline = deadline

    def due(self) -> str:
        """The bytes of the reply."""
        return due_tcp(self.id, self.transaction.unit, self.transaction.request)


class TcpClient:
    """One connection; as many transactions at once as are asked for, told apart by their ids.

    A frame whose transaction id is that of an open transaction ends it, rightly or not. Whatever else
    comes is told and the transaction waits on, until its reply or its time-out.
    """

    def __init__(self, unit: int = 0xFF, *, timeout: Span = TIMEOUT) -> None:
        self.unit = unit
        self.timeout = timeout
        self._stream = TcpStream()
        self._open: dict[int, _Open] = {}
        self._past: dict[int, tuple[Transaction, StrayKind]] = {}
        self._deadline: Instant | None = None
        self._out: list[bytes] = []
        self._events: list[Event] = []
        self._next_id = 0
        self._tokens = 0

    # --- what the user does ---------------------------------------------------------------------------

    def request(
        self,
        request: Request,
        now: Instant,
        *,
        unit: int | None = None,
        timeout: Span | None = None,
        transaction: int | None = None,
        protocol: int = 0,
        length: int | None = None,
    ) -> int:
        """Send a request; returns the token that its events carry.

        ``transaction``, ``protocol`` and ``length`` are for headers that are to be unusual or wrong.
        Raises :class:`hil.errors.CodecError` for what does not fit its field, :class:`UsageError` for
        a transaction id that is open.
        """
        to = self.unit if unit is None else unit
        identifier = self._free_id() if transaction is None else transaction
        if identifier in self._open:
            raise UsageError(f"transaction id {identifier} is open: wait for its event, or let the client choose one")
        frame = encode_tcp(identifier, to, request.encode(), protocol=protocol, length=length)
        self._tokens += 1
        sent = Transaction(self._tokens, to, request, now, frame)
        deadline = now + (self.timeout if timeout is None else timeout)
        self._open[identifier] = _Open(identifier, sent, deadline)
        if self._deadline is None or deadline < self._deadline:
            self._deadline = deadline
        self._out.append(frame)
        return self._tokens

    def send_bytes(self, data: bytes) -> None:
        """Send bytes that are no request: nothing is waited for."""
        self._out.append(data)

    def bytes_to_send(self) -> list[bytes]:
        """What is to be sent, each item at once; taken away by this call."""
        out, self._out = self._out, []
        return out

    def events(self) -> list[Event]:
        """What has happened since the last call."""
        events, self._events = self._events, []
        return events

    @property
    def pending(self) -> int:
        """Open transactions."""
        return len(self._open)

    def _free_id(self) -> int:
        if len(self._open) >= _IDS:
            raise UsageError(f"{_IDS} transactions are open, and there are no more ids")
        while True:
            self._next_id = (self._next_id + 1) % _IDS
            if self._next_id not in self._open:
                return self._next_id

    # --- what the world does --------------------------------------------------------------------------

    def receive(self, data: bytes, now: Instant) -> None:
        """Bytes have come."""
        for each in self._stream.feed(data):
            if isinstance(each, TcpFrame):
                self._take(each, now)
            else:
                length = int.from_bytes(each[4:6], "big")
                self._unmatched(Fault.WRONG_LENGTH, each, f"the length field is {length}, allowed is 2..254", now)

    def closed(self, now: Instant) -> None:
        """The connection has ended: so have its transactions. A new one may be begun with the same client."""
        rest = self._stream.flush()
        if rest:
            self._events.append(Stray(rest, now, StrayKind.UNASKED))
        self._events += [Lost(each.transaction, now) for each in self._open.values()]
        self._open.clear()
        self._past.clear()
        self._deadline = None

    def next_deadline(self) -> Instant | None:
        """When to call :meth:`wake`; earlier does no harm."""
        return self._deadline

    def wake(self, now: Instant) -> None:
        """Give up what is overdue. A reply of which only a part has come is told as a short frame."""
        if self._deadline is None or now < self._deadline:
            return
        for each in [each for each in self._open.values() if each.deadline <= now]:
            rest = self._stream.rest
            if rest[:2] == each.transaction.frame[:2]:
                self._stream.flush()
                text = f"{len(rest)} bytes of a frame, and no more within the time-out"
                malformed = Malformed(Fault.SHORT_FRAME, rest, each.due(), text)
                self._events.append(Faulty(each.transaction, malformed, now, final=True))
            else:
                self._events.append(NoReply(each.transaction, now))
            self._end(each, StrayKind.LATE)

    # --- inside ---------------------------------------------------------------------------------------

    def _take(self, frame: TcpFrame, now: Instant) -> None:
        found = self._open.get(frame.transaction)
        if found is None:
            self._unknown(frame, now)
            return
        transaction = found.transaction
        outcome = judge_tcp(found.id, transaction.unit, transaction.request, frame)
        if isinstance(outcome, Malformed):
            self._events.append(Faulty(transaction, outcome, now, final=True))
        else:
            self._events.append(Answered(transaction, outcome, now, frame.data))
        self._end(found, StrayKind.REPEATED)

    def _unknown(self, frame: TcpFrame, now: Instant) -> None:
        """A frame with the id of no open transaction."""
        past = self._past.get(frame.transaction)
        if past is not None:
            self._events.append(Stray(frame.data, now, past[1], past[0]))
            return
        text = f"the transaction id is {frame.transaction:04X}"
        self._unmatched(Fault.WRONG_TRANSACTION, frame.data, text, now)

    def _unmatched(self, fault: Fault, data: bytes, text: str, now: Instant) -> None:
        """Held against the oldest open transaction, which waits on."""
        oldest = next(iter(self._open.values()), None)
        if oldest is None:
            self._events.append(Stray(data, now, StrayKind.UNASKED))
            return
        malformed = Malformed(fault, data, oldest.due(), text)
        self._events.append(Faulty(oldest.transaction, malformed, now, final=False))

    def _end(self, ended: _Open, kind: StrayKind) -> None:
        del self._open[ended.id]
        self._past[ended.id] = (ended.transaction, kind)
        if len(self._past) > _REMEMBERED:
            del self._past[next(islice(self._past, 1))]
        if ended.deadline == self._deadline:
            self._deadline = min((each.deadline for each in self._open.values()), default=None)
