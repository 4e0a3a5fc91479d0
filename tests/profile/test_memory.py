"""Memory of a world does not grow with the length of a profile: what a session needs is given back as it goes on."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from hil.bench.profiles import begin
from hil.bench.twin import Twin
from hil.profile import LoadProfile
from hil.profile.events import Lose, Pause, Reset
from hil.units import Instant, minutes
from hil.world.pipe import World
from hil.world.plan import Advance, Command, Reply

Make = Callable[..., LoadProfile]
Open = Callable[..., Twin]
MOST = 64 * 1024
"""Bytes by which a world may grow in ten minutes; 40,000 frames would take a hundred times that."""
ROUND = (
    (7.0, 100.0),
    (6.0, 40.0, Pause(at=1.0, span=2.0)),
    (12.0, 90.0, Lose(at=2.0, messages=("BCL",), span=1.5)),
    (15.0, 60.0, Reset(at=3.0, span=1.5)),
)
"""40 s."""


class Forgetful:
    """A world whose observations nobody keeps; ``leak`` keeps them after all."""

    def __init__(self, world: World, leak: list[object] | None = None) -> None:
        self._world = world
        self._leak = leak

    def execute(self, command: Command) -> Reply:
        """Carry out, and forget what was seen."""
        reply = self._world.execute(command)
        if self._leak is not None:
            self._leak += reply.observations
        return replace(reply, observations=[])


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def growth(twin: Twin, profile: LoadProfile, leak: list[object] | None = None) -> int:
    """Bytes by which everything grows from the third to the thirteenth minute of a session."""
    bench = twin.open(profile)
    bench.adopt(Forgetful(twin.world(profile), leak))
    assert begin(bench, profile)
    start = bench.now
    held = [_held(bench.execute, start + minutes(minute)) for minute in (3, 13)]
    bench.close()
    return held[1] - held[0]


def _held(execute: Callable[[Command], Reply], until: Instant) -> int:
    while execute(Advance(until, ())).now < until:
        pass
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.usefixtures("traced")
def test_a_long_profile_takes_no_more_memory_than_a_short_one(make: Make, twin: Open) -> None:
    profile = make(*ROUND * 20)
    assert profile.span > minutes(13)
    tracemalloc.stop()
    growth(twin(), profile)  # fills what is kept of frames that come again: at most so many, for all worlds together
    tracemalloc.start()

    assert growth(twin(), profile) < MOST


@pytest.mark.usefixtures("traced")
def test_a_world_that_keeps_what_it_has_told_would_be_seen(make: Make, twin: Open) -> None:
    assert growth(twin(), make(*ROUND * 20), leak=[]) > 10 * MOST
