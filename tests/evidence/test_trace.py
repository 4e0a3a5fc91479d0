"""Traces on disk: python-can's reader is the oracle of the log, equality that of the stream."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import can
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import HilError
from hil.evidence.trace import TraceWriter, read_stream, safe_name
from hil.world.observation import BusErrorSeen, FrameSeen, Note, Observation, Sample

FRAMES = [
    FrameSeen(12_345_678_000, "can0", 0x1826F456, bytes((1, 1, 0)), "charger"),
    FrameSeen(12_400_000_999, "can1", 0x123, b"", "", False),
    FrameSeen(3_600_000_000_000, "can0", 0x123, bytes(8), "vehicle", True),
]


def written(tmp_path: Path, *slices: list[Observation]) -> TraceWriter:
    with TraceWriter(tmp_path, "DN.3006") as writer:
        for each in slices:
            writer.write(each)
    return writer


def test_log_reads_as_candump(tmp_path: Path) -> None:
    log = written(tmp_path, list(FRAMES)).log_path
    assert log.read_text().splitlines()[0] == "(0000000012.345678) can0 1826F456#010100"
    with can.CanutilsLogReader(log) as reader:
        read = list(reader)
    assert [message.arbitration_id for message in read] == [frame.id for frame in FRAMES]
    assert [bytes(message.data) for message in read] == [frame.data for frame in FRAMES]
    assert [message.is_extended_id for message in read] == [frame.extended for frame in FRAMES]
    assert [message.channel for message in read] == [frame.port for frame in FRAMES]
    assert [message.timestamp for message in read] == pytest.approx([12.345678, 12.4, 3600.0], abs=1e-9)


@pytest.mark.parametrize("kind", ["ack", "injected", "error_passive", "bus_off", "recovered", "overflow", "unheard-of"])
def test_bus_errors_read_as_error_frames(tmp_path: Path, kind: str) -> None:
    log = written(tmp_path, [BusErrorSeen(1_000, "can0", "charger", kind, 300, 7)]).log_path
    with can.CanutilsLogReader(log) as reader:
        (message,) = list(reader)
    assert message.is_error_frame
    assert log.read_text().rstrip().endswith("FF07")


def test_frames_with_equal_id_and_bytes_keep_bus_and_kind(tmp_path: Path) -> None:
    seen = [
        FrameSeen(n, port, 0x123, b"\x01", "", extended)
        for n, (port, extended) in enumerate([("can0", False), ("can0", True), ("can1", False), ("can1", True)])
    ]
    lines = written(tmp_path, list(seen)).log_path.read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == [
        "can0 123#01",
        "can0 00000123#01",
        "can1 123#01",
        "can1 00000123#01",
    ]


instants = st.integers(0, 10**15)
names = st.text(min_size=0, max_size=12)
scalars = st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | names
observed = st.one_of(
    st.builds(FrameSeen, instants, names, st.integers(0, 2**29 - 1), st.binary(max_size=8), names, st.booleans()),
    st.builds(BusErrorSeen, instants, names, names, names, st.integers(0, 512), st.integers(0, 512)),
    st.builds(Sample, instants, names, *[st.floats(allow_nan=False)] * 3),
    st.builds(Note, instants, names, names, st.dictionaries(names, scalars, max_size=4)),
)


@given(st.lists(observed, max_size=20))
def test_stream_gives_back_equal_values(tmp_path_factory: pytest.TempPathFactory, seen: list[Observation]) -> None:
    stream = written(tmp_path_factory.mktemp("stream"), seen).stream_path
    back = list(read_stream(stream))
    assert back == seen
    assert [type(each) for each in back] == [type(each) for each in seen]


def test_not_a_number_survives(tmp_path: Path) -> None:
    stream = written(tmp_path, [Sample(1, "x", math.nan, -math.inf, math.inf), *FRAMES]).stream_path
    sample, *frames = read_stream(stream)
    assert isinstance(sample, Sample)
    assert math.isnan(sample.value)
    assert (sample.low, sample.high) == (-math.inf, math.inf)
    assert frames == FRAMES


def test_slices_make_the_same_bytes_as_one_write(tmp_path: Path, observations: list[Observation]) -> None:
    whole = written(tmp_path / "a", observations)
    parts = written(tmp_path / "b", *[[each] for each in observations])
    assert whole.log_path.read_bytes() == parts.log_path.read_bytes()
    assert whole.stream_path.read_bytes() == parts.stream_path.read_bytes()
    assert list(read_stream(whole.stream_path)) == observations


def test_what_was_written_survives_a_kill(tmp_path: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from hil.evidence.trace import TraceWriter
from hil.world.observation import FrameSeen
writer = TraceWriter(Path({str(tmp_path)!r}), "killed")
writer.write([FrameSeen(n, "can0", 0x1826F456, bytes((1, 1, 0))) for n in range(1000)])
os.kill(os.getpid(), signal.SIGKILL)
"""
    process = subprocess.run([sys.executable, "-c", script], check=False)
    assert process.returncode < 0
    assert len(list(read_stream(tmp_path / "killed.jsonl"))) == 1000
    assert len((tmp_path / "killed.log").read_text().splitlines()) == 1000


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    stream = written(tmp_path, list(FRAMES)).stream_path
    stream.write_bytes(stream.read_bytes()[:-5])
    assert list(read_stream(stream)) == FRAMES[:-1]


