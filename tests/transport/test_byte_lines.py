"""Serial ports (through pyserial on a pty), datagrams and TCP as lines: bytes both ways, ends, faults."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import serial

from hil.bus.bytefaults import CutLine, RefuseLine, ResetLine, SplitBytes
from hil.bus.serial import Heard, SerialFormat
from hil.errors import UsageError
from hil.transport import byte_lines
from hil.transport import echo as echoes
from hil.transport.byte_lines import LiveDatagrams, LiveSerial
from hil.transport.echo import Echo
from hil.transport.pty_port import PtyPort, PtySerial
from hil.transport.queue import LiveQueue
from hil.transport.tcp_line import LiveTcp
from hil.units import ms, s
from hil.world.observation import BytesSeen, LineSeen, Note, Observation, Sent

Until = Callable[[Callable[[], bool]], None]
FORMAT = SerialFormat(9600)


def _of(told: list[Observation], kind: type[Any]) -> list[Any]:
    return [seen for seen in told if type(seen) is kind]


# --- serial -------------------------------------------------------------------------------------------


@pytest.fixture
def far(tmp_path: Path) -> Iterator[PtyPort]:
    """The device's end of a pty."""
    if sys.platform == "win32":
        pytest.skip("Windows has no ptys")
    port = PtyPort(tmp_path / "tty")
    yield port
    port.close()


@pytest.fixture
def line(live: LiveQueue, far: PtyPort, told: list[Observation]) -> Iterator[LiveSerial]:
    port = serial.serial_for_url(str(far.link), baudrate=9600, timeout=0)
    made = LiveSerial(live, port, name="rs485", sink=told.append, line_format=FORMAT, uncertainty=ms(5))
    yield made
    made.close()


def test_a_chunk_goes_out_and_is_told_with_its_time_on_the_line(
    line: LiveSerial, far: PtyPort, told: list[Observation], until: Until
) -> None:
    line.attach("master", lambda heard: None).write(b"\x01\x03")
    until(lambda: bool(_of(told, BytesSeen)))
    (seen,) = _of(told, BytesSeen)
    assert far.read() == b"\x01\x03"
    assert (seen.sender, seen.data) == ("master", b"\x01\x03")
    assert seen.t - seen.started == FORMAT.span(2)
    assert len(_of(told, Sent)) == 1


def test_a_chunk_that_comes_in_is_heard_by_every_node(
    line: LiveSerial, far: PtyPort, told: list[Observation], until: Until
) -> None:
    heard: list[Heard] = []
    line.attach("a", heard.append)
    line.attach("b", heard.append)
    far.write(b"hello")
    until(lambda: sum(len(each.data) for each in heard) == 10)
    assert {seen.sender for seen in _of(told, BytesSeen)} == {""}


def test_two_chunks_at_once_are_on_the_line_one_after_the_other(line: LiveSerial, told: list[Observation]) -> None:
    port = line.attach("master", lambda heard: None)
    port.write(b"1234")
    port.write(b"5678")
    first, second = _of(told, BytesSeen)
    assert second.started >= first.t
    assert port.busy_until == second.t


def echoing(live: LiveQueue, far: PtyPort, told: list[Observation]) -> LiveSerial:
    port = serial.serial_for_url(str(far.link), baudrate=9600, timeout=0)
    return LiveSerial(live, port, name="rs485", sink=told.append, line_format=FORMAT, echo=True)


def test_an_adapter_that_hears_itself_is_heard_by_nobody(
    live: LiveQueue, far: PtyPort, told: list[Observation], until: Until
) -> None:
    heard: list[Heard] = []
    line = echoing(live, far, told)
    port = line.attach("master", heard.append)
    port.write(b"\x01\x03\x02")
    # In pieces, as drivers hand it over, the last with the begin of the answer.
    far.write(b"\x01\x03")
    until(lambda: line._echo is not None and bytes(line._echo._due) == b"\x02")
    far.write(b"\x02\x01\x03")
    until(lambda: bool(heard))
    assert [each.data for each in heard] == [b"\x01\x03"]
    assert [(seen.sender, seen.data) for seen in _of(told, BytesSeen)] == [
        ("master", b"\x01\x03\x02"),
        ("", b"\x01\x03"),
    ]
    assert [note.kind for note in _of(told, Note)] == ["clock"]
    line.close()


