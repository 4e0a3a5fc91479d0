"""Against the transport layer of the can-j1939 package, written by other hands.

Its data link layer takes a send function and instants, so it runs here without its thread; the clock
that it reads is the test's. Where it differs from the sheet (it refuses a new RTS of the same message,
asks for nothing again) the two do not meet here.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import j1939.j1939_21
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.codec.frame import CanFrame
from hil.protocol.j1939 import Received, Sent, TpBehaviour, Transport
from hil.units import SECOND, Instant, ms, seconds

BMS, CHARGER = 0xF4, 0x56
PGN = 0x1100


class Foreign:
    """The other implementation at one address."""

    def __init__(self, address: int, most: int, clock: SimpleNamespace) -> None:
        self.out: list[CanFrame] = []
        self.received: list[tuple[int, bytes]] = []
        self.clock = clock
        self.layer = j1939.j1939_21.J1939_21(
            self._send, lambda: None, self._notify, most, None, None, lambda destination: destination == address
        )

    def _send(self, identifier: int, extended: bool, data: list[int]) -> None:
        self.out.append(CanFrame(identifier, bytes(data), extended))

    def _notify(self, priority: int, pgn: int, source: int, destination: int, stamp: float, data: list[int]) -> None:
        self.received.append((pgn, bytes(data)))

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self.layer.notify(frame.id, bytearray(frame.data), seconds(now))

    def work(self) -> None:
        self.layer.async_job_thread(self.clock.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(j1939.j1939_21, "time", SimpleNamespace(time=lambda: clock.now))
    return clock


def exchange(ours: Transport, foreign: Foreign) -> list[CanFrame]:
    """Carry frames in 1 ms steps until both are silent for longer than a hold; what was carried."""
    carried: list[CanFrame] = []
    now: Instant = 0
    silent = 0
    while silent < 600:
        now += ms(1)
        foreign.clock.now = seconds(now)
        moved = False
        for frame in ours.leaving() if isinstance(ours, Wrong) else _taken(ours.out):
            foreign.receive(frame, now)
            carried.append(frame)
            moved = True
        foreign.work()
        for frame in _taken(foreign.out):
            ours.receive(frame, now)
            carried.append(frame)
            moved = True
        due = ours.next_deadline()
        if due is not None and due <= now:
            ours.wake(now)
        silent = 0 if moved else silent + 1
        assert now < 60 * SECOND, "the transfer never ends"
    return carried


def _taken(frames: list[CanFrame]) -> list[CanFrame]:
    taken = list(frames)
    frames.clear()
    return taken


one_clock = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@one_clock
@given(size=st.integers(9, 300), most=st.integers(1, 255))
def test_it_receives_what_we_send(clock: SimpleNamespace, size: int, most: int) -> None:
    ours, foreign = Transport(BMS, CHARGER), Foreign(CHARGER, most, clock)
    content = bytes(index & 0xFF for index in range(size))
    ours.send(PGN, content, 0)
    exchange(ours, foreign)
    assert foreign.received == [(PGN, content)]
    assert [type(event) for event in ours.events] == [Sent]


@one_clock
@given(size=st.integers(9, 300), most=st.integers(1, 255), per_cts=st.integers(0, 255), holds=st.integers(0, 1))
def test_we_receive_what_it_sends(clock: SimpleNamespace, size: int, most: int, per_cts: int, holds: int) -> None:
    behaviour = TpBehaviour(packets_per_cts=per_cts, holds=holds)
    ours, foreign = Transport(CHARGER, BMS, behaviour=behaviour), Foreign(BMS, most, clock)
    clock.now = 0.0
    content = [index & 0xFF for index in range(size)]
    assert foreign.layer.send_pgn(0, PGN >> 8, CHARGER, 7, BMS, content, 0, None)
    exchange(ours, foreign)
    (received,) = ours.events
    assert isinstance(received, Received)
    assert (received.pgn, received.data) == (PGN, bytes(content))


def test_a_transfer_of_ours_is_byte_for_byte_the_same_as_one_of_its(clock: SimpleNamespace) -> None:
    content = bytes(range(49))
    ours, foreign = Transport(BMS, CHARGER), Foreign(CHARGER, 255, clock)
    ours.send(PGN, content, 0)
    by_us = exchange(ours, foreign)
    clock.now = 0.0
    ours, foreign = Transport(CHARGER, BMS), Foreign(BMS, 255, clock)
    foreign.layer.send_pgn(0, PGN >> 8, CHARGER, 7, BMS, list(content), 0, None)
    by_it = exchange(ours, foreign)
    # It announces as limit per CTS what it needs, we announce that there is none.
    assert by_it[0].data == by_us[0].data[:4] + b"\x07" + by_us[0].data[5:]
    assert by_it[1:] == by_us[1:]


# --- a wrong transport of ours is caught by it --------------------------------------------------------
# It looks at neither sequence numbers nor the PGN of an answer: the worked frames of the sheet hold those.

SIZE = 49
CONTENT = bytes(range(SIZE))
Change = Callable[[bytes], bytes]


def turned(first: int, last: int) -> Change:
    """These bytes (from 0, the last one not included) in the other order."""
    return lambda data: data[:first] + data[first:last][::-1] + data[last:]


def put(index: int, change: Callable[[int], int]) -> Change:
    """One byte changed."""
    return lambda data: data[:index] + bytes([change(data[index]) & 0xFF]) + data[index + 1 :]


def only(control: int, change: Change) -> Change:
    """Changed in connection management frames of that kind only."""
    return lambda data: change(data) if data[0] == control else data


WRONG_SENDER = {
    "size high byte first": (0xEC, only(0x10, turned(1, 3))),
    "one byte fewer announced": (0xEC, only(0x10, put(1, lambda byte: byte - 1))),
    "one packet fewer announced": (0xEC, only(0x10, put(3, lambda byte: byte - 1))),
    "PGN one byte late": (0xEC, only(0x10, turned(6, 8))),
    "other control byte": (0xEC, only(0x10, put(0, lambda byte: 0x20))),
    "packets turned around": (0xEB, turned(1, 8)),
    "packets one byte late": (0xEB, lambda data: data[:1] + data[7:] + data[1:7]),
}
WRONG_RECEIVER = {
    "releases one packet fewer": (0xEC, only(0x11, put(1, lambda byte: byte - 1))),
    "names the packet after": (0xEC, only(0x11, put(2, lambda byte: byte + 1))),
    "no such control byte": (0xEC, only(0x11, put(0, lambda byte: 0x12))),
    "EndOfMsgACK of no kind": (0xEC, only(0x13, put(0, lambda byte: 0x14))),
}
WRONG_HABITS = {
    "loses a packet for good": TpBehaviour(stop_after=6),
    "swaps packets": TpBehaviour(swap_packets=True),
    "aborts": TpBehaviour(abort_after=3),
    "announces too much": TpBehaviour(announce_size=56, announce_packets=8),
    "speaks as somebody else": TpBehaviour(source=0xF5),
}


class Wrong(Transport):
    """Ours, with something wrong in the frames of one kind."""

    def __init__(self, address: int, peer: int, protocol_format: int, change: Change) -> None:
        super().__init__(address, peer)
        self._format = protocol_format
        self._change = change

    def leaving(self) -> list[CanFrame]:
        """What it wanted to send, as it leaves."""
        return [
            CanFrame(frame.id, self._change(frame.data)) if frame.id >> 16 & 0xFF == self._format else frame
            for frame in _taken(self.out)
        ]


def arrives(ours: Transport, clock: SimpleNamespace) -> bool:
    """Whether it gets what we send, and lets us know."""
    foreign = Foreign(CHARGER, 255, clock)
    ours.send(PGN, CONTENT, 0)
    exchange(ours, foreign)
    return foreign.received == [(PGN, CONTENT)] and [type(event) for event in ours.events] == [Sent]


def completes(ours: Transport, clock: SimpleNamespace) -> bool:
    """Whether it is done with what it sends us: able to send the next one, without an abort."""
    foreign = Foreign(BMS, 255, clock)
    clock.now = 0.0
    foreign.layer.send_pgn(0, PGN >> 8, CHARGER, 7, BMS, list(CONTENT), 0, None)
    try:
        carried = exchange(ours, foreign)
    except RuntimeError:  # it raises for control bytes that it does not know
        return False
    aborts = [frame for frame in carried if frame.data[0] == 0xFF and frame.id >> 16 & 0xFF == 0xEC]
    return not aborts and [type(event) for event in ours.events] == [Received]


def test_a_right_transport_passes_both_ways(clock: SimpleNamespace) -> None:
    assert arrives(Transport(BMS, CHARGER), clock)
    assert completes(Transport(CHARGER, BMS), clock)


@pytest.mark.parametrize("what", WRONG_SENDER)
def test_a_wrong_sender_is_caught(what: str, clock: SimpleNamespace) -> None:
    assert not arrives(Wrong(BMS, CHARGER, *WRONG_SENDER[what]), clock)


@pytest.mark.parametrize("what", WRONG_HABITS)
def test_wrong_habits_of_a_sender_are_caught(what: str, clock: SimpleNamespace) -> None:
    assert not arrives(Transport(BMS, CHARGER, behaviour=WRONG_HABITS[what]), clock)


@pytest.mark.parametrize("what", WRONG_RECEIVER)
def test_a_wrong_receiver_is_caught(what: str, clock: SimpleNamespace) -> None:
    assert not completes(Wrong(CHARGER, BMS, *WRONG_RECEIVER[what]), clock)
