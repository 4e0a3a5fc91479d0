"""The limits that are searched, and what is found for some of them."""

from __future__ import annotations

import pytest

from hil.conformance.catalogue import names, requirements
from hil.conformance.register import resolve
from hil.protocol.gbt27930 import edition
from hil.pytest_plugin.options import Options
from hil.qualify import KNOBS, Knob, make_request, qualify
from hil.units import MILLISECOND
from tools.deviations import PAGE, row

READINGS = resolve({}, None)
each_knob = pytest.mark.parametrize("knob", KNOBS.values(), ids=list(KNOBS))


@each_knob
def test_a_knob_turns_away_from_a_nominal_value_that_its_limit_allows(knob: Knob) -> None:
    assert 0 <= knob.tolerance(READINGS) < knob.most
    assert knob.least <= 0
    assert knob.most % MILLISECOND == knob.least % MILLISECOND == 0


@each_knob
def test_a_knob_names_a_case_that_there_is(knob: Knob) -> None:
    requirement = requirements()[knob.requirement]
    variants = (*requirement.variants, *requirement.advisory_variants)
    assert (knob.variant is None) == (not variants)
    assert knob.variant is None or knob.variant in variants
    assert knob.reading is None or knob.reading.partition("=")[0] == requirement.reading


def test_the_page_has_every_limit_as_it_is() -> None:
    """But for what was caught, which a whole qualification tells."""
    lines = [line.split(" | ") for line in PAGE.read_text("utf-8").splitlines() if line.count(" | ") == 5]
    shown = {cells[0]: [*cells[1:4], *cells[5:]] for cells in lines}
    for knob in KNOBS.values():
        told = {"name": knob.name, "limit": knob.of, "direction": knob.direction, "requirement": knob.requirement}
        spans = {"nominal_ms": knob.nominal, "tolerance_ms": knob.tolerance(READINGS), "caught_ms": 0}
        cells = row(told | {key: span / MILLISECOND for key, span in spans.items()}).strip().split(" | ")
        assert shown[cells[0]] == [*cells[1:4], *cells[5:]], knob.name


def test_every_time_out_is_searched_on_both_sides() -> None:
    for timer in names("timeouts"):
        assert {f"{timer} late", f"{timer} early"} <= KNOBS.keys()


def test_every_periodic_message_of_the_charger_is_searched_on_both_sides() -> None:
    shown = {"CRM": "CRM(AA)", "CRO": "CRO(AA)"}
    for message in edition("2015").messages:
        if message.sender == "charger" and message.period is not None:
            name = shown.get(message.name, message.name)
            assert {f"{name} period too long", f"{name} period too short"} <= KNOBS.keys()


@pytest.mark.parametrize(
    ("name", "tolerance", "caught"),
    [
        # CEM comes a few tenths of a millisecond after the timer: the time of the frame.
        ("T8 late", 200, (200, 201)),
        ("T8 early", 10, (10, 11)),
        ("T2 late", 500, (500, 501)),
        ("CHM period too long", 25, (26, 26)),
        ("CST period too short", 3, (3, 4)),
        ("CRM(00) tail", 0, (0, 1)),
        ("emergency stop", 0, (0, 1)),
    ],
)
def test_the_smallest_deviation_caught_is_just_beyond_the_tolerance(
    name: str, tolerance: int, caught: tuple[int, int]
) -> None:
    knob = KNOBS[name]
    request = make_request(Options(requirement=(knob.requirement,)), faults={}, knobs={name: knob})
    (found,) = qualify(request).deviations
    assert (found.tolerance, found.error) == (tolerance, "")
    assert found.caught is not None
    assert caught[0] <= found.caught <= caught[1]
    assert found.measured


def test_a_limit_that_nothing_catches_is_told() -> None:
    knob = KNOBS["CHM period too long"]
    blind = Knob(
        "blind", "a limit that no case watches", knob.direction, knob.requirement, knob.limit, knob.nominal,
        lambda spec, deviation: spec, most=knob.most,
    )  # fmt: skip
    found = qualify(make_request(Options(requirement=(knob.requirement,)), faults={}, knobs={"blind": blind}))
    assert [each.caught for each in found.deviations] == [None]
    assert found.exit_code == 1


def test_an_error_in_a_search_is_told() -> None:
    knob = KNOBS["CHM period too long"]
    broken = Knob(
        "broken", "a knob that cannot be turned", knob.direction, knob.requirement, knob.limit, knob.nominal,
        lambda spec, deviation: spec.timing(nonsense=deviation), most=knob.most,
    )  # fmt: skip
    found = qualify(make_request(Options(requirement=(knob.requirement,)), faults={}, knobs={"broken": broken}))
    assert "no span 'nonsense'" in found.deviations[0].error
    assert found.exit_code == 3


def test_limits_of_other_devices_are_searched_too() -> None:
    found = {knob.dut for knob in KNOBS.values()}
    assert found == {"gbt27930", "ac", "modbus", "dlt645", "rapi"}


@pytest.mark.parametrize(
    ("name", "caught"),
    [
        ("AC supply off", (0, 1)),
        ("AC validity late", (1000, 1001)),
        ("AC forced open early", (50, 51)),
        ("Modbus response, tcp", (0, 1)),
        ("DLT 645 answer late", (240, 241)),
        ("DLT 645 answer early", (240, 241)),
        ("RAPI heartbeat late", (1000, 1001)),
        ("RAPI current", (0, 1)),
    ],
)
def test_deviations_of_other_devices_are_caught_just_beyond_the_tolerance(name: str, caught: tuple[int, int]) -> None:
    request = make_request(Options(requirement=(KNOBS[name].requirement,)), faults={}, knobs={name: KNOBS[name]})
    [found] = qualify(request).deviations
    assert found.error == ""
    assert found.caught in caught
