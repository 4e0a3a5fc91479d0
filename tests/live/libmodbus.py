"""libmodbus by ctypes: a master, and a server as ``libmodbus.py tcp PORT`` or ``libmodbus.py rtu PLACE``.

Only what the tests call is declared, as modbus.h of 3.1 has it. Words are given and had as numbers, bits as true and
false; what goes wrong raises :class:`OSError` with the library's own number and text.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator, Sequence
from ctypes import POINTER, Structure, c_char, c_char_p, c_int, c_uint8, c_uint16, c_uint32, c_void_p
from typing import Any

NAME = "libmodbus.so.5"
ILLEGAL_ADDRESS = 112345678 + 2
"""Exception 02 as an errno: EMBXILADD."""
ILLEGAL_VALUE = 112345678 + 3
_LONGEST = 260
"""Bytes of the longest request over TCP."""
UNIT = 7
WORDS = (230, 0x0001, 0x86A0, 6, *range(20))
"""What the server holds from address 0 on."""


class _Mapping(Structure):
    """``modbus_mapping_t``."""

    _fields_ = (
        *((f"{what}_{of}", c_int) for of in ("bits", "input_bits", "input_registers", "registers")
          for what in ("nb", "start")),
        ("tab_bits", POINTER(c_uint8)),
        ("tab_input_bits", POINTER(c_uint8)),
        ("tab_input_registers", POINTER(c_uint16)),
        ("tab_registers", POINTER(c_uint16)),
    )  # fmt: skip


_READ, _READ_BITS = (c_void_p, c_int, c_int, POINTER(c_uint16)), (c_void_p, c_int, c_int, POINTER(c_uint8))
_DECLARED: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "modbus_new_tcp": (c_void_p, (c_char_p, c_int)),
    "modbus_new_rtu": (c_void_p, (c_char_p, c_int, c_char, c_int, c_int)),
    "modbus_set_slave": (c_int, (c_void_p, c_int)),
    "modbus_set_response_timeout": (c_int, (c_void_p, c_uint32, c_uint32)),
    "modbus_connect": (c_int, (c_void_p,)),
    "modbus_close": (None, (c_void_p,)),
    "modbus_free": (None, (c_void_p,)),
    "modbus_strerror": (c_char_p, (c_int,)),
    "modbus_read_registers": (c_int, _READ),
    "modbus_read_input_registers": (c_int, _READ),
    "modbus_read_bits": (c_int, _READ_BITS),
    "modbus_write_register": (c_int, (c_void_p, c_int, c_uint16)),
    "modbus_write_registers": (c_int, _READ),
    "modbus_write_bits": (c_int, _READ_BITS),
    "modbus_mask_write_register": (c_int, (c_void_p, c_int, c_uint16, c_uint16)),
    "modbus_mapping_new": (POINTER(_Mapping), (c_int, c_int, c_int, c_int)),
    "modbus_tcp_listen": (c_int, (c_void_p, c_int)),
    "modbus_tcp_accept": (c_int, (c_void_p, POINTER(c_int))),
    "modbus_receive": (c_int, (c_void_p, POINTER(c_uint8))),
    "modbus_reply": (c_int, (c_void_p, POINTER(c_uint8), c_int, POINTER(_Mapping))),
}
"""Function to what it gives and takes."""


def library() -> ctypes.CDLL | None:
    """The library with its functions declared; None where it is not installed."""
    try:
        found = ctypes.CDLL(NAME, use_errno=True)
    except OSError:
        return None
    for name, (gives, takes) in _DECLARED.items():
        function = getattr(found, name)
        function.restype, function.argtypes = gives, takes
    return found


class Master:
    """Asks one unit."""

    def __init__(self, found: ctypes.CDLL, context: int) -> None:
        self._library = found
        self._context = context

    def _call(self, name: str, *args: Any) -> int:
        result: int = getattr(self._library, name)(self._context, *args)
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, self._library.modbus_strerror(number).decode())
        return result

    def registers(self, address: int, count: int, *, table: str = "holding") -> list[int]:
        """Words of holding or ``input`` registers."""
        words = (c_uint16 * count)()
        done = self._call(f"modbus_read_{'input_' if table == 'input' else ''}registers", address, count, words)
        return list(words[:done])

    def bits(self, address: int, count: int) -> list[bool]:
        """Coils."""
        found = (c_uint8 * count)()
        done = self._call("modbus_read_bits", address, count, found)
        return [bool(each) for each in found[:done]]

    def write(self, address: int, *words: int) -> int:
        """Several registers at once; how many were written."""
        return self._call("modbus_write_registers", address, len(words), (c_uint16 * len(words))(*words))

    def write_one(self, address: int, word: int) -> int:
        """One register, by the function for one."""
        return self._call("modbus_write_register", address, word)

    def write_bits(self, address: int, values: Sequence[bool]) -> int:
        """Coils; how many were written."""
        return self._call("modbus_write_bits", address, len(values), (c_uint8 * len(values))(*values))

    def mask(self, address: int, keep: int, add: int) -> int:
        """Registers' bits: those of ``keep`` stay, those of ``add`` are set of the others."""
        return self._call("modbus_mask_write_register", address, keep, add)


def _context(found: ctypes.CDLL, transport: str, place: str, unit: int, baud: int) -> int:
    """A context for one unit; a pty has no parity, and the library insists on what it is told."""
    if transport == "tcp":
        context: int = found.modbus_new_tcp(b"127.0.0.1", int(place))
    else:
        context = found.modbus_new_rtu(place.encode(), baud, b"N", 8, 1)
    assert context, f"no context for {transport} {place}"
    found.modbus_set_slave(context, unit)
    return context


@contextlib.contextmanager
def master(found: ctypes.CDLL, transport: str, place: str, unit: int, baud: int = 19200) -> Iterator[Master]:
    """Connected to TCP port ``place`` of this machine, or to the serial line of that path."""
    context = _context(found, transport, place, unit, baud)
    try:
        found.modbus_set_response_timeout(context, 10, 0)
        asks = Master(found, context)
        asks._call("modbus_connect")
        yield asks
    finally:
        found.modbus_close(context)
        found.modbus_free(context)


def serve(transport: str, place: str) -> None:
    """Answer from :data:`WORDS` until somebody ends the process; one connection at a time."""
    found = library()
    assert found is not None, f"no {NAME}"
    context = _context(found, transport, place, UNIT, 9600)
    mapping = found.modbus_mapping_new(0, 0, len(WORDS), 0)
    for address, word in enumerate(WORDS):
        mapping.contents.tab_registers[address] = word
    socket = c_int(found.modbus_tcp_listen(context, 1) if transport == "tcp" else found.modbus_connect(context))
    assert socket.value >= 0, f"cannot serve {place}"
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    request = (c_uint8 * _LONGEST)()
    while transport != "tcp" or found.modbus_tcp_accept(context, ctypes.byref(socket)) >= 0:
        while (length := found.modbus_receive(context, request)) >= 0:
            if length:
                found.modbus_reply(context, request, length, mapping)
        if transport == "tcp":
            found.modbus_close(context)


if __name__ == "__main__":
    serve(*sys.argv[1:])
