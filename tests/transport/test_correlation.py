"""Time stamps of drivers become instants, also when a clock is set or drifts."""

from __future__ import annotations

import pytest

from hil.transport.correlation import Correlation
from hil.units import SECOND, Instant, ms, s, us

EPOCH = 1_700_000_000 * SECOND


class Clocks:
    """Ours, and one on the wall that is set now and then."""

    def __init__(self) -> None:
        self.ours: Instant = s(3)
        self.ahead = EPOCH

    def real(self) -> Instant:
        self.ours += us(1)
        return self.ours

    def wall(self) -> int:
        return self.ours + self.ahead


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def test_a_stamp_of_the_wall_clock_is_the_instant_it_means(clocks: Clocks) -> None:
    found = Correlation(clocks.real, clocks.wall)
    clocks.ours = s(10)
    meant = s(10) - ms(3)
    assert abs(found.instant((meant + EPOCH) / SECOND) - meant) < us(5), "float seconds resolve a quarter of a us"


def test_a_stamp_is_never_later_than_now(clocks: Clocks) -> None:
    found = Correlation(clocks.real, clocks.wall)
    assert found.instant((clocks.ours + EPOCH + ms(1)) / SECOND) <= clocks.real()


def test_a_driver_without_stamps_means_now(clocks: Clocks) -> None:
    found = Correlation(clocks.real, clocks.wall)
    assert abs(found.instant(0.0) - clocks.ours) < us(5)


@pytest.mark.parametrize("moved", [s(3600), -s(3600), s(5), -s(5)])
def test_a_clock_that_was_set_is_found_out_and_told(clocks: Clocks, moved: int) -> None:
    found = Correlation(clocks.real, clocks.wall)
    clocks.ours = s(20)
    clocks.ahead += moved
    meant = clocks.ours - ms(1)
    assert abs(found.instant((meant + clocks.ahead) / SECOND) - meant) < us(10)
    assert len(found.steps) == 1
    assert abs(found.steps[0][1] - moved) < us(10)


@pytest.mark.parametrize("moved", [ms(-500), ms(-50), ms(-5), ms(5), ms(50), ms(500)])
def test_a_clock_that_was_set_by_little_moves_no_stamp(clocks: Clocks, moved: int) -> None:
    """Every 10 ms a frame, read 1 ms after its stamp; the clock is set between a stamp and its reading."""
    found = Correlation(clocks.real, clocks.wall)
    for number in range(1, 200):
        clocks.ours = meant = s(20) + number * ms(10)
        stamp = (meant + clocks.ahead) / SECOND
        if number == 50:
            clocks.ahead += moved
        clocks.ours += ms(1)
        assert abs(found.instant(stamp) - meant) < us(10), number
    ((when, by),) = found.steps
    assert abs(when - s(20) - 50 * ms(10) - ms(1)) < us(10)
    assert abs(by - moved) < us(10)


@pytest.mark.parametrize("moved", [ms(-1), ms(1)])
def test_a_step_that_is_small_beside_the_way_of_a_frame_is_told_and_followed(clocks: Clocks, moved: int) -> None:
    """Every 10 ms a frame, read 3 ms after its stamp; what lay unread is off by the step, which is told."""
    found = Correlation(clocks.real, clocks.wall)
    for number in range(1, 20):
        clocks.ours = meant = s(20) + number * ms(10)
        stamp = (meant + clocks.ahead) / SECOND
        if number == 5:
            clocks.ahead += moved
        clocks.ours += ms(3)
        assert abs(found.instant(stamp) - meant) < (abs(moved) if number == 5 else 0) + us(10), number
    assert [abs(by - moved) < us(10) for _, by in found.steps] == [True]


def test_a_clock_that_is_slewed_is_followed_and_was_not_set(clocks: Clocks) -> None:
    """As by NTP, by 500 ppm at most: half a millisecond each second."""
    found = Correlation(clocks.real, clocks.wall)
    for number in range(1, 500):
        clocks.ours = s(20) + number * ms(10)
        clocks.ahead = EPOCH + number * us(5)
        assert abs(found.instant((clocks.ours + clocks.ahead) / SECOND) - clocks.ours) < us(250)
    assert found.steps == []


def test_a_frame_that_was_read_late_is_no_step(clocks: Clocks) -> None:
    found = Correlation(clocks.real, clocks.wall)
    clocks.ours = s(30)
    meant = s(27)
    assert abs(found.instant((meant + EPOCH) / SECOND) - meant) < us(10)
    assert found.steps == []


def test_an_adapters_own_clock_is_met_by_its_quickest_frame(clocks: Clocks) -> None:
    """Its clock counts from its start, 100 s after ours; frames are read 1 to 5 ms late."""
    found = Correlation(clocks.real, clocks.wall)
    sent = [s(200) + ms(10) * index for index in range(50)]
    instants = []
    for index, instant in enumerate(sent):
        clocks.ours = instant + ms(1 + index % 5)
        instants.append(found.instant((instant - s(100)) / SECOND))
    errors = [heard - instant for heard, instant in zip(instants, sent, strict=True)]
    assert all(abs(error - ms(1)) < us(30) for error in errors[5:]), "as late as the quickest, and steady"


def test_an_answer_is_never_stamped_before_its_question(clocks: Clocks) -> None:
    """The adapter counts whole milliseconds: what it heard 0.9 ms after one began it stamps as if then."""
    found = Correlation(clocks.real, clocks.wall, resolution=ms(1))
    for index in range(1, 200):
        happened = s(10) + ms(10) * index + us(5) * index
        clocks.ours = happened + us(100)
        heard = found.instant((happened // ms(1)) * ms(1) / SECOND)
        assert happened <= heard <= min(happened + ms(1), clocks.ours) + us(30), index


def test_an_adapter_that_was_reset_is_told_and_met_anew(clocks: Clocks) -> None:
    """Its clock begins at 0 again, while its port stays open: its frames are not from before the reset."""
    found = Correlation(clocks.real, clocks.wall)
    for begun in (s(100), s(150)):
        for index in range(1, 10):
            clocks.ours = begun + index * ms(10)
            assert abs(found.instant(index * ms(10) / SECOND) - clocks.ours) < us(30)
    ((when, by),) = found.steps
    assert abs(when - s(150) - ms(10)) < us(30)
    assert abs(by + s(50)) < ms(100)


def test_two_clocks_that_drift_apart_are_followed(clocks: Clocks) -> None:
    """The adapter's clock loses 20 ppm: after 1000 s, 20 ms."""
    found = Correlation(clocks.real, clocks.wall)
    error = 0
    for second in range(1, 1001):
        clocks.ours = s(second)
        stamp = s(second) * (1 - 20e-6)
        error = found.instant(stamp / SECOND) - s(second)
    assert abs(error) < ms(1)
