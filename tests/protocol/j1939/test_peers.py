"""Two endpoints facing each other over a line that loses, doubles, swaps, delays and invents frames."""

from __future__ import annotations

import heapq
import random

from hypothesis import example, given
from hypothesis import strategies as st

from hil.codec.frame import CanFrame
from hil.protocol.j1939 import Aborted, Ignored, Listener, Received, Sent, TpBehaviour, Transfer, Transport
from hil.units import SECOND, Instant, us

BMS, CHARGER = 0xF4, 0x56
PGN = 0x1100
FRAME_TIME = us(550)

mishaps = st.lists(st.sampled_from(["ok", "ok", "ok", "lose", "double", "late"]), max_size=40)


class Line:
    """Carries frames between two endpoints; ``script`` says what happens to each in turn, then all is well."""

    def __init__(self, first: Transport, second: Transport, script: list[str]) -> None:
        self.ends = {first: second, second: first}
        self.script = iter(script)
        self.now: Instant = 0
        self.flying: list[tuple[Instant, int, Transport, CanFrame]] = []
        self.count = 0
        self.carried: list[tuple[Instant, CanFrame]] = []
        self.most_events = 0

    def collect(self) -> None:
        for end, other in self.ends.items():
            for frame in end.out:
                what = next(self.script, "ok")
                if what == "lose":
                    continue
                delay = FRAME_TIME * (30 if what == "late" else 1)
                for copy in range(2 if what == "double" else 1):
                    self.count += 1
                    heapq.heappush(self.flying, (self.now + delay + copy * FRAME_TIME, self.count, other, frame))
            end.out.clear()

    def run(self, limit: Instant) -> None:
        """Until nothing is due any more; reaching ``limit`` means that it never ends."""
        while True:
            self.collect()
            deadlines = [due for end in self.ends if (due := end.next_deadline()) is not None]
            arrivals = [self.flying[0][0]] if self.flying else []
            if not deadlines and not arrivals:
                return
            self.now = max(self.now, min(deadlines + arrivals))
            assert self.now < limit, "a connection never ends"
            while self.flying and self.flying[0][0] <= self.now:
                _, _, end, frame = heapq.heappop(self.flying)
                self.carried.append((self.now, frame))
                end.receive(frame, self.now)
                self.collect()
            for end in self.ends:
                end.wake(self.now)


