"""Register maps served by the reference device."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hil.codec.map_file import map_names, shipped_map
from hil.codec.register import Register, Value
from hil.codec.registers import RegisterMap
from hil.dut.modbus import BUSY, Refused, Responder, ServedMap, TcpServer, spec_of
from hil.protocol.modbus import (
    Answered,
    Bits,
    ExceptionReply,
    Read,
    Registers,
    Reply,
    Request,
    TcpClient,
    WriteRegisters,
    WriteSingle,
    read_holding,
    read_input,
    write_coil,
    write_register,
)
from hil.units import Instant


def drawn(register: Register, draw: random.Random) -> Value:
    """Any value that a register may hold."""
    if register.type == "bool":
        return draw.random() < 0.5
    if register.type == "bytes":
        return draw.randbytes(2 * register.size)
    if register.type == "string":
        return "".join(draw.choices("ABC123.-", k=draw.randint(1, 2 * register.size)))
    if register.choices:
        return draw.choice(list(register.choices))
    if register.high is not None:
        return draw.choice([register.low or 0, register.high, *register.also])
    if register.type.startswith("float"):
        return draw.randrange(1 << 20) / 8 * float(register.scale)
    bits = 7 if register.mask is not None else 16 * register.size - 1
    return register.physical(draw.randrange(1, (1 << bits) - 1))


class Values:
    """Values by name, drawn from the name of the map."""

    def __init__(self, registers: RegisterMap) -> None:
        draw = random.Random(registers.name)
        self.now: dict[str, Value | Refused] = {
            name: drawn(register, draw) for name, register in registers.registers.items()
        }
        self.puts: list[tuple[str, Value]] = []

    def get(self, name: str, now: Instant) -> Value | Refused:
        return self.now[name]

    def put(self, name: str, value: Value, now: Instant) -> Refused | None:
        self.puts.append((name, value))
        self.now[name] = value
        return None


class Device:
    """A client before a device with a map."""

    def __init__(self, name: str) -> None:
        self.map = shipped_map(name)
        self.values = Values(self.map)
        self.client = TcpClient(self.map.unit_id)
        self.server = TcpServer(Responder(spec_of(self.map), ServedMap(self.map, self.values)))

    def ask(self, request: Request, unit: int | None = None) -> Reply | None:
        self.client.request(request, 0, unit=unit)
        for data in self.client.bytes_to_send():
            self.server.receive(data, 0)
        for data in self.server.bytes_to_send():
            self.client.receive(data, 0)
        events = self.client.events()
        if not events:
            return None
        assert isinstance(events[0], Answered)
        return events[0].reply

    def read_all(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for block in self.map.plan():
            reply = self.ask(Read(block.function, block.address, block.count), block.unit_id)
            assert isinstance(reply, Registers | Bits), (block, reply)
            found |= self.map.take(block, reply.values if isinstance(reply, Registers) else reply.bits)
        return found


@pytest.mark.parametrize("name", map_names())
def test_every_value_of_every_map_is_read_as_it_is(name: str) -> None:
    device = Device(name)
    read = device.read_all()
    assert read == {each: device.values.now[each] for each in read}
    assert len(set(map(repr, read.values()))) > 5, "values tell registers apart"
    assert set(read) == {each.name for each in device.map.registers.values() if each.readable}


@pytest.mark.parametrize("name", map_names())
def test_every_value_that_may_be_written_is(name: str) -> None:
    device = Device(name)
    written = [each.name for each in device.map.registers.values() if each.writable]
    for each in written:
        value = device.values.now[each]
        assert not isinstance(value, Refused)
        block = device.map.write(each, value)
        request: Request
        if block.function == 5:
            request = write_coil(block.address, bool(block.values[0]))
        elif block.single:
            request = WriteSingle(block.function, block.address, block.values[0])
        else:
            request = WriteRegisters(block.address, block.values)
        assert not isinstance(device.ask(request, block.unit_id), ExceptionReply)
    assert [name for name, _ in device.values.puts] == written


def test_values_by_unit() -> None:
    device = Device("alfen-ng9xx")
    device.values.now |= {"socket1.voltage_l1": 230.5, "socket2.voltage_l1": 231.5, "socket2.state": "C2"}
    read = device.read_all()
    assert (read["socket1.voltage_l1"], read["socket2.voltage_l1"]) == (230.5, 231.5)
    assert read["socket2.state"] == "C2"


def test_a_partial_write_is_refused_and_a_whole_one_taken() -> None:
    device = Device("alfen-ng9xx")
    assert device.ask(write_register(1210, 0x4180), unit=1) == ExceptionReply(6, 2)
    assert device.ask(WriteRegisters(1209, (0, 0x4180)), unit=1) == ExceptionReply(16, 2)
    assert device.values.puts == []
    device.ask(WriteRegisters(1210, (0x4180, 0)), unit=1)
    assert device.values.puts == [("socket1.set_current", 16.0)]


@pytest.mark.parametrize(
    ("name", "request_", "reply"),
    [
        ("alfen-ng9xx", read_holding(179, 3), Registers(3, (0xFFFF,) * 3)),
        ("bender-cc613", read_holding(102, 2), Registers(3, (0, 0))),
        ("keba-p30", read_holding(1001, 2), ExceptionReply(3, 2)),
        ("keba-p30", read_holding(1000, 1), ExceptionReply(3, 2)),
        ("keba-p30", read_holding(1008, 4), ExceptionReply(3, 2)),
        ("keba-p30", read_holding(5004, 1), ExceptionReply(3, 2)),
        ("keba-p30", read_input(1000, 2), ExceptionReply(4, 1)),
        ("eastron-sdm630", read_input(0, 81), ExceptionReply(4, 3)),
        ("tinkerforge-warp", read_input(1, 1), Registers(4, (4,))),
    ],
)
def test_edges_are_as_the_map_says(name: str, request_: Request, reply: Reply) -> None:
    device = Device(name)
    device.values.now["table_version"] = 4
    assert device.ask(request_) == reply


@pytest.mark.parametrize(("value", "code"), [(5999, 3), (6000, None), (63000, None), (63001, 3), (0, 3)])
def test_a_value_out_of_range_is_refused(value: int, code: int | None) -> None:
    device = Device("keba-p30")
    reply = device.ask(write_register(5004, value))
    assert reply == (WriteSingle(6, 5004, value) if code is None else ExceptionReply(6, code))
    assert device.values.puts == ([] if code else [("set_current", value / 1000)])


def test_what_can_only_be_read_is_not_written() -> None:
    device = Device("heidelberg-energy-control")
    assert device.ask(write_register(5, 1)) == ExceptionReply(6, 2)
    device = Device("alfen-ng9xx")
    assert device.ask(WriteRegisters(306, (0, 0)), unit=1) == ExceptionReply(16, 2)
    assert device.values.puts == []


def test_fields_of_one_register_complete_each_other() -> None:
    device = Device("bender-isocha425hv")
    device.values.now |= {
        "insulation_resistance": 100e3,
        "insulation_resistance_test": 2,
        "insulation_resistance_alarm": 5,
        "insulation_resistance_validity": 1,
        "insulation_resistance_unit": 2,
        "insulation_resistance_channel": 71,
    }
    reply = device.ask(read_holding(1000, 4))
    assert reply == Registers(3, (0x47C3, 0x5000, 0b10_000_101_01_000010, 71))


def test_a_busy_device() -> None:
    device = Device("keba-p30")
    device.values.now["state"] = BUSY
    assert device.ask(read_holding(1000, 2)) == ExceptionReply(3, 6)


def test_any_unit_where_the_map_says_so() -> None:
    assert isinstance(Device("tinkerforge-warp").ask(read_input(0, 2), unit=77), Registers)
    assert Device("keba-p30").ask(read_holding(1000, 2), unit=1) is None
