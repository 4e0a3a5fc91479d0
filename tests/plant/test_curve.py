"""The closed form of signals between events, against dense sampling."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.plant.curve import Curve

_EXPLORE = settings(deadline=None, derandomize=True, database=None)

_curves = st.builds(
    Curve,
    st.floats(-500, 500),
    st.floats(-50, 50),
    st.floats(-1, 1),
    st.floats(-20, 20),
    st.just(30.0),
)


@_EXPLORE
@given(_curves, st.floats(0.01, 1.0))
def test_extremes_hold_at_every_instant_of_the_stretch(curve: Curve, length: float) -> None:
    low, high = curve.extremes(length)
    values = [curve.value(length * step / 200) for step in range(201)]
    assert low <= min(values) + 1e-9
    assert high >= max(values) - 1e-9
    # And they are reached, not merely bounds: dense sampling comes within its own resolution.
    assert low == pytest.approx(min(values), abs=1e-3)
    assert high == pytest.approx(max(values), abs=1e-3)


def test_extremes_find_a_turning_point_inside() -> None:
    parabola = Curve(10.0, b=-2.0, c=1.0)
    assert parabola.extremes(3.0) == pytest.approx((9.0, 13.0))


def test_crossing_is_where_the_value_is_the_level() -> None:
    curve = Curve(350.0, b=2.0, c=0.1, d=-3.0, tau=30.0)
    at = curve.crossing(348.0, 5.0)
    assert at is not None
    assert curve.value(at) == pytest.approx(348.0, abs=1e-9)


def test_no_crossing_where_the_stretch_stays_on_one_side() -> None:
    assert Curve(350.0, b=2.0).crossing(349.0, 5.0) is None
    assert Curve(350.0, b=2.0).crossing(361.0, 5.0) is None


def test_slope_and_bend_are_the_derivatives() -> None:
    curve = Curve(1.0, b=3.0, c=-0.5, d=4.0, tau=2.0)
    step = 1e-4
    middle, before, after = (curve.value(1.0 + shift) for shift in (0.0, -step, step))
    assert curve.slope(1.0) == pytest.approx((after - before) / (2 * step), rel=1e-6)
    assert abs(after - 2 * middle + before) / step**2 <= curve.bend()
