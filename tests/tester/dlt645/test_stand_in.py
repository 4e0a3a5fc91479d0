"""The meter that the bench plays: the plant's values, ordered ones, and every way to misbehave."""

from __future__ import annotations

import pickle
import random
from typing import Any

import pytest

from hil.bus.serial import SerialFormat, VirtualSerial
from hil.errors import UsageError
from hil.protocol.dlt645 import Frame, Function, di_bytes
from hil.tester.dlt645 import MeterReader, MeterStandIn
from hil.units import Instant, Span, ms, s
from hil.world.observation import Note, Observation
from hil.world.plan import Advance, Do, Tell
from hil.world.virtual import VirtualWorld

METER = "000000000161"
VOLTAGE, ENERGY = 0x02010100, 0x00010000


class Bench:
    def __init__(self) -> None:
        self.world = VirtualWorld(1)
        line = VirtualSerial(
            self.world.queue,
            name="rs485",
            sink=self.world.see,
            line_format=SerialFormat(2400, parity="E"),
            shared=True,
            turnaround=ms(1),
        )
        self.voltage = 231.5
        values = {VOLTAGE: ("output_voltage", 1.0), ENERGY: ("meter_energy", 1.0)}
        self.world.add_byte_node(MeterStandIn("meter", "rs485", self.sense, values, METER), line)
        self.world.add_byte_node(MeterReader("charger", "rs485"), line)
        self.seen: list[Observation] = []

    def sense(self, name: str, now: Instant) -> float:
        return {"output_voltage": self.voltage, "meter_energy": 12.34}[name]

    def tell(self, node: str, verb: str, *, run: Span = 0, **arguments: Any) -> list[Note]:
        start = len(self.seen)
        self.seen += self.world.execute(Do((Tell(node, verb, arguments),))).observations
        self.seen += self.world.execute(Advance(self.world.queue.now + run)).observations
        return [each for each in self.seen[start:] if isinstance(each, Note)]

    def read(self, di: int) -> str | float:
        """The value, or what came instead."""
        note = self.tell("charger", "read", address=METER, di=di, run=s(3))[-1]
        return note.details.get("value", note.what)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_it_shows_the_plant_and_tells_what_it_is_asked(bench: Bench) -> None:
    assert (bench.read(VOLTAGE), bench.read(ENERGY)) == (231.5, 12.34)
    asked = [each for each in bench.seen if isinstance(each, Note) and each.what.startswith("asked")]
    assert [each.what for each in asked] == ["asked 02010100", "asked 00010000"]
    assert bench.read(0x02020100) == "refused 02020100"


def test_it_tells_its_address(bench: Bench) -> None:
    note = bench.tell("charger", "read_address", run=s(1))[-1]
    assert note.details["address"] == METER


def test_a_broadcast_time_is_noted(bench: Bench) -> None:
    notes = bench.tell("charger", "time", moment="2017-06-05T10:22:51", run=s(1))
    assert notes[-1].details == {"moment": "2017-06-05T10:22:51"}


def test_it_shows_what_the_bench_orders_until_told_otherwise(bench: Bench) -> None:
    bench.tell("meter", "show", di=VOLTAGE, value=190.0)
    bench.tell("meter", "show_bytes", di=ENERGY, data="0E 00 00 00")
    assert (bench.read(VOLTAGE), bench.read(ENERGY)) == (190.0, "0000000E")
    bench.tell("meter", "true", di=VOLTAGE)
    assert (bench.read(VOLTAGE), bench.read(ENERGY)) == (231.5, "0000000E")
    bench.tell("meter", "true")
    assert bench.read(ENERGY) == 12.34


def test_what_the_format_cannot_hold_is_missing(bench: Bench) -> None:
    bench.voltage = 1000.0
    assert bench.read(VOLTAGE) == "FFFF"


@pytest.mark.parametrize(
    ("verb", "arguments", "undo", "what"),
    [
        ("mute", {"on": True}, {"on": False}, "no answer 02010100"),
        ("corrupt", {"on": True}, {"on": False}, "no answer 02010100"),
        ("refuse", {"error": 4}, {"error": 0}, "refused 02010100"),
        ("delay", {"span": s(3)}, {"span": ms(20)}, "no answer 02010100"),
    ],
)
def test_it_misbehaves_when_told(
    bench: Bench, verb: str, arguments: dict[str, Any], undo: dict[str, Any], what: str
) -> None:
    bench.tell("meter", verb, **arguments)
    assert bench.read(VOLTAGE) == what
    bench.tell("meter", verb, run=s(2), **undo)
    assert bench.read(VOLTAGE) == 231.5


@pytest.mark.parametrize(
    ("verb", "arguments", "what", "error"),
    [
        ("freeze", {}, "answer 16", None),
        ("relay", {"command": "TRIP", "moment": "2030-01-02T03:04:05"}, "answer 1C", None),
        ("relay", {"command": "CLOSE"}, "answer 1C", None),
        ("clear", {"what": "demand"}, "refused 19", 4),
        ("clear", {"what": "events"}, "refused 1B", 4),
        ("write", {"di": 0x04000402, "data": "010203040506"}, "refused 14", 4),
        ("request", {"function": 0x1D, "data": "02"}, "answer 1D", None),
        ("request", {"function": 0x17, "data": "20"}, "refused 17", 8),
        ("request", {"function": 0x16, "data": "01"}, "refused 16", 1),
        ("request", {"function": 0x03, "data": ""}, "refused 03", 1),
    ],
)
def test_it_obeys_what_changes_nothing_in_it(
    bench: Bench, verb: str, arguments: dict[str, Any], what: str, error: int | None
) -> None:
    note = bench.tell("charger", verb, address=METER, run=s(2), **arguments)[-1]
    assert (note.what, note.details.get("error")) == (what, error)


