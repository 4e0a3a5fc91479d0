"""Searching: a score is climbed, the worst are kept; the settings profiles and the stateful model."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from hil.bench.stateful import ProfileMachine, open_virtual
from hil.bench.twin import Twin
from hil.conformance.verdict import Measurement, Verdict
from hil.errors import UsageError
from hil.profile import LoadProfile
from hil.profile.search import GOALS, Corpus, cases_of, events_of, score, search
from hil.profile.settings import NAMES, register
from hil.profile.strategies import LEGAL_EVENTS, load_profiles

Make = Callable[..., LoadProfile]
Open = Callable[..., Twin]


def limited(value: float) -> Measurement:
    return Measurement("output current", value, "A", None, 100.0, Verdict.PASS)


def test_a_search_climbs_and_keeps_the_worst_with_their_scores() -> None:
    left = iter(range(400))

    def run(profile: LoadProfile) -> dict[str, list[Measurement]]:
        return {"LP.01": [limited(max(each.current for each in profile.segments))]}

    corpus = search(load_profiles(), run, "overshoot", seed=3, go_on=lambda: next(left, None) is not None)

    assert len(corpus.worst) == 10
    assert [value for value, _ in corpus.worst] == sorted((value for value, _ in corpus.worst), reverse=True)
    assert corpus.worst[0][0] == pytest.approx(2.26), "the most that the vehicle may demand"
    assert corpus.worst[0][1].found is not None
    assert corpus.worst[0][1].found.score == pytest.approx(2.26)


def test_a_search_for_a_slow_cut_off_finds_the_slow_cause(twin: Open) -> None:
    """A charger that is slow only where CC1 breaks: no stop by BST shows it."""
    bench, left = twin("cc1-120-ms"), iter(range(120))
    strategy = load_profiles(events=events_of("slow-cutoff"))

    corpus = search(
        strategy,
        lambda each: bench.run(each, ("LP.07",)).measured,
        "slow-cutoff",
        0,
        lambda: next(left, None) is not None,
    )

    worst, profile = corpus.worst[0]
    assert worst > 1, "beyond its limit"
    assert profile.found is not None
    assert profile.found.what == "CC1 lost to K1/K2 open"
    assert events_of("overshoot") == LEGAL_EVENTS, "what ends a charge only gets in the way of other goals"


def test_a_property_that_was_tested_before_changes_no_profile() -> None:
    """Hypothesis keeps the numbers that it has found in sources, and draws them again."""
    program = """
from hypothesis import given, settings
from hil.profile.generate import examples
from hil.profile.strategies import load_profiles
tested = settings(max_examples=30, database=None, derandomize=True)(given(load_profiles())(lambda profile: None))
{}
print(examples(load_profiles(), 100, 5))
"""
    fresh, after = (
        subprocess.run([sys.executable, "-c", program.format(first)], capture_output=True, check=True).stdout
        for first in ("", "tested()")
    )
    assert after == fresh


def test_the_score_is_1_at_a_limit() -> None:
    low = Measurement("error", -0.2, "V", -0.4, None, Verdict.PASS)
    assert score({"a": [limited(50.0)], "b": [low]})[0] == pytest.approx(0.5)
    assert score({"a": [limited(120.0)]})[0] == pytest.approx(1.2)
    assert score({}) == (0.0, None)


def test_a_corpus_keeps_no_demand_twice(make: Make) -> None:
    corpus = Corpus(2)
    assert corpus.offer(0.5, make((1.0, 10.0)))
    assert not corpus.offer(0.6, make((1.0, 10.0), soc=70.0))
    assert corpus.offer(0.7, make((1.0, 20.0)))
    assert not corpus.offer(0.4, make((1.0, 30.0)))
    assert not corpus.offer(0.0, make((1.0, 40.0)))


def test_an_unknown_goal_is_refused() -> None:
    with pytest.raises(UsageError, match=f"there are {', '.join(GOALS)}"):
        cases_of("glory")


# --- settings -------------------------------------------------------------------------------------


def test_the_settings_profiles_are_there() -> None:
    register()
    found = {name: settings.get_profile(name) for name in NAMES}
    assert found["ci"].derandomize
    assert found["ci"].database is None
    assert found["nightly"].max_examples > found["ci"].max_examples >= found["dev"].max_examples
    assert all(Phase.explain not in each.phases for each in found.values())


# --- the stateful model ---------------------------------------------------------------------------


def machine(*faults: str) -> type[ProfileMachine]:
    class Machine(ProfileMachine):
        open_bench = staticmethod(partial(open_virtual, faults=faults))

    return Machine


QUICK = settings(
    max_examples=12, stateful_step_count=10, deadline=None, database=None, derandomize=True,
    phases=[Phase.generate], suppress_health_check=list(HealthCheck),
)  # fmt: skip


def test_the_reference_stands_whatever_is_done_to_it() -> None:
    run_state_machine_as_test(machine(), settings=QUICK)


def test_a_fault_is_found_by_the_model() -> None:
    with pytest.raises(AssertionError, match=r"LOADPROFILE/LP\.01"):
        run_state_machine_as_test(machine("current-two-percent-high"), settings=QUICK)


@given(st.sampled_from(sorted(GOALS)))
@settings(database=None, deadline=None)
def test_every_goal_names_invariants(goal: str) -> None:
    assert cases_of(goal)
