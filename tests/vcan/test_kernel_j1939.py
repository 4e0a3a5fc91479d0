"""Our transport against the Linux kernel's J1939, over a real SocketCAN interface.

Where the machine has no ``vcan0``, ``make test-vcan`` runs this in a guest that has. Two things that the kernel does
otherwise than the sheet are left out: it gives up at a second TP.CTS in a row, so that a hold cannot end, and it does
not look whether size and packet count of a request fit each other.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import can
import pytest

from hil.codec.frame import CanFrame
from hil.protocol.j1939 import Received, Sent, TpBehaviour, TpTiming, Transport
from hil.units import Instant, Span, ms, s, seconds

INTERFACE = "vcan0"
BMS, CHARGER = 0xF4, 0x56
BRM, BCS, BMV = 0x0200, 0x1100, 0x1500
LONGEST = s(20)
KERNEL = hasattr(socket, "CAN_J1939") and Path(f"/sys/class/net/{INTERFACE}").exists()
pytestmark = pytest.mark.skipif(not KERNEL, reason=f"no {INTERFACE} with the kernel's J1939 here: make test-vcan")


def now() -> Instant:
    return time.monotonic_ns()  # the partner is a kernel, which runs by the real clock


class Ours:
    """Our endpoint on a python-can bus."""

    def __init__(self, address: int, peer: int, behaviour: TpBehaviour, timing: TpTiming) -> None:
        self.bus = can.Bus(INTERFACE, interface="socketcan")
        self.transport = Transport(address, peer, behaviour=behaviour, timing=timing)
        self.peer = peer
        self.heard: list[bytes] = []
        """Connection management of the kernel."""

    def pump(self, until: Callable[[], bool]) -> bool:
        """Carry frames both ways until something has come about; False when it has not in good time."""
        end = now() + LONGEST
        while not until():
            if now() > end:
                return False
            self._send()
            message = self.bus.recv(seconds(self._patience()))
            if message is not None:
                self._hear(message)
            due = self.transport.next_deadline()
            if due is not None and due <= now():
                self.transport.wake(now())
        self._send()
        return True

    def _send(self) -> None:
        for frame in self.transport.out:
            self.bus.send(can.Message(arbitration_id=frame.id, data=frame.data, is_extended_id=frame.extended))
        self.transport.out.clear()

    def _hear(self, message: can.Message) -> None:
        if message.arbitration_id & 0xFF == self.peer:
            if message.arbitration_id >> 16 & 0xFF == 0xEC:
                self.heard.append(bytes(message.data))
            self.transport.receive(CanFrame(message.arbitration_id, bytes(message.data)), now())

    def _patience(self) -> Span:
        due = self.transport.next_deadline()
        return ms(50) if due is None else max(min(due - now(), ms(50)), 0)


@pytest.fixture
def open_both() -> Iterator[Callable[..., tuple[Ours, socket.socket]]]:
    """Opens our end at one address and the kernel's at the other."""
    opened: list[tuple[Ours, socket.socket]] = []

    def make(
        address: int, behaviour: TpBehaviour | None = None, timing: TpTiming | None = None
    ) -> tuple[Ours, socket.socket]:
        peer = CHARGER if address == BMS else BMS
        kernel = socket.socket(socket.PF_CAN, socket.SOCK_DGRAM, socket.CAN_J1939)
        kernel.bind((INTERFACE, socket.J1939_NO_NAME, socket.J1939_NO_PGN, peer))
        kernel.setblocking(False)
        opened.append((Ours(address, peer, behaviour or TpBehaviour(), timing or TpTiming()), kernel))
        return opened[-1]

    yield make
    for ours, kernel in opened:
        ours.bus.shutdown()
        kernel.close()


def content(size: int) -> bytes:
    return bytes((7 * index + size) & 0xFF for index in range(size))


@pytest.mark.parametrize(("pgn", "size"), [(BCS, 9), (0x0600, 13), (BRM, 49), (BMV, 216), (BMV, 1785)])
def test_the_kernel_receives_what_we_send(
    open_both: Callable[..., tuple[Ours, socket.socket]], pgn: int, size: int
) -> None:
    timing = TpTiming(packet_gap=ms(1)) if size > 100 else TpTiming()
    ours, kernel = open_both(BMS, timing=timing)
    ours.transport.send(pgn, content(size), now())
    assert ours.pump(lambda: bool(ours.transport.events))
    assert [type(event) for event in ours.transport.events] == [Sent]
    data, (_, _, received_pgn, source) = kernel.recvfrom(2000)
    assert (data, received_pgn, source) == (content(size), pgn, BMS)


@pytest.mark.parametrize(("pgn", "size"), [(BCS, 9), (0x0600, 13), (BRM, 49), (BMV, 216), (BMV, 1785)])
@pytest.mark.parametrize("per_cts", [0, 1, 5])
def test_we_receive_what_the_kernel_sends(
    open_both: Callable[..., tuple[Ours, socket.socket]], pgn: int, size: int, per_cts: int
) -> None:
    ours, kernel = open_both(CHARGER, TpBehaviour(packets_per_cts=per_cts))
    kernel.sendto(content(size), (INTERFACE, socket.J1939_NO_NAME, pgn, CHARGER))
    assert ours.pump(lambda: bool(ours.transport.events))
    (received,) = ours.transport.events
    assert isinstance(received, Received)
    assert (received.pgn, received.data) == (pgn, content(size))
    assert {data[0] for data in ours.heard} == {0x10}  # its RTS, and no abort


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(TpBehaviour(announce_size=56, announce_packets=8), id="announces too much"),
        pytest.param(TpBehaviour(swap_packets=True), id="swaps packets"),
        pytest.param(TpBehaviour(stop_after=3), id="stops"),
        pytest.param(TpBehaviour(source=0xF5), id="speaks as somebody else"),
    ],
)
def test_the_kernel_catches_a_wrong_sender(
    open_both: Callable[..., tuple[Ours, socket.socket]], wrong: TpBehaviour
) -> None:
    ours, kernel = open_both(BMS, wrong)
    ours.transport.send(BRM, content(49), now())
    assert ours.pump(lambda: bool(ours.transport.events))
    assert not [event for event in ours.transport.events if isinstance(event, Sent)]
    with pytest.raises(BlockingIOError):
        kernel.recv(2000)
