"""The alarm that raises in the main thread, by each of its two ways."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading

import pytest

from hil.transport.alarm import alarm
from hil.units import minutes, ms

LONG = 300_000_000
"""Rounds of a loop that is over after some seconds when nobody ends it."""
WAYS = [
    pytest.param(
        True, id="timer", marks=pytest.mark.skipif(sys.platform == "win32", reason="Windows has no interval timer")
    ),
    pytest.param(False, id="thread"),
]


class TimeUp(Exception):  # noqa: N818 - what it says, not an error of anybody's
    """Raised by the alarms of these tests."""


@pytest.mark.parametrize("timer", WAYS)
def test_a_loop_is_ended(timer: bool) -> None:
    with pytest.raises(TimeUp), alarm(ms(20), TimeUp, timer=timer):
        for _ in range(LONG):
            pass


@pytest.mark.parametrize("timer", WAYS)
def test_an_alarm_that_is_caught_comes_again(timer: bool) -> None:
    caught = 0
    with contextlib.suppress(TimeUp), alarm(ms(20), TimeUp, timer=timer):
        try:
            for _ in range(LONG):
                pass
        except TimeUp:
            caught += 1
        for _ in range(LONG):
            pass
        pytest.fail("the second alarm never came")
    assert caught == 1


@pytest.mark.parametrize("timer", WAYS)
def test_who_is_in_time_hears_nothing(timer: bool) -> None:
    with alarm(minutes(1), TimeUp, timer=timer):
        done = sum(range(1000))
    assert done == 499_500
    assert not [each for each in threading.enumerate() if each.name == "alarm"]


@pytest.mark.parametrize("timer", WAYS)
def test_what_the_body_raises_is_left_alone(timer: bool) -> None:
    with pytest.raises(ValueError, match="mine"), alarm(minutes(1), TimeUp, timer=timer):
        raise ValueError("mine")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no interval timer")
def test_a_call_that_waits_is_ended_too() -> None:
    never, _ = os.pipe()
    with pytest.raises(TimeUp), alarm(ms(20), TimeUp):
        os.read(never, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no interval timer")
def test_somebody_elses_timer_is_let_be() -> None:
    rings: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rings.append(number))
    try:
        with contextlib.suppress(TimeUp), alarm(ms(20), TimeUp):
            signal.raise_signal(signal.SIGALRM)
            for _ in range(LONG):
                pass
            pytest.fail("the alarm never came")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert rings == [signal.SIGALRM]


def test_other_threads_have_no_alarm() -> None:
    ended: list[bool] = []

    def body() -> None:
        with alarm(ms(1), TimeUp):
            for _ in range(1_000_000):
                pass
        ended.append(True)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert ended == [True]
