"""Links that break and partners that die in mid-case: never a failure of the DUT, and the run goes on where it can.

The reference charger is served by a process of its own, on slcan over a pty; a case strikes in its middle. What is
waited for are ends of processes and lines of output, by the system; no time is measured.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hil.bench.actions import send_raw
from hil.bench.live import LiveSetup, build_live
from hil.bench.setup import Setup
from hil.conformance.register import resolve
from hil.evidence.trace import read_stream
from hil.rig.ports import CanPortSettings, PortSettings, SignalsPortSettings
from hil.transport.process import LiveProcess
from hil.transport.pty_port import PtyPort
from hil.units import ms, s
from hil.world.observation import FrameSeen, Note
from hil.world.plan import Advance, AtInstant, OnMessage, Plan, Rule

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="takes ptys, and processes to be waited for")

HIL = [sys.executable, "-m", "hil.cli"]
PATIENCE = 120
"""s; nothing here takes so long."""
SUITE = '''
import multiprocessing
import os
import signal
from pathlib import Path

from hil.cases import Bench, Phase, requirement, s
from hil.protocol.gbt27930 import CHM


@requirement("HOSTILE/H.01")
def test_H_01(bench: Bench, variant: str) -> None:
    """TP: something breaks while the case runs."""
    bench.reach(Phase.IDENTIFICATION)
    world = multiprocessing.active_children()[0].pid
    Path(os.environ["WORLD"]).write_text(str(world))
    match variant:
        case "charger-killed":
            os.killpg(int(os.environ["CHARGER"]), signal.SIGKILL)
        case "charger-silent":
            os.killpg(int(os.environ["CHARGER"]), signal.SIGSTOP)
        case "world-killed":
            os.kill(world, signal.SIGKILL)
        case "bench-killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "interrupted":
            signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell has made us deaf to it
            os.kill(os.getpid(), signal.SIGINT)
        case "asked-to-end":
            os.kill(os.getpid(), signal.SIGTERM)
        case "terminal-closed":
            os.killpg(os.getpgrp(), signal.SIGHUP)
    bench.let(s(24 * 3600))


@requirement("HOSTILE/H.02")
def test_H_02(bench: Bench) -> None:
    """TP: the charger speaks."""
    bench.reach(Phase.HANDSHAKE)
    bench.check("frames of the charger", len(bench.matching(CHM)), low=1)
'''
REQUIREMENTS = """
prefix = "HOSTILE"
suite = "hostile"
title = "Struck in mid-case"
source = "HOSTILE 1"
basis = "S1"
editions = ["2015"]

[[requirement]]
case = "H.01"
title = "struck"
variants = [
    "charger-killed", "charger-silent", "world-killed", "bench-killed",
    "interrupted", "asked-to-end", "terminal-closed",
]

[[requirement]]
case = "H.02"
title = "the next one"
"""
RIG = """
schema = 1
name = "desk"
kind = "live"

[dut]
name = "reference charger"

[ports.can0]
type = "can"
interface = "slcan"
channel = "{folder}/adapter"
options = {{ sleep_after_open = 0.0 }}

[ports.io]
type = "signals"
url = "tcp://127.0.0.1:{port}"

[roles]
can = "can0"
signals = "io"

[plant]
source = "model"
"""


@contextmanager
def _heeding_a_closed_terminal() -> Iterator[None]:
    """Also where ``nohup`` has made us deaf to it, which a process that is started now would be too."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


class Desk:
    """A served charger, and a bench that is started beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rig = folder / "desk.toml"
        self.out = folder / "report"
        self._world = folder / "world"
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.rig.write_text(RIG.format(folder=folder, port=probe.getsockname()[1]), "utf-8")
        suite = folder / "suite"
        suite.mkdir()
        (suite / "test_struck.py").write_text(SUITE, "utf-8")
        (suite / "requirements.toml").write_text(REQUIREMENTS, "utf-8")
        self.charger = subprocess.Popen(
            [*HIL, "serve", "--rig", str(self.rig)], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.charger.stdout is not None
        assert "ready\n" in self.charger.stdout  # reads on up to that line

    def judge(self, *cases: str) -> int:
        """The exit code of a run of these cases."""
        command = [*HIL, "run", "--rig", str(self.rig), "--suite", str(self.folder / "suite"), "--out", str(self.out)]
        environment = os.environ | {"CHARGER": str(self.charger.pid), "WORLD": str(self._world)}
        with (self.folder / "run.log").open("w") as log, _heeding_a_closed_terminal():
            return subprocess.run(
                [*command, *(word for case in cases for word in ("--case", case))],
                env=environment, stdout=log, stderr=log, timeout=PATIENCE, check=False, start_new_session=True,
            ).returncode  # fmt: skip

    def results(self) -> Mapping[str, tuple[str, str]]:
        """Verdict and reason by case."""
        cases: list[dict[str, Any]] = json.loads((self.out / "conformance.json").read_text("utf-8"))["cases"]
        return {case["id"]: (case["verdict"], case["reason"]) for case in cases}

    def frames(self) -> int:
        """Frames in the trace of the case that was struck."""
        (path,) = (self.out / "traces").glob("H.01*.jsonl")
        return sum(isinstance(seen, FrameSeen) for seen in read_stream(path))

    def world_ends(self) -> bool:
        """Whether the process of the bench's world comes to its end."""
        try:
            number = os.pidfd_open(int(self._world.read_text("utf-8")))
        except ProcessLookupError:
            return True
        try:
            return bool(select.select([number], [], [], PATIENCE)[0])
        finally:
            os.close(number)

    def close(self) -> None:
        """Whatever became of the charger."""
        with suppress(ProcessLookupError):
            os.killpg(self.charger.pid, signal.SIGKILL)
        self.charger.wait()
        assert self.charger.stdout is not None
        self.charger.stdout.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def test_an_adapter_and_a_box_that_go_end_the_wait_and_are_an_error_and_so_is_the_next_case(desk: Desk) -> None:
    assert desk.judge("H.01[charger-killed]", "H.02") == 3
    results = desk.results()
    verdict, reason = results["H.01"]
    assert verdict == "error"
    assert "port can0 was lost" in reason or "box on the signals port was lost" in reason
    verdict, reason = results["H.02"]
    assert verdict == "error"
    assert "port can0" in reason
    assert "cannot be opened" in reason
    assert desk.frames() > 0


