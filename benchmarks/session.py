"""One hour of charging with everything on, beside python-can's ``virtual`` interface moving as many bare frames.

Ours: virtual bus with bit times and arbitration, charger and vehicle with all their messages (BCL and CCS every
50 ms, BCS by the transport protocol and BSM every 250 ms), plant, all monitors, the bench's record, and the trace
written to a folder. The peer: a frame is made, sent and received by one other node, in one thread. The same with two
receivers, as each frame of ours reaches the other node and the bench that records it, is shown beside it and not
judged. All take turns slice by slice, and of each slice the best of the repeats counts, so that a busy machine
disturbs them alike.

Memory is the peak of a process of its own that runs the hour once. The suites are ``hil run`` with the default rig.
"""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import can

from hil.bench.bench import Bench
from hil.bench.judge import Judge
from hil.bench.phases import Phase
from hil.bench.setup import Setup, build
from hil.conformance.monitors import MonitorSet
from hil.conformance.register import resolve
from hil.evidence.trace import TraceWriter
from hil.protocol.gbt27930 import edition
from hil.units import Span, minutes, s, seconds
from hil.world.observation import FrameSeen

LENGTH: Span = minutes(60)
QUICK_LENGTH: Span = minutes(2)
REPEATS = 3
SLICE: Span = s(30)
RATIO_GOAL = 1.0
MEMORY_GOAL = 300.0
"""MB, at most."""
SUITES: Mapping[str, tuple[float, tuple[str, ...]]] = {
    "GB/T suites by hil run": (20.0, ("gbt27930", "gbt34657")),
    "Modbus and serial suites by hil run": (30.0, ("modbus", "ac_charger", "rapi", "dlt645")),
}
"""s on one core, at most, and which suites."""
PEER = f"python-can {can.__version__} virtual"


def measures(*, quick: bool = False) -> list[dict[str, Any]]:
    """Speed and memory of the hour, and the time of the suites.

    ``quick`` simulates two minutes instead of the hour and leaves the suites out: the same ratios, with less certainty.
    """
    length = QUICK_LENGTH if quick else LENGTH
    found = _speed(length)
    memory = _in_own_process(length)
    found.append(_limited("peak memory of the session", memory, "MB", MEMORY_GOAL, None, None))
    if not quick:
        shown = found[0]["peer"], found[0]["peer_value"]
        for name, (goal, suites) in SUITES.items():
            found.append(_limited(name, _suite(suites), "s", goal, *shown))
    return found


_ONE = "bare frames to one receiver"

Moved = tuple[int, float]
"""Frames, and the seconds that they took."""


def charge(length: Span, folder: Path) -> Iterator[Moved]:
    """Charge for ``length`` with everything on, slice by slice.

    Connecting, handshake and configuration come before and are not counted.
    """
    setup = Setup(seed=1, soc=20.0, vehicle="truck-lfp-800v", readings=resolve({}))
    monitors = MonitorSet(setup.edition, setup.readings)
    with TraceWriter(folder, "session") as trace:
        bench = Bench(build(setup), edition(setup.edition), Judge(), setup.readings, trace.write, monitors)
        bench.reach(Phase.CHARGING)
        for _ in range(length // SLICE):
            before = len(bench.record.observations)
            began = time.perf_counter()
            bench.let(SLICE)
            took = time.perf_counter() - began
            yield sum(type(each) is FrameSeen for each in bench.record.observations[before:]), took
        assert bench.findings() == [], "a sound charger and a sound vehicle"
        bench.close()


def peer(count: int, receivers: int) -> float:
    """Seconds that python-can's virtual interface takes to move ``count`` frames from one node to others."""
    channel = "benchmark"
    with contextlib.ExitStack() as stack:
        sender, *others = (
            stack.enter_context(can.Bus(interface="virtual", channel=channel)) for _ in range(1 + receivers)
        )
        began = time.perf_counter()
        for index in range(count):
            sender.send(can.Message(arbitration_id=0x1812F456, data=index.to_bytes(7, "little"), is_extended_id=True))
            for receiver in others:
                receiver.recv(1.0)
        return time.perf_counter() - began


def _turns(length: Span) -> Iterator[tuple[int, float, float, float]]:
    """Frames of each slice, and the seconds of ours, of the peer with one receiver and with two."""
    with tempfile.TemporaryDirectory() as folder:
        for count, took in charge(length, Path(folder)):
            yield count, took, peer(count, 1), peer(count, 2)


def _speed(length: Span) -> list[dict[str, Any]]:
    count, ours, one, two = 0, 0.0, 0.0, 0.0
    for repeated in zip(*(_turns(length) for _ in range(REPEATS)), strict=True):
        count += repeated[0][0]
        ours += min(each[1] for each in repeated)
        one += min(each[2] for each in repeated)
        two += min(each[3] for each in repeated)
    what = f"{seconds(length) / 60:g} min of charging, everything on"
    return [
        {**_rate(what, "frames/s", count, ours, one, _ONE), "also": _beside_two(count, ours, two)},
        _rate(f"{what}, simulated", "s/s", seconds(length), ours, one, _ONE),
    ]


def _beside_two(count: int, ours: float, two: float) -> dict[str, Any]:
    """The same beside a bus with as many receivers as ours: shown, not judged."""
    shown = _rate("", "frames/s", count, ours, two, "bare frames to two receivers")
    return {key: shown[key] for key in ("peer", "peer_value", "ratio")}


def _rate(name: str, unit: str, done: float, ours: float, theirs: float, what: str) -> dict[str, Any]:
    """What both did in their seconds, a second."""
    ratio = theirs / ours
    return {
        "name": name,
        "value": round(done / ours),
        "unit": unit,
        "peer": f"{PEER}, {what}",
        "peer_value": round(done / theirs),
        "ratio": round(ratio, 2),
        "goal": RATIO_GOAL,
        "met": ratio >= RATIO_GOAL,
    }


def _limited(
    name: str, value: float, unit: str, goal: float, peer_name: str | None, peer_value: float | None
) -> dict[str, Any]:
    """A measure with an upper limit; a peer is only shown."""
    return {
        "name": name,
        "value": round(value, 1),
        "unit": unit,
        "peer": peer_name,
        "peer_value": peer_value,
        "ratio": None,
        "goal": goal,
        "goal_is": "at most",
        "met": value <= goal,
    }


def _in_own_process(length: Span) -> float:
    """Peak memory in MB of a process that runs the session once."""
    command = [sys.executable, "-m", "benchmarks.session", str(length)]
    run = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    return float(run.stdout)


def _suite(suites: Iterable[str]) -> float:
    """Seconds of ``hil run`` with the default rig, in one process; a charger that fails is an error of ours."""
    with tempfile.TemporaryDirectory() as folder:
        words = [word for suite in suites for word in ("--suite", suite)]
        command = [sys.executable, "-m", "hil.cli", "run", *words, "--out", folder]
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - began


def _peak(length: Span) -> float:
    """MB that this process has needed at most, once it has run a session."""
    with tempfile.TemporaryDirectory() as folder:
        deque(charge(length, Path(folder)), maxlen=0)
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would also count what the process was before it became this program
        (line,) = (line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


if __name__ == "__main__":
    print(_peak(int(sys.argv[1]) if len(sys.argv) > 1 else s(60)))
