"""Our slcan against the far end of a pty: what comes at once, garbage, and how long an adapter takes to answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import can
import pytest

from hil.codec.frame import CanFrame
from hil.transport.can_line import SLOW, LiveCan
from hil.transport.pty_port import PtyPort
from hil.transport.queue import LiveQueue
from hil.transport.slcan_bus import SlcanBus
from hil.units import ms
from hil.world.observation import BusErrorSeen, FrameSeen, Note, Observation

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")
Until = Callable[[Callable[[], bool]], None]
MESSAGE = can.Message(arbitration_id=0x1826F456, data=b"\1\2", is_extended_id=True)
LINE = b"T1826F45620102\r"


@pytest.fixture
def far(tmp_path: Path) -> Iterator[PtyPort]:
    port = PtyPort(tmp_path / "adapter")
    yield port
    port.close()


@pytest.fixture
def bus(far: PtyPort) -> Iterator[SlcanBus]:
    made = SlcanBus(str(far.link), bitrate=250_000, sleep_after_open=0.0)
    yield made
    made.shutdown()


def test_frames_that_came_together_are_received_one_by_one(far: PtyPort, bus: SlcanBus) -> None:
    far.write(3 * LINE + b"z\r" + LINE[:5])
    for _ in range(3):
        found = bus.recv(10)
        assert found is not None
        assert found.equals(MESSAGE, timestamp_delta=None, check_channel=False)
    assert bus.recv(0) is None
    far.write(LINE[5:])
    assert bus.recv(10) is not None


@pytest.mark.parametrize("garbage", [b"\xff\xfe\x80\r", b"\0" * 1_000 + b"\a", b"9" * 1_000 + b"\r"], ids=repr)
def test_what_follows_garbage_is_heard(far: PtyPort, bus: SlcanBus, garbage: bytes) -> None:
    far.write(garbage + LINE)
    assert bus.recv(10) is not None


@pytest.fixture
def stamped(far: PtyPort) -> Iterator[SlcanBus]:
    made = SlcanBus(str(far.link), bitrate=250_000, sleep_after_open=0.0, stamped=True)
    yield made
    made.shutdown()


def slow(told: list[Observation]) -> list[Note]:
    return [seen for seen in told if isinstance(seen, Note) and seen.kind == SLOW]


def stamp_of(bus: can.BusABC) -> float:
    found = bus.recv(10)
    assert found is not None
    assert found.equals(MESSAGE, timestamp_delta=None, check_channel=False)
    return found.timestamp


def test_an_adapter_that_may_stamp_is_told_to_before_the_channel_opens(
    far: PtyPort, stamped: SlcanBus, until: Until
) -> None:
    heard = b""

    def opened() -> bool:
        nonlocal heard
        heard += far.read()
        return heard.endswith(b"O\r")

    until(opened)
    assert heard.index(b"Z1\r") < heard.index(b"O\r")


def test_stamps_of_the_adapter_go_on_over_the_minute(far: PtyPort, stamped: SlcanBus) -> None:
    """59.990 s and 0.015 s of its clock are 25 ms apart, whenever they are read."""
    far.write(b"T1826F45620102EA56\r" + b"T1826F45620102000F\r")
    assert stamp_of(stamped) + 0.025 == pytest.approx(stamp_of(stamped))


def test_frames_that_were_on_their_way_before_the_adapter_stamped_have_none(far: PtyPort, stamped: SlcanBus) -> None:
    far.write(LINE + b"T1826F456201020001\r")
    assert stamp_of(stamped) == 0
    assert stamp_of(stamped) > 0


def test_an_adapter_that_does_not_stamp_is_told(
    live: LiveQueue, told: list[Observation], far: PtyPort, stamped: SlcanBus, until: Until
) -> None:
    line = LiveCan(live, stamped, name="can0", sink=told.append, clock="hardware", uncertainty=ms(1))
    far.write(65 * LINE)
    until(lambda: bool(line.lost))
    assert line.lost.endswith('the adapter does not stamp frames (it does not know Z1): allowed is clock = "user"')


def test_a_receiver_that_may_not_wait_does_not(bus: SlcanBus) -> None:
    assert bus.recv(0) is None


@pytest.mark.parametrize("answer", [b"Z\r", b"\a"], ids=["taken", "refused"])
def test_an_adapter_that_is_slow_to_answer_makes_its_port_s_stamps_unsure(
    live: LiveQueue, told: list[Observation], far: PtyPort, bus: SlcanBus, until: Until, answer: bytes
) -> None:
    LiveCan(live, bus, name="can0", sink=told.append, uncertainty=ms(1))
    bus.send(MESSAGE)
    live.run(live.real() + ms(20))
    assert not slow(told)
    far.write(answer + LINE)
    until(lambda: any(isinstance(seen, FrameSeen) for seen in told))
    (note,) = slow(told)
    assert note.what == "can0"
    assert float(note.details["round_trip_s"]) >= 0.02


def test_an_adapter_that_stamps_makes_unsure_what_is_sent_while_it_is_slow(
    live: LiveQueue, told: list[Observation], far: PtyPort, stamped: SlcanBus, until: Until
) -> None:
    """Told each time, since what it heard before and hears after that is sure."""
    LiveCan(live, stamped, name="can0", sink=told.append, clock="hardware", uncertainty=ms(1))
    for slowness in (ms(80), ms(60)):
        before = len(slow(told))
        stamped.send(MESSAGE)
        live.run(live.real() + slowness)
        far.write(b"Z\r")
        until(lambda: len(slow(told)) > before)  # noqa: B023 - it is asked at once
    assert {note.details["clock"] for note in slow(told)} == {"hardware"}
    assert all(float(note.details["round_trip_s"]) >= 0.06 for note in slow(told))


def test_an_adapter_that_takes_no_more_holds_nothing_up(
    live: LiveQueue, told: list[Observation], far: PtyPort, bus: SlcanBus, until: Until
) -> None:
    """What waits is bounded and told; every frame that it takes later is whole."""
    line = LiveCan(live, bus, name="can0", sink=told.append)
    port = line.attach("vehicle", lambda frame, now: None)
    frame = CanFrame(0x1826F456, b"\1\2")
    while not [seen for seen in told if isinstance(seen, BusErrorSeen)]:
        port.send(frame)
    heard = b""

    def all_heard() -> bool:
        nonlocal heard
        heard += far.read()
        return heard.count(b"T") == len([seen for seen in told if isinstance(seen, FrameSeen)]) and not line._waiting

    until(all_heard)
    frames = [each for each in heard.split(b"\r") if each.startswith(b"T")]
    assert set(frames) == {LINE.rstrip()}
    assert not line.lost
