"""Questions to devices: a right answer is told, a wrong one and none at all are faults with what may be the cause.

The devices are a few bytes written down by hand, behind real sockets and a pty.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from hil.errors import RigError
from hil.resources import resource
from hil.rig import load_rig
from hil.rig.ports import SerialPortSettings, SignalsPortSettings, TcpPortSettings
from hil.transport import probe_devices as devices
from hil.transport.opening import open_serial, open_tcp, open_udp
from hil.transport.probe import Probe, SerialStream, SocketStream, State, Stream
from hil.transport.probing import check_port, needed_signals

Answers = Callable[[bytes], bytes]


@contextmanager
def device(answer: Answers, *, hangs_up: bool = False) -> Iterator[SocketStream]:
    """A stream to a device that answers what it hears."""
    near, far = socket.socketpair()

    def serve() -> None:
        while heard := far.recv(4096):
            if hangs_up:
                break
            far.sendall(answer(heard))
        far.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield SocketStream(near)
    finally:
        near.shutdown(socket.SHUT_RDWR)
        near.close()
        thread.join(10)


def probed(answer: Answers, look: Callable[[Stream], Probe]) -> tuple[str, str]:
    with device(answer) as stream:
        probe = look(stream)
    return probe.state, probe.told


# --- Modbus ---------------------------------------------------------------------------------------

READS = bytes.fromhex("5A5A 0000 0006 01 03 0000 0001")


def modbus(stream: Stream) -> Probe:
    return devices.probe_modbus(stream, "", None, tcp=True)


def test_a_modbus_server_that_reads_is_well() -> None:
    heard: list[bytes] = []

    def answer(asked: bytes) -> bytes:
        heard.append(asked)
        return bytes.fromhex("5A5A 0000 0005 01 03 02 002A")

    state, told = probed(answer, modbus)
    assert state == "ok"
    assert told.startswith("reads (unit 1, function 3, address 0, 1 registers), answers in ")
    assert heard == [READS] * 5


def test_an_exception_is_an_answer_too() -> None:
    state, told = probed(lambda _: bytes.fromhex("5A5A 0000 0003 01 83 02"), modbus)
    assert (state, told.partition(" (")[0]) == ("ok", "refuses with exception 02")


def test_an_answer_of_the_wrong_size_is_a_fault() -> None:
    state, told = probed(lambda _: bytes.fromhex("5A5A 0000 0007 01 03 04 002A 002B"), modbus)
    assert (state, told.partition(" (")[0]) == ("fault", "its answer is wrong")


def test_silence_and_noise_tell_what_may_be_wrong() -> None:
    state, told = probed(lambda _: b"", modbus)
    assert (state, told) == ("fault", "no answer within 1 s: is it on, wired, and is its address right?")
    state, told = probed(lambda _: b"HTTP/1.1 400 Bad Request\r\n", modbus)
    assert state == "fault"
    assert told.endswith(" bytes that are no answer (48 54 54 50 2F 31 2E 31 20 34 30 30 ...): "
                         "are bit rate, parity and protocol right?")  # fmt: skip


def test_a_device_that_hangs_up_is_a_fault() -> None:
    with device(lambda _: b"", hangs_up=True) as stream:
        probe = modbus(stream)
    assert (probe.state, probe.told) == ("fault", "no answer: the other end has closed the connection")


def test_the_map_tells_what_to_read() -> None:
    asked: list[bytes] = []

    def answer(heard: bytes) -> bytes:
        asked.append(heard)
        return heard[:4] + b"\0\3" + heard[6:7] + bytes((heard[7] | 0x80, 1))

    with device(answer) as stream:
        probe = devices.probe_modbus(stream, "eastron-sdm630", 7, tcp=True)
    assert probe.state == "ok"
    assert (asked[0][6], asked[0][7]) == (7, 3), "the unit of the rig, the first registers of the map"


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    """The near end as a descriptor, the far one as a serial port's name."""
    if sys.platform == "win32":
        pytest.skip("no pty on this system")
    near, far = os.openpty()
    name = os.ttyname(far)
    yield near, name
    os.close(near)
    os.close(far)


