"""One way to a Modbus device: requests, right or wrong, and what has become of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hil.bench.judge import Inconclusive
from hil.bench.modbus_places import Words
from hil.codec.register import Register
from hil.conformance.verdict import Measurement, Verdict
from hil.protocol.modbus import (
    Bits,
    ExceptionReply,
    Malformed,
    Registers,
    Reply,
    Request,
    decode_reply,
    due_rtu,
    due_tcp,
    show_bytes,
)
from hil.units import Instant, Span, ms, s, show_instant
from hil.world.observation import Note
from hil.world.plan import OnNote

if TYPE_CHECKING:
    from hil.bench.modbus import ModbusBench

KIND = "modbus"
"""Of the master's notes."""
RTU = "rtu"
PATIENCE: Span = s(5)
_ANSWER: Span = s(3)
"""An answer may take so long: no standard says how long, and RS.01 alone judges it."""
SILENCE: Span = s(1)
"""What has not come by then does not come, where nothing is due."""
_SETTLE: Span = ms(50)
"""Longer than any silence that ends a frame."""
_SHOWN = 16
"""Bytes of a good reply that are shown."""


@dataclass(frozen=True)
class Outcome:
    """What became of one request."""

    request: Request
    kind: str
    """``reply``, ``malformed``, ``silence`` or ``lost``: the connection ended."""
    sent: Instant
    at: Instant
    data: bytes
    due: str
    reply: Reply | None = None
    text: str = ""
    """What is wrong with the bytes, or with the last of those beside; empty where nothing is."""
    beside: tuple[str, ...] = ()
    """Bytes of the device that came beside the reply."""

    @property
    def took(self) -> Span:
        """From handing over the request to the end of what came."""
        return self.at - self.sent

    @property
    def refused(self) -> bool:
        """Whether it was answered by an exception."""
        return isinstance(self.reply, ExceptionReply)

    @property
    def refusal(self) -> int:
        """The exception code; 0 where it was not refused."""
        return self.reply.code if isinstance(self.reply, ExceptionReply) else 0

    def show(self) -> str:
        """As a reader wants it: what came, as the bytes that it was."""
        if self.kind in ("silence", "lost"):
            came = "no answer" if self.kind == "silence" else "the connection ended"
        elif isinstance(self.reply, ExceptionReply):
            came = f"exception {self.reply.text}"
        else:
            came = f"{self.text}: {show_bytes(self.data)}" if self.text else _shortened(self.data)
        return "; beside it ".join((came, *self.beside))