def test_an_echo_that_is_not_what_was_sent_is_told_and_passed_on(
    live: LiveQueue, far: PtyPort, told: list[Observation], until: Until
) -> None:
    heard: list[Heard] = []
    line = echoing(live, far, told)
    line.attach("master", heard.append).write(b"\x01\x03\x02")
    far.write(b"\x01\x83\x02")
    until(lambda: bool(heard))
    assert [each.data for each in heard] == [b"\x01\x83\x02"]
    (note,) = (each for each in _of(told, Note) if each.kind == "echo")
    assert dict(note.details) == {"why": "not 01 03 02", "bytes": "01 83 02"}
    line.close()


def test_an_echo_that_never_comes_costs_no_later_bytes() -> None:
    echo = Echo()
    echo.wrote(b"\x01\x03", ms(10))
    assert echo.strip(b"\x01\x03", s(1)) == (b"\x01\x03", "none came")
    assert echo.strip(b"\x01\x03", s(1)) == (b"\x01\x03", "")


def test_a_device_that_takes_no_more_holds_nothing_up(line: LiveSerial, far: PtyPort, until: Until) -> None:
    port = line.attach("master", lambda heard: None)
    sent = b"".join(number.to_bytes(4, "big") for number in range(10_000))
    for start in range(0, len(sent), 100):
        port.write(sent[start : start + 100])
    heard = b""

    def all_heard() -> bool:
        nonlocal heard
        heard += far.read()
        return len(heard) >= len(sent)

    until(all_heard)
    assert heard == sent
    assert not line.lost


def test_a_device_that_goes_on_taking_nothing_is_a_lost_port(line: LiveSerial, told: list[Observation]) -> None:
    port = line.attach("master", lambda heard: None)
    for _ in range(200):
        port.write(bytes(1_000))
    (lost,) = [note for note in _of(told, Note) if note.kind == "port_lost"]
    assert "takes no more bytes" in str(lost.details["why"])


def test_another_format_is_that_of_the_port(line: LiveSerial) -> None:
    port = line.attach("master", lambda heard: None)
    port.retune(SerialFormat(19200, 8, "N", 2))
    assert line.format.baud == 19200
    assert line._port.baudrate == 19200
    assert line._port.stopbits == 2


def test_a_split_chunk_goes_out_in_pieces(line: LiveSerial, told: list[Observation], until: Until) -> None:
    port = line.attach("master", lambda heard: None)
    line.inject(SplitBytes(name="split", sender="master", at=2, gap=ms(5)))
    port.write(b"abcd")
    until(lambda: len(_of(told, BytesSeen)) == 2)
    assert [seen.data for seen in _of(told, BytesSeen)] == [b"ab", b"cd"]


def test_a_pty_that_is_closed_is_a_lost_port(
    live: LiveQueue, tmp_path: Path, told: list[Observation], until: Until
) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has no ptys")
    near, other = os.openpty()
    port = serial.serial_for_url(os.ttyname(other), timeout=0)
    os.close(other)
    line = LiveSerial(live, port, name="console", sink=told.append, line_format=FORMAT)
    os.close(near)
    until(lambda: bool(line.lost))
    assert [note.kind for note in _of(told, Note)] == ["clock", "port_lost"]
    line.attach("client", lambda heard: None).write(b"into nowhere")
    line.close()


def test_a_port_without_a_descriptor_is_read_by_a_thread(
    live: LiveQueue, told: list[Observation], until: Until
) -> None:
    """``loop://`` gives back what it was given, and cannot be waited for."""
    port = serial.serial_for_url("loop://", timeout=0)
    line = LiveSerial(live, port, name="loop", sink=told.append, line_format=FORMAT)
    heard: list[Heard] = []
    line.attach("client", heard.append).write(b"back again")
    until(lambda: b"".join(each.data for each in heard) == b"back again")
    line.close()


