"""The reference Modbus device and the bench's master, on a TCP link and on an RS-485 line."""

from __future__ import annotations

from dataclasses import replace

from hil.bench.core import Sink
from hil.bench.judge import Judge
from hil.bench.modbus import MASTER, OTHER, SERIAL_LINE, TCP_LINE, ModbusBench
from hil.bench.modbus_places import TRANSPORTS, USUAL_FORMAT, Places
from hil.bench.opening import Edits, Kind, Lines, Live
from hil.bench.setup import Setup
from hil.bus.serial import SerialFormat, VirtualSerial
from hil.bus.tcp import VirtualTcp
from hil.codec.registers import RegisterMap
from hil.conformance.catalogue import Requirement
from hil.dut.faults import apply_faults
from hil.dut.modbus import DeviceSpec, ModbusDevice, reference, reference_map
from hil.protocol.modbus import RtuTiming
from hil.tester.modbus import ModbusMaster
from hil.world.base import BaseWorld
from hil.world.pipe import World
from hil.world.virtual import VirtualWorld

DUT = "modbus"


def serial_format(registers: RegisterMap) -> SerialFormat:
    """The format of a device's serial line."""
    baud, _, form = (registers.serial or USUAL_FORMAT).partition(" ")
    return SerialFormat(int(baud), int(form[0]), form[1], int(form[2]))


def _registers(setup: Setup) -> RegisterMap:
    return reference_map(setup.map)


def _timing(registers: RegisterMap) -> RtuTiming:
    line_format = serial_format(registers)
    return RtuTiming.of(line_format.baud, line_format.bits_per_byte)


def device_spec(setup: Setup, edits: Edits) -> DeviceSpec:
    """The reference device's data with the setup's faults of it and the edits."""
    spec = apply_faults(DUT, reference(reference_map(setup.map)), setup.faults)
    edit = edits.get(DUT)
    return spec if edit is None else edit(spec)


def _build(setup: Setup, edits: Edits) -> World:
    world = VirtualWorld(setup.seed)
    registers = reference_map(setup.map)
    link = VirtualTcp(world.queue, name=TCP_LINE, sink=world.see)
    line = VirtualSerial(
        world.queue, name=SERIAL_LINE, sink=world.see, line_format=serial_format(registers), shared=True, echo=True
    )
    world.add_line(link)
    world.add_line(line)
    world.add_byte_node(ModbusDevice(device_spec(setup, edits), TCP_LINE, SERIAL_LINE), line, serves=link)
    world.add_byte_node(ModbusMaster(MASTER, TCP_LINE, SERIAL_LINE, _timing(registers)), line, link)
    world.add_byte_node(ModbusMaster(OTHER, TCP_LINE, SERIAL_LINE, _timing(registers), listens=False), line)
    return world


def _bench(world: World, setup: Setup, judge: Judge, sink: Sink) -> ModbusBench:
    registers = reference_map(setup.map)
    if setup.transport:
        registers = replace(registers, transports=(setup.transport,))
    return ModbusBench(world, judge, setup.readings, sink, registers=registers, timing=_timing(registers))


def _unfit(setup: Setup, requirement: Requirement, variant: str | None) -> str | None:
    needed = [*requirement.offered(variant), *((variant,) if variant in TRANSPORTS else ())]
    places = Places(reference_map(setup.map))
    return next((reason for reason in map(places.lacks, needed) if reason is not None), None)


def _surround(world: BaseWorld, setup: Setup, lines: Lines) -> None:
    registers = reference_map(setup.map)
    master = ModbusMaster(MASTER, TCP_LINE, SERIAL_LINE, _timing(registers), strict=False, registers=registers)
    world.add_byte_node(master, lines.bytes("modbus"))


def _device(world: BaseWorld, setup: Setup, lines: Lines) -> None:
    spec = device_spec(setup, {})
    device = ModbusDevice(replace(spec, timing=spec.timing.loose()), TCP_LINE, SERIAL_LINE, echo=False)
    line = lines.bytes("modbus")
    if line.kind == "tcp":
        world.add_byte_node(device, serves=line)
    else:
        world.add_byte_node(device, line)


LIVE = Live(lines={"modbus": {"tcp": TCP_LINE, "serial": SERIAL_LINE}}, surround=_surround, device=_device)
KIND = Kind(duts=(DUT,), build=_build, bench=_bench, registers=_registers, live=LIVE, unfit=_unfit)
