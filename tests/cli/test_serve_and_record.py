"""``hil serve`` and ``hil record``: on ptys and loopback, in processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import can
import pytest
import serial

from hil.transport.pty_port import PtyPort

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")

HEAD = """schema = 1
name = "desk"
kind = "live"

[dut]
name = "charger on a desk"

"""
SLCAN = """[ports.can0]
type = "can"
interface = "slcan"
channel = "{folder}/adapter"

[ports.can0.options]
sleep_after_open = 0.0

[roles]
can = "can0"

[plant]
source = "hardware"

[envelope]
max_voltage = 750.0
max_current = 250.0
max_power = 120000.0
max_duration = 3600.0
"""
CONSOLE = """[ports.console]
type = "serial"
url = "{folder}/console"
baud = 115200

[roles]
console = "console"

[plant]
source = "hardware"

[envelope]
max_voltage = 300.0
max_current = 80.0
max_power = 22000.0
max_duration = 3600.0
"""


def rig(folder: Path, text: str) -> str:
    path = folder / "desk.toml"
    path.write_text(HEAD + text.format(folder=folder), "utf-8")
    return str(path)


@contextmanager
def running(shell: Any, *args: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on until it is ended, from the line in which it says that it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hil.cli", *args],
        cwd=shell.path,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    try:
        for line in process.stdout:
            said += line
            if line == "ready\n":
                break
        else:
            pytest.fail(f"it was never ready: {said}")
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def ended(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """What it said after a signal, when it has ended by itself."""
    process.send_signal(number)
    assert process.stdout is not None
    said = process.stdout.read()
    assert process.wait() == 0, said
    return said


def test_a_charger_without_a_bench_shakes_hands_with_whatever_is_on_its_bus(shell: Any) -> None:
    """Plugged in and authorised by itself; nobody answers its CHM, so that it goes on sending that."""
    path = rig(shell.path, SLCAN)
    with running(shell, "serve", "--rig", path, "--standalone") as process:
        bus = can.Bus(interface="slcan", channel=str(shell.path / "adapter"), bitrate=250_000, sleep_after_open=0)
        message = bus.recv(60)
        bus.shutdown()
        assert message is not None
        assert (message.arbitration_id, bytes(message.data)) == (0x1826F456, bytes.fromhex("010100")), "CHM, sheet 3.1"
        said = ended(process, signal.SIGINT)
    assert "gbt27930: 0 received" in said
    assert "late by up to" in said


def test_a_console_answers_on_a_pty_and_its_trace_is_kept(shell: Any) -> None:
    path = rig(shell.path, CONSOLE)
    with running(shell, "serve", "--rig", path, "--out", "kept") as process:
        with serial.serial_for_url(str(shell.path / "console"), baudrate=115_200, timeout=2) as console:
            answers: list[bytes] = []
            while not any(line.startswith(b"$OK ") for line in answers):
                assert len(answers) < 20, answers
                console.write(b"$GE\r")  # while it starts it answers nothing
                answers.append(console.read_until(b"\r"))
        said = ended(process, signal.SIGTERM)
    assert "rapi: " in said
    stream = (shell.path / "kept" / "serve-rapi.jsonl").read_text("utf-8").splitlines()
    kinds = {json.loads(line)[0] for line in stream}
    assert {"bytes", "sent", "note"} <= kinds
    assert not (shell.path / "console").exists(), "the name goes with the device"


def test_a_fault_is_put_into_what_is_served(shell: Any) -> None:
    path = rig(shell.path, CONSOLE)
    with (
        running(shell, "serve", "--rig", path, "--fault", "rapi-checksum-off") as process,
        serial.serial_for_url(str(shell.path / "console"), baudrate=115_200, timeout=60) as console,
    ):
        console.write(b"$GE\r")
        body, _, check = console.read_until(b"\r").rstrip(b"\r").rpartition(b"^")  # of whatever it says first
        right = 0
        for byte in body:
            right ^= byte
        assert int(check, 16) != right
        ended(process, signal.SIGTERM)


PINS = """[ports.plug]
type = "tcp"
host = "127.0.0.1"
port = PLUG

[ports.box]
type = "signals"
url = "tcp://127.0.0.1:BOX"

