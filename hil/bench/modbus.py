"""What cases for Modbus devices talk to: a master with connections and a serial line, and another station."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from hil.bench.core import Core, Sink, ignore
from hil.bench.judge import Inconclusive, Judge
from hil.bench.modbus_checks import ReadChecks
from hil.bench.modbus_line import KIND, RTU, Line, Outcome
from hil.bench.modbus_places import Places
from hil.bench.modbus_writes import WriteChecks
from hil.bench.stream import StreamRecord
from hil.bus.bytefaults import CutLine, ParityError
from hil.codec.registers import RegisterMap
from hil.protocol.modbus import RawPdu, Read, Registers, Reply, Request, RtuTiming, encode_rtu, show_bytes
from hil.units import SECOND, Instant, Span, s, seconds
from hil.world.observation import BytesSeen, Note
from hil.world.pipe import World
from hil.world.plan import Inject, Tell, UndoFault

MASTER, OTHER, DUT = "master", "other", "device"
"""Nodes: the bench's master, another station on the serial line, the device under test."""
TCP_LINE, SERIAL_LINE = "tcp0", "rs485"
TCP = "tcp"
_DEAD, _PARITY, _COLLISION = "dead link", "parity error", "collision"
_IDLE: Span = s(60)
"""How long is waited where a device does not say when it gives up a connection."""
_SAME, _SPOILT = 4660, 2
"""A transaction id for two; the byte that gets a wrong parity bit."""
_USUAL_CLIENTS = 1
"""Connections at a time of a device that does not say."""


