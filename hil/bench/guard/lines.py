"""Which reader stands on which line of a world: the one place where lines and guard are put together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hil.bench.guard.guard import Guard
from hil.bench.guard.modbus_reader import RegisterReader
from hil.bench.guard.readers import ConsoleReader, MakeReader
from hil.bench.guard.scpi_reader import InstrumentReader
from hil.bench.instruments import line_of, map_of
from hil.bench.load import LOAD_LINE
from hil.bench.modbus import DUT
from hil.codec.registers import RegisterMap
from hil.protocol.gbt27930 import edition
from hil.safety.envelope import Envelope
from hil.world.base import BaseWorld

if TYPE_CHECKING:
    from hil.bench.opening import Kind
    from hil.bench.setup import Setup

_DEVICES = frozenset({DUT})
"""Of a virtual bench, on lines that both sides send on."""


def guard_world(
    world: BaseWorld, kind: Kind, setup: Setup, envelope: Envelope, interlocks: tuple[str, ...] = ()
) -> Guard:
    """Put a guard on every line of a world by which something can be energised; the lines have the names that the kind
    gives them. ``interlocks`` are those that a box tells."""
    guard = Guard(world, envelope, interlocks)
    for name, line in world.lines.items():
        if name in _names(kind, "can"):
            guard.guard_can(line, edition(setup.edition))
            continue
        make = _reader_on(name, kind, setup, envelope, tcp=line.kind == "tcp")
        if make is not None:
            guard.guard_bytes(line, make, devices=_DEVICES)
    return guard


def _names(kind: Kind, role: str) -> tuple[str, ...]:
    """Names of the lines that a role may have, by the type of its port."""
    return () if kind.live is None else tuple(kind.live.lines.get(role, {}).values())


def _reader_on(name: str, kind: Kind, setup: Setup, envelope: Envelope, *, tcp: bool) -> MakeReader | None:
    """What reads the set-points on a line of bytes; None for one on which there are none."""
    instruments = {line_of(claim): claim for claim in setup.instruments}
    if name in _names(kind, "modbus") and kind.registers is not None:
        return _of_map(kind.registers(setup), envelope, tcp=tcp)
    if name in _names(kind, "console"):
        return partial(ConsoleReader, partial(envelope.power_of, phases=1))
    claim = instruments.get(name)
    if claim is not None and claim.kind == "modbus":
        return _of_map(map_of(claim), envelope, tcp=tcp)
    return InstrumentReader if name == LOAD_LINE or (claim is not None and claim.kind == "scpi") else None


def _of_map(registers: RegisterMap, envelope: Envelope, *, tcp: bool) -> MakeReader:
    phases = len(registers.roles.voltage) or len(registers.roles.current) or 1
    return partial(RegisterReader, registers, partial(envelope.power_of, phases=phases), tcp=tcp)
