"""A reader of meters as a node: asks what the bench orders, notes what comes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hil.bus.serial import SerialFormat
from hil.errors import UsageError
from hil.protocol.dlt645 import (
    ALL_EVENTS,
    LATEST,
    Access,
    Answer,
    Event,
    Function,
    Garbled,
    Master,
    MasterSettings,
    NoAnswer,
    Refused,
    RelayCommand,
    Request,
    Stray,
    freeze_data,
    item,
    relay_data,
    write_data,
)
from hil.tester.orders import need, need_bytes
from hil.units import FAR, Instant, Span
from hil.world.bytenode import Send, SetFormat, Wish
from hil.world.measured import measured
from hil.world.observation import Note, Scalar

KIND = "dlt645"
"""Kind of every note of this node."""


class MeterReader:
    """Orders (arguments): ``read`` (``address``, ``di``), ``read_address``, ``request`` (``address``, ``function``,
    ``data`` in hex, ``answered``), ``write`` (``address``, ``di``, ``data`` in hex, lowest byte first), ``clear``
    (``address``, ``what`` of demand, meter, events), ``freeze`` (``address``: now), ``relay`` (``address``,
    ``command`` such as TRIP, ``moment`` of its expiry), ``time`` (``moment`` in ISO form: a broadcast), ``send``
    (``data`` in hex, as it is), ``poll`` (``address``, ``di``, ``every``, ``quantity``), ``stop``, ``format``
    (``baud``, ``parity``).

    Notes of kind ``dlt645``: ``answer 02010100`` (item) or ``answer 1C`` (function), with ``ticket``, ``address``,
    ``data``, ``parts``, ``latency`` and for known items ``value`` (the first), ``values`` and ``flaws``;
    ``refused ...`` (``error``), ``no answer ...``, ``stray`` (``why``), ``garbled`` (``bytes``, ``why``). A poll
    with a quantity also leaves notes of ``hil.world.measured``.
    """

    def __init__(
        self, name: str, line: str, settings: MasterSettings | None = None, access: Access | None = None
    ) -> None:
        self.name = name
        self.access = access or Access()
        """Password and operator's code for what changes a meter."""
        self.master = Master(settings)
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self._line = line
        self._polls: dict[tuple[str, int], Span] = {}
        self._due: dict[tuple[str, int], Instant] = {}
        self._quantities: dict[tuple[str, int], str] = {}
        self._measuring: dict[int, str] = {}
        """By ticket: the quantity that the answer tells."""

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes on the line."""
        self.master.receive(data, now, flaw)
        self._settle()

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """A serial line has no connections."""

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """A serial line has no connections."""

    def signal(self, name: str, value: float, now: Instant) -> None:
        """It senses nothing."""

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """See the class; an unknown verb raises :class:`UsageError`."""
        master = self.master
        if verb == "read":
            master.read(need(arguments, "address", str), need(arguments, "di", int), now=now)
        elif verb == "read_address":
            master.read_address(now=now)
        elif verb == "request":
            address, function = need(arguments, "address", str), need(arguments, "function", int)
            data = need_bytes(arguments, "data") if "data" in arguments else b""
            master.request(address, function, data, now=now, answered=bool(arguments.get("answered", True)))
        elif verb in _CHANGES:
            address = need(arguments, "address", str)
            function, data = _CHANGES[verb](arguments, self.access)
            master.request(address, function, data, now=now)
        elif verb == "time":
            master.broadcast_time(_moment(arguments), now=now)
        elif verb == "send":
            self.wishes.append(Send(self._line, need_bytes(arguments, "data")))
        elif verb == "format":
            taken = SerialFormat(need(arguments, "baud", int), parity=str(arguments.get("parity", "E")))
            self.wishes.append(SetFormat(self._line, taken))
        elif verb in ("poll", "stop"):
            self._set_poll(verb, arguments, now)
        else:
            known = f"read, read_address, request, {', '.join(_CHANGES)}, time, send, poll, stop, format"
            raise UsageError(f"{self.name} cannot {verb}; it knows {known}")
        self._settle()

    def _set_poll(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        if verb == "stop":
            for kept in (self._polls, self._due, self._quantities):
                kept.clear()
            return
        key = (need(arguments, "address", str), need(arguments, "di", int))
        self._polls[key], self._due[key] = need(arguments, "every", int), now
        if "quantity" in arguments:
            self._quantities[key] = need(arguments, "quantity", str)
        self._poll(now)

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        self.master.wake(now)
        self._poll(now)
        self._settle()

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        own = self.master.next_deadline()
        nearest = min(min(self._due.values(), default=FAR), FAR if own is None else own)
        return None if nearest == FAR else nearest

    def _poll(self, now: Instant) -> None:
        free = self.master.idle
        for key, every in self._polls.items():
            if now >= self._due[key]:
                self._due[key] = now + every
                if free:  # a meter that does not answer must not be flooded
                    ticket = self.master.read(*key, now=now)
                    if key in self._quantities:
                        self._measuring[ticket] = self._quantities[key]

    def _settle(self) -> None:
        data = self.master.take_output()
        if data:
            self.wishes.append(Send(self._line, data))
        for event in self.master.take_events():
            self.notes.append(_note(event))
            if isinstance(event, Answer | Refused | NoAnswer):
                self._measured(event)

    def _measured(self, event: Answer | Refused | NoAnswer) -> None:
        quantity = self._measuring.pop(event.request.ticket, None)
        if quantity is None or not isinstance(event, Answer) or not event.values:
            return
        number, known = event.values[0].number, item(int.from_bytes(event.request.frame.data[:4], "little"))
        if number is not None and known is not None:
            sent = event.request.sent
            self.notes.append(measured(quantity, number, known.unit, by=self.name, asked=sent, at=event.at))


def _write(arguments: Mapping[str, Any], access: Access) -> tuple[int, bytes]:
    return Function.WRITE, write_data(need(arguments, "di", int), access, need_bytes(arguments, "data"))


def _clear(arguments: Mapping[str, Any], access: Access) -> tuple[int, bytes]:
    what = need(arguments, "what", str)
    if what not in _CLEARED:
        raise UsageError(f"argument what {what!r}: {', '.join(_CLEARED)} are allowed")
    return _CLEARED[what], access.block + (ALL_EVENTS if what == "events" else b"")


def _freeze(_: Mapping[str, Any], __: Access) -> tuple[int, bytes]:
    return Function.FREEZE, freeze_data()


def _relay(arguments: Mapping[str, Any], access: Access) -> tuple[int, bytes]:
    name = need(arguments, "command", str)
    if name not in RelayCommand.__members__:
        raise UsageError(f"argument command {name!r}: {', '.join(RelayCommand.__members__)} are allowed")
    expires = _moment(arguments) if "moment" in arguments else LATEST
    return Function.RELAY, relay_data(RelayCommand[name], access, expires)


_CLEARED = {"demand": Function.CLEAR_DEMAND, "meter": Function.CLEAR_METER, "events": Function.CLEAR_EVENTS}
_CHANGES = {"write": _write, "clear": _clear, "freeze": _freeze, "relay": _relay}
"""Orders that change a meter: function and data of the request."""


def _moment(arguments: Mapping[str, Any]) -> datetime:
    text = need(arguments, "moment", str)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"argument moment {text!r}: 2017-06-05T10:22:51 is the form") from None


def _what(request: Request) -> str:
    if request.frame.function == 0x11 and len(request.frame.data) >= 4:
        return request.frame.data[3::-1].hex().upper()
    return f"{request.frame.function:02X}"


def _note(event: Event) -> Note:
    details: dict[str, Scalar]
    if isinstance(event, Answer):
        details = {"ticket": event.request.ticket, "address": event.address, "data": event.data.hex().upper()}
        details |= {"parts": event.parts, "latency": event.latency}
        values = event.values
        if values:
            details["values"] = " ".join(
                value.text if value.number is None else f"{value.number:g}" for value in values
            )
            details["flaws"] = "; ".join(value.flaw for value in values if value.flaw)
            first = values[0].number
            details["value"] = values[0].text if first is None else first
        return Note(event.at, KIND, f"answer {_what(event.request)}", details)
    if isinstance(event, Refused):
        details = {"ticket": event.request.ticket, "address": event.address, "error": int(event.error)}
        if event.detail is not None:
            details["detail"] = event.detail
        return Note(event.at, KIND, f"refused {_what(event.request)}", details)
    if isinstance(event, NoAnswer):
        return Note(event.at, KIND, f"no answer {_what(event.request)}", {"ticket": event.request.ticket})
    if isinstance(event, Stray):
        return Note(event.at, KIND, "stray", {"control": event.frame.control, "why": event.why})
    assert isinstance(event, Garbled), "every other kind of event stands above"
    return Note(event.at, KIND, "garbled", {"bytes": event.raw.hex(" ").upper(), "why": event.why})
