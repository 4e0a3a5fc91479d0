"""Legs of the power stage at the corners that a whole plant reaches rarely."""

from __future__ import annotations

import pytest

from hil.plant.pack import PRESETS, Pack
from hil.plant.stage import COLLAPSE, FALL, LINK_OHM, RISE, Leg, Stage
from hil.units import SECOND


def _stage(pack: Pack, current: float, room: float, limit: float) -> Stage:
    """Enabled, with so many volts between the output at ``current`` and the voltage limit."""
    stage = Stage()
    stage.enabled = True
    stage.current_limit = limit
    stage.voltage_limit = pack.terminal(current, 0.0).value(0.0) + LINK_OHM * current + room
    return stage


@pytest.mark.parametrize("room", [-0.002, -0.0001, 0.0, 0.0001, 0.002])
@pytest.mark.parametrize("before_bend", [1e-9, 1e-7, 1e-3])
def test_no_leg_is_steeper_than_the_ramps(room: float, before_bend: float) -> None:
    """Even one that a bend of the OCV table cuts to microseconds."""
    pack = Pack(PRESETS["car-400v"], 0.75 - before_bend, 25.0)
    leg = _stage(pack, 100.0, room, 250.0).drive(pack, 100.0)
    assert -FALL <= leg.slope <= RISE


@pytest.mark.parametrize("room", [-50.0, -1.0, 1.0, 50.0])
@pytest.mark.parametrize(("current", "limit"), [(0.0, 0.0), (0.0, 100.0), (100.0, 100.0), (100.0, 20.0), (5.0, 100.0)])
def test_current_moves_towards_the_lower_of_both_limits(room: float, current: float, limit: float) -> None:
    pack = Pack(PRESETS["car-400v"], 0.5, 25.0)
    leg = _stage(pack, current, room, limit).drive(pack, current)
    goal = limit if room > 0 else 0.0
    assert (leg.slope > 0) == (current < goal)
    assert (leg.slope < 0) == (current > goal)
    assert min(current, goal) <= leg.end <= max(current, goal)


def test_switched_off_it_collapses() -> None:
    pack = Pack(PRESETS["car-400v"], 0.5, 25.0)
    leg = Stage().drive(pack, 300.0)
    assert (leg.slope, leg.end, leg.span) == (-COLLAPSE, 0.0, 3_000_000)


def test_a_ramp_ends_on_its_target_though_nanoseconds_are_whole() -> None:
    leg = Leg(0.0, 100.0, 1 / 3, 100 / 3)
    assert leg.span == 333_333_334
    assert leg.end == 100 / 3
    assert 100.0 * leg.span / SECOND > leg.end


def test_an_output_that_is_all_but_discharged_ends_at_nothing() -> None:
    """A voltage too small to take any time must not stop the plant."""
    stage = Stage()
    stage.discharging = True

    curve, seconds = stage.unloaded(5e-324)

    assert seconds > 0
    assert curve.value(seconds) == 0.0
