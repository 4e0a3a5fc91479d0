"""``hil check`` on a log of 200,000 frames, beside python-can's bare reader on the same file.

``python -m benchmarks.check`` prints the table. The peer only reads: it makes a ``can.Message`` of every
frame and forgets it. Ours reads through the same reader, assembles transfers and judges every monitor.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import can

from hil.bench.actions import stimulate
from hil.bench.setup import Setup, build
from hil.check import check_log
from hil.units import seconds
from hil.world.observation import FrameSeen
from hil.world.plan import Advance, Do

FRAMES = 200_000
QUICK_FRAMES = 10_000
REPEATS = 3
GOAL = 4.0
_READERS: dict[str, Any] = {".log": can.CanutilsLogReader, ".blf": can.BLFReader}


def measures(*, quick: bool = False) -> list[dict[str, Any]]:
    """One entry a format: frames per second, the best of interleaved repeats; ratio is our time by the peer's.

    ``quick`` takes a shorter log.
    """
    frames = QUICK_FRAMES if quick else FRAMES
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"session{suffix}" for suffix in _READERS]
        _write(paths, frames)
        return [_measure(path, frames) for path in paths]


def _measure(path: Path, frames: int) -> dict[str, Any]:
    ours, peers = [], []
    for _ in range(REPEATS):
        peers.append(_time(lambda: _read(path, frames)))
        ours.append(_time(lambda: _judge(path, frames)))
    ratio = min(ours) / min(peers)
    return {
        "name": f"check a log ({path.suffix[1:]})",
        "value": round(frames / min(ours)),
        "unit": "frames/s",
        "peer": f"python-can {_READERS[path.suffix].__name__}, reading only",
        "peer_value": round(frames / min(peers)),
        "ratio": round(ratio, 2),
        "goal": GOAL,
        "goal_is": "at most",
        "met": ratio <= GOAL,
    }


def _time(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _read(path: Path, frames: int) -> None:
    with _READERS[path.suffix](str(path)) as reader:
        count = sum(1 for _ in reader)
    assert count == frames, count


def _judge(path: Path, frames: int) -> None:
    check = check_log(path)
    assert check.frames == frames, check.frames
    assert not check.failed, check.failed


def _write(paths: list[Path], frames: int) -> None:
    """A session of the virtual bench, charging until there are enough frames."""
    world = build(Setup(seed=1, soc=30.0, vehicle="truck-lfp-800v"))
    world.execute(Do((stimulate("plugged", 1),)))
    world.execute(Do((stimulate("start_press", 1),)))
    writers: list[Any] = [can.Logger(str(path)) for path in paths]
    now, count = 0, 0
    while count < frames:
        now += 10_000_000_000
        for seen in world.execute(Advance(now, ())).observations:
            if isinstance(seen, FrameSeen) and count < frames:
                count += 1
                message = can.Message(
                    timestamp=1_700_000_000 + seconds(seen.t),
                    arbitration_id=seen.id,
                    is_extended_id=seen.extended,
                    data=seen.data,
                )
                for writer in writers:
                    writer.on_message_received(message)
    for writer in writers:
        writer.stop()


def main() -> None:
    """Print the table."""
    for each in measures():
        print(
            f"{each['name']:24} {each['value']:10,.0f} {each['unit']}  peer {each['peer_value']:10,.0f}  "
            f"ratio {each['ratio']:.2f} (at most {each['goal']})  {'met' if each['met'] else 'MISSED'}"
        )


if __name__ == "__main__":
    main()
