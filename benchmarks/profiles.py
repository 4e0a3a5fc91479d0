"""Whole sessions a second: a load profile of 60 s in a fresh world, judged by every invariant.

The peer is python-can's ``virtual`` interface moving as many bare frames as those sessions had. Both take turns,
and of each the best of the repeats counts.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks.session import PEER, peer
from hil.bench.profiles import judged, replay
from hil.bench.setup import Setup
from hil.bench.twin import Twin
from hil.conformance.register import resolve
from hil.profile.model import LoadProfile, Segment
from hil.world.observation import FrameSeen

SESSIONS = 30
QUICK_SESSIONS = 6
REPEATS = 3
RATIO_GOAL = 0.8
"""A fresh world, handshake, plant and judging included; bare frames go to as many receivers as ours."""
RATE_GOAL = 30
"""Sessions a second on one idle core; only the ratio is judged, which a busy machine leaves as it is."""
CURRENTS = (100.0, 40.0, 180.0, 0.0, 220.0, 60.0)


def profile(number: int) -> LoadProfile:
    """60 s of changing demand."""
    turned = CURRENTS[number % 6 :] + CURRENTS[: number % 6]
    segments = tuple(Segment(duration=10.0, current=current, voltage=394.2) for current in turned)
    return LoadProfile(name=f"benchmark {number}", segments=segments, seed=number)


def measures(*, quick: bool = False) -> list[dict[str, Any]]:
    """Sessions a second, and the ratio to the peer."""
    count = QUICK_SESSIONS if quick else SESSIONS
    ours, theirs = 0.0, 0.0
    for number in range(count):
        turns = [_turn(number) for _ in range(REPEATS)]
        ours += min(took for took, _ in turns)
        theirs += min(took for _, took in turns)
    ratio = theirs / ours
    return [
        {
            "name": f"load profiles of 60 s, replayed and judged (idle core: {RATE_GOAL}/s)",
            "value": round(count / ours, 1),
            "unit": "sessions/s",
            "peer": f"{PEER}, bare frames to two receivers",
            "peer_value": round(count / theirs, 1),
            "ratio": round(ratio, 2),
            "goal": RATIO_GOAL,
            "met": ratio >= RATIO_GOAL,
        }
    ]


def _turn(number: int) -> tuple[float, float]:
    """Seconds of one session, and of as many bare frames."""
    twin = Twin(Setup(readings=resolve({})))
    began = time.perf_counter()
    bench = twin.open(profile(number))
    replay(bench, profile(number))
    measured = judged(bench)
    took = time.perf_counter() - began
    assert measured["LP.01"], "something was judged"
    frames = sum(type(each) is FrameSeen for each in bench.record.observations)
    bench.close()
    return took, peer(frames, 2)
