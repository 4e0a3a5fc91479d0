"""A live world goes on between two commands: what comes meanwhile is news to the next one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hil.errors import UsageError
from hil.transport.live import LiveWorld
from hil.units import Instant, ms, s
from hil.world.observation import BytesSeen, Note, Sample
from hil.world.plan import Advance, Close, Do, OnBytes, OnMessage, OnNote, Plan, Rule, Stimulate

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


def _done(world: LiveWorld) -> Note:
    note = Note(world.queue.now, "master", "done")
    world.see(note)
    return note


@pytest.mark.parametrize("later", [Do(()), Plan((Rule("other", OnNote("never", "comes"), ()),))])
def test_what_came_while_a_case_was_still_giving_its_orders_ends_the_wait_for_it(
    world: LiveWorld, later: Do | Plan
) -> None:
    """In a virtual world no time passes between them."""
    world.execute(Advance(0))
    world.execute(Do(()))
    _done(world)
    world.execute(later)
    assert world.execute(Advance(world.queue.now, (DONE,))).stopped_by == 0
    assert world.execute(Advance(world.queue.now, (DONE,))).stopped_by is None, "once"


def test_what_came_before_a_case_gave_its_first_order_is_no_answer_to_it(world: LiveWorld) -> None:
    world.execute(Advance(0))
    _done(world)
    world.execute(Do(()))
    world.execute(Do(()))
    assert world.execute(Advance(world.queue.now, (DONE,))).stopped_by is None


class Still:
    """A plant in which nothing happens, whatever is done to it."""

    def sense(self, name: str, now: Instant) -> float:
        return 0.0

    def actuate(self, name: str, value: float, now: Instant) -> None: ...

    stimulate = actuate

    def check_stimulus(self, name: str, value: float) -> None: ...

    def go_safe(self, now: Instant) -> None: ...

    wake = go_safe

    def next_deadline(self) -> Instant | None:
        return None

    def take_samples(self) -> list[Sample]:
        return []

    def take_changes(self) -> list[tuple[Instant, str, float]]:
        return []


def test_what_an_order_itself_notes_is_no_news(world: LiveWorld) -> None:
    """As in a virtual world, where that was noted before the wait began."""
    world.add_plant(Still())
    world.execute(Advance(0))
    for _ in range(2):
        world.execute(Do((Stimulate("plugged", 1.0),)))
    assert world.execute(Advance(world.queue.now, (OnNote("stimulus", "plugged = 1"),))).stopped_by is None


def test_a_wait_counts_on_from_what_came_before_it(world: LiveWorld) -> None:
    twice = OnBytes("line", starts="68", count=2)
    world.execute(Advance(0))
    for _ in range(2):
        world.see(BytesSeen(world.queue.now, "line", "meter", b"\x68", 0))
        now = world.queue.now
        world.queue.at(now + ms(5), lambda: world.see(BytesSeen(world.queue.now, "line", "meter", b"\x68", 0)))
        assert world.execute(Advance(now + ms(50), (twice,))).stopped_by == 0
