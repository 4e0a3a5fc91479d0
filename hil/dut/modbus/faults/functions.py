"""Faults in functions, exceptions, units and the time to an answer."""

from __future__ import annotations

from collections.abc import Sequence

from hil.dut.modbus.device import DeviceSpec, Pieces
from hil.dut.modbus.fault import ERROR_BIT, Fault, cases, pdu_of, reading, saying, taking, with_pdu, writing
from hil.dut.modbus.spec import BUSY, FAILURE, ILLEGAL_ADDRESS, ILLEGAL_VALUE, Data, Refused
from hil.units import Instant, ms

_TOP = 0xFFFF


def _bit_3(line: str, asked: bytes, reply: bytes) -> Pieces:
    """The error bit is bit 3 (seen on esp32-evse)."""
    pdu = pdu_of(line, reply)
    if pdu[0] & ERROR_BIT:
        reply = with_pdu(line, reply, bytes((pdu[0] & ~ERROR_BIT | 0x08,)) + pdu[1:])
    return ((0, reply),)


def _long_exception(line: str, asked: bytes, reply: bytes) -> Pieces:
    pdu = pdu_of(line, reply)
    return ((0, with_pdu(line, reply, pdu + b"\0") if pdu[0] & ERROR_BIT else reply),)


def _bits_reversed(pdu: bytes) -> bytes:
    return pdu[:2] + bytes(int(f"{byte:08b}"[::-1], 2) for byte in pdu[2:])


