"""A python-can bus as a line: sending, receiving, echoes, errors, and what goes wrong with a driver."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import can
import pytest

from hil.bus.faults import BusOff, Disconnect, Drop, Duplicate, ReTime, Shorted
from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.transport.can_line import LiveCan
from hil.transport.queue import LiveQueue
from hil.units import ms
from hil.world.observation import BusErrorSeen, FrameSeen, Note, Observation, Sent

FRAME = CanFrame(0x1826F456, bytes.fromhex("010203"), True)
Until = Callable[[Callable[[], bool]], None]


class Driver(can.BusABC):
    """A python-can interface that the test is the wire of."""

    def __init__(self) -> None:
        super().__init__(channel="driver")
        self.came: list[can.Message | Exception] = []
        self.gone: list[can.Message] = []
        self.refuses: list[Exception] = []
        self.closed = False

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        if self.refuses:
            raise self.refuses.pop(0)
        self.gone.append(msg)

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        if self.came:
            brought = self.came.pop(0)
            if isinstance(brought, Exception):
                raise brought
            return brought, False
        return None, False

    def shutdown(self) -> None:
        super().shutdown()
        self.closed = True


@pytest.fixture
def driver() -> Driver:
    return Driver()


@pytest.fixture
def line(live: LiveQueue, driver: Driver, told: list[Observation]) -> Iterator[LiveCan]:
    made = LiveCan(live, driver, name="can0", sink=told.append, clock="kernel", uncertainty=ms(0.5))
    yield made
    made.close()


def _of(told: list[Observation], kind: type[Any]) -> list[Any]:
    return [seen for seen in told if type(seen) is kind]


def _message(frame: CanFrame, **more: Any) -> can.Message:
    return can.Message(arbitration_id=frame.id, data=frame.data, is_extended_id=frame.extended, **more)


def test_the_clock_of_a_port_is_told_first(line: LiveCan, told: list[Observation]) -> None:
    (note,) = _of(told, Note)
    assert (note.kind, note.what, note.details["kind"]) == ("clock", "can0", "kernel")
    assert note.details["uncertainty_s"] == 0.0005


def test_a_frame_is_sent_and_its_lateness_kept(line: LiveCan, driver: Driver, told: list[Observation]) -> None:
    line.attach("vehicle", lambda frame, now: None).send(FRAME)
    assert [bytes(each.data) for each in driver.gone] == [FRAME.data]
    (sent,), (seen,) = _of(told, Sent), _of(told, FrameSeen)
    assert (sent.id, seen.id, seen.sender) == (FRAME.id, FRAME.id, "vehicle")
    assert sent.late >= 0
    assert seen.t == sent.t + sent.late


def test_a_frame_of_others_reaches_every_node_and_has_no_sender(
    line: LiveCan, driver: Driver, told: list[Observation], until: Until
) -> None:
    heard: list[CanFrame] = []
    line.attach("vehicle", lambda frame, now: heard.append(frame))
    line.attach("other", lambda frame, now: heard.append(frame))
    driver.came.append(_message(FRAME))
    until(lambda: len(heard) == 2)
    (seen,) = _of(told, FrameSeen)
    assert (seen.data, seen.sender, seen.extended) == (FRAME.data, "", True)


def test_an_own_frame_counts_when_the_driver_shows_it(
    live: LiveQueue, driver: Driver, told: list[Observation], until: Until
) -> None:
    line = LiveCan(live, driver, name="can0", sink=told.append, echoes=True)
    heard: list[CanFrame] = []
    port = line.attach("vehicle", lambda frame, now: heard.append(frame))
    port.send(FRAME)
    assert _of(told, FrameSeen) == []
    driver.came += [_message(FRAME), _message(FRAME)]
    until(lambda: len(_of(told, FrameSeen)) == 2)
    assert [seen.sender for seen in _of(told, FrameSeen)] == ["vehicle", ""], "the second is somebody else's"
    assert heard == [FRAME]
    line.close()


def test_an_own_frame_that_the_driver_never_shows_is_told_on_a_silent_bus(
    live: LiveQueue, driver: Driver, told: list[Observation], until: Until
) -> None:
    line = LiveCan(live, driver, name="can0", sink=told.append, echoes=True)
    port = line.attach("vehicle", lambda frame, now: None)
    later = CanFrame(FRAME.id, b"\x09", True)
    port.send(FRAME)
    live.run(live.real() + ms(50))
    port.send(later)
    until(lambda: len(_of(told, FrameSeen)) == 2)
    missing = [note for note in _of(told, Note) if note.kind == "no_echo"]
    assert [note.details["frame"] for note in missing] == [str(FRAME), str(later)]
    for note, seen in zip(missing, _of(told, FrameSeen), strict=True):
        assert note.t - seen.t >= ms(500), "it is taken to have gone when the driver took it"
        assert note.details["shown"] is False
    line.close()


def test_an_echo_that_comes_too_late_is_nobody_elses_frame(
    live: LiveQueue, driver: Driver, told: list[Observation], until: Until
) -> None:
    line = LiveCan(live, driver, name="can0", sink=told.append, echoes=True)
    heard: list[CanFrame] = []
    line.attach("vehicle", lambda frame, now: heard.append(frame)).send(FRAME)
    until(lambda: len(_of(told, FrameSeen)) == 1)
    driver.came += [_message(FRAME), _message(FRAME)]
    until(lambda: len(_of(told, FrameSeen)) == 2)
    assert [seen.sender for seen in _of(told, FrameSeen)] == ["vehicle", ""], "the second one is"
    assert heard == [FRAME]
    assert [note.kind for note in _of(told, Note)] == ["clock", "no_echo", "echoes"]
    line.close()


def test_a_driver_without_room_is_tried_again_in_order(
    line: LiveCan, driver: Driver, told: list[Observation], until: Until
) -> None:
    port = line.attach("vehicle", lambda frame, now: None)
    driver.refuses = [can.CanOperationError("no buffer space available", 105)] * 3
    later = CanFrame(FRAME.id, b"\x09", True)
    port.send(FRAME)
    port.send(later)
    until(lambda: len(driver.gone) == 2)
    assert [bytes(each.data) for each in driver.gone] == [FRAME.data, later.data]
    assert line.lost == ""


def test_what_a_driver_never_takes_overflows(line: LiveCan, driver: Driver, told: list[Observation]) -> None:
    port = line.attach("vehicle", lambda frame, now: None)
    driver.refuses = [can.CanOperationError("Transmit buffer full")] * 1000
    for _ in range(65):
        port.send(FRAME)
    assert [error.kind for error in _of(told, BusErrorSeen)] == ["overflow"]


@pytest.mark.parametrize("error", [can.CanOperationError("device is gone", 19), OSError(19, "No such device")])
def test_a_driver_that_breaks_is_a_lost_port_and_no_exception(
    line: LiveCan, driver: Driver, told: list[Observation], error: Exception
) -> None:
    driver.refuses = [error]
    port = line.attach("vehicle", lambda frame, now: None)
    port.send(FRAME)
    port.send(FRAME)
    (note,) = [note for note in _of(told, Note) if note.kind == "port_lost"]
    assert "evice" in note.details["why"]
    assert line.lost


def test_a_driver_that_breaks_while_reading_is_a_lost_port(
    line: LiveCan, driver: Driver, told: list[Observation], until: Until
) -> None:
    driver.came.append(can.CanOperationError("adapter unplugged"))
    until(lambda: bool(line.lost))
    assert "adapter unplugged" in line.lost


class Readable(Driver):
    """The same, with a descriptor that has something all the time."""

    def __init__(self) -> None:
        super().__init__()
        self._near, self._far = socket.socketpair()
        self._far.send(b"!")

    def fileno(self) -> int:
        return self._near.fileno()

    def shutdown(self) -> None:
        super().shutdown()
        self._near.close()
        self._far.close()


@pytest.mark.parametrize("kind", [Driver, Readable])
def test_a_driver_that_raises_on_and_on_is_a_lost_port(
    live: LiveQueue, told: list[Observation], until: Until, kind: type[Driver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a thread reads it or the queue: neither may go round for ever."""
    asked = 0

    def broken(self: Driver, timeout: float | None) -> tuple[can.Message | None, bool]:
        nonlocal asked
        asked += 1
        raise RuntimeError("handle is gone")

    monkeypatch.setattr(Driver, "_recv_internal", broken)
    line = LiveCan(live, kind(), name="can0", sink=told.append)
    until(lambda: bool(line.lost))
    assert line.lost == "OSError: the driver raised 1000 times in a row, at last RuntimeError: handle is gone"
    assert asked == 1_000
    line.close()


