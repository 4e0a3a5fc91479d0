"""Every format holds the same session and gives the same outcome; garbage becomes notes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import can
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.bench.actions import stimulate
from hil.bench.setup import Setup, build
from hil.check import Check, check_log
from hil.check.engine import stamp_resolution
from hil.conformance.monitors import MonitorSet
from hil.errors import UsageError
from hil.evidence.trace import TraceWriter
from hil.protocol.gbt27930 import CCS
from hil.units import MICROSECOND, ms, s
from hil.world.observation import FrameSeen, Observation
from hil.world.plan import Advance, Do


def session(*faults: str) -> list[Observation]:
    world = build(Setup(seed=5, soc=50.0, faults=faults))
    observations: list[Observation] = []
    for command in (
        Do((stimulate("plugged", 1),)),
        Do((stimulate("start_press", 1),)),
        Advance(s(12), ()),
        Do((stimulate("stop_press", 1),)),
        Advance(s(20), ()),
    ):
        observations += world.execute(command).observations
    return observations


def altered() -> list[Observation]:
    """A session in which every CCS has its reserved bits 0 and one is missing."""
    frames = [each for each in session() if isinstance(each, FrameSeen)]
    number = [index for index, each in enumerate(frames) if each.id == CCS.can_id][20]
    del frames[number]
    return [
        FrameSeen(each.t, each.port, each.id, each.data[:6] + bytes([each.data[6] & 3]))
        if each.id == CCS.can_id
        else each
        for each in frames
    ]


def save(observations: Sequence[Observation], path: Path) -> Path:
    writers = {".blf": can.BLFWriter, ".asc": can.ASCWriter, ".trc": can.TRCWriter, ".log": can.CanutilsLogWriter}
    with writers[path.suffix](str(path)) as writer:
        for each in observations:
            if isinstance(each, FrameSeen):
                writer.on_message_received(
                    can.Message(
                        timestamp=1_700_000_000 + each.t / 1e9,
                        arbitration_id=each.id,
                        is_extended_id=each.extended,
                        data=each.data,
                        channel=0,
                    )
                )
    return path


def kinds(check: Check) -> set[tuple[str, str, str]]:
    return {(each.requirement, each.side, each.verdict.value) for each in check.findings}


@pytest.mark.parametrize("suffix", [".log", ".blf", ".asc", ".trc"])
def test_a_correct_session_has_no_deviation(tmp_path: Path, suffix: str) -> None:
    check = check_log(save(session(), tmp_path / f"session{suffix}"))
    assert check.findings == []
    assert check.frames > 500
    assert check.resolution <= ms(1)


@pytest.mark.parametrize("suffix", [".log", ".blf", ".asc", ".trc"])
def test_a_deviation_is_found_in_every_format(tmp_path: Path, suffix: str) -> None:
    check = check_log(save(altered(), tmp_path / f"session{suffix}"))
    assert kinds(check) == {("MON/FORMAT.reserved", "charger", "fail"), ("MON/PERIOD.CCS", "charger", "fail")}


@pytest.mark.parametrize("fault", ["", "opens-under-load", "ccs-late"])
def test_the_same_findings_live_and_from_the_log(tmp_path: Path, fault: str) -> None:
    observations = session(fault) if fault else altered()
    with TraceWriter(tmp_path, "session") as writer:
        writer.write(observations)
    live = MonitorSet("2015", {})
    live.feed(observations)
    seen = {(each.requirement, each.side) for each in live.finish(observations[-1].t)}
    stream, log = check_log(writer.stream_path), check_log(writer.log_path)
    assert {(each.requirement, each.side) for each in stream.findings} == seen
    needs_samples = {each for each in seen if each[0].startswith("MON/OUTPUT") or each[0] == "MON/ERROR.off"}
    assert {(each.requirement, each.side) for each in log.findings} == seen - needs_samples
    assert log.resolution == MICROSECOND


def test_two_sessions_in_one_log_are_not_mixed(tmp_path: Path) -> None:
    lines = []
    for each in session():
        if isinstance(each, FrameSeen):
            text = f"{each.id:08X}#{each.data.hex()}"
            lines += [f"({each.t / 1e9:.6f}) {channel} {text}\n" for channel in ("can0", "can1")]
    path = tmp_path / "two.log"
    path.write_text("".join(lines))
    check = check_log(path)
    assert check.findings == []
    assert any("can1" in note.text for note in check.notes)


# --- csv --------------------------------------------------------------------------------------------

ROWS = """Time;Identifier;DLC;Data
0.000;1826F456;3;01 01 00
0.250;0x1826F456;3;010100
0.500;1826F456;2;01 01 00
x;1826F456;3;01 01 00
0.750;1826F456;3;zz
"""
MAPPING = """delimiter = ";"
[columns]
time = "Time"
id = "Identifier"
data = "Data"
length = "DLC"
"""


def test_a_csv_by_its_mapping(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ROWS)
    (tmp_path / "a.toml").write_text(MAPPING)
    check = check_log(tmp_path / "a.csv", mapping=tmp_path / "a.toml")
    assert check.frames == 3
    assert [(note.where, note.text.split(":")[0]) for note in check.notes[:3]] == [
        ("line 4", "length 2 stated, 3 bytes given"),
        ("line 5", "not a frame"),
        ("line 6", "not a frame"),
    ]


def test_a_clock_of_minutes_that_starts_again(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("59:59.9,1826F456,010100\n00:00.1,1826F456,010100\n")
    mapping = 'header = false\n[columns]\ntime = 1\nid = 2\ndata = 3\n[time]\nform = "MM:SS.f"\n'
    (tmp_path / "a.toml").write_text(mapping)
    check = check_log(tmp_path / "a.csv", mapping=tmp_path / "a.toml")
    assert check.end - check.start == ms(200)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[columns]\ntime="a"\nid="b"\n', "data"),
        (MAPPING + '[time]\nform = "H:M"\n', "allowed is"),
        (MAPPING.replace('";"', '";;"'), "one character"),
        ("header = false\n" + MAPPING, "numbers from 1"),
        (MAPPING + 'encoding = "x"\n', "encoding"),
        (MAPPING.replace("[columns]", "[colums]"), r"colums is unknown; did you mean columns\? allowed are"),
        (MAPPING + '[time]\nfrom = "s"\n', r"time\.from is unknown; did you mean form\? allowed are form"),
        ("skip = -1\n" + MAPPING, "skip -1; allowed is 0 and more"),
        (MAPPING + "[id]\nbase = 1\n", "id.base 1; allowed is 2 .. 36"),
    ],
)
def test_a_wrong_mapping_is_told(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "a.csv").write_text(ROWS)
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(UsageError, match=why):
        check_log(tmp_path / "a.csv", mapping=tmp_path / "a.toml")


def test_what_is_asked_wrongly_raises(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ROWS)
    (tmp_path / "a.log").write_text("")
    (tmp_path / "a.xyz").write_text("")
    for path, options, why in (
        ("a.xyz", {}, "suffix"),
        ("b.log", {}, "no such file"),
        ("b.jsonl", {}, "no such file"),
        (".", {}, "is a folder"),
        ("a.csv", {}, "no shipped mapping"),
        ("a.log", {"mapping": tmp_path / "a.csv"}, "--mapping"),
        ("a.log", {"edition": "1999"}, "edition"),
        ("a.log", {"readings": {"x": "y"}}, "reading"),
    ):
        with pytest.raises(UsageError, match=why):
            check_log(tmp_path / path, **options)


# --- clocks and garbage -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stamps", "step"),
    [
        ([0, ms(100), ms(100), ms(200), ms(300)], ms(100)),
        ([0, 1_234_000, 2_000_000], 1_000),
        ([0, ms(3), ms(7), ms(20)], ms(1)),
        ([0, ms(15), ms(15), ms(31), ms(46), ms(46), ms(62)], ms(15)),
        ([], s(1)),
    ],
)
def test_the_finest_step_of_the_stamps(stamps: list[int], step: int) -> None:
    assert stamp_resolution(stamps) == step


def test_garbage_lines_are_noted_and_reading_goes_on(tmp_path: Path) -> None:
    path = save(session(), tmp_path / "a.log")
    lines = path.read_text().splitlines(keepends=True)
    lines[100:100] = ["what is this\n", "(12) can0 1#2#3 x\n", "(nan) can0 1826F456#01\n", "\0\0\0\n"]
    path.write_text("".join(lines))
    check = check_log(path)
    assert {note.where for note in check.notes} >= {"line 101", "line 102", "line 103", "line 104"}
    assert check.findings == []
    assert check.frames > 500


def test_what_a_reader_cannot_read_is_a_note_and_no_noise(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = save(session(), tmp_path / "a.trc")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, "x\x1b[31m\n"]))
    check = check_log(path)
    assert [note.text for note in check.notes] == ["TRCReader: Failed to parse message 'x.[31m'"]
    assert caplog.text == ""


def test_a_truncated_binary_log_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = save(session(), tmp_path / "a.blf")
    whole = check_log(path).frames
    path.write_bytes(path.read_bytes()[:-200])
    check = check_log(path)
    assert check.frames <= whole
    assert check.findings == []


@pytest.mark.parametrize("suffix", [".log", ".blf", ".asc", ".trc", ".csv", ".jsonl"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=600))
def test_no_file_makes_it_raise(tmp_path: Path, suffix: str, data: bytes) -> None:
    path, mapping = tmp_path / f"a{suffix}", None
    path.write_bytes(data)
    if suffix == ".csv":
        mapping = tmp_path / "a.toml"
        mapping.write_text(MAPPING)
    check_log(path, mapping=mapping)


@pytest.mark.parametrize("suffix", [".log", ".blf", ".asc", ".trc"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_to_a_log_makes_it_raise(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    path = tmp_path / f"whole{suffix}"
    if not path.exists():
        save([each for each in session() if each.t < s(4)], path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=5))
    damaged = tmp_path / f"damaged{suffix}"
    damaged.write_bytes(content)
    check_log(damaged)
