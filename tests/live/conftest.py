"""Reference devices served by processes of their own, and the command as a user gives it, on ports of this machine."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hil.transport.pty_port import PtyPort

PATIENCE = 120.0
"""s; nothing on this machine takes so long, and what comes to it has failed."""


def free_port() -> int:
    """A TCP port that the system gives."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number: int = found.getsockname()[1]
        return number


class Bay:
    """A rig in a folder of its own: ports are added by role, then devices are served and commands given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rig = folder / "bay.toml"
        self.places: dict[str, str] = {}
        """Role to the path of its pty."""
        self.numbers: dict[str, int] = {}
        """Role to its TCP port."""
        self._dut: list[str] = ['name = "reference device"']
        self._ports: list[str] = []
        self._envelope: list[str] = []

    # --- the rig ------------------------------------------------------------------------------------

    def tcp(self, role: str = "modbus") -> Bay:
        """The role is played over TCP."""
        self.numbers[role] = free_port()
        self._ports.append(f'[ports.{role}]\ntype = "tcp"\nhost = "127.0.0.1"\nport = {self.numbers[role]}\n')
        return self

    def pty(self, role: str, line: str = "baud = 9600", place: str = "") -> Bay:
        """The role is played over a serial line; ``line`` is its format."""
        self.places[role] = place or str(self.folder / role)
        self._ports.append(f'[ports.{role}]\ntype = "serial"\nurl = "{self.places[role]}"\n{line}\n')
        return self

    def signals(self) -> Bay:
        """The plant's signals go over a TCP port."""
        self.numbers["signals"] = free_port()
        self._ports.append(f'[ports.signals]\ntype = "signals"\nurl = "tcp://127.0.0.1:{self.numbers["signals"]}"\n')
        return self

    def dut(self, *lines: str) -> Bay:
        """More of the rig's ``[dut]``."""
        self._dut += lines
        return self

    def envelope(self, **limits: float) -> Bay:
        """The rig's ``[envelope]``."""
        self._envelope = ["[envelope]", *(f"{name} = {value}" for name, value in limits.items())]
        return self

    def write(self) -> str:
        """The rig file, written down."""
        roles = [*self.places, *self.numbers]
        head = ["schema = 1", 'name = "bay"', 'kind = "live"', "[dut]", *self._dut]
        parts = ["[roles]", *(f'{role} = "{role}"' for role in roles), "[plant]", 'source = "model"', *self._envelope]
        self.rig.write_text("\n".join([*head, *self._ports, *parts, ""]), "utf-8")
        return str(self.rig)

    # --- who takes part -----------------------------------------------------------------------------

    @contextmanager
    def served(self, *args: str) -> Iterator[None]:
        """``hil serve``, once it is ready."""
        with process(sys.executable, "-m", "hil.cli", "serve", "--rig", self.write(), *args, folder=self.folder):
            yield

    def hil(self, *args: str) -> subprocess.CompletedProcess[str]:
        """A command on this rig."""
        return subprocess.run(
            [sys.executable, "-m", "hil.cli", *args, "--rig", self.write()],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def verdicts(self, suite: str, *cases: str) -> dict[str, str]:
        """What ``hil run`` finds in cases of a suite: run to verdict."""
        done = self.hil("run", "--suite", suite, *(word for case in cases for word in ("--case", case)))
        found = self.folder / "report" / "conformance.json"
        assert found.exists(), done.stdout + done.stderr
        results = json.loads(found.read_text("utf-8"))["cases"]
        found.unlink()
        return {run_of(each): f"{each['verdict']}" for each in results}

    def scan(self, *args: str) -> dict[str, Any]:
        """What ``hil modbus scan`` reads: register to its entry."""
        done = self.hil("modbus", "scan", "--json", *args)
        assert done.stdout.startswith("{"), done.stdout + done.stderr
        return {each["name"]: each for each in json.loads(done.stdout)["registers"]}


def run_of(result: dict[str, Any]) -> str:
    """A run as the command line names it, without its reading."""
    return f"{result['id']}[{result['variant']}]" if result["variant"] else str(result["id"])


@contextmanager
def process(*command: str, folder: Path, ready: str = "ready") -> Iterator[None]:
    """A process that says in a line of its own when it is ready; it is ended by its id."""
    running = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watch = threading.Timer(PATIENCE, running.kill)
    watch.start()
    said: list[str] = []
    drain: threading.Thread | None = None
    assert running.stdout is not None, "it was asked for"
    try:
        for line in running.stdout:
            said.append(line)
            if line.strip() == ready:
                break
        else:
            pytest.fail(f"{' '.join(command)} never was ready:\n{''.join(said)}")
        drain = threading.Thread(target=running.stdout.read, daemon=True)
        drain.start()
        yield
    finally:
        watch.cancel()
        running.terminate()
        try:
            running.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        if drain is not None:
            drain.join()
        running.stdout.close()


@contextmanager
def null_modem(folder: Path, *, echo: bool = False) -> Iterator[tuple[str, str]]:
    """The names of two serial ports: what is written to one is read from the other, and from the first with echo."""
    ends = PtyPort(folder / "near"), PtyPort(folder / "far")
    stop_read, stop_write = os.pipe()

    def carry() -> None:
        waited: list[PtyPort | int] = [*ends, stop_read]
        while True:
            ready = select.select(waited, (), ())[0]
            if stop_read in ready:
                return
            for here, there in (ends, ends[::-1]):
                if here in ready:
                    data = here.read()
                    if echo and here is ends[0]:
                        here.write(data)
                    there.write(data)

    thread = threading.Thread(target=carry, name="null modem", daemon=True)
    thread.start()
    try:
        yield str(ends[0].link), str(ends[1].link)
    finally:
        os.close(stop_write)
        thread.join(PATIENCE)
        os.close(stop_read)
        for end in ends:
            end.close()


@pytest.fixture
def bay(tmp_path: Path) -> Bay:
    """A rig without ports yet."""
    if sys.platform == "win32":
        pytest.skip("serial ports of a device's side are ptys, which this system has not")
    return Bay(tmp_path)
