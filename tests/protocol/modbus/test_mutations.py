"""100,000 mutated frames against every machine: nothing raises, nothing hangs, nothing grows."""

from __future__ import annotations

import pickle
import random
from collections.abc import Sequence

from hil.dut.modbus import Refused, Responder, RtuServer, SerialTiming, ServerSpec, TcpServer
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

COUNT = 100_000
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


def mutated(draw: random.Random, data: bytes) -> bytes:
    """One to three edits of a frame."""
    found = bytearray(data)
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(found) + 1)
        edit = draw.randrange(6)
        if edit == 0 and at < len(found):
            found[at] ^= 1 << draw.randrange(8)
        elif edit == 1 and at < len(found):
            found[at] = draw.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif edit == 2:
            del found[at:]
        elif edit == 3:
            del found[at : at + draw.randint(1, 4)]
        elif edit == 4:
            found[at:at] = draw.randbytes(draw.randint(1, 8))
        else:
            found += found[:at]
    return bytes(found)


def good_replies() -> list[tuple[Request, bytes]]:
    device = Responder(ServerSpec(), Store())
    pairs = []
    for request in REQUESTS:
        reply = device.answer(1, request.encode(), 0)
        assert reply is not None
        pairs.append((request, bytes([reply.function_code]) + reply.encode()))
    return pairs


def size(machine: object) -> int:
    return len(pickle.dumps(machine))


def test_decoders() -> None:
    draw = random.Random(1)
    pairs = good_replies()
    whole = 0
    for number in range(COUNT):
        request, reply = pairs[number % len(pairs)]
        outcome = decode_reply(request, mutated(draw, reply))
        assert isinstance(outcome, Malformed | Reply)
        whole += not isinstance(outcome, Malformed)
        raw = mutated(draw, request.encode())
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
        client.receive(mutated(draw, frame[:2] + encode_tcp(0, 1, reply)[2:]), now)
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
        client.receive(mutated(draw, encode_rtu(1, reply)), now)
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


def test_reference_device_on_tcp() -> None:
    draw = random.Random(4)
    responder = Responder(ServerSpec(), Store())
    server = TcpServer(responder)
    closed = answers = 0
    for number in range(COUNT):
        frame = encode_tcp(number & 0xFFFF, 1, REQUESTS[number % len(REQUESTS)].encode())
        server.receive(mutated(draw, frame), number)
        answers += len(server.bytes_to_send())
        if server.closing or number % 20 == 0:
            closed += server.closing
            server = TcpServer(responder)
    assert closed > COUNT / 100
    assert answers > COUNT / 4


def test_reference_device_on_rtu() -> None:
    draw = random.Random(5)
    server = RtuServer(Responder(ServerSpec(), Store()), SerialTiming.of(19200))
    now, answers = 0, 0
    for number in range(COUNT):
        now += ms(500)
        pdu = REQUESTS[number % len(REQUESTS)].encode()
        # half of them with a right check, else next to none would be read
        frame = encode_rtu(1, mutated(draw, pdu)) if number % 2 else mutated(draw, encode_rtu(1, pdu))
        server.receive(frame, now)
        deadline = server.next_deadline()
        assert frame == b"" or deadline is not None
        server.wake(now + ms(10))
        answers += len(server.bytes_to_send())
        assert server.next_deadline() is None
    assert answers > COUNT / 4
