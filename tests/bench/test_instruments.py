"""What a rig's instruments measure: the plant's values by every kind of instrument, and verdicts that know the band."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hil.bench.ac import AcBench, AcPhase
from hil.bench.bench import Bench
from hil.bench.instruments import add_instruments, reader_of
from hil.bench.judge import Inconclusive, Judge
from hil.bench.measured import MeasuredChecks
from hil.bench.opening import kind_of
from hil.bench.setup import Setup
from hil.conformance.catalogue import window
from hil.conformance.reading import Reading
from hil.conformance.register import resolve
from hil.conformance.verdict import Measurement, Verdict
from hil.dut.faults import all_faults
from hil.errors import RigError
from hil.pytest_plugin.options import Options
from hil.qualify import make_request, qualify
from hil.rig.instruments import InstrumentClaim, Uncertainty
from hil.units import ms, s
from hil.world.base import BaseWorld
from hil.world.plan import Tell

EXACT = Uncertainty()
METER = {
    "modbus": {"map": "acrel-djsf1352"},
    "dlt645": {},
    "scpi": {},
    "plant": {},
}


def claim(kind: str, *, name: str = "meter", **measures: Uncertainty) -> InstrumentClaim:
    more: Mapping[str, Any] = METER[kind]
    return InstrumentClaim(name, kind, measures, serial="17", calibrated="2026-03-01", **more)


def opened(kind: str, *claims: InstrumentClaim) -> MeasuredChecks[Any]:
    setup = Setup(seed=1, readings=resolve({}), instruments=claims)
    made = kind_of(kind)
    world = made.build(setup, {})
    assert isinstance(world, BaseWorld)
    assert made.live is not None
    assert made.live.carried is not None
    add_instruments(world, claims, {each.name: each for each in made.live.carried.signals})
    bench = made.bench(world, setup, Judge(), lambda seen: None)
    assert isinstance(bench, MeasuredChecks)
    bench.measure_with(claims)
    return bench


@pytest.fixture
def charging() -> Callable[..., AcBench]:
    def make(*claims: InstrumentClaim) -> AcBench:
        bench = opened("ac", *claims)
        assert isinstance(bench, AcBench)
        bench.ask_limit(16.0)
        bench.reach(AcPhase.CHARGING)
        bench.let(s(3))
        return bench

    return make


def last(bench: MeasuredChecks[Any]) -> Measurement:
    return bench.judge.measurements[-1]


# --- every kind of instrument -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", METER)
def test_each_kind_of_instrument_tells_what_the_plant_has(kind: str, charging: Callable[..., AcBench]) -> None:
    bench = charging(claim(kind, voltage=Uncertainty(0.5), current=Uncertainty(0.05, 0.001)))
    voltage, current = bench.signal("output_voltage"), bench.signal("line_current")
    assert isinstance(voltage, Reading)
    assert isinstance(current, Reading)
    assert (round(float(voltage), 1), round(float(current), 2)) == (230.0, 16.0)
    assert (voltage.uncertainty, round(current.uncertainty, 6)) == (0.5, 0.066)
    assert voltage.by == f"meter ({METER[kind].get('map', kind)}, serial 17, calibrated 2026-03-01)"


def test_energy_and_power_come_in_the_plants_units(charging: Callable[..., AcBench]) -> None:
    many = InstrumentClaim("meter", "modbus", {"energy": EXACT, "power": EXACT}, map="eastron-sdm630")
    bench = charging(many)
    bench.let(s(600))
    assert float(bench.signal("meter_power")) == pytest.approx(3 * 230 * 16, rel=1e-6)
    assert float(bench.signal("meter_energy")) == pytest.approx(3 * 230 * 16 * 605 / 3.6e6, rel=0.01)


def test_the_insulation_of_a_dc_output_is_measured_too() -> None:
    monitor = InstrumentClaim("monitor", "modbus", {"insulation": Uncertainty(0.0, 0.15)}, map="bender-isocha425hv")
    bench = opened("gbt27930", monitor)
    assert isinstance(bench, Bench)
    bench.let(s(1))
    assert float(bench.signal("insulation_resistance")) > 1e5


def test_what_no_instrument_measures_is_the_plants(charging: Callable[..., AcBench]) -> None:
    bench = charging(claim("modbus", current=EXACT))
    assert type(bench.signal("output_voltage")) is float
    assert isinstance(bench.signal("line_current"), Reading)


def test_an_instrument_that_is_wrong_is_believed_and_not_the_plant(charging: Callable[..., AcBench]) -> None:
    bench = charging(claim("modbus", current=EXACT))
    bench.do(Tell("meter-meter", "gain", {"register": "current", "factor": 1.5}))
    bench.let(s(1))
    assert float(bench.signal("line_current")) == pytest.approx(24.0, abs=0.01)


def test_a_silent_instrument_leaves_it_open(charging: Callable[..., AcBench]) -> None:
    bench = charging(claim("modbus", current=EXACT))
    bench.do(Tell("meter-meter", "mute", {"on": True}))
    bench.let(s(10))
    with pytest.raises(Inconclusive, match="meter has told no current around"):
        bench.signal("line_current")


# --- verdicts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (9.49, Verdict.PASS),
        (9.5, Verdict.INCONCLUSIVE),
        (10.0, Verdict.INCONCLUSIVE),
        (10.5, Verdict.INCONCLUSIVE),
        (10.51, Verdict.FAIL),
    ],
)
def test_the_band_decides_exactly(value: float, verdict: Verdict, charging: Callable[..., AcBench]) -> None:
    bench = charging()
    bench.check("value", Reading(value, 0.5, "meter (x)"), high=10.0, unit="A")
    assert (last(bench).verdict, last(bench).value) == (verdict, value)
    assert (last(bench).note, last(bench).uncertainty) == ("± 0.5 A by meter (x)", 0.5)
    bench.report("told", Reading(value, 0.5, "meter (x)"))
    assert last(bench).uncertainty == 0.5
    bench.check("exact", value, high=10.0)
    assert last(bench).uncertainty is None
    assert last(bench).verdict is (Verdict.PASS if value <= 10.0 else Verdict.FAIL)


def test_a_limit_that_was_measured_brings_its_band_along(charging: Callable[..., AcBench]) -> None:
    bench = charging()
    measured = Reading(100.0, 2.0, "meter (x)")
    for told, verdict in ((97.9, Verdict.FAIL), (98.5, Verdict.INCONCLUSIVE), (102.5, Verdict.PASS)):
        bench.check("told", told, low=measured)
        assert last(bench).verdict is verdict


def test_arithmetic_keeps_the_band() -> None:
    reading = Reading(100.0, 2.0, "m")
    other = Reading(50.0, 1.0, "n")
    for result, value, width in (
        (reading - 40.0, 60.0, 2.0),
        (40.0 - reading, -60.0, 2.0),
        (reading + other, 150.0, 3.0),
        (-(reading - other), -50.0, 3.0),
        (100.0 * reading / 50.0, 200.0, 4.0),
        (reading * other, 5000.0, 200.0),
        (abs(Reading(-3.0, 0.1, "m")), 3.0, 0.1),
        (round(Reading(3.14159, 0.1, "m"), 2), 3.14, 0.1),
    ):
        assert isinstance(result, Reading)
        assert [float(result), result.uncertainty] == pytest.approx([value, width])


def test_an_instant_between_two_readings_is_not_known_better(charging: Callable[..., AcBench]) -> None:
    bench = charging(claim("modbus", voltage=Uncertainty(0.5)))
    for most, verdict, before in ((1000, Verdict.PASS, 0), (60, Verdict.INCONCLUSIVE, 0), (500, Verdict.FAIL, s(1))):
        bench.vehicle.want(True)
        bench.let(s(5))
        opened_at = bench.vehicle.s2(closed=False)
        within = window("test", 0, ms(most), "here")
        bench.expect_signal("output_voltage", high=50.0, after=opened_at - before, within=within, label="off")
        assert last(bench).verdict is verdict, last(bench)
        assert "earlier, by meter" in last(bench).note
        assert last(bench).uncertainty == pytest.approx(0.1, abs=0.05)  # readings are 100 ms apart


@pytest.mark.parametrize(("span", "verdict"), [(290, Verdict.PASS), (350, Verdict.INCONCLUSIVE), (600, Verdict.FAIL)])
def test_a_span_that_begins_between_two_readings_is_no_better_known(
    span: int, verdict: Verdict, charging: Callable[..., AcBench]
) -> None:
    bench = charging(claim("modbus", voltage=Uncertainty(0.5)))
    opened_at = bench.vehicle.s2(closed=False)
    off = bench.time_in_range("output_voltage", 0.0, 50.0, opened_at, opened_at + s(1))
    assert off is not None
    bench.check_window("since", ms(span), window("test", 0, ms(400), "here"), at=off)
    assert (last(bench).verdict, type(last(bench).at)) == (verdict, int)
    bench.expect_signal(
        "lock_engaged", low=0.5, after=off, within=window("test", -s(9), ms(50), "here"), label="locked"
    )
    assert last(bench).verdict is Verdict.INCONCLUSIVE
    assert last(bench).uncertainty == pytest.approx(0.1, abs=0.05)


def test_a_signal_that_stays_in_the_band_of_its_limit_is_no_failure(charging: Callable[..., AcBench]) -> None:
    bench = charging(claim("modbus", voltage=Uncertainty(3.0)))
    within = window("test", 0, s(1), "here")
    bench.expect_signal("output_voltage", high=229.0, after=bench.now, within=within, label="low")
    assert last(bench).verdict is Verdict.INCONCLUSIVE
    bench.expect_signal("output_voltage", high=200.0, after=bench.now, within=within, label="lower")
    assert last(bench).verdict is Verdict.FAIL


def test_at_no_instant_is_told_with_the_number_of_readings(charging: Callable[..., AcBench]) -> None:
    bench = charging(claim("modbus", voltage=Uncertainty(0.5)))
    bench.expect_at_no_instant(
        "output_voltage", "output", low=229.6, high=240.0, after=bench.now, until=bench.now + s(1)
    )
    lowest, highest = bench.judge.measurements[-2:]
    assert (lowest.verdict, highest.verdict) == (Verdict.INCONCLUSIVE, Verdict.PASS)
    assert "among 9 readings" in lowest.note or "among 10 readings" in lowest.note


def test_an_output_that_was_on_just_before_the_first_reading_is_not_dead(charging: Callable[..., AcBench]) -> None:
    bench = charging(claim("modbus", voltage=Uncertainty(0.5)))
    bench.let(ms(80))  # the next question comes when the output is off
    opened_at = bench.vehicle.s2(closed=False)
    bench.let(s(1))
    bench.expect_dead("output", after=opened_at, until=bench.now)
    assert last(bench).verdict is Verdict.INCONCLUSIVE
    bench.expect_dead("output", after=opened_at + ms(200), until=bench.now)
    assert last(bench).verdict is Verdict.PASS


def test_what_an_event_moves_is_what_was_told_before_it(charging: Callable[..., AcBench]) -> None:
    bench = charging(claim("modbus", voltage=Uncertainty(0.5)))
    opened_at = bench.vehicle.s2(closed=False)
    bench.let(s(1))
    before, around = (
        bench.signal_before("output_voltage", opened_at + ms(30)),
        bench.signal("output_voltage", opened_at),
    )
    assert isinstance(before, Reading)
    assert isinstance(around, Reading)
    assert [float(before), before.uncertainty] == pytest.approx([230.0, 0.5])
    assert around.uncertainty > 100


# --- what a rig file may not say -----------------------------------------------------------------------


def test_two_instruments_for_one_quantity_are_refused() -> None:
    both = claim("plant", voltage=EXACT), claim("plant", name="other", voltage=EXACT)
    with pytest.raises(RigError, match="voltage is measured by meter and other: allowed is one"):
        opened("ac", *both)


def test_a_map_without_the_quantity_is_refused() -> None:
    wrong = InstrumentClaim("monitor", "modbus", {"current": EXACT}, map="bender-isocha425hv")
    with pytest.raises(
        RigError, match=r"\[instruments.monitor\] the map bender-isocha425hv names no register of current"
    ):
        reader_of(wrong, "line", tcp=False)
    with pytest.raises(
        RigError, match=r'\[instruments.meter\] measures = "energy": kind scpi tells voltage, current, power'
    ):
        claim("scpi", energy=EXACT)


def own_map(path: Path, unit: str) -> Path:
    head = 'schema = 1\nname = "own"\ntitle = "x"\nkind = "meter"\nsource = "x"\nbase = 0\nunit = 1\n'
    register = f'transports = ["rtu"]\nregisters = [{{ name = "u", address = 0, type = "u32", unit = "{unit}" }}]\n'
    path.write_text(f'{head}{register}[functions]\nholding = [3]\n[roles]\nvoltage = ["u"]\n', encoding="utf-8")
    return path


def test_a_register_in_a_unit_of_something_else_is_refused(tmp_path: Path) -> None:
    path = own_map(tmp_path / "own.toml", "%")
    wrong = InstrumentClaim("meter", "modbus", {"voltage": EXACT}, map=str(path))
    with pytest.raises(RigError, match="the map own has u in %: allowed for voltage is V or mV or kV"):
        reader_of(wrong, "line", tcp=False)


def test_a_register_in_millivolts_is_told_in_volts(tmp_path: Path, charging: Callable[..., AcBench]) -> None:
    path = own_map(tmp_path / "own.toml", "mV")
    bench = charging(InstrumentClaim("meter", "modbus", {"voltage": EXACT}, map=str(path)))
    assert float(bench.signal("output_voltage")) == pytest.approx(230.0, abs=0.1)


# --- the whole ----------------------------------------------------------------------------------------

CAUGHT = {
    "GBT34657.1-2017/D0.3101": ("precharge-12-below", "precharge-to-the-battery"),
    "GBT34657.1-2017/D0.4101": ("voltage-0.7-percent-low",),
    "GBT34657.1-2017/D0.4502": ("switch-s-60-ms",),
    "IEC61851-1/CP.17": ("ac-closes-in-b2",),
}
"""Requirements whose quantity the rig's analyser measures, and faults of them."""
SLOW = """
schema = 1
name = "slow"
kind = "virtual"
[dut]
name = "reference charger"
[instruments.meter]
kind = "modbus"
map = "acrel-djsf1352"
[instruments.meter.measures]
voltage = { absolute = 0.2, relative = 0.0005 }
current = { absolute = 0.02, relative = 0.0005 }
"""


def test_faults_are_caught_by_instruments_as_by_the_plant() -> None:
    faults = {name: all_faults()[name] for names in CAUGHT.values() for name in names}
    options = Options(rig="virtual-instruments", requirement=tuple(CAUGHT))
    found = qualify(make_request(options, faults=faults, knobs={}))
    assert found.survivors == []
    assert len(found.killed) == len(faults)
    assert found.blamed == []


def test_what_a_slow_meter_leaves_open_is_no_survivor(tmp_path: Path) -> None:
    path = tmp_path / "slow.toml"
    path.write_text(SLOW, encoding="utf-8")
    requirement = "GBT34657.1-2017/D0.4502"
    options = Options(rig=str(path), requirement=(requirement,))
    fault = {"switch-s-60-ms": all_faults()["switch-s-60-ms"]}
    found = qualify(make_request(options, faults=fault, knobs={}))
    assert [each.name for each in found.undecided] == ["switch-s-60-ms"]
    assert [run.by_plant for run in found.left_open] == [Verdict.PASS]
    assert (found.survivors, found.blamed, found.exit_code) == ([], [], 0)
    assert "by meter (acrel-djsf1352)" in found.undecided[0].detail
