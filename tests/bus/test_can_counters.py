"""The virtual bus: error counters, bus-off and recovery."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from hil.bus.faults import BusOff, ErrorFrame
from hil.bus.timing import frame_bits
from hil.codec.frame import CanFrame
from hil.units import ms
from tests.bus.conftest import BCL, BIT, CCS, CEM, Rig, bits


def test_an_error_frame_counts_and_the_frame_is_repeated() -> None:
    rig = Rig("a", "b", "c")
    rig.bus.inject(ErrorFrame(name="noise", count=1))
    rig.send("a", CCS)
    rig.run(bits(CCS) * BIT)
    assert [(error.node, error.kind, error.tec) for error in rig.errors] == [("a", "injected", 8)]
    assert [rig.ports[name].rec for name in ("b", "c")] == [1, 1]
    rig.run()
    assert [frame.t for frame in rig.frames] == [(2 * bits(CCS) + 20 + 3) * BIT]
    assert rig.ports["a"].tec == 7
    assert [rig.ports[name].rec for name in ("b", "c")] == [0, 0]


def test_repetition_keeps_the_order_of_equal_identifiers() -> None:
    rig = Rig("a", "b")
    rig.bus.inject(ErrorFrame(name="noise", count=1, skip=1))
    frames = [CanFrame(0x1812F456, bytes([number])) for number in range(4)]
    for frame in frames:
        rig.send("a", frame)
    rig.run()
    assert [frame.data for frame in rig.frames] == [frame.data for frame in frames]


def test_bus_off_after_32_error_frames_and_recovery_after_128_times_11_bits() -> None:
    rig = Rig("a", "b")
    rig.bus.inject(ErrorFrame(name="noise", sender="a", count=32))
    rig.send("a", CCS)
    rig.run(ms(40))
    kinds = rig.kinds("a")
    assert kinds == ["injected"] * 16 + ["error_passive"] + ["injected"] * 16 + ["bus_off", "recovered"]
    injected = [error for error in rig.errors if error.kind == "injected"]
    assert [error.tec for error in injected] == [8 * number for number in range(1, 33)]
    gaps = [(later.t - earlier.t) // BIT for earlier, later in itertools.pairwise(injected)]
    usual = bits(CCS) + 20 + 3
    assert gaps == [usual] * 15 + [usual + 8] * 16  # error-passive senders suspend for 8 bits
    off, recovered = (next(e for e in rig.errors if e.kind == kind) for kind in ("bus_off", "recovered"))
    assert recovered.t - off.t == 128 * 11 * BIT
    assert (off.tec, recovered.tec, recovered.rec) == (256, 0, 0)
    assert rig.ports["b"].rec == 32
    assert rig.frames == []  # going bus-off took the frame back


def test_a_node_in_bus_off_is_deaf_and_mute_and_what_it_queues_waits() -> None:
    rig = Rig("a", "b", "c")
    rig.bus.inject(BusOff(name="off", sender="a"))
    rig.send("a", CEM, at=ms(1))
    rig.send("b", BCL, at=ms(2))
    rig.run(ms(4))
    assert rig.ports["a"].state == "bus_off"
    assert rig.received["a"] == []
    assert [frame.id for frame in rig.frames] == [BCL.id]
    rig.run()
    assert [frame.id for frame in rig.frames] == [BCL.id, CEM.id]
    assert rig.frames[1].t == (128 * 11 + bits(CEM)) * BIT


def test_an_error_passive_sender_lets_others_go_first() -> None:
    rig = Rig("a", "b")
    rig.bus.inject(ErrorFrame(name="noise", count=20))
    for number in range(3):
        rig.send("a", CanFrame(0x100, bytes([number]), extended=False))
    first = 20 * (frame_bits(0x100, b"\0", extended=False) + 20 + 3) + 5 * 8  # suspended from the 16th error on
    rig.send("b", CanFrame(0x700, b"", extended=False), at=first * BIT + 1)  # while the first good one is on its way
    rig.run()
    assert [frame.sender for frame in rig.frames] == ["a", "b", "a", "a"]
    last, before = rig.frames[3], rig.frames[2]
    assert rig.ports["a"].tec == 157
    assert last.t - before.t == (3 + 8 + frame_bits(last.id, last.data, extended=False)) * BIT


def test_a_node_detached_in_bus_off_does_not_recover() -> None:
    rig = Rig("a", "b", "c")
    rig.bus.inject(BusOff(name="off", sender="a"))
    rig.ports["a"].detach()
    rig.run()
    assert rig.kinds("a") == ["bus_off"]


def test_a_bus_off_peer_does_not_acknowledge() -> None:
    rig = Rig("a", "b")
    rig.bus.inject(BusOff(name="off", sender="b"))
    rig.send("a", CCS)
    rig.run(ms(1))
    assert "ack" in rig.kinds("a")
    rig.run()
    assert [frame.id for frame in rig.frames] == [CCS.id]


def test_bus_off_in_the_middle_of_the_own_frame_loses_it() -> None:
    rig = Rig("a", "b")
    rig.send("a", CCS)
    rig.at(20 * BIT, lambda: rig.bus.inject(BusOff(name="off", sender="a")))
    rig.run()
    assert rig.frames == []
    assert rig.ports["b"].rec == 1


def test_bus_off_twice_is_one() -> None:
    rig = Rig("a", "b")
    rig.bus.inject(BusOff(name="first", sender="a"))
    rig.at(ms(1), lambda: rig.bus.inject(BusOff(name="second", sender="a")))
    rig.run()
    assert rig.kinds("a") == ["bus_off", "recovered"]


def test_receivers_go_error_passive_and_come_back() -> None:
    rig = Rig("a", "b", "c", "d", "e", "listener")
    for number, name in enumerate("abcde"):  # each sender stays below bus-off
        rig.bus.inject(ErrorFrame(name=f"noise {name}", sender=name, count=30))
        rig.send(name, CanFrame(0x100 + number, b"", extended=False), at=number * ms(20))
    rig.run()
    assert rig.kinds("listener") == ["error_passive", "error_active"]
    told = [error.rec for error in rig.errors if error.node == "listener"]
    assert told == [128, 127]


@given(st.lists(st.sampled_from(["good", "bad"]), max_size=60))
def test_counters_follow_the_rule(script: list[str]) -> None:
    """Sender: 8 up, 1 down, never below 0. Receiver: 1 up, 1 down, never below 0."""
    rig = Rig("a", "b")
    tec = rec = 0
    for number, what in enumerate(script):
        if tec >= 248:
            break  # the next one would be bus-off, tested elsewhere
        instant = number * ms(10)
        if what == "bad":
            rig.bus.inject(ErrorFrame(name=f"noise {number}", sender="a", count=1))
            tec, rec = tec + 8, rec + 1
        rig.send("a", CanFrame(0x100, bytes([number]), extended=False), at=instant)
        rig.run(instant + ms(9))
        tec, rec = max(tec - 1, 0), max(rec - 1, 0)
        assert (rig.ports["a"].tec, rig.ports["b"].rec) == (tec, rec)
