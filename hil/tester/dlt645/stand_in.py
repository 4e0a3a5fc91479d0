"""A meter as the bench plays it for a charger that reads one: the plant's values, or what the bench orders."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from hil.errors import CodecError, UsageError
from hil.protocol.dlt645 import (
    ANSWER,
    BYTE_GAP,
    ERROR,
    MISSING,
    WILDCARD,
    ErrorWord,
    Frame,
    Framer,
    Function,
    ReadServer,
    RelayCommand,
    addressed,
    encode_value,
    item,
    read_time,
)
from hil.tester.orders import need, need_bytes
from hil.units import FAR, MILLISECOND, Instant, Span
from hil.world.bytenode import Send, Wish
from hil.world.observation import Note, Scalar

KIND = "dlt645"
_DELAY: Span = 50 * MILLISECOND

_OBEYED: Mapping[int, int] = {Function.FREEZE: 4, Function.OUTPUT: 1, Function.RELAY: 16}
"""Functions that it obeys, and their data bytes."""
_REFUSED: Mapping[int, ErrorWord] = {
    Function.CHANGE_BAUD: ErrorWord.BAUD_FIXED,
    **dict.fromkeys(
        (
            *(Function.WRITE, Function.WRITE_ADDRESS, Function.CHANGE_PASSWORD),
            *(Function.CLEAR_DEMAND, Function.CLEAR_METER, Function.CLEAR_EVENTS),
        ),
        ErrorWord.NOT_AUTHORISED,
    ),
}

Sense = Callable[[str, Instant], float]


class MeterStandIn:
    """Answers reads, address requests, freezes, outputs and relay commands on ``line``.

    What would change it (writing, clearing, another password or address) it refuses for want of a password, another
    baud rate because its own is fixed: a bench decides by orders what its meter shows.

    ``values`` names for each item the sensor and the factor that it shows. Orders (arguments): ``show``
    (``di``, ``value`` a number or a text: this instead of the sensor's), ``show_bytes`` (``di``, ``data`` in
    hex), ``true`` (``di``; the sensor again, without one for all), ``mute`` (``on``), ``delay`` (``span``),
    ``corrupt`` (``on``: a wrong sum), ``refuse`` (``error``; 0 ends it), ``send`` (``data`` in hex).

    Notes of kind ``dlt645``: ``asked 02010100`` or ``asked 08`` with ``address`` and ``data``,
    ``time`` (``moment``) for a broadcast, ``relay`` (``command``, ``moment`` of its expiry).
    """

    def __init__(
        self, name: str, line: str, sense: Sense, values: Mapping[int, tuple[str, float]], address: str = "0" * 12
    ) -> None:
        for di in values:
            if item(di) is None:
                raise UsageError(f"{name}: no DL/T 645 item {di:08X}")
        self.name = name
        self.address = address
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self._line = line
        self._sense = sense
        self._values = dict(values)
        self._shown: dict[int, bytes] = {}
        self._framer = Framer()
        self._reads = ReadServer(self._lookup)
        self._heard: Instant = 0
        self._now: Instant = 0
        self._outbox: deque[tuple[Instant, bytes]] = deque()
        self._mute = self._corrupt = False
        self._error = 0
        self._delay = _DELAY

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes of the charger."""
        self.wake(now)
        self._heard = self._now = now
        for each in self._framer.spoil(data, flaw) if flaw else self._framer.feed(data):
            if isinstance(each, Frame):
                self._request(each, now)

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """A serial line has no connections."""

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """A serial line has no connections."""

    def signal(self, name: str, value: float, now: Instant) -> None:
        """Sensors are read when they are asked for."""

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """See the class; an unknown verb, item or value raises :class:`UsageError`."""
        if verb in ("show", "show_bytes"):
            self._show(need(arguments, "di", int), arguments)
        elif verb == "true":
            for di in [need(arguments, "di", int)] if "di" in arguments else list(self._shown):
                self._shown.pop(di, None)
        elif verb == "mute":
            self._mute = need(arguments, "on", bool)
        elif verb == "corrupt":
            self._corrupt = need(arguments, "on", bool)
        elif verb == "delay":
            self._delay = need(arguments, "span", int)
        elif verb == "refuse":
            self._error = need(arguments, "error", int)
        elif verb == "send":
            self.wishes.append(Send(self._line, need_bytes(arguments, "data")))
        else:
            known = "show, show_bytes, true, mute, corrupt, delay, refuse, send"
            raise UsageError(f"{self.name} cannot {verb}; it knows {known}")

    def _show(self, di: int, arguments: Mapping[str, Any]) -> None:
        if "data" in arguments:
            self._shown[di] = need_bytes(arguments, "data")
            return
        known = item(di)
        if known is None:
            raise UsageError(f"{self.name}: no DL/T 645 item {di:08X}")
        try:
            text = isinstance(arguments.get("value"), str)
            value = need(arguments, "value", str) if text else need(arguments, "value", float)
            self._shown[di] = encode_value(known, value)
        except CodecError as error:
            raise UsageError(f"{self.name}: {error}") from None

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        if self._framer.waiting and now >= self._heard + BYTE_GAP:
            self._framer.expire()
        while self._outbox and self._outbox[0][0] <= now:
            self.wishes.append(Send(self._line, self._outbox.popleft()[1]))

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        nearest = self._outbox[0][0] if self._outbox else FAR
        if self._framer.waiting:
            nearest = min(nearest, self._heard + BYTE_GAP)
        return None if nearest == FAR else nearest

    # --- answers ------------------------------------------------------------------------------------

    def _request(self, frame: Frame, now: Instant) -> None:
        whom = addressed(frame, self.address)
        if not whom:
            return
        reads = frame.function == Function.READ and len(frame.data) >= 4
        what = frame.data[3::-1].hex().upper() if reads else f"{frame.function:02X}"
        self.notes.append(Note(now, KIND, f"asked {what}", {"address": frame.address, "data": frame.data.hex()}))
        if frame.function == Function.BROADCAST_TIME:
            moment = read_time(frame.data)
            self.notes.append(Note(now, KIND, "time", {"moment": "" if moment is None else moment.isoformat()}))
            return
        if whom == "all" or self._mute:
            return
        data = bytearray(self._answer(frame).encode())
        if self._corrupt:
            data[-2] ^= 0xFF
        self._outbox.append((now + self._delay, bytes(data)))

    def _answer(self, frame: Frame) -> Frame:
        if not self._error:
            if frame.function in (Function.READ, Function.READ_FOLLOWING):
                return self._reads.answer(frame, self.address)
            if frame.function == Function.READ_ADDRESS and frame.address == WILDCARD:
                return Frame(self.address, frame.function | ANSWER, bytes.fromhex(self.address)[::-1])
            if frame.function in _OBEYED and len(frame.data) == _OBEYED[frame.function]:
                return self._obey(frame)
        error = self._error or _REFUSED.get(frame.function, ErrorWord.OTHER)
        return Frame(self.address, frame.function | ANSWER | ERROR, bytes((error,)))

    def _obey(self, frame: Frame) -> Frame:
        if frame.function == Function.RELAY:
            command, moment = frame.data[8], read_time(frame.data[10:16])
            known = RelayCommand(command).name if command in set(RelayCommand) else f"{command:02X}"
            told: dict[str, Scalar] = {"command": known, "moment": "" if moment is None else moment.isoformat()}
            self.notes.append(Note(self._now, KIND, "relay", told))
        data = frame.data if frame.function == Function.OUTPUT else b""
        return Frame(self.address, frame.function | ANSWER, data)

    def _lookup(self, di: int) -> bytes | None:
        if di in self._shown:
            return self._shown[di]
        known, source = item(di), self._values.get(di)
        if known is None or source is None:
            return None
        sensor, factor = source
        try:
            return encode_value(known, self._sense(sensor, self._now) * factor)
        except CodecError:
            return bytes((MISSING,)) * known.size  # the format cannot hold it
