"""The bench's driver of an SCPI instrument as a node: sends what the bench orders, notes what comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from hil.errors import UsageError
from hil.protocol.scpi import Answer, Event, NoAnswer, ScpiClient, ScpiSettings, Unasked
from hil.tester.orders import need
from hil.tester.scpi.switches import Switches
from hil.units import FAR, Instant, Span
from hil.world.bytenode import Send, Wish
from hil.world.measured import measured
from hil.world.observation import Note, Scalar

KIND = "scpi"


class ScpiDriver:
    """Orders (arguments): ``send`` (``text``: a line; ``order``: a number that whoever sends it knows it by, if any),
    ``poll`` (``text``, ``every`` and, where it measures, ``quantity`` and ``unit``), ``stop``.

    Notes of kind ``scpi``: ``answer`` (``by``, ``ticket``, ``asked``, ``text``, ``latency``, ``order`` where the line
    came with one, and ``number`` where the first part is one), ``no answer`` (``by``, ``ticket``, ``asked``,
    ``order``), ``unasked`` (``by``, ``text``). A poll with a quantity also leaves notes of ``hil.world.measured``.
    """

    def __init__(self, name: str, line: str, settings: ScpiSettings | None = None) -> None:
        self.name = name
        self.client = ScpiClient(settings)
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self._line = line
        self._polls: dict[str, Span] = {}
        self._due: dict[str, Instant] = {}
        self._quantities: dict[str, tuple[str, str]] = {}
        self._switches = Switches()
        self._last_words: deque[str] | None = None
        """What switches off and is not said yet; None while nobody has asked for it."""
        self._free_at: Instant = 0
        self._measuring: dict[int, tuple[str, str]] = {}
        """By ticket: the quantity that the answer tells, and its unit."""
        self._orders: dict[int, int] = {}
        """By ticket of a query: the number that it was sent with."""

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes of the instrument."""
        self.client.receive(data, now, flaw)
        self._settle()

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """A serial line has no connections."""

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """A serial line has no connections."""

    def signal(self, name: str, value: float, now: Instant) -> None:
        """It senses nothing."""

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """See the class; an unknown verb raises :class:`UsageError`."""
        if verb == "send":
            text = need(arguments, "text", str)
            ticket = self.client.send(text, now=now)
            if "order" in arguments and "?" in text:
                self._orders[ticket] = need(arguments, "order", int)
            self._switches.see(text)
        elif verb == "poll":
            text = need(arguments, "text", str)
            self._polls[text], self._due[text] = need(arguments, "every", int), now
            if "quantity" in arguments:
                self._quantities[text] = (need(arguments, "quantity", str), need(arguments, "unit", str))
            self._poll(now)
        elif verb == "stop":
            self._stop()
        else:
            raise UsageError(f"{self.name} cannot {verb}; it knows send, poll, stop")
        self._settle()

    def part(self, now: Instant, *, waited: bool) -> bool:
        """Switch off each output and input that was switched on, by the command that did that."""
        if self._last_words is None:
            self._stop()
            self._last_words = deque(self._switches.off())
            if self._last_words:
                self._last_words[0] = f"\n{self._last_words[0]}"  # a line whose end never came ends here
        if self._last_words and now >= self._free_at and (waited or self.client.is_free(now)):
            self.wishes.append(Send(self._line, self._last_words.popleft().encode("latin-1", "replace") + b"\n"))
            self._free_at = now + self.client.settings.pause
        return not self._last_words

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        self.client.wake(now)
        self._poll(now)
        self._settle()

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        own = self.client.next_deadline()
        nearest = min(min(self._due.values(), default=FAR), FAR if own is None else own)
        return None if nearest == FAR else nearest

    def _stop(self) -> None:
        for kept in (self._polls, self._due, self._quantities):
            kept.clear()

    def _poll(self, now: Instant) -> None:
        free = self.client.idle
        for text, every in self._polls.items():
            if now >= self._due[text]:
                self._due[text] = now + every
                if free:
                    ticket = self.client.send(text, now=now)
                    if text in self._quantities:
                        self._measuring[ticket] = self._quantities[text]

    def _settle(self) -> None:
        data = self.client.take_output()
        if data:
            self.wishes.append(Send(self._line, data))
        for event in self.client.take_events():
            order = None if isinstance(event, Unasked) else self._orders.pop(event.line.ticket, None)
            self.notes.append(_note(event, self.name, order))
            if isinstance(event, Answer | NoAnswer):
                self._measured(event)

    def _measured(self, event: Answer | NoAnswer) -> None:
        wanted = self._measuring.pop(event.line.ticket, None)
        if wanted is not None and isinstance(event, Answer) and event.number is not None:
            quantity, unit = wanted
            note = measured(quantity, event.number, unit, by=self.name, asked=event.line.sent, at=event.at)
            self.notes.append(note)


def _note(event: Event, by: str, order: int | None) -> Note:
    if isinstance(event, Unasked):
        return Note(event.at, KIND, "unasked", {"by": by, "text": event.text})
    details: dict[str, Scalar] = {"by": by, "ticket": event.line.ticket, "asked": event.line.text}
    if order is not None:
        details["order"] = order
    if isinstance(event, NoAnswer):
        return Note(event.at, KIND, "no answer", details)
    details |= {"text": event.text, "latency": event.at - event.line.sent}
    if event.number is not None:
        details["number"] = event.number
    return Note(event.at, KIND, "answer", details)
