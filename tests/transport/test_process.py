"""A live world in a process of its own: it goes on by itself, and either end of the pipe may go."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from unittest.mock import ANY

import pytest

from hil.bench.live import LiveSetup, build_live
from hil.bench.recording import Listening, build_listening
from hil.bench.setup import Setup
from hil.conformance.register import resolve
from hil.errors import RigError, UsageError, WorldError
from hil.rig.ports import CanPortSettings, SerialPortSettings
from hil.transport.alarm import alarm
from hil.transport.live import LiveWorld
from hil.transport.process import LiveProcess
from hil.transport.pty_port import PtyPort
from hil.transport.slcan_server import SlcanServer
from hil.units import ms, s
from hil.world.observation import BytesSeen, Note, Observation, Sample
from hil.world.plan import Advance, Close, Do, OnBytes, Stimulate, Tell

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")
PATIENCE = s(30)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[PtyPort]:
    port = PtyPort(tmp_path / "tty")
    yield port
    port.close()


@pytest.fixture
def process(far: PtyPort) -> Iterator[LiveProcess]:
    made = LiveProcess(partial(build_listening, Listening((SerialPortSettings("line", str(far.link)),))))
    yield made
    made.end()


def _bytes(observations: list[Observation]) -> bytes:
    return b"".join(seen.data for seen in observations if isinstance(seen, BytesSeen))


def test_what_comes_in_is_told_and_ends_a_wait(process: LiveProcess, far: PtyPort) -> None:
    far.write(b"hello")
    reply = process.execute(Advance(PATIENCE, (OnBytes("line", starts=b"hello".hex()),)))
    assert reply.stopped_by == 0
    assert _bytes(reply.observations) == b"hello"
    assert reply.now < PATIENCE


def test_the_world_goes_on_between_two_commands(process: LiveProcess, far: PtyPort) -> None:
    """What came in while nobody asked is in the next answer, at the instant at which it came."""
    first = process.execute(Advance(ms(10)))
    far.write(b"meanwhile")
    observations: list[Observation] = []
    now = first.now
    while not observations:
        reply = process.execute(Do(()))
        assert reply.now >= now
        now, observations = reply.now, reply.observations
        assert now < PATIENCE
    (seen,) = (each for each in observations if isinstance(each, BytesSeen))
    assert first.now <= seen.t <= now


def test_the_clock_of_the_port_is_told_with_the_first_answer(process: LiveProcess) -> None:
    notes = [each for each in process.execute(Do(())).observations if isinstance(each, Note)]
    assert [(note.kind, note.what) for note in notes] == [("clock", "line")]


def test_a_port_that_cannot_be_opened_is_told_here(tmp_path: Path) -> None:
    build = partial(build_listening, Listening((SerialPortSettings("line", str(tmp_path / "missing")),)))
    with pytest.raises(RigError, match=r"port line \(.*missing 9600 8N1\) cannot be opened"):
        LiveProcess(build)


def test_misuse_is_told_here_and_the_world_goes_on(process: LiveProcess) -> None:
    with pytest.raises(UsageError, match="no node 'nobody'"):
        process.execute(Do((Tell("nobody", "sing"),)))
    process.execute(Advance(ms(1)))


def test_closing_ends_the_process(process: LiveProcess) -> None:
    reply = process.execute(Close())
    assert isinstance(reply.observations[-1], Note)
    assert reply.observations[-1].kind == "closed"
    assert process.exit_code == 0
    with pytest.raises(WorldError, match="closed"):
        process.execute(Advance(ms(1)))


def test_a_pipe_that_ends_here_ends_the_process(process: LiveProcess) -> None:
    process.end()
    assert process.exit_code == 0


def test_a_process_that_is_killed_is_an_error_of_the_world(process: LiveProcess) -> None:
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(WorldError, match="has gone"):
        process.execute(Advance(PATIENCE))
    assert process.exit_code == -signal.SIGKILL


def test_a_request_to_end_closes_the_world_and_what_it_saw_is_told(process: LiveProcess, far: PtyPort) -> None:
    process.execute(Advance(ms(1)))
    far.write(b"last words")
    os.kill(process.pid, signal.SIGTERM)
    seen: list[Observation] = []

    def listen_on() -> None:
        for _ in range(1000):
            seen.extend(process.execute(Advance(PATIENCE)).observations)

    with pytest.raises(WorldError, match="has gone"):
        listen_on()
    assert process.exit_code == 0
    assert _bytes(seen) == b"last words"
    assert seen[-1] == Note(ANY, "closed", "safe state", {})


def build_ending(link: str, after: int) -> LiveWorld:
    """A world that goes to its safe state by itself."""
    world = build_listening(Listening((SerialPortSettings("line", link),)))
    world.queue.at(after, partial(world.end, "the door is open"))
    return world


def test_a_world_that_ends_by_itself_between_two_commands_tells_why(far: PtyPort) -> None:
    process = LiveProcess(partial(build_ending, str(far.link), ms(50)))
    seen: list[Observation] = []

    def go_on() -> None:
        for _ in range(100_000):
            reply = process.execute(Do(()))
            assert reply.now < PATIENCE
            seen.extend(reply.observations)

    try:
        with pytest.raises(WorldError, match=r"^the door is open$"):
            go_on()
        seen += process.execute(Close()).observations
        told = [(each.kind, each.what) for each in seen if isinstance(each, Note)][-2:]
        assert told == [("safe_state", "the door is open"), ("closed", "safe state")]
        assert process.exit_code == 0
    finally:
        process.end()


def test_ctrl_c_is_left_to_the_process_of_the_test(process: LiveProcess) -> None:
    os.kill(process.pid, signal.SIGINT)
    process.execute(Advance(ms(1)))


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT])
def test_what_a_terminal_sends_to_all_ends_no_world_without_its_safe_state(process: LiveProcess, number: int) -> None:
    process.execute(Advance(ms(1)))
    os.kill(process.pid, number)
    assert process.execute(Close()).observations[-1] == Note(ANY, "closed", "safe state", {})
    assert process.exit_code == 0


def test_after_a_wait_that_was_broken_off_the_next_command_is_carried_out_at_once(
    process: LiveProcess, far: PtyPort
) -> None:
    """As Ctrl-C breaks it off: what the wait had seen is not lost, and the world closes long before its end."""
    process.execute(Advance(ms(1)))
    far.write(b"seen meanwhile")
    with pytest.raises(KeyboardInterrupt), alarm(ms(300), KeyboardInterrupt):
        process.execute(Advance(s(3_600)))
    reply = process.execute(Close())
    assert _bytes(reply.observations) == b"seen meanwhile"
    assert reply.observations[-1] == Note(ANY, "closed", "safe state", {})
    assert reply.now < s(3_600)
    assert process.exit_code == 0


def test_the_bench_of_a_charger_goes_to_its_safe_state(tmp_path: Path) -> None:
    """Whatever the plant was told, its last word is an open contactor and no voltage."""
    adapter = SlcanServer(PtyPort(tmp_path / "adapter"))
    port = CanPortSettings("can0", "slcan", str(tmp_path / "adapter"), 250_000, {"sleep_after_open": 0})
    live = LiveSetup("gbt27930", Setup(readings=resolve({}, None)), {"can": port}, {})
    process = LiveProcess(partial(build_live, live))
    try:
        plugged = process.execute(Do((Stimulate("plugged", 1),)))
        assert any(isinstance(each, Sample) and each.name == "cc1_voltage" for each in plugged.observations)
        process.execute(Advance(plugged.now + ms(100)))
        samples = [each for each in process.execute(Close()).observations if isinstance(each, Sample)]
    finally:
        process.end()
        adapter.shutdown()
    last = {sample.name: sample.value for sample in samples}
    assert last.get("output_voltage", 0.0) == 0.0
    assert last.get("k1k2_closed", 0.0) == 0.0
