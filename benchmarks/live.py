"""Live CAN beside bare python-can on the same interface, in the same run: period, round trip, a full bus.

``python -m benchmarks live`` prints the table. The interface is python-can's ``udp_multicast`` in a network namespace
of its own; where nobody may make one, nothing is measured and the reason is told. Each side runs in processes of its
own, all of them in the class that live worlds run in. Periods are those of the kernel's stamps at a third process.
While they are measured for the second time, the process that asked for them is busy, as a test may be.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import can

from hil.bench.record import Record
from hil.bench.recording import Listening, build_listening
from hil.bus.lines import FrameLine
from hil.codec.frame import CanFrame
from hil.conformance.monitors import MonitorSet
from hil.conformance.register import resolve
from hil.evidence.trace import TraceWriter
from hil.protocol.gbt27930 import edition
from hil.rig.ports import CanPortSettings
from hil.transport.live import LiveWorld
from hil.transport.ports import open_line
from hil.transport.process import LiveProcess
from hil.units import Instant, Span, ms, s
from hil.world.observation import FrameSeen
from hil.world.plan import Advance, Close
from tools.live.rigs import network_of_its_own

PORT = CanPortSettings("can0", "udp_multicast", "239.74.163.7", 250_000)
PEER = f"python-can {can.__version__}"
CYCLE: Span = ms(10)
STEADY = 1.0
"""ms that a period may be off: a third of what cases allow a charger at this period. Not judged by a ratio, since both
sides are off by a few of the system's timer ticks."""
RATE = 1_800
"""Frames a second of a full bus at 250 kbit/s."""
ASKED, ANSWERED, CYCLIC, LAST = 0x18EA0001, 0x18EA0002, 0x18EA0003, 0x18EA0004
CCS, BCL = 0x1812F456, 0x181056F4
Measures = list[dict[str, Any]]


