"""Guests in lockstep: time stands still while they work and passes exactly as far as they wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import can
import pytest

from hil.bus.can import VirtualCan
from hil.bus.faults import BusOff, Disconnect
from hil.errors import UsageError
from hil.transport.clock import Clock
from hil.transport.door import Door, DoorBus, NothingMore
from hil.units import Span, s
from hil.world.observation import Note, Observation
from hil.world.plan import Do, Inject, UndoFault
from hil.world.virtual import VirtualWorld

BIT = 4e-6
"""s at 250 kbit/s."""
GUARD = 30.0
"""s after which a test that hangs fails."""


def make_door(**options: object) -> Door:
    world = VirtualWorld(0)
    world.add_line(VirtualCan(world.queue, name="can0", sink=world.see))
    return Door("test", world, **options)  # type: ignore[arg-type]  # options of the one call that a test is about


@pytest.fixture
def door() -> Iterator[Door]:
    with make_door() as door:
        yield door


def message(identifier: int, data: bytes = b"", **more: object) -> can.Message:
    return can.Message(arbitration_id=identifier, data=data, is_extended_id=False, **more)  # type: ignore[arg-type]  # fields of one message


# --- sending and receiving --------------------------------------------------------------------------


def test_a_frame_takes_its_bits(door: Door) -> None:
    with DoorBus(door) as sender, DoorBus(door) as receiver:
        sender.send(message(0x555))
        got = receiver.recv(1.0)
        assert got is not None
        # SOF to end of frame without data: 44 bits. 0x555 alternates; RTR, IDE, r0 and the DLC of 0 are seven dominant
        # bits, so one stuff bit goes in; the CRC of this frame, 0x2DF3 or not, can only add to that.
        bits = round(got.timestamp / BIT)
        assert 45 <= bits <= 48
        assert got.timestamp == pytest.approx(bits * BIT, abs=1e-12)
        assert (got.arbitration_id, got.is_extended_id, got.dlc, got.is_rx, got.channel) == (
            0x555,
            False,
            0,
            True,
            "can0",
        )


def test_time_passes_as_far_as_a_guest_waits(door: Door) -> None:
    with DoorBus(door) as bus:
        assert bus.recv(0.25) is None
        assert bus.now == 0.25
        assert bus.recv(0) is None
        assert bus.now == 0.25


def test_a_frame_ends_the_wait_of_its_receiver(door: Door) -> None:
    with DoorBus(door) as sender, DoorBus(door) as receiver:
        sender.send(message(0x100))
        got = receiver.recv(10.0)
        assert got is not None
        assert receiver.now == got.timestamp


def test_identifiers_arbitrate(door: Door) -> None:
    with DoorBus(door) as first, DoorBus(door) as second, DoorBus(door) as receiver:
        first.send(message(0x300))
        second.send(message(0x100))
        first.send(message(0x200))
        assert [got.arbitration_id for got in receiver] == [0x100, 0x200, 0x300]


def test_filters_choose_what_is_received(door: Door) -> None:
    with (
        DoorBus(door) as sender,
        DoorBus(door, can_filters=[{"can_id": 0x100, "can_mask": 0x700}]) as receiver,
    ):
        for identifier in (0x0FF, 0x123, 0x1FF, 0x200):
            sender.send(message(identifier))
        assert [got.arbitration_id for got in receiver] == [0x123, 0x1FF]
        receiver.set_filters([{"can_id": 0x200, "can_mask": 0x7FF, "extended": True}])
        sender.send(message(0x200))
        sender.send(can.Message(arbitration_id=0x200, is_extended_id=True))
        assert [got.is_extended_id for got in receiver] == [True]


def test_own_messages_come_back_only_where_wanted(door: Door) -> None:
    with DoorBus(door, receive_own_messages=True) as loud, DoorBus(door) as quiet:
        loud.send(message(0x10))
        quiet.send(message(0x20))
        assert [(got.arbitration_id, got.is_rx) for got in loud] == [(0x10, False), (0x20, True)]
        assert [got.arbitration_id for got in quiet] == [0x10]


def test_a_full_controller_makes_its_program_wait(door: Door) -> None:
    with DoorBus(door) as sender, DoorBus(door) as receiver:
        for number in range(200):
            sender.send(message(number, bytes(8)))
        assert sender.now > 0
        assert [got.arbitration_id for got in receiver] == list(range(200))


def test_a_full_controller_gives_up_after_the_time_out(door: Door) -> None:
    with DoorBus(door) as lonely:
        for number in range(32):
            lonely.send(message(number), timeout=0.5)
        assert lonely.now == 0
        with pytest.raises(can.CanOperationError, match="no room"):
            lonely.send(message(1), timeout=0.5)
        assert lonely.now == 0.5
        with pytest.raises(can.CanOperationError, match="no room"):
            lonely.send(message(1))
        lonely.flush_tx_buffer()
        lonely.send(message(2))


def test_what_was_sent_goes_out_after_shutdown(door: Door) -> None:
    with DoorBus(door) as receiver:
        sender = DoorBus(door)
        for number in range(3):
            sender.send(message(number))
        sender.shutdown()
        sender.shutdown()
        assert [got.arbitration_id for got in receiver] == [0, 1, 2]
        assert len(door.line.ports) == 1, "then its node has left"


def test_a_guest_whose_frames_were_taken_back_leaves_at_once(door: Door) -> None:
    with DoorBus(door) as lonely:
        for number in range(3):
            lonely.send(message(number))
        lonely.flush_tx_buffer()
    assert door.line.ports == []


def test_a_guest_that_lost_its_frames_to_bus_off_leaves_at_once(door: Door) -> None:
    with DoorBus(door, node="mine") as bus:
        for number in range(3):
            bus.send(message(number))
        door.execute(Do((Inject(BusOff(name="off", sender="mine")),)))
    assert door.line.ports == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (message(0x100, is_fd=True), "CAN FD"),
        (message(0x100, is_remote_frame=True), "remote"),
        (message(0x100, is_error_frame=True), "error frame"),
        (message(0x800), "0x800: 0..0x7FF"),
        (message(0x100, bytes(9)), "9 bytes"),
    ],
)
def test_what_classic_can_does_not_carry_is_refused(door: Door, wrong: can.Message, said: str) -> None:
    with DoorBus(door) as bus, pytest.raises(can.CanOperationError, match=said):
        bus.send(wrong)


def test_a_bus_that_is_shut_down_is_of_no_use(door: Door) -> None:
    bus = DoorBus(door)
    bus.shutdown()
    with pytest.raises(can.CanOperationError, match="shut down"):
        bus.recv(1.0)
    with pytest.raises(can.CanOperationError, match="shut down"):
        bus.send(message(1))


def test_a_closed_world_is_told(door: Door) -> None:
    bus = DoorBus(door)
    door.close()
    with pytest.raises(can.CanOperationError, match="closed"):
        bus.recv(1.0)
    bus.shutdown()


# --- never a hang -----------------------------------------------------------------------------------


def test_waiting_for_nothing_is_told(door: Door) -> None:
    with DoorBus(door) as bus:
        with pytest.raises(NothingMore, match="nothing is left to happen"):
            bus.recv()
        assert bus.now == 0
        assert list(bus) == []


def test_waiting_while_things_happen_silently_has_an_end(door: Door) -> None:
    def again() -> None:
        door.schedule(again, s(600))

    with DoorBus(door) as bus:
        door.schedule(again)
        with pytest.raises(NothingMore, match="silent for 60 min"):
            bus.recv()
        assert bus.now == 3600


def test_a_program_that_only_polls_lives_by_the_wall_clock() -> None:
    seen: list[Observation] = []
    with make_door(sink=seen.extend) as door, DoorBus(door) as bus:
        for _ in range(999):
            assert bus.recv(0) is None
        assert bus.pace == "lockstep"
        assert bus.recv(0) is None
        assert bus.pace == "wall"
    assert "1000 calls in a row" in str(paced(seen).details["why"])


def test_a_program_that_only_polls_is_told_so_where_lockstep_was_asked_for(door: Door) -> None:
    with DoorBus(door, pace="lockstep") as bus:
        for _ in range(999):
            bus.recv(0)
        with pytest.raises(can.CanOperationError, match="time passes only while"):
            bus.recv(0)


def test_a_callback_of_the_world_cannot_wait(door: Door) -> None:
    with DoorBus(door) as bus:
        door.schedule(lambda: bus.recv(1.0))  # type: ignore[arg-type]  # what it returns is nobody's
        with pytest.raises(can.CanOperationError, match="callback"):
            bus.recv(1.0)


def paced(seen: list[Observation]) -> Note:
    notes = [each for each in seen if isinstance(each, Note) and each.kind == "paced"]
    assert len(notes) == 1, "told once"
    return notes[0]


# --- errors -----------------------------------------------------------------------------------------


def state(bus: DoorBus) -> str:
    return bus.state.name


def test_a_controller_tells_its_errors(door: Door) -> None:
    with DoorBus(door) as lonely:
        assert state(lonely) == "ACTIVE"
        lonely.send(message(0x100))
        told = list(lonely)
        assert all(each.is_error_frame for each in told)
        assert [each.arbitration_id & 0x20 > 0 for each in told[:2]] == [True, True], (
            "no acknowledge (linux/can/error.h)"
        )
        assert told[-1].data[1] & 0x30, "error-passive"
        assert told[-1].data[6] == 128, "transmit error counter"
        assert state(lonely) == "PASSIVE"
        with DoorBus(door) as listener:
            got = listener.recv()
            assert got is not None
            assert got.arbitration_id == 0x100


def test_errors_are_left_out_where_they_are_not_wanted(door: Door) -> None:
    with DoorBus(door, ignore_rx_error_frames=True) as lonely:
        lonely.send(message(0x100))
        assert list(lonely) == []


def test_bus_off_and_back(door: Door) -> None:
    with DoorBus(door, node="mine") as bus, DoorBus(door):
        door.execute(Do((Inject(BusOff(name="off", sender="mine")),)))
        assert state(bus) == "ERROR"
        off, back = list(bus)
        assert off.arbitration_id & 0x40
        assert back.arbitration_id & 0x100
        assert back.timestamp == pytest.approx(128 * 11 * BIT)
        assert state(bus) == "ACTIVE"


def test_link_faults_reach_guests(door: Door) -> None:
    with DoorBus(door, node="mine") as bus, DoorBus(door, node="other") as other, DoorBus(door):
        door.execute(Do((Inject(Disconnect(name="cut", sender="other")),)))
        bus.send(message(0x1))
        assert other.recv(1.0) is None
        door.execute(Do((UndoFault("cut"),)))
        bus.send(message(0x2))
        got = other.recv(1.0)
        assert got is not None
        assert got.arbitration_id == 0x2


def test_a_program_that_fetches_too_little_loses_the_rest() -> None:
    seen: list[Observation] = []
    with make_door(sink=seen.extend) as door, DoorBus(door) as sender, DoorBus(door, rx_queue_size=5) as slow:
        for number in range(20):
            sender.send(message(number))
        assert sender.recv(1.0) is None
        assert [got.arbitration_id for got in slow] == list(range(5))
    lost = [each.what for each in seen if isinstance(each, Note) and "lost" in each.what]
    assert lost == ["guest-2 fetches too little: messages are lost"]


# --- cyclic messages --------------------------------------------------------------------------------


def times(bus: DoorBus, until: float) -> list[float]:
    got = []
    while bus.now < until:
        one = bus.recv(until - bus.now)
        if one is not None:
            got.append(one.timestamp)
    return got


def test_cyclic_messages_are_sent_by_the_world(door: Door) -> None:
    with DoorBus(door) as sender, DoorBus(door) as receiver:
        sender.send_periodic(message(0x100), 0.01, duration=0.1)
        got = times(receiver, 1.0)
        assert len(got) == 10
        assert [round((later - got[0]) * 1e9) for later in got] == [number * 10_000_000 for number in range(10)]
        assert sender.pace == "lockstep"


def test_a_cyclic_task_is_changed_stopped_and_started_again(door: Door) -> None:
    with DoorBus(door) as sender, DoorBus(door) as receiver:
        task = sender.send_periodic([message(0x100, b"\1"), message(0x100, b"\2")], 0.1)
        assert [next(iter(receiver)).data[0] for _ in range(3)] == [1, 2, 1]
        assert isinstance(task, can.ModifiableCyclicTaskABC)
        assert isinstance(task, can.RestartableCyclicTaskABC)
        task.modify_data([message(0x100, b"\3"), message(0x100, b"\4")])
        assert [next(iter(receiver)).data[0] for _ in range(2)] == [4, 3]
        task.stop()
        assert receiver.recv(1.0) is None
        task.start()
        assert next(iter(receiver)).data[0] == 3
        task.stop()
        assert receiver.recv(1.0) is None


def test_a_cyclic_task_that_is_started_twice_runs_once(door: Door) -> None:
    with DoorBus(door) as sender, DoorBus(door) as receiver:
        task = sender.send_periodic(message(0x100), 0.1)
        task.start()  # type: ignore[attr-defined]  # the declared type has none, every task has
        assert len(times(receiver, 0.95)) == 10


def test_cyclic_messages_do_not_pile_up_where_nobody_hears_them(door: Door) -> None:
    with DoorBus(door) as lonely, DoorBus(door) as listener:
        door.execute(Do((Inject(Disconnect(name="cut", sender="guest-2")),)))
        lonely.send_periodic(message(0x100), 0.01)
        told = times(lonely, 2.0)
        assert told, "errors"
        door.execute(Do((UndoFault("cut"),)))
        assert len(times(listener, 2.02)) in range(32, 36)


def test_all_cyclic_messages_are_stopped(door: Door) -> None:
    with DoorBus(door) as sender, DoorBus(door) as receiver:
        sender.send_periodic(message(0x100), 0.1)
        sender.send_periodic(message(0x200), 0.1)
        assert [next(iter(receiver)).arbitration_id for _ in range(3)] == [0x100, 0x200, 0x100]
        sender.stop_all_periodic_tasks()
        assert [got.arbitration_id for got in receiver] == [0x200], "it had begun"


def test_a_modifier_sees_each_message_before_it_is_sent(door: Door) -> None:
    def count(each: can.Message) -> None:
        each.data[0] += 1

    with DoorBus(door) as sender, DoorBus(door) as receiver:
        sender.send_periodic(message(0x100, b"\0"), 0.1, modifier_callback=count)
        assert [next(iter(receiver)).data[0] for _ in range(3)] == [1, 2, 3]


def test_a_cyclic_task_waits_to_be_started(door: Door) -> None:
    with DoorBus(door) as sender, DoorBus(door) as receiver:
        task = sender.send_periodic(message(0x100), 0.1, autostart=False)
        assert receiver.recv(1.0) is None
        task.start()  # type: ignore[attr-defined]  # the declared type has none, every task has
        assert receiver.recv(1.0) is not None


def test_a_period_of_nothing_is_refused(door: Door) -> None:
    with DoorBus(door) as bus, pytest.raises(ValueError, match="period 0"):
        bus.send_periodic(message(0x100), 0.0)


def test_cyclic_messages_end_with_their_bus(door: Door) -> None:
    with DoorBus(door) as receiver:
        with DoorBus(door) as sender:
            sender.send_periodic(message(0x100), 0.1)
        with pytest.raises(NothingMore):
            receiver.recv()


# --- what cannot be ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pace": "fast"}, "'fast': auto, lockstep, wall"),
        ({"bitrate": 500_000}, "has 250000"),
        ({"fd": True}, "CAN FD"),
        ({"rx_queue_size": 0}, "rx_queue_size 0"),
        ({"speed": 1, "baud": 2}, "baud, speed: no option"),
        ({"node": "taken"}, "'taken' already"),
    ],
)
def test_a_bus_that_cannot_be_is_refused(door: Door, options: dict[str, object], said: str) -> None:
    with DoorBus(door, node="taken"):
        with pytest.raises(can.CanInitializationError, match=said):
            DoorBus(door, **options)  # type: ignore[arg-type]  # wrong on purpose
        assert len(door.guests) == 1


def test_a_virtual_controller_is_in_the_state_that_it_is_in(door: Door) -> None:
    with DoorBus(door) as bus:
        bus.state = can.BusState.ACTIVE
        with pytest.raises(can.CanOperationError, match="PASSIVE"):
            bus.state = can.BusState.PASSIVE
        assert DoorBus.fileno is can.BusABC.fileno, "there is none"


def test_only_a_can_bus_has_a_door() -> None:
    with pytest.raises(UsageError, match="no line 'can0'"):
        Door("test", VirtualWorld(0))


# --- threads ----------------------------------------------------------------------------------------


class Threads:
    """Programs in threads of their own, whose errors are told."""

    def __init__(self, *programs: Callable[[], None]) -> None:
        self.errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run, args=(each,), daemon=True) for each in programs]

    def _run(self, program: Callable[[], None]) -> None:
        try:
            program()
        except BaseException as error:  # told to the test
            self.errors.append(error)

    def finish(self) -> None:
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join(GUARD)
            assert not thread.is_alive(), "a program hangs"


def table_tennis(rounds: int) -> list[tuple[float, int]]:
    """Three programs that answer each other; what one of them sees."""
    seen: list[tuple[float, int]] = []
    with make_door(pace="lockstep") as door:
        buses = [DoorBus(door) for _ in range(3)]

        def play(number: int) -> None:
            bus = buses[number]
            while True:
                got = bus.recv(0.5)
                if got is None:
                    break
                if number == 0:
                    seen.append((got.timestamp, got.arbitration_id))
                if got.data[0] < rounds:
                    bus.send(message(0x100 + number, bytes((got.data[0] + 1,))))
            bus.shutdown()

        buses[2].send(message(0x7FF, b"\0"))
        programs = Threads(*(lambda number=number: play(number) for number in range(3)))
        programs.finish()
        assert programs.errors == []
    return seen


def test_threads_in_lockstep_see_equal_frames_at_equal_instants() -> None:
    first = table_tennis(6)
    assert len(first) > 20
    assert all(table_tennis(6) == first for _ in range(5))


def test_a_program_that_does_not_wait_ends_the_patience_of_the_others() -> None:
    with make_door(pace="lockstep", clock=Impatient()) as door:
        mine = DoorBus(door)
        other = DoorBus(door)
        busy = Threads(lambda: wait(mine))
        busy.finish()
        assert "guest-2 has not waited in recv for 10 s" in str(busy.errors[0])
        mine.shutdown()
        other.shutdown()


def test_lockstep_has_no_place_for_a_thread_that_sends_beside_one_that_waits() -> None:
    waits = threading.Event()
    with make_door(pace="lockstep", clock=Telling(waits)) as door:
        shared, other = DoorBus(door), DoorBus(door)
        reader = threading.Thread(target=lambda: wait(shared), daemon=True)
        reader.start()
        assert waits.wait(GUARD)
        with pytest.raises(can.CanOperationError, match="give each thread a bus of its own"):
            shared.send(message(1))
        other.shutdown()
        reader.join(GUARD)
        assert not reader.is_alive()
        shared.shutdown()


def wait(bus: DoorBus) -> None:
    bus.recv(1.0)


class Impatient(Clock):
    """A clock by which every wait is over at once."""

    def now(self) -> int:
        return 0

    def wait(self, changed: threading.Condition, span: Span | None) -> None:
        changed.wait(0)


class Telling(Clock):
    """Tells that somebody waits."""

    def __init__(self, told: threading.Event) -> None:
        self._told = told

    def now(self) -> int:
        return 0

    def wait(self, changed: threading.Condition, span: Span | None) -> None:
        self._told.set()
        changed.wait(GUARD)
