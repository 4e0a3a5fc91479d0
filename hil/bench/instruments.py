"""Instruments that the rig names: which signal of the plant each measures, and how a bench reads them.

A bound signal is judged by what its instrument told, with the uncertainty that the rig file claims, and never by the
plant. On a virtual bench each instrument gets a line of its own, with a meter at its end that reads the one plant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hil.bus.serial import SerialFormat, VirtualSerial
from hil.bus.tcp import VirtualTcp
from hil.codec.map_file import find_map
from hil.codec.registers import RegisterMap
from hil.conformance.reading import Reading
from hil.errors import RigError
from hil.plant.observe import Sample
from hil.plant.signals import PlantSignal
from hil.protocol.dlt645 import WILDCARD
from hil.protocol.modbus import RtuTiming
from hil.protocol.scpi import ScpiSettings
from hil.rig.instruments import TO_UNIT, InstrumentClaim, Uncertainty, register_of
from hil.tester.dlt645 import MeterReader, MeterStandIn
from hil.tester.modbus import ModbusMeter, RegisterClient
from hil.tester.scpi import Instrument as ScpiInstrument
from hil.tester.scpi import InstrumentSpec, ScpiDriver
from hil.units import Instant
from hil.world.base import BaseWorld
from hil.world.bytenode import ByteNode
from hil.world.measured import KIND
from hil.world.observation import Note

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "voltage": ("output_voltage",),
    "current": ("line_current", "output_current"),
    "power": ("meter_power",),
    "energy": ("meter_energy",),
    "insulation": ("insulation_resistance",),
}
"""Signals that a quantity may be; the plant has at most one of each."""
_ITEMS = {"voltage": 0x02010100, "current": 0x02020100, "power": 0x02030000, "energy": 0x00010000}
_ITEM_FACTORS = {"voltage": 1.0, "current": 1.0, "power": 1e-3, "energy": 1.0}
_QUERIES = {"voltage": ("MEAS:VOLT?", "V"), "current": ("MEAS:CURR?", "A"), "power": ("MEAS:POW?", "W")}
_USUAL_FORMAT = "9600 8N1"
_SCPI_FORMAT = SerialFormat(115_200)
_SCPI_PARTS = 10
"""A poll of two quantities has room for so many pauses and delays of an instrument, and for its bytes."""
_DLT645_FORMAT = SerialFormat(2400, parity="E")
_ADDRESS = "000000000001"


@dataclass(frozen=True)
class Bound:
    """A signal that an instrument measures."""

    claim: InstrumentClaim
    quantity: str
    signal: PlantSignal
    uncertainty: Uncertainty

    @property
    def polled(self) -> bool:
        """Whether it is asked for; the plant tells by itself."""
        return self.claim.polled

    def reading(self, value: float, spread: float = 0.0, *, among: int = 0) -> Reading:
        """A value with its uncertainty and what is not known of it beyond that; ``among`` so many readings."""
        by = f"{self.claim.identity}, among {among} readings" if among else self.claim.identity
        return Reading(value, self.uncertainty.of(value) + spread, by)


class Instruments:
    """What is bound on one bench. :class:`RigError` for a quantity that two instruments measure."""

    def __init__(
        self, claims: Iterable[InstrumentClaim] = (), signals: Mapping[str, PlantSignal] | None = None
    ) -> None:
        self.bound: dict[str, Bound] = {}
        """By the name of the signal."""
        self.asked: dict[str, list[Instant]] = {}
        """When each reading was asked for, beside the record's samples of the signal."""
        self._notes: dict[tuple[str, str], Bound] = {}
        for claim in claims:
            for quantity, uncertainty in claim.measures.items():
                name = signal_of(quantity, signals or {})
                if name is not None:
                    self._bind(Bound(claim, quantity, (signals or {})[name], uncertainty))

    def _bind(self, bound: Bound) -> None:
        other = self.bound.get(bound.signal.name)
        if other is not None:
            names = f"{other.claim.name} and {bound.claim.name}"
            raise RigError(f"{bound.quantity} is measured by {names}: allowed is one instrument")
        self.bound[bound.signal.name] = bound
        if bound.polled:
            self._notes[bound.claim.name, bound.quantity] = bound
            self.asked[bound.signal.name] = []

    def __contains__(self, signal: str) -> bool:
        """Whether an instrument measures the signal."""
        return signal in self.bound

    def hides(self, sample: Sample) -> bool:
        """Whether the plant's own sample is nothing that the judge may know."""
        return sample.name in self.asked

    def sample_of(self, note: Note) -> Sample | None:
        """The sample that a note of an instrument is; None for other notes."""
        bound = self._notes.get((str(note.details.get("by", "")), note.what)) if note.kind == KIND else None
        if bound is None:
            return None
        value = float(note.details["value"]) * TO_UNIT[bound.quantity][str(note.details["unit"])]
        self.asked[bound.signal.name].append(int(note.details["asked"]))
        return Sample(note.t, bound.signal.name, value, value, value)


def signal_of(quantity: str, signals: Mapping[str, PlantSignal]) -> str | None:
    """The plant's signal that a quantity is; None where the plant has none."""
    return next((name for name in _CHOICES[quantity] if name in signals), None)


# --- readers ----------------------------------------------------------------------------------------


