"""A reference device on a TCP connection or a serial line: bytes and instants in, bytes out.

The cutting into frames is done here and not by pymodbus' framers, which stall for ever on a wrong
protocol id, hunt for requests inside a spoilt frame and know no silences. They build the replies.
"""

from __future__ import annotations

from collections import deque

from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU

from hil.dut.modbus.responder import Responder
from hil.dut.modbus.spec import WRITES, SerialTiming
from hil.units import Instant

_LENGTHS = range(2, 256)
"""One byte beyond the protocol's 254: a request for one register too many is answered by exception 03."""
_MAX_RTU, _MIN_RTU = 256, 4
_PREFIX = 6


class _Answers:
    """Replies on their way out."""

    def __init__(self, responder: Responder) -> None:
        self.responder = responder
        self._waiting: deque[tuple[Instant, bytes]] = deque()
        self._out: list[bytes] = []

    def _reply(self, frame: bytes, now: Instant) -> None:
        latency = self.responder.spec.latency
        if latency:
            self._waiting.append((now + latency, frame))
        else:
            self._out.append(frame)

    def _release(self, now: Instant) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            self._out.append(self._waiting.popleft()[1])

    def bytes_to_send(self) -> list[bytes]:
        """What is to be sent, each item at once; taken away by this call."""
        out, self._out = self._out, []
        return out


class TcpServer(_Answers):
    """One connection of a client. ``closing``: the device wants it to end."""

    def __init__(self, responder: Responder) -> None:
        super().__init__(responder)
        self._framer = FramerSocket(DecodePDU(is_server=True))
        self._buffer = b""
        self.closing = False

    def receive(self, data: bytes, now: Instant) -> None:
        """Bytes have come. Frames of another protocol are dropped; an impossible length ends the connection."""
        if self.closing:
            return
        buffer = self._buffer + data
        while len(buffer) >= _PREFIX:
            length = buffer[4] << 8 | buffer[5]
            if length not in _LENGTHS:
                self.closing = True
                return
            end = _PREFIX + length
            if len(buffer) < end:
                break
            frame, buffer = buffer[:end], buffer[end:]
            if frame[2:4] == b"\0\0":
                self._serve(frame, now)
        self._buffer = buffer

    def _serve(self, frame: bytes, now: Instant) -> None:
        unit = frame[6]
        reply = self.responder.answer(unit, frame[7:], now)
        if reply is not None:
            reply.dev_id, reply.transaction_id = unit, frame[0] << 8 | frame[1]
            self._reply(self._framer.buildFrame(reply), now)

    def next_deadline(self) -> Instant | None:
        """When to call :meth:`wake`; earlier does no harm."""
        return self._waiting[0][0] if self._waiting else None

    def wake(self, now: Instant) -> None:
        """Send what is due."""
        self._release(now)


class RtuServer(_Answers):
    """The device on a serial line."""

    def __init__(self, responder: Responder, timing: SerialTiming) -> None:
        super().__init__(responder)
        self.timing = timing
        self._framer = FramerRTU(DecodePDU(is_server=True))
        self._buffer = b""
        self._last: Instant = 0
        self._spoilt = False

    def receive(self, data: bytes, now: Instant, flaw: str = "") -> None:
        """Bytes have come that follow each other without a gap; the last one ended at ``now``.

        ``flaw`` is what the receiver tells of them (``parity``, ``framing``); it spoils the frame.
        """
        begun = now - len(data) * self.timing.character
        self._silence(begun)
        gap = begun - self._last
        self._spoilt |= bool(flaw) or bool(self._buffer and gap > self.timing.inner)
        self._buffer += data
        if len(self._buffer) > _MAX_RTU:
            self._spoilt, self._buffer = True, self._buffer[:_MAX_RTU]
        self._last = now

    def next_deadline(self) -> Instant | None:
        """When to call :meth:`wake`; earlier does no harm."""
        ends = [self._last + self.timing.between] if self._buffer else []
        return min(ends + [instant for instant, _ in self._waiting], default=None)

    def wake(self, now: Instant) -> None:
        """End a frame after its silence, send what is due."""
        self._silence(now)
        self._release(now)

    def _silence(self, now: Instant) -> None:
        ended = self._last + self.timing.between
        if self._buffer and now >= ended:
            frame, spoilt = self._buffer, self._spoilt
            self._buffer, self._spoilt = b"", False
            found = None if spoilt else self._whole(frame)
            if found is not None:
                self._serve(found[0], found[1:-2], ended)

    def _whole(self, frame: bytes) -> bytes | None:
        """The frame where its check is right, else None."""
        return frame if len(frame) >= _MIN_RTU and self._checked(frame) else None

    @staticmethod
    def _checked(frame: bytes) -> bool:
        return FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big"))

    def _serve(self, unit: int, pdu: bytes, now: Instant) -> None:
        if unit in self.responder.spec.broadcast:
            self._broadcast(pdu, now)
            return
        reply = self.responder.answer(unit, pdu, now)
        if reply is not None:
            self._reply(self._frame(unit, reply), now)

    def _broadcast(self, pdu: bytes, now: Instant) -> None:
        """Carry out a write for every unit of the device, without an answer."""
        if pdu[0] in WRITES:
            for unit in sorted(self.responder.spec.units or {0}):
                self.responder.answer(unit, pdu, now)

    def _frame(self, unit: int, reply: ModbusPDU) -> bytes:
        reply.dev_id, reply.transaction_id = unit, 0
        return self._framer.buildFrame(reply)
