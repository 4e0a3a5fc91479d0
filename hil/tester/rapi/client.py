"""A client of a charger's console as a node: asks what the bench orders, notes what comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hil.errors import UsageError
from hil.protocol.rapi import (
    Check,
    Client,
    ClientSettings,
    Event,
    Frame,
    Framer,
    Garbled,
    NoReply,
    Notification,
    Reply,
    Text,
    Unasked,
    Waiting,
    encode,
)
from hil.tester.orders import need, need_bytes
from hil.units import FAR, Instant, Span
from hil.world.bytenode import Open, Send, Shut, Wish
from hil.world.observation import Note, Scalar

KIND = "rapi"
"""Kind of every note of this node."""
_ENABLE, _SLEEP = "FE", "FS"
_STOPS = ("FD", _SLEEP)


class ConsoleClient:
    """On ``line``; ``tcp`` says that it is a TCP link, whose connection is opened with the first byte to send.

    Orders (arguments): ``request`` (``name``, ``parameters``, ``check``), ``raw`` (``data`` in hex,
    ``name`` of the command whose reply is awaited), ``send`` (``data`` in hex, nothing is awaited),
    ``poll`` (``name``, ``parameters``, ``every``), ``stop`` (``name``; without one, every poll), ``hold`` (have no
    last words), ``close``.

    Notes of kind ``rapi``: ``reply GS`` (``ticket``, ``ok``, ``latency``, ``given_up``, ``text`` and the
    fields by name), ``notification AT`` (``text``, fields), ``waiting GS``, ``no reply GS`` (``why``),
    ``unasked`` (``text``), ``garbled`` (``bytes``, ``why``), ``text`` (``text``).
    """

    def __init__(self, name: str, line: str, settings: ClientSettings | None = None, *, tcp: bool = False) -> None:
        self.name = name
        self.client = Client(settings)
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self._line = line
        self._tcp = tcp
        self._channel: int | None = None if tcp else 0
        self._opening = False
        self._unsent = b""
        self._polls: dict[str, tuple[tuple[str, ...], Span]] = {}
        self._due: dict[str, Instant] = {}
        self._said = Framer()
        """Cuts what is sent as bytes into commands."""
        self._enabled = False
        """The charger was enabled here."""
        self._was_enabled = False
        """It was so before: a stop was asked for first."""
        self._parted = False

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes of the console."""
        self.client.receive(data, now, flaw)
        self._settle(now)

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """The connection is there: what waited for it goes out."""
        self._channel, self._opening = channel, False
        self._settle(now)

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """The connection has ended; the next thing to send opens another one."""
        self._channel, self._opening, self._unsent = None, False, b""
        self.notes.append(Note(now, KIND, kind))

    def signal(self, name: str, value: float, now: Instant) -> None:
        """It senses nothing."""

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """See the class; an unknown verb raises :class:`UsageError`."""
        parameters = tuple(str(each) for each in arguments.get("parameters", ()))
        if verb == "request":
            self.client.request(need(arguments, "name", str), *parameters, now=now, check=_check(arguments))
            self._note_command(need(arguments, "name", str))
        elif verb == "raw":
            self.client.request_raw(need_bytes(arguments, "data"), name=str(arguments.get("name", "")), now=now)
            self._note_bytes(need_bytes(arguments, "data"))
        elif verb == "send":
            self._unsent += need_bytes(arguments, "data")
            self._note_bytes(need_bytes(arguments, "data"))
        elif verb == "poll":
            name = need(arguments, "name", str)
            self._polls[name] = (parameters, need(arguments, "every", int))
            self._due[name] = now
            self._poll(now)
        elif verb == "stop":
            self._stop([need(arguments, "name", str)] if "name" in arguments else list(self._polls))
        elif verb == "hold":
            self._parted = True
        elif verb == "close" and self._tcp:
            if self._channel is not None:
                self.wishes.append(Shut(self._line, self._channel))
                self._channel = None
        else:
            raise UsageError(f"{self.name} cannot {verb}; it knows request, raw, send, poll, stop, hold, close (TCP)")
        self._settle(now)

    def part(self, now: Instant, *, waited: bool) -> bool:
        """Put a charger to sleep that was enabled here (sheet serial 1.3); one that was enabled before and only is so
        again stays as it was found."""
        self._stop(list(self._polls))
        if not self._enabled or self._parted:
            return True
        if self._channel is None:
            self._open()
            return waited
        self._parted = waited or self.client.idle
        if self._parted:
            self.wishes.append(Send(self._line, encode(_SLEEP, check=self.client.settings.check), self._channel))
        return self._parted

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        self.client.wake(now)
        self._poll(now)
        self._settle(now)

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        own = self.client.next_deadline()
        nearest = min(self._due.values(), default=FAR)
        return (None if nearest == FAR else nearest) if own is None else min(own, nearest)

    def _note_bytes(self, data: bytes) -> None:
        for item in self._said.feed(data):
            if isinstance(item, Frame):
                self._note_command(item.name)

    def _note_command(self, name: str) -> None:
        if name == _ENABLE and not self._was_enabled:
            self._enabled = True
        elif name in _STOPS:
            self._was_enabled |= not self._enabled
            self._enabled = False

    def _stop(self, names: list[str]) -> None:
        for name in names:
            self._polls.pop(name, None)
            self._due.pop(name, None)

    def _poll(self, now: Instant) -> None:
        for name, (parameters, every) in self._polls.items():
            if now >= self._due[name]:
                self._due[name] = now + every
                if self.client.idle:  # a console that does not answer must not be flooded
                    self.client.request(name, *parameters, now=now)

    def _open(self) -> None:
        if not self._opening:
            self._opening = True
            self.wishes.append(Open(self._line))

    def _settle(self, now: Instant) -> None:
        self._unsent += self.client.take_output()
        if self._unsent and self._channel is not None:
            self.wishes.append(Send(self._line, self._unsent, self._channel))
            self._unsent = b""
        elif self._unsent:
            self._open()
        for event in self.client.take_events():
            self.notes.append(_note(event))
            if isinstance(event, NoReply) and self._opening:
                self._opening, self._unsent = False, b""  # nobody answers: the next request tries again


def _check(arguments: Mapping[str, Any]) -> Check | None:
    if "check" not in arguments:
        return None
    mark = need(arguments, "check", str)
    if mark not in set(Check):
        raise UsageError(f"argument check {mark!r}: '^', '*' and '' are allowed")
    return Check(mark)


def _note(event: Event) -> Note:
    details: dict[str, Scalar]
    if isinstance(event, Reply):
        details = {"ticket": event.request.ticket, "ok": event.ok, "latency": event.latency}
        details |= {"given_up": event.given_up, "text": event.frame.text, **event.values}
        return Note(event.at, KIND, f"reply {event.request.name}", details)
    if isinstance(event, Notification):
        return Note(event.at, KIND, f"notification {event.name}", {"text": event.frame.text, **event.values})
    if isinstance(event, Waiting):
        return Note(event.at, KIND, f"waiting {event.request.name}", {"ticket": event.request.ticket})
    if isinstance(event, NoReply):
        return Note(
            event.at, KIND, f"no reply {event.request.name}", {"ticket": event.request.ticket, "why": event.why}
        )
    if isinstance(event, Unasked):
        return Note(event.at, KIND, "unasked", {"text": event.frame.text})
    if isinstance(event, Garbled):
        return Note(event.at, KIND, "garbled", {"bytes": event.raw.hex(" ").upper(), "why": event.why})
    assert isinstance(event, Text), "every other kind of event stands above"
    return Note(event.at, KIND, "text", {"text": event.raw.decode("latin-1")})
