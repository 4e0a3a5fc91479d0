"""Values behind a register map, where no plant stands behind it."""

from __future__ import annotations

from hil.codec.register import Register, Value
from hil.codec.registers import RegisterMap
from hil.dut.modbus.spec import Refused
from hil.units import Instant

_STEP = 7
"""Neighbours differ, so that a value from a wrong place shows."""


class Store:
    """Keeps every value by name; each begins with one that its register allows."""

    def __init__(self, registers: RegisterMap) -> None:
        declared = registers.registers.values()
        self._values = {each.name: initial(each, index) for index, each in enumerate(declared)}

    def get(self, name: str, now: Instant) -> Value | Refused:
        """The value of a register."""
        return self._values[name]

    def put(self, name: str, value: Value, now: Instant) -> Refused | None:
        """Take a value."""
        self._values[name] = value
        return None


def initial(register: Register, index: int) -> Value:
    """A value that a register may hold, another one for most indexes."""
    if register.type == "bool":
        return index % 3 == 0
    if register.type == "string":
        return "HIL"[: 2 * register.size]
    if register.type == "bytes":
        return bytes(2 * register.size)
    if register.choices:
        return next(iter(register.choices))
    if register.low is not None:
        return register.low
    if register.type.startswith("float"):
        return register.decode(register.encode(float(index % 64)))
    return register.physical(1 if register.mask is not None else 1 + index * _STEP % 20_000)
