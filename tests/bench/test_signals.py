"""Signals of the plant: reaching a range, extremes between samples, opening, no power, errors of control."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hil.bench.actions import at_signal, break_line
from hil.bench.judge import Inconclusive
from hil.bench.steps import came_about, check_ccs_accuracy, check_current_error, last_closing, resume_time
from hil.bus.faults import Disconnect
from hil.conformance.catalogue import Limit, limit, quantity
from hil.conformance.verdict import Verdict
from hil.protocol.gbt27930 import CCS
from hil.units import Instant, Span, ms, s
from hil.world.observation import BusErrorSeen
from hil.world.plan import Inject

Judged = Callable[..., Any]
PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
START = s(10)
WITHIN = Limit("within", 0, ms(100), "here")


# --- reaching a range -----------------------------------------------------------------------------------


def falling(see: Any, *, reaches_5_a: Span) -> Any:
    """100 A until 10 s, then straight down so that 5 A are passed so long after."""
    end = START + reaches_5_a * 100 // 95
    return see.line("output_current", (0, 0.0), (s(2), 100.0), (START, 100.0), (end, 0.0))


@pytest.mark.parametrize(("reaches", "verdict"), [(ms(50), PASS), (ms(99.9), PASS), (ms(100.1), FAIL), (ms(300), FAIL)])
def test_a_signal_must_come_into_its_range_in_time(judged: Judged, see: Any, reaches: Span, verdict: Verdict) -> None:
    case = judged(falling(see, reaches_5_a=reaches))
    at = case.bench.expect_signal("output_current", high=5.0, after=START, within=WITHIN)
    assert case.verdict is verdict
    assert abs(at - START - reaches) <= ms(0.1), "between two samples it runs straight"


@pytest.mark.parametrize(("reaches", "verdict"), [(ms(50), PASS), (ms(99.5), OPEN), (ms(100.5), OPEN), (ms(102), FAIL)])
def test_the_clocks_uncertainty_counts(judged: Judged, see: Any, reaches: Span, verdict: Verdict) -> None:
    case = judged(falling(see, reaches_5_a=reaches), unsure=ms(1))
    case.bench.expect_signal("output_current", high=5.0, after=START, within=WITHIN)
    assert case.verdict is verdict


def test_a_signal_that_never_comes_into_its_range_fails(judged: Judged, see: Any) -> None:
    case = judged(see.line("output_current", (0, 100.0)))
    assert case.bench.expect_signal("output_current", high=5.0, after=START, within=WITHIN) is None
    assert case.verdict is FAIL


def test_a_signal_that_nobody_has_seen_leaves_the_case_open(judged: Judged) -> None:
    case = judged()
    with pytest.raises(Inconclusive, match="output_current has not been observed"):
        case.bench.expect_signal("output_current", high=5.0, after=START, within=WITHIN)


def test_a_range_held_already_is_reached_at_once_but_not_on_the_word_of_an_old_sample(judged: Judged, see: Any) -> None:
    """A rise that began after the last sample shows only with the next one."""
    held = judged(see.level("k1k2_closed", (0, 0.0)))
    assert held.bench.expect_signal("k1k2_closed", high=0.5, after=START, within=WITHIN) == START

    rising = judged(see.line("output_current", (0, 0.0), (s(9.6), 0.0), (s(10.6), 100.0), (s(60), 100.0)))
    rising.bench.until(START)
    assert rising.bench.expect_signal("output_current", high=5.0, after=START, within=WITHIN) is None
    assert rising.verdict is FAIL


def test_time_passes_only_up_to_where_the_range_is_reached(judged: Judged, see: Any) -> None:
    case = judged(see.level("k1k2_closed", (0, 1.0), (START + ms(40), 0.0)))
    case.bench.until(START)
    assert case.bench.expect_open("k1k2_closed", "open", after=START, within=limit("shutdown")) == START + ms(40)
    assert case.bench.now == START + ms(40)


def test_a_step_is_reached_where_it_is(judged: Judged, see: Any) -> None:
    case = judged(see.level("k1k2_closed", (0, 1.0), (START + ms(101), 0.0)))
    case.bench.expect_open("k1k2_closed", "open", after=START, within=WITHIN)
    assert case.measured("open").value == 0.101
    assert case.verdict is FAIL


def test_a_contactor_that_the_rig_does_not_show_is_not_judged(judged: Judged) -> None:
    case = judged()
    assert case.bench.expect_open("k1k2_closed", "open", after=START, within=WITHIN) is None
    assert (case.verdict, case.measured("open").note) == (Verdict.NONE, "not observed")


# --- values and extremes --------------------------------------------------------------------------------


def test_between_samples_a_moving_signal_runs_straight_and_a_step_stays(judged: Judged, see: Any) -> None:
    case = judged(
        see.line("output_voltage", (s(1), 100.0), (s(3), 300.0)), see.level("k1k2_closed", (s(1), 0.0), (s(3), 1.0))
    )
    case.bench.let(s(5))
    assert case.bench.signal("output_voltage", s(2)) == 200.0
    assert case.bench.signal("k1k2_closed", s(2)) == 0.0
    assert case.bench.signal("output_voltage") == 300.0
    with pytest.raises(Inconclusive):
        case.bench.signal("output_voltage", ms(500))
    assert case.bench.shows("output_voltage")
    assert not case.bench.shows("output_current")


def test_extremes_within_a_stretch_count_those_before_it_do_not(judged: Judged, see: Any) -> None:
    samples = see.line("output_current", (0, 0.0), (s(9), 10.0), (s(11), 10.0), (s(12), 10.0))
    before, peak = samples[1], samples[3]
    samples[1] = type(before)(before.t, before.name, before.value, 0.0, 500.0)
    samples[3] = type(peak)(peak.t, peak.name, peak.value, 8.0, 25.0)
    case = judged(samples)
    assert case.bench.extremes("output_current", START, s(13)) == (8.0, 25.0)
    assert case.bench.extremes("output_current", START, s(11)) == (10.0, 10.0)


@pytest.mark.parametrize(("low", "high", "verdict"), [(8.0, 25.0, PASS), (8.1, 25.0, FAIL), (8.0, 24.9, FAIL)])
def test_at_no_instant_means_the_extremes(judged: Judged, see: Any, low: float, high: float, verdict: Verdict) -> None:
    samples = see.line("output_current", (0, 10.0), (s(11), 10.0), (s(12), 10.0))
    samples[2] = type(samples[2])(s(12), "output_current", 10.0, 8.0, 25.0)
    case = judged(samples)
    case.bench.expect_at_no_instant("output_current", "current", low=low, high=high, after=START, until=s(13))
    assert case.verdict is verdict


def test_changes_are_told_without_the_first_observation(judged: Judged, see: Any) -> None:
    case = judged(see.level("k1k2_closed", (0, 0.0), (s(1), 1.0), (s(2), 1.0), (s(3), 0.0)))
    case.bench.let(s(5))
    assert list(case.bench.changes("k1k2_closed")) == [(s(1), 1.0), (s(3), 0.0)]
    assert list(case.bench.changes("k1k2_closed", s(1))) == [(s(3), 0.0)]
    assert last_closing(case.bench, "k1k2_closed", before=s(4)) == s(1)
    with pytest.raises(Inconclusive, match="k1k2_closed was not seen to close"):
        last_closing(case.bench, "k1k2_closed", before=ms(500))


@pytest.mark.parametrize(("value", "verdict"), [(1.0, PASS), (10.0, PASS), (0.99, FAIL), (10.01, FAIL)])
def test_a_quantity_is_judged_by_its_range(judged: Judged, value: float, verdict: Verdict) -> None:
    case = judged()
    case.bench.check_quantity("x", value, quantity("precharge-difference"), at=START)
    assert case.verdict is verdict


# --- power ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "verdict"),
    [
        ([(START, 100.0), (START + s(1), 0.0)], PASS),
        ([(START, 100.0), (START + s(10), 5.0)], PASS),
        ([(START, 100.0), (START + s(11), 0.0)], FAIL),
        ([(START, 100.0), (START + s(1), 0.0), (START + s(3), 0.0), (START + s(4), 6.0)], FAIL),
    ],
    ids=["falls", "falls just in time", "falls too late", "comes back"],
)
def test_power_must_go_and_stay_away(
    judged: Judged, see: Any, points: list[tuple[Instant, float]], verdict: Verdict
) -> None:
    case = judged(see.line("output_current", (0, 0.0), (s(5), 100.0), *points))
    case.bench.expect_no_power(after=START)
    assert case.verdict is verdict


def test_power_that_never_was_cannot_go(judged: Judged, see: Any) -> None:
    case = judged(see.line("output_current", (0, 0.0), (s(5), 4.0)))
    case.bench.until(START)
    with pytest.raises(Inconclusive, match="no power that could be taken off"):
        case.bench.expect_no_power(after=START)


def test_power_that_the_rig_does_not_show_is_not_judged(judged: Judged) -> None:
    case = judged()
    case.bench.expect_no_power(after=START)
    assert (case.verdict, case.measured("time to no power").note) == (Verdict.NONE, "not observed")


@pytest.mark.parametrize(
    ("demand", "output", "verdict"),
    [
        (20.0, 20.3, PASS),
        (20.0, 20.31, FAIL),
        (20.0, 19.69, FAIL),
        (29.9, 30.2, PASS),
        (30.0, 30.3, PASS),
        (30.0, 30.31, FAIL),
        (200.0, 202.0, PASS),
        (200.0, 197.9, FAIL),
    ],
)
def test_the_control_error_is_absolute_below_30_a_and_relative_above(
    judged: Judged, see: Any, demand: float, output: float, verdict: Verdict
) -> None:
    case = judged(see.line("output_current", (0, output), (s(60), output)))
    check_current_error(case.bench, demand, after=START, until=START + s(2))
    assert case.verdict is verdict


@pytest.mark.parametrize(
    ("told", "strict", "loose"),
    [
        ({}, PASS, PASS),
        ({"voltage": 402.1}, PASS, PASS),
        ({"voltage": 402.2}, FAIL, PASS),
        ({"voltage": 420.0}, FAIL, PASS),
        ({"voltage": 420.1}, FAIL, FAIL),
        ({"current": -101.1}, PASS, PASS),
        ({"current": -101.2}, FAIL, PASS),
        ({"current": -94.9}, FAIL, FAIL),
    ],
)
def test_ccs_must_tell_the_output_as_exactly_as_the_reading_has_it(
    judged: Judged, see: Any, told: dict[str, float], strict: Verdict, loose: Verdict
) -> None:
    values: dict[str, Any] = {"voltage": 400.0, "current": -100.0, "charging_time": 1, "charging_permitted": 1}
    ccs = CCS(**{**values, **told})
    plain = [
        see.line("output_current", (0, 100.0), (s(60), 100.0)),
        see.line("output_voltage", (0, 400.0), (s(60), 400.0)),
    ]
    for reading, verdict in (("control-error", strict), ("5-percent", loose)):
        case = judged(*plain, [see.frame(START, ccs)], ccs_accuracy=reading)
        check_ccs_accuracy(case.bench, case.bench.collect(CCS, 1, within=s(20))[0])
        assert case.verdict is verdict


@pytest.mark.parametrize(("amperes", "high"), [(10.0, s(6)), (20.0, s(6)), (100.0, s(10)), (200.0, s(15))])
def test_resuming_may_take_the_reaction_and_the_rise(judged: Judged, see: Any, amperes: float, high: Span) -> None:
    ccs = CCS(voltage=400.0, current=-amperes, charging_time=1, charging_permitted=1)
    case = judged([see.frame(START, ccs)])
    assert resume_time(case.bench.collect(CCS, 1, within=s(20))[0]).high == high


def test_a_stimulus_without_effect_leaves_the_case_open() -> None:
    assert came_about(START, "output above 400 V") == START
    with pytest.raises(Inconclusive, match="output above 400 V: that did not come about"):
        came_about(None, "output above 400 V")


# --- the bench's own side -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("node", "kind", "troubled"),
    [
        ("vehicle", "bus_off", True),
        ("vehicle", "overflow", True),
        ("vehicle", "error_passive", False),
        ("vehicle", "ack", False),
        ("charger", "bus_off", False),
        ("charger", "overflow", False),
    ],
)
def test_frames_that_the_bench_lost_are_its_own_trouble(
    judged: Judged, node: str, kind: str, *, troubled: bool
) -> None:
    case = judged([BusErrorSeen(START, "can0", node, kind, 256, 0)])
    case.bench.let(s(20))
    assert (f"the bench's own port had {kind} at 10.0" in case.bench.trouble()) is troubled


def test_trouble_that_the_case_made_is_none(judged: Judged) -> None:
    lost = [BusErrorSeen(START, "can0", "vehicle", "overflow", 128, 0)]
    assert isinstance(break_line(), Inject)
    done, planned = judged(lost), judged(lost)
    done.bench.do(break_line())
    planned.bench.on(at_signal("k1k2_closed", 1, 1), Inject(Disconnect(name="x", sender="vehicle")))
    for case in (done, planned):
        case.bench.let(s(20))
        assert case.bench.trouble() == ""
