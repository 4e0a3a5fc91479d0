"""Parts that a port can play on a bench, and which of them each kind of bench cannot do without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Role:
    """A part that a port plays."""

    text: str
    """What is at the other end, for people."""
    types: tuple[str, ...]
    """Types of port that can play it."""


ROLES: Mapping[str, Role] = MappingProxyType(
    {
        "can": Role("the charger's CAN to the vehicle", ("can",)),
        "modbus": Role("the Modbus device", ("tcp", "serial")),
        "console": Role("the charger's console (RAPI)", ("serial",)),
        "meter": Role("the DL/T 645 meter", ("serial",)),
        "signals": Role("the box with the charger's sensors and actuators", ("signals",)),
    }
)
NEEDED_BY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "gbt27930": ("can",),
        "modbus": ("modbus",),
        "rapi": ("console",),
        "dlt645": ("meter",),
        "ac": ("signals",),
        "ac_modbus": ("modbus", "signals"),
    }
)
"""Kind of bench (``hil.bench.kinds``) to the roles without which none of its cases can be run."""
AC = ("ac", "ac_modbus")
"""Kinds of bench whose signals port has the pins of an AC charger. Where a rig has CAN, they are a DC charger's."""
MODBUS_PORTS: Mapping[str, str] = MappingProxyType({"tcp": "tcp", "rtu": "serial"})
"""Transport of Modbus to the type of port that carries it."""
TRANSPORT_OF: Mapping[str, str] = MappingProxyType({port: transport for transport, port in MODBUS_PORTS.items()})
"""Type of port to the transport of Modbus that it carries."""
