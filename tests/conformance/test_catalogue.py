"""The requirement catalogue: what the sheet lists is there, and files that contradict themselves are refused."""

from __future__ import annotations

import pytest

from hil.conformance.catalogue import read_requirements, requirements, suites
from hil.dut.faults import all_faults
from hil.errors import CatalogueError
from hil.tester.gbt27930 import MISFITS

# Sheet 5.1: the charger's cases of GB/T 34658-2017, in its order.
GBT34658 = [
    *(f"DP.100{n}" for n in (1, 2, 3)),
    *(f"DN.100{n}" for n in (1, 2, 3, 4)),
    *(f"DP.200{n}" for n in (1, 2, 3)),
    *(f"DN.20{n:02}" for n in range(1, 11)),
    *(f"DP.300{n}" for n in range(1, 8)),
    *(f"DN.30{n:02}" for n in range(1, 11)),
    *(f"DP.400{n}" for n in (1, 2)),
    *(f"DN.400{n}" for n in range(1, 5)),
]
# Sheet 5.4.
GBT34657 = [
    *("D0.0001", "D0.1001", "D0.2001", "D0.2501", "D0.3001", "D0.3101", "D0.4001", "D0.4101", "D0.4102", "D0.4103"),
    *("D0.4501", "D0.4502", "D0.4503", "D0.4504", "D0.4505", "D0.4506", "D0.5001", "D0.5101", "D0.6001", "D0.6002"),
]
# Sheet 5.7: frames that do not match come in three variants, without TP in two.
MISMATCHES = ["DN.2004", "DN.2008", "DN.3004", "DN.3008", "DN.3010", "DN.4002", "DN.4004"]
WITHOUT_TP = ["DN.1002", "DN.2002", "DN.3003", "DN.3007"]


def cases(prefix: str) -> list[str]:
    return [each.case for each in requirements().values() if each.id.startswith(f"{prefix}/")]


def test_every_case_of_the_sheet_is_there_under_its_id() -> None:
    assert len(GBT34658) == 43
    assert sorted(cases("GBT34658-2017")) == sorted(GBT34658)
    assert sorted(cases("GBT34657.1-2017")) == sorted(GBT34657)
    assert set(suites()) >= {"gbt27930", "gbt34657"}


@pytest.mark.parametrize("case", MISMATCHES)
def test_frames_that_do_not_match_come_in_the_variants_of_the_sheet(case: str) -> None:
    requirement = requirements()[f"GBT34658-2017/{case}"]
    assert requirement.variants == ("unused-pf", "short", "wrong-source")
    assert requirement.advisory_variants == ("wrong-priority", "too-long", "wrong-content")


@pytest.mark.parametrize("case", WITHOUT_TP)
def test_long_messages_without_transport_come_in_both_variants(case: str) -> None:
    assert requirements()[f"GBT34658-2017/{case}"].variants == ("nominal-id", "dt-without-rts")


@pytest.mark.parametrize("identifier", requirements())
def test_every_requirement_that_a_machine_can_judge_has_a_fault_that_it_catches(identifier: str) -> None:
    requirement = requirements()[identifier]
    faults = [each for each in all_faults().values() if identifier in each.breaks]
    assert faults or "inspection" in requirement.needs


@pytest.mark.parametrize("identifier", requirements())
def test_a_requirement_is_advisory_by_its_basis_only(identifier: str) -> None:
    requirement = requirements()[identifier]
    assert requirement.advisory is (requirement.basis in ("DER", "K"))
    assert requirement.source
    assert requirement.title


def test_a_run_means_nothing_under_the_reading_that_says_so() -> None:
    longer = requirements()["GBT34658-2017/DN.2004"]
    assert longer.moot_by("too-long", {"dlc": "padded"}) == "dlc=padded"
    assert longer.moot_by("too-long", {"dlc": "defined"}) is None
    assert longer.moot_by("short", {"dlc": "padded"}) is None
    gap = requirements()["GBT27930-2015/RG.04"]
    assert gap.moot_by(None, {"reconnections": "none"}) == "reconnections=none"
    assert gap.moot_by(None, {"reconnections": "two"}) is None


def test_needs_of_a_variant_name_capabilities_and_variants() -> None:
    wrong = GOOD.replace('needs = ["signals"]', 'needs = ["signals"]\nvariant_needs = {}')
    for given, told in (("three = []", "no variant 'three'"), ('one = ["wings"]', "no capability 'wings'")):
        with pytest.raises(CatalogueError, match=told):
            read_requirements("x.toml", wrong.replace("variant_needs = {}", f"variant_needs = {{ {given} }}"))


def test_a_run_with_a_vehicle_of_its_own_names_one_that_there_is() -> None:
    fits = requirements()["GBT34657.1-2017/D0.3001"]
    assert (fits.vehicle("below-range"), fits.vehicle("above"), fits.vehicle(None)) == ("pack-140v", "", "")
    named = {vehicle for each in requirements().values() for vehicle in each.vehicles.values()}
    assert named == {*MISFITS}


GOOD = """
prefix = "X"
suite = "x"
title = "x"
source = "x 1"
basis = "S2"
editions = ["2015"]
[[requirement]]
case = "A.1"
title = "first"
variants = ["one", "two"]
reading = "dlc"
needs = ["signals"]
moot = { one = "dlc=padded" }
[[requirement]]
case = "A.2"
title = "second"
basis = "DER"
source = "y 2"
"""


def test_a_good_file_is_read_with_its_defaults() -> None:
    first, second = read_requirements("x.toml", GOOD)
    assert (first.id, first.suite, first.source, first.basis, first.advisory) == ("X/A.1", "x", "x 1", "S2", False)
    assert (second.source, second.basis, second.advisory) == ("y 2", "DER", True)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[[requirement]]", "[[requirement", r"x\.toml: .*line"),
        ('suite = "x"\n', "", r"x\.toml: .*`suite`"),
        ('suite = "x"\n', 'suite = "x"\ncolour = "red"\n', r"x\.toml: .*colour"),
        ('case = "A.2"', 'case = "A.1"', r"x\.toml: X/A\.1 is declared twice"),
        ('title = "second"', "", r"x\.toml: X/A\.2: .*`title`"),
        ('title = "second"', 'title = "second"\ncolour = "red"', r"x\.toml: X/A\.2: .*colour"),
        ('basis = "DER"', 'basis = "SURE"', r"x\.toml: X/A\.2: no basis 'SURE'; there are S2, S1, DIS, DER, K"),
        ('["2015"]', '["2016"]', r"x\.toml: X/A\.1: no edition '2016'; there are 2011, 2015"),
        ('["one", "two"]', '["one", "one"]', r"x\.toml: X/A\.1: a variant is named twice"),
        ('reading = "dlc"', 'reading = "dlx"', r"x\.toml: X/A\.1: no reading 'dlx'; there are dn2007-2009"),
        ('["signals"]', '["sight"]', r"x\.toml: X/A\.1: no capability 'sight'; there are start"),
        ("{ one =", "{ three =", r"x\.toml: X/A\.1: no variant 'three'; there are one, two, \*"),
        ('"dlc=padded"', '"dlx=padded"', r"x\.toml: X/A\.1: no reading 'dlx'"),
        ('"dlc=padded"', '"dlc=short"', r"x\.toml: X/A\.1: no choice of dlc 'short'; there are defined, padded"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_by_file_and_entry(old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(CatalogueError, match=told):
        read_requirements("x.toml", GOOD.replace(old, new, 1))
