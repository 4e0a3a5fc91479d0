"""The reference device of the Modbus suite: a map with everything a request may ask for, and its behaviour.

The map is not that of a product. It has every table, runs as long as the longest requests, gaps, values
of several registers, ranges and read-only values, so that no case goes without its stimulus.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from hil.codec.map_file import find_map
from hil.codec.register import Register
from hil.codec.registers import Behaviour, RegisterMap, frozen
from hil.dut.modbus.device import DeviceSpec
from hil.dut.modbus.served import spec_of
from hil.dut.modbus.spec import SerialTiming
from hil.units import ms, s

UNIT = 17
BITS, WORDS = 2004, 130
"""Length of the runs: more than the most that one request may ask for (standards map, section 8), so that one more is
wrong in its count only."""
_LATENCY = ms(5)
_FUNCTIONS = {"coil": (1, 5, 15), "discrete": (2,), "holding": (3, 6, 16, 22, 23), "input": (4,)}
_BEHAVIOUR = Behaviour(
    unlisted="exception",
    partial_write="refused",
    foreign_unit="silent",
    unknown_function="exception",
    clients=3,
    idle_close=60,
)


@cache
def reference_map(name: str = "") -> RegisterMap:
    """The map of a model: the full one, or any register map by the name or file that ``find_map`` takes."""
    if name:
        return find_map(name)
    return RegisterMap(
        name="full",
        title="Reference device with every table and function",
        kind="charger",
        source="standards_map.md 8",
        unit_id=UNIT,
        transports=("tcp", "rtu"),
        registers=frozen(_registers()),
        functions=_FUNCTIONS,
        behaviour=_BEHAVIOUR,
        serial="19200 8E1",
    )


def _registers() -> Iterator[Register]:
    for index in range(BITS):
        yield Register(f"output_{index}", "coil", index, "bool", UNIT, access="rw")
        yield Register(f"contact_{index}", "discrete", index, "bool", UNIT)
    for index in range(WORDS):
        yield Register(f"setting_{index}", "holding", index, "u16", UNIT, access="rw")
        yield Register(f"measured_{index}", "input", index, "u16", UNIT)
    after = WORDS
    yield Register("limit", "holding", after, "u16", UNIT, access="rw", unit="A", low=6, high=32)
    yield Register("serial_number", "holding", after + 1, "u16", UNIT)
    yield Register("energy", "holding", after + 10, "u32", UNIT, size=2, access="rw", unit="Wh")


def reference(registers: RegisterMap) -> DeviceSpec:
    """The data of a device that does what a map declares, and otherwise what the protocol asks for."""
    baud, _, form = (registers.serial or "19200 8E1").partition(" ")
    bits = 1 + int(form[0]) + (form[1] != "N") + int(form[2])
    behaviour = registers.behaviour
    return DeviceSpec(
        registers,
        spec_of(registers, latency=_LATENCY),
        SerialTiming.of(int(baud), bits),
        clients=behaviour.clients,
        idle_close=s(behaviour.idle_close),
    )