class ModbusLine(ReadChecks, WriteChecks):
    """One way to the device: a connection by its name, or the serial line (``rtu``)."""


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
        self._needed = ""
        self._turn: dict[bool, Instant] = {False: 0, True: 0}
        """When the device may be asked next: anything, and for a write."""

    def line(self, name: str) -> ModbusLine:
        """The serial line (``rtu``), or the connection of that name (``tcp`` and any other)."""
        self.places.transport(RTU if name == RTU else TCP)
        return ModbusLine(self, name)

    def usual_line(self) -> ModbusLine:
        """The way to the device that matters where any would do: TCP if it has it."""
        return self.line(TCP if TCP in self.map.transports else RTU)

    @property
    def idle_close(self) -> Span:
        """After how long an idle connection is closed, as the map says; 0 where it does not."""
        return round(self.map.behaviour.idle_close * SECOND)

    def characters(self, count: float) -> Span:
        """So many characters of the serial line."""
        return round(count * self.timing.character)

    def trouble(self) -> str:
        """What was to be stimulated on a line and did not come about; empty when nothing."""
        flawed = any(each.flaw == _COLLISION for each in self.record.bytes_on(SERIAL_LINE))
        fired = flawed if self._needed == _COLLISION else self.record.fired("fault_fired", self._needed)
        return f"the {self._needed} did not come about" if self._needed and not fired else ""

    def collide(self, size: int) -> None:
        """Another station begins to send so many bytes, over what the master sends next."""
        self._needed = _COLLISION
        self.do(Tell(OTHER, "send", {"on": RTU, "data": bytes(size).hex()}))

    # --- stimuli ----------------------------------------------------------------------------------

    def tell(self, verb: str, **arguments: Any) -> None:
        """An order to the master."""
        self.do(Tell(MASTER, verb, arguments))

    def next_ticket(self) -> int:
        """A number that no request of this case had."""
        self._tickets += 1
        return self._tickets

    def await_turn(self, request: Request) -> None:
        """Let pass what the device wants between two requests, or between two writes."""
        due = max(self._turn[False], self._turn[_writes(request)])
        if due > self.now:
            self.until(due)

    def take_turn(self, request: Request) -> None:
        """A request has come to its end."""
        behaviour = self.map.behaviour
        self._turn[False] = self.now + round(behaviour.read_interval * SECOND)
        if _writes(request):
            self._turn[True] = self.now + round(behaviour.write_interval * SECOND)

    def set_state(self, name: str) -> None:
        """Let the device be ``busy`` or ``failed``, or well again (empty)."""
        self.do(Tell(DUT, "state", {"name": name}))

    def babble(self, data: bytes) -> Instant:
        """Bytes on the serial line that are no request to the device, as another station would send them.

        The bench's own port sends them: on the wires nobody can tell, and a live port is the only one there is.
        """
        return self.line(RTU).send(data)

    def cut(self) -> None:
        """The master's end of the TCP link goes dead: nothing of it arrives, and nobody is told."""
        self.do(Inject(CutLine(name=_DEAD, sender=MASTER), TCP_LINE))

    def mend(self) -> None:
        """The link cut by :meth:`cut` is whole again."""
        self.do(UndoFault(_DEAD, TCP_LINE))

    def spoil_parity(self) -> None:
        """The next chunk of the master has one byte with a wrong parity bit; inconclusive on a line without one."""
        self.places.parity()
        self._needed = _PARITY
        self.do(Inject(ParityError(name=_PARITY, sender=MASTER, at=_SPOILT, count=1), SERIAL_LINE))

    def leave_half_open(self) -> None:
        """As many clients as the device takes open connections and vanish without a word; their time runs out."""
        lines = [self.line(f"vanished{number}") for number in range(self.map.behaviour.clients or _USUAL_CLIENTS)]
        for line in lines:
            line.expect_served(f"client {line.name}")
        self.cut()
        self.let(2 * (self.idle_close or _IDLE))
        self.mend()

    # --- what several lines must come to ----------------------------------------------------------

    def expect_clients(self) -> None:
        """As many clients as the map says are served at once, and still are when one more has come."""
        most = self.map.behaviour.clients or _USUAL_CLIENTS
        lines = [self.line(f"client{number}") for number in range(1, most + 1)]
        for line in lines:
            self.check(f"{line.name} connected", line.connect(), equals=True, at=self.now)
        for line in lines:
            line.expect_served(f"{line.name} served")
        self.line("surplus").connect()
        self.let(SECOND)
        for line in lines:
            self.check(f"{line.name} still connected", line.open, equals=True, at=self.now)
            line.expect_served(f"{line.name} served beside one more")

    def expect_apart(self, first: ModbusLine, second: ModbusLine) -> None:
        """Two clients ask for different values at once, by one transaction id; each gets its own."""
        self.places.several()
        run = self.places.any_run()
        requests = (run.one(), run.read(run.edges[2] - run.address))
        first.expect_served(f"client {first.name}")
        if not self._serves_beside(second):
            raise Inconclusive("the device serves one client at a time, which its map may say ([behaviour] clients)")
        begun = [line.begin(each, transaction=_SAME) for line, each in zip((first, second), requests, strict=True)]
        for line, each in zip((first, second), begun, strict=True):
            outcome = line.outcome(*each)
            line.judge(f"reply to {line.name}", outcome.kind == "reply", outcome, outcome.due)

    def _serves_beside(self, line: ModbusLine) -> bool:
        """Whether a client is served while another one is connected; judged where the map says that two are."""
        if self.map.behaviour.clients > 1:
            line.expect_served(f"client {line.name}")
            return True
        return line.connect() and line.ask(self.places.any_run().one()).kind == "reply"

    def expect_one_answer(self, line: ModbusLine) -> None:
        """A write is answered, and then nothing more comes."""
        register = self.places.any_writable()
        request = self.places.write(register, line.words_of(register))
        line.expect_reply(request)
        self.expect_mute(line, "more of it", after=self.now)

    def foreign_frame(self, request: Request | Reply) -> bytes:
        """A request to or reply of another station, as it goes over the serial line."""
        return encode_rtu(self.places.foreign, request.encode())

    def expect_aloof(self, line: ModbusLine) -> None:
        """Another station is asked and answers; the device says nothing."""
        request = self.places.any_run().one()
        line.expect_silence(request, "answer for another station", unit=self.places.foreign)
        start = self.babble(self.foreign_frame(Registers(request.function, (1,))))
        self.expect_mute(line, "answer to another station's answer", after=start)

    def overlong(self, size: int) -> bytes:
        """A good request in the begin of a frame that is too long, its check right."""
        body = self.places.any_run().one().encode()
        return encode_rtu(self.places.unit, body + bytes(size - len(body) - 3))

    def expect_passed_over(self, line: ModbusLine, data: bytes) -> None:
        """Bytes are not answered, and the next request is."""
        start = line.send(data)
        self.expect_mute(line, f"answer to {len(data)} bytes", after=start)
        line.expect_served()

    def expect_short_passed_over(self, line: ModbusLine) -> None:
        """The begins of a request, each alone, are not answered."""
        frame = encode_rtu(self.places.unit, self.places.any_run().one().encode())
        for size in (1, 2, 3):
            self.expect_passed_over(line, frame[:size])

    # --- what was seen ----------------------------------------------------------------------------

    def noted(self, what: str) -> Note | None:
        """The master's note of that text."""
        return next((each for each in reversed(self.record.notes) if each.kind == KIND and each.what == what), None)

    def beside(self, ticket: int) -> list[Note]:
        """What tells of bytes that came while a request waited, and were not its reply."""
        return [each for each in self.record.notes if each.what == f"bytes {ticket}"]

    def state_of(self, name: str) -> str:
        """``opened``, ``closed``, ``reset`` or ``refused``; empty for a connection that never was."""
        for note in reversed(self.record.notes):
            word, _, of = note.what.partition(" ")
            if note.kind == KIND and of == name and word in ("opened", "closed", "reset", "refused"):
                return word
        return ""

    def said(self, line: Line, after: Instant) -> list[BytesSeen]:
        """What the device has sent on a line after an instant."""
        return self.record.heard_on(SERIAL_LINE if line.serial else TCP_LINE, after, but=(MASTER, OTHER))

    def expect_mute(self, line: Line, label: str, *, after: Instant, span: Span = SECOND) -> None:
        """The device sends nothing for a span after an instant."""
        self.until(after + span)
        text = show_bytes(b"".join(each.data for each in self.said(line, after)))
        self.check(label, text, equals="(none)", at=self.now)

    def silence_before(self, outcome: Outcome) -> Span | None:
        """From the end of a request on the serial line to the begin of its answer; None where there is none."""
        asked = self.record.bytes_on(SERIAL_LINE, outcome.sent, sender=MASTER)
        answers = self.record.heard_on(SERIAL_LINE, outcome.sent, but=(MASTER, OTHER))
        return answers[0].started - asked[0].t if asked and answers else None

    def report_times(self, outcomes: Sequence[Outcome]) -> None:
        """Tell shortest, mean and longest time to a reply."""
        times = [seconds(each.took) for each in outcomes if each.kind == "reply"]
        if times:
            for name, value in (("shortest", min(times)), ("mean", fmean(times)), ("longest", max(times))):
                self.report(f"{name} response time", round(value, 6), "s")


def _writes(request: Request) -> bool:
    return not isinstance(request, Read | RawPdu)
