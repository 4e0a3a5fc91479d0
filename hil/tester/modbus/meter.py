"""A Modbus meter as the bench plays it: the plant's values behind a register map, on a serial line or a TCP link."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hil.codec.register import BIT_TABLES, Register
from hil.codec.registers import READS, RegisterMap
from hil.errors import UsageError
from hil.protocol.modbus import (
    ExceptionReply,
    Read,
    Registers,
    RtuTiming,
    TcpFrame,
    TcpStream,
    crc_right,
    decode_request,
    encode_rtu,
    encode_tcp,
    violations,
)
from hil.units import MILLISECOND, Instant, Span
from hil.world.bytenode import Send, Wish
from hil.world.observation import Note

Sense = Callable[[str, Instant], float]
_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS, _ILLEGAL_VALUE = 1, 2, 3
_LATENCY: Span = 20 * MILLISECOND
_MOST = 256
_LEAST = 4


class ModbusMeter:
    """Answers reads of ``values``: register to the plant's sensor and the factor between them; 0 elsewhere.

    Orders (arguments): ``mute`` (``on``: it hears and answers nothing), ``gain`` (``register``, ``factor``: it tells
    that register wrongly).
    """

    def __init__(
        self,
        name: str,
        line: str,
        registers: RegisterMap,
        sense: Sense,
        values: Mapping[str, tuple[str, float]],
        *,
        timing: RtuTiming | None = None,
    ) -> None:
        """``timing`` is that of a serial line, without it the line is a TCP link."""
        self.name = name
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self._line = line
        self._map = registers
        self._sense = sense
        self._values = dict(values)
        self._timing = timing
        self._gains: dict[str, float] = {}
        self._mute = False
        self._buffer = b""
        self._heard: Instant = 0
        self._streams: dict[int, TcpStream] = {}
        self._out: list[tuple[Instant, bytes, int]] = []

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """See the class; an unknown verb raises :class:`UsageError`."""
        if verb == "mute":
            self._mute = bool(arguments["on"])
        elif verb == "gain":
            self._gains[str(arguments["register"])] = float(arguments["factor"])
        else:
            raise UsageError(f"{self.name} cannot {verb}; it knows mute, gain")

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """A client has come."""
        self._streams[channel] = TcpStream()

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """A client has gone."""
        self._streams.pop(channel, None)

    def signal(self, name: str, value: float, now: Instant) -> None:
        """Sensors are read when they are asked for."""

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes have come; its line is one without echo."""
        if self._timing is not None:
            self._end_frame(now - self._timing.span(len(data)))
            self._buffer = (self._buffer + data)[-_MOST:]
            self._heard = now
        elif channel in self._streams:
            for frame in self._streams[channel].feed(data):
                if isinstance(frame, TcpFrame):
                    reply = self._reply(frame.unit, frame.pdu, now)
                    if reply is not None:
                        self._put(encode_tcp(frame.transaction, frame.unit, reply), channel, now)

    def wake(self, now: Instant) -> None:
        """End a frame after its silence, send what is due."""
        self._end_frame(now)
        due = [each for each in self._out if each[0] <= now]
        self._out = [each for each in self._out if each[0] > now]
        for _, data, channel in due:
            self.wishes.append(Send(self._line, data, channel))

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        dues = [at for at, _, _ in self._out]
        if self._buffer and self._timing is not None:
            dues.append(self._heard + self._timing.between)
        return min(dues, default=None)

    # --- answers ------------------------------------------------------------------------------------

    def _end_frame(self, now: Instant) -> None:
        if not self._buffer or self._timing is None or now < self._heard + self._timing.between:
            return
        frame, self._buffer = self._buffer, b""
        if len(frame) >= _LEAST and crc_right(frame):
            reply = self._reply(frame[0], frame[1:-2], self._heard + self._timing.between)
            if reply is not None:
                self._put(encode_rtu(frame[0], reply), 0, now)

    def _put(self, data: bytes, channel: int, now: Instant) -> None:
        self._out.append((now + _LATENCY, data, channel))

    def _reply(self, unit: int, pdu: bytes, now: Instant) -> bytes | None:
        if self._mute or unit != self._map.unit_id or not pdu:
            return None
        request = decode_request(pdu)
        readable = (t for t, codes in self._map.functions.items() if pdu[0] in codes and pdu[0] in READS[t])
        table = next((t for t in readable if t not in BIT_TABLES), None)
        if table is None:
            return ExceptionReply(pdu[0], _ILLEGAL_FUNCTION).encode()
        if not isinstance(request, Read) or violations(request):
            return ExceptionReply(pdu[0], _ILLEGAL_VALUE).encode()
        words: list[int] = [0] * request.count
        touched = [r for r in self._map.at(self._map.unit_id, table) if request.address <= r.address]
        touched = [r for r in touched if r.end <= request.address + request.count]
        if not touched:
            return ExceptionReply(pdu[0], _ILLEGAL_ADDRESS).encode()
        for register in touched:
            at = register.address - request.address
            words[at : at + register.size] = self._words(register, now)
        return Registers(pdu[0], tuple(words)).encode()

    def _words(self, register: Register, now: Instant) -> tuple[int, ...]:
        source = self._values.get(register.name)
        if source is None:
            return (0,) * register.size
        sensor, factor = source
        return register.encode(self._sense(sensor, now) * factor * self._gains.get(register.name, 1.0))
