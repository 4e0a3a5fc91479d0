"""The live queue: order by time stamp, input before what is due later, and how it is interrupted."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from hil.transport.queue import LiveQueue
from hil.units import Instant, ms, s


class Clock:
    """A clock that the test moves; it also moves a little whenever it is asked, as waiting would."""

    def __init__(self) -> None:
        self.now: Instant = s(1000)
        self.step: Instant = ms(1)

    def __call__(self) -> Instant:
        self.now += self.step
        return self.now


class Pipe:
    """A source whose input carries time stamps."""

    def __init__(self, queue: LiveQueue, told: list[str]) -> None:
        self._queue = queue
        self._told = told
        self.read, self.write = os.pipe()

    def fileno(self) -> int:
        return self.read

    def put(self, name: str, stamp: Instant) -> None:
        os.write(self.write, f"{name} {stamp}\n".encode())

    def take_in(self) -> None:
        for line in os.read(self.read, 4096).decode().splitlines():
            name, stamp = line.split()
            self._queue.at_stamp(int(stamp), lambda name=name: self._told.append(name))  # type: ignore[misc]  # bound now


@pytest.fixture
def queue() -> Iterator[LiveQueue]:
    made = LiveQueue(Clock())
    yield made
    made.close()


@pytest.fixture
def pipe(queue: LiveQueue) -> Iterator[Pipe]:
    source = Pipe(queue, [])
    queue.add_source(source)
    yield source
    os.close(source.read)
    os.close(source.write)


def test_events_are_served_at_their_instants_in_order(queue: LiveQueue) -> None:
    served: list[tuple[str, Instant]] = []
    queue.at(ms(30), lambda: served.append(("later", queue.now)))
    queue.at(ms(10), lambda: served.append(("first", queue.now)))
    queue.at(ms(10), lambda: served.append(("second", queue.now)))
    queue.run(ms(50))
    assert served == [("first", ms(10)), ("second", ms(10)), ("later", ms(30))]
    assert queue.now == ms(50)
    assert queue.real() >= ms(50), "the clock has come so far too"


def test_no_event_is_served_before_its_instant(queue: LiveQueue) -> None:
    seen: list[Instant] = []
    queue.at(ms(20), lambda: seen.append(queue.real()))
    queue.run(ms(40))
    assert seen[0] >= ms(20)


def test_what_came_in_while_the_process_stood_still_comes_before_what_was_due_later(
    queue: LiveQueue, pipe: Pipe
) -> None:
    """A frame of 5 ms in the buffer is served before a time-out of 20 ms, although both are found at 500 ms."""
    told = pipe._told
    queue.at(ms(20), lambda: told.append("time-out"))
    pipe.put("frame", ms(5))
    clock = queue._clock
    assert isinstance(clock, Clock)
    clock.now += ms(500)
    queue.run(ms(600))
    assert told == ["frame", "time-out"]


def test_a_stamp_of_the_future_or_of_what_is_over_is_served_now(queue: LiveQueue, pipe: Pipe) -> None:
    queue.run(ms(50))
    pipe.put("past", ms(1))
    pipe.put("future", s(5000))
    queue.run(ms(100))
    assert pipe._told == ["past", "future"]


def test_a_source_that_was_removed_is_read_no_more(queue: LiveQueue, pipe: Pipe) -> None:
    queue.remove_source(pipe)
    pipe.put("late", ms(1))
    queue.run(ms(20))
    assert pipe._told == []


def test_a_thread_wakes_the_queue(queue: LiveQueue) -> None:
    brought: list[str] = []
    queue.add_thread(lambda: brought.append("taken"))
    clock = queue._clock
    assert isinstance(clock, Clock)
    clock.step = 0  # only the bell can end the wait of a second
    queue.interrupted = lambda: bool(brought)
    thread = threading.Thread(target=queue.bell.ring)
    thread.start()
    queue.run(s(3600))
    thread.join()
    assert brought == ["taken"]


def test_a_stop_ends_the_run_at_the_event(queue: LiveQueue) -> None:
    queue.at(ms(10), queue.stop)
    queue.at(ms(11), lambda: pytest.fail("it was stopped"))
    queue.run(ms(10))
    assert queue.now == ms(10)
