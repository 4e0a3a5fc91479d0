"""The virtual bus: nobody acknowledges, and lines that break in the middle of a frame."""

from __future__ import annotations

import itertools

import pytest

from hil.bus.faults import Disconnect, ErrorFrame
from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.units import Instant, ms
from tests.bus.conftest import BCL, BIT, CCS, CEM, Rig, bits

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