def payload(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@given(
    st.integers(9, 1785),
    st.integers(0, 20),
    st.integers(0, 3),
    st.integers(1, 255),
)
@example(1785, 1, 0, 255)
@example(9, 0, 0, 255)
def test_without_mishap_every_size_arrives_equal(size: int, per_cts: int, holds: int, most: int) -> None:
    bms = Transport(BMS, CHARGER, behaviour=TpBehaviour(most_per_cts=most))
    charger = Transport(CHARGER, BMS, behaviour=TpBehaviour(packets_per_cts=per_cts, holds=holds))
    line = Line(bms, charger, [])
    bms.send(PGN, payload(size), 0)
    line.run(60 * SECOND)
    (received,) = charger.events
    assert isinstance(received, Received)
    assert received.data == payload(size)
    assert [type(event) for event in bms.events] == [Sent]
    listener = Listener()
    transfers = [one for t, frame in line.carried if (one := listener.see(frame.id, frame.data, t)) is not None]
    rts = line.carried[0][0]
    last = max(t for t, frame in line.carried if frame.id >> 16 & 0xFF == 0xEB)
    assert transfers == [Transfer(BMS, CHARGER, PGN, payload(size), rts, line.now, True, received=last)]


@given(st.integers(9, 200), mishaps, st.integers(0, 4), st.integers(0, 2))
def test_whatever_the_line_does_the_message_is_equal_or_the_end_is_told(
    size: int, script: list[str], per_cts: int, holds: int
) -> None:
    bms = Transport(BMS, CHARGER)
    charger = Transport(CHARGER, BMS, behaviour=TpBehaviour(packets_per_cts=per_cts, holds=holds))
    line = Line(bms, charger, script)
    bms.send(PGN, payload(size), 0)
    line.run(600 * SECOND)
    for received in (event for event in charger.events if isinstance(event, Received)):
        assert received.data == payload(size)
    ends = [event for event in bms.events if isinstance(event, Sent | Aborted)]
    assert len(ends) == 1
    if isinstance(ends[0], Sent):
        assert any(isinstance(event, Received) for event in charger.events)


@given(st.integers(9, 200), st.integers(9, 200), mishaps)
def test_both_directions_do_not_disturb_each_other(size: int, other_size: int, script: list[str]) -> None:
    bms, charger = Transport(BMS, CHARGER), Transport(CHARGER, BMS)
    line = Line(bms, charger, script)
    bms.send(PGN, payload(size), 0)
    charger.send(0x3300, payload(other_size), 0)
    line.run(600 * SECOND)
    for end, wanted in ((charger, payload(size)), (bms, payload(other_size))):
        for event in end.events:
            if isinstance(event, Received):
                assert event.data == wanted
        assert sum(isinstance(event, Sent) or _ended_sending(event) for event in end.events) == 1


def _ended_sending(event: object) -> bool:
    return isinstance(event, Aborted) and event.role == "sender"


bytes_of_cm = st.tuples(
    st.sampled_from([0x10, 0x11, 0x13, 0x20, 0xFF, 0x00, 0x12]),
    st.one_of(st.sampled_from([0, 1, 2, 7, 9, 49, 255]), st.integers(0, 255)),
    st.one_of(st.sampled_from([0, 1, 2, 3, 6, 255]), st.integers(0, 255)),
    st.one_of(st.sampled_from([0, 1, 2, 7, 255]), st.integers(0, 255)),
    st.integers(0, 255),
    st.sampled_from([0x00, 0x01]),
    st.sampled_from([0x02, 0x11, 0x33]),
    st.sampled_from([0x00, 0x01]),
).map(bytes)
bytes_of_dt = st.tuples(st.integers(0, 8), st.binary(min_size=7, max_size=7)).map(
    lambda both: bytes([both[0]]) + both[1]
)
hostile = st.one_of(
    st.builds(CanFrame, st.sampled_from([0x1CEC56F4, 0x18EC56F4, 0x1CEC56F5]), bytes_of_cm),
    st.builds(CanFrame, st.just(0x1CEB56F4), bytes_of_dt),
    st.builds(CanFrame, st.sampled_from([0x1CEC56F4, 0x1CEB56F4]), st.binary(max_size=8)),
    st.builds(CanFrame, st.integers(0, 0x7FF), st.binary(max_size=8), st.just(False)),
)
habits = st.builds(
    TpBehaviour,
    packets_per_cts=st.integers(0, 3),
    holds=st.integers(0, 2),
    retries=st.integers(0, 2),
    answer_after=st.sampled_from([0, us(300_000)]),
    acknowledge=st.booleans(),
    accept_bad_counts=st.booleans(),
    accept_without_rts=st.booleans(),
    accept_any_source=st.booleans(),
    accept_incomplete=st.booleans(),
    ignore_limit=st.booleans(),
    ignore_sequence=st.booleans(),
    ignore_new_rts=st.booleans(),
    ignore_abort=st.booleans(),
    swap_packets=st.booleans(),
)


@given(
    st.lists(st.tuples(hostile, st.integers(0, us(400_000))), max_size=60), habits, st.booleans(), st.integers(9, 100)
)
def test_hostile_frames_never_raise_and_every_connection_ends(
    script: list[tuple[CanFrame, Instant]], behaviour: TpBehaviour, sending: bool, size: int
) -> None:
    end = Transport(CHARGER, BMS, behaviour=behaviour)
    listener = Listener()
    now: Instant = 0
    if sending:
        end.send(0x3300, bytes(size), 0)
    for frame, gap in script:
        now = _let_pass(end, now, now + gap)
        end.receive(frame, now)
        transfer = listener.see(frame.id, frame.data, now)
        assert transfer is None or len(transfer.data) <= 1785
        end.out.clear()
    _let_pass(end, now, now + 10 * SECOND)
    assert end.next_deadline() is None
    assert all(len(event.data) <= 1785 for event in end.events if isinstance(event, Received | Ignored))


def _let_pass(end: Transport, now: Instant, until: Instant) -> Instant:
    wakes = 0
    while (due := end.next_deadline()) is not None and due <= until:
        now = max(now, due)
        end.wake(now)
        wakes += 1
        assert wakes < 1000, "it wakes for ever"
    end.out.clear()
    return until


def test_memory_stays_bounded_under_a_flood() -> None:
    end, listener = Transport(CHARGER, BMS, behaviour=TpBehaviour(answer_after=SECOND)), Listener()
    draw = random.Random(1)
    for number in range(20_000):
        data = bytes([draw.choice((0x10, 0x11, 0x13, 0xFF))]) + draw.randbytes(7)
        source = draw.randrange(256)
        end.receive(CanFrame(0x1CEC56F4, data), number)
        end.receive(CanFrame(0x1CEB56F4, draw.randbytes(8)), number)
        listener.see(0x1CEC0000 | draw.randrange(256) << 8 | source, data, number)
    assert len(end.events) <= 1000
    assert len(end.out) <= 40_000  # at most one answer a frame; the owner takes them away
    assert len(end._late) <= 16
    assert len(listener._open) <= 64


def test_a_flood_does_not_hide_the_transfer_after_it() -> None:
    listener = Listener()
    rts = bytes.fromhex("10 09 00 02 FF 00 11 00")
    for source in range(200):
        listener.see(0x1CEC0000 | 0x99 << 8 | source, rts, source)
    listener.see(0x1CEC56F4, rts, 1000)
    listener.see(0x1CEB56F4, bytes([1] + [1] * 7), 1001)
    listener.see(0x1CEB56F4, bytes([2] + [2] * 7), 1002)
    assert listener.see(0x1CECF456, bytes.fromhex("13 09 00 02 FF 00 02 00"), 1003) is None  # of another message
    transfer = listener.see(0x1CECF456, bytes.fromhex("13 09 00 02 FF 00 11 00"), 1004)
    assert transfer == Transfer(BMS, CHARGER, PGN, b"\1" * 7 + b"\2" * 2, 1000, 1004, True, received=1002)
