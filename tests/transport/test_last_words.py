"""What a live bench has switched on is switched off when it goes: the test's end of the pipe closes, as when that is
killed, and the far end of each port tells what it heard."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hil.bench.live import LiveSetup, build_live
from hil.bench.setup import Setup
from hil.conformance.register import resolve
from hil.protocol.modbus import crc16
from hil.rig.instruments import InstrumentClaim, Uncertainty
from hil.rig.ports import PortSettings, SerialPortSettings, TcpPortSettings
from hil.transport.process import LiveProcess
from hil.transport.pty_port import PtyPort
from hil.units import ms, s
from hil.world.plan import Advance, Do, OnNote, Tell

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")
PATIENCE = 30
LOAD = InstrumentClaim("load", "scpi", {"voltage": Uncertainty(0.5)}, port="load")
WALLBOX = """
schema = 1
name = "wallbox"
title = "A wallbox on a serial line"
kind = "charger"
source = "written for a test"
confidence = "2+"
base = 0
unit = 7
transports = ["rtu"]
serial = "9600 8N1"
registers = [
  { name = "limit", address = 3, type = "u16", access = "rw", unit = "A", low = 6, high = 32, also = [0] },
]
[functions]
holding = [3, 6, 16]
[roles]
set_current = "limit"
"""


@contextmanager
def bench(
    kind: str, ports: dict[str, PortSettings], meters: dict[str, PortSettings] | None = None, **setup: Any
) -> Iterator[LiveProcess]:
    """A bench in its process, whose pipe is closed at the end."""
    whole = Setup(readings=resolve({}, None), **setup)
    made = LiveProcess(partial(build_live, LiveSetup(kind, whole, ports, {}, meters or {})))
    try:
        yield made
    finally:
        made.end()
    assert made.exit_code == 0


@pytest.fixture
def far(tmp_path: Path) -> Iterator[PtyPort]:
    port = PtyPort(tmp_path / "tty")
    yield port
    port.close()


def serial(far: PtyPort) -> SerialPortSettings:
    return SerialPortSettings("line", str(far.link))


def rtu(body: bytes) -> bytes:
    return body + crc16(body).to_bytes(2, "little")


def take(peer: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := peer.recv(size - len(data))):
        data += more
    return data


def test_a_wallbox_on_tcp_is_released_no_more() -> None:
    """Limit 5004 in mA and enable 5014, as sheet 6 has them; a bench that comes enables first, as one may have gone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        port = TcpPortSettings("modbus", "127.0.0.1", server.getsockname()[1])
        with bench("ac_modbus", {"modbus": port}, map="keba-p30") as process:
            keep = {"name": "set_current", "value": 16.0, "every": s(600)}
            process.execute(Do((Tell("manager", "keep", keep),)))
            peer, _ = server.accept()
            peer.settimeout(PATIENCE)
            heard = [take(peer, 12)]
            peer.sendall(heard[0])
            heard.append(take(peer, 12))
            peer.sendall(heard[1])
        with peer:
            last = take(peer, 100)
    assert [each[6:].hex() for each in heard] == ["ff0613960001", "ff06138c3e80"]
    assert last[6:].hex() == "ff0613960000"
    assert last[2:6].hex() == "00000006"


def test_a_wallbox_on_rtu_is_limited_to_nothing(far: PtyPort, tmp_path: Path) -> None:
    """It never answers the write: the last words wait for that a while, and no longer."""
    path = tmp_path / "wallbox.toml"
    path.write_text(WALLBOX, "utf-8")
    with bench("modbus", {"modbus": serial(far)}, map=str(path)) as process:
        order = {"on": "rtu", "ticket": 1, "pdu": "0600030010", "unit": 7}
        process.execute(Do((Tell("master", "request", order),)))
    assert far.read() == rtu(bytes.fromhex("070600030010")) + rtu(bytes.fromhex("070600030000"))


def test_a_load_that_was_switched_on_is_switched_off(far: PtyPort) -> None:
    with bench("ac", {}, {"load": serial(far)}, instruments=(LOAD,)) as process:
        process.execute(Do((Tell("load", "stop"),)))
        far.write(b"0\n")
        answered = process.execute(Advance(s(PATIENCE), (OnNote("scpi", "answer"),)))
        process.execute(Do((Tell("load", "send", {"text": "INP ON"}),)))
        process.execute(Advance(answered.now + ms(100)))
    assert far.read() == b"MEAS:VOLT?\nINP ON\n\nINP OFF\n"


def test_a_console_charger_that_was_enabled_sleeps(far: PtyPort) -> None:
    """The checksum is that of sheet 1.2, by hand: 24 ^ 46 ^ 53."""
    with bench("rapi", {"console": serial(far)}) as process:
        process.execute(Do((Tell("client", "request", {"name": "FE", "check": ""}),)))
    assert far.read() == b"$FE :01\r$FS^31\r"
