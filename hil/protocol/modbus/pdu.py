"""Protocol data units: what stands between address and check of a frame.

Requests and replies are plain values that encode to bytes. Limits of the protocol (125 registers a
read, and so on) are not checked here: a judge has to send what is not allowed. Only what does not fit
the field of the wire is refused. What no class can say is a :class:`RawPdu`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from hil.errors import CodecError


class Function(IntEnum):
    """Public function codes that this codec speaks (Application Protocol V1.1b3)."""

    READ_COILS = 0x01
    READ_DISCRETE_INPUTS = 0x02
    READ_HOLDING_REGISTERS = 0x03
    READ_INPUT_REGISTERS = 0x04
    WRITE_SINGLE_COIL = 0x05
    WRITE_SINGLE_REGISTER = 0x06
    WRITE_MULTIPLE_COILS = 0x0F
    WRITE_MULTIPLE_REGISTERS = 0x10
    MASK_WRITE_REGISTER = 0x16
    READ_WRITE_MULTIPLE_REGISTERS = 0x17


BIT_READS = (Function.READ_COILS, Function.READ_DISCRETE_INPUTS)
REGISTER_READS = (Function.READ_HOLDING_REGISTERS, Function.READ_INPUT_REGISTERS)
SINGLE_WRITES = (Function.WRITE_SINGLE_COIL, Function.WRITE_SINGLE_REGISTER)

QUANTITIES: Mapping[int, int] = {
    Function.READ_COILS: 2000,
    Function.READ_DISCRETE_INPUTS: 2000,
    Function.READ_HOLDING_REGISTERS: 125,
    Function.READ_INPUT_REGISTERS: 125,
    Function.WRITE_MULTIPLE_COILS: 1968,
    Function.WRITE_MULTIPLE_REGISTERS: 123,
    Function.READ_WRITE_MULTIPLE_REGISTERS: 125,
}
"""The most that one request may ask for; the least is 1 (standards map, section 8)."""
READ_WRITE_WRITES = 121
"""The most registers that function 0x17 writes."""
MAX_PDU = 253
"""Bytes of a protocol data unit."""
ON, OFF = 0xFF00, 0x0000
"""The two values of function 0x05."""
ERROR_BIT = 0x80
"""Set in the function code of an exception."""

EXCEPTIONS: Mapping[int, str] = {
    0x01: "illegal function",
    0x02: "illegal data address",
    0x03: "illegal data value",
    0x04: "server device failure",
    0x05: "acknowledge",
    0x06: "server device busy",
    0x08: "memory parity error",
    0x0A: "gateway path unavailable",
    0x0B: "gateway target device failed to respond",
}


def show_bytes(data: bytes) -> str:
    """Bytes as a reader wants them: ``01 03 0A``; ``(none)`` when there are none."""
    return data.hex(" ").upper() or "(none)"


def _pack(form: str, what: object, *values: int) -> bytes:
    try:
        return struct.pack(form, *values)
    except struct.error:
        raise CodecError(f"{what}: every field is 0..65535, function codes and byte counts 0..255") from None


def _registers(what: object, values: Sequence[int]) -> bytes:
    return _pack(f">{len(values)}H", what, *values)


def pack_bits(bits: Sequence[bool]) -> bytes:
    """Bits as bytes, the first in bit 0 of the first byte, the last byte filled with zeros."""
    number = 0
    for index, bit in enumerate(bits):
        if bit:
            number |= 1 << index
    return number.to_bytes((len(bits) + 7) // 8, "little")


def unpack_bits(data: bytes, count: int) -> tuple[bool, ...]:
    """The first ``count`` bits of bytes."""
    number = int.from_bytes(data, "little")
    return tuple(number >> index & 1 == 1 for index in range(count))


@dataclass(frozen=True, slots=True)
class Read:
    """Functions 0x01 to 0x04: ``count`` bits or registers from ``address``."""

    function: int
    address: int
    count: int

    def encode(self) -> bytes:
        """The bytes; :class:`CodecError` for what does not fit its field."""
        return _pack(">BHH", self, self.function, self.address, self.count)


@dataclass(frozen=True, slots=True)
class WriteSingle:
    """Functions 0x05 and 0x06, and their reply. ``value`` is the wire's: a coil is :data:`ON` or :data:`OFF`."""

    function: int
    address: int
    value: int

    def encode(self) -> bytes:
        """The bytes; :class:`CodecError` for what does not fit its field."""
        return _pack(">BHH", self, self.function, self.address, self.value)


@dataclass(frozen=True, slots=True)
class WriteCoils:
    """Function 0x0F. ``count`` and ``byte_count`` only when they are to contradict the bits."""

    address: int
    bits: tuple[bool, ...]
    count: int | None = None
    byte_count: int | None = None

    @property
    def function(self) -> int:
        """0x0F."""
        return Function.WRITE_MULTIPLE_COILS

    def encode(self) -> bytes:
        """The bytes; :class:`CodecError` for what does not fit its field."""
        data = pack_bits(self.bits)
        count = len(self.bits) if self.count is None else self.count
        size = len(data) if self.byte_count is None else self.byte_count
        return _pack(">BHHB", self, self.function, self.address, count, size) + data