def test_a_box_that_falls_silent_with_its_line_open_ends_the_wait_and_is_an_error(desk: Desk) -> None:
    assert desk.judge("H.01[charger-silent]") == 3
    verdict, reason = desk.results()["H.01"]
    assert verdict == "error"
    assert "box on the signals port was lost" in reason
    assert desk.frames() > 0


def test_a_world_that_is_killed_is_an_error_of_the_bench_and_the_next_case_runs(desk: Desk) -> None:
    assert desk.judge("H.01[world-killed]", "H.02") == 3
    results = desk.results()
    verdict, reason = results["H.01"]
    assert verdict == "error"
    assert "the process that runs the world has gone" in reason
    assert results["H.02"][0] == "pass"
    assert desk.frames() > 0


def test_a_bench_that_is_killed_leaves_its_trace_and_a_charger_that_is_safe(desk: Desk) -> None:
    assert desk.judge("H.01[bench-killed]") == -signal.SIGKILL
    assert desk.world_ends()
    assert desk.frames() > 0
    assert desk.judge("H.02") == 0


@pytest.mark.parametrize("how", ["interrupted", "asked-to-end", "terminal-closed"])
def test_what_ends_a_run_in_mid_case_writes_the_report_and_ends_the_world(desk: Desk, how: str) -> None:
    assert desk.judge(f"H.01[{how}]", "H.02") == 3
    assert desk.world_ends()
    verdict, reason = desk.results()["H.01"]
    assert verdict == "error"
    assert "KeyboardInterrupt" in reason or "interrupted" in reason
    (path,) = (desk.out / "traces").glob("H.01*.jsonl")
    last = list(read_stream(path))[-1]
    assert isinstance(last, Note)
    assert last.kind == "closed"


# --- what a partner may send ----------------------------------------------------------------------

FLOOD = """
import os, select, sys
number = int(sys.argv[1])
frame = b"T18FFAA5581122334455667788\\r" * 63 + b"T1826F4563010100\\r"
rest = b""
while True:
    select.select((), [number], ())
    try:
        rest = rest or frame
        rest = rest[os.write(number, rest):]
    except BlockingIOError:
        pass
"""
CHM = b"T1826F4563010100\r"
OURS = 0x18EEF456


@pytest.fixture
def adapter(tmp_path: Path) -> Iterator[PtyPort]:
    port = PtyPort(tmp_path / "adapter")
    yield port
    port.close()


@pytest.fixture
def box() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def world(adapter: PtyPort, box: socket.socket) -> Iterator[LiveProcess]:
    """The vehicle's side, with the test at the far end of each of its ports."""
    ports: dict[str, PortSettings] = {
        "can": CanPortSettings("can0", "slcan", str(adapter.link), 250_000, {"sleep_after_open": 0}),
        "signals": SignalsPortSettings("io", f"tcp://127.0.0.1:{box.getsockname()[1]}"),
    }
    live = LiveSetup("gbt27930", Setup(readings=resolve({}, None)), ports, {})
    made = LiveProcess(partial(build_live, live))
    yield made
    made.end()


def test_garbage_on_every_port_is_told_and_what_follows_it_is_heard(
    world: LiveProcess, adapter: PtyPort, box: socket.socket
) -> None:
    met, _ = box.accept()
    with met:
        met.sendall(b'\xff\xfe\x00\n{"hello": 1}\n[]\n{"set": {"k1k2_command": "NaN"}}\n' + b"x" * 100_000 + b"\n")
        adapter.write(b"\x00\xff\xffT18\rTZZZZZZZZ8\rT1826F456900\rt1238\r\r\a\a" + b"9" * 3_000 + b"\r" + CHM)
        heard = world.execute(Advance(s(20), (OnMessage("CHM"),)))
        assert heard.stopped_by == 0
        told = [each for each in heard.observations if isinstance(each, Note)]
        assert [each.what for each in told if each.kind == "garbage"].count("can0") > 0
        assert not [each for each in told if each.kind == "port_lost"]


def test_a_flood_of_foreign_frames_neither_hides_what_is_for_us_nor_keeps_us_from_sending(
    world: LiveProcess, adapter: PtyPort
) -> None:
    """Of the frames that were planned every ten milliseconds, every one leaves in its turn."""
    rules = tuple(
        Rule(f"at {number}", AtInstant(s(2) + ms(10) * number), (send_raw(OURS, bytes([number])),))
        for number in range(100)
    )
    flood = subprocess.Popen([sys.executable, "-c", FLOOD, str(adapter.fileno())], pass_fds=[adapter.fileno()])
    try:
        world.execute(Plan(rules))
        met = world.execute(Advance(s(20), (OnMessage("CHM"),)))
        assert met.stopped_by == 0
        seen = met.observations + world.execute(Advance(max(met.now, s(3)) + ms(100))).observations
    finally:
        flood.kill()
        flood.wait()
    frames = [each for each in seen if isinstance(each, FrameSeen)]
    assert [each.data[0] for each in frames if each.id == OURS and each.sender] == list(range(100))
    assert sum(not each.sender for each in frames) > 1_000
    assert not [each for each in seen if isinstance(each, Note) and each.kind == "port_lost"]
