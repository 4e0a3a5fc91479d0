"""Waiting for messages: each judgement passes, fails and stays open where it should, boundaries included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from hil.bench.actions import first, silence
from hil.bench.judge import CheckFailed, Inconclusive
from hil.bench.phases import Phase
from hil.codec.message import Message
from hil.conformance.catalogue import Limit, period, tail
from hil.conformance.verdict import Verdict
from hil.errors import UsageError
from hil.protocol.gbt27930 import BCL, BCS, BRM, BSM, CCS, CEM, CHM, CRM, CRO, CST
from hil.units import SECOND, Instant, Span, ms, s

Judged = Callable[..., Any]
PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
WINDOW = Limit("window", ms(990), ms(1200), "here")
WINDOW_FROM_0 = Limit("silence", 0, ms(1200), "here")
CEM_ = CEM(bcl=1)
CRM00, CRMAA = CRM(result=0x00, charger_number=1), CRM(result=0xAA, charger_number=1)
CCS_ = CCS(voltage=400.0, current=-100.0, charging_time=1, charging_permitted=1)
BCL_ = BCL(voltage_demand=400.0, current_demand=-100.0, mode=2)
START, PERIOD = s(10), ms(50)


# --- expect, look_for, collect ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        (ms(989), FAIL),
        (ms(990), PASS),
        (ms(1100), PASS),
        (ms(1200), PASS),
        (ms(1200) + 1, FAIL),
        (ms(1800), FAIL),
        (1, FAIL),
    ],
)
def test_a_message_must_come_inside_its_window(judged: Judged, see: Any, after: Span, verdict: Verdict) -> None:
    case = judged([see.frame(START + after, CEM_)])
    seen = case.bench.expect(CEM, after=START, within=WINDOW)
    assert seen.t == START + after, "it is returned even when it was too early or too late"
    assert (case.verdict, case.measured("time to CEM").value) == (verdict, after / 1e9)


def test_a_message_that_never_comes_fails_at_once(judged: Judged, see: Any) -> None:
    case = judged([see.frame(START, CEM_), see.frame(START + s(60), CEM_)])
    with pytest.raises(CheckFailed, match=r"no CEM as expected from 10\.0"):
        case.bench.expect(CEM, after=START, within=WINDOW)
    assert (case.verdict, case.measured("time to CEM").note) == (FAIL, "never came")


@pytest.mark.parametrize("after", [ms(989), ms(990), ms(991), ms(1199), ms(1201)])
def test_inside_the_clocks_uncertainty_nothing_is_said(judged: Judged, see: Any, after: Span) -> None:
    case = judged([see.frame(START + after, CEM_)], unsure=ms(1))
    case.bench.expect(CEM, after=START, within=WINDOW)
    assert case.verdict is OPEN


def test_a_condition_passes_over_other_messages_and_those_that_tell_nothing(judged: Judged, see: Any) -> None:
    wrong, short = see.frame(START + ms(1000), CRM00), see.frame(START + ms(1010), CRMAA, data=b"\xaa")
    case = judged([wrong, short, see.frame(START + ms(1020), CRMAA)])
    seen = case.bench.expect(CRM, lambda each: each.result == 0xAA, after=START, within=WINDOW)
    assert seen.t == START + ms(1020)


@pytest.mark.parametrize(("after", "found"), [(ms(500), True), (ms(501), False)])
def test_a_branch_is_taken_up_to_its_end(judged: Judged, see: Any, after: Span, *, found: bool) -> None:
    case = judged([see.frame(START + after, CEM_)])
    assert (case.bench.look_for(CEM, after=START, within=ms(500)) is not None) is found
    assert case.verdict is Verdict.NONE


def test_enough_messages_are_collected_the_one_at_the_moment_included(judged: Judged, see: Any) -> None:
    case = judged(see.each(CCS_, START, ms(50), 10))
    seen = case.bench.collect(CCS, 5, after=START, within=ms(200))
    assert [each.t for each in seen] == [START + ms(50) * number for number in range(5)]


def test_too_few_messages_of_the_dut_fail_those_that_come_later_do_not_count(judged: Judged, see: Any) -> None:
    case = judged(see.each(CCS_, START, ms(50), 10))
    case.bench.let(START + s(5))
    with pytest.raises(CheckFailed, match="4 CCS within 199 ms, 5 expected"):
        case.bench.collect(CCS, 5, after=START, within=ms(199))
    assert case.verdict is FAIL


def test_messages_that_the_bench_owes_leave_the_case_open(judged: Judged, see: Any) -> None:
    case = judged(see.each(BCL_, START, ms(50), 2))
    with pytest.raises(Inconclusive, match="the vehicle sent 2 BCL within 1 s"):
        case.bench.collect(BCL, 3, after=START, within=s(1))
    assert case.verdict is Verdict.NONE


def test_a_long_message_that_does_not_get_through_is_the_duts_matter(judged: Judged, see: Any) -> None:
    brm = BRM(version=0x000101, battery_type=3, rated_capacity=200.0, rated_voltage=345.0)
    case = judged(see.transfer(START, brm, ends="nothing"))
    with pytest.raises(CheckFailed):
        case.bench.collect(BRM, 1, within=s(20))
    assert case.verdict is FAIL


# --- expect_none, expect_stop, expect_through -----------------------------------------------------------


@pytest.mark.parametrize(("at", "verdict"), [(0, PASS), (1, FAIL), (ms(500), FAIL), (s(1), FAIL), (s(1) + 1, PASS)])
def test_no_message_may_come_in_a_span(judged: Judged, see: Any, at: Span, verdict: Verdict) -> None:
    case = judged([see.frame(START + at, CEM_)])
    case.bench.expect_none(CEM, after=START, during=s(1))
    assert case.verdict is verdict
    assert case.bench.now == START + s(1), "it waits for the whole span"


@pytest.mark.parametrize(
    ("at", "verdict"), [(ms(1), OPEN), (ms(2), FAIL), (s(1) - ms(1), FAIL), (s(1) - ms(1) + 1, OPEN), (s(1), OPEN)]
)
def test_at_the_ends_of_a_span_the_uncertainty_counts(judged: Judged, see: Any, at: Span, verdict: Verdict) -> None:
    case = judged([see.frame(START + at, CEM_)], unsure=ms(1))
    case.bench.expect_none(CEM, after=START, during=s(1))
    assert case.verdict is verdict


def test_only_what_meets_the_condition_is_forbidden(judged: Judged, see: Any) -> None:
    case = judged([see.frame(START + ms(1), CRM00), see.frame(START + ms(2), CRMAA)])
    case.bench.expect_none(CRM, lambda each: each.result == 0x55, after=START, during=s(1))
    assert case.verdict is PASS
    case.bench.expect_none(CRM, lambda each: each.result == 0xAA, after=START, during=s(1))
    assert case.verdict is FAIL


@pytest.mark.parametrize(
    ("last", "verdict"),
    [(None, PASS), (0, PASS), (ms(275), PASS), (ms(275) + 1, FAIL), (ms(500), FAIL), (ms(1000), FAIL)],
)
def test_a_message_must_have_stopped(judged: Judged, see: Any, last: Span | None, verdict: Verdict) -> None:
    case = judged([] if last is None else [see.frame(START + last, CRM00)])
    case.bench.expect_stop(CRM, after=START, tail=tail(CRM))
    assert case.verdict is verdict


@pytest.mark.parametrize("message", [CRM00, CCS_, CST(manual_stop=1)], ids=["250 ms", "50 ms", "10 ms"])
@pytest.mark.parametrize("reading", ["one-period", "none"])
def test_a_message_that_goes_on_is_always_seen(judged: Judged, see: Any, message: Any, reading: str) -> None:
    declared: type[Message] = type(message)
    assert declared.period is not None
    case = judged(see.each(message, START - declared.period + 1, declared.period, 400), stop_tail=reading)
    case.bench.expect_stop(declared, after=START, tail=tail(declared))
    assert case.verdict is FAIL


def stream(see: Any, *, first: Span = 0, gap: Span = PERIOD, last: Span = SECOND, without: int = -1) -> list[Any]:
    times = range(first, last + 1, gap)
    return [see.frame(START + at, CCS_) for number, at in enumerate(times) if number != without]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, PASS),
        ({"gap": ms(55)}, PASS),
        ({"gap": ms(55) + 1}, FAIL),
        ({"gap": ms(45)}, PASS),
        ({"gap": ms(45) - 1}, FAIL),
        ({"without": 10}, FAIL),
        ({"first": ms(55)}, PASS),
        ({"first": ms(56)}, FAIL),
        ({"first": ms(500)}, FAIL),
        ({"last": ms(950)}, PASS),
        ({"last": ms(900)}, FAIL),
    ],
)
def test_a_message_must_have_kept_coming_between_two_moments(
    judged: Judged, see: Any, changes: dict[str, Span], verdict: Verdict
) -> None:
    case = judged(stream(see, **changes))
    case.bench.expect_through(CCS, after=START, until=START + s(1), period=period(CCS))
    assert case.verdict is verdict


def test_a_message_that_did_not_come_at_all_fails(judged: Judged) -> None:
    case = judged()
    case.bench.expect_through(CCS, after=START, until=START + s(1), period=period(CCS))
    assert case.verdict is FAIL


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [({}, PASS), ({"gap": ms(54.5)}, OPEN), ({"first": ms(55)}, OPEN), ({"last": ms(950)}, PASS)],
)
def test_the_uncertainty_enters_intervals_and_ends(
    judged: Judged, see: Any, changes: dict[str, Span], verdict: Verdict
) -> None:
    case = judged(stream(see, **changes), unsure=ms(1))
    case.bench.expect_through(CCS, after=START, until=START + s(1), period=period(CCS))
    assert case.verdict is verdict


@pytest.mark.parametrize(
    ("gap", "reading", "verdict"),
    [
        (ms(225), "10-percent", PASS),
        (ms(224), "10-percent", FAIL),
        (ms(275), "10-percent", PASS),
        (ms(276), "10-percent", FAIL),
        (ms(350), "40-percent", PASS),
        (ms(351), "40-percent", FAIL),
    ],
)
def test_a_period_is_judged_by_its_shortest_and_longest_interval(
    judged: Judged, see: Any, gap: Span, reading: str, verdict: Verdict
) -> None:
    odd = [*see.each(CRM00, START, ms(250), 3), see.frame(START + ms(500) + gap, CRM00)]
    case = judged(odd, period_tolerance=reading)
    case.bench.let(s(20))
    case.bench.check_period(case.bench.matching(CRM), period(CRM))
    assert case.verdict is verdict


def test_a_single_message_leaves_the_period_open(judged: Judged, see: Any) -> None:
    case = judged([see.frame(START, CRM00)])
    case.bench.let(s(20))
    case.bench.check_period(case.bench.matching(CRM), period(CRM))
    assert case.verdict is Verdict.NONE


# --- silence --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "verdict"), [(None, PASS), (ms(1200), PASS), (ms(1201), FAIL), (s(4), FAIL), (s(8), PASS)]
)
def test_the_dut_must_fall_silent(judged: Judged, see: Any, last: Span | None, verdict: Verdict) -> None:
    """What comes after the watch has ended is another matter."""
    case = judged([] if last is None else [see.frame(START + last, CEM_)])
    case.bench.expect_silence(after=START, within=WINDOW_FROM_0, during=s(5))
    assert case.verdict is verdict


def test_waiting_for_silence_ends_with_it_and_a_dut_that_goes_on_fails(judged: Judged, see: Any) -> None:
    case = judged(see.each(CRM00, START, ms(250), 9))
    assert case.bench.until_silent(s(12), s(60)) == START + ms(2000)
    assert case.bench.now == START + s(14)

    case = judged(see.each(CRM00, 0, ms(250), 400))
    with pytest.raises(CheckFailed, match="still sending"):
        case.bench.until_silent(s(12), s(60))
    assert case.verdict is FAIL


@pytest.mark.parametrize(("message", "verdict"), [(CHM(version=0x000101), FAIL), (BCL_, PASS)])
def test_no_frame_of_the_charger_may_come(judged: Judged, see: Any, message: Any, verdict: Verdict) -> None:
    case = judged([see.frame(START + s(1), message)])
    case.bench.expect_none_of_charger(after=START, during=s(10), name="frames")
    assert case.verdict is verdict


# --- rules, moments, messages that tell nothing -----------------------------------------------------------


def test_a_rule_that_fired_is_proven_and_one_that_did_not_is_told(judged: Judged, see: Any) -> None:
    case = judged([see.frame(START, CRM00)])
    fired = case.bench.on(first(CRM, result=0x00), silence(BCL))
    waiting = case.bench.on(first(CRM, result=0xAA), silence(BCL))
    not_needed = case.bench.on(first(CST), silence(BCL), needed=False)
    case.bench.let(s(20))
    assert case.bench.fired(fired).t == START
    assert case.bench.unfired() == [waiting]
    for name in (waiting, not_needed):
        with pytest.raises(Inconclusive, match="did not come about"):
            case.bench.fired(name)


def test_a_phase_that_is_not_reached_leaves_the_case_open(judged: Judged, see: Any) -> None:
    case = judged([see.frame(s(3), CRM00), see.frame(s(4), CRMAA)])
    assert case.bench.reach(Phase.IDENTIFICATION).t == s(3)
    assert case.bench.reach(Phase.RECOGNISED).t == s(4)
    with pytest.raises(Inconclusive, match="phase configuration was not reached by 74"):
        case.bench.reach(Phase.CONFIGURATION)


def test_a_message_of_too_few_bytes_tells_on_whoever_sent_it(judged: Judged, see: Any) -> None:
    case = judged([see.frame(START, CST(), data=b"\x01"), see.frame(START, BCL_, data=b"\x01")])
    case.bench.let(s(20))
    with pytest.raises(CheckFailed, match="CST of 1 bytes at 10"):
        _ = case.bench.record.last("CST").manual_stop
    with pytest.raises(Inconclusive, match="BCL of 1 bytes at 10"):
        _ = case.bench.record.last("BCL").mode


def test_time_passes_to_where_it_is_asked_to_and_never_back(judged: Judged) -> None:
    bench = judged().bench
    bench.let(s(25))
    assert bench.now == s(25)
    bench.until(s(20))
    assert bench.now == s(25)
    bench.until(s(30))
    assert bench.now == s(30)


def test_silencing_tells_the_last_one_what_is_under_way_included(judged: Judged, see: Any) -> None:
    case = judged([see.frame(START, BCL_), see.frame(START + ms(3), BCL_), see.frame(START + ms(60), BCL_)])
    case.bench.until(START + ms(1))
    assert case.bench.vehicle.silence(BCL).t == START + ms(3)
    assert judged().bench.vehicle.silence(BSM).t == ms(5), "now, where there was none"


@pytest.mark.parametrize("held", [ms(30), ms(600), ms(4500)])
def test_a_transfer_that_is_held_is_let_end(judged: Judged, see: Any, held: Span) -> None:
    bcs = BCS(voltage=400.0, current=-100.0, max_cell_voltage=3.4, max_cell_group=1, soc=50, remaining_time=60)
    first, *rest = see.transfer(START, bcs)
    later = [structs.replace(frame, t=frame.t + held) for frame in rest]
    case = judged(see.transfer(START - ms(250), bcs), [first], later)
    case.bench.until(START + ms(1))
    silenced = case.bench.vehicle.silence(BCS)
    assert (silenced.started, silenced.t) == (START, later[-1].t)


@pytest.mark.parametrize("ends", ["nothing", "aborted", "refused"])
def test_a_transfer_that_is_cut_off_does_not_count(judged: Judged, see: Any, ends: str) -> None:
    bcs = BCS(voltage=400.0, current=-100.0, max_cell_voltage=3.4, max_cell_group=1, soc=50, remaining_time=60)
    case = judged(see.transfer(START - ms(250), bcs), see.transfer(START, bcs, ends=ends))
    case.bench.until(START + ms(1))
    assert case.bench.vehicle.silence(BCS).started == START - ms(250)
    assert case.bench.now <= START + s(6)


# --- values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "limits", "verdict"),
    [
        (5.0, {"high": 5.0}, PASS),
        (5.0001, {"high": 5.0}, FAIL),
        (5.0, {"low": 5.0}, PASS),
        (4.9999, {"low": 5.0}, FAIL),
        (None, {"low": 5.0}, FAIL),
        ("AA", {"equals": "AA"}, PASS),
        ("AB", {"equals": "AA"}, FAIL),
        (None, {"equals": 1}, FAIL),
        (True, {"equals": True}, PASS),
        (False, {"equals": True}, FAIL),
        (0, {"equals": 0}, PASS),
    ],
)
def test_a_value_is_judged_by_its_limits_or_for_equality(
    judged: Judged, value: Any, limits: dict[str, Any], verdict: Verdict
) -> None:
    case = judged()
    assert case.bench.check("x", value, **limits) is (verdict is PASS)
    assert case.verdict is verdict


def test_a_check_that_could_not_fail_is_refused(judged: Judged) -> None:
    with pytest.raises(UsageError, match="a check needs a limit or the value expected"):
        judged().bench.check("x", 1.0)


@pytest.mark.parametrize(("span", "verdict"), [(-1, FAIL), (0, PASS), (ms(1200), PASS), (ms(1200) + 1, FAIL)])
def test_a_span_that_runs_backwards_is_too_early(judged: Judged, span: Span, verdict: Verdict) -> None:
    case = judged()
    case.bench.check_window("x", span, WINDOW_FROM_0, at=START)
    assert case.verdict is verdict


@pytest.mark.parametrize(("span", "verdict"), [(-ms(2), FAIL), (-ms(1), PASS), (0, PASS), (ms(1200), OPEN)])
def test_a_span_of_nothing_is_no_matter_of_uncertainty(judged: Judged, span: Span, verdict: Verdict) -> None:
    case = judged(unsure=ms(1))
    case.bench.check_window("x", span, WINDOW_FROM_0, at=START)
    assert case.verdict is verdict


def test_a_limit_is_taken_as_the_readings_have_it(judged: Judged, see: Any) -> None:
    def verdict(at: Instant, **readings: str) -> Verdict:
        case = judged([see.frame(START + at, CRO(ready=0))], **readings)
        case.bench.expect_stop(CRO, after=START, tail=tail(CRO))
        found: Verdict = case.verdict
        return found

    assert verdict(ms(200)) is PASS
    assert verdict(ms(200), stop_tail="none") is FAIL


@pytest.mark.parametrize(("span", "outside"), [(ms(990), False), (ms(1200), False), (ms(989), True), (s(2), True)])
def test_a_window_that_is_told_decides_nothing(judged: Judged, span: Span, *, outside: bool) -> None:
    case = judged([])
    case.bench.report_window("reaction", span, WINDOW, at=START)
    told = case.measured("reaction")
    assert (case.verdict, told.verdict) == (Verdict.NONE, Verdict.NONE)
    assert (told.value, told.low, told.high, told.unit, told.at) == (span / 1e9, 0.99, 1.2, "s", START)
    assert told.note == ("outside: reported, not judged" if outside else "")
