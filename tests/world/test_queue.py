"""The event queue: order, the clock, stopping, misuse."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import WorldError
from hil.world.queue import EventQueue


@given(st.lists(st.integers(0, 20)))
def test_events_come_in_order_of_instant_and_then_of_asking(instants: list[int]) -> None:
    queue = EventQueue()
    served: list[tuple[int, int]] = []
    for number, instant in enumerate(instants):
        queue.at(instant, partial(_serve, queue, served, instant, number))
    queue.run(100)
    assert served == sorted((instant, number) for number, instant in enumerate(instants))
    assert queue.now == 100


def _serve(queue: EventQueue, served: list[tuple[int, int]], instant: int, number: int) -> None:
    assert queue.now == instant
    served.append((instant, number))


def test_run_serves_its_last_instant_and_nothing_beyond() -> None:
    queue = EventQueue()
    served: list[int] = []
    for instant in (9, 10, 11):
        queue.at(instant, partial(served.append, instant))
    queue.run(10)
    assert (served, queue.now) == ([9, 10], 10)
    queue.run(20)
    assert (served, queue.now) == ([9, 10, 11], 20)


def test_stop_ends_after_the_event_and_leaves_the_rest() -> None:
    queue = EventQueue()
    served: list[str] = []

    def stopping() -> None:
        served.append("stopping")
        queue.stop()

    queue.at(5, stopping)
    queue.at(5, lambda: served.append("rest"))
    queue.run(10)
    assert (served, queue.now) == (["stopping"], 5)
    queue.run(10)
    assert (served, queue.now) == (["stopping", "rest"], 10)


def test_an_event_may_ask_for_another_at_its_own_instant() -> None:
    queue = EventQueue()
    served: list[str] = []
    queue.at(5, lambda: queue.at(5, lambda: served.append("second")))
    queue.run(5)
    assert served == ["second"]


def test_the_past_is_refused() -> None:
    queue = EventQueue()
    queue.run(1_000_000)
    with pytest.raises(WorldError, match=r"0\.000999 s lies before now, 0\.001000 s"):
        queue.at(999_000, lambda: None)


def test_the_clock_never_goes_back() -> None:
    queue = EventQueue()
    queue.run(50)
    queue.run(20)
    assert queue.now == 50
