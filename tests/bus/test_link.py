"""Link faults: what they do, how often they fire, what proves it, and that they can be taken back."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.bus.can import VirtualCan
from hil.bus.faults import (
    BusOff,
    Corrupt,
    Delay,
    Disconnect,
    Drop,
    DropAt,
    Duplicate,
    ErrorFrame,
    LinkFault,
    ReTime,
    Truncate,
)
from hil.bus.observe import BusErrorSeen, FrameSeen, Note
from hil.bus.timing import frame_bits
from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.units import SECOND, Instant, ms, us
from hil.world.queue import EventQueue

BIT = us(4)
CCS = CanFrame(0x1812F456, bytes.fromhex("E817FA0A0C00FD"))
BCL = CanFrame(0x181056F4, bytes.fromhex("6419F00A02"))
LENGTH = frame_bits(CCS.id, CCS.data) * BIT


class Bench:
    """Nodes a, b and c on a bus, and all that was told and received."""

    def __init__(self, seed: int = 1) -> None:
        self.queue = EventQueue()
        self.told: list[FrameSeen | BusErrorSeen | Note] = []
        self.bus = VirtualCan(self.queue, sink=self.told.append, rng=random.Random(seed))
        self.received: dict[str, list[tuple[Instant, CanFrame]]] = {name: [] for name in "abc"}
        self.ports = {name: self.bus.attach(name, self._receiver(name)) for name in "abc"}

    def _receiver(self, name: str) -> Callable[[CanFrame, Instant], None]:
        return lambda frame, now: self.received[name].append((now, frame))

    def send(self, name: str, frame: CanFrame, times: int = 1) -> None:
        """That many of them, 10 ms apart, from now on."""
        for number in range(times):
            self.queue.at(self.queue.now + number * ms(10), lambda: self.ports[name].send(frame))

    def run(self, span: Instant = SECOND) -> None:
        self.queue.run(self.queue.now + span)

    @property
    def frames(self) -> list[FrameSeen]:
        return [one for one in self.told if isinstance(one, FrameSeen)]

    def notes(self, name: str) -> list[Note]:
        return [one for one in self.told if isinstance(one, Note) and one.kind == "fault_fired" and one.what == name]


def test_drop_is_good_for_the_sender_and_reaches_nobody() -> None:
    bench = Bench()
    bench.bus.inject(Drop(name="gap", count=1))
    bench.send("a", CCS, times=2)
    bench.run()
    assert [t for t, _ in bench.received["b"]] == [ms(10) + LENGTH]
    assert len(bench.frames) == 1
    assert bench.notes("gap") == [Note(LENGTH, "fault_fired", "gap", {"fault": "Drop", "on": str(CCS)})]
    assert bench.ports["a"].tec == 0


def test_drop_at_is_missed_by_one_receiver_only() -> None:
    bench = Bench()
    bench.bus.inject(DropAt(name="deaf", receiver="b"))
    bench.send("a", CCS)
    bench.run()
    assert (len(bench.received["b"]), len(bench.received["c"]), len(bench.frames)) == (0, 1, 1)
    assert bench.bus.fired("deaf") == 1


def test_two_receivers_can_miss_the_same_frame() -> None:
    bench = Bench()
    bench.bus.inject(DropAt(name="deaf b", receiver="b", count=1))
    bench.bus.inject(DropAt(name="deaf c", receiver="c", count=1))
    bench.send("a", CCS, times=2)
    bench.run()
    assert [len(bench.received[name]) for name in "bc"] == [1, 1]
    assert len(bench.frames) == 2
    assert (bench.bus.fired("deaf b"), bench.bus.fired("deaf c")) == (1, 1)


def test_what_one_fault_hides_the_next_one_does_not() -> None:
    bench = Bench()
    bench.bus.inject(DropAt(name="first", receiver="b", count=1))
    bench.bus.inject(DropAt(name="second", receiver="b", count=1))
    bench.send("a", CCS, times=3)
    bench.run(ms(5))
    assert (bench.bus.fired("first"), bench.bus.fired("second")) == (1, 0)
    bench.run()
    assert (bench.bus.fired("first"), bench.bus.fired("second")) == (1, 1)
    assert len(bench.received["b"]) == 1


def test_a_name_used_again_counts_anew() -> None:
    bench = Bench()
    assert bench.bus.fired("gap") == 0
    bench.bus.inject(Drop(name="gap"))
    bench.send("a", CCS)
    bench.run()
    bench.bus.undo("gap")
    assert bench.bus.fired("gap") == 1
    bench.bus.inject(Drop(name="gap"))
    assert bench.bus.fired("gap") == 0


def test_drop_at_the_sender_itself_misses_nothing_and_does_not_fire() -> None:
    bench = Bench()
    bench.bus.inject(DropAt(name="deaf", receiver="a"))
    bench.send("a", CCS)
    bench.run()
    assert bench.bus.fired("deaf") == 0
    assert bench.notes("deaf") == []


def test_delay_moves_the_start() -> None:
    bench = Bench()
    bench.bus.inject(Delay(name="late", span=ms(3), id=CCS.id, id_mask=0x1FFFFFFF))
    bench.send("a", CCS)
    bench.send("a", BCL)
    bench.run()
    assert [(frame.id, frame.t) for frame in bench.frames] == [
        (BCL.id, frame_bits(BCL.id, BCL.data) * BIT),
        (CCS.id, ms(3) + LENGTH),
    ]
    assert bench.notes("late")[0].t == ms(3) + LENGTH


def test_duplicate_sends_again_and_fires_once() -> None:
    bench = Bench()
    bench.bus.inject(Duplicate(name="echo", copies=2, count=1))
    bench.send("a", CCS, times=2)
    bench.run()
    assert len(bench.frames) == 2 + 2
    assert bench.bus.fired("echo") == len(bench.notes("echo")) == 1


def test_corrupt_inverts_bits_of_the_payload() -> None:
    bench = Bench()
    bench.bus.inject(Corrupt(name="bits", invert="00 00 80"))
    bench.send("a", CCS)
    bench.send("a", CanFrame(0x100, b"\x01\x02", extended=False))  # too short to be hit
    bench.run()
    assert bench.frames[1].data == bytes.fromhex("E8177A0A0C00FD")
    assert bench.frames[0].data == b"\x01\x02"
    assert bench.bus.fired("bits") == 1


def test_truncate_shortens_and_leaves_short_frames_alone() -> None:
    bench = Bench()
    bench.bus.inject(Truncate(name="short", length=6))
    bench.send("a", CCS)
    bench.send("a", BCL)
    bench.run()
    assert [len(frame.data) for frame in bench.frames] == [5, 6]
    assert bench.bus.fired("short") == 1


def test_retime_spreads_frames_within_bounds_by_the_seed() -> None:
    def starts(seed: int) -> list[Instant]:
        bench = Bench(seed)
        bench.bus.inject(ReTime(name="jitter", spread=ms(5)))
        bench.send("a", CCS, times=50)
        bench.run()
        assert bench.bus.fired("jitter") == 50
        return [frame.t - LENGTH - number * ms(10) for number, frame in enumerate(bench.frames)]

    assert all(0 < shift <= ms(5) for shift in starts(1))
    assert len(set(starts(1))) > 40
    assert starts(1) == starts(1)
    assert starts(1) != starts(2)


def test_error_frames_fire_once_per_attempt_and_one_at_a_time() -> None:
    bench = Bench()
    bench.bus.inject(ErrorFrame(name="first", count=2))
    bench.bus.inject(ErrorFrame(name="second", count=1))
    bench.send("a", CCS)
    bench.run()
    assert (bench.bus.fired("first"), bench.bus.fired("second")) == (2, 1)
    assert len([one for one in bench.told if isinstance(one, BusErrorSeen) and one.kind == "injected"]) == 3
    assert len(bench.frames) == 1


def test_an_altered_frame_fires_when_the_wire_has_shown_it() -> None:
    bench = Bench()
    bench.bus.inject(Disconnect(name="cable", sender="a"))
    bench.bus.inject(Corrupt(name="bits", invert="01"))
    bench.send("a", CCS)
    bench.run()
    assert bench.bus.fired("bits") == 0
    bench.bus.undo("bits")  # the frame that it has hit still waits
    bench.bus.undo("cable")
    bench.run()
    assert bench.frames[0].data[0] == CCS.data[0] ^ 1
    assert bench.bus.fired("bits") == len(bench.notes("bits")) == 1


def test_a_corrupted_frame_that_is_dropped_shows_nothing() -> None:
    bench = Bench()
    bench.bus.inject(Corrupt(name="bits", invert="01"))
    bench.bus.inject(Drop(name="gap"))
    bench.send("a", CCS)
    bench.run()
    assert (bench.bus.fired("bits"), bench.bus.fired("gap")) == (0, 1)


def test_nothing_fires_where_nobody_listens() -> None:
    bench = Bench()
    for name in "bc":
        bench.ports[name].detach()
    bench.bus.inject(Drop(name="gap"))
    bench.bus.inject(ErrorFrame(name="noise"))
    bench.send("a", CCS)
    bench.run()
    assert (bench.bus.fired("gap"), bench.bus.fired("noise")) == (0, 0)


def test_two_breaks_of_one_line_need_two_repairs() -> None:
    bench = Bench()
    bench.bus.inject(Disconnect(name="plug", sender="b"))
    bench.bus.inject(Disconnect(name="wire", sender="b"))
    bench.bus.undo("plug")
    assert not bench.ports["b"].connected
    bench.bus.undo("wire")
    assert bench.ports["b"].connected
    assert (bench.bus.fired("plug"), bench.bus.fired("wire")) == (1, 1)


def test_a_break_can_be_undone_after_its_node_has_gone() -> None:
    bench = Bench()
    bench.bus.inject(Disconnect(name="plug", sender="b"))
    bench.ports["b"].detach()
    bench.bus.undo_all()
    with pytest.raises(UsageError, match="no link fault 'plug'; there are none"):
        bench.bus.undo("plug")


def test_undo_takes_one_back_and_undo_all_the_rest() -> None:
    bench = Bench()
    for name in ("one", "two", "three"):
        bench.bus.inject(Corrupt(name=name, invert="01" if name == "one" else "02" if name == "two" else "04"))
    for expected in (7, 6):
        bench.send("a", CanFrame(0x100, b"\0", extended=False))
        bench.run(ms(10))
        assert bench.frames[-1].data[0] == expected
        if "one" in bench.bus.faulty:
            bench.bus.undo("one")
    bench.bus.undo_all()
    bench.send("a", CanFrame(0x100, b"\0", extended=False))
    bench.run(ms(10))
    assert bench.frames[-1].data == b"\0"
    assert [bench.bus.fired(name) for name in ("one", "two", "three")] == [1, 2, 2]


aims = st.fixed_dictionaries(
    {
        "sender": st.sampled_from(["", "a", "b"]),
        "id": st.sampled_from([CCS.id, BCL.id]),
        "id_mask": st.sampled_from([0, 0x1FFFFFFF, 0xFF]),
        "data": st.sampled_from(["", "01"]),
        "data_mask": st.sampled_from(["FF", "01", "FFFF"]),
        "skip": st.integers(0, 3),
        "count": st.integers(0, 4),
    }
)


@given(
    aims,
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([CCS.id, BCL.id]), st.binary(max_size=2)), max_size=20),
)
def test_exactly_the_frames_aimed_at_are_hit(aim: dict[str, Any], script: list[tuple[str, int, bytes]]) -> None:
    bench = Bench()
    bench.bus.inject(Drop(name="gap", **aim))
    mask, wanted = bytes.fromhex(aim["data_mask"]), bytes.fromhex(aim["data"]).ljust(2, b"\0")
    matched = hit = 0
    expected: list[bytes] = []
    for number, (sender, identifier, data) in enumerate(script):
        data += bytes([number]) if len(data) == 2 else b""
        bench.queue.at(number * ms(10), partial(bench.ports[sender].send, CanFrame(identifier, data)))
        meant = aim["sender"] in ("", sender) and identifier & aim["id_mask"] == aim["id"] & int(aim["id_mask"])
        if len(data) < len(mask) or any(data[i] & mask[i] != wanted[i] & mask[i] for i in range(len(mask))):
            meant = False
        matched += meant
        if meant and matched > aim["skip"] and (not aim["count"] or hit < aim["count"]):
            hit += 1
        else:
            expected.append(data)
    bench.run()
    assert [frame.data for frame in bench.frames] == expected
    assert bench.bus.fired("gap") == len(bench.notes("gap")) == hit


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Drop(name=""), "a name is needed"),
        (lambda: Drop(name="x", skip=-1), "skip -1"),
        (lambda: Drop(name="x", data_mask="0"), "not hexadecimal"),
        (lambda: Drop(name="x", data="01"), "longer than data_mask"),
        (lambda: Drop(name="x", data_mask="00" * 9), "at most 8 bytes"),
        (lambda: Delay(name="x", span=0), "span 0"),
        (lambda: ReTime(name="x", spread=-5), "spread -5"),
        (lambda: Duplicate(name="x", copies=0), "copies 0"),
        (lambda: Corrupt(name="x", invert="0000"), "not all 0"),
        (lambda: Truncate(name="x", length=8), "length 8"),
        (lambda: BusOff(name="x"), "sender must name a node"),
        (lambda: Disconnect(name="x", sender="a", count=1), "whole node"),
    ],
)
def test_what_makes_no_fault_is_refused(make: Callable[[], LinkFault], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        make()


def test_what_does_not_fit_the_bus_is_refused() -> None:
    bench = Bench()
    bench.bus.inject(Drop(name="gap"))
    for fault, why in (
        (Drop(name="gap"), "'gap' already"),
        (Drop(name="x", sender="nobody"), "no node 'nobody'; there are a, b, c"),
        (DropAt(name="x", receiver="nobody"), "no node 'nobody'"),
    ):
        with pytest.raises(UsageError, match=why):
            bench.bus.inject(fault)
    with pytest.raises(UsageError, match="no link fault 'x'; there are gap"):
        bench.bus.undo("x")
    seedless = VirtualCan(EventQueue(), sink=lambda seen: None)
    with pytest.raises(UsageError, match="without a generator"):
        seedless.inject(ReTime(name="jitter", spread=1))
