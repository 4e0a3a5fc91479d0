"""The simulated instrument: it moves the plant, keeps its limits, and reports errors as real ones do."""

from __future__ import annotations

import random

import pytest

from hil.bus.serial import SerialFormat, VirtualSerial
from hil.errors import UsageError
from hil.tester.scpi import Instrument, InstrumentSpec, ScpiDriver
from hil.units import SECOND, Instant, Span, ms, s
from hil.world.bytenode import Send
from hil.world.observation import Note, Observation, Sample
from hil.world.plan import Advance, Do, Tell
from hil.world.virtual import VirtualWorld


class Source:
    """A stiff supply: what the load draws flows."""

    def __init__(self) -> None:
        self.voltage = 400.0
        self.drawn = 0.0
        self.history: list[tuple[Instant, float]] = []

    def sense(self, name: str, now: Instant) -> float:
        return {"supply_voltage": self.voltage, "line_current": self.drawn}[name]

    def actuate(self, name: str, value: float, now: Instant) -> None:
        assert name == "draw_current"
        self.drawn = value
        self.history.append((now, value))

    def stimulate(self, name: str, value: float, now: Instant) -> None:
        pass

    def check_stimulus(self, name: str, value: float) -> None:
        pass

    def go_safe(self, now: Instant) -> None:
        pass

    def wake(self, now: Instant) -> None:
        pass

    def next_deadline(self) -> Instant | None:
        return None

    def take_samples(self) -> list[Sample]:
        return []

    def take_changes(self) -> list[tuple[Instant, str, float]]:
        return []


class Bench:
    """Instrument and driver on a line."""

    def __init__(self, spec: InstrumentSpec | None = None) -> None:
        self.world = VirtualWorld(1)
        self.plant = Source()
        self.world.add_plant(self.plant)
        line = VirtualSerial(self.world.queue, name="gpib", sink=self.world.see, line_format=SerialFormat(115200))
        self.instrument = Instrument("load", "gpib", self.world.sense, spec)
        self.world.add_byte_node(self.instrument, line)
        self.world.add_byte_node(ScpiDriver("driver", "gpib"), line)
        self.seen: list[Observation] = []

    def run(self, span: Span) -> None:
        self.seen += self.world.execute(Advance(self.world.queue.now + span)).observations

    def send(self, text: str, span: Span = SECOND // 4) -> None:
        self.seen += self.world.execute(Do((Tell("driver", "send", {"text": text}),))).observations
        self.run(span)

    def notes(self, what: str) -> list[Note]:
        return [each for each in self.seen if isinstance(each, Note) and each.kind == "scpi" and each.what == what]

    def ask(self, text: str, span: Span = SECOND // 4) -> str:
        count = len(self.notes("answer"))
        self.send(text, span)
        answers = self.notes("answer")[count:]
        return str(answers[0].details["text"]) if answers else ""

    def errors(self) -> list[int]:
        found = []
        while (code := int(self.ask("SYST:ERR?").partition(",")[0])) != 0:
            found.append(code)
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench()


# --- common commands -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("*IDN?", "HIL,SIMULATED LOAD,0001,1.0"),
        ("*ESR?", "128"),
        ("*ESE 32;*ESE?", "32"),
        ("*SRE 16;*SRE?", "16"),
        ("*STB?", "0"),
        ("*TST?;*STB?", "0;16"),
        ("*OPC?", "1"),
        ("*TST?", "0"),
        ("*ESR?;*OPC;*ESR?", "128;1"),
        ("CURR 5;CURR?", "5.000"),
        ("CURR 5;:CURR?;:VOLT?", "5.000;0.000"),
        ("SOUR:CURR:LEV 5;LEV?", "5.000"),
        ("CURR? MAX", "300.000"),
        ("CURR MIN;CURR?", "0.000"),
        ("VOLT:PROT 500;PROT?", "500.000"),
        ("FUNC RES;FUNC?", "RES"),
        ("INP?", "0"),
        ("LIST:CURR 1,2,3;CURR?", "1.000,2.000,3.000"),
        ("LIST:DWEL 0.1;COUN 4;COUN?", "4"),
        ("STAT:OPER:ENAB 32;ENAB?", "32"),
        ("STAT:QUES:PTR 3;NTR 2;PTR?;NTR?;COND?", "3;2;0"),
        ("CURR 7;*SAV 1;CURR 9;*RCL 1;CURR?", "7.000"),
        ("CURR 7;*RST;CURR?", "0.000"),
        ("SYST:ERR:COUN?", "0"),
        ("SYST:ERR:ALL?", '0,"No error"'),
        ("MEAS:VOLT?;CURR?;:FETC:POW?", "400.000;0.000;0.000"),
    ],
)
def test_a_line_and_its_answer(bench: Bench, line: str, answer: str) -> None:
    assert bench.ask(line) == answer
    assert bench.errors() == []


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("FOO 1", [-113]),
        ("CURRE 1", [-113]),
        ("CURR", [-109]),
        ("CURR 1,2", [-108]),
        ("CURR,,5", [-102]),
        ('CURR "5"', [-104]),
        ("CURR 5V", [-131]),
        ("CURR 99999", [-222]),
        ("CURR INF", [-222]),
        ("FUNC MAYBE", [-224]),
        ("INP PERHAPS", [-224]),
        ("CURR 100;:CURR:PROT 50", [-221]),
        ("CURR:PROT 50;:CURR 100", [-221]),
        ("*TRG", [-200]),
        ("*RCL 5", [-200]),
        ("INIT", [-221]),
        ("*IDN", [-113]),
        ("MEAS:VOLT 1", [-113]),
        ("CURR 'x", [-102]),
        ("LIST:CURR " + ",".join("1" * 101), [-108]),
        ("FOO;CURR 5", [-113]),
        ("CURR 99999;CURR 99998", [-222, -222]),
    ],
)
def test_an_error_is_queued_and_nothing_answered(bench: Bench, line: str, codes: list[int]) -> None:
    assert bench.ask(line) == ""
    assert bench.ask("*STB?") == "4"
    assert bench.errors() == codes
    assert bench.ask("*STB?") == "0"


