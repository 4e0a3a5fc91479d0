"""The reference device on its lines: what the protocol asks of a server, by the judge's codec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from hil.dut.modbus import Refused, Responder, RtuServer, SerialTiming, ServerSpec, TcpServer
from hil.protocol.modbus import (
    Bits,
    ExceptionReply,
    MaskWrite,
    RawPdu,
    Read,
    ReadWrite,
    Registers,
    Reply,
    Request,
    RtuTiming,
    TcpFrame,
    TcpStream,
    WriteCoils,
    WriteRegisters,
    WriteSingle,
    Written,
    decode_reply,
    encode_rtu,
    encode_tcp,
    judge_rtu,
    read_holding,
    write_coil,
    write_register,
)
from hil.units import Instant, ms


class Store:
    """A hundred registers and bits, and what was done to them."""

    def __init__(self) -> None:
        self.words = list(range(100))
        self.bits = [False] * 100
        self.writes: list[tuple[int, int, int, list[int], Instant]] = []
        self.refuse: Refused | None = None

    def _table(self, function: int) -> list[int] | list[bool]:
        return self.bits if function in (1, 2, 5, 15) else self.words

    def read(self, unit: int, function: int, address: int, count: int, now: Instant) -> Sequence[int] | Refused:
        if self.refuse is not None:
            return self.refuse
        return self._table(function)[address : address + count] if address + count <= 100 else Refused(2)

    def write(self, unit: int, function: int, address: int, values: Sequence[int], now: Instant) -> Refused | None:
        if address + len(values) > 100:
            return Refused(2)
        self.writes.append((unit, function, address, list(values), now))
        table: list[int] = self._table(function)  # type: ignore[assignment]  # bits are written to bits
        table[address : address + len(values)] = values
        return None


@pytest.fixture
def store() -> Store:
    return Store()


def ask(spec: ServerSpec, store: Store, request: Request, unit: int = 1) -> Reply | None:
    """The reply on a TCP connection, None for silence."""
    server = TcpServer(Responder(spec, store))
    server.receive(encode_tcp(0x1234, unit, request.encode()), ms(5))
    out = server.bytes_to_send()
    if not out:
        return None
    (frame,) = TcpStream().feed(out[0])
    assert isinstance(frame, TcpFrame)
    assert (frame.transaction, frame.protocol, frame.unit) == (0x1234, 0, unit)
    reply = decode_reply(request, frame.pdu)
    assert isinstance(reply, Reply)
    return reply


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (read_holding(3, 2), Registers(3, (3, 4))),
        (Read(4, 99, 1), Registers(4, (99,))),
        (Read(1, 0, 3), Bits(1, (False,) * 3)),
        (Read(2, 0, 9), Bits(2, (False,) * 9)),
        (write_register(7, 700), WriteSingle(6, 7, 700)),
        (write_coil(7, True), WriteSingle(5, 7, 0xFF00)),
        (write_coil(7, False), WriteSingle(5, 7, 0)),
        (WriteRegisters(1, (5, 6)), Written(16, 1, 2)),
        (WriteCoils(1, (True,) * 11), Written(15, 1, 11)),
        (MaskWrite(9, 0xF0, 0x05), MaskWrite(9, 0xF0, 0x05)),
        (ReadWrite(0, 3, 1, (50, 60)), Registers(23, (0, 50, 60))),
    ],
)
def test_every_function_answers(store: Store, request_: Request, reply: Reply) -> None:
    assert ask(ServerSpec(), store, request_) == reply


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (RawPdu(b"\x07"), 1),
        (RawPdu(b"\x2b\x0e\x01\x00"), 1),
        (read_holding(100, 1), 2),
        (read_holding(99, 2), 2),
        (read_holding(0xFFFF, 2), 2),
        (WriteRegisters(99, (1, 2)), 2),
        (WriteRegisters(0xFFFF, (1, 2)), 2),
        (ReadWrite(99, 2, 0, (7,)), 2),
        (ReadWrite(0xFFFF, 2, 0, (7,)), 2),
        (read_holding(0, 0), 3),
        (read_holding(0, 126), 3),
        (read_holding(0xFFFF, 0), 3),
        (Read(1, 0, 0), 3),
        (Read(1, 0, 2001), 3),
        (WriteSingle(5, 0, 1), 3),
        (WriteCoils(0, (), count=0), 3),
        (WriteCoils(0, (True,) * 1969), 3),
        (WriteCoils(0, (True,) * 8, byte_count=2), 3),
        (WriteRegisters(0, ()), 3),
        (WriteRegisters(0, (0,) * 124), 3),
        (WriteRegisters(0, (1, 2), byte_count=3), 3),
        (WriteRegisters(0, (1, 2), count=3), 3),
        (ReadWrite(0, 0, 0, (1,)), 3),
        (ReadWrite(0, 126, 0, (1,)), 3),
        (ReadWrite(0, 1, 0, ()), 3),
        (ReadWrite(0, 1, 0, (1,) * 122), 3),
        (RawPdu(b"\x03\x00\x00"), 3),
        (RawPdu(b"\x03\x00\x00\x00\x01\x00"), 3),
        (RawPdu(b"\x06\x00\x00\x00"), 3),
        (RawPdu(b"\x16\x00\x00\x00\x00\x00\x00\x00"), 3),
    ],
)
def test_a_bad_request_gets_its_exception_and_changes_nothing(store: Store, request_: Request, code: int) -> None:
    assert ask(ServerSpec(), store, request_) == ExceptionReply(request_.function, code)
    assert store.writes == []


def test_what_the_data_refuses_is_told(store: Store) -> None:
    for code in (2, 4, 6):
        store.refuse = Refused(code)
        assert ask(ServerSpec(), store, read_holding(0, 1)) == ExceptionReply(3, code)


def test_a_write_reaches_the_data_with_unit_and_instant(store: Store) -> None:
    ask(ServerSpec(), store, WriteRegisters(4, (1, 2)), unit=9)
    assert store.writes == [(9, 16, 4, [1, 2], ms(5))]


@pytest.mark.parametrize(
    "request_", [WriteRegisters(0xFFFF, (1, 2)), WriteCoils(0xFFFF, (True, False)), Read(1, 0xFFFF, 2)]
)
def test_no_span_beyond_the_last_address_reaches_the_data(request_: Request) -> None:
    class Any(Store):
        def read(self, unit: int, function: int, address: int, count: int, now: Instant) -> Sequence[int]:
            return [0] * count

        def write(self, unit: int, function: int, address: int, values: Sequence[int], now: Instant) -> None:
            self.writes.append((unit, function, address, list(values), now))

    store = Any()
    assert ask(ServerSpec(), store, request_) == ExceptionReply(request_.function, 2)
    assert store.writes == []


def test_functions_that_it_has_not(store: Store) -> None:
    only = ServerSpec(functions=frozenset({3}))
    assert ask(only, store, write_register(0, 1)) == ExceptionReply(6, 1)
    assert ask(replace(only, unknown_function="silent"), store, write_register(0, 1)) is None
    assert ask(only, store, RawPdu(b"\x83\x00")) is None


def test_units_that_it_has_not(store: Store) -> None:
    spec = ServerSpec(units=frozenset({1, 2}))
    assert ask(spec, store, read_holding(0), unit=2) == Registers(3, (0,))
    assert ask(spec, store, read_holding(0), unit=3) is None
    assert ask(replace(spec, foreign="gateway"), store, read_holding(0), unit=3) == ExceptionReply(3, 0x0B)


def test_requests_split_and_pipelined(store: Store) -> None:
    server = TcpServer(Responder(ServerSpec(), store))
    whole = b"".join(encode_tcp(number, 1, read_holding(number).encode()) for number in range(3))
    for at in range(len(whole)):
        server.receive(whole[at : at + 1], at)
    frames = list(TcpStream().feed(b"".join(server.bytes_to_send())))
    assert [frame.transaction for frame in frames if isinstance(frame, TcpFrame)] == [0, 1, 2]


def test_another_protocol_is_dropped_and_the_next_frame_served(store: Store) -> None:
    server = TcpServer(Responder(ServerSpec(), store))
    request = read_holding(0).encode()
    server.receive(encode_tcp(1, 1, request, protocol=1) + encode_tcp(2, 1, request), 0)
    (out,) = server.bytes_to_send()
    assert out[:2] == b"\x00\x02"
    assert not server.closing


@pytest.mark.parametrize("length", [0, 1, 256, 0xFFFF])
def test_an_impossible_length_ends_the_connection(store: Store, length: int) -> None:
    server = TcpServer(Responder(ServerSpec(), store))
    server.receive(encode_tcp(1, 1, read_holding(0).encode(), length=length), 0)
    assert server.closing
    server.receive(encode_tcp(1, 1, read_holding(0).encode()), 0)
    assert server.bytes_to_send() == []


def test_latency(store: Store) -> None:
    server = TcpServer(Responder(ServerSpec(latency=ms(3)), store))
    server.receive(encode_tcp(1, 1, read_holding(0).encode()), ms(10))
    assert (server.bytes_to_send(), server.next_deadline()) == ([], ms(13))
    server.wake(ms(12))
    assert server.bytes_to_send() == []
    server.wake(ms(13))
    assert len(server.bytes_to_send()) == 1
    assert server.next_deadline() is None


# --- serial line ----------------------------------------------------------------------------------

TIMING = SerialTiming.of(9600)


def on_line(store: Store, *chunks: tuple[bytes, Instant, str], spec: ServerSpec | None = None) -> list[bytes]:
    """What it sends after chunks, each with the instant of its end and its flaw."""
    server = RtuServer(Responder(spec or ServerSpec(), store), TIMING)
    for data, now, flaw in chunks:
        server.receive(data, now, flaw)
    while (deadline := server.next_deadline()) is not None:
        server.wake(deadline)
    return server.bytes_to_send()


REQUEST = encode_rtu(1, read_holding(3, 2).encode())


def test_both_sides_time_a_line_alike() -> None:
    for baud in (1200, 9600, 19200, 38400, 115200):
        device, judge = SerialTiming.of(baud), RtuTiming.of(baud)
        assert (device.inner, device.between) == pytest.approx((judge.inner, judge.between), abs=2)


def test_a_request_on_a_serial_line(store: Store) -> None:
    (out,) = on_line(store, (REQUEST, ms(20), ""))
    assert judge_rtu(1, read_holding(3, 2), out) == Registers(3, (3, 4))


def test_it_answers_after_the_silence(store: Store) -> None:
    server = RtuServer(Responder(ServerSpec(), store), TIMING)
    server.receive(REQUEST, ms(20))
    server.wake(ms(20) + TIMING.between - 1)
    assert server.bytes_to_send() == []
    server.wake(ms(20) + TIMING.between)
    assert len(server.bytes_to_send()) == 1


@pytest.mark.parametrize(
    "frame",
    [
        encode_rtu(1, read_holding(3).encode(), crc=0),
        REQUEST[:-1],
        REQUEST + b"\x01",
        b"\x00" + REQUEST,
        b"\x01\x03\x04",
        b"\x01" * 300,
    ],
)
def test_a_spoilt_frame_is_not_answered(store: Store, frame: bytes) -> None:
    assert on_line(store, (frame, ms(400), "")) == []


@pytest.mark.parametrize(("extra", "answers"), [(0, 1), (1, 0)])
def test_a_gap_inside_a_frame(store: Store, extra: int, answers: int) -> None:
    gap = TIMING.inner + extra
    end = ms(20) + gap + 4 * TIMING.character
    assert len(on_line(store, (REQUEST[:4], ms(20), ""), (REQUEST[4:], end, ""))) == answers


def test_after_a_spoilt_frame_the_next_is_served(store: Store) -> None:
    assert len(on_line(store, (b"\xff\xff", ms(5), ""), (REQUEST, ms(40), ""))) == 1
    assert on_line(store, (REQUEST, ms(20), "parity")) == []
    assert len(on_line(store, (REQUEST, ms(20), "parity"), (REQUEST, ms(60), ""))) == 1


def test_a_broadcast_is_carried_out_without_an_answer(store: Store) -> None:
    spec = ServerSpec(units=frozenset({4, 5}))
    assert on_line(store, (encode_rtu(0, write_register(1, 7).encode()), ms(20), ""), spec=spec) == []
    assert [(unit, address) for unit, _, address, _, _ in store.writes] == [(4, 1), (5, 1)]
    assert on_line(store, (encode_rtu(0, read_holding(1).encode()), ms(20), ""), spec=spec) == []


def test_a_foreign_unit_gets_no_answer(store: Store) -> None:
    spec = ServerSpec(units=frozenset({4}))
    assert on_line(store, (REQUEST, ms(20), ""), spec=spec) == []


def test_an_unknown_function_with_a_right_check_gets_its_exception(store: Store) -> None:
    (out,) = on_line(store, (encode_rtu(1, b"\x41\x01\x02"), ms(20), ""))
    assert judge_rtu(1, RawPdu(b"\x41"), out) == ExceptionReply(0x41, 1)
