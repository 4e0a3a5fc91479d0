"""Invariants over observations made by hand, with the verdict worked out beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.bench.twin import Twin
from hil.codec.message import Message
from hil.conformance.register import resolve
from hil.conformance.verdict import Measurement, Verdict, worst
from hil.profile import LoadProfile
from hil.profile.events import Cc1, Lose, Pause, Stop, StopButton, Supply
from hil.profile.invariants import INVARIANTS, judge
from hil.profile.invariants.basis import Context
from hil.profile.invariants.demand import allowed_current
from hil.profile.measured import PolledSignal, UnsureSignal
from hil.profile.seen import Demand, Seen, Signal
from hil.protocol.gbt27930 import BCL, BSM, BST, CCS, CML, CRO, CST, edition
from hil.rig.instruments import Uncertainty
from hil.units import Instant, Span, ms, s
from hil.world.observation import FrameSeen, Observation, Sample

Make = Callable[..., LoadProfile]
Open = Callable[..., Twin]
READINGS = resolve({})


def frame(t: Instant, message: Message) -> FrameSeen:
    identifier = type(message).can_id
    assert identifier is not None
    sender = "charger" if type(message).sender == "charger" else "vehicle"
    return FrameSeen(t, "can0", identifier, message.encode(), sender)


def bcl(t: Instant, amperes: float, volts: float = 394.2, mode: int = 2) -> FrameSeen:
    return frame(t, BCL(voltage_demand=volts, current_demand=-amperes, mode=mode))


def ccs(t: Instant, amperes: float, volts: float = 360.0, permitted: int = 1) -> FrameSeen:
    return frame(t, CCS(voltage=volts, current=-amperes, charging_time=0, charging_permitted=permitted))


def line(name: str, *points: tuple[Instant, float]) -> list[Observation]:
    """Samples of a signal that runs straight between these points."""
    samples: list[Observation] = []
    before = points[0][1]
    for t, value in points:
        samples.append(Sample(t, name, value, min(before, value), max(before, value)))
        before = value
    return samples


def seen(*parts: Iterable[Observation] | FrameSeen) -> Seen:
    flat: list[Observation] = []
    for part in parts:
        flat.extend([part] if isinstance(part, FrameSeen) else part)
    found = Seen(edition("2015"))
    found.add(sorted(flat, key=lambda each: each.t))
    return found


def begin(*demands: FrameSeen) -> list[Observation]:
    """CML, CRO(AA), the demands, and CCS every 50 ms from 1 s to 30 s."""
    head: list[Observation] = [
        frame(ms(100), CML(max_voltage=950.0, min_voltage=150.0, max_current=-300.0, min_current=-2.0)),
        frame(ms(500), CRO(ready=0xAA)),
    ]
    return [*head, *demands, *(ccs(s(1) + n * ms(50), 100.0) for n in range(580))]


def measured(found: Seen, case: str, **readings: str) -> list[Measurement]:
    chosen = {**READINGS, **{name.replace("_", "-"): choice for name, choice in readings.items()}}
    return judge(found, chosen, cases=(case,))[case]


def verdict(found: Seen, case: str, **readings: str) -> Verdict:
    return worst(each.verdict for each in measured(found, case, **readings))


# --- traffic --------------------------------------------------------------------------------------

RTS, ANSWER, STRAY = 0x1CEC56F4, 0x1CECF456, 0x18FFA056


def frames(identifier: int, *times: Instant) -> list[Observation]:
    return [FrameSeen(t, "can0", identifier, bytes(8), "") for t in times]


@pytest.mark.parametrize(
    ("asked", "answered", "expected"),
    [
        (10, 10, Verdict.PASS),
        (10, 12, Verdict.PASS),
        (10, 13, Verdict.FAIL),
        (0, 2, Verdict.PASS),
        (0, 3, Verdict.FAIL),
    ],
)
def test_the_charger_answers_transport_and_no_more(asked: int, answered: int, expected: Verdict) -> None:
    found = seen(
        frames(RTS, *(s(5) + n * ms(20) for n in range(asked))),
        frames(ANSWER, *(s(5) + n * ms(20) + ms(1) for n in range(answered))),
    )
    assert verdict(found, "LP.18") is expected


def test_frames_that_nobody_asked_for_count_in_each_second_for_themselves() -> None:
    assert verdict(seen(frames(STRAY, *(n * ms(500) + ms(n) for n in range(50)))), "LP.18") is Verdict.PASS
    assert verdict(seen(frames(STRAY, *(n * ms(300) for n in range(50)))), "LP.18") is Verdict.FAIL


# --- what the clock can tell ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stamps", "expected"), [(ms(0), Verdict.FAIL), (ms(2), Verdict.FAIL), (ms(5), Verdict.INCONCLUSIVE)]
)
def test_a_period_inside_the_uncertainty_of_its_limit_is_inconclusive(stamps: int, expected: Verdict) -> None:
    late = [ccs(s(1) + n * ms(50), 0.0) for n in range(20)] + [ccs(s(2) + ms(9), 0.0)]  # 59 ms instead of 50 ± 5
    found = seen(late)

    assert worst(each.verdict for each in judge(found, READINGS, stamps, ("LP.17",))["LP.17"]) is expected


def test_a_reaction_is_as_unsure_as_the_bench_was_late_about_its_begin() -> None:
    asked: list[int] = []

    def unsure(start: int) -> int:
        asked.append(start)
        return s(1)

    bst = frame(s(10), BST(soc_reached=1))
    output = line("output_current", (0, 100.0), (s(10.5), 100.0), (s(10.9), 0.0))
    found = seen(begin(bcl(ms(900), 100.0)), bst, output)

    assert worst(each.verdict for each in judge(found, READINGS, 0, ("LP.07",))["LP.07"]) is Verdict.PASS
    assert not asked
    judged = judge(found, READINGS, 0, ("LP.07",), unsure)["LP.07"]
    assert worst(each.verdict for each in judged) is Verdict.INCONCLUSIVE
    assert s(10) in asked


# --- the allowed current --------------------------------------------------------------------------


def steps(*demands: tuple[float, float]) -> list[tuple[float, float]]:
    """Allowed current, in s and A, for demands in s and A."""
    found = Seen(edition("2015"))
    found.demands = [Demand(s(t), 394.2, amperes, 2) for t, amperes in demands]
    return [(t / 1e9, level) for t, level in allowed_current(Context(found, READINGS))]


def test_a_higher_demand_counts_at_once_and_a_lower_one_after_its_time() -> None:
    assert steps((0, 100), (10, 40), (20, 200)) == [(0, 100), (13, 40), (20, 200)]  # 60 A at 20 A/s: 3 s


def test_up_to_20_a_take_one_second() -> None:
    assert steps((0, 100), (10, 85)) == [(0, 100), (11, 85)]


def test_a_demand_that_rises_again_takes_back_what_was_asked_below_it() -> None:
    assert steps((0, 100), (10, 20), (10.1, 60)) == [(0, 100), (12.1, 60)]


def test_a_falling_staircase_is_followed_step_by_step() -> None:
    # Each step of 1 A has its own second.
    assert steps((0, 100), (10, 99), (10.05, 98), (10.1, 97)) == [(0, 100), (11, 99), (11.05, 98), (11.1, 97)]


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 226)), min_size=1, max_size=12))
def test_the_allowed_current_is_never_below_the_demand_in_force_nor_above_all_of_them(
    parts: list[tuple[int, int]],
) -> None:
    t, demands = 0, []
    for gap, amperes in parts:
        t += gap
        demands.append((t / 10, float(amperes)))

    found = steps(*demands)

    assert [each[0] for each in found] == sorted(each[0] for each in found)
    for at, level in found:
        in_force = [amperes for t, amperes in demands if t <= at][-1]
        assert in_force - 1e-9 <= level <= max(amperes for _, amperes in demands)
    assert found[-1][1] == demands[-1][1], "in the end what is demanded is what is allowed"


# --- demand ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("peak", "expected"), [(100.9, Verdict.PASS), (101.2, Verdict.FAIL)])
def test_one_percent_above_the_demand_is_the_limit_at_no_instant(peak: float, expected: Verdict) -> None:
    current = line("output_current", (s(1), 0.0), (s(2), 100.0), (s(15), 100.0), (s(15) + 1, peak), (s(29), 100.0))

    assert verdict(seen(begin(bcl(ms(900), 100.0)), current), "LP.01") is expected


def test_a_peak_between_two_samples_counts() -> None:
    current = line("output_current", (s(1), 0.0), (s(2), 100.0), (s(29), 100.0))
    current[-1] = Sample(s(29), "output_current", 100.0, 100.0, 103.0)

    assert verdict(seen(begin(bcl(ms(900), 100.0)), current), "LP.01") is Verdict.FAIL


@pytest.mark.parametrize(("reached", "expected"), [(13.0, Verdict.PASS), (13.3, Verdict.FAIL)])
def test_a_lower_demand_is_met_in_time(reached: float, expected: Verdict) -> None:
    found = seen(
        begin(bcl(ms(900), 100.0), bcl(s(10), 40.0)),
        line("output_current", (s(1), 0.0), (s(2), 100.0), (s(10), 100.0), (s(reached), 40.0), (s(29), 40.0)),
    )

    assert verdict(found, "LP.04") is expected


@pytest.mark.parametrize(("direction", "expected"), [("falling", Verdict.NONE), ("both", Verdict.FAIL)])
def test_a_higher_demand_is_judged_as_the_reading_has_it(direction: str, expected: Verdict) -> None:
    found = seen(
        begin(bcl(ms(900), 40.0), bcl(s(5), 100.0)),
        line("output_current", (s(1), 0.0), (s(2), 40.0), (s(5), 40.0), (s(14), 100.0), (s(29), 100.0)),
        line("output_voltage", (0, 360.0), (s(29), 361.0)),
    )

    assert verdict(found, "LP.04", adjustment_direction=direction) is expected


@pytest.mark.parametrize(("amperes", "expected"), [(99.2, Verdict.PASS), (98.8, Verdict.FAIL)])
def test_the_settled_current_is_within_one_percent(amperes: float, expected: Verdict) -> None:
    found = seen(
        begin(bcl(ms(900), 100.0)),
        line("output_current", (s(1), 0.0), (s(2), amperes), (s(29), amperes)),
        line("output_voltage", (0, 360.0), (s(29), 361.0)),
    )

    assert verdict(found, "LP.05") is expected


def test_a_current_that_the_voltage_holds_down_is_no_error() -> None:
    found = seen(
        begin(bcl(ms(900), 100.0, volts=361.0)),
        line("output_current", (s(1), 0.0), (s(2), 30.0), (s(29), 30.0)),
        line("output_voltage", (0, 360.0), (s(2), 361.0), (s(29), 361.0)),
    )

    assert verdict(found, "LP.05") is Verdict.NONE
    assert verdict(found, "LP.06") is Verdict.PASS


@pytest.mark.parametrize(("volts", "expected"), [(359.4, Verdict.PASS), (358.9, Verdict.FAIL)])
def test_the_settled_voltage_is_within_half_a_percent(volts: float, expected: Verdict) -> None:
    found = seen(
        begin(bcl(ms(900), 100.0, volts=361.0, mode=1)),
        line("output_current", (s(1), 0.0), (s(2), 30.0), (s(29), 30.0)),
        line("output_voltage", (0, 355.0), (s(2), volts), (s(29), volts)),
    )

    assert verdict(found, "LP.06") is expected


@pytest.mark.parametrize(
    ("amperes", "choice", "expected"),
    [
        (2.0, "minimum-output", Verdict.PASS),
        (0.0, "minimum-output", Verdict.FAIL),
        (0.0, "no-output", Verdict.PASS),
        (2.0, "no-output", Verdict.FAIL),
    ],
)
def test_a_demand_of_0_is_judged_by_its_reading(amperes: float, choice: str, expected: Verdict) -> None:
    found = seen(
        begin(bcl(ms(900), 0.0)),
        line("output_current", (s(1), 0.0), (s(2), amperes), (s(29), amperes)),
        line("output_voltage", (0, 360.0), (s(29), 361.0)),
    )

    assert verdict(found, "LP.03", demand_zero=choice) is expected


# --- what instruments tell ------------------------------------------------------------------------

LATENCY = ms(20)
EXACT, SURE, ROUGH = Uncertainty(), Uncertainty(0.1), Uncertainty(2.0)


def polled(found: Seen, name: str, every: Span, uncertainty: Uncertainty, *, mute: Span = 0) -> Seen:
    """The same as a meter tells it that reads the value when it is asked; it is mute from 5 s for a span."""
    signal = found.signal(name)
    asked = [t for t in range(0, found.end, every) if not s(5) <= t < s(5) + mute]
    values = [(t, signal.value(t) or 0.0) for t in asked]
    samples = [Sample(t + LATENCY, name, value, value, value) for t, value in values]
    found.measure(name, PolledSignal(name, asked, samples, uncertainty.of, "meter (x)", (-1000.0, 4000.0)))
    return found


@pytest.mark.parametrize(
    ("peak", "uncertainty", "expected"),
    [
        (100.8, SURE, Verdict.PASS),
        (100.8, ROUGH, Verdict.INCONCLUSIVE),
        (101.2, SURE, Verdict.FAIL),
        (101.2, ROUGH, Verdict.INCONCLUSIVE),
        (104.0, ROUGH, Verdict.FAIL),
    ],
)
@pytest.mark.parametrize("every", [0, ms(100)])
def test_an_instruments_uncertainty_leaves_the_limit_open(
    every: Span, peak: float, uncertainty: Uncertainty, expected: Verdict
) -> None:
    output = line("output_current", (s(1), 0.0), (s(3), 99.0), (s(12), 99.0), (s(12.5), peak), (s(14), peak))
    found = seen(begin(bcl(ms(900), 100.0)), output, line("output_voltage", (0, 360.0), (s(29), 360.0)))
    if every:
        polled(found, "output_current", every, uncertainty)
    else:
        ends = (-1000.0, 4000.0)
        samples = found.signal("output_current").samples
        found.measure("output_current", UnsureSignal("output_current", samples, uncertainty.of, "meter (x)", ends))

    told = measured(found, "LP.01")[0]
    assert told.verdict is expected
    assert told.uncertainty == uncertainty.absolute
    assert "by meter (x), among" in told.note


@pytest.mark.parametrize(("peak", "expected"), [(100.5, Verdict.INCONCLUSIVE), (102.0, Verdict.FAIL)])
def test_what_was_seen_convicts_whatever_is_open_between_two_polls(peak: float, expected: Verdict) -> None:
    demands = (bcl(ms(900), 100.0), bcl(s(10), 40.0), bcl(s(13) + ms(15), 100.0))
    output = line("output_current", (s(1), 0.0), (s(3), peak), (s(5), peak), (s(6), 99.0), (s(10), 99.0))
    output += line("output_current", (s(13), 40.0), (s(13) + ms(15), 40.0), (s(13) + ms(16), 90.0), (s(29), 90.0))
    found = polled(seen(begin(*demands), output), "output_current", ms(100), EXACT)

    assert verdict(found, "LP.01") is expected


@pytest.mark.parametrize(
    ("reached", "every", "expected"),
    [
        (12.8, ms(100), Verdict.PASS),
        (12.95, ms(100), Verdict.INCONCLUSIVE),
        (13.05, ms(10), Verdict.FAIL),
        (13.3, ms(100), Verdict.FAIL),
        (13.3, s(1), Verdict.INCONCLUSIVE),
    ],
)
def test_when_a_demand_is_met_is_no_better_known_than_the_polls_tell(
    reached: float, every: Span, expected: Verdict
) -> None:
    output = line("output_current", (s(1), 0.0), (s(2), 100.0), (s(10), 100.0), (s(reached), 40.0), (s(29), 40.0))
    found = polled(seen(begin(bcl(ms(900), 100.0), bcl(s(10), 40.0)), output), "output_current", every, EXACT)

    assert verdict(found, "LP.04") is expected


@pytest.mark.parametrize(("mute", "expected"), [(0, Verdict.PASS), (s(2), Verdict.PASS), (s(8), Verdict.INCONCLUSIVE)])
def test_of_an_instrument_that_fell_silent_nothing_is_taken_for_granted(mute: Span, expected: Verdict) -> None:
    output = line("output_current", (s(1), 0.0), (s(2), 99.0), (s(29), 99.0))
    found = polled(seen(begin(bcl(ms(900), 100.0)), output), "output_current", ms(100), EXACT, mute=mute)

    assert verdict(found, "LP.01") is expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(4.0, 0.0, Verdict.PASS), (30.0, 0.0, Verdict.INCONCLUSIVE), (30.0, 20.0, Verdict.INCONCLUSIVE)],
)
def test_the_current_at_an_instant_between_two_polls_is_open(before: float, after: float, expected: Verdict) -> None:
    opened = s(11) + ms(50)
    output = line("output_current", (s(1), 0.0), (s(2), 99.0), (s(10), 99.0), (s(10.9), before), (opened, before))
    output += line("output_current", (opened + 1, after), (s(29), after))
    contactors = [Sample(t, "k1k2_closed", value, value, value) for t, value in ((0, 1.0), (opened, 0.0))]
    bst = frame(s(10), BST(soc_reached=1))
    found = polled(seen(begin(bcl(ms(900), 100.0)), bst, output, contactors), "output_current", ms(100), EXACT)

    assert verdict(found, "LP.09") is expected


@pytest.mark.parametrize(
    ("slope", "told", "expected"),
    [(0.0, 100.0, Verdict.PASS), (0.0, 107.0, Verdict.FAIL), (200.0, 0.0, Verdict.INCONCLUSIVE)],
)
def test_ccs_is_held_against_what_the_polls_leave_possible(slope: float, told: float, expected: Verdict) -> None:
    output = line("output_current", (0, 100.0), (s(1.5), 100.0), (s(2.5), 100.0 + slope), (s(31), 100.0 + slope))
    frames = [ccs(s(1) + n * ms(50), told or 100.0 + slope * min(max(n / 20 - 0.5, 0), 1)) for n in range(580)]
    voltage = line("output_voltage", (0, 360.0), (s(31), 360.0))
    found = polled(seen(frames, output, voltage), "output_current", ms(100), EXACT)

    assert verdict(found, "LP.10") is expected


@pytest.mark.parametrize(("moved", "expected"), [(100.0, Verdict.FAIL), (104.0, Verdict.INCONCLUSIVE)])
def test_ccs_may_have_told_a_peak_between_two_polls_of_what_moves(moved: float, expected: Verdict) -> None:
    output = line("output_current", (0, 100.0), (s(1.9), 100.0), (s(2.2), moved), (s(2.3), 100.0), (s(31), 100.0))
    frames = [ccs(s(1) + n * ms(50), 103.0 if n == 21 else 100.0) for n in range(580)]
    voltage = line("output_voltage", (0, 360.0), (s(31), 360.0))
    found = polled(seen(frames, output, voltage), "output_current", ms(100), EXACT)

    assert verdict(found, "LP.10") is expected


# --- ends, telling, course ------------------------------------------------------------------------


@pytest.mark.parametrize(("off", "expected"), [(10.9, Verdict.PASS), (12.0, Verdict.FAIL)])
def test_after_bst_the_current_falls_by_100_a_per_second(off: float, expected: Verdict) -> None:
    found = seen(
        begin(bcl(ms(900), 100.0)),
        frame(s(10), BST(soc_reached=1)),
        frame(s(10) + ms(5), CST(bms_stopped=1)),
        line("output_current", (s(1), 0.0), (s(2), 100.0), (s(10), 100.0), (s(off), 5.0), (s(29), 0.0)),
    )

    assert verdict(found, "LP.07") is expected


@pytest.mark.parametrize(("amperes", "expected"), [(4.9, Verdict.PASS), (5.4, Verdict.FAIL)])
def test_contactors_open_at_5_a_or_less(amperes: float, expected: Verdict) -> None:
    found = seen(
        begin(bcl(ms(900), 100.0)),
        frame(s(10), BST(soc_reached=1)),
        line("k1k2_closed", (0, 1.0), (s(11), 0.0)),
        line("k1k2_open_current", (0, 0.0), (s(11), amperes)),
    )

    assert verdict(found, "LP.09") is expected


@pytest.mark.parametrize(("bits", "expected"), [({"bms_stopped": 1}, "pass"), ({"manual_stop": 1}, "fail")])
def test_cst_names_the_cause(bits: dict[str, int], expected: str) -> None:
    found = seen(begin(bcl(ms(900), 100.0)), frame(s(10), BST(soc_reached=1)), frame(s(10) + ms(5), CST(**bits)))

    assert verdict(found, "LP.11").value == expected


@pytest.mark.parametrize(("amperes", "expected"), [(100.9, Verdict.PASS), (102.0, Verdict.FAIL)])
def test_ccs_tells_the_output(amperes: float, expected: Verdict) -> None:
    found = seen(
        begin(bcl(ms(900), 100.0)),
        ccs(s(30), amperes),
        line("output_current", (0, 100.0), (s(31), 100.0)),
        line("output_voltage", (0, 360.0), (s(31), 360.0)),
    )

    assert verdict(found, "LP.10") is expected


def _pause(t: Instant, permission: int) -> FrameSeen:
    fields = dict.fromkeys(("cell_voltage_state", "soc_state", "overcurrent", "overtemperature", "insulation"), 0)
    numbers = {"max_cell_number": 1, "max_temperature_sensor": 1, "min_temperature_sensor": 1}
    temperatures = {"max_temperature": 25, "min_temperature": 24}
    message = BSM(**fields, **numbers, **temperatures, connector=0, charging_permission=permission)
    return frame(t, message)


@pytest.mark.parametrize(("off", "expected"), [(14.0, Verdict.PASS), (15.5, Verdict.FAIL)])
def test_a_pause_takes_the_output_off_in_time(off: float, expected: Verdict) -> None:
    allowed = [each for each in begin(bcl(ms(900), 100.0)) if each.t < s(10)]
    found = seen(
        allowed,
        _pause(s(2), 1),
        _pause(s(10), 0),
        (ccs(s(10) + ms(50 * n), 0.0, permitted=0) for n in range(1, 400)),
        line("output_current", (s(1), 0.0), (s(2), 100.0), (s(10), 100.0), (s(off), 0.0), (s(29), 0.0)),
    )

    assert verdict(found, "LP.13") is expected


def test_an_invariant_judges_nothing_where_nothing_happened() -> None:
    found = judge(Seen(edition("2015")), READINGS)

    assert set(found) == set(INVARIANTS)
    assert not any(found.values())


# --- signals --------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None, database=None)
@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(-20, 20)), min_size=2, max_size=10),
    st.integers(0, 300),
    st.integers(1, 200),
)
def test_extremes_of_a_signal_are_those_of_its_line(points: list[tuple[int, int]], begin_: int, length: int) -> None:
    signal, t, before = Signal("output_current"), 0, float(points[0][1])
    for gap, value in points:
        t += gap
        signal.samples.append(Sample(t, "output_current", value, min(before, value), max(before, value)))
        signal.times.append(t)
        before = float(value)
    first = signal.times[0]
    start, end = max(begin_, first), min(max(begin_, first) + length, t)
    if start >= end:
        return

    exact = [signal.value(each) for each in range(start, end + 1)]

    assert signal.peak(start, end) == pytest.approx(max(value for value in exact if value is not None))
    assert signal.least(start, end) == pytest.approx(min(value for value in exact if value is not None))
    ((low, high),) = signal.extremes([end], end - start)
    assert low <= min(value for value in exact if value is not None)
    assert high >= max(value for value in exact if value is not None)


# --- the reference charger and whole sessions -------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [Stop(at=1.0), StopButton(at=1.0), Cc1(at=1.0, broken=True), Supply(at=1.0, on=False), Pause(at=1.0, span=3.0)],
    ids=lambda event: str(event.__struct_config__.tag),
)
def test_the_reference_passes_what_an_event_makes_it_do(make: Make, twin: Open, event: object) -> None:
    outcome = twin().run(make((4.0, 120.0), (12.0, 150.0, event)))

    failing = {case: each for case in INVARIANTS if (each := outcome.failing(case)) is not None}
    assert not failing
    assert outcome.verdict("LP.07") is Verdict.PASS


def test_reconnections_are_judged(make: Make, twin: Open) -> None:
    lost = make(*[(10.0, 60.0, Lose(at=2.0, messages=("BCL",), span=1.5))] * 5, (30.0, 60.0))

    assert twin().run(lost).verdict("LP.16") is Verdict.PASS
    assert twin("reconnections-add-up").run(lost).verdict("LP.16") is Verdict.FAIL
