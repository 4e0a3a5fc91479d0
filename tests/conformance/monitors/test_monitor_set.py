"""Silence on correct sessions, readings, clocks, bounds: what holds for all monitors together."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.bench.actions import stimulate
from hil.bench.setup import Setup, build
from hil.conformance.monitors import MonitorSet, monitors
from hil.conformance.register import register
from hil.conformance.verdict import Verdict
from hil.errors import UsageError
from hil.units import ms, s
from hil.world.observation import BusErrorSeen, FrameSeen, Note, Observation, Sample
from hil.world.plan import Advance, Do

PRESETS: dict[str, dict[str, str]] = {
    "default": {},
    "strict": {name: entry.strict for name, entry in register().items()},
    "field": {name: entry.field for name, entry in register().items()},
}


@pytest.mark.parametrize("readings", PRESETS.values(), ids=PRESETS)
def test_a_nominal_session_gives_no_finding(make: Any, readings: dict[str, str]) -> None:
    assert make.judge(make.nominal(), end=40_000, readings=readings) == []


def test_a_charger_that_stops_first_gives_no_finding(make: Any) -> None:
    script = make.charging(8000).stream("CST", make.CST.replace(bms_stopped=0, manual_stop=1), 8003, 8420, 10)
    script.stream("BST", make.BST.replace(soc_reached=0, charger_stopped=1), 8020, 8410, 10)
    script.stream("BSD", make.BSD, 8412, 8700, 250).stream("CSD", make.CSD, 8700, 9600, 250)
    assert make.judge(script, end=40_000) == []


def test_a_reconnection_that_succeeds_gives_no_finding(make: Any) -> None:
    first = make.charging(4000).stream("CCS", make.CCS, 4020, 4998, 50).stream("BSM", make.BSM, 4175, 4980, 250)
    first.transfers("BCS", make.BCS, 4140, 4960, 250).stream("CEM", make.g.CEM(bcl=1), 4999, 7000, 250)
    for item in make.charging(8000).drop("CHM", "BHM").items:
        first.frame(item.t + 5500, item.id, item.data, item.name)
    assert make.judge(first, sides=("charger",)) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_virtual_bench_gives_no_finding(seed: int) -> None:
    world = build(Setup(seed=seed, soc=50.0))
    observations: list[Observation] = []
    for command in (
        Do((stimulate("plugged", 1),)),
        Do((stimulate("start_press", 1),)),
        Advance(s(20), ()),
        Do((stimulate("stop_press", 1),)),
        Advance(s(30), ()),
    ):
        observations += world.execute(command).observations
    judging = MonitorSet("2015", PRESETS["strict"])
    judging.feed(observations)
    assert judging.finish(s(30)) == []
    assert {run.state for run in judging.runs} >= {"CHM", "CRM00", "CRMAA", "CML", "CROAA", "CCS", "CST", "CSD"}


# --- habits of equipment, sheet 7 -------------------------------------------------------------------

HABITS = {
    "every frame of 8 bytes": lambda m: m.nominal().edit("CCS", lambda d: d + b"\x00").edit("BSM", lambda d: d + b"\0"),
    "reserved bits 0": lambda m: m.nominal().edit("BSM", lambda d: d[:6] + bytes([d[6] & 0x3F])),
    "CST at 14 ms": lambda m: m.nominal().drop("CST").stream("CST", m.CST, 8012, 8220, 14),
    "CSD at 330 ms": lambda m: m.nominal().drop("CSD").stream("CSD", m.CSD, 8500, 9600, 330),
    "BCS at 314 ms": lambda m: m.nominal().drop("BCS").transfers("BCS", m.BCS, 2890, 7980, 314),
    "CTS not BCD": lambda m: m.nominal().edit("CTS", lambda d: b"\xfa\x0a" + d[2:]),
    "unsupplied optional bytes 0": lambda m: m.nominal().edit(
        "BRM.dt", lambda d: d[:2] + b"\0" * 6 if d[0] == 3 else d
    ),
}


@pytest.mark.parametrize("habit", HABITS, ids=list(HABITS))
def test_habits_of_the_field_are_no_finding_there(make: Any, habit: str) -> None:
    assert make.judge(HABITS[habit](make), readings=PRESETS["field"]) == []


def test_a_field_charger_may_pause_cro_while_it_precharges(make: Any) -> None:
    script = make.ready().drop("BROAA", after=2400).stream("BROAA", make.BROAA, 2625, 4950, 250)
    script.drop("CRO00", after=2400).stream("CRO00", make.CRO00, 4680, 4700, 250).send(4930, "CROAA", make.CROAA)
    assert ("PERIOD.CRO", "charger") in make.kinds(make.judge(script))
    assert make.judge(script, readings=PRESETS["field"]) == []


def test_a_charger_may_start_with_cro_aa(make: Any) -> None:
    script = make.charging(4000).drop("CRO00").drop("BROAA", after=2500)
    script.drop("CROAA").send(2380, "CROAA", make.CROAA).send(2630, "CROAA", make.CROAA).send(2880, "CROAA", make.CROAA)
    assert make.judge(script, sides=("charger",)) == []


# --- sides, bounds, clocks --------------------------------------------------------------------------


def test_only_the_sides_asked_for_are_kept(make: Any) -> None:
    script = make.nominal().lose("BCL", 40).lose("CCS", 40)
    assert make.kinds(make.judge(script, sides=("bms",))) == {("PERIOD.BCL", "bms")}
    assert make.kinds(make.judge(script, sides=("charger",))) == {("PERIOD.CCS", "charger")}


def test_findings_are_bounded_and_the_rest_is_counted(make: Any) -> None:
    script = make.charging(40_000).drop("CCS").stream("CCS", make.CCS, 2920, 40_000, 70)
    found = [each for each in make.judge(script, sides=("charger",)) if each.requirement == "MON/PERIOD.CCS"]
    intervals = len(script.named("CCS")) - 1
    assert len(found) == 11
    assert found[-1].seen.startswith(f"{intervals - 10} further")


def test_findings_can_be_taken_on_the_way(make: Any) -> None:
    script = make.nominal().lose("CCS", 40)
    judging = MonitorSet("2015", {})
    taken = []
    for seen in script.observations():
        judging.feed([seen])
        taken += judging.take()
    assert [each.requirement for each in taken] == ["MON/PERIOD.CCS"]
    assert judging.finish(taken[0].at + s(10)) == []


def test_a_period_within_the_resolution_is_not_decidable(make: Any) -> None:
    script = make.nominal().lose("CCS", 40)
    found = make.judge(script, resolution=ms(100), sides=("charger",))
    assert make.kinds(found) == {("PERIOD.CCS", "charger")}
    assert {each.verdict for each in found} == {Verdict.INCONCLUSIVE}


def test_time_that_jumps_back_is_a_remark_and_judges_nobody(make: Any) -> None:
    observations = make.charging(6000).observations()
    shifted = [FrameSeen(seen.t - s(3), seen.port, seen.id, seen.data) for seen in make.charging(9000).observations()]
    judging = MonitorSet("2015", {})
    judging.feed(observations)
    judging.feed([seen for seen in shifted if seen.t > s(14)])
    assert judging.finish(s(17)) == []
    assert len(judging.remarks) == 1
    assert "backwards" in judging.remarks[0].text


def test_stamps_a_little_out_of_order_convict_nobody(make: Any) -> None:
    observations = make.charging(6000).observations()
    index = next(number for number, seen in enumerate(observations) if seen.t > s(15))
    observations[index], observations[index + 1] = observations[index + 1], observations[index]
    judging = MonitorSet("2015", {})
    judging.feed(observations)
    assert judging.finish(observations[-1].t) == []


def test_frames_after_a_disturbed_bus_are_not_judged(make: Any) -> None:
    observations = make.charging(5000).observations()
    observations.append(BusErrorSeen(s(15) + 1, "can0", "charger", "ack", 8, 0))
    observations += [FrameSeen(s(60) + ms(number) // 2, "can0", 0x1812F456, make.CCS.encode()) for number in range(20)]
    judging = MonitorSet("2015", {}, sides=("charger",))
    judging.feed(observations)
    assert judging.finish(s(61)) == []
    assert "disturbed" in judging.remarks[0].text


def test_a_log_that_begins_in_the_middle_blames_nobody_for_what_came_before(make: Any) -> None:
    for start in range(0, 8000, 330):
        script = make.nominal()
        script.items = [item for item in script.items if item.t >= start]
        judging = MonitorSet("2015", {})
        judging.feed(script.observations()[1:])
        found = [each for each in judging.finish(s(30)) if not each.requirement.startswith("MON/TP.")]
        assert found == [], start


def test_foreign_and_standard_frames_are_ignored(make: Any) -> None:
    script = make.nominal()
    observations = script.observations()
    noise = [FrameSeen(seen.t + 1, "can0", 0x0CF00400, b"\0" * 8) for seen in observations]
    noise += [FrameSeen(seen.t + 2, "can0", 0x123, b"\1", "", False) for seen in observations]
    judging = MonitorSet("2015", {})
    judging.feed(sorted([*observations, *noise], key=lambda seen: seen.t))
    assert judging.finish(s(30)) == []


def test_misuse_raises(make: Any) -> None:
    with pytest.raises(UsageError, match="no edition '2020'"):
        MonitorSet("2020", {})
    with pytest.raises(UsageError, match="no reading 'dcl'"):
        MonitorSet("2015", {"dcl": "padded"})
    with pytest.raises(UsageError, match="resolution -1"):
        MonitorSet("2015", {}, -1)


def test_every_monitor_names_a_section_of_the_sheet() -> None:
    for monitor in monitors().values():
        assert monitor.source.startswith("gbt27930.md ")
        assert monitor.title


IDS = st.one_of(
    st.sampled_from([0x1826F456, 0x1801F456, 0x100956F4, 0x1CEC56F4, 0x1CECF456, 0x1CEB56F4, 0x1812F456, 0x081FF456]),
    st.integers(0, 0x1FFFFFFF),
)
FRAMES = st.builds(
    FrameSeen, st.integers(-(10**13), 10**13), st.just("can0"), IDS, st.binary(max_size=8), st.just(""), st.booleans()
)
ANYTHING = st.one_of(
    FRAMES,
    st.builds(
        Sample, st.integers(0, 10**12), st.sampled_from(["k1k2_closed", "output_current", "x"]), *[st.floats()] * 3
    ),
    st.builds(BusErrorSeen, st.integers(0, 10**12), *[st.sampled_from(["", "ack"])] * 3, st.just(0), st.just(0)),
    st.builds(Note, st.integers(0, 10**12), st.just("k"), st.just("w")),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(ANYTHING, max_size=60), st.sampled_from(["2011", "2015"]), st.sampled_from([0, ms(100)]))
def test_whatever_is_on_the_wire_nothing_raises(seen: list[Any], edition: str, resolution: int) -> None:
    judging = MonitorSet(edition, {}, resolution)
    judging.feed(seen)
    judging.finish(10**13)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_session_with_frames_mangled_never_raises(data: st.DataObject, make: Any) -> None:
    observations = make.nominal().observations()
    for _ in range(data.draw(st.integers(1, 12))):
        index = data.draw(st.integers(0, len(observations) - 1))
        seen = observations[index]
        observations[index] = FrameSeen(
            seen.t + data.draw(st.integers(-ms(400), ms(400))), "can0", seen.id, data.draw(st.binary(max_size=8))
        )
    judging = MonitorSet("2015", {})
    judging.feed(observations)
    judging.finish(s(60))


def test_memory_does_not_grow_with_the_stream(make: Any) -> None:
    def hours(frames: int) -> Iterator[FrameSeen]:
        for number in range(frames):
            t = s(20) + number * ms(25)
            yield (
                FrameSeen(t, "can0", 0x181056F4, make.BCL.encode())
                if number % 2
                else FrameSeen(t, "can0", 0x1812F456, make.CCS.replace(voltage=300 + number % 50).encode() + b"\x00")
            )

    peaks = []
    for frames in (4_000, 40_000):
        judging = MonitorSet("2015", {})
        tracemalloc.start()
        judging.feed(hours(frames))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000, peaks
