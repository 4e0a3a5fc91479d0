"""A reference meter and a reader on an RS-485 line, over a plant of plain values."""

from __future__ import annotations

import pytest

from hil.bus.serial import SerialFormat, VirtualSerial
from hil.dut.dlt645 import SINGLE_PHASE, Meter, MeterSpec
from hil.tester.dlt645 import MeterReader
from hil.units import SECOND, Instant, Span
from hil.world.bytenode import ByteNodeRunner
from hil.world.observation import BytesSeen, Note, Observation
from hil.world.plan import Action, Advance, Do, Tell
from hil.world.virtual import VirtualWorld

LINE = SerialFormat(2400, parity="E")
METER = "000000000161"


class Bench:
    """``values`` is what the plant's sensors tell."""

    def __init__(self, spec: MeterSpec | None = None, *, echo: bool = False) -> None:
        self.world = VirtualWorld(1)
        self.values = {"meter_energy": 0.26, "mains_voltage": 220.5, "line_current": 7.125, "meter_power": 1571.0625}
        self.line = VirtualSerial(
            self.world.queue, name="rs485", sink=self.world.see, line_format=LINE, shared=True, echo=echo
        )
        self.world.add_line(self.line)
        spec = spec or MeterSpec(measured=SINGLE_PHASE)
        self.meter = Meter("meter", "rs485", self.sense, spec, relay="supply_relay")
        self.reader = MeterReader("reader", "rs485")
        self.runner: ByteNodeRunner = self.world.add_byte_node(self.meter, self.line)
        self.world.add_byte_node(self.reader, self.line)
        self.seen: list[Observation] = []

    def sense(self, name: str, now: Instant) -> float:
        return self.values[name]

    def run(self, span: Span) -> None:
        self.seen += self.world.execute(Advance(self.world.queue.now + span)).observations

    def do(self, *actions: Action) -> None:
        self.seen += self.world.execute(Do(actions)).observations

    def tell(self, verb: str, **arguments: object) -> None:
        self.do(Tell("reader", verb, arguments))

    def notes(self, kind: str = "dlt645") -> list[Note]:
        return [each for each in self.seen if isinstance(each, Note) and each.kind == kind]

    def ask(self, function: int, data: str = "", *, address: str = METER, span: Span = 3 * SECOND) -> Note:
        """The note of what came of a request."""
        start = len(self.notes())
        self.tell("request", address=address, function=function, data=data)
        self.run(span)
        [note] = self.notes()[start:]
        return note

    def read(self, di: int) -> str | float:
        """The value of an item, or how it was refused."""
        start = len(self.notes())
        self.tell("read", address=METER, di=di)
        self.run(3 * SECOND)
        [note] = self.notes()[start:]
        return note.details.get("value", note.what)

    def raw(self, data: str, span: Span = 3 * SECOND) -> str:
        """What the meter sends after these bytes."""
        start = len(self.seen)
        self.tell("send", data=data)
        self.run(span)
        sent = [each.data for each in self.seen[start:] if isinstance(each, BytesSeen) and each.sender == "meter"]
        return b"".join(sent).hex(" ").upper()


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def make() -> type[Bench]:
    return Bench
