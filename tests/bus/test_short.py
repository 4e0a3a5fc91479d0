"""A shorted line: every start of frame is an error, up to bus-off, and nobody is back before it is whole again."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hil.bus.can import VirtualCan
from hil.bus.faults import BusOff, Disconnect, LinkFault, Shorted
from hil.bus.observe import BusErrorSeen, FrameSeen, Note
from hil.bus.timing import frame_bits
from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.units import SECOND, Instant, Span, ms, us
from hil.world.queue import EventQueue

BIT = us(4)
CCS = CanFrame(0x1812F456, bytes.fromhex("E817FA0A0C00FD"))
CEM = CanFrame(0x081FF456, bytes.fromhex("FDF0C0FC"))
LENGTH = frame_bits(CCS.id, CCS.data) * BIT
RECOVERY = 128 * 11 * BIT
ATTEMPT = 1 + 6 + 8 + 3
"""Bits from one start of frame to the next: the bit that fails, error flag, delimiter, intermission."""
SUSPEND = 8


class Bench:
    """Nodes on a bus, what it told and what they received."""

    def __init__(self, *names: str) -> None:
        self.queue = EventQueue()
        self.told: list[FrameSeen | BusErrorSeen | Note] = []
        self.bus = VirtualCan(self.queue, sink=self.told.append, rng=random.Random(1))
        self.ports = {name: self.bus.attach(name, lambda frame, now: None) for name in names}

    def send(self, name: str, frame: CanFrame, at: Instant = 0) -> None:
        self.queue.at(at, lambda: self.ports[name].send(frame))

    def inject(self, fault: LinkFault, at: Instant) -> None:
        self.queue.at(at, lambda: self.bus.inject(fault))

    def undo(self, name: str, at: Instant) -> None:
        self.queue.at(at, lambda: self.bus.undo(name))

    def run(self, span: Span = SECOND) -> None:
        self.queue.run(self.queue.now + span)

    @property
    def frames(self) -> list[FrameSeen]:
        return [one for one in self.told if isinstance(one, FrameSeen)]

    def errors(self, node: str, kind: str) -> list[BusErrorSeen]:
        return [one for one in self.told if isinstance(one, BusErrorSeen) and (one.node, one.kind) == (node, kind)]


def test_thirty_two_attempts_lead_to_bus_off() -> None:
    bench = Bench("charger", "bms")
    bench.bus.inject(Shorted(name="short"))
    bench.send("charger", CCS)
    bench.run()
    failed = bench.errors("charger", "bit")
    assert [error.tec for error in failed] == [8 * number for number in range(1, 33)]
    assert bench.ports["charger"].state == "bus_off"
    assert bench.frames == []
    # 16 attempts as error-active; those that begin from TEC 128 on are 8 bits further apart.
    starts = [number * ATTEMPT + max(0, number - 15) * SUSPEND for number in range(32)]
    assert [error.t for error in failed] == [(start + 1) * BIT for start in starts]
    assert bench.ports["bms"].state == "error_active", "it had nothing to send"


def test_both_sides_go_off_the_bus_on_their_own() -> None:
    bench = Bench("charger", "bms")
    bench.bus.inject(Shorted(name="short"))
    bench.send("charger", CCS)
    bench.send("bms", CEM)
    bench.run()
    assert [bench.ports[name].state for name in ("charger", "bms")] == ["bus_off", "bus_off"]
    assert len(bench.errors("charger", "bit")) == len(bench.errors("bms", "bit")) == 32


def test_nobody_comes_back_before_the_line_is_whole() -> None:
    bench = Bench("charger", "bms")
    bench.bus.inject(Shorted(name="short"))
    bench.send("charger", CCS)
    bench.run(100 * RECOVERY)
    assert bench.errors("charger", "recovered") == []
    mended = bench.queue.now
    bench.bus.undo("short")
    bench.send("charger", CEM, at=mended + ms(1))
    bench.run()
    assert [error.t for error in bench.errors("charger", "recovered")] == [mended + RECOVERY]
    assert [frame.id for frame in bench.frames] == [CEM.id], "what waited when it went off is gone"
    assert bench.frames[0].t == mended + RECOVERY + frame_bits(CEM.id, CEM.data) * BIT


def test_stale_frames_leave_when_the_node_is_back() -> None:
    bench = Bench("charger", "bms")
    bench.bus.inject(Shorted(name="short"))
    bench.send("charger", CCS)
    for number in range(3):
        bench.send("charger", CanFrame(0x100, bytes([number]), extended=False), at=ms(50 + number))
    bench.undo("short", at=ms(100))
    bench.run()
    assert [frame.data for frame in bench.frames] == [b"\0", b"\1", b"\2"]
    assert bench.ports["charger"].tec == 0


def test_a_frame_on_the_line_is_the_first_that_fails() -> None:
    bench = Bench("charger", "bms")
    bench.send("charger", CCS)
    bench.inject(Shorted(name="short"), at=LENGTH // 2)
    bench.run()
    failed = bench.errors("charger", "bit")
    assert bench.frames == []
    assert failed[0].t == LENGTH
    assert [error.tec for error in failed] == [8 * number for number in range(1, 33)]


def test_a_short_that_ends_early_costs_the_attempts_made() -> None:
    bench = Bench("charger", "bms")
    bench.bus.inject(Shorted(name="short"))
    bench.send("charger", CCS)
    bench.undo("short", at=4 * ATTEMPT * BIT)
    bench.run()
    tries = len(bench.errors("charger", "bit"))
    assert tries == 4
    assert [frame.id for frame in bench.frames] == [CCS.id]
    assert bench.frames[0].t == 4 * ATTEMPT * BIT + LENGTH
    assert bench.ports["charger"].tec == 8 * tries - 1


def test_a_recovery_under_way_begins_anew() -> None:
    bench = Bench("charger", "bms")
    bench.bus.inject(BusOff(name="off", sender="bms"))
    bench.inject(Shorted(name="short"), at=RECOVERY // 2)
    bench.undo("short", at=RECOVERY)
    bench.run()
    assert [error.t for error in bench.errors("bms", "recovered")] == [2 * RECOVERY]


def test_an_error_passive_node_that_nobody_heard_goes_off_too() -> None:
    bench = Bench("charger")
    bench.send("charger", CCS)
    bench.run(ms(100))
    assert bench.ports["charger"].state == "error_passive"
    bench.bus.inject(Shorted(name="short"))
    bench.run()
    assert len(bench.errors("charger", "bit")) == 16
    assert bench.ports["charger"].state == "bus_off"


def test_a_node_with_a_broken_line_of_its_own_is_not_shorted() -> None:
    bench = Bench("charger", "bms")
    bench.bus.inject(Disconnect(name="cable", sender="charger"))
    bench.bus.inject(Shorted(name="short"))
    bench.send("charger", CCS)
    bench.run()
    assert bench.ports["charger"].state == "error_passive"
    bench.bus.undo("cable")
    bench.run()
    assert bench.ports["charger"].state == "bus_off"


def test_who_joins_a_shorted_line_hears_nothing() -> None:
    bench = Bench("charger")
    bench.bus.inject(Shorted(name="short"))
    port = bench.bus.attach("bms", lambda frame, now: None)
    bench.ports["bms"] = port
    bench.send("bms", CCS)
    bench.run()
    assert port.state == "bus_off"


def test_two_shorts_need_two_repairs_and_each_is_proven() -> None:
    bench = Bench("charger", "bms")
    bench.bus.inject(Shorted(name="wire"))
    bench.bus.inject(Shorted(name="plug"))
    bench.bus.undo("wire")
    bench.send("charger", CCS)
    bench.run()
    assert bench.frames == []
    bench.bus.undo_all()
    bench.send("charger", CEM, at=bench.queue.now)
    bench.run()
    assert [frame.id for frame in bench.frames] == [CEM.id]
    assert (bench.bus.fired("wire"), bench.bus.fired("plug")) == (1, 1)
    assert [note.what for note in bench.told if isinstance(note, Note)] == ["wire", "plug"]


def test_software_that_never_leaves_bus_off_stays_off() -> None:
    bench = Bench("charger", "bms")
    bench.bus.stay_off("charger")
    offs: tuple[LinkFault, ...] = (BusOff(name="off", sender="charger"), Shorted(name="short"))
    for number, off in enumerate(offs):
        bench.bus.inject(off)
        bench.send("charger", CCS, at=bench.queue.now)
        bench.send("bms", CCS, at=bench.queue.now)
        bench.run(ms(100))
        bench.bus.undo_all()
        bench.run()
        assert bench.ports["charger"].state == "bus_off", number
        assert bench.ports["bms"].state != "bus_off", number
    with pytest.raises(UsageError, match="no node 'x'"):
        bench.bus.stay_off("x")


@pytest.mark.parametrize("aim", [{"sender": "charger"}, {"id_mask": 1}, {"skip": 1}, {"count": 1}])
def test_a_short_is_aimed_at_nothing_less_than_the_bus(aim: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="whole bus"):
        Shorted(name="x", **aim)
