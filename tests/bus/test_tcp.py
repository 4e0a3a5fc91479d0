"""The virtual TCP link: opening, order of segments, ends by either side, half-open connections, faults."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hil.bus.bytefaults import (
    CorruptBytes,
    CutLine,
    LineFault,
    LoseBytes,
    ParityError,
    RefuseLine,
    RepeatBytes,
    ResetLine,
    SplitBytes,
    StallBytes,
)
from hil.bus.observe import BytesSeen, LineSeen, Note
from hil.bus.tcp import VirtualTcp
from hil.errors import UsageError
from hil.units import SECOND, Instant, ms, us
from hil.world.queue import EventQueue

LATENCY = us(300)


class User:
    """Writes down what it is told, with the instant."""

    def __init__(self, queue: EventQueue) -> None:
        self.queue = queue
        self.got: list[tuple[Instant, object]] = []

    def on_opened(self, channel: int) -> None:
        self.got.append((self.queue.now, ("opened", channel)))

    def on_data(self, channel: int, data: bytes) -> None:
        self.got.append((self.queue.now, (channel, data)))

    def on_ended(self, channel: int, kind: str) -> None:
        self.got.append((self.queue.now, (kind, channel)))

    @property
    def told(self) -> list[object]:
        return [what for _, what in self.got]

    @property
    def data(self) -> list[bytes]:
        return [what[1] for what in self.told if isinstance(what, tuple) and isinstance(what[1], bytes)]


class Rig:
    """A link with a server and two clients."""

    def __init__(self, *, server: bool = True) -> None:
        self.queue = EventQueue()
        self.told: list[BytesSeen | LineSeen | Note] = []
        self.link = VirtualTcp(self.queue, name="net", sink=self.told.append, latency=LATENCY)
        self.users = {name: User(self.queue) for name in ("charger", "ems", "other")}
        for name, user in self.users.items():
            if server or name != "charger":
                self.link.attach(name, user, server=name == "charger")

    def at(self, instant: Instant, *calls: Callable[[], None]) -> None:
        for call in calls:
            self.queue.at(instant, call)

    def run(self, until: Instant = 10 * SECOND) -> None:
        self.queue.run(until)

    def opened(self) -> int:
        """A connection of the EMS, open since ``LATENCY``."""
        channel = self.link.open("ems")
        self.run(LATENCY)
        self.told.clear()
        for user in self.users.values():
            user.got.clear()
        return channel

    def fired(self) -> list[str]:
        return [each.what for each in self.told if isinstance(each, Note)]


def test_both_ends_are_told_of_a_connection_after_the_latency() -> None:
    rig = Rig()
    assert rig.link.open("ems") == 1
    rig.run()
    assert rig.told == [LineSeen(LATENCY, "net", "ems", "opened", 1)]
    assert rig.users["charger"].got == rig.users["ems"].got == [(LATENCY, ("opened", 1))]
    assert not rig.users["other"].got


def test_segments_arrive_in_order_at_the_other_end_of_their_connection() -> None:
    rig = Rig()
    one, two = rig.link.open("ems"), rig.link.open("other")
    rig.at(ms(1), lambda: rig.link.send("ems", one, b"a"))
    rig.at(ms(1), lambda: rig.link.send("ems", one, b"b"))
    rig.at(ms(2), lambda: rig.link.send("charger", two, b"c"))
    rig.run()
    assert rig.users["charger"].got[2:] == [(ms(1) + LATENCY, (one, b"a")), (ms(1) + LATENCY, (one, b"b"))]
    assert rig.users["ems"].data == []
    assert rig.users["other"].data == [b"c"]
    assert BytesSeen(ms(2) + LATENCY, "net", "charger", b"c", ms(2), two) in rig.told


def test_an_orderly_end_comes_after_what_was_sent_before_it() -> None:
    rig = Rig()
    channel = rig.opened()
    rig.link.inject(StallBytes(name="late", span=ms(50)))
    rig.at(ms(1), lambda: rig.link.send("ems", channel, b"last"), lambda: rig.link.close("ems", channel))
    rig.run()
    assert rig.users["charger"].got == [
        (ms(51) + LATENCY, (channel, b"last")),
        (ms(51) + LATENCY, ("closed", channel)),
    ]
    assert rig.users["ems"].got == []


def test_a_reset_overtakes_what_is_under_way() -> None:
    rig = Rig()
    channel = rig.opened()
    rig.link.inject(StallBytes(name="late", span=ms(50)))
    rig.at(ms(1), lambda: rig.link.send("ems", channel, b"lost"), lambda: rig.link.reset("ems", channel))
    rig.run()
    assert rig.users["charger"].got == [(ms(1) + LATENCY, ("reset", channel))]


def test_an_end_that_has_left_neither_sends_nor_hears() -> None:
    rig = Rig()
    channel = rig.opened()
    rig.at(ms(1), lambda: rig.link.close("ems", channel), lambda: rig.link.send("ems", channel, b"too late"))
    rig.at(ms(1), lambda: rig.link.send("charger", channel, b"crossing"))
    rig.at(ms(2), lambda: rig.link.send("charger", channel, b"later"))
    rig.run()
    assert rig.users["charger"].told == [("closed", channel)]
    assert rig.users["ems"].told == []


def test_both_may_end_a_connection_at_once() -> None:
    rig = Rig()
    channel = rig.opened()
    rig.at(ms(1), lambda: rig.link.close("ems", channel), lambda: rig.link.close("charger", channel))
    rig.run()
    assert (rig.users["ems"].told, rig.users["charger"].told) == ([], [])
    assert [each.kind for each in rig.told if isinstance(each, LineSeen)] == ["closed"]


def test_without_a_server_a_connection_is_refused() -> None:
    rig = Rig(server=False)
    rig.link.open("ems")
    rig.run()
    assert rig.users["ems"].got == [(LATENCY, ("refused", 1))]
    assert rig.told == [LineSeen(LATENCY, "net", "ems", "refused", 1)]


# --- faults --------------------------------------------------------------------------------------------


def test_connections_are_refused_until_undone() -> None:
    rig = Rig()
    rig.link.inject(RefuseLine(name="no", sender="ems"))
    rig.link.open("ems")
    rig.link.open("other")
    rig.run(SECOND)
    assert (rig.users["ems"].told, rig.users["other"].told) == ([("refused", 1)], [("opened", 2)])
    assert rig.fired() == ["no"]
    rig.link.undo("no")
    rig.link.open("ems")
    rig.run()
    assert rig.users["ems"].told[-1] == ("opened", 3)


def test_a_half_open_connection_tells_nobody_and_carries_the_other_direction() -> None:
    rig = Rig()
    channel = rig.opened()
    rig.at(ms(1), lambda: rig.link.send("ems", channel, b"under way"))
    rig.at(ms(1), lambda: rig.link.inject(CutLine(name="cut", sender="ems")))
    rig.at(ms(2), lambda: rig.link.send("ems", channel, b"gone"))
    rig.at(ms(3), lambda: rig.link.send("charger", channel, b"heard"))
    rig.at(ms(4), lambda: rig.link.close("ems", channel))
    rig.at(ms(5), lambda: rig.link.send("charger", channel, b"to nobody"))
    rig.run()
    assert rig.users["charger"].told == []
    assert rig.users["ems"].data == [b"heard"]
    assert rig.fired() == ["cut"] * 3
    assert not [each for each in rig.told if isinstance(each, LineSeen)]


@pytest.mark.parametrize("sender", ["", "ems", "charger"])
def test_an_opening_over_a_cut_link_is_never_answered(sender: str) -> None:
    rig = Rig()
    rig.link.inject(CutLine(name="cut", sender=sender))
    rig.link.open("ems")
    rig.run(SECOND)
    assert all(user.got == [] for user in rig.users.values())
    assert rig.fired() == ["cut"]
    rig.link.undo_all()
    rig.link.open("ems")
    rig.run()
    assert rig.users["charger"].told == [("opened", 2)]


def test_a_reset_link_ends_for_both_instead_of_carrying_the_segment() -> None:
    rig = Rig()
    channel = rig.opened()
    rig.link.inject(ResetLine(name="rst", starts="0102", count=1))
    rig.at(ms(1), lambda: rig.link.send("ems", channel, b"\x01\x01"))
    rig.at(ms(2), lambda: rig.link.send("ems", channel, b"\x01\x02"))
    rig.run()
    assert rig.users["charger"].told == [(channel, b"\x01\x01"), ("reset", channel)]
    assert rig.users["ems"].told == [("reset", channel)]
    assert rig.fired() == ["rst"]


@pytest.mark.parametrize(
    ("fault", "arrivals"),
    [
        (LoseBytes(name="f", at=1), [(1, b"1")]),
        (CorruptBytes(name="f", invert="03"), [(1, b"2234")]),
        (RepeatBytes(name="f"), [(1, b"1234")] * 2),
        (SplitBytes(name="f", at=1, gap=ms(5)), [(1, b"1"), (6, b"234")]),
        (SplitBytes(name="f", at=3, gap=0), [(1, b"123"), (1, b"4")]),
        (StallBytes(name="f", span=ms(9)), [(10, b"1234")]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, LineFault) else "",
)
def test_a_fault_of_segments_fires_once_as_noted(fault: LineFault, arrivals: list[tuple[int, bytes]]) -> None:
    rig = Rig()
    channel = rig.opened()
    rig.link.inject(fault)
    rig.at(ms(1), lambda: rig.link.send("ems", channel, b"1234"))
    rig.run()
    assert rig.users["charger"].got == [(ms(at) + LATENCY, (channel, data)) for at, data in arrivals]
    assert rig.fired() == ["f"]


def test_a_split_behind_a_stall_keeps_its_gap() -> None:
    rig = Rig()
    channel = rig.opened()
    rig.link.inject(StallBytes(name="stall", span=ms(20)))
    rig.link.inject(SplitBytes(name="split", at=1, gap=ms(5)))
    rig.at(ms(1), lambda: rig.link.send("ems", channel, b"12"))
    rig.run()
    assert [at for at, _ in rig.users["charger"].got] == [ms(21) + LATENCY, ms(26) + LATENCY]


def test_what_follows_a_stalled_segment_does_not_overtake_it() -> None:
    rig = Rig()
    channel = rig.opened()
    rig.link.inject(StallBytes(name="stall", span=ms(20), count=1))
    rig.at(ms(1), lambda: rig.link.send("ems", channel, b"first"))
    rig.at(ms(2), lambda: rig.link.send("ems", channel, b"second"))
    rig.run()
    assert rig.users["charger"].data == [b"first", b"second"]


def test_misuse_of_a_link_is_refused() -> None:
    rig = Rig()
    with pytest.raises(UsageError, match="has a node 'ems' already"):
        rig.link.attach("ems", User(rig.queue))
    with pytest.raises(UsageError, match="has the server 'charger' already"):
        rig.link.attach("second", User(rig.queue), server=True)
    with pytest.raises(UsageError, match="cannot open a connection to itself"):
        rig.link.open("charger")
    with pytest.raises(UsageError, match="knows no ParityError"):
        rig.link.inject(ParityError(name="f"))
    with pytest.raises(UsageError, match="latency 0 ns"):
        VirtualTcp(rig.queue, name="net", sink=rig.told.append, latency=0)
