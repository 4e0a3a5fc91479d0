"""The adapter's side of slcan, against python-can's own slcan interface on a pty."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import can
import pytest

from hil.transport.clock import monotonic
from hil.transport.pty_port import PtyPort
from hil.transport.slcan_bus import SlcanBus
from hil.transport.slcan_server import SlcanServer
from hil.units import SECOND

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SlcanServer]:
    made = SlcanServer(PtyPort(tmp_path / "adapter"))
    yield made
    made.shutdown()


def greet(server: SlcanServer) -> None:
    """Let the adapter read up to where the other end has opened the channel: a pty takes its time."""
    for _ in range(1000):
        if server.opened:
            return
        assert server.recv(0.02) is None
    pytest.fail("the other end never opened the channel")


@pytest.fixture
def client(server: SlcanServer, tmp_path: Path) -> Iterator[can.BusABC]:
    bus = can.Bus(interface="slcan", channel=str(tmp_path / "adapter"), bitrate=250_000, sleep_after_open=0)
    greet(server)
    yield bus
    bus.shutdown()


MESSAGES = [
    can.Message(arbitration_id=0x1826F456, data=bytes.fromhex("0102030405060708"), is_extended_id=True),
    can.Message(arbitration_id=0x7FF, data=b"", is_extended_id=False),
    can.Message(arbitration_id=0x1FFFFFFF, data=b"\xff", is_extended_id=True),
    can.Message(arbitration_id=0x123, dlc=4, is_remote_frame=True, is_extended_id=False),
]


def test_the_other_end_opens_the_channel(server: SlcanServer, client: can.BusABC) -> None:
    assert server.opened


@pytest.mark.parametrize("message", MESSAGES, ids=str)
def test_what_the_other_end_sends_is_received(server: SlcanServer, client: can.BusABC, message: can.Message) -> None:
    client.send(message)
    found = server.recv(10)
    assert found is not None
    assert found.equals(message, timestamp_delta=None, check_channel=False, check_direction=False)


@pytest.mark.parametrize("message", MESSAGES, ids=str)
def test_what_is_sent_the_other_end_receives(server: SlcanServer, client: can.BusABC, message: can.Message) -> None:
    server.send(message)
    found = client.recv(10)
    assert found is not None
    assert found.equals(message, timestamp_delta=None, check_channel=False, check_direction=False)


def test_an_adapter_that_was_told_to_stamps_in_its_own_milliseconds(server: SlcanServer, tmp_path: Path) -> None:
    bus = SlcanBus(str(tmp_path / "adapter"), bitrate=250_000, sleep_after_open=0.0, stamped=True)
    greet(server)
    begin = monotonic()
    for message in MESSAGES:
        server.send(message)
    span = (monotonic() - begin) / SECOND
    received = [bus.recv(10) for _ in MESSAGES]
    bus.shutdown()
    stamps = []
    for sent, found in zip(MESSAGES, received, strict=True):
        assert found is not None
        assert found.equals(sent, timestamp_delta=None, check_channel=False, check_direction=False)
        stamps.append(found.timestamp)
    assert stamps == sorted(stamps)
    assert stamps[-1] - stamps[0] <= span + 0.001


def test_nothing_is_sent_before_the_channel_is_open(server: SlcanServer, tmp_path: Path) -> None:
    server.send(MESSAGES[0])
    bus = can.Bus(interface="slcan", channel=str(tmp_path / "adapter"), bitrate=250_000, sleep_after_open=0)
    greet(server)
    server.send(MESSAGES[2])
    found = bus.recv(10)
    bus.shutdown()
    assert found is not None
    assert found.arbitration_id == MESSAGES[2].arbitration_id


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"V\r", b"V1013\r"),
        (b"N\r", b"NA000\r"),
        (b"S5\r", b"\r"),
        (b"t1232AABB\r", b"z\r"),
        (b"T1826F4561AA\r", b"Z\r"),
        (b"t1239AABB\r", b"\a"),
        (b"t12\r", b"\a"),
        (b"Txyz\r", b"\a"),
        (b"t1232AA\r", b"\a"),
        (b"?\r", b"\a"),
        (b"q" * 100, b"\a"),
    ],
)
def test_answers_are_those_of_an_adapter(server: SlcanServer, tmp_path: Path, line: bytes, answer: bytes) -> None:
    number = os.open(tmp_path / "adapter", os.O_RDWR | os.O_NOCTTY)
    os.set_blocking(number, False)
    os.write(number, b"O\r" + line)
    found = b""
    for _ in range(1000):
        server.recv(0.01)
        with contextlib.suppress(BlockingIOError):
            found += os.read(number, 100)
        if len(found) >= 1 + len(answer):
            break
    os.close(number)
    assert found == b"\r" + answer


def test_the_name_goes_with_the_adapter(tmp_path: Path) -> None:
    link = tmp_path / "adapter"
    server = SlcanServer(PtyPort(link))
    assert link.is_char_device()
    server.shutdown()
    assert not link.exists()
    assert not link.is_symlink()


def test_a_name_that_a_killed_run_has_left_is_taken_over(tmp_path: Path) -> None:
    link = tmp_path / "adapter"
    link.symlink_to(tmp_path / "gone")
    server = SlcanServer(PtyPort(link))
    assert link.is_char_device()
    server.shutdown()


def test_a_name_that_is_a_file_is_left_alone(tmp_path: Path) -> None:
    link = tmp_path / "adapter"
    link.write_text("mine")
    with pytest.raises(FileExistsError):
        PtyPort(link)
    assert link.read_text() == "mine"
