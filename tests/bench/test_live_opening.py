"""A live bench that cannot be opened tells why, and keeps what was seen up to then."""

from __future__ import annotations

import json
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hil.bench import live
from hil.bench.judge import Judge
from hil.bench.setup import Setup
from hil.conformance.register import resolve
from hil.errors import RigError, WorldError
from hil.rig.ports import CanPortSettings, PortSettings, SerialPortSettings, SignalsPortSettings, TcpPortSettings
from hil.safety.envelope import Envelope
from hil.transport.pty_port import PtyPort
from hil.units import s
from hil.world.observation import LineSeen, Note, Observation
from hil.world.plan import Advance, Close, Do, Tell


class Box:
    """A box on TCP that tells one interlock, by hand."""

    def __init__(self, door: int) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.door = door
        self.settings = SignalsPortSettings("io", f"tcp://127.0.0.1:{self._server.getsockname()[1]}")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        client, _ = self._server.accept()
        with suppress(OSError), client, client.makefile("r", encoding="utf-8") as lines:  # the bench may go at any time
            for line in filter(str.strip, lines):
                asked = json.loads(line)
                told: dict[str, Any] = {"ok": "set"}
                if "hello" in asked:
                    told = {"hello": 1, "signals": {"di_3": {"kind": "actuator"}}}
                elif "subscribe" in asked:
                    told = {"values": {"di_3": self.door}}
                client.sendall(json.dumps({**told, "id": asked["id"]}).encode() + b"\n")
                client.sendall(json.dumps({"event": {"di_3": self.door}}).encode() + b"\n")

    def close(self) -> None:
        self._thread.join(10)
        self._server.close()


def opened(box: Box) -> live.LiveBenchWorld:
    """A bench for a Modbus device that is not there, with a door on the box."""
    ports: dict[str, PortSettings] = {"modbus": TcpPortSettings("lan", "127.0.0.1", 9), "signals": box.settings}
    setup = Setup(readings=resolve({}, None))
    envelope = Envelope(interlocks=("door",))
    bench = live.LiveSetup("modbus", setup, ports, {}, envelope=envelope, interlocks={"door": "di_3"})
    return live.LiveBenchWorld(bench, Judge())


def test_an_open_interlock_keeps_a_case_from_beginning() -> None:
    box = Box(door=0)
    try:
        with pytest.raises(WorldError, match=r"^interlock door is open$"):
            opened(box)
    finally:
        box.close()


def test_an_interlock_that_opens_ends_a_wait_and_all_that_follows() -> None:
    box = Box(door=1)
    try:
        world = opened(box)
        box.door = 0  # told with the next answer
        reply = world.execute(Advance(s(60)))
        assert reply.now < s(60)
        with pytest.raises(WorldError, match=r"^interlock door opened$"):
            world.execute(Advance(s(60)))
        notes = [seen for seen in world.execute(Close()).observations if isinstance(seen, Note)]
        assert [note.kind for note in notes] == ["closed"]
    finally:
        box.close()


def test_a_box_that_refuses_is_the_cause_and_is_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BOX_WITHIN", s(2))
    with socket.create_server(("127.0.0.1", 0)) as gone:
        box = SignalsPortSettings("io", f"tcp://127.0.0.1:{gone.getsockname()[1]}")
    ports: dict[str, PortSettings] = {"can": CanPortSettings("can0", "virtual", "nobody", 250_000), "signals": box}
    bench = live.LiveSetup("gbt27930", Setup(readings=resolve({}, None)), ports, {})
    seen: list[Observation] = []
    with pytest.raises(RigError, match=r"port io .*: no box answered within 2 s: .*refused"):
        live.LiveBenchWorld(bench, Judge(), seen.extend)
    assert "refused" in {each.kind for each in seen if isinstance(each, LineSeen)}
    last = seen[-1]
    assert isinstance(last, Note)
    assert last.kind == "closed", "the safe state is on record too"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ptys")
def test_a_case_that_ends_in_order_leaves_the_charger_as_it_is(tmp_path: Path) -> None:
    """The next one may know it by its pins alone; where the bench is killed it sleeps, as tests/transport has it."""
    box, console = Box(door=1), PtyPort(tmp_path / "tty")
    ports: dict[str, PortSettings] = {
        "console": SerialPortSettings("tty", str(console.link)),
        "signals": box.settings,
    }
    try:
        setup = Setup(readings=resolve({}, None))
        world = live.LiveBenchWorld(live.LiveSetup("rapi", setup, ports, {}), Judge())
        world.execute(Do((Tell("client", "request", {"name": "FE", "check": ""}),)))
        world.execute(Close())
        assert console.read() == b"$FE :01\r"
    finally:
        console.close()
        box.close()
