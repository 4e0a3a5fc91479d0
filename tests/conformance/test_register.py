"""The interpretation register: choices, presets, misuse, and that every choice changes what is judged or sent."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from hil.bench.bench import Bench
from hil.bench.judge import CheckFailed, Judge
from hil.bench.setup import Setup, build
from hil.conformance.catalogue import Limit, limit, period, tail, timeout
from hil.conformance.register import read_register, register, resolve
from hil.conformance.verdict import Verdict
from hil.dut.gbt27930.spec import ChargerSpec
from hil.errors import CatalogueError, UsageError
from hil.protocol.gbt27930 import CCS, CRM, CST, edition

SUITES = Path(__file__).resolve().parents[2] / "test_suites"
DC = [name for name, entry in register().items() if entry.source.startswith("gbt27930.md")]
DECIDED = [name for name in DC if len(register()[name].choices) > 1]


# --- choosing -------------------------------------------------------------------------------------------


def test_every_entry_has_a_choice_by_default_and_by_preset() -> None:
    for preset in (None, "strict", "field"):
        chosen = resolve({}, preset)
        assert set(chosen) == set(register())
        for name, entry in register().items():
            assert chosen[name] == {None: entry.default, "strict": entry.strict, "field": entry.field}[preset]


def test_what_is_chosen_goes_before_the_preset() -> None:
    chosen = resolve({"dlc": "defined"}, "field")
    assert chosen["dlc"] == "defined"
    assert chosen["reserved-bits"] == "any"


@pytest.mark.parametrize(
    ("given", "preset", "told"),
    [
        ({"dlx": "padded"}, None, "no reading 'dlx'; did you mean dlc"),
        ({"colour": "red"}, None, "no reading 'colour'; there are dn2007-2009"),
        ({"dlc": "short"}, None, "reading dlc: no choice 'short'; allowed is defined, padded"),
        ({}, "mild", "no preset of readings 'mild'; there are strict, field"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(given: dict[str, str], preset: str | None, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        resolve(given, preset)


GOOD = """
[colour]
question = "Which?"
source = "x"
why = "so"
default = "red"
strict = "red"
field = "green"
[colour.choices]
red = "red"
green = "green"
"""


def test_a_good_file_is_read() -> None:
    assert read_register(GOOD)["colour"].taken("field") == "green"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[colour]", "[colour", r"register\.toml: .*line"),
        ('why = "so"', "", r"register\.toml, colour: .*`why`"),
        ('why = "so"', 'why = "so"\nwhen = "now"', r"register\.toml, colour: .*when"),
        ('default = "red"', 'default = "blue"', r"register\.toml, colour: 'blue' is not among red, green"),
        ('strict = "red"', 'strict = "blue"', r"register\.toml, colour: 'blue' is not among red, green"),
        ('field = "green"', 'field = "blue"', r"register\.toml, colour: 'blue' is not among red, green"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_by_file_and_entry(old: str, new: str, told: str) -> None:
    with pytest.raises(CatalogueError, match=told):
        read_register(GOOD.replace(old, new, 1))


# --- what a choice changes --------------------------------------------------------------------------------


@cache
def suite(file: str) -> Any:
    path = SUITES / file
    spec = importlib.util.spec_from_file_location(f"suite_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def verdict(
    file: str,
    case: str,
    *arguments: str,
    built: Mapping[str, str],
    judged: Mapping[str, str],
    edit: Callable[[ChargerSpec], ChargerSpec] | None = None,
) -> Verdict:
    """The verdict of a case on the reference charger built to one reading and judged by another."""
    bench = Bench(build(Setup(seed=5, readings=resolve(built)), edit), edition("2015"), Judge(), resolve(judged))
    try:
        getattr(suite(file), case)(bench, *arguments)
    except CheckFailed:
        return Verdict.FAIL
    finally:
        bench.close()
    return bench.judge.verdict


BUILT = {
    "dn2007-2009": ("gbt27930/test_2_configuration.py", "test_DN_2009"),
    "demand-zero": ("gbt27930/test_6_rules.py", "test_RG_01"),
    "bhm-silence": ("gbt27930/test_6_rules.py", "test_RG_02"),
    "t3-bro": ("gbt27930/test_6_rules.py", "test_RG_03"),
    "reconnections": ("gbt34657/test_3_faults.py", "test_D0_4501", "silent-interrupted"),
    "dlc": ("gbt27930/test_1_handshake.py", "test_DP_1001"),
    "reserved-bits": ("gbt27930/test_1_handshake.py", "test_DN_1001"),
}
"""Readings that a charger is built to, and a case that tells them apart."""
TOLERANT = {("dlc", "padded", "defined"), ("reserved-bits", "any", "ones")}
"""Judged by the first choice, a charger built to the second one is right as well."""


@pytest.mark.parametrize("name", BUILT)
def test_a_charger_built_to_a_reading_passes_by_it_and_one_built_to_another_does_not(name: str) -> None:
    for judged, built in product(register()[name].choices, repeat=2):
        found = verdict(*BUILT[name], built={name: built}, judged={name: judged})
        right = judged == built or (name, judged, built) in TOLERANT
        assert (found is Verdict.PASS) is right, f"judged by {judged}, built to {built}: {found}"


LIMITS: Mapping[str, Limit] = {
    "period-10ms": period(CST),
    "period-tolerance": period(CRM),
    "stop-tail": tail(CCS),
    "timeout-window": timeout("T1"),
    "pause-window": limit("pause"),
}
"""Readings that limits depend on."""


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_another_by_another_reading(name: str) -> None:
    windows = [LIMITS[name].under({name: choice}) for choice in register()[name].choices]
    assert len({(each.low, each.high) for each in windows}) == len(windows)


JUDGED: Mapping[str, tuple[tuple[str, ...], Callable[[ChargerSpec], ChargerSpec]]] = {
    "cst-cause": (
        ("gbt27930/test_6_rules.py", "test_RG_05", "ac-lost"),
        lambda spec: spec.causing("supply", fault_stop=1),
    ),
    "adjustment-direction": (
        ("gbt34657/test_2_charging.py", "test_D0_4103", "rise-100A"),
        lambda spec: spec.powered(rise_ramp=12.0),
    ),
    "ccs-accuracy": (("gbt27930/test_6_rules.py", "test_RG_06"), lambda spec: spec.powered(current_gain=1.03)),
}
"""Readings that only a judgement depends on: a case, and a charger on which they differ."""


@pytest.mark.parametrize("name", JUDGED)
def test_a_charger_is_judged_otherwise_by_another_reading(name: str) -> None:
    (file, case, *arguments), edit = JUDGED[name]
    found = [
        verdict(file, case, *arguments, built={}, judged={name: choice}, edit=edit)
        for choice in register()[name].choices
    ]
    assert set(found) == {Verdict.PASS, Verdict.FAIL}


def test_every_entry_with_a_choice_is_shown_to_matter() -> None:
    assert {*BUILT, *LIMITS, *JUDGED} == set(DECIDED)
