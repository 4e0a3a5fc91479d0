"""Bare frames through the virtual CAN bus, beside python-can's ``virtual`` interface in the same run.

Both move the same frames from one node to one other in one thread. Ours gives each its bit time, arbitrates
and tells an observation; the peer puts a copy into a queue. Repeats are interleaved and the best of each
counts, so that a busy machine disturbs both alike.

The payloads are those of a charging session (a few hundred different ones that come again and again); a
second measure gives each frame a payload of its own, which spares ours nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import can

from hil.bus.can import VirtualCan
from hil.bus.observe import FrameSeen
from hil.codec.frame import CanFrame
from hil.world.queue import EventQueue

FRAMES = 30_000
REPEATS = 5
GOAL = 1.5
_BURST = 32
"""Frames queued at a time, so that the bus is never idle and no queue overflows."""


def frames(different: int) -> list[CanFrame]:
    """``FRAMES`` frames with that many different payloads."""
    return [
        CanFrame(0x1812F456, (index % different).to_bytes(4, "little") + b"\x0c\x00\xfd") for index in range(FRAMES)
    ]


def ours(sent: list[CanFrame]) -> float:
    """Frames per second through the virtual bus."""
    queue = EventQueue()
    seen: list[object] = []
    received: list[CanFrame] = []
    bus = VirtualCan(queue, sink=seen.append)
    sender = bus.attach("charger", lambda frame, now: None)
    bus.attach("bms", lambda frame, now: received.append(frame))
    span = _BURST * 160 * bus.bit
    began = time.perf_counter()
    for first in range(0, len(sent), _BURST):
        for frame in sent[first : first + _BURST]:
            sender.send(frame)
        queue.run(queue.now + span)
    took = time.perf_counter() - began
    assert received == sent
    assert sum(isinstance(one, FrameSeen) for one in seen) == len(sent)
    return len(sent) / took


def peer(sent: list[CanFrame]) -> float:
    """Frames per second through python-can's virtual interface."""
    messages = [can.Message(arbitration_id=frame.id, data=frame.data, is_extended_id=True) for frame in sent]
    channel = "benchmark"
    with (
        can.Bus(interface="virtual", channel=channel) as sender,
        can.Bus(interface="virtual", channel=channel) as receiver,
    ):
        began = time.perf_counter()
        for message in messages:
            sender.send(message)
            assert receiver.recv(0) is not None
        took = time.perf_counter() - began
    return len(sent) / took


def interleaved(first: Callable[[], float], second: Callable[[], float], repeats: int) -> tuple[float, float]:
    """The best of each over repeats in turn."""
    runs = [(first(), second()) for _ in range(repeats)]
    return max(one for one, _ in runs), max(other for _, other in runs)


def measures(*, quick: bool = False) -> list[dict[str, object]]:
    """What was measured, each with its peer, ratio and goal; ``quick`` moves the frames once only."""
    found: list[dict[str, object]] = []
    repeats = 1 if quick else REPEATS
    for name, different in (("bus frames, session payloads", 300), ("bus frames, every payload new", FRAMES)):
        sent = frames(different)
        value, peer_value = interleaved(partial(ours, sent), partial(peer, sent), repeats)
        ratio = value / peer_value
        found.append(
            {
                "name": name,
                "value": round(value),
                "unit": "frames/s",
                "peer": "python-can virtual",
                "peer_value": round(peer_value),
                "ratio": round(ratio, 2),
                "goal": GOAL,
                "met": ratio >= GOAL,
            }
        )
    return found


def main() -> None:
    """Print the measures."""
    for one in measures():
        print(
            f"{one['name']}: {one['value']:,} {one['unit']}, {one['peer']} {one['peer_value']:,}, "
            f"ratio {one['ratio']} (goal {one['goal']}, {'met' if one['met'] else 'missed'})"
        )


if __name__ == "__main__":
    main()
