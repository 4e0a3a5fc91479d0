"""AC profiles: files, generated ones, their invariants on a bench, and how small a failing one becomes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import jsonschema
import pytest

from hil.bench.ac_profiles import KINDS, AcTwin, judge_ac_profiles
from hil.bench.opening import kind_of
from hil.bench.setup import Setup
from hil.conformance.catalogue import requirements
from hil.conformance.duty import current_of, duty_of
from hil.conformance.register import resolve
from hil.conformance.verdict import Verdict
from hil.errors import UsageError
from hil.profile.ac.envelope import first_violation
from hil.profile.ac.files import dumps, is_ac, load, loads, save
from hil.profile.ac.generate import THEMES, generated
from hil.profile.ac.invariants import INVARIANTS, PREFIX
from hil.profile.ac.model import AcEvent, AcProfile, AcSegment
from hil.profile.schema import schema
from hil.safety.envelope import Envelope
from hil.units import s, seconds

SHORT = AcProfile(name="short", segments=(AcSegment(duration=10.0, limit=16.0),))


def twin(*faults: str, interface: str = "registers") -> AcTwin:
    kind = kind_of(KINDS[interface])
    setup = Setup(readings=resolve({}), faults=faults)
    return AcTwin(setup, lambda given: kind.build(given, {}), kind=KINDS[interface])


# --- files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", THEMES)
def test_generated_profiles_survive_a_file(theme: str, tmp_path: Path) -> None:
    validator = jsonschema.Draft202012Validator(schema(AcProfile))
    for profile in generated(theme, 20, seed=5):
        assert loads(dumps(profile)) == profile
        validator.validate(json.loads(dumps(profile)))
    path = tmp_path / "ac.json"
    save(profile, path)
    assert is_ac(path)
    assert load(path) == profile


def test_equal_seeds_give_equal_profiles_and_others_others() -> None:
    assert generated("upset", 5, seed=1) == generated("upset", 5, seed=1)
    assert generated("upset", 5, seed=1) != generated("upset", 5, seed=2)


def test_a_load_profile_of_a_vehicle_is_none(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"format": "hil-load-profile", "version": 1, "name": "x", "segments": []}', "utf-8")
    assert not is_ac(path)
    path.write_text("no json", "utf-8")
    assert not is_ac(path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": " "}, "name: it is empty"),
        ({"segments": []}, "segments: 0; allowed are 1 to"),
        ({"segments": [{"duration_s": 1.0, "limit_a": 90}]}, r"segments\[0\].limit_a: expected `float` <= 80"),
        ({"segments": [{"duration_s": 1.00001, "limit_a": 6}]}, r"segments\[0\].duration_s: 1.00001 s is no whole"),
        (
            {"segments": [{"duration_s": 5, "limit_a": 6, "events": [{"do": "leak"}]}]},
            r"events\[0\].for_s: 0 s; above 0",
        ),
        (
            {"segments": [{"duration_s": 5, "limit_a": 6, "events": [{"do": "plug", "at_s": 6}]}]},
            "plug at 6 s is after",
        ),
        ({"interface": "telex"}, "interface: invalid enum value 'telex'; there are .*registers"),
        ({"version": 2}, "version: 2 is not known; this program reads 1"),
        ({"format": "other"}, "format: no 'hil-load-profile' file"),
    ],
)
def test_what_cannot_be_carried_out_is_named(change: dict[str, object], told: str) -> None:
    document = json.loads(dumps(SHORT)) | change
    with pytest.raises(UsageError, match=told):
        loads(json.dumps(document))


# --- envelope -----------------------------------------------------------------------------------------


def asking(*limits: float | None, event: AcEvent | None = None) -> AcProfile:
    """10 s each; the event is in the first."""
    segments = [AcSegment(duration=10.0, limit=each) for each in limits]
    segments[0] = AcSegment(duration=10.0, limit=limits[0], events=() if event is None else (event,))
    return AcProfile(name="asking", segments=tuple(segments))


@pytest.mark.parametrize(
    ("profile", "found"),
    [
        (asking(16.0, 13.0, 0.0), None),
        (asking(6.0, 16.5), (10.0, "current", 16.5, 16.0)),
        (asking(0.0, 5.9, 6.0, None), None),
        (asking(6.0, None, 8.0), None),
        (asking(None, 8.0), (0.0, "current", 32.0, 16.0)),
        (asking(13.0, event=AcEvent(do="overdraw", at=4.0, lasts=2.0)), (4.0, "current", 16.9, 16.0)),
        (asking(16.0, *(6.0,) * 4), None),
        (asking(16.0, *(6.0,) * 5, 7.0), (58.0, "duration", 78.0, 60.0)),
    ],
)
def test_the_first_instant_beyond_an_envelope_is_found(
    profile: AcProfile, found: tuple[float, str, float, float] | None
) -> None:
    envelope = Envelope(max_voltage=250.0, max_current=16.0, max_power=11_040.0, max_duration=60.0)
    violation = first_violation(profile, envelope, safe=10.0, rated=32.0)
    told = violation and (seconds(violation.t), violation.what, round(violation.value, 6), violation.allowed)
    assert told == found


def test_voltage_and_phases_are_the_envelope_s_where_it_has_them() -> None:
    low = Envelope(max_voltage=220.0)
    assert first_violation(asking(6.0), low, safe=10.0, rated=32.0) == (0, "voltage", 230.0, 220.0)
    three = Envelope(max_power=8000.0, nominal_voltage=250.0)
    one = replace(three, phases=1)
    assert first_violation(asking(6.0, 16.0), three, safe=10.0, rated=32.0) == (s(10), "power", 12_000.0, 8000.0)
    assert first_violation(asking(6.0, 32.0), one, safe=10.0, rated=32.0) is None


# --- invariants ---------------------------------------------------------------------------------------


def test_each_invariant_is_a_requirement() -> None:
    named = {each.case for each in requirements().values() if each.id.startswith(PREFIX)}
    assert set(INVARIANTS) <= named


def test_duty_cycle_and_current_tell_each_other() -> None:
    for current in (6.0, 16.0, 32.0, 51.0, 60.0, 80.0):
        assert current_of(duty_of(current)) == pytest.approx(current)


@pytest.mark.parametrize("interface", KINDS)
def test_the_reference_passes_over_each_interface(interface: Literal["signals", "registers", "console"]) -> None:
    for theme in THEMES:
        profile = generated(theme, 1, seed=9)[0]
        over = AcProfile(name="x", segments=profile.segments, interface=interface)
        outcome = twin(interface=interface).run(over)
        failing = {case: each for case, each in outcome.measured.items() if outcome.verdict(case) is Verdict.FAIL}
        assert failing == {}


SILENCE = AcProfile(
    name="silence",
    segments=(
        AcSegment(duration=10.0, limit=16.0),
        AcSegment(duration=10.0, limit=25.0, events=(AcEvent(do="leak", at=8.0, lasts=1.0),)),
        AcSegment(duration=20.0, limit=20.0, events=(AcEvent(do="unplug"), AcEvent(do="plug", at=10.0))),
        AcSegment(duration=100.0, limit=None),
        AcSegment(duration=10.0, limit=6.0),
    ),
)


def test_a_failing_profile_is_made_small() -> None:
    faulty = twin("ac-never-safe")
    assert faulty.run(SILENCE, ("AP.05",)).verdict("AP.05") is Verdict.FAIL
    smallest = faulty.smallest(SILENCE, "AP.05")
    assert [segment.limit for segment in smallest.segments] in ([16.0, None], [25.0, None], [20.0, None])
    assert all(not segment.events for segment in smallest.segments)
    assert smallest.segments[1].duration <= 100.0
    assert faulty.run(smallest, ("AP.05",)).verdict("AP.05") is Verdict.FAIL
    assert twin().run(smallest, ("AP.05",)).verdict("AP.05") is Verdict.PASS


def test_what_an_advisory_invariant_finds_leaves_a_case_that_counts_open() -> None:
    faulty = twin("ac-duty-high", interface="signals")

    def verdict(*cases: str) -> Verdict:
        bench = faulty.open(AcProfile(name="own", segments=SHORT.segments, interface="signals"))
        bench.twin = faulty
        judge_ac_profiles(bench, *cases)
        return bench.judge.verdict

    assert requirements()[f"{PREFIX}/AP.01"].advisory
    assert verdict("AP.01") is Verdict.FAIL
    assert verdict("AP.01", "AP.04") is Verdict.INCONCLUSIVE
    assert verdict("AP.04") is Verdict.PASS


def test_a_session_without_a_stimulus_gives_nothing_to_judge() -> None:
    outcome = twin().run(SHORT)
    assert outcome.verdict("AP.05") is Verdict.NONE
    assert outcome.verdict("AP.01") is Verdict.PASS


def test_another_interface_than_the_benchs_is_refused() -> None:
    with pytest.raises(UsageError, match="short asks for limits over registers, which this bench has not"):
        twin(interface="signals").run(SHORT)