@pytest.mark.parametrize(
    "garbage",
    [
        ValueError("invalid literal for int() with base 16: 'zz'"),
        can.CanOperationError("could not unpack received message"),
        can.Message(arbitration_id=0x100, is_remote_frame=True, dlc=2),
        can.Message(arbitration_id=0x100, is_fd=True, data=bytes(12)),
    ],
)
def test_garbage_is_told_and_the_next_frame_is_heard(
    line: LiveCan, driver: Driver, told: list[Observation], until: Until, garbage: Any
) -> None:
    driver.came += [garbage, _message(FRAME)]
    until(lambda: bool(_of(told, FrameSeen)))
    assert [note.kind for note in _of(told, Note)] == ["clock", "garbage"]
    assert line.lost == ""


@pytest.mark.parametrize(
    ("identifier", "data", "kind"),
    [
        (0x20000040, "0000000000000000", "bus_off"),
        (0x20000100, "0000000000000000", "recovered"),
        (0x20000020, "0000000000000000", "ack"),
        (0x20000204, "0020000000008000", "error_passive"),
    ],
)
def test_error_frames_tell_what_they_stand_for(
    line: LiveCan, driver: Driver, told: list[Observation], until: Until, identifier: int, data: str, kind: str
) -> None:
    """Classes and controller states of linux/can/error.h."""
    line.attach("vehicle", lambda frame, now: None)
    error = can.Message(arbitration_id=identifier & 0x1FFFFFFF, data=bytes.fromhex(data), is_error_frame=True)
    driver.came.append(error)
    until(lambda: bool(_of(told, BusErrorSeen)))
    (seen,) = _of(told, BusErrorSeen)
    assert (seen.kind, seen.node) == (kind, "vehicle")
    assert seen.tec == (0x80 if kind == "error_passive" else 0)


