"""The reference device as a node: a TCP server, a station on RS-485, one store of values behind both."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pymodbus.pdu import ExceptionResponse, ModbusPDU

from hil.codec.registers import RegisterMap
from hil.dut.modbus.line import RtuServer, TcpServer
from hil.dut.modbus.responder import Responder
from hil.dut.modbus.served import ServedMap
from hil.dut.modbus.spec import BUSY, FAILURE, Data, Refused, SerialTiming, ServerSpec
from hil.dut.modbus.store import Store
from hil.errors import UsageError
from hil.units import Instant, Span
from hil.world.bytenode import Send, Shut, Wish
from hil.world.observation import Note

TCP, RTU = "tcp", "rtu"
Asked = tuple[int, bytes]
"""Unit and PDU of a request."""
Pieces = Sequence[tuple[Span, bytes]]
"""What is sent, each piece so long after the reply is due."""


def _same_bytes(line: str, data: bytes) -> bytes | None:
    return data


def _same_request(line: str, unit: int, pdu: bytes) -> Asked | None:
    return unit, pdu


def _same_reply(line: str, asked: bytes, reply: bytes) -> Pieces:
    return ((0, reply),)


def _same_data(data: Data) -> Data:
    return data


def _states() -> dict[str, Refused]:
    return {"busy": BUSY, "failed": FAILURE}


@dataclass(frozen=True)
class DeviceSpec:
    """Everything about the device; the last fields are identities that seeded faults exchange."""

    registers: RegisterMap
    server: ServerSpec
    timing: SerialTiming
    clients: int = 0
    """Connections at a time; one more is closed at once. 0 for any number."""
    idle_close: Span = 0
    """A connection without a request for so long is closed; 0 for never."""
    states: Mapping[str, Refused] = field(default_factory=_states)
    """What every request gets in a state that was ordered."""
    sees_flaws: bool = True
    """Parity and framing errors of the receiver spoil a frame."""
    one_at_a_time: bool = False
    """Loses what comes on a connection while it answers."""
    one_buffer: bool = False
    """Keeps an unfinished request for the next connection."""
    answers_latest: bool = False
    """Answers on the latest connection, whoever asked."""
    hears_itself: bool = False
    """Takes the echo of its own replies on RS-485 for requests."""
    hear: Callable[[str, bytes], bytes | None] = _same_bytes
    """``tcp`` or ``rtu``, and a segment or chunk as it came: what the device makes of it; None for nothing."""
    frame: Callable[[str, bytes], bytes | None] = _same_bytes
    """A whole frame, before its check; None for nothing."""
    take: Callable[[str, int, bytes], Asked | None] = _same_request
    """Unit and PDU of a frame that was right; None for nothing."""
    say: Callable[[str, bytes, bytes], Pieces] = _same_reply
    """Frames of request and reply: what is sent of it."""
    data: Callable[[Data], Data] = _same_data
    """What stands between the requests and the served map."""
    dies: Callable[[str, bytes], bool] = lambda line, data: False
    """A segment or chunk after which it hears nothing more on that line."""

    def but(self, **changes: Any) -> DeviceSpec:
        """The same with other values."""
        return replace(self, **changes)

    def serving(self, **changes: Any) -> DeviceSpec:
        """The same with other values of the server."""
        return replace(self, server=replace(self.server, **changes))


class _Answering(Responder):
    """Answers as the state of the device allows."""

    def __init__(self, spec: DeviceSpec) -> None:
        super().__init__(spec.server, spec.data(ServedMap(spec.registers, Store(spec.registers))))
        self.refusal: Refused | None = None

    def answer(self, unit: int, pdu: bytes, now: Instant) -> ModbusPDU | None:
        """The reply at an instant; None for silence."""
        reply = super().answer(unit, pdu, now)
        if reply is None or self.refusal is None:
            return reply
        return ExceptionResponse(pdu[0], self.refusal.code)


class _Tcp(TcpServer):
    """A connection, with the device's ways."""

    def __init__(self, spec: DeviceSpec, responder: Responder) -> None:
        super().__init__(responder)
        self._spec = spec
        self._asked = b""
        self.heard: Instant = 0

    def take(self, data: bytes, now: Instant) -> None:
        """A segment has come."""
        self.heard = now
        made = self._spec.hear(TCP, data)
        if made and not (self._spec.one_at_a_time and self._waiting):
            self.receive(made, now)

    def _serve(self, frame: bytes, now: Instant) -> None:
        found = self._spec.frame(TCP, frame)
        taken = None if found is None else self._spec.take(TCP, found[6], found[7:])
        if found is not None and taken is not None:
            self._asked = found
            super()._serve(found[:6] + bytes((taken[0],)) + taken[1], now)

    def _reply(self, frame: bytes, now: Instant) -> None:
        _send(self, self._spec.say(TCP, self._asked, frame), now, self._waiting, self._out)


