"""The suite's cases over profiles: pools, evidence, families, and faults that only they find."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hil.bench.profile_cases import THEMES, generated, margin
from hil.bench.profiles import judged, replay
from hil.bench.twin import Pool, Twin
from hil.conformance.catalogue import requirements
from hil.conformance.verdict import Measurement, Verdict
from hil.dut.gbt27930.faults.profiles import FAULTS
from hil.errors import UsageError
from hil.profile import LoadProfile
from hil.profile.families import families, family
from hil.profile.invariants import INVARIANTS
from hil.profile.reach import reach_of
from hil.units import s

Make = Callable[..., LoadProfile]
Open = Callable[..., Twin]


def test_every_invariant_has_its_requirement_and_every_family_is_a_variant() -> None:
    known = requirements()
    assert {each.requirement for each in INVARIANTS.values()} < set(known)
    assert known["LOADPROFILE/LP.20"].variants == tuple(families())


def test_the_reference_passes_generated_profiles_of_other_seeds(twin: Open) -> None:
    opened = twin()
    opened.seed = 11

    for theme in THEMES[1:]:
        for profile in generated(opened, theme)[:6]:
            outcome = opened.run(profile)
            failing = {case: each for case in INVARIANTS if (each := outcome.failing(case)) is not None}
            assert not failing, profile


def test_equal_seeds_give_equal_profiles_and_others_do_not(twin: Open) -> None:
    assert generated(twin(), "mixed") == generated(twin(), "mixed")
    other = twin()
    other.seed = 1
    assert generated(other, "mixed") != generated(twin(), "mixed")


@pytest.mark.parametrize("name", [name for name, each in families().items() if each.legal])
def test_a_named_family_is_legal_for_every_vehicle(name: str) -> None:
    for vehicle in ("car-400v", "truck-lfp-600v", "truck-lfp-800v"):
        profile = family(name).profile(vehicle)
        reach = reach_of(profile.vehicle)
        assert all(each.current <= reach.current and each.voltage <= reach.voltage for each in profile.segments)
        assert profile.span <= s(1500)


def test_a_family_takes_as_long_as_the_real_thing_when_asked() -> None:
    assert family("depot-night").profile("truck-lfp-600v", full=True).span >= s(7 * 3600)
    assert family("cc-cv-25c").profile("car-400v", full=True).span >= s(1800)
    with pytest.raises(UsageError, match="near are swap-bay"):
        family("swap-baj")


def test_the_cold_pack_is_heated_before_it_is_charged(twin: Open) -> None:
    profile = family("cold-start").profile("car-400v")
    bench = twin().open(profile)
    replay(bench, profile)

    allowed = next(each.t for each in bench.record.all("BSM") if each.charging_permission and each.t > s(30))
    assert profile.temperature < 0
    assert bench.record.value("temperature_max", allowed) or 0 > 0
    assert bench.record.value("output_current", allowed - s(1)) == 0
    assert judged(bench, ("LP.13",))["LP.13"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_edits_the_charger_and_names_what_catches_it(fault: object) -> None:
    from hil.dut.gbt27930 import reference

    assert fault.edit(reference()) != reference()  # type: ignore[attr-defined]  # a row of FAULTS
    assert all(name in requirements() for name in fault.breaks)  # type: ignore[attr-defined]  # as above


def test_a_pool_is_made_once_for_equal_readings(make: Make) -> None:
    pools: dict[str, Pool] = {}
    asked: list[str] = []

    def profiles() -> list[LoadProfile]:
        asked.append("made")
        return [make((1.0, 20.0))]

    from hil.bench.setup import Setup
    from hil.conformance.register import resolve

    first, second = (Twin(Setup(readings=resolve({})), pools=pools) for _ in range(2))
    strict = Twin(Setup(readings=resolve({}, "strict")), pools=pools)
    assert first.pool("x", profiles) is second.pool("x", profiles)
    assert strict.pool("x", profiles) is not first.pool("x", profiles)
    assert len(asked) == 2


def test_the_margin_is_that_of_the_nearest_limit() -> None:
    values = [
        Measurement("a", 90.0, "A", None, 100.0, Verdict.PASS),
        Measurement("b", 1.0, "V", 0.95, None, Verdict.PASS),
    ]
    assert margin(values) == pytest.approx(0.05 / 0.95)
    assert margin([]) == 1.0
