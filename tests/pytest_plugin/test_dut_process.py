"""A rig that starts its DUT: a crash or a hang in mid-case is the DUT's failure, one at the start is an error."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

DUT = """
import os, socket, sys, threading, time

def print(*words):
    # In one piece: two threads speak, and a line is two pieces to Python's own.
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("booted", os.getpid())
if "--crash" in sys.argv:
    sys.exit("no licence")

def tick():
    while True:
        print("tick")
        time.sleep(0.05)

threading.Thread(target=tick, daemon=True).start()
print("listening")
while True:
    client, _ = server.accept()
    while said := client.recv(100):
        print("heard", said)
        if b"crash" in said:
            os._exit(7)
        if b"hang" in said:
            print("about to hang")
            # What holds the interpreter's lock for minutes stops every thread: nothing ticks any more.
            sum(range(10**12))
        client.send(b"ok")
"""
CASES = """
from hil.cases import ModbusBench, ms, requirement, s

def say(bench, what):
    bench.line("tcp").send(what)
    bench.let(ms(200))

@requirement("MODBUS/FC.01")
def test_one(bench: ModbusBench, variant: str) -> None:
    say(bench, b"fine")
    bench.check("value", 1, equals=1)

@requirement("MODBUS/FC.02")
def test_two(bench: ModbusBench, variant: str) -> None:
    say(bench, b"crash")
    bench.let(s(24 * 3600))

@requirement("MODBUS/FC.03")
def test_three(bench: ModbusBench, variant: str) -> None:
    say(bench, b"hang")
    bench.check("value", 1, equals=1)

@requirement("MODBUS/FC.05")
def test_five(bench: ModbusBench, variant: str) -> None:
    say(bench, b"fine")
    bench.check("value", 1, equals=1)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def rig(folder: Any, *options: str) -> None:
    """A rig whose DUT is the script, and cases that have it live and die."""
    port = free_port()
    folder.write("dut.py", DUT)
    folder.write("test_cases.py", CASES)
    command = json.dumps([sys.executable, "-u", "dut.py", str(port), *options])
    folder.write(
        "bay.toml",
        'schema = 1\nname = "bay"\nkind = "live"\n\n[dut]\nname = "script"\n\n'
        f'[dut.process]\ncommand = {command}\nready = "^listening"\nalive = "^tick"\nalive_within = 1.0\n'
        f"stop_within = 0.5\n\n"
        f'[ports.lan]\ntype = "tcp"\nhost = "127.0.0.1"\nport = {port}\n\n'
        '[roles]\nmodbus = "lan"\n\n[plant]\nsource = "model"\n',
    )


def runs_of(folder: Any) -> dict[str, dict[str, Any]]:
    return {case["id"]: case for case in folder.report()["cases"] if case["verdict"] != "not_applicable"}


@pytest.mark.skipif(sys.platform == "win32", reason="tells ends of processes as POSIX does")
def test_a_dut_that_dies_or_hangs_fails_that_case_and_the_next_one_runs(folder: Any) -> None:
    """One that dies ends the wait, if it were for a day."""
    rig(folder)
    done = folder.pytest("test_cases.py", "--rig", "bay.toml")
    cases = runs_of(folder)
    told = {identifier: (case["verdict"], case["reason"]) for identifier, case in cases.items()}
    assert told["FC.01"] == ("pass", ""), done.stdout
    assert told["FC.02"][0] == "fail", told
    assert told["FC.02"][1].startswith("the DUT exited with code 7; its last words: ")
    assert told["FC.02"][1].endswith("heard b'crash'")
    assert told["FC.03"][0] == "fail", told
    assert told["FC.03"][1].startswith("the DUT hangs: for 1 s no line told that it goes on; its last words: ")
    assert told["FC.03"][1].endswith("about to hang")
    assert told["FC.05"] == ("pass", ""), "whatever was before, the next one finds it ready"
    outputs = {
        identifier: (folder.path / "report" / case["dut_output"]).read_text() for identifier, case in cases.items()
    }
    starts = {identifier: text.count("booted") for identifier, text in outputs.items()}
    assert starts == {"FC.01": 1, "FC.02": 0, "FC.03": 1, "FC.05": 1}, "what passed goes on"
    assert "heard b'crash'" in outputs["FC.02"]
    pids = [int(line.split()[-1]) for text in outputs.values() for line in text.splitlines() if "booted" in line]
    assert len(pids) == 3
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()], "none is left behind"


def test_a_dut_that_does_not_come_up_is_an_error(folder: Any) -> None:
    rig(folder, "--crash")
    folder.pytest("test_cases.py", "--rig", "bay.toml", "-k", "one")
    case = runs_of(folder)["FC.01"]
    assert case["verdict"] == "error"
    assert "before it was ready; its last words: booted" in case["reason"]
    assert case["reason"].endswith("no licence (all of it: dut/FC.01-tcp.log)")
    assert "no licence" in (folder.path / "report" / "dut" / "FC.01-tcp.log").read_text("utf-8")
