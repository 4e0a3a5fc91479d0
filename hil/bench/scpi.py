"""Orders to a load or source that speaks SCPI, and what it answers: for cases, and for whatever binds instruments.

What an instrument refuses is no fault of the DUT: the case becomes inconclusive, with the instrument's own error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hil.bench.core import Core
from hil.bench.judge import Inconclusive
from hil.errors import UsageError
from hil.protocol.scpi import DIALECTS, Dialect, answer_number
from hil.units import Instant, Span, ms, s, seconds, show_instant
from hil.world.observation import Note
from hil.world.plan import OnNote, Tell

KIND = "scpi"
"""Of the driver's notes."""
_PATIENCE: Span = s(10)
"""Longer than the driver's own: it asks for the error behind a query that was not answered."""
_SLICE: Span = ms(20)
_MOST_ERRORS = 64


@dataclass(frozen=True)
class Told:
    """A value that an instrument told: it held at some instant from ``asked`` to ``at``."""

    value: float
    asked: Instant
    at: Instant


@dataclass(frozen=True)
class InstrumentError:
    """One entry of an instrument's error queue."""

    code: int
    text: str


class ScpiOrders:
    """One instrument, by the name of the node that drives it (:class:`hil.tester.scpi.ScpiDriver`).

    ``dialect`` is what this family of instruments is told. Quantities are ``voltage``, ``current``, ``power`` and
    ``resistance``, in V, A, W and ohm. Time passes in the world while an answer is awaited.
    """

    def __init__(self, bench: Core[Any], driver: str, dialect: Dialect = DIALECTS["scpi-load"]) -> None:
        self._bench = bench
        self._driver = driver
        self.dialect = dialect
        self._sent = max((_order(note) for note in self._notes(0)), default=0)
        """The number of the last line: of the answers to those that others have sent before, none is taken for its."""

    # --- lines ------------------------------------------------------------------------------------

    def send(self, text: str) -> Instant:
        """Send a line that has no answer; returns when it was handed over. Nothing tells whether it was obeyed."""
        self._sent += 1
        self._bench.do(Tell(self._driver, "send", {"text": text, "order": self._sent}))
        return self._bench.now

    def ask(self, text: str) -> str:
        """The answer to a line with queries; inconclusive without one. A line without a query is misuse."""
        if "?" not in text:
            raise UsageError(f"{text!r} asks nothing; send() is for lines without an answer")
        return str(self._answer(text).details["text"])

    def _answer(self, text: str) -> Note:
        sent = self.send(text)
        while self._bench.now < sent + _PATIENCE:
            note = next((each for each in self._notes(sent) if _order(each) == self._sent), None)
            if note is not None and note.what == "answer":
                return note
            if note is not None:
                raise Inconclusive(f"{self._driver}: no answer to {text!r}, error {self._error_behind(note)}")
            self._bench.wait(OnNote(KIND, "answer"), _SLICE)
        raise Inconclusive(f"{self._driver}: no answer to {text!r} up to {show_instant(self._bench.now)}")

    def _notes(self, since: Instant) -> list[Note]:
        """What the driver has noted since then of lines with queries."""
        return [
            note
            for note in self._bench.record.notes
            if note.kind == KIND
            and note.t > since
            and note.what in ("answer", "no answer")
            and note.details["by"] == self._driver
        ]

    def _error_behind(self, silent: Note) -> str:
        """What the driver, which asks by itself, was told of the reason."""
        self._bench.let(s(1))
        own = (each for each in self._notes(silent.t) if _order(each) == 0)
        told = [each for each in own if each.details["asked"] == self.dialect.error]
        return str(told[0].details["text"]) if told and told[0].what == "answer" else "unknown"

    def command(self, text: str) -> Instant:
        """Send a line and make sure that it was obeyed; returns when it was sent.

        Inconclusive with the instrument's errors where there are any behind it.
        """
        sent = self.send(text)
        errors = self.errors()
        if errors:
            told = ", ".join(f'{each.code},"{each.text}"' for each in errors)
            raise Inconclusive(f"{self._driver} does not obey {text!r}: {told}")
        return sent

    # --- what it does -----------------------------------------------------------------------------

    def identify(self) -> str:
        """Maker, model, serial number and firmware; some instruments tell three of them."""
        return self.ask("*IDN?")

    def take(self) -> None:
        """Take control from the front panel, with an empty error queue, all off and at its defaults."""
        self.send("*CLS")
        if self.dialect.take:
            self.command(self.dialect.take)
        self.command("*RST")

    def give(self) -> None:
        """Switch off, and give control back to the front panel."""
        self.off()
        if self.dialect.give:
            self.command(self.dialect.give)

    def set(self, quantity: str, value: float) -> Instant:
        """Set a quantity's level; returns when the line was sent."""
        return self.command(self.dialect.line("set", quantity).format(value=f"{value:g}"))

    def regulate(self, quantity: str) -> None:
        """Make it regulate a quantity; instruments whose limits act together have no such mode: misuse."""
        self.command(self.dialect.line("mode", quantity))

    def on(self) -> Instant:
        """Switch input or output on; returns when the line was sent."""
        return self.command(self.dialect.on)

    def off(self) -> Instant:
        """Switch input or output off; returns when the line was sent."""
        return self.command(self.dialect.off)

    def run(self, steps: Sequence[tuple[float, Span]], count: int = 1) -> Instant:
        """Start a list of currents in A, each with its span, so many times over; returns when it was triggered.

        The input has to be on. :meth:`complete` waits for its end.
        """
        if not self.dialect.lists:
            raise UsageError(f"{self._driver}: its dialect has no list mode")
        if not steps:
            raise UsageError(f"{self._driver}: a list has one step at least")
        self.command("LIST:CURR " + ",".join(f"{current:g}" for current, _ in steps))
        self.command("LIST:DWEL " + ",".join(f"{seconds(span):g}" for _, span in steps))
        self.command(f"LIST:COUN {count}")
        self.command("CURR:MODE LIST")
        self.command("INIT")
        return self.command("*TRG")

    # --- what it tells ----------------------------------------------------------------------------

    def measure(self, quantity: str) -> Told:
        """What it measures now; inconclusive where its answer is no number."""
        text = self.dialect.line("measure", quantity)
        note = self._answer(text)
        value = answer_number(str(note.details["text"]))
        if value is None:
            raise Inconclusive(f"{self._driver}: {note.details['text']!r} is no {quantity}")
        latency = note.details["latency"]
        assert isinstance(latency, int), "a latency is a span"
        return Told(value, note.t - latency, note.t)

    def errors(self) -> list[InstrumentError]:
        """Its error queue, which is empty afterwards; the oldest first."""
        found: list[InstrumentError] = []
        while len(found) < _MOST_ERRORS:
            code, _, text = self.ask(self.dialect.error).partition(",")
            number = answer_number(code)
            if number is None:
                raise Inconclusive(f"{self._driver}: {code!r} is no number of an error")
            if number == 0:
                break
            found.append(InstrumentError(int(number), text.strip().strip('"')))
        return found

    def status(self) -> int:
        """The status byte: bit 2 errors, 3 questionable, 4 message, 5 event, 6 summary, 7 operation."""
        return self._number("*STB?")

    def events(self) -> int:
        """The event status, which is 0 afterwards: bit 0 operation complete, 2..5 errors by class, 7 power on."""
        return self._number("*ESR?")

    def _number(self, text: str) -> int:
        value = answer_number(self.ask(text))
        if value is None:
            raise Inconclusive(f"{self._driver}: no number came for {text}")
        return int(value)

    def complete(self, within: Span) -> Instant | None:
        """When what is under way was seen to have ended (``*OPC``, then the event status); None where it has not."""
        self.send("*OPC")
        until = self._bench.now + within
        while not self.events() & 0x01:
            if self._bench.now >= until:
                return None
            self._bench.let(ms(100))
        return self._bench.now


def _order(note: Note) -> int:
    """The number of the bench's line that a note is about; 0 for what the driver asks by itself."""
    order = note.details.get("order", 0)
    return order if isinstance(order, int) else 0
