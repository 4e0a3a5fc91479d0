"""A client of a device with a register map as a node: reads and writes by name, repeats, and measures.

It is an energy management beside a charger, and the reader of a Modbus meter.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hil.codec.register import Value
from hil.codec.registers import ReadBlock, RegisterMap, WriteBlock
from hil.errors import CodecError, UsageError
from hil.protocol.modbus import (
    Answered,
    Bits,
    ExceptionReply,
    Faulty,
    NoReply,
    Read,
    Registers,
    Request,
    RtuClient,
    RtuTiming,
    Stray,
    TcpClient,
    show_bytes,
)
from hil.protocol.modbus.events import TIMEOUT
from hil.tester.modbus.stand_down import LastWrites, StandDown, frame_of, request_of
from hil.tester.orders import need
from hil.units import FAR, Instant, Span
from hil.world.bytenode import Open, Send, Wish
from hil.world.measured import measured
from hil.world.observation import Note, Scalar

KIND = "registers"
"""Kind of every note of this node."""
_VERBS = ("read", "write", "keep", "release", "poll", "stop", "hold")


Quantity = tuple[str, str, float, str]
"""Quantity, register, factor and unit of what is measured."""


@dataclass(eq=False)
class _Repeat:
    """What comes again and again; the next one waits for the end of the one before."""

    every: Span
    due: Instant
    blocks: tuple[ReadBlock | WriteBlock, ...]
    quantity: Quantity | None = None
    busy: bool = False


@dataclass(eq=False)
class _Job:
    """Requests that belong together, one after the other."""

    ticket: int
    blocks: list[ReadBlock | WriteBlock]
    begun: Instant
    repeat: _Repeat | None = None
    values: dict[str, Value] = field(default_factory=dict)


class RegisterClient:
    """Orders (arguments):

    - ``read`` (``ticket``, ``names``: a list), ``write`` (``ticket``, ``name``, and ``value`` or, for what the map does
      not allow, ``words``: a list of registers)
    - ``keep`` (``name``, ``value``, ``every`` in ns): write now and again and again; ``release`` (``name``) ends that
    - ``poll`` (``every`` in ns, ``quantities``: a list of [quantity, register, factor, unit]): measure now and again
    - ``stop``: end all that is repeated
    - ``hold``: have no last words

    Notes of kind ``registers``: ``done N`` (``sent``, ``at``, and the values by name; a value that is missing is
    ``None`` as text), ``refused N`` (``code``, ``text``), ``failed N`` (``text``, and ``bytes`` of what was malformed).
    What is repeated has ticket 0; what is kept is told as ``kept 0`` (``sent``, ``at``), and a poll leaves notes of
    ``hil.world.measured``. A connection that is not there, or has ended, is opened with the next request.
    """

    def __init__(
        self,
        name: str,
        line: str,
        registers: RegisterMap,
        timing: RtuTiming | None = None,
        *,
        permits: bool = False,
    ) -> None:
        """``timing`` is that of a serial line, without it the line is a TCP link.

        ``permits``: before its first limit above 0 it releases a charger that may still have the last words of an
        earlier session.

        What it reads is no device under test: silences inside an answer, which adapters make, are not judged.
        """
        self.name = name
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self._line = line
        self._map = registers
        unit = registers.unit_id
        self._client = TcpClient(unit) if timing is None else RtuClient(unit, timing, settle=TIMEOUT, strict=False)
        self._stand_down = StandDown(registers)
        self._permits = permits
        self._last_words: LastWrites | None = None
        self._quiet_at: Instant = 0
        """When a serial line has been silent for long enough for the next frame."""
        self._channel: int | None = None if timing is None else 0
        self._opening = False
        self._jobs: deque[_Job] = deque()
        self._repeats: dict[str, _Repeat] = {}
        self._waiting = False

    # --- what the bench wants -------------------------------------------------------------------------

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """See the class; an unknown verb and what the map does not allow raise :class:`UsageError`."""
        if verb not in _VERBS:
            raise UsageError(f"{self.name} cannot {verb}; it knows {', '.join(_VERBS)}")
        try:
            self._take(verb, arguments, now)
        except CodecError as error:
            raise UsageError(str(error)) from error
        self._go_on(now)

    def _take(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        if self._permits and verb in ("write", "keep"):
            self._permit(arguments, now)
        if verb == "read":
            blocks = self._map.plan(arguments["names"])
            self._jobs.append(_Job(need(arguments, "ticket", int), [*blocks], now))
        elif verb == "write":
            self._jobs.append(_Job(need(arguments, "ticket", int), [self._write(arguments)], now))
        elif verb == "keep":
            every = need(arguments, "every", int)
            self._repeats[need(arguments, "name", str)] = _Repeat(every, now, (self._write(arguments),))
        elif verb == "release":
            self._repeats.pop(need(arguments, "name", str), None)
        elif verb == "poll":
            every = need(arguments, "every", int)
            for quantity, name, factor, unit in arguments["quantities"]:
                wanted = (str(quantity), str(name), float(factor), str(unit))
                self._repeats[f"poll {quantity}"] = _Repeat(every, now, self._map.plan([name]), wanted)
        elif verb == "hold":
            self._last_words = LastWrites([])
        else:
            self._repeats.clear()

    def _permit(self, arguments: Mapping[str, Any], now: Instant) -> None:
        roles = self._map.roles
        if roles.release and arguments.get("name") == roles.set_current and any(self._write(arguments).values):
            self._permits = False
            self._jobs.append(_Job(0, [self._map.write(roles.release, 1)], now))

    def _write(self, arguments: Mapping[str, Any]) -> WriteBlock:
        name = need(arguments, "name", str)
        if "words" not in arguments:
            return self._map.write(name, arguments["value"])
        return self._map.write_words(name, arguments["words"])

    # --- what the world tells -------------------------------------------------------------------------

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """The connection is open."""
        self._channel, self._opening = channel, False
        self._go_on(now)

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """The connection has ended, or was refused."""
        refused, self._opening, self._channel = self._opening, False, None
        if isinstance(self._client, TcpClient):
            self._client.closed(now)
        self._hear(now)
        if refused and self._jobs:
            self._end(now, "failed", text=f"the connection was {kind}")

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes have come."""
        if isinstance(self._client, RtuClient):
            self._client.receive(data, now, flaw)
            self._quiet_at = now + self._client.timing.between
        else:
            self._client.receive(data, now)
        self._hear(now)
        self._go_on(now)

    def signal(self, name: str, value: float, now: Instant) -> None:
        """It senses nothing."""

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        self._client.wake(now)
        self._hear(now)
        self._go_on(now)

    def part(self, now: Instant, *, waited: bool) -> bool:
        """Write the charger's "do not charge", where something else was written here (see :class:`StandDown`)."""
        if self._last_words is None:
            self._leave_off()
            self._last_words = LastWrites(self._stand_down.words())
        if self._last_words.said:
            return True
        if self._channel is None:
            self._open()
            return waited
        if waited or not (self._waiting or now < self._quiet_at):
            block = self._last_words.take(now)
            if block is not None:
                frame = frame_of(block, tcp=isinstance(self._client, TcpClient))
                self.wishes.append(Send(self._line, frame, self._channel))
        return self._last_words.said

    def _leave_off(self) -> None:
        """Nothing is asked any more; what is under way may end."""
        self._repeats.clear()
        while len(self._jobs) > self._waiting:
            self._jobs.pop()
        for job in self._jobs:
            del job.blocks[1:]

    def _open(self) -> None:
        if not self._opening:
            self._opening = True
            self.wishes.append(Open(self._line))

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        own = self._client.next_deadline()
        waiting = (each.due for each in self._repeats.values() if not each.busy)
        nearest = min(min(waiting, default=FAR), FAR if own is None else own)
        return None if nearest == FAR else nearest

    # --- inside ---------------------------------------------------------------------------------------

    def _go_on(self, now: Instant) -> None:
        for repeat in self._repeats.values():
            if now >= repeat.due and not repeat.busy:
                repeat.due, repeat.busy = now + repeat.every, True
                self._jobs.append(_Job(0, [*repeat.blocks], now, repeat))
        if self._jobs and not self._waiting:
            if self._channel is None:
                self._open()
                return
            block = self._jobs[0].blocks[0]
            self._waiting = True
            request = _request(block)
            self._client.request(request, now, unit=block.unit_id)
            self._stand_down.asked(block.unit_id, request)
        self._send()

    def _send(self) -> None:
        if self._channel is not None:
            self.wishes += [Send(self._line, frame, self._channel) for frame in self._client.bytes_to_send()]

    def _hear(self, now: Instant) -> None:
        for event in self._client.events():
            if isinstance(event, Answered):
                self._answered(event, now)
            elif isinstance(event, Faulty):
                if event.final:
                    malformed = event.malformed
                    self._end(now, "failed", text=event.show(), bytes=show_bytes(malformed.data))
            elif not isinstance(event, Stray):
                self._end(now, "failed", text="no answer" if isinstance(event, NoReply) else "the connection ended")
        self._send()

    def _answered(self, event: Answered, now: Instant) -> None:
        self._stand_down.answered(event.transaction.unit, event.transaction.request, event.reply)
        job, reply = self._jobs[0], event.reply
        if isinstance(reply, ExceptionReply):
            self._end(now, "refused", code=reply.code, text=reply.text)
            return
        block = job.blocks.pop(0)
        if isinstance(block, ReadBlock) and isinstance(reply, Registers | Bits):
            words = reply.values if isinstance(reply, Registers) else tuple(map(int, reply.bits))
            job.values |= self._map.take(block, words)
        if job.blocks:
            self._waiting = False
            return
        if job.repeat is None:
            values = {name: _scalar(value) for name, value in job.values.items()}
            self._end(now, "done", sent=job.begun, at=event.at, **values)
        else:
            self._measured(job.repeat.quantity, job.values, event)
            self._end(now, "" if job.repeat.quantity else "kept", sent=event.transaction.sent, at=event.at)

    def _measured(self, quantity: Quantity | None, values: Mapping[str, Value], event: Answered) -> None:
        if quantity is None:
            return
        name, register, factor, unit = quantity
        value = values[register]
        if isinstance(value, int | float):
            asked = event.transaction.sent
            self.notes.append(measured(name, value * factor, unit, by=self.name, asked=asked, at=event.at))

    def _end(self, now: Instant, outcome: str = "", **details: Scalar) -> None:
        """The first job has ended; what it came to."""
        self._waiting = False
        job = self._jobs.popleft()
        if job.repeat is not None:
            job.repeat.busy = False
        if outcome:
            self.notes.append(Note(now, KIND, f"{outcome} {job.ticket}", details))


def _request(block: ReadBlock | WriteBlock) -> Request:
    if isinstance(block, ReadBlock):
        return Read(block.function, block.address, block.count)
    return request_of(block)


def _scalar(value: Value) -> Scalar:
    if value is None:
        return "None"
    return value.hex(" ") if isinstance(value, bytes) else value
