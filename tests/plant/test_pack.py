"""The LFP pack by the checks of the battery sheet (section 8), and against small steps."""

from __future__ import annotations

from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.plant.pack import PRESETS, TAU, Pack, charge_rate_limit, next_bend, ocv, ocv_slope, resistance_ratio

_EXPLORE = settings(deadline=None, derandomize=True, database=None)

# Two measured cells of different makers: SOC %, V (battery sheet, section 2).
_SONY = {10: 3.197, 15: 3.212, 20: 3.234, 25: 3.255, 30: 3.270, 35: 3.283, 40: 3.292, 45: 3.297, 50: 3.299}
_SONY |= {55: 3.301, 60: 3.303, 65: 3.306, 70: 3.311, 75: 3.319, 80: 3.334, 85: 3.340, 90: 3.342, 95: 3.345, 98: 3.349}
_LITHIUM_WERKS = {10: 3.203, 15: 3.216, 20: 3.241, 25: 3.262, 30: 3.278, 35: 3.288, 40: 3.295, 45: 3.297, 50: 3.299}
_LITHIUM_WERKS |= {55: 3.301, 60: 3.303, 65: 3.307, 70: 3.316, 75: 3.333, 80: 3.337, 85: 3.339, 90: 3.341, 95: 3.343}
_LITHIUM_WERKS |= {98: 3.348}


def _charge(pack: Pack, current: float, seconds: float, *, step: float = 1.0) -> None:
    """Constant current in steps that end where the table bends."""
    left = seconds
    while left > 1e-9:
        dt = min(step, left, pack.seconds_to_bend(current, 0.0) + 1e-9)
        pack.advance(dt, current, 0.0)
        left -= dt


@pytest.mark.parametrize("percent", sorted(_SONY))
def test_ocv_lies_between_the_two_measured_cells(percent: int) -> None:
    mean = (_SONY[percent] + _LITHIUM_WERKS[percent]) / 2
    assert ocv(percent / 100) == pytest.approx(mean, abs=0.005)


def test_ocv_never_falls_with_soc() -> None:
    volts = [ocv(step / 2000) for step in range(2001)]
    assert volts == sorted(volts)


def test_ocv_integral_is_that_of_lfp() -> None:
    steps = 20_000
    assert 3.2 <= sum(ocv((step + 0.5) / steps) for step in range(steps)) / steps <= 3.3


def test_plateau_rises_as_lfp_does_at_one_c() -> None:
    """Check 2: 60 to 150 mV per cell from 20 to 80 % SOC at constant 1C."""
    spec = PRESETS["car-400v"]
    pack = Pack(spec, 0.15, 25.0)
    volts = {}
    for goal in (0.2, 0.8):
        _charge(pack, spec.capacity, (goal - pack.soc) * 3600)
        volts[goal] = pack.terminal(spec.capacity, 0.0).value(0.0) / spec.cells
    assert 0.060 <= volts[0.8] - volts[0.2] <= 0.150


def test_step_of_one_c_shows_r0_at_once_and_relaxes_with_tau() -> None:
    """Check 6."""
    spec = PRESETS["truck-lfp-600v"]
    pack = Pack(spec, 0.50, 25.0)
    rest = pack.terminal(0.0, 0.0).value(0.0)
    assert pack.terminal(spec.capacity, 0.0).value(0.0) - rest == pytest.approx(0.045 * spec.cells, rel=1e-9)
    _charge(pack, spec.capacity, 60.0)
    polarised = pack.terminal(0.0, 0.0).value(0.0) - pack.spec.cells * ocv(pack.soc)
    for seconds in (1.0, TAU, 100.0):
        after = pack.terminal(0.0, 0.0).value(seconds) - pack.spec.cells * ocv(pack.soc)
        assert after / polarised == pytest.approx(exp(-seconds / TAU), rel=1e-9)


def test_total_resistance_is_that_of_a_large_format_pack() -> None:
    """100 mOhm x Ah per cell at 25 °C (sheet 7: 48 mOhm for the car, 42 for the swap truck)."""
    for preset, milliohm in (("small-car", 75), ("car-400v", 48), ("bus", 32), ("truck-lfp-600v", 42)):
        pack = Pack(PRESETS[preset], 0.5, 25.0)
        assert (pack.r0 + pack.r1) * 1000 == pytest.approx(milliohm, abs=1.0), preset


def test_resistance_falls_with_temperature() -> None:
    ratios = [resistance_ratio(celsius) for celsius in range(-30, 71)]
    assert ratios == sorted(ratios, reverse=True)
    assert resistance_ratio(25.0) == 1.0
    assert 1.40 <= resistance_ratio(10.0) <= 1.51
    assert 0.75 <= resistance_ratio(40.0) <= 0.81