def measures(*, quick: bool = False) -> Measures:
    """Every measure; none where there can be no network for it."""
    words = network_of_its_own()
    if words is None:
        print("live: not measured, as nobody may make a network namespace here (`unshare -n`)", file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "measures.json"
        command = [*words, sys.executable, "-m", "benchmarks.live", str(out), *["--quick"] * quick]
        subprocess.run(command, check=True)
        found: Measures = json.loads(out.read_text("utf-8"))
        return found


def _all(length: float, trips: int) -> Measures:
    return [
        *_cyclic("cyclic 10 ms frames", length, lambda: time.sleep(length)),
        *_cyclic("the same under a busy test", length, partial(_be_busy, length)),
        *_round_trip(trips),
        *_full_bus(length),
    ]


# --- period ---------------------------------------------------------------------------------------


def _cyclic(name: str, length: float, meanwhile: Callable[[], None]) -> Measures:
    count = round(length * s(1) / CYCLE)
    with _stamps() as heard:
        with _process(partial(_build_cyclic, count)):
            meanwhile()
            time.sleep(2)
        ours = heard()
    with _stamps() as heard:
        with _other(_peer_cyclic, length):
            meanwhile()
            time.sleep(2)
        theirs = heard()
    errors, peer = _errors(ours), _errors(theirs)
    found = [_measure(f"{name}: lost", count - len(ours), "frames", None, 0)]
    for label, part, goal in (("half", 0.5, STEADY), ("99 %", 0.99, STEADY), ("worst", 1.0, CYCLE / ms(1))):
        value, other = (round(each[min(int(part * len(each)), len(each) - 1)] / 1_000, 3) for each in (errors, peer))
        found.append(_measure(f"{name}: error of the period ({label})", value, "ms", other, goal))
    return found


def _errors(stamps: Sequence[float]) -> list[float]:
    """Of each period, in microseconds, in order."""
    return sorted(abs(late - early - 0.010) * 1e6 for early, late in pairwise(stamps))


def _build_cyclic(count: int) -> LiveWorld:
    world, line = _world()
    port = line.attach("sender", _ignore)

    def send(number: int) -> None:
        port.send(CanFrame(CYCLIC, number.to_bytes(8, "little")))
        if number + 1 < count:
            world.queue.at(s(1) + (number + 1) * CYCLE, partial(send, number + 1))

    world.queue.at(s(1), partial(send, 0))
    return world


def _peer_cyclic(pipe: Connection, length: float) -> None:
    with _bus() as bus:
        time.sleep(1)
        task = bus.send_periodic(_message(CYCLIC, bytes(8)), 0.010)
        time.sleep(length)
        task.stop()
        pipe.send(None)
        pipe.recv()


def _be_busy(length: float) -> None:
    end = time.perf_counter() + length
    while time.perf_counter() < end:
        json.loads(json.dumps([{"n": number, "text": "x" * number} for number in range(300)]))


@contextmanager
def _stamps() -> Iterator[Callable[[], list[float]]]:
    """A process that listens for cyclic frames; the function ends it and gives their stamps."""
    with _other(_listen) as pipe:
        yield lambda: _asked(pipe)


def _listen(pipe: Connection) -> None:
    found = []
    with _bus() as bus:
        pipe.send(None)
        while not pipe.poll():
            message = bus.recv(0.1)
            if message is not None and message.arbitration_id == CYCLIC:
                found.append(message.timestamp)
    pipe.recv()
    pipe.send(found)


def _asked(pipe: Connection) -> list[float]:
    pipe.send(None)
    found: list[float] = pipe.recv()
    return found


# --- round trip -----------------------------------------------------------------------------------


def _round_trip(trips: int) -> Measures:
    """From a program to a machine in a world and back, beside a program that does nothing but answer."""
    best, peer_best = float("inf"), float("inf")
    for _ in range(3):
        with _process(_build_echo):
            best = min(best, _trips(trips))
        with _other(_peer_echo):
            peer_best = min(peer_best, _trips(trips))
    return [_measure("round trip by a machine in a world (half)", round(best), "us", round(peer_best), 1.3)]


def _trips(count: int) -> float:
    """The median, in microseconds."""
    took = []
    with _bus() as bus:
        for number in range(count):
            began = time.perf_counter()
            bus.send(_message(ASKED, number.to_bytes(8, "little")))
            while (answer := bus.recv(5)) is not None and answer.arbitration_id != ANSWERED:
                pass
            assert answer is not None, "somebody answers"
            took.append((time.perf_counter() - began) * 1e6)
    return sorted(took)[count // 2]


def _build_echo() -> LiveWorld:
    world, line = _world()

    def answer(frame: CanFrame, now: Instant) -> None:
        if frame.id == ASKED:
            port.send(CanFrame(ANSWERED, frame.data))

    port = line.attach("machine", answer)
    return world


def _peer_echo(pipe: Connection) -> None:
    with _bus() as bus:
        pipe.send(None)
        while not pipe.poll():
            message = bus.recv(0.2)
            while message is not None:
                if message.arbitration_id == ASKED:
                    bus.send(_message(ANSWERED, message.data))
                message = bus.recv(0.2)


# --- a full bus -----------------------------------------------------------------------------------


def _full_bus(length: float) -> Measures:
    count = round(length * RATE)
    with tempfile.TemporaryDirectory() as folder:
        seen, ours = _recorded(Path(folder), count)
        logged, theirs = _peer_recorded(Path(folder), count)
    cores, peer = round(ours / length, 3), round(theirs / length, 3)
    return [
        _measure("full bus recorded and judged: lost", count - seen, "frames", count - logged, 0),
        _measure("full bus recorded and judged: processor", cores, "cores", peer, 0.5),
    ]


def _recorded(folder: Path, count: int) -> tuple[int, float]:
    """Frames seen, and seconds of processor of both processes."""
    messages = edition("2015")
    monitors, record = MonitorSet(edition="2015", readings=resolve({}, None)), Record(messages)
    writer = TraceWriter(folder, "full")
    seen = 0
    with _process(partial(build_listening, Listening((PORT,)))) as process, _other(_fill, count):
        began, now, over = time.process_time() + _used(process.pid), 0, False
        while not over:
            reply = process.execute(Advance(now + ms(250)))
            now = reply.now
            writer.write(reply.observations)
            record.add(reply.observations)
            monitors.feed(reply.observations)
            ids = [each.id for each in reply.observations if type(each) is FrameSeen]
            over = LAST in ids
            seen += len(ids) - over
        monitors.finish(now)
        used = time.process_time() + _used(process.pid) - began
    writer.close()
    return seen, used


def _peer_recorded(folder: Path, count: int) -> tuple[int, float]:
    """The same with python-can's reading and log file."""
    seen = 0
    with _bus() as bus, can.CanutilsLogWriter(folder / "peer.log") as log, _other(_fill, count):
        began = time.process_time()
        while (message := bus.recv(5)) is not None and message.arbitration_id != LAST:
            log.on_message_received(message)
            seen += 1
        return seen, time.process_time() - began


def _fill(pipe: Connection, count: int) -> None:
    """A session's CCS and BCL at their period, and strangers up to the full rate."""
    with _bus() as bus:
        time.sleep(1)
        began = time.perf_counter()
        for number in range(count):
            place = number % (RATE // 20)
            identifier = {0: CCS, 45: BCL}.get(place, 0x18FF0000 + place)
            bus.send(_message(identifier, number.to_bytes(8, "little")))
            if number % 18 == 17:
                time.sleep(max(0.0, began + number / RATE - time.perf_counter()))
        time.sleep(0.1)
        bus.send(_message(LAST, b""))
        pipe.recv()


def _used(pid: int) -> float:
    """Seconds of processor of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


# --- processes ------------------------------------------------------------------------------------


def _world() -> tuple[LiveWorld, FrameLine]:
    world = LiveWorld(0)
    line = open_line(world, PORT)
    assert line.kind == "can", "the port is one"
    return world, line


def _bus() -> can.BusABC:
    return can.Bus(interface=PORT.interface, channel=PORT.channel)


def _message(identifier: int, data: bytes | bytearray) -> can.Message:
    return can.Message(arbitration_id=identifier, data=data, is_extended_id=True)


def _ignore(frame: CanFrame, now: Instant) -> None:
    """A node that does not care."""


@contextmanager
def _process(build: Callable[[], LiveWorld]) -> Iterator[LiveProcess]:
    made = LiveProcess(build)
    try:
        yield made
    finally:
        made.execute(Close())


@contextmanager
def _other(run: Callable[..., None], *arguments: Any) -> Iterator[Connection]:
    """A process of the peer's, at the same priority as ours; what it sends first tells that it is there."""
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe()
    process = context.Process(target=_start, args=(far, run, arguments), daemon=True)
    process.start()
    near.recv()
    try:
        yield near
    finally:
        near.send(None)
        process.join(10)


def _start(pipe: Connection, run: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    with suppress(OSError):  # with all threads, unlike a world's process, which has none that matter
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    if run in (_fill, _peer_cyclic):
        pipe.send(None)
    run(pipe, *arguments)


def _measure(name: str, value: float, unit: str, peer: float | None, goal: float) -> dict[str, Any]:
    """Judged by the ratio where it is a time, else by the value itself."""
    ratio = round(value / peer, 2) if unit == "us" and peer else None
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "peer": None if peer is None else PEER,
        "peer_value": peer,
        "ratio": ratio,
        "goal": goal,
        "goal_is": "at most",
        "met": (value if ratio is None else ratio) <= goal,
    }


if __name__ == "__main__":
    short = "--quick" in sys.argv
    Path(sys.argv[1]).write_text(json.dumps(_all(10.0 if short else 60.0, 500 if short else 2_000)), "utf-8")
