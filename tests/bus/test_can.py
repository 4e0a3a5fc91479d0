"""The virtual bus: frame times, arbitration, missing acknowledge, error counters, recovery."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.bus.can import CanPort, VirtualCan
from hil.bus.faults import BusOff, Disconnect, ErrorFrame
from hil.bus.observe import BusErrorSeen, FrameSeen, Note
from hil.bus.timing import arbitration_key, frame_bits
from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.units import SECOND, Instant, ms, us
from hil.world.queue import EventQueue

BIT = us(4)
CCS = CanFrame(0x1812F456, bytes.fromhex("E817FA0A0C00FD"))
BCL = CanFrame(0x181056F4, bytes.fromhex("6419F00A02"))
CEM = CanFrame(0x081FF456, bytes.fromhex("FDF0C0FC"))


def bits(frame: CanFrame) -> int:
    return frame_bits(frame.id, frame.data, frame.extended)


class Rig:
    """A bus with named nodes, everything it told and everything the nodes received."""

    def __init__(self, *names: str, bitrate: int = 250_000) -> None:
        self.queue = EventQueue()
        self.told: list[FrameSeen | BusErrorSeen | Note] = []
        self.bus = VirtualCan(self.queue, bitrate=bitrate, sink=self.told.append)
        self.received: dict[str, list[tuple[Instant, CanFrame]]] = {}
        self.ports: dict[str, CanPort] = {}
        for name in names:
            self.attach(name)

    def attach(self, name: str) -> CanPort:
        got: list[tuple[Instant, CanFrame]] = []
        self.received[name] = got
        self.ports[name] = self.bus.attach(name, lambda frame, now: got.append((now, frame)))
        return self.ports[name]

    def at(self, instant: Instant, call: Callable[[], object]) -> None:
        self.queue.at(instant, lambda: (call(), None)[1])

    def send(self, name: str, frame: CanFrame, at: Instant = 0) -> None:
        self.queue.at(at, lambda: self.ports[name].send(frame))

    def run(self, until: Instant = SECOND) -> None:
        self.queue.run(until)

    @property
    def frames(self) -> list[FrameSeen]:
        return [one for one in self.told if isinstance(one, FrameSeen)]

    @property
    def errors(self) -> list[BusErrorSeen]:
        return [one for one in self.told if isinstance(one, BusErrorSeen)]

    def kinds(self, node: str) -> list[str]:
        return [error.kind for error in self.errors if error.node == node]


# --- frame times and arbitration ---------------------------------------------------------------------


def test_a_frame_ends_after_its_bits_and_reaches_the_others() -> None:
    rig = Rig("charger", "bms", "logger")
    rig.send("charger", CCS, at=ms(5))
    rig.run()
    end = ms(5) + bits(CCS) * BIT
    assert rig.told == [FrameSeen(end, "can0", CCS.id, CCS.data, "charger", True)]
    assert rig.received == {"charger": [], "bms": [(end, CCS)], "logger": [(end, CCS)]}


def test_the_bit_rate_scales_the_frame() -> None:
    rig = Rig("a", "b", bitrate=50_000)
    rig.send("a", CCS)
    rig.run()
    assert rig.frames[0].t == bits(CCS) * us(20)


@pytest.mark.parametrize("bitrate", [0, -1, 300_000])
def test_a_bit_rate_without_whole_nanoseconds_is_refused(bitrate: int) -> None:
    with pytest.raises(UsageError, match=str(bitrate)):
        Rig(bitrate=bitrate)


def test_frames_follow_each_other_after_the_intermission() -> None:
    rig = Rig("a", "b")
    rig.send("a", CCS)
    rig.send("a", BCL)  # the lower identifier of the same instant goes first
    rig.run()
    first = bits(BCL) * BIT
    assert [(frame.t, frame.id) for frame in rig.frames] == [
        (first, BCL.id),
        (first + (3 + bits(CCS)) * BIT, CCS.id),
    ]


def test_nothing_starts_within_the_intermission() -> None:
    rig = Rig("a", "b")
    rig.send("a", CCS)
    end = bits(CCS) * BIT
    rig.send("b", BCL, at=end + BIT)
    rig.run()
    assert rig.frames[1].t == end + (3 + bits(BCL)) * BIT


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a")])
def test_the_order_of_calls_within_an_instant_does_not_matter(order: tuple[str, ...]) -> None:
    rig = Rig("a", "b", "c")
    frames = {"a": CCS, "b": CEM, "c": BCL}
    for name in order:
        rig.send(name, frames[name], at=ms(1))
    rig.run()
    assert [frame.id for frame in rig.frames] == [CEM.id, BCL.id, CCS.id]
    assert rig.frames[0].t == ms(1) + bits(CEM) * BIT


def test_a_frame_on_the_line_is_not_interrupted_but_wins_the_next_round() -> None:
    rig = Rig("a", "b")
    rig.send("a", CCS)
    rig.send("a", CCS)
    rig.send("b", CEM, at=1)  # one nanosecond after the start
    rig.run()
    assert [frame.id for frame in rig.frames] == [CCS.id, CEM.id, CCS.id]


def test_a_frame_that_comes_within_the_intermission_still_arbitrates() -> None:
    rig = Rig("a", "b")
    rig.send("a", CCS)
    rig.send("a", CCS)
    rig.send("b", CEM, at=(bits(CCS) + 3) * BIT)  # at the very instant at which the second CCS would start
    rig.run()
    assert [frame.id for frame in rig.frames] == [CCS.id, CEM.id, CCS.id]


def test_a_standard_frame_wins_over_its_extended_namesakes() -> None:
    rig = Rig("a", "b")
    extended, standard = CanFrame(0x123 << 18, b""), CanFrame(0x123, b"", extended=False)
    rig.send("a", extended)
    rig.send("b", standard)
    rig.run()
    assert [frame.extended for frame in rig.frames] == [False, True]


def test_an_answer_sent_on_reception_starts_after_the_intermission() -> None:
    rig = Rig("a")
    port = rig.bus.attach("b", lambda frame, now: port.send(BCL))
    rig.send("a", CCS)
    rig.run()
    assert [frame.t for frame in rig.frames] == [bits(CCS) * BIT, (bits(CCS) + 3 + bits(BCL)) * BIT]


sends = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 40).map(lambda step: step * us(100)),
        st.sampled_from([0x1812F456, 0x181056F4, 0x081FF456, 0x1CEC56F4, 0x7E8]),
    ),
    max_size=50,
)


def scripted(script: list[tuple[int, Instant, int]]) -> tuple[Rig, dict[CanFrame, tuple[str, Instant]]]:
    rig = Rig("n0", "n1", "n2")
    sent: dict[CanFrame, tuple[str, Instant]] = {}
    for number, (node, at, identifier) in enumerate(script):
        frame = CanFrame(identifier, number.to_bytes(2, "big"), identifier > 0x7FF)
        sent[frame] = (f"n{node}", at)
        rig.send(f"n{node}", frame, at=at)
    rig.run()
    return rig, sent


@given(sends)
def test_nothing_is_lost_doubled_or_told_twice(script: list[tuple[int, Instant, int]]) -> None:
    rig, sent = scripted(script)
    seen = [CanFrame(frame.id, frame.data, frame.extended) for frame in rig.frames]
    assert sorted(map(str, seen)) == sorted(map(str, sent))
    assert rig.errors == []
    for name, got in rig.received.items():
        assert [frame for _, frame in got] == [frame for frame in seen if sent[frame][0] != name]


@given(sends)
def test_arbitration_is_that_of_a_straightforward_bus(script: list[tuple[int, Instant, int]]) -> None:
    """Model: when the line is free, of all that wait the lowest key goes, equal ones as they came."""
    rig, sent = scripted(script)
    waiting = list(enumerate(sorted(sent.items(), key=lambda item: item[1][1])))
    expected: list[tuple[Instant, CanFrame]] = []
    free = 0
    while waiting:
        start = max(free, min(at for _, (_, (_, at)) in waiting))
        ready = [one for one in waiting if one[1][1][1] <= start]
        best = min(ready, key=lambda one: (arbitration_key(one[1][0].id, one[1][0].extended), one[0]))
        waiting.remove(best)
        frame = best[1][0]
        end = start + bits(frame) * BIT
        expected.append((end, frame))
        free = end + 3 * BIT
    assert [(one.t, CanFrame(one.id, one.data, one.extended)) for one in rig.frames] == expected


@given(sends)
def test_equal_calls_give_equal_frames(script: list[tuple[int, Instant, int]]) -> None:
    assert scripted(script)[0].told == scripted(script)[0].told


# --- nobody acknowledges -------------------------------------------------------------------------------


def test_a_sender_alone_goes_error_passive_and_no_further() -> None:
    rig = Rig("charger")
    rig.send("charger", CCS)
    rig.run(ms(60_000))
    port = rig.ports["charger"]
    assert rig.kinds("charger") == ["ack"] * 16 + ["error_passive"]
    assert [error.tec for error in rig.errors] == [*range(8, 129, 8), 128]
    assert (port.tec, port.rec, port.state, port.pending) == (128, 0, "error_passive", 1)
    assert rig.frames == []
    # Each attempt: the frame up to its acknowledge slot, flag 6, delimiter 8, intermission 3.
    attempt = bits(CCS) - 8
    assert [error.t for error in rig.errors[:16]] == [
        (attempt + index * (attempt + 14 + 3)) * BIT for index in range(16)
    ]


def test_the_stuck_frame_leaves_when_a_peer_connects() -> None:
    rig = Rig("charger")
    rig.send("charger", CCS)
    connects = ms(500) + 1
    rig.at(connects, lambda: rig.attach("bms"))
    rig.run()
    (frame,) = rig.frames
    repetition = bits(CCS) - 8 + 14 + 3 + 8  # and 8 bits of suspension, being error-passive
    first = 16 * (bits(CCS) - 8 + 14 + 3) + 8
    start = frame.t // BIT - bits(CCS)
    assert (start - first) % repetition == 0, "it leaves with one of its repetitions"
    assert 0 < start * BIT - connects <= repetition * BIT
    assert rig.received["bms"] == [(frame.t, CCS)]
    assert rig.kinds("charger")[-1] == "error_active"
    assert rig.ports["charger"].tec == 127


def test_stale_frames_leave_in_order_when_a_broken_line_comes_back() -> None:
    rig = Rig("charger", "bms")
    rig.bus.inject(Disconnect(name="cable", sender="bms"))
    stale = [CanFrame(0x1812F456, bytes([number])) for number in range(20)]
    for number, frame in enumerate(stale):
        rig.send("charger", frame, at=number * ms(50))
    rig.at(ms(1200), lambda: rig.bus.undo("cable"))
    rig.run(ms(1190))
    assert rig.frames == []
    assert rig.ports["charger"].pending == 20
    rig.run(ms(1300))
    assert [frame.data for frame in rig.frames] == [frame.data for frame in stale]
    assert [frame for _, frame in rig.received["bms"]] == stale
    assert rig.ports["charger"].state == "error_active"
    gaps = [later.t - earlier.t for earlier, later in itertools.pairwise(rig.frames)]
    # The first success brings the counter to 127, so nobody suspends any more.
    assert gaps == [(3 + bits(frame)) * BIT for frame in stale[1:]]


def test_a_better_frame_overtakes_the_stuck_one() -> None:
    rig = Rig("charger")
    rig.send("charger", CCS)
    rig.send("charger", CEM, at=ms(300))
    rig.at(ms(400), lambda: rig.attach("bms"))
    rig.run()
    assert [frame.id for frame in rig.frames] == [CEM.id, CCS.id]


def test_a_node_that_joins_waits_for_the_repetition_under_way() -> None:
    rig = Rig("charger")
    rig.send("charger", CCS)
    rig.run(ms(499))

    def join() -> None:
        rig.attach("bms")
        rig.ports["bms"].send(CEM)

    rig.at(ms(500), join)
    rig.run()
    assert [frame.id for frame in rig.frames] == [CEM.id, CCS.id]
    # 8 bits of suspension after the charger's own repetition let the newcomer go first.
    assert rig.frames[1].t - rig.frames[0].t == (3 + bits(CCS)) * BIT


def test_the_better_frame_leaves_with_a_repetition_of_its_own() -> None:
    rig = Rig("charger")
    rig.send("charger", CCS)
    rig.send("charger", CEM, at=ms(300))
    joined = ms(400)
    rig.at(joined, lambda: rig.attach("bms"))
    rig.run()

    def period(frame: CanFrame) -> Instant:
        return (bits(frame) - 8 + 14 + 3 + 8) * BIT

    start = (16 * (bits(CCS) - 8 + 14 + 3) + 8) * BIT  # the first repetition as error-passive
    while start < ms(300):
        start += period(CCS)
    while start < joined:
        start += period(CEM)
    assert rig.frames[0].t == start + bits(CEM) * BIT


def test_a_node_that_joins_waits_for_the_attempt_under_way() -> None:
    rig = Rig("a")
    rig.send("a", CCS)

    def join() -> None:
        rig.attach("b")
        rig.ports["b"].send(CEM)

    rig.at(20 * BIT, join)
    rig.run()
    assert [frame.id for frame in rig.frames] == [CEM.id, CCS.id]
    assert rig.frames[0].t == (bits(CCS) - 8 + 14 + 3 + bits(CEM)) * BIT
    assert rig.kinds("a") == ["ack"]


def test_both_ends_of_a_broken_line_miss_the_acknowledge() -> None:
    rig = Rig("charger", "bms")
    rig.bus.inject(Disconnect(name="cable", sender="bms"))
    rig.send("charger", CCS)
    rig.send("bms", BCL)
    rig.run(ms(100))
    assert [rig.ports[name].state for name in ("charger", "bms")] == ["error_passive"] * 2
    rig.bus.undo_all()
    rig.run()
    assert sorted(frame.id for frame in rig.frames) == [BCL.id, CCS.id]


def test_others_go_on_while_one_is_disconnected() -> None:
    rig = Rig("a", "b", "c")
    rig.bus.inject(Disconnect(name="cable", sender="c"))
    rig.send("c", CEM)
    rig.send("a", CCS)
    rig.run()
    assert [frame.sender for frame in rig.frames] == ["a"]
    assert rig.received["c"] == []
    assert rig.frames[0].t == bits(CCS) * BIT  # undisturbed by the attempts on the broken stub


def test_overflow_is_told_and_the_queue_bounded() -> None:
    rig = Rig("charger")
    for number in range(70):
        rig.send("charger", CanFrame(0x100, bytes([number]), extended=False), at=ms(100) + number)
    rig.run()
    assert rig.ports["charger"].pending == 64
    assert rig.kinds("charger").count("overflow") == 6


def test_pending_frames_can_be_taken_back() -> None:
    rig = Rig("a", "b")
    rig.send("a", CCS)
    rig.send("a", BCL, at=1)
    rig.send("a", CEM, at=2)
    rig.at(3, lambda: rig.ports["a"].abort_pending())
    rig.run()
    assert [frame.id for frame in rig.frames] == [CCS.id]  # on the line already
    assert rig.ports["a"].pending == 0


def test_stuck_frames_can_be_taken_back_and_new_ones_sent() -> None:
    rig = Rig("charger")
    rig.send("charger", CCS)
    rig.at(ms(300), lambda: rig.ports["charger"].abort_pending())
    rig.send("charger", BCL, at=ms(310))
    rig.at(ms(400), lambda: rig.attach("bms"))
    rig.run()
    assert [frame.id for frame in rig.frames] == [BCL.id]


def test_a_frame_that_has_won_but_not_begun_still_waits() -> None:
    rig = Rig("a", "b")
    rig.send("a", CCS)
    rig.send("a", BCL, at=1)
    rig.run(bits(CCS) * BIT + 1)  # within the intermission
    assert rig.ports["a"].pending == 1
    rig.ports["a"].abort_pending()
    assert rig.ports["a"].pending == 0
    rig.run()
    assert [frame.id for frame in rig.frames] == [CCS.id]


# --- lines that break in the middle of a frame ---------------------------------------------------------


def test_a_sender_cut_off_in_the_middle_is_lost_and_repeats() -> None:
    rig = Rig("a", "b", "c")
    rig.send("a", CCS)
    rig.at(20 * BIT, lambda: rig.bus.inject(Disconnect(name="cable", sender="a")))
    rig.run(ms(2))
    assert rig.frames == []
    assert [rig.ports[name].rec for name in ("b", "c")] == [1, 1]
    assert rig.ports["a"].tec >= 8
    rig.bus.undo("cable")
    rig.run()
    assert [frame.id for frame in rig.frames] == [CCS.id]
    assert [rig.ports[name].rec for name in ("b", "c")] == [0, 0]


def test_a_line_that_breaks_before_the_next_frame_begins_takes_only_its_own() -> None:
    rig = Rig("a", "b", "c")
    rig.send("a", CCS)
    rig.send("b", CEM, at=1)
    rig.send("a", BCL, at=1)
    rig.at(bits(CCS) * BIT + 1, lambda: rig.bus.inject(Disconnect(name="cable", sender="b")))
    rig.run()
    assert [frame.id for frame in rig.frames] == [CCS.id, BCL.id]
    assert rig.frames[1].t == (bits(CCS) + 3 + bits(BCL)) * BIT
    assert rig.ports["c"].rec == 0


def test_a_short_break_within_the_frame_loses_it_once() -> None:
    rig = Rig("a", "b")
    rig.send("a", CCS)
    rig.at(20 * BIT, lambda: rig.bus.inject(Disconnect(name="cable", sender="a")))
    rig.at(30 * BIT, lambda: rig.bus.undo("cable"))
    rig.run()
    assert [frame.id for frame in rig.frames] == [CCS.id]
    assert rig.frames[0].t > 2 * bits(CCS) * BIT
    assert rig.ports["a"].tec == 7


def test_the_only_receiver_leaving_in_the_middle_means_no_acknowledge() -> None:
    rig = Rig("a", "b")
    rig.send("a", CCS)
    rig.at(20 * BIT, lambda: rig.bus.inject(Disconnect(name="cable", sender="b")))
    rig.run(bits(CCS) * BIT)
    assert rig.frames == []
    assert rig.kinds("a") == ["ack"]


def test_an_error_passive_sender_counts_no_further_when_the_receiver_leaves() -> None:
    rig = Rig("a", "b")
    rig.bus.inject(ErrorFrame(name="noise", count=17))
    rig.send("a", CCS)
    attempts = 16 * (bits(CCS) + 20 + 3) + bits(CCS) + 20 + 3 + 8 + 8
    rig.at(attempts * BIT + 20 * BIT, lambda: rig.bus.inject(Disconnect(name="cable", sender="b")))
    rig.run()
    assert (rig.ports["a"].tec, rig.frames) == (17 * 8, [])
    assert "ack" not in rig.kinds("a")


def test_who_joins_in_the_middle_does_not_hear_the_frame() -> None:
    rig = Rig("a", "b")
    rig.send("a", CCS)
    rig.send("a", BCL, at=1)
    rig.at(20 * BIT, lambda: rig.attach("c"))
    rig.run()
    assert [frame for _, frame in rig.received["b"]] == [CCS, BCL]
    assert [frame for _, frame in rig.received["c"]] == [BCL]


def test_a_detached_node_is_gone_with_its_frames() -> None:
    rig = Rig("a", "b", "c")
    rig.send("a", CCS)
    rig.send("a", BCL)
    rig.at(20 * BIT, lambda: rig.ports["a"].detach())
    rig.run()
    assert rig.frames == []
    assert [port.name for port in rig.bus.ports] == ["b", "c"]
    with pytest.raises(UsageError, match="detached"):
        rig.ports["a"].send(CCS)
    with pytest.raises(UsageError, match="no node 'a'"):
        rig.ports["a"].detach()


def test_names_are_unique() -> None:
    with pytest.raises(UsageError, match="'a' already"):
        Rig("a", "a")


# --- error counters --------------------------------------------------------------------------------------


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
