"""Which registers of a map ask something of a device: an envelope holds for them, and cases write them with care."""

from __future__ import annotations

from collections.abc import Mapping

from hil.codec.register import Register
from hil.codec.registers import RegisterMap

SET_POINT_UNITS: Mapping[str, tuple[str, float]] = {
    "V": ("voltage", 1.0),
    "mV": ("voltage", 1e-3),
    "kV": ("voltage", 1e3),
    "A": ("current", 1.0),
    "mA": ("current", 1e-3),
    "W": ("power", 1.0),
    "VA": ("power", 1.0),
    "kW": ("power", 1e3),
    "kVA": ("power", 1e3),
}


def set_points(registers: RegisterMap) -> tuple[Register, ...]:
    """The registers of a map by which something is asked of a device."""
    roles = registers.roles
    named = {*alike(registers, roles.set_current), *alike(registers, roles.set_safe_current)}
    return tuple(
        each
        for each in registers.registers.values()
        if each.table == "holding"
        and each.writable
        and (each.name in named or (registers.kind == "charger" and each.unit in SET_POINT_UNITS))
    )


def alike(registers: RegisterMap, name: str) -> frozenset[str]:
    """A register, and the one of that name of every other member of its group."""
    own = name.rpartition(".")[2]
    return frozenset(each for each in registers.registers if name and each.rpartition(".")[2] == own)
