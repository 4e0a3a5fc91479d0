"""The device's side of a port: one that is served already is not joined as if it were somebody else's adapter."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from hil.errors import RigError
from hil.rig.ports import CanPortSettings, PortSettings, SerialPortSettings
from hil.transport.live import LiveWorld
from hil.transport.serving import serve_line
from hil.world.plan import Close

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")

OTHER = """
import sys
from pathlib import Path
from hil.transport.pty_port import PtyPort
port = PtyPort(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that serves a pty until its input ends."""
    running = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(tmp_path / "tty")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    yield running
    running.communicate()


@pytest.mark.parametrize("kind", ["slcan", "serial"])
def test_a_pty_that_is_served_already_is_refused_until_it_is_no_more(
    other: subprocess.Popen[str], tmp_path: Path, kind: str
) -> None:
    place = str(tmp_path / "tty")
    settings: PortSettings = SerialPortSettings("line", place)
    if kind == "slcan":
        settings = CanPortSettings("line", "slcan", place, 250_000)
    world = LiveWorld(0)
    with pytest.raises(RigError, match=r"port line .* is served already, by another process: .*give .*tty"):
        serve_line(world, settings)
    with serial.Serial(place, exclusive=True) as client:
        assert client.is_open, "it is there for clients"
    other.communicate()
    serve_line(world, settings)
    world.execute(Close())