def test_a_command_error_discards_the_rest_and_an_execution_error_does_not(bench: Bench) -> None:
    assert bench.ask("CURR 5;FOO 1;CURR 6") == ""
    assert bench.ask("CURR?") == "5.000"
    assert bench.ask("CURR 99999;CURR 6;CURR?") == "6.000"


@pytest.mark.parametrize(("query", "code"), [("FOO?", "-113"), ("*RST?", "-113"), ("CURR? 1,2", "-108")])
def test_a_query_with_an_error_is_never_answered(bench: Bench, query: str, code: str) -> None:
    bench.send(query, s(3))
    assert [note.details["asked"] for note in bench.notes("no answer")] == [query]
    assert [str(note.details["text"])[:4] for note in bench.notes("answer")] == [code]


def test_the_queue_overflows_at_its_end(bench: Bench) -> None:
    for _ in range(30):
        bench.send("FOO", ms(50))
    assert bench.errors() == [-113] * 19 + [-350]


def test_cls_clears_and_rst_does_not(bench: Bench) -> None:
    bench.send("FOO")
    bench.send("*RST")
    assert bench.ask("SYST:ERR:COUN?") == "1"
    bench.send("*CLS")
    assert bench.ask("SYST:ERR:COUN?;:STAT:QUES?;*ESR?") == "0;0;0"


# --- moving the plant ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "current"),
    [
        ("CURR 32", 32.0),
        ("FUNC POW;:POW 8kW", 20.0),
        ("FUNC RES;:RES 10", 40.0),
        ("CURR 32;VOLT:ON 450V", 0.0),
    ],
)
def test_a_load_draws_what_its_mode_says(bench: Bench, setting: str, current: float) -> None:
    bench.send(setting)
    assert bench.plant.drawn == 0
    bench.send("INP ON")
    assert bench.plant.drawn == pytest.approx(current)
    assert bench.ask("MEAS:CURR?") == f"{current:.3f}"
    bench.send("INP OFF")
    assert bench.plant.drawn == 0


def test_a_short_draws_all_it_can(bench: Bench) -> None:
    bench.plant.voltage = 100.0
    bench.send("INP:SHOR ON;:INP ON")
    assert bench.plant.drawn == 300.0
    bench.plant.voltage = 400.0
    bench.run(s(1))
    assert bench.plant.drawn == 0.0  # more than its power allows: the protection has tripped
    assert bench.ask("STAT:QUES:COND?") == "8"