[roles]
modbus = "plug"
signals = "box"
"""


def free_port() -> str:
    """A TCP port that the system gives."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def serving(shell: Any, text: str, *args: str) -> list[str]:
    """What a rig with pins is served as: the lines that say so, without the numbers of the ports."""
    path = rig(shell.path, text.replace("PLUG", free_port()).replace("BOX", free_port()))
    done = shell.hil("serve", "--rig", path, "--seconds", "0.1", *args)
    assert done.returncode == 0, done.stdout + done.stderr
    return [re.sub(r":\d+", "", line) for line in done.stdout.splitlines() if line.startswith("serving")]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ((), "serving ac_modbus: modbus on 127.0.0.1, signals on tcp://127.0.0.1"),
        (("--map", "keba-p30"), "serving ac_modbus: modbus on 127.0.0.1, signals on tcp://127.0.0.1"),
        (("--map", "abb-terra-ac"), "serving modbus: modbus on 127.0.0.1"),
        (("--device", "modbus"), "serving modbus: modbus on 127.0.0.1"),
        (("--standalone",), "serving ac_modbus: modbus on 127.0.0.1, with a plant of its own"),
    ],
)
def test_registers_and_pins_are_an_ac_charger_s_where_it_can_have_the_map(
    shell: Any, args: tuple[str, ...], told: str
) -> None:
    lines = serving(shell, PINS, *args)
    assert told in lines
    assert sum("modbus on" in line for line in lines) == 1


def test_a_console_takes_the_pins(shell: Any) -> None:
    console = '[ports.console]\ntype = "serial"\nurl = "{folder}/console"\n\n'
    lines = serving(shell, console + PINS + 'console = "console"\n')
    assert {line.split(":")[0] for line in lines} == {"serving rapi", "serving modbus"}


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--rig", "virtual"), "rig virtual is virtual: it has no ports to serve on"),
        (("--device", "modbus"), "--device modbus: rig desk gives no port to role modbus"),
        (("--device", "toaster"), "no kind of bench 'toaster'"),
        (("--fault", "lost-bcl-late"), "--fault lost-bcl-late: it is one of gbt27930, and served is rapi"),
        (("--fault", "nonsense"), "no seeded fault 'nonsense'"),
    ],
)
def test_what_cannot_be_served_is_told_in_one_line(shell: Any, args: tuple[str, ...], told: str) -> None:
    path = rig(shell.path, CONSOLE)
    words = args if "--rig" in args else ("--rig", path, *args)
    done = shell.hil("serve", *words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_told(shell: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = f"""[ports.m]
type = "tcp"
host = "127.0.0.1"
port = {taken.getsockname()[1]}

[roles]
modbus = "m"

[plant]
source = "hardware"

[envelope]
max_voltage = 300.0
max_current = 80.0
max_power = 22000.0
max_duration = 3600.0
"""
        done = shell.hil("serve", "--rig", rig(shell.path, text))
    assert done.returncode == 2
    assert "cannot be opened" in done.stderr
    assert "in use" in done.stderr


def test_what_a_port_shows_is_recorded_to_standard_files(shell: Any) -> None:
    """A device writes on its pty; the recording listens on the other end and sends nothing."""
    path = rig(shell.path, CONSOLE)
    device = PtyPort(shell.path / "console")
    try:
        with running(shell, "record", "--rig", path, "--out", "kept") as process:
            device.write(b"$AT 01 00 0 0000^28\r")
            stream = shell.path / "kept" / "record.jsonl"
            while b"bytes" not in stream.read_bytes():
                assert process.poll() is None
            said = ended(process, signal.SIGINT)
        assert device.read() == b"", "it takes no part"
    finally:
        device.close()
    assert "frames and chunks: console 1" in said
    (seen,) = (json.loads(line) for line in stream.read_text("utf-8").splitlines() if line.startswith('["bytes"'))
    assert seen[2] == "console"


def test_frames_are_recorded_in_the_format_asked_for(shell: Any) -> None:
    """The charger that is served alone is what there is to hear."""
    served = rig(shell.path, SLCAN)
    with (
        running(shell, "serve", "--rig", served, "--standalone"),
        running(shell, "record", "--rig", served, "--out", "kept", "--format", "asc") as process,
    ):
        stream = shell.path / "kept" / "record.jsonl"
        while b'"frame"' not in stream.read_bytes():
            assert process.poll() is None
        ended(process, signal.SIGINT)
    seen = {message.arbitration_id for message in can.LogReader(shell.path / "kept" / "record-can.asc")}
    assert seen == {0x1826F456}
    candump = (shell.path / "kept" / "record.log").read_text("utf-8")
    assert "can0 1826F456#010100" in candump


def test_what_cannot_be_recorded_is_told(shell: Any) -> None:
    path = rig(shell.path, CONSOLE)
    wrong = shell.hil("record", "--rig", path, "--format", "sqlite")
    assert (wrong.returncode, "allowed is asc, blf, csv, log, trc" in wrong.stderr) == (2, True)
    missing = shell.hil("record", "--rig", path)
    assert missing.returncode == 2
    assert "port console" in missing.stderr
    assert "cannot be opened" in missing.stderr
    other = shell.hil("record", "--rig", path, "--port", "can7")
    assert (other.returncode, "rig desk has console" in other.stderr) == (2, True)
