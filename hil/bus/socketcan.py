"""Errors of a bus as error frames of SocketCAN (linux/can/error.h), and back.

The bus-error class is always set in what is written, as python-can knows an error frame by it; counters travel in
the last two bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hil.bus.observe import BusErrorSeen

ERROR_FLAG = 0x2000_0000
"""Tells an error frame from others where both travel as one number, as in candump logs."""
_BUS_ERROR, _HAS_COUNTERS = 0x80, 0x200
_CONTROLLER, _LINE = 0x04, 0x08
_CLASSES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "ack": (0x20, 0x00),
        "bit": (_LINE, 0x00),
        "injected": (_LINE, 0x00),
        "error_passive": (_CONTROLLER, 0x30),
        "error_active": (_CONTROLLER, 0x40),
        "overflow": (_CONTROLLER, 0x02),
        "bus_off": (0x40, 0x00),
        "recovered": (0x100, 0x00),
    }
)
"""Kind of error to its class, and to the state of the controller in the second byte."""
_READ = ((0x40, "bus_off"), (0x100, "recovered"), (0x20, "ack"), (_LINE, "injected"))
_READ_STATES = ((0x30, "error_passive"), (0x03, "overflow"), (0x40, "error_active"))


def error_frame(seen: BusErrorSeen) -> tuple[int, bytes]:
    """Classes and data of the error frame that stands for an error."""
    bits, state = _CLASSES.get(seen.kind, (0, 0))
    counters = bytes((min(seen.tec, 255), min(seen.rec, 255)))
    return _BUS_ERROR | _HAS_COUNTERS | bits, bytes((0, state, 0, 0, 0, 0)) + counters


def error_of(classes: int, data: bytes) -> tuple[str, int, int] | None:
    """Kind, transmit and receive counter of an error frame; None for one that tells nothing of a kind of ours."""
    data = data.ljust(8, b"\0")
    state = data[1] if classes & _CONTROLLER else 0
    found = [kind for bits, kind in _READ if classes & bits] + [kind for bits, kind in _READ_STATES if state & bits]
    return (found[0], data[6], data[7]) if found else None
