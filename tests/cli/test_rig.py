"""``hil rig``: what is told of rigs, and by which exit code."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from hil.cli.rig_show import RigCheck, SuiteCheck, as_json
from hil.resources import rig_names
from hil.rig import load_rig
from hil.transport.probe import Probe
from hil.transport.probing import PortCheck

SERVER = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening")
while True:
    client, _ = server.accept()
    while asked := client.recv(300):
        client.sendall(asked[:4] + b"\\0\\5" + asked[6:8] + b"\\2\\0\\7")
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wallbox(folder: Path, port: int, process: str = "") -> Path:
    path = folder / "wallbox.toml"
    path.write_text(
        'schema = 1\nname = "wallbox"\nkind = "live"\n[dut]\nname = "box"\n'
        f"{process}"
        f'[ports.lan]\ntype = "tcp"\nhost = "127.0.0.1"\nport = {port}\n'
        '[ports.spare]\ntype = "serial"\nurl = "loop://"\n'
        '[roles]\nmodbus = "lan"\n[plant]\nsource = "model"\n',
        encoding="utf-8",
    )
    return path


def started(port: int) -> str:
    command = json.dumps([sys.executable, "-u", "-c", SERVER, str(port)])
    return f'[dut.process]\ncommand = {command}\nready = "listening"\n'


def test_the_shipped_rigs_are_listed(shell: Any) -> None:
    listed = shell.hil("rig", "list")
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()[1:]] == list(rig_names())


def test_a_virtual_rig_is_always_well(shell: Any) -> None:
    done = shell.hil("rig", "check", "virtual")
    assert done.returncode == 0
    assert "no ports: everything is simulated" in done.stdout
    assert "1 not: rig virtual has no inspection" in done.stdout
    assert done.stdout.endswith("all is well\n")


def test_what_answers_is_told_and_what_can_be_tested(shell: Any, tmp_path: Path) -> None:
    port = free_port()
    done = shell.hil("rig", "check", str(wallbox(tmp_path, port, started(port))))
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert any(line.startswith("DUT  ok      process: ready after ") for line in lines)
    assert f"port lan (tcp, 127.0.0.1:{port}) as modbus" in lines
    assert any(line.startswith("  ok      Modbus device: reads (unit 1, function 3, ") for line in lines)
    assert "port spare (serial, loop:// 9600 8N1), which has no part to play" in lines
    assert any("not: port lan of rig wallbox is of type tcp: it carries no Modbus RTU" in line for line in lines)
    assert any("not: rig wallbox has no port to the DL/T 645 meter ([roles] meter)" in line for line in lines)
    assert lines[-1] == "all is well"


def test_the_same_for_programs(shell: Any, tmp_path: Path) -> None:
    port = free_port()
    done = shell.hil("rig", "check", "--json", str(wallbox(tmp_path, port, started(port))))
    told = json.loads(done.stdout)
    assert (done.returncode, told["fine"], told["rig"], told["kind"]) == (0, True, "wallbox", "live")
    assert told["process"]["state"] == "ok"
    lan, spare = told["ports"]
    assert (lan["port"], lan["parts"], lan["opened"], lan["probes"][0]["state"]) == ("lan", ["modbus"], True, "ok")
    assert (spare["place"], spare["probes"]) == ("loop:// 9600 8N1", [])
    for suite in told["suites"]:
        assert suite["runs"] == suite["applicable"] + sum(each["runs"] for each in suite["not_applicable"])
    applicable = {suite["suite"] for suite in told["suites"] if suite["applicable"]}
    assert applicable == {"modbus"}


def test_who_answers_for_each_interlock_and_its_state(tmp_path: Path) -> None:
    path = wallbox(tmp_path, 502)
    text = path.read_text("utf-8").replace(
        "[plant]", "signals = 'io'\n[ports.io]\ntype = 'signals'\nurl = 'COM5'\n[plant]"
    )
    limits = "max_voltage = 250\nmax_current = 32\nmax_power = 8000\nmax_duration = 60"
    path.write_text(
        f"{text}[envelope]\n{limits}\ninterlocks = ['door', 'mat', 'hood']\n[signals]\ndoor = 'di_3'\nhood = 'di_4'\n",
        encoding="utf-8",
    )
    rig = load_rig(path)
    probe = Probe("interlock door", "quiet", "open (di_3): the rig does not energise")
    asked = PortCheck(rig.ports["io"], ("signals",), probes=(probe,))
    suites = (SuiteCheck("modbus", 1, {}),)
    told = json.loads(as_json(RigCheck(rig, None, (asked,), suites, opened=True)))
    assert told["interlocks"] == [
        {"interlock": "door", "on": "di_3", "state": "open"},
        {"interlock": "mat", "on": "", "state": "unknown"},
        {"interlock": "hood", "on": "di_4", "state": "unknown"},
    ]
    assert told["fine"], "an open door is no fault of the rig"


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_a_port_that_cannot_be_opened_is_a_matter_of_usage(shell: Any, tmp_path: Path, option: tuple[str, ...]) -> None:
    port = free_port()
    done = shell.hil("rig", "check", *option, str(wallbox(tmp_path, port)))
    assert done.returncode == 2
    assert f"port lan (127.0.0.1:{port}) cannot be opened: [Errno" in done.stdout
    assert "check that the device is on, its port number, and that nobody else is connected" in done.stdout


def test_what_does_not_come_up_is_a_fault(shell: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        process = f'[dut.process]\ncommand = ["{sys.executable}", "-c", "exit(4)"]\nready = "x"\n'
        done = shell.hil("rig", "check", str(wallbox(tmp_path, server.getsockname()[1], process)))
    assert done.returncode == 1
    assert "DUT  fault   process: the DUT exited with code 4" in done.stdout
    assert "  fault   Modbus device: no answer within 1 s" in done.stdout
    assert done.stdout.endswith("2 faults found\n")


def test_a_file_alone_can_be_checked(shell: Any, tmp_path: Path) -> None:
    path = wallbox(tmp_path, free_port())
    done = shell.hil("rig", "check", "--no-open", str(path))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "the file is valid")
    path.write_text(path.read_text("utf-8").replace('modbus = "lan"', 'modbus = "spar"'), encoding="utf-8")
    done = shell.hil("rig", "check", "--no-open", str(path))
    assert done.returncode == 2
    assert 'line 14: [roles] modbus = "spar": there is no [ports.spar]; allowed is a port of type' in done.stderr


def test_a_rig_that_there_is_not_and_a_wrong_option_are_told(shell: Any) -> None:
    assert "no rig 'wallbox.toml'" in shell.hil("rig", "check", "wallbox.toml").stderr
    done = shell.hil("rig", "check", "virtual", "--listen", "0")
    assert (done.returncode, "--listen 0: allowed is more than 0 up to 600 s" in done.stderr) == (2, True)
