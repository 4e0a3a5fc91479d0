"""What cases for Modbus devices talk to: requests, right or wrong, and what must become of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from hil.bench.core import Core, Sink, ignore
from hil.bench.judge import Inconclusive, Judge
from hil.bench.modbus_places import Places, Words
from hil.bench.stream import StreamRecord
from hil.bus.bytefaults import CutLine
from hil.codec.register import Register
from hil.codec.registers import RegisterMap
from hil.conformance.verdict import Measurement, Verdict
from hil.protocol.modbus import (
    QUANTITIES,
    Bits,
    ExceptionReply,
    Malformed,
    RawPdu,
    Registers,
    Reply,
    Request,
    RtuTiming,
    decode_reply,
    due_rtu,
    due_tcp,
    encode_rtu,
    show_bytes,
)
from hil.units import SECOND, Instant, Span, ms, s, seconds, show_instant
from hil.world.observation import BytesSeen, Note
from hil.world.pipe import World
from hil.world.plan import Inject, OnNote, Tell, UndoFault

MASTER, OTHER, DUT = "master", "other", "device"
"""Nodes: the bench's master, another station on the serial line, the device under test."""
TCP_LINE, SERIAL_LINE = "tcp0", "rs485"
TCP, RTU = "tcp", "rtu"
KIND = "modbus"
_DEAD = "dead link"
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, FAILURE, BUSY = 1, 2, 3, 4, 6
_SHOWN = 16
_PART = 8
"""Values read for a comparison."""
_PATIENCE: Span = s(5)
_SETTLE: Span = ms(50)
"""Longer than any silence that ends a frame."""


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
    beside: tuple[str, ...] = ()
    """Bytes of the device that came beside the reply."""

    @property
    def took(self) -> Span:
        """From handing over the request to the end of what came."""
        return self.at - self.sent

    def show(self) -> str:
        """As a reader wants it: what came, as the bytes that it was."""
        if self.kind in ("silence", "lost"):
            came = "no answer" if self.kind == "silence" else "the connection ended"
        elif isinstance(self.reply, ExceptionReply):
            came = f"exception {self.reply.text}"
        else:
            came = f"{self.text}: {show_bytes(self.data)}" if self.text else _shortened(self.data)
        return "; beside it ".join((came, *self.beside))