def on_the_line(near: int, answer: Answers) -> threading.Thread:
    """A device at the other end of a serial line: answers once."""
    thread = threading.Thread(target=lambda: os.write(near, answer(os.read(near, 4096))), daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("echo", [False, True])
def test_an_rtu_device_is_heard_behind_the_echo_of_an_adapter(pty: tuple[int, str], echo: bool) -> None:
    near, name = pty

    def serve() -> None:
        for _ in range(5):
            asked = os.read(near, 4096)
            assert asked == bytes.fromhex("01 03 0000 0001 840A")
            os.write(near, (asked if echo else b"") + bytes.fromhex("01 03 02 002A 399B"))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = open_serial(SerialPortSettings("line", name))
    probe = devices.probe_modbus(SerialStream(port), "", None, tcp=False)
    thread.join(10)
    port.close()
    assert (probe.state, probe.told.partition(" (")[0]) == ("ok", "reads")


def test_a_frame_with_a_wrong_check_is_no_answer(pty: tuple[int, str]) -> None:
    near, name = pty
    thread = on_the_line(near, lambda _: bytes.fromhex("01 03 02 002A 399C"))
    port = open_serial(SerialPortSettings("line", name))
    probe = devices.probe_modbus(SerialStream(port), "", None, tcp=False)
    thread.join(10)
    port.close()
    assert probe.state == "fault"
    assert probe.told.startswith("7 bytes that are no answer (01 03 02 00 2A 39 9C): are bit rate, parity and")


# --- consoles, meters, instruments ------------------------------------------------------------------


def test_a_console_tells_its_version(pty: tuple[int, str]) -> None:
    near, name = pty
    thread = on_the_line(
        near, lambda asked: b"debug text\r\n$OK 7.1.3 5.0.1^21\r" if asked == b"$GV^35\r" else b"$NK\r"
    )
    port = open_serial(SerialPortSettings("line", name, baud=115_200))
    probe = devices.probe_console(SerialStream(port))
    thread.join(10)
    port.close()
    assert probe.state == "ok"
    assert probe.told.startswith("firmware 7.1.3, protocol 5.0.1, answers in ")


def test_a_console_that_refuses_is_a_fault() -> None:
    state, told = probed(lambda _: b"$NK^21\r", devices.probe_console)
    assert (state, told) == ("fault", "answers the question for its version with '$NK^21'")


def test_a_meter_tells_its_address() -> None:
    asked = bytes.fromhex("FEFEFEFE 68 AAAAAAAAAAAA 68 13 00 DF 16")
    answer = bytes.fromhex("FEFEFEFE 68 785634120000 68 93 06 AB8967453333 C3 16")
    state, told = probed(lambda heard: answer if heard == asked else b"", devices.probe_meter)
    assert state == "ok"
    assert told.startswith("DL/T 645 meter 000012345678, answers in ")


def test_an_instrument_tells_what_it_is() -> None:
    state, told = probed(lambda heard: b"ACME,LOAD,1,2.0\n" if heard == b"*IDN?\n" else b"", devices.probe_scpi)
    assert state == "ok"
    assert told.startswith("ACME,LOAD,1,2.0, answers in ")


# --- signals --------------------------------------------------------------------------------------

WELCOME = (
    b'{"hello":1,"box":"desk","signals":{"relay":{"kind":"actuator"},"dac":{"kind":"sensor","unit":"V"}},"id":1}\n'
)


def box(heard: bytes) -> bytes:
    if b"hello" in heard:
        return WELCOME
    number = heard.partition(b'"id":')[2].partition(b",")[0].partition(b"}")[0]
    return b'{"ok":"set","id":%s}\n' % number


@pytest.mark.parametrize(
    ("needed", "state", "told"),
    [
        ({"relay": "actuator", "dac": "sensor"}, "ok", "desk: 2 of 2 signals"),
        (
            {"relay": "actuator", "adc": "actuator"},
            "quiet",
            "desk: 1 of 2 signals; it has no adc (nothing can depend on",
        ),
        ({"relay": "sensor"}, "fault", "desk: relay is actuator, sensor is due"),
    ],
)
def test_a_box_is_compared_with_what_is_needed(needed: dict[str, str], state: str, told: str) -> None:
    with device(box) as stream:
        first, delay = devices.probe_signals(stream, needed)
    assert first.state == state
    assert first.told.startswith(told)
    assert delay.state == "ok"
    assert delay.told.startswith("answers in ")


@pytest.mark.parametrize(
    ("on", "value", "state", "told"),
    [
        ("relay", 1, "ok", "closed (relay)"),
        ("relay", 0, "quiet", "open (relay): the rig does not energise"),
        ("dac", 1, "fault", "the box has no actuator dac (what it tells the bench of): it counts as open"),
        ("di_9", 1, "fault", "the box has no actuator di_9 (what it tells the bench of): it counts as open"),
    ],
)
def test_the_state_of_an_interlock_is_told(on: str, value: int, state: State, told: str) -> None:
    def answer(heard: bytes) -> bytes:
        return b'{"values":{"relay":%d},"id":1000}\n' % value if b'"get"' in heard else box(heard)

    with device(answer) as stream:
        (*_, found) = devices.probe_signals(stream, {}, {"door": on})
    assert found == Probe("interlock door", state, told)


def test_a_box_that_refuses_is_a_fault() -> None:
    with device(lambda _: b'{"error":"busy","id":1}\n') as stream:
        assert devices.probe_signals(stream, {}) == [Probe("box", "fault", "refuses the greeting: busy")]


# --- opening --------------------------------------------------------------------------------------


def test_a_pseudo_terminal_has_no_parity_to_refuse(pty: tuple[int, str]) -> None:
    near, name = pty
    for _ in range(3):
        port = open_serial(SerialPortSettings("line", name, baud=2400, parity="E"))
        port.write(b"abc")
        assert os.read(near, 16) == b"abc"
        port.close()


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (
            lambda: open_serial(SerialPortSettings("tty", "/dev/no-such-port")),
            r"port tty \(/dev/no-such-port 9600 8N1\) cannot be opened: .*No such file.*; check the cable and the url",
        ),
        (
            lambda: open_serial(SerialPortSettings("tty", "ftp://x")),
            r"port tty .* cannot be opened: invalid URL, protocol 'ftp' not known$",
        ),
        (
            lambda: open_tcp(TcpPortSettings("lan", "no-such-host.invalid", 502)),
            r"port lan \(no-such-host\.invalid:502\) cannot be opened: .*; check the host's name, or give its address",
        ),
        (
            lambda: open_udp(SignalsPortSettings("io", "udp://no-such-host.invalid:9100")),
            r"port io \(udp://no-such-host\.invalid:9100\) cannot be opened: .*; check the host's name",
        ),
    ],
)
def test_what_the_system_refuses_is_told_with_what_to_try(attempt: Callable[[], object], message: str) -> None:
    with pytest.raises(RigError, match=message):
        attempt()


def test_a_port_is_asked_for_every_part_that_it_plays() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        rig = load_rig(resource("rigs/pcan-windows.toml"))
        port = SignalsPortSettings("io", f"tcp://127.0.0.1:{server.getsockname()[1]}")

        def serve() -> None:
            client, _ = server.accept()
            with client:
                while heard := client.recv(4096):
                    client.sendall(box(heard))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        checked = check_port(rig, port)
        thread.join(10)
    assert (checked.parts, checked.error, checked.fine) == (("signals",), "", True)
    assert [probe.what for probe in checked.probes] == ["box", "delay"]
    assert {"relay_1", "relay_2", "dac_0", "output_voltage"} < set(needed_signals(rig))
    metered = load_rig(resource("rigs/socketcan-rs485.toml"))
    closed = check_port(metered, SerialPortSettings("rs485", "/dev/no-such-port"))
    assert (closed.parts, closed.fine, closed.probes) == (("instrument dc-meter",), False, ())
    assert closed.error.startswith("port rs485 (/dev/no-such-port 9600 8N1) cannot be opened: ")
