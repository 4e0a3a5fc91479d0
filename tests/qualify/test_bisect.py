"""The smallest deviation that is caught, with a judge that is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.qualify.bisect import smallest_caught


@given(st.integers(-50, 1000), st.integers(-60, 1100))
def test_a_known_threshold_is_found_from_any_guess(threshold: int, guess: int) -> None:
    assert smallest_caught(lambda deviation: deviation >= threshold, least=-50, most=1000, guess=guess) == threshold


@given(st.integers(1, 1000), st.integers(0, 1000))
def test_nothing_is_found_where_the_largest_passes(threshold: int, guess: int) -> None:
    most = threshold - 1
    assert smallest_caught(lambda deviation: deviation >= threshold, least=0, most=most, guess=guess) is None


def test_a_judge_that_fails_everything_fails_the_least() -> None:
    assert smallest_caught(lambda deviation: True, least=0, most=1000, guess=200) == 0


@pytest.mark.parametrize(("threshold", "guess", "most_calls"), [(201, 200, 6), (60001, 60000, 6), (437, 200, 30)])
def test_a_good_guess_costs_few_runs(threshold: int, guess: int, most_calls: int) -> None:
    asked: list[int] = []

    def caught(deviation: int) -> bool:
        asked.append(deviation)
        return deviation >= threshold

    assert smallest_caught(caught, least=0, most=70000, guess=guess) == threshold
    assert len(asked) <= most_calls
    assert len(set(asked)) == len(asked)