class ModbusLine:
    """One way to the device: a connection by its name, or the serial line (``rtu``)."""

    def __init__(self, bench: ModbusBench, name: str) -> None:
        self._bench = bench
        self.name = name

    @property
    def serial(self) -> bool:
        """Whether it is the serial line."""
        return self.name == RTU

    # --- connections ------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        """Whether requests can go out."""
        return self.serial or self._bench.state_of(self.name) == "opened"

    def connect(self) -> bool:
        """Open the connection if it is not; False when the device did not let it be."""
        if not self.open:
            self._bench.tell("open", on=self.name)
            self._bench.wait(OnNote(KIND, f"opened {self.name}"), _PATIENCE)
        return self.open

    def disconnect(self, *, reset: bool = False) -> None:
        """End the connection, in order or by reset."""
        self._bench.tell("close", on=self.name, reset=reset)

    # --- asking -----------------------------------------------------------------------------------

    def ask(self, request: Request, **how: Any) -> Outcome:
        """Send one request and wait for what comes of it; ``how`` as the master's order has it."""
        self._ready()
        ticket, order = self._order(request, how)
        self._bench.tell("request", **order)
        return self._outcome(ticket, request, order["unit"])

    def ask_at_once(self, requests: Sequence[Request], **how: Any) -> list[Outcome]:
        """Send several requests in one piece; what comes of each, in their order."""
        self._ready()
        orders = [self._order(request, how) for request in requests]
        self._bench.tell("pipeline", on=self.name, requests=[order for _, order in orders])
        return [
            self._outcome(ticket, request, order["unit"])
            for request, (ticket, order) in zip(requests, orders, strict=True)
        ]

    def send(self, data: bytes) -> Instant:
        """Send bytes that are no request."""
        self._ready()
        self._bench.tell("send", on=self.name, data=data.hex())
        return self._bench.now

    def _ready(self) -> None:
        if not self.connect():
            raise Inconclusive(f"no connection to the device up to {show_instant(self._bench.now)}")
        if self.serial:
            self._bench.let(_SETTLE)

    def _order(self, request: Request, how: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        ticket = self._bench.next_ticket()
        order = {"unit": self._bench.places.unit, **how}
        return ticket, {**order, "on": self.name, "ticket": ticket, "pdu": request.encode().hex()}

    def _outcome(self, ticket: int, request: Request, unit: int) -> Outcome:
        done = f"done {ticket}"
        if self._bench.noted(done) is None:
            self._bench.wait(OnNote(KIND, done), 2 * _PATIENCE)
        note = self._bench.noted(done)
        if note is None:
            raise Inconclusive(f"the master did not come to an end with {request}")
        data = bytes.fromhex(str(note.details.get("bytes", "")))
        kind, text, reply = str(note.details["outcome"]), str(note.details.get("text", "")), None
        if kind == "reply":
            found = decode_reply(request, data[1:-2] if self.serial else data[7:])
            assert not isinstance(found, Malformed), "the master found it good"
            reply = found
        elif kind == "malformed":
            text = f"{note.details['fault']}, {text}"
        due = due_rtu(unit, request) if self.serial else due_tcp(ticket, unit, request)
        due = str(note.details.get("due", due))
        sent, at = int(note.details["sent"]), int(note.details["at"])
        beside = tuple(show_bytes(each) for each in self._bench.beside(ticket))
        return Outcome(request, kind, sent, at, data, due, reply, text, beside)

    # --- judging ----------------------------------------------------------------------------------

    def _judge(self, label: str, holds: bool, outcome: Outcome, due: str) -> None:
        verdict = Verdict.PASS if holds else Verdict.FAIL
        note = "" if holds else f"due {due}; asked {show_bytes(outcome.request.encode())}"
        self._bench.judge.add(Measurement(label, outcome.show(), "", None, None, verdict, outcome.at, note))

    def expect_reply(self, request: Request, label: str = "reply", **how: Any) -> Reply | None:
        """The request is answered, by no exception; the reply, or None."""
        outcome = self.ask(request, **how)
        good = outcome.reply is not None and not isinstance(outcome.reply, ExceptionReply) and not outcome.beside
        self._judge(label, good, outcome, outcome.due)
        return outcome.reply if good else None

    def expect_values(self, request: Request, values: Iterable[int], label: str = "values", **how: Any) -> None:
        """The request is answered with these registers or bits."""
        wanted = tuple(values)
        outcome = self.ask(request, **how)
        self._judge(label, values_of(outcome.reply) == wanted, outcome, f"{outcome.due} with {list(wanted)}")

    def expect_exception(self, request: Request, *codes: int, label: str = "", **how: Any) -> None:
        """The request is refused with one of these exception codes, any where none is given."""
        outcome = self.ask(request, **how)
        refused = isinstance(outcome.reply, ExceptionReply) and (not codes or outcome.reply.code in codes)
        allowed = " or ".join(f"{code:02X}" for code in codes) or "of any code"
        self._judge(label or f"exception {allowed}", refused and not outcome.beside, outcome, f"exception {allowed}")

    def expect_silence(self, request: Request, label: str = "no answer", **how: Any) -> Outcome:
        """Not a byte of the device comes in answer to the request."""
        outcome = self.ask(request, **how)
        came = self._bench.said(self, outcome.sent)
        text = show_bytes(b"".join(each.data for each in came))
        self._bench.check(label, text, equals="(none)", at=outcome.at)
        return outcome

    def expect_served(self, label: str = "a good request afterwards") -> None:
        """A good request is answered; a connection that the device has ended is opened again."""
        self.expect_reply(self._bench.places.any_run().read(1), label)

    def expect_kept(self, register: Register, words: Words, label: str = "value kept") -> None:
        """A register reads as these words."""
        self.expect_values(self._bench.places.read(register), words, label)

    def expect_unknown(self, function: int) -> None:
        """A function that the map does not claim is refused, or passed over where the map says so."""
        request = RawPdu(bytes((function, 0, 0, 0, 1)))
        if self._bench.map.behaviour.unknown_function == "silent":
            self.expect_silence(request, f"answer to function {function}")
        else:
            self.expect_exception(request, ILLEGAL_FUNCTION, label=f"function {function}")

    def expect_parts(self, function: int) -> None:
        """A run reads as what its first and its last value read alone."""
        run = self._bench.places.run(function)
        count = min(run.count, self._bench.places.most(function), _PART)
        outcome = self.ask(run.read(count))
        values = values_of(outcome.reply)
        self._judge(f"{count} values", values is not None and len(values) == count, outcome, outcome.due)
        if values is not None and self._bench.map.limits.blocks:
            self.expect_values(run.read(1), values[:1], "the first alone")
            self.expect_values(run.read(1, skip=count - 1), values[-1:], "the last alone")

    def expect_read_quantities(self, function: int) -> None:
        """1 and the most values are read, 0 and one more are refused with exception 03.

        Where the map's longest run is shorter, the most may be refused for the address (02), not for the count.
        """
        places, most = self._bench.places, QUANTITIES[function]
        run = places.run(function)
        self.expect_reply(run.read(min(places.atom(run), most)), "the least")
        if places.most(function) < most or not self._bench.map.limits.blocks:
            self._bench.report("the most", "the map allows less than the protocol")
        elif run.count >= most:
            self.expect_reply(run.read(most), f"{most} values")
        else:
            self.expect_exception(run.read(most), ILLEGAL_ADDRESS, label=f"{most} values, beyond the map")
        self.expect_exception(run.read(0), ILLEGAL_VALUE, label="0 values")
        self.expect_exception(run.read(most + 1), ILLEGAL_VALUE, label=f"{most + 1} values")

    def words_of(self, register: Register) -> Words:
        """What a register holds; inconclusive where it cannot be read."""
        values = values_of(self.ask(self._bench.places.read(register)).reply)
        if values is None:
            raise Inconclusive(f"{register.name} cannot be read")
        return values


class ModbusBench(Core[StreamRecord]):
    """Everything a case for a Modbus device may do. ``places`` are what the device's map offers."""

    def __init__(
        self,
        world: World,
        judge: Judge,
        readings: Mapping[str, str],
        sink: Sink = ignore,
        *,
        registers: RegisterMap,
        timing: RtuTiming,
    ) -> None:
        super().__init__(world, judge, readings, record=StreamRecord(), signals={}, sink=sink)
        self.map = registers
        self.places = Places(registers)
        self.timing = timing
        """Silences of the serial line."""
        self._tickets = 0

    def line(self, name: str) -> ModbusLine:
        """The serial line (``rtu``), or the connection of that name (``tcp`` and any other)."""
        if name == RTU and RTU not in self.map.transports:
            raise Inconclusive(f"the map {self.map.name} is not of a device on a serial line")
        if name != RTU and TCP not in self.map.transports:
            raise Inconclusive(f"the map {self.map.name} is not of a device on TCP")
        return ModbusLine(self, name)

    def assume(self, holds: bool, otherwise: str) -> None:
        """What a case stands on; inconclusive with the reason where that does not hold."""
        if not holds:
            raise Inconclusive(otherwise)

    # --- stimuli ----------------------------------------------------------------------------------

    def tell(self, verb: str, **arguments: Any) -> None:
        """An order to the master."""
        self.do(Tell(MASTER, verb, arguments))

    def next_ticket(self) -> int:
        """A number that no request of this case had."""
        self._tickets += 1
        return self._tickets

    def set_state(self, name: str) -> None:
        """Let the device be ``busy`` or ``failed``, or well again (empty)."""
        self.do(Tell(DUT, "state", {"name": name}))

    def other_sends(self, unit: int, pdu: bytes) -> Instant:
        """Another station sends a whole frame on the serial line."""
        return self.babble(encode_rtu(unit, pdu))

    def babble(self, data: bytes) -> Instant:
        """Another station sends bytes on the serial line."""
        self.do(Tell(OTHER, "send", {"on": RTU, "data": data.hex()}))
        return self.now

    def cut(self) -> None:
        """The master's end of the TCP link goes dead: nothing of it arrives, and nobody is told."""
        self.do(Inject(CutLine(name=_DEAD, sender=MASTER), TCP_LINE))

    def mend(self) -> None:
        """The link cut by :meth:`cut` is whole again."""
        self.do(UndoFault(_DEAD, TCP_LINE))

    # --- what was seen ----------------------------------------------------------------------------

    def noted(self, what: str) -> Note | None:
        """The master's note of that text."""
        return next((each for each in reversed(self.record.notes) if each.kind == KIND and each.what == what), None)

    def beside(self, ticket: int) -> list[bytes]:
        """Bytes that came while a request waited, and were not its reply."""
        return [
            bytes.fromhex(str(each.details["bytes"])) for each in self.record.notes if each.what == f"bytes {ticket}"
        ]

    def state_of(self, name: str) -> str:
        """``opened``, ``closed``, ``reset`` or ``refused``; empty for a connection that never was."""
        for note in reversed(self.record.notes):
            word, _, of = note.what.partition(" ")
            if note.kind == KIND and of == name and word in ("opened", "closed", "reset", "refused"):
                return word
        return ""

    def said(self, line: ModbusLine, after: Instant) -> list[BytesSeen]:
        """What the device has sent on a line after an instant."""
        return self.record.bytes_on(SERIAL_LINE if line.serial else TCP_LINE, after, sender=DUT)

    def expect_mute(self, line: ModbusLine, label: str, *, after: Instant, span: Span = SECOND) -> None:
        """The device sends nothing for a span after an instant."""
        self.until(after + span)
        text = show_bytes(b"".join(each.data for each in self.said(line, after)))
        self.check(label, text, equals="(none)", at=self.now)

    def silence_before(self, outcome: Outcome) -> Span | None:
        """From the end of a request on the serial line to the begin of its answer; None where there is none."""
        asked = self.record.bytes_on(SERIAL_LINE, outcome.sent, sender=MASTER)
        answers = self.record.bytes_on(SERIAL_LINE, outcome.sent, sender=DUT)
        return answers[0].started - asked[0].t if asked and answers else None

    def report_times(self, outcomes: Sequence[Outcome]) -> None:
        """Tell shortest, mean and longest time to a reply."""
        times = [seconds(each.took) for each in outcomes if each.kind == "reply"]
        if times:
            for name, value in (("shortest", min(times)), ("mean", fmean(times)), ("longest", max(times))):
                self.report(f"{name} response time", round(value, 6), "s")


def _shortened(data: bytes) -> str:
    """The begin of a good reply, which is long where many values were asked for."""
    return show_bytes(data) if len(data) <= _SHOWN else f"{show_bytes(data[:_SHOWN])} ... ({len(data)} bytes)"


def values_of(reply: Reply | None) -> Words | None:
    """Registers or bits of a reply as numbers; None for another reply."""
    if isinstance(reply, Registers):
        return reply.values
    return tuple(map(int, reply.bits)) if isinstance(reply, Bits) else None