def test_faults_hit_what_our_nodes_send_and_prove_it(line: LiveCan, driver: Driver, told: list[Observation]) -> None:
    port = line.attach("vehicle", lambda frame, now: None)
    line.inject(Drop(name="lost", sender="vehicle", count=1))
    port.send(FRAME)
    assert driver.gone == []
    port.send(FRAME)
    assert len(driver.gone) == 1
    line.undo("lost")
    line.inject(Duplicate(name="twice", sender="vehicle"))
    port.send(FRAME)
    assert len(driver.gone) == 3
    fired = [note.what for note in _of(told, Note) if note.kind == "fault_fired"]
    assert fired == ["lost", "twice"]


def test_a_node_that_is_cut_off_sends_and_hears_nothing(
    line: LiveCan, driver: Driver, told: list[Observation], until: Until
) -> None:
    heard: list[CanFrame] = []
    port = line.attach("vehicle", lambda frame, now: heard.append(frame))
    line.inject(Disconnect(name="cut", sender="vehicle"))
    port.send(FRAME)
    driver.came.append(_message(FRAME))
    until(lambda: bool(_of(told, FrameSeen)))
    assert (driver.gone, heard) == ([], [])
    line.undo_all()
    port.send(FRAME)
    assert len(driver.gone) == 1


def test_a_fault_that_takes_hardware_is_refused(line: LiveCan) -> None:
    line.attach("vehicle", lambda frame, now: None)
    with pytest.raises(UsageError, match="takes hardware"):
        line.inject(BusOff(name="off", sender="vehicle"))
    with pytest.raises(UsageError, match="takes hardware"):
        line.inject(Shorted(name="short"))


def test_two_nodes_of_one_name_are_our_misuse(line: LiveCan) -> None:
    line.attach("vehicle", lambda frame, now: None)
    with pytest.raises(UsageError, match="'vehicle' already"):
        line.attach("vehicle", lambda frame, now: None)


def test_closing_gives_the_driver_back(live: LiveQueue, driver: Driver, told: list[Observation]) -> None:
    LiveCan(live, driver, name="can0", sink=told.append).close()
    assert driver.closed


def test_a_spread_delay_is_drawn_from_the_line_s_own_generator(live: LiveQueue, driver: Driver, until: Until) -> None:
    line = LiveCan(live, driver, name="can0", sink=lambda seen: None, rng=Random(1))
    port = line.attach("vehicle", lambda frame, now: None)
    line.inject(ReTime(name="jitter", sender="vehicle", spread=ms(5)))
    port.send(FRAME)
    assert driver.gone == []
    until(lambda: len(driver.gone) == 1)
    line.close()
