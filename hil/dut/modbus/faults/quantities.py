"""Faults in the quantities that a request may ask for, and in what contradicts itself."""

from __future__ import annotations

from collections.abc import Callable

from hil.dut.modbus.device import DeviceSpec
from hil.dut.modbus.fault import Fault, cases, taking

_COILS, _REGISTERS = 0x0F, 0x10
_WRITES = 5
"""Where the byte count of a write stands."""


def _most(function: int, count: int) -> Callable[[DeviceSpec], DeviceSpec]:
    """The edit that gives a function another limit."""
    return lambda device: device.serving(quantities={**device.server.quantities, function: count})


def _none_as_one(function: int) -> Callable[[DeviceSpec], DeviceSpec]:
    """The edit that lets a device take a quantity of 0 for 1."""

    def change(pdu: bytes) -> bytes:
        if pdu[0] != function or pdu[3:5] != b"\0\0":
            return pdu
        wide = {_COILS: 1, _REGISTERS: 2}.get(function, 0)
        return pdu[:3] + b"\0\1" + (bytes((wide,)) + bytes(wide) if wide else pdu[5:])

    return taking(change)


def _too_many_as_most(function: int, most: int) -> Callable[[DeviceSpec], DeviceSpec]:
    """The edit that lets a device serve as much as it can of a quantity that is too high."""

    def change(pdu: bytes) -> bytes:
        if pdu[0] != function or int.from_bytes(pdu[3:5], "big") != most + 1:
            return pdu
        if function not in (_COILS, _REGISTERS):
            return pdu[:3] + most.to_bytes(2, "big") + pdu[5:]
        size = most // 8 if function == _COILS else 2 * most
        return pdu[:3] + most.to_bytes(2, "big") + bytes((size,)) + pdu[6 : 6 + size]

    return taking(change)


def _counts_itself(function: int) -> Callable[[DeviceSpec], DeviceSpec]:
    """The edit that lets a device go by the quantity and not by the byte count."""

    def change(pdu: bytes) -> bytes:
        if pdu[0] != function:
            return pdu
        count = int.from_bytes(pdu[3:5], "big")
        size = (count + 7) // 8 if function == _COILS else 2 * count
        return pdu[:_WRITES] + bytes((size & 0xFF,)) + pdu[_WRITES + 1 :]

    return taking(change)


def _any_on(pdu: bytes) -> bytes:
    """Anything but 0 is on."""
    return pdu[:3] + (b"\xff\0" if any(pdu[3:5]) else b"\0\0") if pdu[0] == 0x05 else pdu


def _any_off(pdu: bytes) -> bytes:
    """Anything but FF00 is off."""
    return pdu[:3] + (b"\xff\0" if pdu[3:5] == b"\xff\0" else b"\0\0") if pdu[0] == 0x05 else pdu


_READ = {0x01: ("coils", 2000), 0x02: ("contacts", 2000), 0x03: ("holding", 125), 0x04: ("inputs", 125)}
_WRITTEN = {_COILS: ("coils-written", 1968), _REGISTERS: ("registers-written", 123)}

FAULTS = (
    *(
        Fault(
            f"modbus-{most - 1}-{what}",
            cases(f"QT.{function:02}"),
            f"takes no more than {most - 1} {what.replace('-', ' ')}",
            "content",
            _most(function, most - 1),
        )
        for function, (what, most) in {**_READ, **_WRITTEN}.items()
    ),
    *(
        Fault(
            f"modbus-no-{what}",
            cases(f"QT.{function:02}"),
            f"takes a quantity of 0 {what.replace('-', ' ')} for 1",
            "robustness",
            _none_as_one(function),
        )
        for function, (what, most) in {**_READ, **_WRITTEN}.items()
    ),
    *(
        Fault(
            f"modbus-{most + 1}-{what}",
            cases(f"QT.{function:02}"),
            f"serves {most} {what.replace('-', ' ')} where {most + 1} are asked for",
            "robustness",
            _too_many_as_most(function, most),
        )
        for function, (what, most) in {**_READ, **_WRITTEN}.items()
    ),
    Fault(
        "modbus-read-write-124",
        cases("QT.23"),
        "reads no more than 124 registers by function 23",
        "content",
        _most(0x17, 124),
    ),
    Fault(
        "modbus-coil-bytes-ignored",
        cases("BC.15"),
        "goes by the quantity of coils, whatever the byte count",
        "robustness",
        _counts_itself(_COILS),
    ),
    Fault(
        "modbus-register-bytes-ignored",
        cases("BC.16"),
        "goes by the quantity of registers, whatever the byte count",
        "robustness",
        _counts_itself(_REGISTERS),
    ),
    Fault(
        "modbus-coil-any-on",
        cases("CV.05"),
        "takes every value but 0000 for on",
        "robustness",
        taking(_any_on),
    ),
    Fault(
        "modbus-coil-any-off",
        cases("CV.05"),
        "takes every value but FF00 for off",
        "robustness",
        taking(_any_off),
    ),
)
