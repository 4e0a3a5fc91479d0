"""The virtual bus: frame times and arbitration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.bus.observe import FrameSeen
from hil.bus.timing import arbitration_key
from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.units import Instant, ms, us
from tests.bus.conftest import BCL, BIT, CCS, CEM, Rig, bits


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