@dataclass(frozen=True, slots=True)
class WriteRegisters:
    """Function 0x10. ``count`` and ``byte_count`` only when they are to contradict the values."""

    address: int
    values: tuple[int, ...]
    count: int | None = None
    byte_count: int | None = None

    @property
    def function(self) -> int:
        """0x10."""
        return Function.WRITE_MULTIPLE_REGISTERS

    def encode(self) -> bytes:
        """The bytes; :class:`CodecError` for what does not fit its field."""
        count = len(self.values) if self.count is None else self.count
        size = 2 * len(self.values) if self.byte_count is None else self.byte_count
        return _pack(">BHHB", self, self.function, self.address, count, size) + _registers(self, self.values)


@dataclass(frozen=True, slots=True)
class MaskWrite:
    """Function 0x16, and its reply: ``(present and and_mask) or (or_mask and not and_mask)``."""

    address: int
    and_mask: int
    or_mask: int

    @property
    def function(self) -> int:
        """0x16."""
        return Function.MASK_WRITE_REGISTER

    def encode(self) -> bytes:
        """The bytes; :class:`CodecError` for what does not fit its field."""
        return _pack(">BHHH", self, self.function, self.address, self.and_mask, self.or_mask)


@dataclass(frozen=True, slots=True)
class ReadWrite:
    """Function 0x17: writes, then reads. ``write_count`` and ``byte_count`` only to contradict the values."""

    read_address: int
    read_count: int
    write_address: int
    values: tuple[int, ...]
    write_count: int | None = None
    byte_count: int | None = None

    @property
    def function(self) -> int:
        """0x17."""
        return Function.READ_WRITE_MULTIPLE_REGISTERS

    def encode(self) -> bytes:
        """The bytes; :class:`CodecError` for what does not fit its field."""
        count = len(self.values) if self.write_count is None else self.write_count
        size = 2 * len(self.values) if self.byte_count is None else self.byte_count
        fields = (self.function, self.read_address, self.read_count, self.write_address, count, size)
        return _pack(">BHHHHB", self, *fields) + _registers(self, self.values)


@dataclass(frozen=True, slots=True)
class RawPdu:
    """Any bytes: a function code without a class, or what is meant to be wrong."""

    data: bytes

    @property
    def function(self) -> int:
        """The first byte; 0 when there is none."""
        return self.data[0] if self.data else 0

    def encode(self) -> bytes:
        """The bytes."""
        return self.data


@dataclass(frozen=True, slots=True)
class Bits:
    """Reply to 0x01 and 0x02."""

    function: int
    bits: tuple[bool, ...]

    def encode(self) -> bytes:
        """The bytes; :class:`CodecError` for what does not fit its field."""
        data = pack_bits(self.bits)
        return _pack(">BB", self, self.function, len(data)) + data


@dataclass(frozen=True, slots=True)
class Registers:
    """Reply to 0x03, 0x04 and 0x17."""

    function: int
    values: tuple[int, ...]

    def encode(self) -> bytes:
        """The bytes; :class:`CodecError` for what does not fit its field."""
        return _pack(">BB", self, self.function, 2 * len(self.values)) + _registers(self, self.values)


@dataclass(frozen=True, slots=True)
class Written:
    """Reply to 0x0F and 0x10."""

    function: int
    address: int
    count: int

    def encode(self) -> bytes:
        """The bytes; :class:`CodecError` for what does not fit its field."""
        return _pack(">BHH", self, self.function, self.address, self.count)


@dataclass(frozen=True, slots=True)
class ExceptionReply:
    """A refusal. ``function`` is that of the request, without the error bit."""

    function: int
    code: int

    @property
    def text(self) -> str:
        """The code's meaning."""
        return f"{self.code:02X} {EXCEPTIONS.get(self.code, 'unknown code')}"

    def encode(self) -> bytes:
        """The bytes; :class:`CodecError` for what does not fit its field."""
        return _pack(">BB", self, self.function | ERROR_BIT, self.code)


Request = Read | WriteSingle | WriteCoils | WriteRegisters | MaskWrite | ReadWrite | RawPdu
Reply = Bits | Registers | WriteSingle | Written | MaskWrite | ExceptionReply | RawPdu


def read_coils(address: int, count: int = 1) -> Read:
    """Function 0x01."""
    return Read(Function.READ_COILS, address, count)


def read_discrete_inputs(address: int, count: int = 1) -> Read:
    """Function 0x02."""
    return Read(Function.READ_DISCRETE_INPUTS, address, count)


def read_holding(address: int, count: int = 1) -> Read:
    """Function 0x03."""
    return Read(Function.READ_HOLDING_REGISTERS, address, count)


def read_input(address: int, count: int = 1) -> Read:
    """Function 0x04."""
    return Read(Function.READ_INPUT_REGISTERS, address, count)


def write_coil(address: int, on: bool) -> WriteSingle:
    """Function 0x05."""
    return WriteSingle(Function.WRITE_SINGLE_COIL, address, ON if on else OFF)


def write_register(address: int, value: int) -> WriteSingle:
    """Function 0x06."""
    return WriteSingle(Function.WRITE_SINGLE_REGISTER, address, value)
