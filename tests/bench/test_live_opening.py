"""A live bench that cannot be opened tells why, and keeps what was seen up to then."""

from __future__ import annotations

import socket

import pytest

from hil.bench import live
from hil.bench.judge import Judge
from hil.bench.setup import Setup
from hil.conformance.register import resolve
from hil.errors import RigError
from hil.rig.ports import CanPortSettings, PortSettings, SignalsPortSettings
from hil.units import s
from hil.world.observation import LineSeen, Note, Observation


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