def test_a_relay_command_is_noted_with_its_expiry(bench: Bench) -> None:
    notes = bench.tell("charger", "relay", address=METER, command="TRIP", moment="2030-01-02T03:04:05", run=s(2))
    assert [note.details for note in notes if note.what == "relay"] == [
        {"command": "TRIP", "moment": "2030-01-02T03:04:05"}
    ]
    unknown = "02000000" + "00000000" + "5500" + "FFFFFFFFFFFF"
    notes = bench.tell("charger", "request", address=METER, function=0x1C, data=unknown, run=s(2))
    assert [note.details for note in notes if note.what == "relay"] == [{"command": "55", "moment": ""}]


def test_it_sends_bytes_as_they_are(bench: Bench) -> None:
    notes = bench.tell("meter", "send", data="01 02 03", run=s(2))
    assert [(note.what, note.details["bytes"]) for note in notes] == [("garbled", "01 02 03")]


def test_a_poll_reads_again_and_again(bench: Bench) -> None:
    notes = bench.tell("charger", "poll", address=METER, di=VOLTAGE, every=s(1), run=ms(3500))
    assert [note.details["value"] for note in notes if note.what == "answer 02010100"] == [231.5] * 4
    assert bench.tell("charger", "stop", run=s(3)) == []


def test_a_poll_of_a_quantity_measures_it(bench: Bench) -> None:
    notes = bench.tell("charger", "poll", address=METER, di=VOLTAGE, every=s(1), quantity="voltage", run=ms(1500))
    first, second = [note for note in notes if note.kind == "measured"]
    assert (first.what, first.details["value"], first.details["unit"]) == ("voltage", 231.5, "V")
    assert (first.details["by"], first.details["asked"], second.details["asked"]) == ("charger", 0, s(1))
    assert 0 < first.t < s(1)
    bench.tell("meter", "show_bytes", di=VOLTAGE, data="FFFF")
    assert [note.kind for note in bench.tell("charger", "stop", run=s(1)) if note.kind == "measured"] == []


def test_misuse_is_refused(bench: Bench) -> None:
    with pytest.raises(UsageError, match="no DL/T 645 item 12345678"):
        bench.tell("meter", "show", di=0x12345678, value=1)
    with pytest.raises(UsageError, match=r"voltage L1 1000\.0"):
        bench.tell("meter", "show", di=VOLTAGE, value=1000.0)
    with pytest.raises(UsageError, match="argument on 1: a bool is needed"):
        bench.tell("meter", "mute", on=1)
    with pytest.raises(UsageError, match="argument moment 'now'"):
        bench.tell("charger", "time", moment="now")
    with pytest.raises(UsageError, match="it knows show"):
        bench.tell("meter", "sing")
    with pytest.raises(UsageError, match="argument what 'all': demand, meter, events are allowed"):
        bench.tell("charger", "clear", address=METER, what="all")
    with pytest.raises(UsageError, match="argument command 'OPEN': TRIP, "):
        bench.tell("charger", "relay", address=METER, command="OPEN")
    with pytest.raises(UsageError, match="it knows read"):
        bench.tell("charger", "sing")
    with pytest.raises(UsageError, match="no DL/T 645 item 00000042"):
        MeterStandIn("meter", "rs485", bench.sense, {0x42: ("output_voltage", 1.0)})


def test_a_hundred_thousand_mutated_requests_neither_stop_nor_grow_it() -> None:
    rng = random.Random(17)
    meter = MeterStandIn("meter", "rs485", lambda name, at: rng.choice((0.0, 1e9, 230.0)), {VOLTAGE: ("v", 1.0)}, METER)
    functions = [int(each) for each in Function]
    now = answers = 0
    for number in range(100_000):
        now += rng.choice((ms(1), ms(60), ms(600)))
        data = rng.choice((di_bytes(VOLTAGE), di_bytes(ENERGY), b"", bytes(16), rng.randbytes(rng.randrange(20))))
        address = rng.choice((METER, "A" * 12, "9" * 12, "000000000162"))
        raw = bytearray(Frame(address, rng.choice(functions), data).encode(rng.randrange(5)))
        for _ in range(rng.randrange(2)):
            at = rng.randrange(len(raw))
            raw[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        meter.received("rs485", 0, bytes(raw), "parity" if number % 40 == 0 else "", now)
        meter.wake(now)
        answers += len(meter.wishes)
        meter.wishes.clear()
        meter.notes.clear()
        if number == 1000:
            early = len(pickle.dumps((meter._framer, meter._outbox, meter._shown)))
    assert answers > 10_000
    assert len(pickle.dumps((meter._framer, meter._outbox, meter._shown))) < early + 2000
    meter.wake(now + s(1))
    meter.wishes.clear()
    meter.received("rs485", 0, Frame(METER, Function.READ, di_bytes(VOLTAGE)).encode(), "", now + s(2))
    meter.wake(now + s(3))
    assert len(meter.wishes) == 1
