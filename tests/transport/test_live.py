"""A live world goes on between two commands: what comes meanwhile is news to the next one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hil.errors import UsageError
from hil.transport.live import LiveWorld
from hil.units import s
from hil.world.observation import BytesSeen, Note
from hil.world.plan import Advance, Close, OnBytes, OnMessage, OnNote

FAR_OFF = s(3600)
DONE = OnNote("master", "done")


@pytest.fixture
def world() -> Iterator[LiveWorld]:
    made = LiveWorld(0)
    yield made
    made.execute(Close())


def test_what_came_since_the_last_answer_ends_a_wait_at_once(world: LiveWorld) -> None:
    world.execute(Advance(0))
    world.see(Note(world.queue.now, "master", "done"))
    reply = world.execute(Advance(FAR_OFF, (OnNote("master", "other"), DONE)))
    assert reply.stopped_by == 1
    assert reply.now < FAR_OFF
    assert [seen.what for seen in reply.observations if isinstance(seen, Note)] == ["done"]


def test_what_was_told_already_does_not(world: LiveWorld) -> None:
    world.see(Note(world.queue.now, "master", "done"))
    told = world.execute(Advance(0))
    assert len(told.observations) == 1
    assert world.execute(Advance(world.queue.now, (DONE,))).stopped_by is None


def test_what_can_never_come_is_refused(world: LiveWorld) -> None:
    with pytest.raises(UsageError, match="no message 'CMH'"):
        world.execute(Advance(0, (OnMessage("CMH"),)))


def test_it_counts_as_often_as_it_has_to_come(world: LiveWorld) -> None:
    world.execute(Advance(0))
    world.see(BytesSeen(world.queue.now, "line", "meter", b"\x68", 0))
    twice = OnBytes("line", starts="68", count=2)
    now = world.queue.now
    assert world.execute(Advance(now, (twice,))).stopped_by is None
    for _ in range(2):
        world.see(BytesSeen(world.queue.now, "line", "meter", b"\x68", 0))
    assert world.execute(Advance(now, (twice,))).stopped_by == 0