def test_a_mode_follows_the_plant(bench: Bench) -> None:
    bench.send("FUNC POW;:POW 8000;:INP ON")
    bench.plant.voltage = 200.0
    bench.run(s(1))
    assert bench.plant.drawn == pytest.approx(40.0)


def test_a_reset_switches_off(bench: Bench) -> None:
    bench.send("CURR 10;:INP ON;:INP:SHOR OFF")
    bench.send("*RST")
    assert (bench.ask("INP?;:CURR?;:CURR:MODE?"), bench.plant.drawn) == ("0;0.000;FIX", 0.0)


def test_the_current_ramps_with_its_slew_rate(bench: Bench) -> None:
    bench.send("CURR:SLEW 10;:CURR 20;:INP ON", ms(1000))
    assert bench.plant.drawn == pytest.approx(10.0, abs=0.5)
    bench.run(ms(1500))
    assert bench.plant.drawn == 20.0


def test_a_protection_latches_until_its_cause_is_gone(bench: Bench) -> None:
    bench.send("VOLT:PROT 420;:CURR 10;:INP ON")
    bench.plant.voltage = 430.0
    bench.run(ms(100))
    assert bench.plant.drawn == 0
    assert bench.ask("STAT:QUES:COND?;:STAT:QUES?;:STAT:QUES?;:INP?") == "1;1;0;0"
    bench.send("INP ON")
    bench.send("INP:PROT:CLE")
    assert bench.errors() == [-221, -221]
    bench.plant.voltage = 400.0
    bench.send("INP:PROT:CLE;:INP ON")
    assert (bench.plant.drawn, bench.errors()) == (10.0, [])


def test_a_list_runs_step_by_step_and_opc_tells_its_end(bench: Bench) -> None:
    bench.send("LIST:CURR 5,10,15;DWEL 0.5,0.25,0.25;COUN 2;:CURR:MODE LIST;:INP ON")
    bench.send("INIT;*OPC")
    assert bench.ask("STAT:OPER:COND?;*ESR?") == "32;128"
    start = bench.world.queue.now
    bench.send("*TRG", ms(10))
    assert bench.ask("*OPC?", s(3)) == "1"
    steps = [(at, value) for at, value in bench.plant.history if at > start]
    first = steps[0][0]
    assert [(round((at - first) / 1e6), value) for at, value in steps] == [
        (0, 5.0),
        (500, 10.0),
        (750, 15.0),
        (1000, 5.0),
        (1500, 10.0),
        (1750, 15.0),
        (2000, 0.0),
    ]
    answer = bench.notes("answer")[-1]
    assert answer.details["latency"] > s(1)  # type: ignore[operator]  # a span
    assert bench.ask("*ESR?") == "1"


def test_an_armed_list_can_be_aborted(bench: Bench) -> None:
    bench.send("LIST:CURR 5;:CURR:MODE LIST;:INIT;:ABOR")
    bench.send("*TRG")
    assert bench.errors() == [-200]


def test_a_source_keeps_to_its_actuators() -> None:
    spec = InstrumentSpec(source=True, actuators={"current": "draw_current"}, sign=-1.0)
    bench = Bench(spec)
    bench.send("VOLT 500;:CURR 25;:OUTP ON")
    assert bench.plant.drawn == -25.0
    assert bench.ask("MEAS:CURR?") == "25.000"


# --- dialects and faults -------------------------------------------------------------------------------


def test_a_dialect_with_units_plus_and_crlf() -> None:
    bench = Bench(InstrumentSpec(units=True, plus=True, crlf=True, onoff=True))
    assert bench.ask("MEAS:VOLT?") == "400.000V"
    assert bench.notes("answer")[-1].details["number"] == 400.0
    assert bench.ask("SYST:ERR?") == '+0,"No error"'
    assert bench.ask("INP?") == "OFF"


