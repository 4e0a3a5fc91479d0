"""An electronic load at a charging point: what it draws, what it tells, and what a case makes of its refusals."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from hil.bench.ac import AcBench, AcPhase
from hil.bench.judge import Inconclusive, Judge
from hil.bench.load import LOAD, LOAD_LINE, put_load, take_load_away
from hil.bench.opening import kind_of
from hil.bench.scpi import KIND, InstrumentError, ScpiOrders
from hil.bench.setup import Setup
from hil.bus.bytefaults import CorruptBytes
from hil.conformance.register import resolve
from hil.errors import UsageError
from hil.protocol.scpi import DIALECTS
from hil.units import ms, s
from hil.world.plan import Inject, Tell, UndoFault


@pytest.fixture
def bench() -> AcBench:
    kind, setup = kind_of("ac"), Setup(seed=1, readings=resolve({}))
    opened = kind.bench(kind.build(setup, {}), setup, Judge(), lambda seen: None)
    assert isinstance(opened, AcBench)
    opened.reach(AcPhase.CHARGING)
    return opened


@pytest.fixture
def load(bench: AcBench) -> ScpiOrders:
    return put_load(bench)


def test_a_load_takes_the_vehicles_place_and_gives_it_back(bench: AcBench) -> None:
    assert bench.signal("line_current") == 32.0
    load = put_load(bench)
    assert bench.signal("line_current") == 0.0
    load.set("current", 10)
    assert bench.signal("line_current") == 0.0
    load.on()
    assert bench.signal("line_current") == 10.0
    take_load_away(bench, load)
    bench.let(s(2))
    assert bench.signal("line_current") == 32.0


def test_the_vehicle_does_not_draw_behind_the_loads_back(bench: AcBench, load: ScpiOrders) -> None:
    load.set("current", 10)
    load.on()
    bench.ask_limit(8.0)
    bench.let(s(5))
    bench.vehicle.draw(20.0)
    assert bench.signal("line_current") == 10.0


@pytest.mark.parametrize(
    ("quantity", "value", "current"),
    [("current", 16.0, 16.0), ("power", 2300.0, 10.0), ("resistance", 23.0, 10.0)],
)
def test_it_regulates_a_quantity_and_measures(
    bench: AcBench, load: ScpiOrders, quantity: str, value: float, current: float
) -> None:
    load.regulate(quantity)
    load.set(quantity, value)
    load.on()
    bench.let(ms(100))
    assert bench.signal("line_current") == pytest.approx(current)
    told = load.measure("current")
    assert [told.value, load.measure("voltage").value] == pytest.approx([current, 230.0])
    assert 0 < told.at - told.asked < ms(200)


def test_a_list_is_drawn_step_by_step_and_its_end_is_seen(bench: AcBench, load: ScpiOrders) -> None:
    load.on()
    begun = load.run([(6, s(2)), (16, s(1)), (8, s(1))], count=2)
    ended = load.complete(s(20))
    assert ended is not None
    seen = bench.record.samples("line_current", begun)
    assert [sample.value for sample in seen] == [6, 16, 8, 6, 16, 8, 0]
    assert [after.t - before.t for before, after in pairwise(seen)] == [s(n) for n in (2, 1, 1) * 2]
    assert 0 <= ended - seen[-1].t < s(1)


def test_a_list_that_goes_on_is_not_complete(load: ScpiOrders) -> None:
    load.on()
    load.run([(6, s(60))])
    assert load.complete(s(5)) is None


def test_what_it_refuses_makes_the_case_inconclusive(load: ScpiOrders) -> None:
    with pytest.raises(Inconclusive, match=r"load driver does not obey 'CURR 500': -222,\"Data out of range\""):
        load.set("current", 500)
    with pytest.raises(Inconclusive, match=r"no answer to 'FOO\?', error -113,\"Undefined header\""):
        load.ask("FOO?")
    assert load.errors() == []


def test_errors_and_status_are_told(load: ScpiOrders) -> None:
    load.events()
    load.send("CURR 500")
    load.send("FOO")
    assert load.status() == 0x04
    assert load.errors() == [InstrumentError(-222, "Data out of range"), InstrumentError(-113, "Undefined header")]
    assert (load.status(), load.events()) == (0, 0x30)
    assert load.identify() == "HIL,SIMULATED LOAD,0001,1.0"


@pytest.mark.parametrize(
    ("byte", "asking"),
    [
        (0, lambda load: load.measure("voltage")),
        (0, lambda load: load.status()),
        (0, lambda load: load.errors()),
        (7, lambda load: load.measure("voltage")),
    ],
)
def test_an_answer_that_is_none_makes_the_case_inconclusive(
    bench: AcBench, load: ScpiOrders, byte: int, asking: Callable[[ScpiOrders], object]
) -> None:
    bench.do(Inject(CorruptBytes(name="noise", sender=LOAD, at=byte, invert="7F"), LOAD_LINE))
    with pytest.raises(Inconclusive):
        asking(load)
    bench.do(UndoFault("noise", LOAD_LINE))
    load.errors()
    load.set("current", 10)


def test_what_the_driver_asks_by_itself_is_not_taken_for_the_benchs_answer(bench: AcBench, load: ScpiOrders) -> None:
    load.send("BOGUS?")  # has no answer: the driver asks for the error behind it, before the bench's question
    assert load.errors() == []
    told = [str(each.details["text"]) for each in bench.record.notes if each.kind == KIND and each.what == "answer"]
    assert told[-2:] == ['-113,"Undefined header"', '0,"No error"'], "the driver's question came first"


def test_a_load_that_is_dead_makes_the_case_inconclusive(bench: AcBench, load: ScpiOrders) -> None:
    bench.do(Tell(LOAD, "mute", {"on": True}))
    with pytest.raises(Inconclusive, match=r"no answer to 'MEAS:CURR\?', error unknown"):
        load.measure("current")


@pytest.mark.parametrize(
    ("misuse", "told"),
    [
        (lambda load: load.ask("CURR 5"), "'CURR 5' asks nothing"),
        (lambda load: load.set("energy", 5), "set 'energy': this instrument knows voltage, current, power, resistance"),
        (lambda load: load.run([]), "a list has one step at least"),
    ],
)
def test_misuse_is_refused(load: ScpiOrders, misuse: Callable[[ScpiOrders], object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        misuse(load)


@pytest.mark.parametrize("name", ["scpi-load", "ea-load", "itech-load", "keysight-load"])
def test_the_simulated_load_understands_families_that_speak_as_the_sheet_has_it(bench: AcBench, name: str) -> None:
    load = put_load(bench, dialect=name)
    load.set("current", 7)
    load.on()
    assert (bench.signal("line_current"), load.measure("current").value) == (7.0, 7.0)
    load.give()
    assert bench.signal("line_current") == 0.0


def test_a_family_without_lists_or_modes_says_so(bench: AcBench) -> None:
    load = put_load(bench, dialect="ea-load")
    with pytest.raises(UsageError, match="no list mode"):
        load.run([(6, s(1))])
    with pytest.raises(UsageError, match="mode 'power': this instrument knows none of them"):
        load.regulate("power")
    with pytest.raises(UsageError, match="no dialect 'ea'; there are scpi-load, "):
        put_load(bench, dialect="ea")


def test_tables_of_families_are_those_of_the_sheet() -> None:
    chroma = DIALECTS["chroma-load"]
    assert (chroma.on, chroma.line("set", "current").format(value=5)) == ("LOAD ON", "CURR:STAT:L1 5")
    both = DIALECTS["ea-bidirectional"]
    assert (both.on, both.take, both.line("set", "sink power").format(value=10)) == (
        "OUTP ON",
        "SYST:LOCK ON",
        "SINK:POW 10",
    )
