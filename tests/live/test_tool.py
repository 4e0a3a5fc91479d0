"""The rigs that ``python -m tools.live`` makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.rig.load import load_rig
from hil.rig.ports import CanPortSettings
from tools.live.__main__ import FAULTS, SELECTION
from tools.live.parts import split
from tools.live.rigs import TRANSPORTS, write_rig


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_each_transport_has_a_rig_on_which_a_charger_can_be_judged(transport: str, tmp_path: Path) -> None:
    rig = load_rig(write_rig(transport, tmp_path))
    assert {"can", "signals"} <= set(rig.roles)
    port = rig.ports[rig.roles["can"]]
    assert isinstance(port, CanPortSettings)
    assert port.uncertainty <= 1_000_000, "more, and no period of 50 ms could pass"


def test_each_transport_has_a_fault_that_is_to_be_caught() -> None:
    assert set(FAULTS) == set(TRANSPORTS)
    assert len(SELECTION) >= 4


def test_parts_take_about_as_long_and_have_every_case_once() -> None:
    durations = {"long": 100.0, **{f"short {number}": 10.0 for number in range(20)}}
    parts = split(durations, 3)
    assert sorted(name for part in parts for name in part) == sorted(durations)
    spans = [sum(durations[name] for name in part) for part in parts]
    assert max(spans) - min(spans) <= 35, "beside its session a case takes some seconds"
    assert split({"one": 1.0}, 3) == [["one"]]
