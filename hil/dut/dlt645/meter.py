"""The reference meter as a node on a byte line: requests in, answers out, the plant in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from hil.bus.serial import SerialFormat
from hil.dut.dlt645.registers import Registers, Sense
from hil.dut.dlt645.spec import MeterSpec
from hil.errors import UsageError
from hil.protocol.dlt645 import (
    ANSWER,
    BAUD_RATES,
    ERROR,
    WAKE,
    WILDCARD,
    Broken,
    ErrorWord,
    Frame,
    Framer,
    Function,
    ReadServer,
    RelayCommand,
    addressed,
    read_time,
)
from hil.protocol.dlt645.frame import SHIFT, START
from hil.units import FAR, Instant
from hil.world.bytenode import Send, SetFormat, Wish
from hil.world.observation import Note

_MOST_WRITTEN = 50


class Refusal(Exception):  # noqa: N818 - it is an answer, not an error of ours
    """A request is answered with an error word."""

    def __init__(self, error: ErrorWord) -> None:
        super().__init__(error.name)
        self.error = error


class Meter:
    """A meter on ``line``; ``sense`` reads the plant. Orders: none, a meter has no buttons.

    A relay command is carried out on the actuator ``relay`` where one is given (1 is closed) and always
    noted, as are changes of address and baud rate.
    """

    def __init__(self, name: str, line: str, sense: Sense, spec: MeterSpec | None = None, *, relay: str = "") -> None:
        self.name = name
        self.spec = spec or MeterSpec()
        self.registers = Registers(self.spec, sense)
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self._line = line
        self._relay = relay
        self._framer = Framer()
        self._heard: Instant = 0
        self._now: Instant = 0
        self._quiet_from: Instant = 0
        self._reads = ReadServer(lambda di: self.registers.lookup(di, self._now), self.spec.room)
        self._outbox: deque[tuple[Instant, bytes, int, SerialFormat | None]] = deque()
        self._handlers: Mapping[int, Callable[[Frame], bytes]] = {
            Function.SECURITY: self._refuse,
            Function.BROADCAST_TIME: self._time,
            Function.READ_ADDRESS: lambda _: bytes.fromhex(self.registers.address)[::-1],
            Function.WRITE: self._write,
            Function.WRITE_ADDRESS: self._write_address,
            Function.FREEZE: self._freeze,
            Function.CHANGE_BAUD: self._change_baud,
            Function.CHANGE_PASSWORD: self._change_password,
            Function.CLEAR_DEMAND: self._clear,
            Function.CLEAR_METER: self._clear,
            Function.CLEAR_EVENTS: self._clear,
            Function.RELAY: self._switch,
            Function.OUTPUT: self._output,
        }

    # --- for the world ------------------------------------------------------------------------------

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes have come; what is wrong with them is dropped in silence."""
        self.wake(now)
        self._heard = now
        if not data.startswith(bytes((WAKE,)) * self.spec.wakes):
            return
        believed = not flaw or (flaw == "parity" and self.spec.believes_flaws)
        found = self._framer.feed(data) if believed else self._framer.spoil(data, flaw)
        if any(isinstance(each, Broken) for each in found):
            self._quiet_from = now + self.spec.needs_quiet
        if now < self._quiet_from:
            return
        for each in found:
            frame = each if isinstance(each, Frame) else self._forgiven(each)
            if frame is not None:
                self._request(frame, channel, now)
        self._flush(now)

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """Connections need nothing: an answer goes back where its request came from."""

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """As for :meth:`opened`."""

    def signal(self, name: str, value: float, now: Instant) -> None:
        """Sensors are read when they are asked for."""

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """There is nothing to order: :class:`UsageError`."""
        raise UsageError(f"{self.name} takes no orders, {verb!r} neither")

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        if self._framer.waiting and now >= self._heard + self.spec.gap:
            self._framer.expire()
        self._flush(now)

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        nearest = self._outbox[0][0] if self._outbox else FAR
        if self._framer.waiting:
            nearest = min(nearest, self._heard + self.spec.gap)
        return None if nearest == FAR else nearest

    # --- requests -----------------------------------------------------------------------------------

    def _forgiven(self, broken: Broken) -> Frame | None:
        """A request with a wrong sum, for a meter that does not look at it."""
        if self.spec.verify or broken.why != "checksum":
            return None
        raw = bytearray(broken.raw.lstrip(bytes((WAKE,))))
        raw[-2] = sum(raw[:-2]) & 0xFF
        found = Framer().feed(bytes(raw))
        return found[0] if found and isinstance(found[0], Frame) else None

    def _request(self, frame: Frame, channel: int, now: Instant) -> None:
        spec, own = self.spec, self.registers.address
        if spec.begins_anew and START - SHIFT in frame.data:
            return
        if spec.answers_answers:
            frame = replace(frame, control=frame.control & ~ANSWER)
        whom = addressed(frame, own)
        if not whom and spec.answers_strangers and not frame.from_meter:
            whom = "me"
        if not whom or (whom == "me" and "A" in frame.address and not spec.wildcard):
            return
        self._now = now
        answer = self._answer(frame)
        silent = whom == "all" or frame.function == Function.BROADCAST_TIME
        if answer is None or frame.function in spec.mute or (silent and not spec.answers_broadcast):
            return
        self._put(answer, channel, now)

    def _answer(self, frame: Frame) -> Frame | None:
        own, function = self.registers.address, frame.function
        if frame.control & 0x60 or function in self.spec.missing:
            return None
        if function in self.spec.errors:
            return Frame(own, function | ANSWER | ERROR, bytes((self.spec.errors[function],)))
        if function in (Function.READ, Function.READ_FOLLOWING):
            return self._reads.answer(frame, own)
        if function == Function.READ_ADDRESS and frame.address != WILDCARD:
            return None
        handler = self._handlers.get(function)
        if handler is None:
            return None
        try:
            data = handler(frame)
        except Refusal as refusal:
            return Frame(own, function | ANSWER | ERROR, bytes((refusal.error,)))
        return Frame(self.registers.address, function | ANSWER, b"" if function in self.spec.empty else data)

    # --- functions ----------------------------------------------------------------------------------

    def _refuse(self, _: Frame) -> bytes:
        raise Refusal(ErrorWord.OTHER)

    def _time(self, frame: Frame) -> bytes:
        data = frame.data[::-1] if self.spec.time_year_first else frame.data
        moment = read_time(data)
        if moment is not None and self.spec.sets_clock:
            self.registers.set_clock(moment, self._now)
        return b""

    def _authorise(self, block: bytes) -> None:
        """PA P0 P1 P2, then the operator's code (4)."""
        given = block[:4] if self.spec.password_first else block[4:8]
        right = bytes((self.spec.level,)) + self.registers.password
        if len(block) < 8 or (self.spec.checks_password and given != right):
            raise Refusal(ErrorWord.NOT_AUTHORISED)

    def _write(self, frame: Frame) -> bytes:
        if not 12 < len(frame.data) <= _MOST_WRITTEN:
            raise Refusal(ErrorWord.OTHER)
        self._authorise(frame.data[4:12])
        if not self.registers.write(int.from_bytes(frame.data[:4], "little"), frame.data[12:], self._now):
            raise Refusal(ErrorWord.NO_SUCH_DATA)
        return b""

    def _write_address(self, frame: Frame) -> bytes:
        digits = frame.data[::-1].hex()
        if len(digits) != 12 or not digits.isdigit():
            raise Refusal(ErrorWord.OTHER)
        if self.spec.stores:
            self.registers.address = digits
            self.notes.append(Note(self._now, "meter", "address", {"address": digits}))
        return b""

    def _freeze(self, frame: Frame) -> bytes:
        if len(frame.data) != 4:
            raise Refusal(ErrorWord.OTHER)
        self.registers.freeze(self._now)
        return b""

    def _change_baud(self, frame: Frame) -> bytes:
        if len(frame.data) != 1 or (frame.data[0] not in BAUD_RATES and not self.spec.any_baud):
            raise Refusal(ErrorWord.BAUD_FIXED)
        return frame.data

    def _change_password(self, frame: Frame) -> bytes:
        if len(frame.data) != 12:
            raise Refusal(ErrorWord.OTHER)
        right = bytes((self.spec.level,)) + self.registers.password
        if self.spec.checks_password and frame.data[4:8] != right:
            raise Refusal(ErrorWord.NOT_AUTHORISED)
        if self.spec.stores:
            self.registers.password = frame.data[9:12]
        return frame.data[8:12]

    def _clear(self, frame: Frame) -> bytes:
        self._authorise(frame.data[:8])
        if frame.function == Function.CLEAR_METER and self.spec.clears:
            self.registers.clear(self._now)
        return b""

    def _switch(self, frame: Frame) -> bytes:
        if len(frame.data) != 16:
            raise Refusal(ErrorWord.OTHER)
        self._authorise(frame.data[:8])
        expires, command = read_time(frame.data[10:16]), frame.data[8]
        expired = expires is None or expires < self.registers.clock(self._now)
        if (expired or command not in set(RelayCommand)) and not self.spec.any_relay:
            raise Refusal(ErrorWord.OTHER)
        if command not in set(RelayCommand):
            return b""
        self.notes.append(Note(self._now, "meter", "relay", {"command": RelayCommand(command).name}))
        if self._relay and command in (RelayCommand.TRIP, RelayCommand.CLOSE):
            self.actuations.append((self._relay, float(command == RelayCommand.CLOSE)))
        return b""

    def _output(self, frame: Frame) -> bytes:
        if len(frame.data) != 1 or frame.data[0] > 2:
            raise Refusal(ErrorWord.OTHER)
        return frame.data

    # --- output -------------------------------------------------------------------------------------

    def _put(self, answer: Frame, channel: int, now: Instant) -> None:
        retune = None
        told = answer.control == Function.CHANGE_BAUD | ANSWER and answer.data[:1]
        if told and answer.data[0] in BAUD_RATES and self.spec.retunes:
            retune = self._retuned(BAUD_RATES[answer.data[0]])
        self._outbox.append((now + self.spec.answer_delay, self._encode(answer), channel, retune))

    def _retuned(self, baud: int) -> SerialFormat:
        kept = self.spec.format
        return SerialFormat(baud, kept.bits, kept.parity, kept.stop)

    def _encode(self, answer: Frame) -> bytes:
        spec = self.spec
        control = answer.control if spec.answer_bit else answer.control & 0x7F
        shifted = bytes(byte + spec.shift - 0x33 & 0xFF for byte in answer.data)
        data = bytearray(replace(answer, control=control, data=shifted).encode(spec.wake))
        data[-2] = data[-2] + spec.check_offset & 0xFF
        data[-1] = spec.end
        return bytes(data)

    def _flush(self, now: Instant) -> None:
        while self._outbox and self._outbox[0][0] <= now:
            _, data, channel, retune = self._outbox.popleft()
            self.wishes.append(Send(self._line, data, channel))
            if retune is not None:
                self.wishes.append(SetFormat(self._line, retune))
                self.notes.append(Note(now, "meter", "baud", {"baud": retune.baud}))
