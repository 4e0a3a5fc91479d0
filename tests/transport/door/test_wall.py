"""Guests that live by the wall clock, which is a hand-made one here."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import can
import pytest

from hil.bus.can import VirtualCan
from hil.errors import UsageError
from hil.transport.clock import Clock, WallClock
from hil.transport.door import Door, DoorBus
from hil.units import Instant, Span, ms, s
from hil.world.observation import Note, Observation
from hil.world.plan import Advance
from hil.world.virtual import VirtualWorld

GUARD = 30.0
"""s after which a test that hangs fails."""


class HandClock(Clock):
    """Stands still until somebody waits, and is then where the wait ends."""

    def __init__(self) -> None:
        self.t: Instant = s(1000)

    def now(self) -> Instant:
        return self.t

    def wait(self, changed: threading.Condition, span: Span | None) -> None:
        assert span is not None, "nobody would notify"
        self.t += span


class Free(HandClock):
    """The same for several threads, which get a turn at each wait."""

    def wait(self, changed: threading.Condition, span: Span | None) -> None:
        if span is None:
            changed.wait(GUARD)
        else:
            changed.wait(0)
            self.t += span


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def seen() -> list[Observation]:
    return []


def make_door(clock: Clock, seen: list[Observation], pace: str = "wall") -> Door:
    world = VirtualWorld(0)
    world.add_line(VirtualCan(world.queue, name="can0", sink=world.see))
    return Door("test", world, pace=pace, clock=clock, sink=seen.extend)  # type: ignore[arg-type]  # one of the paces


@pytest.fixture
def door(clock: HandClock, seen: list[Observation]) -> Iterator[Door]:
    with make_door(clock, seen) as door:
        yield door


def message(identifier: int) -> can.Message:
    return can.Message(arbitration_id=identifier, is_extended_id=False)


def paced(seen: list[Observation]) -> list[Note]:
    return [each for each in seen if isinstance(each, Note) and each.kind == "paced"]


def test_the_world_follows_the_clock(door: Door, clock: HandClock) -> None:
    with DoorBus(door) as bus:
        assert bus.recv(0.5) is None
        assert clock.t == s(1000.5)
        assert bus.now == 0.5
        clock.t += ms(250)
        assert bus.recv(0) is None
        assert bus.now == 0.75


def test_a_frame_is_received_when_its_time_has_come(door: Door, clock: HandClock) -> None:
    with DoorBus(door) as sender, DoorBus(door) as receiver:
        clock.t += ms(100)
        sender.send(message(0x100))
        assert receiver.recv(0) is None, "it has only begun"
        got = receiver.recv(1.0)
        assert got is not None
        assert 0.1 < got.timestamp < 0.101
        assert clock.t == s(1000) + round(got.timestamp * 1e9), "nobody waited longer than for this"


def test_what_happened_while_nobody_called_is_caught_up(door: Door, clock: HandClock) -> None:
    with DoorBus(door) as sender, DoorBus(door) as receiver:
        sender.send_periodic(message(0x100), 0.1)
        clock.t += s(1)
        times = []
        while (got := receiver.recv(0)) is not None:
            times.append(got.timestamp)
        assert [round(each - times[0], 9) for each in times] == pytest.approx([number / 10 for number in range(10)])


def test_own_messages_and_received_ones_come_in_order(door: Door, clock: HandClock) -> None:
    with DoorBus(door, receive_own_messages=True) as first, DoorBus(door) as second:
        for number in (1, 3):
            first.send(message(number))
        for number in (2, 4):
            second.send(message(number))
        clock.t += s(1)
        assert [got.arbitration_id for got in iter(lambda: first.recv(0), None)] == [1, 2, 3, 4]


def test_a_full_controller_makes_its_program_wait(door: Door, clock: HandClock) -> None:
    with DoorBus(door) as sender, DoorBus(door) as receiver:
        for number in range(100):
            sender.send(message(number))
        assert clock.t > s(1000)
        clock.t += s(1)
        assert len(list(iter(lambda: receiver.recv(0), None))) == 100


def test_time_passes_by_itself(door: Door) -> None:
    with pytest.raises(UsageError, match="time passes by itself"):
        door.execute(Advance(s(1)))


def test_the_trace_says_that_it_is_not_repeatable(door: Door, seen: list[Observation]) -> None:
    with DoorBus(door) as bus:
        bus.recv(0.1)
    assert [(each.t, each.what, each.details) for each in paced(seen)] == [
        (0, "by the wall clock, not deterministic", {"bus": "can0", "why": "it was asked for"})
    ]


@pytest.mark.parametrize(("first", "then"), [("wall", "lockstep"), ("lockstep", "wall")])
def test_paces_do_not_mix(clock: HandClock, first: str, then: str) -> None:
    with make_door(clock, [], first) as door, DoorBus(door):
        with pytest.raises(can.CanInitializationError, match=r"lockstep"):
            DoorBus(door, pace=then)  # type: ignore[arg-type]  # one of the paces
        DoorBus(door, pace="auto").shutdown()


def test_a_guest_may_ask_for_the_wall_clock_later(clock: HandClock, seen: list[Observation]) -> None:
    with make_door(clock, seen, "auto") as door, DoorBus(door) as first:
        assert first.recv(2.0) is None
        assert clock.t == s(1000), "so far in lockstep"
        with DoorBus(door, pace="wall"):
            assert first.recv(2.0) is None
        assert clock.t == s(1002)
        assert first.now == 4.0
    assert [each.t for each in paced(seen)] == [s(2)]


# --- threads ----------------------------------------------------------------------------------------


def test_a_second_thread_turns_lockstep_into_the_wall_clock(seen: list[Observation]) -> None:
    with make_door(Free(), seen, "auto") as door, DoorBus(door) as sender, DoorBus(door) as receiver:
        assert sender.pace == "lockstep"
        reader = can.BufferedReader()
        with can.Notifier(receiver, [reader], timeout=0.1):
            sender.send(message(0x100))
            got = reader.get_message(GUARD)
        assert got is not None
        assert got.arbitration_id == 0x100
        assert sender.pace == "wall"
    (note,) = paced(seen)
    assert str(note.details["why"]).startswith("thread 'Notifier for bus")


def test_a_thread_that_has_ended_is_no_second_one(clock: HandClock) -> None:
    with make_door(clock, [], "auto") as door:
        made: list[DoorBus] = []
        thread = threading.Thread(target=lambda: made.append(DoorBus(door)))
        thread.start()
        thread.join(GUARD)
        assert made[0].recv(1.0) is None
        assert made[0].pace == "lockstep"
        made[0].shutdown()


def test_shutdown_wakes_who_waits() -> None:
    told: list[Exception] = []
    waits = threading.Event()

    class Telling(WallClock):
        def wait(self, changed: threading.Condition, span: Span | None) -> None:
            waits.set()
            super().wait(changed, span)

    def listen(bus: DoorBus) -> None:
        try:
            bus.recv()
        except can.CanOperationError as error:
            told.append(error)

    with make_door(Telling(), []) as door:
        bus = DoorBus(door)
        thread = threading.Thread(target=listen, args=(bus,), daemon=True)
        thread.start()
        assert waits.wait(GUARD)
        bus.shutdown()
        thread.join(GUARD)
        assert not thread.is_alive()
    assert "shut down by another thread" in str(told[0])


def test_a_frame_wakes_who_waits_without_a_limit() -> None:
    got: list[can.Message | None] = []
    waits = threading.Event()

    class Telling(WallClock):
        def wait(self, changed: threading.Condition, span: Span | None) -> None:
            waits.set()
            super().wait(changed, span)

    with make_door(Telling(), []) as door, DoorBus(door) as sender, DoorBus(door) as receiver:
        thread = threading.Thread(target=lambda: got.append(receiver.recv()), daemon=True)
        thread.start()
        assert waits.wait(GUARD)
        sender.send(message(0x100))
        thread.join(GUARD)
        assert not thread.is_alive()
    assert got[0] is not None
    assert got[0].arbitration_id == 0x100