def _half_count(pdu: bytes) -> bytes:
    return pdu[:1] + bytes((pdu[1] // 2,)) + pdu[2:]


def _echo_of_zeros(pdu: bytes) -> bytes:
    return pdu[:3] + b"\0\0"


def _one_less(pdu: bytes) -> bytes:
    return pdu[:4] + bytes((pdu[4] - 1 & 0xFF,))


def _masks_swapped(pdu: bytes) -> bytes:
    return pdu[:3] + pdu[5:7] + pdu[3:5] if pdu[0] == 0x16 else pdu


def _one_beside(pdu: bytes) -> bytes:
    """Function 0x17 writes one address too far."""
    return pdu[:6] + bytes((pdu[6] + 1,)) + pdu[7:] if pdu[0] == 0x17 else pdu


def _no_error_bit(pdu: bytes) -> bytes:
    return bytes((pdu[0] & ~ERROR_BIT,)) + pdu[1:]


def _from_zero(pdu: bytes) -> bytes:
    """A span that goes beyond the last address begins anew at 0."""
    beyond = pdu[0] in (3, 4) and int.from_bytes(pdu[1:3], "big") + int.from_bytes(pdu[3:5], "big") > _TOP + 1
    return pdu[:1] + b"\0\0" + pdu[3:] if beyond else pdu


def _first_only(
    data: Data, unit: int, function: int, address: int, values: Sequence[int], now: Instant
) -> Refused | None:
    return data.write(unit, function, address, values[:1], now)


def _unkept(data: Data, unit: int, function: int, address: int, values: Sequence[int], now: Instant) -> Refused | None:
    return None if function in (5, 6) else data.write(unit, function, address, values, now)


def _zeros(data: Data, unit: int, function: int, address: int, count: int, now: Instant) -> Sequence[int] | Refused:
    found = data.read(unit, function, address, count, now)
    return [0] * count if found == ILLEGAL_ADDRESS else found


def _value_for_address(
    data: Data, unit: int, function: int, address: int, count: int, now: Instant
) -> Sequence[int] | Refused:
    found = data.read(unit, function, address, count, now)
    return ILLEGAL_VALUE if found == ILLEGAL_ADDRESS else found


def _end_refused(
    data: Data, unit: int, function: int, address: int, count: int, now: Instant
) -> Sequence[int] | Refused:
    """The address behind the span is looked at too."""
    behind = data.read(unit, function, address, count + 1, now)
    return ILLEGAL_ADDRESS if isinstance(behind, Refused) else data.read(unit, function, address, count, now)


def _shifted(data: Data, unit: int, function: int, address: int, count: int, now: Instant) -> Sequence[int] | Refused:
    return data.read(unit, function, max(address - 1, 0), count, now)


def _slow(device: DeviceSpec) -> DeviceSpec:
    return device.serving(latency=ms(1100))


FAULTS = (
    Fault(
        "modbus-coils-reversed",
        cases("FC.01"),
        "packs the first coil into the highest bit",
        "content",
        saying(0x01, _bits_reversed),
    ),
    Fault(
        "modbus-contacts-reversed",
        cases("FC.02"),
        "packs the first input into the highest bit",
        "content",
        saying(0x02, _bits_reversed),
    ),
    Fault(
        "modbus-byte-count-in-registers",
        cases("FC.03"),
        "counts registers where bytes are to be counted",
        "content",
        saying(0x03, _half_count),
    ),
    Fault(
        "modbus-byte-count-of-inputs",
        cases("FC.04"),
        "counts registers where the bytes of inputs are to be counted",
        "content",
        saying(0x04, _half_count),
    ),
    Fault(
        "modbus-later-values-shifted",
        cases("FC.03", "FC.04"),
        "reads one address too early unless at 0",
        "content",
        reading(_shifted),
    ),
    Fault(
        "modbus-single-writes-unkept",
        cases("FC.05", "FC.06"),
        "answers a write of one value and does not keep it",
        "content",
        writing(_unkept),
    ),
    Fault(
        "modbus-coil-echo-zero",
        cases("FC.05"),
        "answers a write of a coil with value 0",
        "content",
        saying(0x05, _echo_of_zeros),
    ),
    Fault(
        "modbus-register-echo-zero",
        cases("FC.06"),
        "answers a write of a register with value 0",
        "content",
        saying(0x06, _echo_of_zeros),
    ),
    Fault(
        "modbus-rows-first-only",
        cases("FC.15", "FC.16"),
        "keeps only the first of several values",
        "content",
        writing(_first_only),
    ),
    Fault(
        "modbus-coil-count-one-less",
        cases("FC.15"),
        "answers a write of coils with one less",
        "content",
        saying(0x0F, _one_less),
    ),
    Fault(
        "modbus-register-count-one-less",
        cases("FC.16"),
        "answers a write of registers with one less",
        "content",
        saying(0x10, _one_less),
    ),
    Fault(
        "modbus-masks-swapped",
        cases("FC.22"),
        "takes the AND mask for the OR mask",
        "content",
        taking(_masks_swapped),
    ),
    Fault(
        "modbus-read-write-beside",
        cases("FC.23"),
        "writes one address too far by function 23",
        "content",
        taking(_one_beside),
    ),
    Fault(
        "modbus-error-bit-3",
        cases("EX.01", "EX.02"),
        "sets bit 3 of the function code for bit 7 in an exception",
        "content",
        lambda d: d.but(say=_bit_3),
    ),
    Fault(
        "modbus-long-exception",
        cases("EX.01", "EX.02"),
        "sends one byte too many in an exception",
        "content",
        lambda d: d.but(say=_long_exception),
    ),
    Fault(
        "modbus-unknown-function-silent",
        cases("EX.01"),
        "does not answer an unknown function",
        "content",
        lambda d: d.serving(unknown_function="silent"),
    ),
    Fault(
        "modbus-zero-for-gap",
        cases("EX.02"),
        "answers 0 for addresses that it has not",
        "content",
        reading(_zeros),
    ),
    Fault(
        "modbus-value-for-address",
        cases("EX.02"),
        "refuses an unknown address with exception 03",
        "content",
        reading(_value_for_address),
    ),
    Fault(
        "modbus-last-address-refused",
        cases("EX.02"),
        "refuses the last address of a run",
        "content",
        reading(_end_refused),
    ),
    Fault(
        "modbus-wraps",
        cases("EX.03"),
        "goes on at address 0 behind 65535",
        "content",
        taking(_from_zero),
    ),
    Fault(
        "modbus-error-bit-ignored",
        cases("EX.04"),
        "takes a function code with the error bit for one without",
        "robustness",
        taking(_no_error_bit),
    ),
    Fault(
        "modbus-busy-as-failure",
        cases("EX.05"),
        "refuses with 04 when it is busy",
        "content",
        lambda d: d.but(states={**d.states, "busy": FAILURE}),
    ),
    Fault(
        "modbus-failure-as-busy",
        cases("EX.06"),
        "refuses with 06 when it has failed",
        "content",
        lambda d: d.but(states={**d.states, "failed": BUSY}),
    ),
    Fault(
        "modbus-any-unit",
        cases("UN.01", "RT.12"),
        "answers for every unit",
        "content",
        lambda d: d.serving(units=None),
    ),
    Fault(
        "modbus-foreign-gateway",
        cases("UN.01"),
        "refuses requests for other units with exception 0B",
        "content",
        lambda d: d.serving(foreign="gateway"),
    ),
    Fault("modbus-slow", cases("RS.01"), "answers after 1.1 s", "timing", _slow),
)
