"""Pure judgements: limits pass, the uncertainty leaves open, and the worst verdict wins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.conformance.catalogue import Limit, limit, quantity
from hil.conformance.checks import check_period, check_window, ease, judge
from hil.conformance.verdict import Measurement, Verdict, worst
from hil.units import ms

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
NUMBER = st.integers(-1000, 1000)


@given(value=NUMBER, low=st.none() | NUMBER, high=st.none() | NUMBER)
def test_without_uncertainty_a_value_passes_inside_limits_included(
    value: int, low: int | None, high: int | None
) -> None:
    inside = (low is None or low <= value) and (high is None or value <= high)
    assert judge(value, low, high) is (PASS if inside else FAIL)


@given(value=NUMBER, low=NUMBER, width=st.integers(0, 500), unsure=st.integers(1, 50))
def test_a_verdict_with_uncertainty_holds_for_every_value_that_was_possible(
    value: int, low: int, width: int, unsure: int
) -> None:
    found = judge(value, low, low + width, unsure)
    possible = {judge(value + off, low, low + width) for off in (-unsure, 0, unsure)}
    if found is not OPEN:
        assert possible == {found}
    else:
        assert min(abs(value - low), abs(value - low - width)) <= unsure


@pytest.mark.parametrize(
    ("span", "unsure", "verdict"),
    [
        (ms(-1), 0, FAIL),
        (0, 0, PASS),
        (ms(100), 0, PASS),
        (ms(100) + 1, 0, FAIL),
        (ms(-1), ms(1), PASS),
        (ms(-1) - 1, ms(1), FAIL),
        (ms(99), ms(1), OPEN),
        (ms(101), ms(1), OPEN),
        (ms(101) + 1, ms(1), FAIL),
    ],
)
def test_a_window_from_its_origin_on(span: int, unsure: int, verdict: Verdict) -> None:
    found = check_window("x", span, Limit("x", 0, ms(100), "here"), unsure, at=7)
    assert (found.verdict, found.low, found.high, found.unit, found.at) == (verdict, None, 0.1, "s", 7)
    assert found.value == span / 1e9


@pytest.mark.parametrize(
    ("times", "shortest", "longest"),
    [
        ([0, 50, 100], PASS, PASS),
        ([0, 44, 94], FAIL, PASS),
        ([0, 50, 106], PASS, FAIL),
        ([0, 44, 100], FAIL, FAIL),
        ([0, 45, 100], PASS, PASS),
    ],
)
def test_a_period_is_judged_at_both_ends(times: list[int], shortest: Verdict, longest: Verdict) -> None:
    found = check_period("x", [ms(each) for each in times], Limit("x", ms(45), ms(55), "here"))
    assert [each.verdict for each in found] == [shortest, longest]
    assert [each.name for each in found] == ["x, shortest", "x, longest"]


def test_a_measurement_tells_how_sure_it_is() -> None:
    window, ends = Limit("x", 0, ms(100), "here"), [0, ms(50), ms(90)]
    told = [check_window("x", ms(9), window, ms(3)), *check_period("x", ends, window, ms(3))]
    assert [(each.unit, each.uncertainty) for each in told] == [("s", 0.003), ("ms", 3.0), ("ms", 3.0)]
    exact = [check_window("x", ms(9), window), *check_period("x", ends, window)]
    assert {each.uncertainty for each in exact} == {None}


@pytest.mark.parametrize("times", [[], [5]])
def test_fewer_than_two_instants_leave_a_period_open(times: list[int]) -> None:
    (found,) = check_period("x", times, Limit("x", 45, 55, "here"))
    assert (found.verdict, found.value) == (Verdict.NONE, None)


@pytest.mark.parametrize(
    ("value", "unsure", "verdict"),
    [
        (5.0, None, PASS),
        (12.0, None, OPEN),
        (-12.0, None, OPEN),
        (21.0, None, FAIL),
        (21.0, 2.0, OPEN),
        (-21.0, None, FAIL),
    ],
)
def test_beyond_general_knowledge_alone_is_open(value: float, unsure: float | None, verdict: Verdict) -> None:
    strictly = judge(value, -10, 10, unsure or 0.0)
    eased = ease(Measurement("duty", value, "%", -10, 10, strictly, uncertainty=unsure), -20, 20)
    assert eased.verdict is verdict
    assert ("[K]" in eased.note) is (verdict is OPEN)
    unbounded = ease(Measurement("duty", value, "%", -10, 10, strictly, uncertainty=unsure))
    assert unbounded.verdict is (PASS if strictly is PASS else OPEN)


def test_a_limit_is_general_knowledge_by_the_source_that_counts() -> None:
    either = limit("ac-pilot-fault")
    assert either.under({"pilot-standard": "iec61851"}).general
    assert not either.under({"pilot-standard": "gbt18487"}).general
    assert quantity("duty-accuracy").general
    assert not quantity("current-apart").general


def test_the_worst_verdict_wins_in_the_order_of_the_standard() -> None:
    order = [Verdict.NONE, PASS, OPEN, FAIL, Verdict.ERROR]
    for index, better in enumerate(order):
        for other in order[index:]:
            assert worst([better, other]) is worst([other, better]) is other
            assert (better < other) is (better is not other)
    assert worst([]) is Verdict.NONE
    assert worst([Verdict.NOT_APPLICABLE, Verdict.NONE]) is Verdict.NONE