def test_a_poll_of_a_quantity_measures_it(bench: Bench) -> None:
    order = {"text": "MEAS:VOLT?", "every": s(1), "quantity": "voltage", "unit": "V"}
    bench.seen += bench.world.execute(Do((Tell("driver", "poll", order),))).observations
    bench.run(ms(1500))
    found = [each for each in bench.seen if isinstance(each, Note) and each.kind == "measured"]
    assert [(each.what, each.details["value"], each.details["asked"]) for each in found] == [
        ("voltage", 400.0, 0),
        ("voltage", 400.0, s(1)),
    ]
    bench.world.execute(Do((Tell("driver", "stop", {}),)))
    bench.run(s(2))
    assert len([each for each in bench.seen if isinstance(each, Note) and each.kind == "measured"]) == 2


def test_an_instrument_may_have_to_be_taken_first() -> None:
    bench = Bench(InstrumentSpec(needs_remote=True))
    bench.send("CURR 5")
    assert bench.errors() == [-200]
    assert bench.ask("SYST:LOCK ON;LOCK:OWN?;:CURR 5;:CURR?") == "REMOTE;5.000"
    bench.send("SYST:LOC")
    bench.send("INP ON")
    assert bench.errors() == [-200]


def test_measuring_takes_longer_than_fetching(bench: Bench) -> None:
    latencies = []
    for line in ("FETC:VOLT?", "MEAS:VOLT?"):
        bench.ask(line)
        latencies.append(bench.notes("answer")[-1].details["latency"])
    assert ms(39) < latencies[1] - latencies[0] < ms(41)  # type: ignore[operator]  # spans


def test_a_watchdog_switches_off() -> None:
    bench = Bench(InstrumentSpec(watchdog=s(5)))
    bench.send("CURR 5;:INP ON")
    bench.run(s(4))
    assert bench.plant.drawn == 5.0
    bench.run(s(2))
    assert bench.plant.drawn == 0.0
    assert bench.notes("watchdog")


def test_bench_orders(bench: Bench) -> None:
    bench.world.execute(Do((Tell("load", "mute", {"on": True}),)))
    assert bench.ask("*IDN?", s(5)) == ""
    bench.world.execute(Do((Tell("load", "mute", {"on": False}), Tell("load", "fail", {"code": -240}))))
    assert bench.errors() == [-240]
    with pytest.raises(UsageError, match="it knows mute, fail"):
        bench.world.execute(Do((Tell("load", "sing", {}),)))


@pytest.mark.parametrize(
    "make", [lambda: InstrumentSpec(sensors={"smell": "x"}), lambda: InstrumentSpec(ranges={"voltage": (0, 1)})]
)
def test_a_spec_that_means_nothing_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(UsageError):
        make()


# --- robustness ----------------------------------------------------------------------------------------


def test_a_hundred_thousand_mutated_lines_neither_stop_nor_grow_the_instrument() -> None:
    rng = random.Random(9)
    instrument, now, answers = Instrument("load", "gpib", lambda name, at: 400.0), 0, 0
    lines = [
        *(b"*IDN?\n", b"CURR 5;VOLT? MAX\n", b"SYST:ERR:ALL?\n", b"LIST:CURR 1,2,3;DWEL 0.1\n", b"INP ON\n"),
        *(b"CURR:MODE LIST;:INIT;*TRG;*OPC?\n", b"ABOR;*CLS\n", b"MEAS:POW?;CURR?\n", b"STAT:QUES:ENAB 5;ENAB?\n"),
    ]
    for number in range(100_000):
        now += rng.choice((0, ms(1), ms(50), ms(900)))
        line = bytearray(rng.choice(lines))
        for _ in range(rng.randrange(3)):
            at = rng.randrange(len(line))
            line[at : at + rng.randrange(3)] = rng.choice((b"", b";", b":", b"?", b'"', b"\n", rng.randbytes(2)))
        instrument.received("gpib", 0, bytes(line), "parity" if number % 90 == 0 else "", now)
        answers += len(instrument.wishes)
        instrument.wishes.clear()
        instrument.notes.clear()
        instrument.actuations.clear()
    assert answers > 10_000
    for _ in range(200):
        now += s(1)
        instrument.wake(now)
    instrument.received("gpib", 0, b'"\n\n*CLS\n', "", now)
    instrument.wake(now + s(1))
    instrument.wishes.clear()
    instrument.received("gpib", 0, b"*IDN?\n", "", now + s(2))
    instrument.wake(now + s(3))
    assert instrument.wishes == [Send("gpib", b"HIL,SIMULATED LOAD,0001,1.0\n")]
