"""100,000 mutated frames against the decoders and the clients: nothing raises, nothing hangs, nothing grows."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hil.dut.modbus import Refused, Responder, ServerSpec
from hil.protocol.modbus import (
    Malformed,
    MaskWrite,
    Read,
    ReadWrite,
    Reply,
    Request,
    RtuClient,
    RtuTiming,
    TcpClient,
    WriteCoils,
    WriteRegisters,
    decode_reply,
    decode_request,
    encode_rtu,
    encode_tcp,
    ending,
    read_holding,
    violations,
    write_coil,
    write_register,
)
from hil.units import Instant, ms
from tests.mutation import COUNT, mutated, size

REQUESTS: tuple[Request, ...] = (
    Read(1, 3, 19),
    Read(2, 0, 1),
    read_holding(100, 10),
    Read(4, 0, 125),
    write_coil(5, True),
    write_register(6, 7),
    WriteCoils(3, (True, False) * 9),
    WriteRegisters(3, (1, 2, 3)),
    MaskWrite(4, 0xF0, 0x05),
    ReadWrite(0, 4, 8, (1, 2)),
)
TIMING = RtuTiming.of(19200)


class Store:
    """Registers and bits of a device."""

    def __init__(self) -> None:
        self.words = [0] * 1000

    def read(self, unit: int, function: int, address: int, count: int, now: Instant) -> Sequence[int] | Refused:
        return self.words[address : address + count] if address + count <= len(self.words) else Refused(2)

    def write(self, unit: int, function: int, address: int, values: Sequence[int], now: Instant) -> Refused | None:
        if address + len(values) > len(self.words):
            return Refused(2)
        self.words[address : address + len(values)] = [int(value) for value in values]
        return None


def good_replies() -> list[tuple[Request, bytes]]:
    device = Responder(ServerSpec(), Store())
    pairs = []
    for request in REQUESTS:
        reply = device.answer(1, request.encode(), 0)
        assert reply is not None
        pairs.append((request, bytes([reply.function_code]) + reply.encode()))
    return pairs


def test_decoders() -> None:
    draw = random.Random(1)
    pairs = good_replies()
    whole = 0
    for number in range(COUNT):
        request, reply = pairs[number % len(pairs)]
        outcome = decode_reply(request, mutated(draw, reply, 1))
        assert isinstance(outcome, Malformed | Reply)
        whole += not isinstance(outcome, Malformed)
        raw = mutated(draw, request.encode(), 1)
        found = decode_request(raw)
        assert found.encode() == raw
        violations(found)
    assert COUNT / 50 < whole < COUNT / 2, "mutations reach both sides of the line"


def test_tcp_client() -> None:
    draw = random.Random(2)
    pairs = good_replies()
    client = TcpClient(1, timeout=ms(10))
    now, sent, ended = 0, 0, 0
    largest = 0
    for number in range(COUNT):
        request, reply = pairs[number % len(pairs)]
        client.request(request, now)
        sent += 1
        frame = client.bytes_to_send()[0]
        client.receive(mutated(draw, frame[:2] + encode_tcp(0, 1, reply)[2:], 1), now)
        now += ms(3)
        client.wake(now)
        ended += sum(ending(event) is not None for event in client.events())
        largest = max(largest, client.pending)
        if number == 1000:
            early = size(client)
    now += ms(10)
    client.wake(now)
    ended += sum(ending(event) is not None for event in client.events())
    assert (ended, client.pending) == (sent, 0)
    assert largest <= 5
    assert size(client) < early + 2000


def test_rtu_client() -> None:
    draw = random.Random(3)
    pairs = good_replies()
    client = RtuClient(1, TIMING, timeout=ms(300))
    now, ended = 0, 0
    for number in range(COUNT):
        request, reply = pairs[number % len(pairs)]
        client.request(request, now)
        now += ms(200)
        client.receive(mutated(draw, encode_rtu(1, reply), 1), now)
        while client.pending and (deadline := client.next_deadline()) is not None:
            now = max(now, deadline)
            client.wake(deadline)
        client.bytes_to_send()
        now += ms(20)
        ended += sum(ending(event) is not None for event in client.events())
        if number == 1000:
            early = size(client)
    assert ended == COUNT
    assert size(client) < early + 2000