class Waiting:
    """A port without a descriptor, whose ``write`` waits until it may go on."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.written: list[bytes] = []
        self.timeout: float | None = 0
        self.in_waiting = 0
        self.fails: Exception | None = None
        self.brings: list[bytes] = []

    def fileno(self) -> int:
        raise OSError("no descriptor")

    def write(self, data: bytes) -> int:
        self.may.wait()
        if self.fails is not None:
            raise self.fails
        self.written.append(data)
        return len(data)

    def read(self, size: int = 1) -> bytes:
        self.may.wait(self.timeout)
        return self.brings.pop(0) if self.brings and self.may.is_set() and size == 1 else b""

    def close(self) -> None:
        self.may.set()


@pytest.fixture
def waiting(live: LiveQueue, told: list[Observation]) -> Iterator[tuple[Waiting, LiveSerial]]:
    port: Any = Waiting()
    made = LiveSerial(live, port, name="remote", sink=told.append, line_format=FORMAT)
    yield port, made
    port.close()
    made.close()


def test_a_port_that_waits_in_its_write_keeps_nobody_else_waiting(
    live: LiveQueue, waiting: tuple[Waiting, LiveSerial], told: list[Observation], until: Until
) -> None:
    port, line = waiting
    node = line.attach("master", lambda heard: None)
    node.write(b"first")
    node.write(b"second")
    others: list[int] = []
    for number in range(20):
        live.at(live.now + ms(number), partial(others.append, number))
    until(lambda: len(others) == 20)
    assert port.written == []
    assert [seen.data for seen in _of(told, BytesSeen)] == [b"first", b"second"]
    assert _of(told, Sent) == [], "nobody knows yet how late they are"
    port.may.set()
    until(lambda: len(_of(told, Sent)) == 2)
    assert port.written == [b"first", b"second"]
    assert all(sent.late >= ms(19) for sent in _of(told, Sent)), "as long as the port had them wait"
    assert not line.lost


def test_an_echo_is_waited_for_from_when_its_bytes_have_gone(
    live: LiveQueue, told: list[Observation], until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(echoes, "_PATIENCE", ms(50))
    port: Any = Waiting()
    line = LiveSerial(live, port, name="remote", sink=told.append, line_format=FORMAT, echo=True)
    line.attach("master", lambda heard: None).write(b"12")
    live.run(live.real() + ms(100))
    port.brings = [b"12"]
    port.may.set()
    until(lambda: not port.brings)
    live.run(live.real() + ms(20))
    assert [seen.sender for seen in _of(told, BytesSeen)] == ["master"]
    assert [note.kind for note in _of(told, Note)] == ["clock"]
    line.close()


def test_a_port_whose_write_fails_later_is_lost(
    waiting: tuple[Waiting, LiveSerial], until: Until, told: list[Observation]
) -> None:
    port, line = waiting
    port.fails = ValueError("handle is closed")
    port.may.set()
    line.attach("master", lambda heard: None).write(b"into nowhere")
    until(lambda: bool(line.lost))
    assert line.lost == "OSError: ValueError: handle is closed"


def test_a_port_that_never_ends_its_write_is_lost(
    waiting: tuple[Waiting, LiveSerial], until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(byte_lines, "_STUCK", ms(20))
    _, line = waiting
    line.attach("master", lambda heard: None).write(b"12345")
    until(lambda: bool(line.lost))
    assert line.lost == "TimeoutError: the device has taken no byte for 20 ms, 5 wait to be sent"


def test_more_than_a_waiting_port_may_be_owed_is_a_lost_port(waiting: tuple[Waiting, LiveSerial]) -> None:
    _, line = waiting
    node = line.attach("master", lambda heard: None)
    for _ in range(70):
        node.write(bytes(1_000))
    assert "takes no more bytes" in line.lost


def test_a_peer_behind_a_socket_url_that_takes_nothing_holds_nothing_up(live: LiveQueue, until: Until) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = serial.serial_for_url(f"socket://127.0.0.1:{server.getsockname()[1]}", timeout=0)
        line = LiveSerial(live, port, name="remote", sink=lambda seen: None, line_format=FORMAT)
        node = line.attach("master", lambda heard: None)
        met, _ = server.accept()
        with met:
            while not line._draining and not line.lost:
                node.write(bytes(8_000))
            assert not line.lost
            met.settimeout(0)

            def taken() -> bool:
                with suppress(BlockingIOError):
                    met.recv(1 << 20)
                return not line._draining

            until(taken)
            line.close()


def test_the_served_side_of_a_pty_is_a_line_too(
    live: LiveQueue, far: PtyPort, told: list[Observation], until: Until
) -> None:
    line = LiveSerial(live, PtySerial(far), name="console", sink=told.append, line_format=FORMAT)
    heard: list[Heard] = []
    port = line.attach("console", heard.append)
    with serial.serial_for_url(str(far.link), timeout=10) as client:
        client.write(b"$GV\r")
        until(lambda: bool(heard))
        port.write(b"$OK\r")
        assert client.read(4) == b"$OK\r"
    assert b"".join(each.data for each in heard) == b"$GV\r"


# --- datagrams ----------------------------------------------------------------------------------------


def test_datagrams_go_to_the_peer_and_answers_to_whom_was_heard(
    live: LiveQueue, told: list[Observation], until: Until
) -> None:
    box = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    box.bind(("127.0.0.1", 0))
    bench = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bench.connect(box.getsockname())
    served = LiveDatagrams(live, box, name="box", sink=told.append)
    near = LiveDatagrams(live, bench, name="signals", sink=told.append)
    at_box: list[Heard] = []
    at_bench: list[Heard] = []
    answer = served.attach("box", at_box.append)
    answer.write(b"nobody hears this")
    near.attach("bridge", at_bench.append).write(b"hello\n")
    until(lambda: bool(at_box))
    answer.write(b"here\n")
    until(lambda: bool(at_bench))
    assert (at_box[0].data, at_bench[0].data) == (b"hello\n", b"here\n")
    near.close()
    served.close()


def test_a_box_that_is_not_there_is_no_lost_port(live: LiveQueue, told: list[Observation]) -> None:
    gone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    gone.bind(("127.0.0.1", 0))
    bench = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bench.connect(gone.getsockname())
    gone.close()
    line = LiveDatagrams(live, bench, name="signals", sink=told.append)
    port = line.attach("bridge", lambda heard: None)
    for _ in range(3):
        port.write(b"hello\n")
        live.run(live.real() + ms(5))
    assert line.lost == ""
    line.close()


# --- TCP ----------------------------------------------------------------------------------------------


class User:
    """A node on a TCP line."""

    def __init__(self) -> None:
        self.open: list[int] = []
        self.data = b""
        self.ends: list[str] = []

    def on_opened(self, channel: int) -> None:
        self.open.append(channel)

    def on_data(self, channel: int, data: bytes) -> None:
        self.data += data

    def on_ended(self, channel: int, kind: str) -> None:
        self.ends.append(kind)


@pytest.fixture
def server(live: LiveQueue, told: list[Observation]) -> Iterator[tuple[LiveTcp, User, tuple[str, int]]]:
    listener = socket.create_server(("127.0.0.1", 0))
    line = LiveTcp(live, name="server", sink=told.append, listener=listener)
    user = User()
    line.attach("device", user, server=True)
    yield line, user, listener.getsockname()
    line.shut()


Server = tuple[LiveTcp, User, tuple[str, int]]


@pytest.fixture
def client(live: LiveQueue, told: list[Observation], server: Server) -> Iterator[tuple[LiveTcp, User]]:
    line = LiveTcp(live, name="client", sink=told.append, connect=lambda: socket.create_connection(server[2], 10))
    user = User()
    line.attach("master", user)
    yield line, user
    line.shut()


Client = tuple[LiveTcp, User]


def test_a_connection_carries_bytes_both_ways_and_ends_in_order(server: Server, client: Client, until: Until) -> None:
    near, user = client
    channel = near.open("master")
    until(lambda: bool(user.open and server[1].open))
    near.send("master", channel, b"question")
    until(lambda: server[1].data == b"question")
    server[0].send("device", server[1].open[0], b"answer")
    until(lambda: user.data == b"answer")
    near.close("master", channel)
    until(lambda: server[1].ends == ["closed"])
    assert user.ends == [], "who closes is not told"


def test_a_reset_is_told_as_one(server: Server, client: Client, until: Until) -> None:
    near, user = client
    channel = near.open("master")
    until(lambda: bool(user.open and server[1].open))
    near.reset("master", channel)
    until(lambda: bool(server[1].ends))
    assert server[1].ends == ["reset"]


def test_more_than_the_peer_takes_at_once_arrives_whole(server: Server, client: Client, until: Until) -> None:
    near, user = client
    channel = near.open("master")
    until(lambda: bool(user.open and server[1].open))
    for number in range(12):
        near.send("master", channel, bytes([number]) * 65_536)
    until(lambda: len(server[1].data) == 12 * 65_536)
    assert server[1].data == b"".join(bytes([number]) * 65_536 for number in range(12))


class Stalled(socket.socket):
    """Its peer takes nothing until it does again."""

    tries = 0
    stalled = True

    def send(self, data: Any, flags: int = 0, /) -> int:
        self.tries += 1
        if self.stalled:
            raise BlockingIOError
        return super().send(data, flags)


def test_a_peer_that_takes_nothing_costs_no_more_the_more_there_is_for_it(
    live: LiveQueue, told: list[Observation], until: Until
) -> None:
    near, far = socket.socketpair()
    stalled = Stalled(fileno=near.detach())
    line = LiveTcp(live, name="client", sink=told.append, connect=lambda: stalled)
    user = User()
    line.attach("master", user)
    channel = line.open("master")
    until(lambda: bool(user.open))
    for _ in range(1_000):
        line.send("master", channel, b"12345678")
    live.run(live.real() + ms(100))
    assert stalled.tries <= 1 + 100, "once, and again each millisecond"
    stalled.stalled = False
    heard = b""
    far.setblocking(False)

    def all_heard() -> bool:
        nonlocal heard
        with suppress(BlockingIOError):
            heard += far.recv(65_536)
        return len(heard) == 8_000

    until(all_heard)
    assert heard == b"12345678" * 1_000
    line.shut()
    far.close()


def test_nobody_listening_is_a_refused_connection(live: LiveQueue, told: list[Observation], until: Until) -> None:
    gone = socket.create_server(("127.0.0.1", 0))
    place = gone.getsockname()
    gone.close()
    line = LiveTcp(live, name="client", sink=told.append, connect=lambda: socket.create_connection(place, 10))
    user = User()
    line.attach("master", user)
    line.open("master")
    until(lambda: user.ends == ["refused"])
    assert [seen.kind for seen in _of(told, LineSeen)] == ["refused"]
    line.shut()


def test_faults_on_a_connection(server: Server, client: Client, until: Until, told: list[Observation]) -> None:
    near, user = client
    near.inject(RefuseLine(name="refused", sender="master"))
    near.open("master")
    until(lambda: user.ends == ["refused"])
    near.undo("refused")
    channel = near.open("master")
    until(lambda: bool(user.open and server[1].open))
    near.inject(CutLine(name="cut", sender="master"))
    near.send("master", channel, b"lost")
    near.undo("cut")
    near.send("master", channel, b"kept")
    until(lambda: server[1].data == b"kept")
    near.inject(ResetLine(name="reset", sender="master"))
    near.send("master", channel, b"never")
    until(lambda: bool(server[1].ends))
    assert server[1].data == b"kept"
    fired = [note.what for note in _of(told, Note) if note.kind == "fault_fired"]
    assert fired[0] == "refused"
    assert fired[-1] == "reset"


def test_each_side_knows_what_it_is(server: Server, client: Client) -> None:
    with pytest.raises(UsageError, match="server's side"):
        server[0].open("device")
    with pytest.raises(UsageError, match="cannot be its server"):
        client[0].attach("device", User(), server=True)