class Line:
    """One way to the device: a connection by its name, or the serial line (``rtu``)."""

    def __init__(self, bench: ModbusBench, name: str) -> None:
        self.bench = bench
        self.name = name

    @property
    def serial(self) -> bool:
        """Whether it is the serial line."""
        return self.name == RTU

    # --- connections ------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        """Whether requests can go out."""
        return self.serial or self.bench.state_of(self.name) == "opened"

    def connect(self) -> bool:
        """Open the connection if it is not; False when the device did not let it be."""
        if not self.open:
            self.bench.tell("open", on=self.name)
            self.bench.wait(OnNote(KIND, f"opened {self.name}"), PATIENCE)
        return self.open

    def disconnect(self, *, reset: bool = False) -> None:
        """End the connection, in order or by reset."""
        self.bench.tell("close", on=self.name, reset=reset)

    # --- asking -----------------------------------------------------------------------------------

    def ask(self, request: Request, **how: Any) -> Outcome:
        """Send one request, no sooner than the map allows, and wait for what comes of it.

        ``how`` as the master's order has it.
        """
        self.bench.await_turn(request)
        outcome = self.outcome(*self.begin(request, **how))
        self.bench.take_turn(request)
        return outcome

    def begin(self, request: Request, *, over: int = 0, **how: Any) -> tuple[int, Request, int]:
        """Send one request; what :meth:`outcome` wants to know. ``over``: another station sends so many bytes
        at the same time."""
        self._ready()
        ticket, order = self._order(request, how)
        if over:
            self.bench.collide(over)
        self.bench.tell("request", **order)
        return ticket, request, int(order["unit"])

    def ask_at_once(self, requests: Sequence[Request], **how: Any) -> list[Outcome]:
        """Send several requests in one piece; what comes of each, in their order."""
        self._ready()
        orders = [self._order(request, how) for request in requests]
        self.bench.tell("pipeline", on=self.name, requests=[order for _, order in orders])
        return [
            self.outcome(ticket, request, order["unit"])
            for request, (ticket, order) in zip(requests, orders, strict=True)
        ]

    def send(self, data: bytes) -> Instant:
        """Send bytes that are no request."""
        self._ready()
        self.bench.tell("send", on=self.name, data=data.hex())
        return self.bench.now

    def _ready(self) -> None:
        if not self.connect():
            raise Inconclusive(f"no connection to the device up to {show_instant(self.bench.now)}")
        if self.serial:
            self.bench.let(_SETTLE)

    def _order(self, request: Request, how: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        ticket = self.bench.next_ticket()
        order = {"unit": self.bench.places.unit, "timeout": _ANSWER, **how}
        return ticket, {**order, "on": self.name, "ticket": ticket, "pdu": request.encode().hex()}

    def outcome(self, ticket: int, request: Request, unit: int) -> Outcome:
        """Wait for what comes of a request."""
        done = f"done {ticket}"
        if self.bench.noted(done) is None:
            self.bench.wait(OnNote(KIND, done), 2 * PATIENCE)
        note = self.bench.noted(done)
        if note is None:
            raise Inconclusive(f"the master did not come to an end with {request}")
        data = bytes.fromhex(str(note.details.get("bytes", "")))
        kind, text, reply = str(note.details["outcome"]), str(note.details.get("text", "")), None
        if kind == "reply":
            found = decode_reply(request, data[1:-2] if self.serial else data[7:])
            assert not isinstance(found, Malformed), "the master found it good"
            reply = found
        elif kind == "malformed":
            text = _wrong(note)
        others = self.bench.beside(ticket)
        if others and kind in ("silence", "lost"):
            text = _wrong(others[-1])
        due = due_rtu(unit, request) if self.serial else due_tcp(ticket, unit, request)
        due = str(note.details.get("due", due))
        sent, at = int(note.details["sent"]), int(note.details["at"])
        beside = tuple(str(each.details["bytes"]) for each in others)
        return Outcome(request, kind, sent, at, data, due, reply, text, beside)

    # --- judging ----------------------------------------------------------------------------------

    def judge(self, label: str, holds: bool, outcome: Outcome, due: str) -> None:
        """Keep what came as right or wrong, beside what was due."""
        verdict = Verdict.PASS if holds else Verdict.FAIL
        note = "" if holds else f"due {due}; asked {show_bytes(outcome.request.encode())}"
        self.bench.judge.add(Measurement(label, outcome.show(), "", None, None, verdict, outcome.at, note))

    def expect_reply(self, request: Request, label: str = "reply", **how: Any) -> Reply | None:
        """The request is answered, by no exception; the reply, or None."""
        outcome = self.ask(request, **how)
        good = outcome.reply is not None and not isinstance(outcome.reply, ExceptionReply) and not outcome.beside
        self.judge(label, good, outcome, outcome.due)
        return outcome.reply if good else None

    def expect_values(self, request: Request, values: Iterable[int], label: str = "values", **how: Any) -> None:
        """The request is answered with these registers or bits."""
        wanted = tuple(values)
        outcome = self.ask(request, **how)
        self.judge(label, values_of(outcome.reply) == wanted, outcome, f"{outcome.due} with {list(wanted)}")

    def expect_exception(self, request: Request, *codes: int, label: str = "", **how: Any) -> None:
        """The request is refused with one of these exception codes, any where none is given."""
        outcome = self.ask(request, **how)
        refused = isinstance(outcome.reply, ExceptionReply) and (not codes or outcome.reply.code in codes)
        allowed = " or ".join(f"{code:02X}" for code in codes) or "of any code"
        self.judge(label or f"exception {allowed}", refused and not outcome.beside, outcome, f"exception {allowed}")

    def expect_silence(self, request: Request, label: str = "no answer", **how: Any) -> Outcome:
        """Not a byte of the device comes in answer to the request."""
        outcome = self.ask(request, timeout=SILENCE, **how)
        came = self.bench.said(self, outcome.sent)
        text = show_bytes(b"".join(each.data for each in came))
        self.bench.check(label, text, equals="(none)", at=outcome.at)
        return outcome

    def expect_served(self, label: str = "a good request afterwards") -> None:
        """A good request is answered; a connection that the device has ended is opened again."""
        self.expect_reply(self.bench.places.any_run().one(), label)

    def expect_kept(self, register: Register, words: Words, label: str = "value kept") -> None:
        """A register reads as these words."""
        self.expect_values(self.bench.places.read(register), words, label)

    def words_of(self, register: Register) -> Words:
        """What a register holds; inconclusive where it cannot be read."""
        values = values_of(self.ask(self.bench.places.read(register)).reply)
        if values is None:
            raise Inconclusive(f"{register.name} cannot be read")
        return values


def _wrong(note: Note) -> str:
    """What is wrong with the bytes of a note, in words."""
    return f"{note.details['fault']}, {note.details['text']}"


def _shortened(data: bytes) -> str:
    """The begin of a good reply, which is long where many values were asked for."""
    return show_bytes(data) if len(data) <= _SHOWN else f"{show_bytes(data[:_SHOWN])} ... ({len(data)} bytes)"


def values_of(reply: Reply | None) -> Words | None:
    """Registers or bits of a reply as numbers; None for another reply."""
    if isinstance(reply, Registers):
        return reply.values
    return tuple(map(int, reply.bits)) if isinstance(reply, Bits) else None