def test_a_line_that_is_no_observation_is_named(tmp_path: Path) -> None:
    stream = written(tmp_path, list(FRAMES)).stream_path
    with stream.open("ab") as file:
        file.write(b'["frame",1]\n')
    with pytest.raises(HilError, match=r"DN\.3006\.jsonl, line 4"):
        list(read_stream(stream))


def test_a_long_stream_is_read_block_by_block(tmp_path: Path) -> None:
    seen = [FrameSeen(n, "can0", 0x1812F456, n.to_bytes(8, "little"), "charger") for n in range(40_000)]
    stream = written(tmp_path, list(seen)).stream_path
    assert stream.stat().st_size > 2 * 2**20
    assert list(read_stream(stream)) == seen


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_names_the_path_and_keeps_the_other_file(tmp_path: Path) -> None:
    (tmp_path / "case.jsonl").symlink_to("/dev/full")
    writer = TraceWriter(tmp_path, "case")
    with pytest.raises(HilError, match=r"case\.jsonl.*[Nn]o space"):
        writer.write(list(FRAMES))
    writer.close()
    assert len(writer.log_path.read_text().splitlines()) == len(FRAMES)


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HilError, match="file/traces"):
        TraceWriter(tmp_path / "file" / "traces", "case")


def test_a_missing_stream_is_named(tmp_path: Path) -> None:
    with pytest.raises(HilError, match=r"none\.jsonl"):
        list(read_stream(tmp_path / "none.jsonl"))


def test_writing_after_closing_is_refused(tmp_path: Path) -> None:
    writer = written(tmp_path, list(FRAMES))
    writer.close()
    with pytest.raises(HilError, match=r"DN\.3006"):
        writer.write(list(FRAMES))


def test_plain_names_stay() -> None:
    assert safe_name("DN.3006-short") == "DN.3006-short"
    assert safe_name("dn2007-2009=print") == "dn2007-2009=print"


@pytest.mark.parametrize("stem", ["a/b", "../../etc/passwd", ".hidden", "a b", "ä", "x" * 300, "[short]", "a\nb"])
def test_other_names_become_safe_and_stay_apart(stem: str) -> None:
    name = safe_name(stem)
    assert os.sep not in name
    assert not name.startswith(".")
    assert len(name) < 200
    assert name.isascii()
    assert name.isprintable()
    assert safe_name(stem + "/") != name
    assert safe_name(stem) == name


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(HilError, match="empty"):
        safe_name("")
