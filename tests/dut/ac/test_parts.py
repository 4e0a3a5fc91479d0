"""Parts of the reference AC charger: duty cycle, levels, limits, protective functions."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hil.dut.ac import reference
from hil.dut.ac.limits import NO_REQUEST, Limits
from hil.dut.ac.pilot import PilotReader, duty_for
from hil.dut.ac.protection import Protection, Seen
from hil.dut.ac.spec import AcSpec
from hil.units import FAR, Instant, Span, ms, s

SPEC = reference()

# --- pilot ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ampere", "percent"),
    [  # the examples of sheet 2
        (6.0, 10.00),
        (10.0, 16.67),
        (13.0, 21.67),
        (16.0, 26.67),
        (20.0, 33.33),
        (25.0, 41.67),
        (32.0, 53.33),
        (40.0, 66.67),
        (51.0, 85.00),
        (63.0, 89.20),
        (70.0, 92.00),
        (80.0, 96.00),
    ],
)
def test_the_duty_cycle_of_a_current(ampere: float, percent: float) -> None:
    assert duty_for(ampere, SPEC) == pytest.approx(percent, abs=0.005)


@pytest.mark.parametrize(
    ("volts", "letter"),
    [
        (12.0, "A"),
        (11.0, "A"),
        (9.99, "B"),
        (8.06, "B"),
        (6.51, "C"),
        (5.28, "C"),
        (2.93, "D"),
        (0.0, "E"),
        (-12.0, "F"),
    ],
)
def test_a_level_counts_when_it_has_stood(volts: float, letter: str) -> None:
    reader = PilotReader(SPEC)
    reader.read(5.99 if letter != "C" else 9.0, 0)
    reader.wake(ms(20))
    reader.read(volts, ms(100))
    assert reader.wake(ms(120) - 1) is None
    assert reader.wake(ms(120)) == letter == reader.letter
    assert reader.due == FAR


def test_a_level_that_passes_by_is_none() -> None:
    reader = PilotReader(SPEC)
    reader.read(0.0, 0)
    reader.read(12.0, ms(19))
    assert (reader.due, reader.wake(s(1)), reader.letter) == (FAR, None, "A")


def test_a_level_between_all_states_is_a_fault() -> None:
    reader = PilotReader(SPEC)
    reader.read(-6.0, 0)
    assert reader.wake(ms(20)) == "E"


# --- limits -----------------------------------------------------------------------------------------


def offered(spec: AcSpec = SPEC, *, pp: float = 220.0, request: float = NO_REQUEST, now: Instant = 0) -> float:
    limits = Limits(spec)
    limits.request(request, s(60))
    return limits.offered({"pp_resistance": pp}, now)


@pytest.mark.parametrize(
    ("ohm", "ampere"),
    [  # sheet 4: inside the ranges, between them (the lower ampacity), and beyond
        (100.0, 63.0),
        (150.0, 32.0),
        (220.0, 32.0),
        (350.0, 20.0),
        (680.0, 20.0),
        (1000.0, 13.0),
        (1500.0, 13.0),
        (4000.0, 13.0),
        (59.0, 0.0),
        (4501.0, 0.0),
        (1e9, 0.0),
    ],
)
def test_the_cable_is_read_by_its_resistor(ohm: float, ampere: float) -> None:
    assert Limits(SPEC).cable(ohm) == ampere
    assert offered(SPEC.but(rated_current=80.0, installation=80.0), pp=ohm) == ampere


def test_the_least_limit_counts() -> None:
    assert offered() == 32.0
    assert offered(SPEC.but(installation=16.0)) == 16.0
    assert offered(SPEC.but(rated_current=20.0)) == 20.0
    assert offered(request=10.0) == 10.0
    assert offered(request=10.0, pp=1500.0) == 10.0
    assert offered(SPEC.but(socket=False), pp=1e9) == 32.0, "a fixed cable needs no coding"


@pytest.mark.parametrize(("request_", "expected"), [(6.0, 6.0), (5.99, 0.0), (0.0, 0.0)])
def test_less_than_6_a_is_nothing(request_: float, expected: float) -> None:
    assert offered(request=request_) == expected


def test_a_request_gives_way_to_the_safe_current() -> None:
    assert offered(request=20.0, now=s(60) - 1) == 20.0
    assert offered(request=20.0, now=s(60)) == 10.0


# --- protective functions -----------------------------------------------------------------------------

QUIET = {"residual_dc": 0.0, "residual_ac": 0.0, "contactor_closed": 1.0, "output_voltage": 230.0, "pe_ok": 1.0}
QUIET |= {"line_current": 16.0, "cp_high": 5.99, "cp_low": -12.0}


def seen(view: Mapping[str, float] | None = None, *, on: bool = True, cable: bool = True, limit: float = 16.0) -> Seen:
    return Seen({**QUIET, **(view or {})}, on=on, limit=limit, negative_half=True, cable=cable)


def trips(protection: Protection, until: Instant) -> str:
    """The cause that trips first up to an instant."""
    return protection.tripped(protection.due) if protection.due <= until else ""


def test_nothing_trips_without_a_cause() -> None:
    protection = Protection(SPEC)
    protection.look(seen(), 0)
    assert protection.due == FAR


@pytest.mark.parametrize(
    ("view", "cause", "most"),
    [  # limits of sheet 5
        ({"residual_dc": 6.0}, "dc-6", s(10)),
        ({"residual_dc": 60.0}, "dc-60", ms(300)),
        ({"residual_dc": 250.0}, "dc-200", ms(100)),
        ({"residual_ac": 30.0}, "ac-30", ms(300)),
        ({"residual_ac": 60.0}, "ac-60", ms(150)),
        ({"residual_ac": 150.0}, "ac-150", ms(40)),
        ({"pe_ok": 0.0}, "earth", ms(100)),
        ({"cp_low": -5.62}, "diode", s(3)),
        ({"line_current": 18.1}, "overcurrent", s(5)),
    ],
)
def test_a_cause_trips_within_its_limit(view: dict[str, float], cause: str, most: Span) -> None:
    protection = Protection(SPEC)
    protection.look(seen(view), s(1))
    assert trips(protection, s(1) + most) == cause
    assert protection.due == FAR


@pytest.mark.parametrize(
    "view", [{"residual_dc": 5.9}, {"residual_ac": 29.0}, {"line_current": 18.0}, {"cp_low": -11.0}]
)
def test_less_than_a_cause_does_not_trip(view: dict[str, float]) -> None:
    protection = Protection(SPEC)
    protection.look(seen(view), 0)
    assert protection.due == FAR


def test_beyond_20_a_a_tenth_is_allowed() -> None:
    protection = Protection(SPEC)
    protection.look(seen({"line_current": 35.2}, limit=32.0), 0)
    assert protection.due == FAR
    protection.look(seen({"line_current": 35.3}, limit=32.0), 0)
    assert trips(protection, s(5)) == "overcurrent"


def test_a_cause_that_grows_trips_sooner_and_one_that_ends_not_at_all() -> None:
    protection = Protection(SPEC)
    protection.look(seen({"residual_dc": 6.0}), 0)
    protection.look(seen({"residual_dc": 200.0}), s(1))
    assert protection.due == s(1) + SPEC.spans["dc-200"]
    protection.look(seen({"residual_dc": 6.0}), s(1) + ms(1))
    assert protection.due == SPEC.spans["dc-6"], "6 mA have been there all the time"
    protection.look(seen(), s(1) + ms(2))
    assert protection.due == FAR


def test_an_output_that_lives_on_its_own_is_a_weld() -> None:
    protection = Protection(SPEC)
    protection.look(seen(on=False), 0)
    assert trips(protection, s(1)) in ("weld", "voltage")


def test_a_lost_cable_trips_only_under_power() -> None:
    protection = Protection(SPEC)
    protection.look(seen({"contactor_closed": 0.0, "output_voltage": 0.0}, on=False, cable=False), 0)
    assert protection.due == FAR
    protection.look(seen(cable=False), 0)
    assert trips(protection, ms(100)) == "cable"
