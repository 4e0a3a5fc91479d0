"""The reference device as a node: connections, states, its own echo, its values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hil.codec.map_file import map_names
from hil.dut.modbus import DeviceSpec, ModbusDevice, Refused, reference, reference_map
from hil.dut.modbus.store import Store
from hil.errors import UsageError
from hil.protocol.modbus import (
    BROADCAST,
    ExceptionReply,
    Malformed,
    Reply,
    Request,
    WriteSingle,
    decode_reply,
    encode_rtu,
    encode_tcp,
    read_holding,
    write_register,
)
from hil.units import SECOND, Instant, ms, s
from hil.world.bytenode import Send, Shut

UNIT = 17
LATENCY = ms(5)
READ = read_holding(0)
SPEC = reference(reference_map())


class Line:
    """A device whose wishes are looked at."""

    def __init__(self, spec: DeviceSpec = SPEC) -> None:
        self.device = ModbusDevice(spec, "tcp", "serial")
        self.now: Instant = SECOND

    def wishes(self) -> list[Send | Shut]:
        found = [each for each in self.device.wishes if isinstance(each, Send | Shut)]
        self.device.wishes.clear()
        return found

    def let(self, until: Instant) -> None:
        while (due := self.device.next_deadline()) is not None and due <= until:
            self.now = max(due, self.now)
            self.device.wake(self.now)
        self.now = until

    def ask(self, channel: int, request: Request = READ) -> Reply | Malformed | None:
        self.device.received("tcp", channel, encode_tcp(1, UNIT, request.encode()), "", self.now)
        self.let(self.now + LATENCY)
        sent = [each for each in self.wishes() if isinstance(each, Send)]
        return decode_reply(request, sent[0].data[7:]) if sent else None


def test_one_client_more_than_it_takes_is_sent_away() -> None:
    line = Line(SPEC.but(clients=2))
    for channel in (1, 2, 3):
        line.device.opened("tcp", channel, line.now)
    assert line.wishes() == [Shut("tcp", 3)]
    line.device.ended("tcp", 1, "closed", line.now)
    line.device.opened("tcp", 4, line.now)
    assert line.wishes() == []
    assert line.ask(4) is not None


def test_an_idle_connection_is_closed_when_its_time_is_up() -> None:
    line = Line()
    line.device.opened("tcp", 1, line.now)
    line.let(line.now + s(59))
    assert line.ask(1) is not None
    line.let(line.now + s(59))
    assert line.wishes() == []
    line.let(line.now + s(1))
    assert line.wishes() == [Shut("tcp", 1)]


@pytest.mark.parametrize(("state", "code"), [("busy", 6), ("failed", 4)])
def test_a_state_refuses_everything_until_it_is_well(state: str, code: int) -> None:
    line = Line()
    line.device.opened("tcp", 1, line.now)
    line.device.order("state", {"name": state}, line.now)
    assert line.ask(1) == ExceptionReply(3, code)
    line.device.order("state", {}, line.now)
    assert not isinstance(line.ask(1), ExceptionReply)
    with pytest.raises(UsageError, match="knows state busy, failed"):
        line.device.order("state", {"name": "drunk"}, line.now)


def on_serial(line: Line, data: bytes) -> list[bytes]:
    line.now += len(data) * line.device._spec.timing.character
    line.device.received("serial", 0, data, "", line.now)
    line.let(line.now + ms(50))
    return [each.data for each in line.wishes() if isinstance(each, Send)]


def test_it_leaves_its_own_echo_alone() -> None:
    line = Line()
    frame = encode_rtu(UNIT, write_register(0, 7).encode())
    assert on_serial(line, frame) == [frame]
    assert on_serial(line, frame) == [], "the echo of the answer"
    assert on_serial(line, frame) == [frame], "a new request"


def test_values_are_one_behind_both_lines() -> None:
    line = Line()
    line.device.opened("tcp", 1, line.now)
    on_serial(line, encode_rtu(BROADCAST, write_register(0, 4321).encode()))
    assert line.ask(1, WriteSingle(6, 1, 5)) == WriteSingle(6, 1, 5)
    reply = line.ask(1, read_holding(0, 2))
    assert getattr(reply, "values", None) == (4321, 5)


@pytest.mark.parametrize("name", ["", *map_names()])
def test_every_register_begins_with_a_value_that_it_may_hold(name: str) -> None:
    registers = reference_map(name)
    store = Store(registers)
    for each in registers.registers.values():
        value = store.get(each.name, 0)
        assert not isinstance(value, Refused)
        assert each.decode(each.encode(value)) == value


def test_the_full_map_offers_what_the_longest_requests_ask_for() -> None:
    registers = reference_map()
    assert registers.all_functions == {1, 2, 3, 4, 5, 6, 15, 16, 22, 23}
    for table, most in (("coil", 2000), ("discrete", 2000), ("holding", 125), ("input", 125)):
        declared = {each.address for each in registers.at(UNIT, table)}
        assert set(range(most)) <= declared


def test_a_spec_is_changed_in_a_copy() -> None:
    assert SPEC.serving(latency=0).server == replace(SPEC.server, latency=0)
    assert SPEC.but(clients=1).clients == 1
    assert (SPEC.server.latency, SPEC.clients) == (LATENCY, 3)
