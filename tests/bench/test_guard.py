"""No demand beyond the rig's envelope reaches a real bus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import can
import pytest

from hil.bench.guard import GuardedBus
from hil.bus.faults import Corrupt
from hil.codec.frame import CanFrame
from hil.protocol.gbt27930 import edition
from hil.safety.envelope import Envelope
from hil.transport.can_line import LiveCan
from hil.transport.queue import LiveQueue
from hil.units import ms
from hil.world.observation import Note

ENVELOPE = Envelope(max_voltage=500, max_current=150, max_power=50_000)
BCL, BHM = 0x181056F4, 0x182756F4


class Bus:
    """What has gone out."""

    name = "can0"
    kind = "can"

    def __init__(self) -> None:
        self.gone: list[CanFrame] = []

    def attach(self, name: str, on_frame: Callable[[CanFrame, int], None], /) -> Bus:
        return self

    def send(self, frame: CanFrame, /) -> None:
        self.gone.append(frame)


def demand(volts: float, amperes: float) -> CanFrame:
    """BCL by hand: 0.1 V a bit, 0.1 A a bit from -400 A, constant current (sheet 3.9)."""
    current = round((400 - amperes) * 10)
    return CanFrame(BCL, round(volts * 10).to_bytes(2, "little") + current.to_bytes(2, "little") + b"\x02")


@pytest.fixture
def told() -> list[Note]:
    return []


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def port(bus: Bus, told: list[Note]) -> Any:
    guarded = GuardedBus(bus, ENVELOPE, edition("2015"), lambda: ms(7), told.append)  # type: ignore[arg-type]  # all it asks
    return guarded.attach("vehicle", lambda frame, now: None)


@pytest.mark.parametrize(
    "frame", [demand(400, 100), demand(500, 100), demand(300, 150), demand(0, 0), demand(500, -10)]
)
def test_what_the_envelope_allows_goes_out(port: Any, bus: Bus, told: list[Note], frame: CanFrame) -> None:
    port.send(frame)
    assert bus.gone == [frame]
    assert told == []


@pytest.mark.parametrize(
    ("frame", "demanded", "most", "unit"),
    [
        (demand(500.1, 10), 500.1, 500, "V"),
        (demand(300, 150.1), 150.1, 150, "A"),
        (demand(400, 130), 52_000, 50_000, "W"),
    ],
)
def test_what_is_beyond_it_is_held_back_and_told(
    port: Any, bus: Bus, told: list[Note], frame: CanFrame, demanded: float, most: float, unit: str
) -> None:
    port.send(frame)
    assert bus.gone == []
    (note,) = told
    assert (note.t, note.kind, note.what) == (ms(7), "envelope", "BCL")
    assert note.details["demand"] == pytest.approx(demanded)
    assert (note.details["most"], note.details["unit"]) == (most, unit)


@pytest.mark.parametrize(
    "frame", [CanFrame(BHM, b"\xff\xff"), CanFrame(BCL, b"\xff"), CanFrame(0x181056F5, demand(900, 10).data)]
)
def test_what_demands_nothing_goes_out(port: Any, bus: Bus, frame: CanFrame) -> None:
    """Another message, one too short to hold a demand, one of another address."""
    port.send(frame)
    assert bus.gone == [frame]


def test_a_demand_that_a_fault_has_raised_is_held_back_too(told: list[Note]) -> None:
    """400.0 V is 0FA0h steps; with the next bit inverted it is 1FA0h, 809.6 V."""
    queue = LiveQueue()
    with can.Bus(interface="virtual", channel="guard") as driver, can.Bus(interface="virtual", channel="guard") as peer:
        line = LiveCan(queue, driver, name="can0", sink=lambda seen: None)
        guarded = GuardedBus(line, ENVELOPE, edition("2015"), lambda: ms(7), told.append)
        port = guarded.attach("vehicle", lambda frame, now: None)
        guarded.inject(Corrupt(name="raised", sender="vehicle", invert="00 10"))
        port.send(demand(400, 100))
        guarded.undo_all()
        port.send(demand(400, 90))
        gone = peer.recv(10)
        assert gone is not None
        assert bytes(gone.data) == demand(400, 90).data
        line.close()
    queue.close()
    (note,) = told
    assert note.details["demand"] == pytest.approx(809.6)