@pytest.mark.parametrize(
    ("celsius", "rate"),
    [
        (-0.1, 0.0),
        (0.0, 0.1),
        (5.0, 0.15),
        (10.0, 0.25),
        (15.0, 0.5),
        (25.0, 1.0),
        (45.0, 0.5),
        (50.0, 0.1),
        (55.0, 0.0),
    ],
)
def test_charge_limit_by_temperature(celsius: float, rate: float) -> None:
    assert charge_rate_limit(celsius, 0.5) == rate
    assert charge_rate_limit(celsius, 0.85) == rate / 2
    assert charge_rate_limit(celsius, 0.95) == rate / 4


def test_bends_are_met_in_order() -> None:
    soc, bends = 0.0, []
    while (soc := next_bend(soc)) <= 1.0:
        bends.append(soc)
    assert bends == sorted(set(bends))
    assert bends[-1] == 1.0


def test_a_hair_below_a_bend_counts_as_on_it() -> None:
    """Or an event a nanosecond early would be followed by a flood of others."""
    hair = 0.75 - 1e-12
    assert next_bend(hair) == 0.80
    assert ocv_slope(hair) == ocv_slope(0.75 + 1e-12) != ocv_slope(0.749)


@_EXPLORE
@given(soc=st.floats(0.05, 0.99), i0=st.floats(1.0, 400.0), slope=st.sampled_from([-400.0, -20.0, 0.0, 5.0, 100.0]))
def test_bend_is_reached_when_foretold(soc: float, i0: float, slope: float) -> None:
    pack = Pack(PRESETS["small-car"], soc, 25.0)
    seconds = pack.seconds_to_bend(i0, slope)
    if seconds < 1e6:
        assert pack.soc_after(seconds, i0, slope) == pytest.approx(next_bend(soc), abs=1e-9)
    else:
        assert slope < 0.0  # the ramp ends before


@_EXPLORE
@given(
    soc=st.floats(0.02, 0.995),
    celsius=st.floats(-20.0, 50.0),
    vrc=st.floats(0.0, 10.0),
    i0=st.floats(0.0, 400.0),
    slope=st.sampled_from([-100.0, 0.0, 30.0, 100.0]),
)
def test_one_stretch_equals_many_small_steps(soc: float, celsius: float, vrc: float, i0: float, slope: float) -> None:
    """Terminal voltage, charge, RC voltage, heat and energy of one stretch against explicit 1 ms steps."""
    pack = Pack(PRESETS["car-400v"], soc, celsius)
    pack.vrc = vrc
    length = min(1.0, pack.seconds_to_bend(i0, slope), i0 / 100.0 if slope < 0 else 1.0)
    steps = max(round(length * 1000), 1)
    dt = length / steps
    r0, r1, cells = pack.r0, pack.r1, pack.spec.cells
    charge, u, joule, energy = soc, vrc, 0.0, 0.0
    for step in range(steps):
        current = i0 + slope * (step + 0.5) * dt
        half = u + (r1 * current - u) / TAU * dt / 2
        middle = charge + current * dt / 2 / (3600 * pack.spec.capacity)
        energy += current * (cells * ocv(middle) + half + current * r0) * dt
        square = current * current + (slope * dt) ** 2 / 12  # the mean over the step; what the middle leaves out counts
        joule += (square * r0 + half * half / r1) * dt
        u += (r1 * current - half) / TAU * dt
        charge += current * dt / (3600 * pack.spec.capacity)
    end = i0 + slope * length
    foretold = pack.terminal(i0, slope).value(length)
    pack.advance(length, i0, slope)
    assert pack.soc == pytest.approx(charge, abs=1e-9)
    assert pack.vrc == pytest.approx(u, abs=1e-5)
    assert foretold == pytest.approx(cells * ocv(charge) + u + end * r0, abs=1e-3)
    assert pack.heat == pytest.approx(joule, rel=1e-4, abs=1e-6)
    assert pack.energy == pytest.approx(energy, rel=1e-6, abs=1e-3)


def test_heat_and_heater_warm_the_pack() -> None:
    pack = Pack(PRESETS["car-400v"], 0.5, 20.0)
    pack.heater = 10_000.0
    _charge(pack, 226.0, 60.0)
    mass = 0.0196 * 226.0 * 108
    assert pack.celsius - 20.0 == pytest.approx((pack.heat + 10_000.0 * 60.0) / (1000.0 * mass), rel=1e-9)


def test_one_c_warms_an_isolated_cell_as_the_sheet_reckons() -> None:
    """19 K/h for 0.5 mOhm and 202 Ah, which are 100 mOhm x Ah (sheet 6)."""
    pack = Pack(PRESETS["car-400v"], 0.5, 25.0)
    pack.vrc = pack.r1 * 226.0  # settled
    assert pack.warming(226.0) * 3600 == pytest.approx(19.0, abs=1.0)