def reader_of(claim: InstrumentClaim, line: str, *, tcp: bool) -> ByteNode:
    """The node that polls an instrument on a line, by the claim's name; one of kind ``plant`` has none.

    Raises :class:`RigError` for a quantity that the instrument cannot measure.
    """
    if claim.kind == "modbus":
        return _modbus_reader(claim, line, tcp=tcp)
    if claim.kind == "dlt645":
        reader = MeterReader(claim.name, line)
        for quantity in claim.measures:
            di = _ITEMS[quantity]
            order = {"address": str(claim.address or WILDCARD), "di": di, "every": claim.poll, "quantity": quantity}
            reader.order("poll", order, 0)
        return reader
    usual = ScpiSettings()
    # One that may be asked so often needs no such pause as a classic one.
    driver = ScpiDriver(claim.name, line, replace(usual, pause=min(usual.pause, claim.poll // _SCPI_PARTS)))
    for quantity in claim.measures:
        text, unit = _QUERIES[quantity]
        driver.order("poll", {"text": text, "every": claim.poll, "quantity": quantity, "unit": unit}, 0)
    return driver


def _modbus_reader(claim: InstrumentClaim, line: str, *, tcp: bool) -> RegisterClient:
    registers = map_of(claim)
    timing = None if tcp else _timing(registers)
    client = RegisterClient(claim.name, line, registers, timing)
    wanted = []
    for quantity in claim.measures:
        register = register_of(claim, registers, quantity)
        wanted.append([quantity, register, 1.0, registers[register].unit])
    client.order("poll", {"every": claim.poll, "quantities": wanted}, 0)
    return client


def map_of(claim: InstrumentClaim) -> RegisterMap:
    """The register map of an instrument, with its own unit id."""
    registers = find_map(claim.map)
    return registers if claim.address is None else registers.on_unit(int(claim.address))


def serial_format(registers: RegisterMap) -> SerialFormat:
    """The format of a meter's serial line."""
    baud, _, form = (registers.serial or _USUAL_FORMAT).partition(" ")
    return SerialFormat(int(baud), int(form[0]), form[1], int(form[2]))


def _timing(registers: RegisterMap) -> RtuTiming:
    line_format = serial_format(registers)
    return RtuTiming.of(line_format.baud, line_format.bits_per_byte)


# --- a virtual bench --------------------------------------------------------------------------------


def add_instruments(world: BaseWorld, claims: Iterable[InstrumentClaim], signals: Mapping[str, PlantSignal]) -> None:
    """Put each instrument on a line of its own into a virtual world that has its plant, and its reader."""
    for claim in claims:
        sensors = {quantity: signal_of(quantity, signals) for quantity in claim.measures}
        found = {quantity: name for quantity, name in sensors.items() if name is not None}
        if claim.kind == "plant" or not found:
            continue
        {"modbus": _add_modbus, "dlt645": _add_dlt645, "scpi": _add_scpi}[claim.kind](world, claim, found)


def _add_modbus(world: BaseWorld, claim: InstrumentClaim, sensors: Mapping[str, str]) -> None:
    registers, line = map_of(claim), line_of(claim)
    values = {
        register: (sensors[quantity], 1.0 / TO_UNIT[quantity][registers[register].unit])
        for quantity in sensors
        for register in _all_registers(registers, quantity)
    }
    tcp = "rtu" not in registers.transports
    timing = None if tcp else _timing(registers)
    meter = ModbusMeter(_meter(claim), line, registers, world.sense, values, timing=timing)
    if tcp:
        link = VirtualTcp(world.queue, name=line, sink=world.see)
        world.add_line(link)
        world.add_byte_node(meter, serves=link)
        world.add_byte_node(reader_of(claim, line, tcp=True), link)
        return
    _join(world, claim, meter, serial_format(registers), shared=True)


def _all_registers(registers: RegisterMap, quantity: str) -> tuple[str, ...]:
    named = getattr(registers.roles, quantity)
    return named if isinstance(named, tuple) else tuple(filter(None, (named,)))


def _add_dlt645(world: BaseWorld, claim: InstrumentClaim, sensors: Mapping[str, str]) -> None:
    values = {_ITEMS[each]: (sensor, _ITEM_FACTORS[each]) for each, sensor in sensors.items()}
    address = str(claim.address or _ADDRESS)
    meter = MeterStandIn(_meter(claim), line_of(claim), world.sense, values, address)
    _join(world, claim, meter, _DLT645_FORMAT, shared=True)


def _add_scpi(world: BaseWorld, claim: InstrumentClaim, sensors: Mapping[str, str]) -> None:
    told = {quantity: sensor for quantity, sensor in sensors.items() if quantity in ("voltage", "current")}
    usual, fastest = InstrumentSpec(), claim.poll // _SCPI_PARTS
    spec = replace(
        usual,
        sensors=told,
        actuators={},
        # One that is asked so often measures and answers so fast.
        answer_delay=min(usual.answer_delay, fastest),
        measure_delay=min(usual.measure_delay, fastest),
    )
    meter = ScpiInstrument(_meter(claim), line_of(claim), world.sense, spec)
    _join(world, claim, meter, _SCPI_FORMAT, shared=False)


def _join(world: BaseWorld, claim: InstrumentClaim, meter: ByteNode, form: SerialFormat, *, shared: bool) -> None:
    line = VirtualSerial(world.queue, name=line_of(claim), sink=world.see, line_format=form, shared=shared)
    world.add_line(line)
    world.add_byte_node(meter, line)
    world.add_byte_node(reader_of(claim, line_of(claim), tcp=False), line)


def line_of(claim: InstrumentClaim) -> str:
    """The name of an instrument's line."""
    return f"{claim.name}-line"


def _meter(claim: InstrumentClaim) -> str:
    return f"{claim.name}-meter"
