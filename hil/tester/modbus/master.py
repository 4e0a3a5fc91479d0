"""A Modbus master as a node: sends what the bench orders, right or wrong, and notes what came of it."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from hil.codec.registers import RegisterMap
from hil.errors import UsageError
from hil.protocol.modbus import (
    Answered,
    Event,
    Faulty,
    Lost,
    NoReply,
    Request,
    RtuClient,
    RtuTiming,
    Stray,
    TcpClient,
    decode_request,
    ending,
    show_bytes,
)
from hil.protocol.modbus.events import TIMEOUT
from hil.tester.modbus.stand_down import LastWrites, StandDown, frame_of
from hil.units import Instant, Span
from hil.world.bytenode import Open, Send, Shut, Wish
from hil.world.observation import Note, Scalar

KIND = "modbus"
"""Kind of every note of this node."""
RTU = "rtu"
"""Where requests for the serial line go; every other name is that of a connection."""
_WHOLE = 2
"""Begin and end of a frame that is not cut. Pieces of one go out byte by byte on the serial line, so that a receiver
sees when each begins, and not a silence while it lasts."""
_LAST = "last words"
"""The connection for these, where none is open."""
_WRONG = ("crc", "protocol", "length")
"""Arguments of requests that no device obeys."""
_VERBS = ("open", "close", "request", "pipeline", "send")


class ModbusMaster:
    """Orders (arguments):

    - ``open``, ``close`` (``on``: name of the connection; ``reset``)
    - ``request`` (``on``: a connection or ``rtu``; ``ticket``; ``pdu`` in hex; ``unit``; ``timeout`` in ns; for
      unusual headers ``transaction``, ``protocol``, ``length``, ``crc``; ``before`` and ``after``: bytes in hex sent
      with the frame without a gap, or ``before`` followed by a silence of ``pause`` ns; ``cuts``: where the frame is
      cut into pieces, each sent ``gap`` ns after the end of the one before)
    - ``pipeline`` (``on``; ``requests``: a list of such arguments; all go out as one piece)
    - ``send`` (``on``; ``data`` in hex): bytes that are no request

    Notes of kind ``modbus``: ``done N`` ends the request with ticket N (``outcome``: ``reply``, ``malformed``,
    ``silence``, ``lost``; ``sent``, ``at``, ``bytes``, and of what is malformed ``fault``, ``text``, ``due``);
    ``bytes N`` are bytes that are not its reply while it waits on; ``stray`` are bytes that nobody asked for;
    ``opened a``, ``closed a``, ``reset a``, ``refused a`` tell of connections. One that does not listen is deaf on the
    serial line; one that is not strict knows that silences do not come through as they were, as behind an adapter, and
    that it does not hear itself there.
    """

    def __init__(
        self,
        name: str,
        tcp: str,
        serial: str,
        timing: RtuTiming,
        *,
        listens: bool = True,
        strict: bool = True,
        registers: RegisterMap | None = None,
    ) -> None:
        """``registers`` is the map of a device that is to be told not to charge where something else was written."""
        self.name = name
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self._tcp, self._serial = tcp, serial
        self._timing = timing
        self._listens = listens
        self._strict = strict
        self._rtu = RtuClient(1, timing, settle=0 if strict else TIMEOUT, strict=strict)
        self._opening: deque[str] = deque()
        self._channels: dict[str, int] = {}
        self._clients: dict[str, TcpClient] = {}
        self._tickets: dict[tuple[str, int], int] = {}
        self._shapes: dict[bytes, Mapping[str, Any]] = {}
        self._later: list[tuple[Instant, int, str, bytes]] = []
        self._count = 0
        self._echo = 0
        self._stand_down = None if registers is None else StandDown(registers)
        self._over_tcp = False
        """Where the latest request went."""
        self._last_words: LastWrites | None = None
        self._quiet_at: Instant = 0

    # --- what the bench wants -------------------------------------------------------------------------

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """See the class; an unknown verb, and a connection that is not open, raise :class:`UsageError`."""
        if verb not in _VERBS:
            raise UsageError(f"{self.name} cannot {verb}; it knows {', '.join(_VERBS)}")
        on = str(arguments["on"])
        if verb == "open":
            self._open(on)
        elif on != RTU and on not in self._channels:
            raise UsageError(f"{self.name} has no connection {on!r}; it has {', '.join(self._channels) or 'none'}")
        elif verb == "close":
            self._close(on, reset=bool(arguments.get("reset")), now=now)
        elif verb == "send":
            self._send(on, bytes.fromhex(arguments["data"]))
        elif verb == "request":
            self._request(on, arguments, now)
        else:
            self._pipeline(on, arguments["requests"], now)
        self._settle(now)

    def _open(self, on: str) -> None:
        if on == RTU or on in self._channels or on in self._opening:
            raise UsageError(f"{self.name}: {on!r} is open already, or the serial line")
        self._opening.append(on)
        self.wishes.append(Open(self._tcp))

    def _close(self, on: str, *, reset: bool, now: Instant) -> None:
        if on == RTU:
            raise UsageError(f"{self.name}: there is nothing to close on the serial line")
        self.wishes.append(Shut(self._tcp, self._channels.pop(on), reset))
        self._clients[on].closed(now)
        self.notes.append(Note(now, KIND, f"closed {on}"))

    def _request(self, on: str, given: Mapping[str, Any], now: Instant) -> None:
        request = decode_request(bytes.fromhex(given["pdu"]))
        unit = int(given["unit"])
        # What is sent in pieces is asked with the last of them.
        sending: Span = int(given.get("pause", 0)) + int(given.get("gap", 0)) * len(given.get("cuts", ()))
        timeout = given.get("timeout")
        if sending:
            timeout = int(timeout or TIMEOUT) + sending
        if on == RTU:
            token = self._rtu.request(request, now, unit=unit, timeout=timeout, crc=given.get("crc"))
        else:
            token = self._clients[on].request(
                request,
                now,
                unit=unit,
                timeout=timeout,
                transaction=given.get("transaction"),
                protocol=int(given.get("protocol", 0)),
                length=given.get("length"),
            )
        self._tickets[on, token] = int(given["ticket"])
        if not any(given.get(each) is not None for each in _WRONG):
            self._note_request(on, unit, request)
        self._carry(on, given, now)

    def _pipeline(self, on: str, requests: Sequence[Mapping[str, Any]], now: Instant) -> None:
        if on == RTU:
            raise UsageError(f"{self.name}: a serial line has one request at a time")
        client = self._clients[on]
        for given in requests:
            request = decode_request(bytes.fromhex(given["pdu"]))
            token = client.request(request, now, unit=int(given["unit"]), timeout=given.get("timeout"))
            self._tickets[on, token] = int(given["ticket"])
            self._note_request(on, int(given["unit"]), request)
        self._send(on, b"".join(client.bytes_to_send()))

    def _note_request(self, on: str, unit: int, request: Request) -> None:
        if self._stand_down is not None:
            self._over_tcp = on != RTU
            self._stand_down.asked(unit, request)

    def _carry(self, on: str, given: Mapping[str, Any], now: Instant) -> None:
        """Send the frame that a request has become, in the shape that is wanted.

        On the serial line it may still wait for the silence before it; so does its shape.
        """
        for frame in (self._rtu if on == RTU else self._clients[on]).bytes_to_send():
            self._shape(on, frame, given, now)
            return
        if on == RTU:
            self._shapes[b""] = given

    def _shape(self, on: str, frame: bytes, given: Mapping[str, Any], now: Instant) -> None:
        before = bytes.fromhex(given.get("before", ""))
        frame += bytes.fromhex(given.get("after", ""))
        gap: Span = int(given.get("gap", 0))
        at = now
        if given.get("pause"):
            self._send(on, before)
            at += int(given["pause"]) + (self._timing.span(len(before)) if on == RTU else 0)
        else:
            frame = before + frame
        cuts = [0, *given.get("cuts", ()), len(frame)]
        for begin, end in pairwise(cuts):
            piece = frame[begin:end]
            if at == now:
                self._send(on, piece, by_byte=len(cuts) > _WHOLE)
            else:
                self._count += 1
                heapq.heappush(self._later, (at, self._count, on, piece))
            at += gap + (self._timing.span(len(piece)) if on == RTU else 0)

    def _send(self, on: str, data: bytes, *, by_byte: bool = False) -> None:
        if on == RTU:
            self._echo += len(data) if self._strict else 0
            pieces = [data[at : at + 1] for at in range(len(data))] if by_byte else [data]
            self.wishes += [Send(self._serial, piece) for piece in pieces]
        elif on in self._channels:
            self.wishes.append(Send(self._tcp, data, self._channels[on]))

    # --- what the world tells -------------------------------------------------------------------------

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """A connection is open."""
        name = self._opening.popleft()
        self._channels[name] = channel
        self._clients[name] = TcpClient()
        self.notes.append(Note(now, KIND, f"opened {name}"))

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """A connection has ended, or was refused."""
        name = next((each for each, at in self._channels.items() if at == channel), None)
        if name is None:
            name = self._opening.popleft()
        else:
            del self._channels[name]
            self._clients[name].closed(now)
        self.notes.append(Note(now, KIND, f"{kind} {name}"))
        self._settle(now)

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes have come; what it hears of its own sending is left out."""
        if line == self._serial:
            self._quiet_at = now + self._timing.between
            own = min(self._echo, len(data))
            self._echo -= own
            if self._listens and not own:
                self._rtu.receive(data, now, flaw)
        else:
            name = next((each for each, at in self._channels.items() if at == channel), "")
            if name:
                self._clients[name].receive(data, now)
        self._settle(now)

    def signal(self, name: str, value: float, now: Instant) -> None:
        """It senses nothing."""

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        while self._later and self._later[0][0] <= now:
            _, _, on, piece = heapq.heappop(self._later)
            self._send(on, piece, by_byte=True)
        self._rtu.wake(now)
        for client in self._clients.values():
            client.wake(now)
        self._settle(now)

    def part(self, now: Instant, *, waited: bool) -> bool:
        """Write the charger's "do not charge", where something else was written here (see :class:`StandDown`)."""
        if self._last_words is None:
            self._later.clear()
            self._last_words = LastWrites([] if self._stand_down is None else self._stand_down.words())
        if self._last_words.said:
            return True
        if self._over_tcp and not self._channels:
            if not self._opening:
                self._open(_LAST)
            return waited
        clients = self._clients.values() if self._over_tcp else (self._rtu,)
        if waited or not (any(client.pending for client in clients) or now < self._quiet_at):
            block = self._last_words.take(now)
            if block is not None:
                line, channel = self._way()
                self.wishes.append(Send(line, frame_of(block, tcp=self._over_tcp), channel))
        return self._last_words.said

    def _way(self) -> tuple[str, int]:
        """The line on which the device was asked, and its latest connection there."""
        return (self._tcp, [*self._channels.values()][-1]) if self._over_tcp else (self._serial, 0)

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        deadlines = [self._rtu.next_deadline(), *(client.next_deadline() for client in self._clients.values())]
        deadlines += [self._later[0][0]] if self._later else []
        return min((each for each in deadlines if each is not None), default=None)

    def _settle(self, now: Instant) -> None:
        for frame in self._rtu.bytes_to_send():
            self._shape(RTU, frame, self._shapes.pop(b"", {}), now)
        for event in self._rtu.events():
            self._tell(RTU, event, now)
        for name, client in self._clients.items():
            for event in client.events():
                self._tell(name, event, now)

    def _tell(self, on: str, event: Event, now: Instant) -> None:
        if isinstance(event, Stray):
            details: dict[str, Scalar] = {"on": on, "bytes": show_bytes(event.data), "why": str(event.kind)}
            self.notes.append(Note(now, KIND, "stray", details))
            return
        if self._stand_down is not None and isinstance(event, Answered):
            self._stand_down.answered(event.transaction.unit, event.transaction.request, event.reply)
        key = (on, event.transaction.token)
        ticket = self._tickets[key] if ending(event) is None else self._tickets.pop(key)
        self.notes.append(Note(now, KIND, *_told(event, ticket)))


def _told(event: Answered | Faulty | NoReply | Lost, ticket: int) -> tuple[str, dict[str, Scalar]]:
    details: dict[str, Scalar] = {"sent": event.transaction.sent, "at": event.at}
    if isinstance(event, Answered):
        return f"done {ticket}", details | {"outcome": "reply", "bytes": show_bytes(event.frame)}
    if isinstance(event, NoReply):
        return f"done {ticket}", details | {"outcome": "silence"}
    if isinstance(event, Lost):
        return f"done {ticket}", details | {"outcome": "lost"}
    malformed = event.malformed
    details |= {"outcome": "malformed", "bytes": show_bytes(malformed.data), "fault": str(malformed.fault)}
    details |= {"text": malformed.text, "due": malformed.due}
    return f"{'done' if event.final else 'bytes'} {ticket}", details