class _Rtu(RtuServer):
    """The station, with the device's ways."""

    def __init__(self, spec: DeviceSpec, responder: Responder) -> None:
        super().__init__(responder, spec.timing)
        self._spec = spec
        self._asked = b""

    def take(self, data: bytes, flaw: str, now: Instant) -> None:
        """A chunk has come."""
        made = self._spec.hear(RTU, data)
        if made:
            self.receive(made, now, flaw if self._spec.sees_flaws else "")

    def _whole(self, frame: bytes) -> bytes | None:
        found = self._spec.frame(RTU, frame)
        return None if found is None else super()._whole(found)

    def _serve(self, unit: int, pdu: bytes, now: Instant) -> None:
        self._asked = bytes((unit,)) + pdu
        taken = self._spec.take(RTU, unit, pdu)
        if taken is not None:
            super()._serve(*taken, now)

    def _reply(self, frame: bytes, now: Instant) -> None:
        _send(self, self._spec.say(RTU, self._asked, frame), now, self._waiting, self._out)


def _send(
    server: TcpServer | RtuServer,
    pieces: Pieces,
    now: Instant,
    waiting: deque[tuple[Instant, bytes]],
    out: list[bytes],
) -> None:
    due = now + server.responder.spec.latency
    for delay, piece in pieces:
        if due + delay > now:
            waiting.append((due + delay, piece))
        else:
            out.append(piece)


class ModbusDevice:
    """The node. Orders: ``state`` (``name``: ``busy``, ``failed``, or empty for well)."""

    def __init__(self, spec: DeviceSpec, tcp: str, serial: str, name: str = "device", *, echo: bool = True) -> None:
        """``echo``: on the serial line it hears what it sends."""
        self.name = name
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self._spec = spec
        self._responder = _Answering(spec)
        self._rtu = _Rtu(spec, self._responder)
        self._connections: dict[int, _Tcp] = {}
        self._lines = {TCP: tcp, RTU: serial}
        self._drops_echo = echo and not spec.hears_itself
        self._echo = 0
        self._dead: set[str] = set()
        self._last: _Tcp | None = None

    # --- what the world tells -------------------------------------------------------------------------

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """A client has come."""
        if self._spec.clients and len(self._connections) >= self._spec.clients:
            self.wishes.append(Shut(line, channel))
            return
        connection = self._last if self._spec.one_buffer else None
        connection = connection or _Tcp(self._spec, self._responder)
        connection.heard = now
        self._connections[channel] = self._last = connection

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """A client has gone."""
        self._connections.pop(channel, None)

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes have come."""
        own = 0
        if line == self._lines[RTU]:
            own = min(self._echo, len(data))
            self._echo -= own
        if not own and self._spec.dies(RTU if line == self._lines[RTU] else TCP, data):
            self._dead.add(line)
        if own or line in self._dead:
            return
        if line == self._lines[RTU]:
            self._rtu.take(data, flaw, now)
        elif channel in self._connections:
            self._connections[channel].take(data, now)
        self._settle(now)

    def signal(self, name: str, value: float, now: Instant) -> None:
        """It senses nothing."""

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """See the class; an unknown verb or state raises :class:`UsageError`."""
        state = arguments.get("name", "")
        if verb != "state" or (state and state not in self._spec.states):
            raise UsageError(f"{self.name} cannot {verb} {state}: it knows state {', '.join(self._spec.states)}")
        self._responder.refusal = self._spec.states.get(state)
        self.notes.append(Note(now, "state", state or "well"))

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        self._rtu.wake(now)
        for connection in self._connections.values():
            connection.wake(now)
            if self._spec.idle_close and now >= connection.heard + self._spec.idle_close:
                connection.closing = True
        self._settle(now)

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        deadlines = [self._rtu.next_deadline()]
        for connection in self._connections.values():
            deadlines.append(connection.next_deadline())
            if self._spec.idle_close:
                deadlines.append(connection.heard + self._spec.idle_close)
        return min((each for each in deadlines if each is not None), default=None)

    def _settle(self, now: Instant) -> None:
        for piece in self._rtu.bytes_to_send():
            self._echo += len(piece) if self._drops_echo else 0
            self.wishes.append(Send(self._lines[RTU], piece))
        for channel, connection in list(self._connections.items()):
            to = max(self._connections) if self._spec.answers_latest else channel
            self.wishes += [Send(self._lines[TCP], piece, to) for piece in connection.bytes_to_send()]
            if connection.closing:
                del self._connections[channel]
                self.wishes.append(Shut(self._lines[TCP], channel))
