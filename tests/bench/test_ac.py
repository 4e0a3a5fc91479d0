"""The bench of an AC charging point: opening by kind, phases, what it judges, models and standards."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from hil.bench.ac import AcBench, AcPhase
from hil.bench.judge import Inconclusive, Judge
from hil.bench.kinds.ac import charger_spec, rated_current
from hil.bench.opening import kind_names, kind_of
from hil.bench.setup import Setup
from hil.conformance.catalogue import Limit, limit, requirements
from hil.conformance.duty import duty_of
from hil.conformance.register import resolve
from hil.conformance.verdict import Verdict
from hil.dut.ac import AcSpec
from hil.dut.faults import Edit, all_faults
from hil.errors import UsageError
from hil.protocol.table import Row, State
from hil.qualify.suite import suite_cases
from hil.units import Span, ms, s


def opened(edit: Edit | None = None, *, model: str = "", faults: tuple[str, ...] = (), **readings: str) -> AcBench:
    chosen = resolve({name.replace("_", "-"): choice for name, choice in readings.items()})
    setup = Setup(seed=1, readings=chosen, model=model, faults=faults)
    kind = kind_of("ac")
    bench = kind.bench(kind.build(setup, {} if edit is None else {"ac": edit}), setup, Judge(), lambda seen: None)
    assert isinstance(bench, AcBench)
    return bench


def verdict(bench: AcBench) -> Verdict:
    return bench.judge.verdict


# --- kinds ------------------------------------------------------------------------------------------


def test_every_kind_that_the_catalogue_names_can_be_opened() -> None:
    named = {requirement.bench for requirement in requirements().values()}
    assert {"ac", "gbt27930"} <= named <= set(kind_names())
    duts = {fault.dut for fault in all_faults().values()}
    assert duts <= {dut for name in kind_names() for dut in kind_of(name).duts}


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(UsageError, match="no kind of bench 'dc'; there are ac, "):
        kind_of("dc")


def test_faults_of_other_devices_have_no_effect() -> None:
    bench = opened(faults=("csd-missing",))
    bench.reach(AcPhase.CHARGING)
    assert bench.signal("output_voltage") == 230.0


def test_a_fault_of_this_device_has_one() -> None:
    bench = opened(faults=("ac-950-hz",))
    bench.reach(AcPhase.OFFERED)
    assert bench.signal("cp_frequency") == 950.0


def test_equal_seeds_give_equal_sessions() -> None:
    def session() -> list[object]:
        bench = opened()
        bench.reach(AcPhase.CHARGING)
        bench.unplug()
        bench.let(s(5))
        return list(bench.record.observations)

    assert session() == session()


# --- phases -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "level", "pwm", "output"),
    [(AcPhase.PLUGGED, 9.0, False, 0.0), (AcPhase.OFFERED, 9.0, True, 0.0), (AcPhase.CHARGING, 6.0, True, 230.0)],
)
def test_a_phase_is_reached(phase: AcPhase, level: float, pwm: bool, output: float) -> None:
    bench = opened()
    reached = bench.reach(phase)
    assert reached <= bench.now
    assert bench.signal("cp_high", reached if phase is AcPhase.PLUGGED else None) == pytest.approx(level, abs=0.05)
    assert (bench.signal("output_voltage"), bool(bench.signal("cp_frequency"))) == (output, pwm)


def test_a_phase_that_is_not_reached_leaves_the_case_open() -> None:
    with pytest.raises(Inconclusive, match=r"C2 was not reached by 20\.0"):
        opened(lambda spec: spec.without_rows(state="offering", trigger="C")).reach(AcPhase.CHARGING)


def test_an_offer_may_be_judged() -> None:
    bench = opened(lambda spec: spec.but(installation=4.0))
    assert bench.expect_offer() is None
    assert verdict(bench) is Verdict.FAIL


def test_what_a_case_stands_on() -> None:
    opened().assume(True, "never said")
    with pytest.raises(Inconclusive, match="too small"):
        opened().assume(False, "too small")


# --- judging ----------------------------------------------------------------------------------------


def test_a_signal_that_steps_is_not_interpolated() -> None:
    bench = opened()
    bench.reach(AcPhase.CHARGING)
    gone = bench.unplug()
    bench.let(s(2))
    (dead,) = [sample.t for sample in bench.record.samples("output_voltage", gone) if sample.value == 0]
    assert bench.signal("output_voltage", dead - 1) == 230.0
    assert bench.signal("output_voltage", dead) == 0.0
    off = bench.expect_off("off", after=gone, within=limit("ac-supply-off"))
    assert off == dead


@pytest.mark.parametrize(("most", "expected"), [(ms(30), Verdict.FAIL), (ms(100), Verdict.PASS)])
def test_the_output_must_be_off_in_time(most: int, expected: Verdict) -> None:
    bench = opened()
    bench.reach(AcPhase.CHARGING)
    gone = bench.unplug()
    bench.expect_off("off", after=gone, within=Limit("most", 0, most, "here"))
    assert verdict(bench) is expected


def test_a_dead_output_is_dead_at_every_instant() -> None:
    bench = opened()
    bench.reach(AcPhase.OFFERED)
    begun = bench.now
    bench.expect_dead("output", after=begun, until=begun + s(1))
    assert verdict(bench) is Verdict.PASS
    bench.vehicle.want(True)
    bench.let(s(2))
    bench.vehicle.want(False)
    bench.let(s(1))
    bench.expect_dead("output", after=begun, until=bench.now)
    assert verdict(bench) is Verdict.FAIL, "it was on for a moment"


def test_a_duty_cycle_is_judged_within_its_accuracy() -> None:
    def offset(points: float) -> tuple[Verdict, Verdict]:
        bench = opened(lambda spec: spec.but(duty_offset=points))
        bench.reach(AcPhase.OFFERED)
        told = []
        for strictly in (False, True):
            bench.judge.measurements.clear()
            bench.check_duty("duty", 32.0, at=bench.now, strictly=strictly)
            told.append(bench.judge.verdict)
        return told[0], told[1]

    right, open_, wrong = (
        (Verdict.PASS, Verdict.PASS),
        (Verdict.INCONCLUSIVE, Verdict.FAIL),
        (Verdict.FAIL, Verdict.FAIL),
    )
    assert [offset(points) for points in (0.9, -0.9, 1.1, -1.1)] == [right, right, open_, open_]
    # 32 A is 53.33 %; 35.7 A, which is 1.1 x 32 A + 0.5 A, is 59.5 %; of 28.64 A, which is 47.73 %, it is 32 A
    assert [offset(points) for points in (6.1, -5.5, 6.2, -5.7)] == [open_, open_, wrong, wrong]


def test_what_was_told_meanwhile_counts_too() -> None:
    bench = opened()
    begun = bench.reach(AcPhase.OFFERED)
    bench.ask_limit(6.0)
    bench.let(s(5))
    bench.check_no_more_than("duty", 6.0, after=bench.now - s(1), until=bench.now)
    assert verdict(bench) is Verdict.PASS
    bench.check_no_more_than("duty", 6.0, after=begun, until=bench.now)
    assert verdict(bench) is Verdict.FAIL


def test_a_change_is_judged_and_its_time_told() -> None:
    bench = opened()
    bench.reach(AcPhase.CHARGING)
    told = bench.stop()
    assert bench.expect_change("end of the PWM", "cp_frequency", 0.0, 0.0, after=told) is not None
    assert bench.expect_change("another vehicle", "cp_frequency", 1.0, 1e9, after=bench.now) is None
    verdicts = {each.name: each.verdict for each in bench.judge.measurements}
    assert verdicts == {
        "end of the PWM": Verdict.PASS,
        "time to end of the PWM": Verdict.NONE,
        "another vehicle": Verdict.FAIL,
    }


def test_an_edge_that_does_not_come_leaves_the_case_open() -> None:
    bench = opened()
    bench.reach(AcPhase.OFFERED)
    with pytest.raises(Inconclusive, match="cp_high did not change"):
        bench.edge("cp_high", low=11.0, after=bench.now)


def test_levels_are_those_of_the_standard_claimed() -> None:
    assert opened().by_standard("pilot-b", "pilot-b-gbt").most == 9.56
    assert opened(pilot_standard="gbt18487").by_standard("pilot-b", "pilot-b-gbt").most == 9.8


@pytest.mark.parametrize(("model", "rated"), [("", 32.0), ("80A", 80.0), ("63A-socket", 63.0)])
def test_a_model_has_its_rating(model: str, rated: float) -> None:
    bench = opened(model=model)
    bench.prepare("pp", 100.0)
    bench.reach(AcPhase.OFFERED)
    assert bench.rated_current == rated
    assert bench.signal("cp_duty") == pytest.approx(duty_of(rated))


def test_the_vehicle_does_as_it_is_told() -> None:
    bench = opened()
    bench.reach(AcPhase.CHARGING)
    bench.vehicle.draw(20.0)
    bench.let(ms(10))
    assert bench.signal("line_current") == 20.0
    bench.vehicle.stubborn()
    bench.stop()
    bench.let(s(5))
    assert bench.signal("cp_high") < 7.0


# --- through a signals port ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lag", "untold", "due"),
    [(0, 0.0, Verdict.FAIL), (ms(20), 0.0, Verdict.PASS), (0, 1e-4, Verdict.PASS)],
)
def test_what_the_dut_could_not_know_yet_is_no_wrong_value(lag: int, untold: float, due: Verdict) -> None:
    bench = opened()
    bench.reach(AcPhase.CHARGING)
    bench.let(s(30))
    asked = bench.now - s(15)  # what stands between two samples is known
    before, now = (bench.signal("meter_energy", at) for at in (asked - ms(15), asked))
    assert 1e-9 < now - before < 1e-4
    bench.judge.lag, bench.judge.untold = lag, {"kWh": untold}
    bench.expect_told("energy", before, "meter_energy", after=asked, until=asked, step=1e-9)
    assert verdict(bench) is due


# --- models and claims ---------------------------------------------------------------------------------


def test_the_device_of_a_live_rig_is_what_its_file_claims() -> None:
    claims: dict[str, bool | float] = {"rated_current": 16, "ventilation": True, "digital": True, "socket": False}
    usual, claimed = charger_spec(Setup(), {}), charger_spec(Setup(claims=claims), {})
    assert (usual.rated_current, usual.ventilation, usual.digital, usual.socket) == (32.0, False, False, True)
    assert (claimed.rated_current, claimed.installation) == (16, 16)
    assert (claimed.ventilation, claimed.digital, claimed.socket) == (True, True, False)
    assert rated_current(Setup(claims=claims)) == 16
    assert rated_current(Setup(model="80A")) == 80


@pytest.mark.parametrize("rated", [13.0, 63.0])
def test_a_charger_is_asked_for_no_more_than_it_may_offer(rated: float) -> None:
    kind = kind_of("ac_modbus")
    for case in ("MB.03", "MB.04", "MB.05", "MB.06"):
        setup = Setup(seed=1, readings=resolve({}), model="keba-p30", claims={"rated_current": rated})
        bench = kind.bench(kind.build(setup, {}), setup, Judge(), lambda seen: None)
        suite_cases()[f"ACMODBUS/{case}"](bench, "keba-p30")
        assert bench.judge.verdict is Verdict.PASS, f"{case}: {bench.judge.decisive}"


@pytest.mark.parametrize(
    ("identifier", "variant", "edit"),
    [
        ("IEC61851-1/CP.21", "both-low", lambda spec: spec.timing(supply_delay=ms(2600))),
        ("ACMODBUS/MB.02", "keba-p30", lambda spec: spec.timing(supply_delay=ms(2600))),
        ("ACCHARGER/AC.06", "welded-idle", lambda spec: spec.timing(weld=ms(2500), voltage=ms(2500))),
        ("ACCHARGER/AC.06", "welded-charging", lambda spec: spec.timing(weld=ms(2500), voltage=ms(2500))),
    ],
)
def test_a_charger_that_takes_its_time_is_not_blamed(identifier: str, variant: str, edit: Edit) -> None:
    kind = kind_of(requirements()[identifier].bench)
    model = "keba-p30" if kind is kind_of("ac_modbus") else ""
    setup = Setup(seed=1, readings=resolve({}), model=model)
    bench = kind.bench(kind.build(setup, {"ac": edit}), setup, Judge(), lambda seen: None)
    suite_cases()[identifier](bench, variant)
    assert bench.judge.verdict is Verdict.PASS, bench.judge.decisive


def test_every_change_between_5_percent_and_the_nominal_duty_cycle_is_judged() -> None:
    """A charger that falls back to 5 % for a while, at once and without X1 between."""

    def restless(spec: AcSpec) -> AcSpec:
        states = {**spec.states, "offering": State(timers=("match",), enter=("open", "oscillate"))}
        return replace(spec.but(states=states), rows=(Row(("offering",), "match", "matching"), *spec.rows))

    bench = opened(restless, model="digital")
    suite_cases()["IEC61851-1/CP.29"](bench, None)
    assert verdict(bench) is Verdict.FAIL
    assert bench.judge.decisive is not None
    assert bench.judge.decisive.name == "X1 between nominal and 5 %"


# --- a charger that begins with 5 % --------------------------------------------------------------------

DIGITAL = [("CP.02", None), ("CP.03", "ready"), ("CP.03", "cable"), ("CP.04", None), ("CP.21", "both-low")]
DIGITAL += [("AC.01", "16A"), ("MB.02", "keba-p30")]


def digital(identifier: str, variant: str | None, *, match: Span, step_level: str = "F") -> AcBench:
    wanted = next(each for each in requirements().values() if each.case == identifier and each.suite == "ac_charger")
    model = wanted.model(variant)
    setup = Setup(seed=1, readings=resolve({}), claims={"digital": True}, model=model)
    kind = kind_of(wanted.bench)
    edits: dict[str, Edit] = {"ac": lambda charger: charger.timing(match=match).but(step_level=step_level)}
    bench = kind.bench(kind.build(setup, edits), setup, Judge(), lambda seen: None)
    assert isinstance(bench, AcBench)
    suite_cases()[wanted.id](bench, variant)
    return bench


@pytest.mark.parametrize(("identifier", "variant"), DIGITAL)
def test_a_charger_that_wants_digital_communication_first_is_judged_at_its_nominal_duty_cycle(
    identifier: str, variant: str | None
) -> None:
    for match, step_level in ((s(10), "F"), (s(30), "X1")):
        assert verdict(digital(identifier, variant, match=match, step_level=step_level)) is Verdict.PASS


def test_one_that_goes_on_waiting_for_it_owes_no_current() -> None:
    with pytest.raises(Inconclusive, match="no nominal duty cycle within 60 s: the charger wants digital"):
        digital("CP.04", None, match=s(600))


def test_a_duty_cycle_that_is_measured_is_not_the_same_to_the_last_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, looks = opened(), count()
    exact = bench.signal
    monkeypatch.setattr(bench, "signal", lambda *asked: exact(*asked) + 0.01 * (next(looks) % 2))
    suite_cases()["ACCHARGER/AC.05"](bench, "early")
    assert verdict(bench) is Verdict.PASS, bench.judge.decisive


UNOFFERED = [
    ("IEC61851-1/CP.18", None),
    ("IEC61851-1/CP.22", "r3-200"),
    ("IEC61851-1/CP.24", "open"),
    ("ACCHARGER/AC.06", "welded-idle"),
]


@pytest.mark.parametrize(("identifier", "variant"), UNOFFERED)
def test_a_charger_that_never_offers_does_not_pass_where_it_must_not(identifier: str, variant: str | None) -> None:
    bench = opened(lambda spec: replace(spec, rows=()))
    with pytest.raises(Inconclusive, match="B2 was not reached"):
        suite_cases()[identifier](bench, variant)


def test_a_charger_that_wants_authorisation_is_authorised() -> None:
    bench = opened(lambda spec: spec.but(needs_authorisation=True), model="digital")
    suite_cases()["IEC61851-1/CP.29"](bench, None)
    assert verdict(bench) is Verdict.PASS, bench.judge.decisive
    for identifier, variant in UNOFFERED:
        bench = opened(lambda spec: spec.but(needs_authorisation=True))
        suite_cases()[identifier](bench, variant)
        assert verdict(bench) is Verdict.PASS, bench.judge.decisive
