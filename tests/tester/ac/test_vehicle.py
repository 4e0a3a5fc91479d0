"""The stand-in AC vehicle: what it does at which duty cycle, in time, and how it misbehaves on order."""

from __future__ import annotations

from typing import Any

import pytest

from hil.errors import UsageError
from hil.tester.ac.vehicle import AcVehicle, AcVehicleSpec, current_for
from hil.units import FAR, Instant, Span, ms, s

SPEC = AcVehicleSpec()


class Driven:
    """A vehicle by itself: the pilot is given, what it sets is kept."""

    def __init__(self) -> None:
        self.vehicle = AcVehicle(SPEC, lambda name, now: 0.0)
        self.now: Instant = 0
        self.s2: float = 0
        self.current: float = 0
        self.course: list[tuple[Instant, str, float]] = []

    def collect(self) -> Driven:
        for name, value in self.vehicle.actuations:
            self.course.append((self.now, name, value))
            if name == "s2_command":
                self.s2 = value
            else:
                self.current = value
        self.vehicle.actuations.clear()
        return self

    def let(self, span: Span) -> Driven:
        until = self.now + span
        while (due := self.vehicle.next_deadline()) <= until:
            self.now = max(due, self.now)
            self.vehicle.wake(self.now)
            self.collect()
        self.now = until
        return self

    def see(self, **signals: float) -> Driven:
        for name, value in signals.items():
            self.vehicle.signal(name, value, self.now)
        return self.collect()

    def tell(self, verb: str, **arguments: Any) -> Driven:
        self.vehicle.order(verb, arguments, self.now)
        return self.collect()

    def charging(self, duty: float = 50.0) -> Driven:
        return self.see(pilot_duty=duty).let(s(1)).see(supply_voltage=230.0).let(s(1))


@pytest.mark.parametrize(
    ("duty", "ampere"),
    [  # sheet 2
        (2.9, 0.0),
        (5.0, 0.0),
        (7.5, 0.0),
        (8.0, 6.0),
        (9.9, 6.0),
        (10.0, 6.0),
        (50.0, 30.0),
        (85.0, 51.0),
        (85.1, 52.75),
        (96.0, 80.0),
        (97.0, 80.0),
        (97.1, 0.0),
        (100.0, 0.0),
    ],
)
def test_the_current_of_a_duty_cycle(duty: float, ampere: float) -> None:
    assert current_for(duty) == pytest.approx(ampere)


def test_it_closes_s2_and_draws_what_it_may() -> None:
    driven = Driven().charging(26.67)
    assert driven.course == [
        (SPEC.close_after, "s2_command", 1.0),
        (s(1) + SPEC.draw_after, "draw_current", pytest.approx(16.0, abs=0.01)),
    ]


def test_it_draws_no_more_than_it_can() -> None:
    assert Driven().charging(96.0).current == SPEC.max_current


@pytest.mark.parametrize("duty", [0.0, 2.0, 5.0, 7.5, 98.0, 100.0])
def test_it_asks_for_nothing_where_nothing_is_offered(duty: float) -> None:
    driven = Driven().see(pilot_duty=duty).let(s(10))
    assert (driven.s2, driven.vehicle.next_deadline()) == (0, FAR)


@pytest.mark.parametrize(("duty", "ampere"), [(16.67, 10.0), (40.0, 24.0)])
def test_it_follows_a_new_limit_within_5_s(duty: float, ampere: float) -> None:
    driven = Driven().charging(30.0).see(pilot_duty=duty).let(s(5))
    assert driven.current == pytest.approx(ampere, abs=0.01)
    assert driven.s2 == 1.0


def test_the_end_of_the_pwm_ends_the_current_then_s2_within_3_s() -> None:
    driven = Driven().charging()
    driven.course.clear()
    driven.see(pilot_duty=100.0).let(s(3))
    assert [(name, value) for _, name, value in driven.course] == [("draw_current", 0.0), ("s2_command", 0.0)]


def test_pwm_that_is_back_in_time_ends_nothing() -> None:
    driven = Driven().charging()
    driven.course.clear()
    driven.see(pilot_duty=100.0).let(ms(500)).see(pilot_duty=50.0).let(s(5))
    assert ("s2_command", 0.0) not in [(name, value) for _, name, value in driven.course]
    assert driven.current == 30.0


def test_without_supply_it_draws_nothing() -> None:
    assert Driven().charging().see(supply_voltage=0.0).let(s(5)).current == 0.0


# --- orders -----------------------------------------------------------------------------------------


def test_it_may_not_want_to() -> None:
    driven = Driven().tell("want", on=False).see(pilot_duty=50.0).let(s(5))
    assert driven.s2 == 0
    assert driven.tell("want", on=True).let(s(1)).s2 == 1
    assert driven.tell("want", on=False).s2 == 0


def test_it_may_be_stubborn() -> None:
    driven = Driven().charging().tell("stubborn", on=True).see(pilot_duty=100.0).let(s(20))
    assert driven.s2 == 1
    assert driven.tell("stubborn", on=False).let(s(3)).s2 == 0


def test_it_may_draw_too_much() -> None:
    driven = Driven().charging().tell("draw", current=40.0)
    assert driven.current == 40.0
    assert driven.see(pilot_duty=20.0).let(s(5)).current == 40.0
    assert driven.tell("draw", current=None).current == 12.0


def test_it_may_move_s2_whatever_the_pilot_says() -> None:
    driven = Driven().tell("s2", closed=True)
    assert driven.s2 == 1
    assert driven.tell("s2", closed=False).s2 == 0


@pytest.mark.parametrize("wants", [False, True])
@pytest.mark.parametrize("closed", [False, True])
def test_s2_stays_where_it_was_ordered_whatever_the_pilot_tells_later(wants: bool, closed: bool) -> None:
    driven = Driven().tell("want", on=wants).see(pilot_duty=50.0).let(s(1)).tell("s2", closed=closed)
    for duty in (50.1, 100.0, 50.0):
        assert driven.see(pilot_duty=duty).let(s(5)).s2 == closed, duty
    assert driven.tell("want", on=not closed).let(s(1)).s2 == (not closed)


def test_it_may_toggle() -> None:
    driven = Driven().tell("toggle", count=2, span=ms(300)).let(s(2))
    assert [(t, value) for t, _, value in driven.course] == [(0, 1.0), (ms(300), 0.0), (ms(600), 1.0), (ms(900), 0.0)]


def test_an_order_is_noted_and_an_unknown_one_refused() -> None:
    driven = Driven().tell("draw", current=10.0)
    assert [(note.kind, note.what) for note in driven.vehicle.notes] == [("order", "draw")]
    with pytest.raises(UsageError, match="order 'pull'; it knows draw, exceed, replace, s2, stubborn, toggle, want"):
        driven.tell("pull")
