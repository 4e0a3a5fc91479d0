"""Faults of headers and connections of Modbus TCP."""

from __future__ import annotations

from collections.abc import Callable

from hil.dut.modbus.device import TCP, DeviceSpec, Pieces
from hil.dut.modbus.fault import Fault, cases
from hil.units import ms, s

_LENGTHS = range(2, 256)
_HEADER = 6


def _low_byte_id(line: str, asked: bytes, reply: bytes) -> Pieces:
    return ((0, b"\0" + reply[1:] if line == TCP else reply),)


def _put(at: int, data: bytes) -> Callable[[DeviceSpec], DeviceSpec]:
    """The edit that puts bytes into the header of replies."""

    def say(line: str, asked: bytes, reply: bytes) -> Pieces:
        return ((0, reply[:at] + data + reply[at + len(data) :] if line == TCP else reply),)

    return lambda device: device.but(say=say)


def _long_length(line: str, asked: bytes, reply: bytes) -> Pieces:
    return ((0, reply[:5] + bytes((reply[5] + 1 & 0xFF,)) + reply[_HEADER:] if line == TCP else reply),)


def _twice(line: str, asked: bytes, reply: bytes) -> Pieces:
    return ((0, reply), (ms(10), reply)) if line == TCP else ((0, reply),)


def _any_protocol(line: str, data: bytes) -> bytes:
    return data[:2] + b"\0\0" + data[4:] if line == TCP else data


def _guessed_length(line: str, data: bytes) -> bytes:
    """Takes a segment for a frame, whatever its length field says."""
    if line != TCP or len(data) <= _HEADER:
        return data
    return data[:4] + (len(data) - _HEADER).to_bytes(2, "big") + data[_HEADER:]


def _first_frame(line: str, data: bytes) -> bytes:
    return data[: _HEADER + int.from_bytes(data[4:_HEADER], "big")] if line == TCP else data


def _whole(line: str, data: bytes) -> bytes | None:
    """Only what comes in one segment."""
    return data if line != TCP or len(data) >= _HEADER + int.from_bytes(data[4:_HEADER], "big") > _HEADER else None


def _dies_of_length(line: str, data: bytes) -> bool:
    return line == TCP and len(data) >= _HEADER and int.from_bytes(data[4:_HEADER], "big") not in _LENGTHS


FAULTS = (
    Fault(
        "modbus-id-one-byte",
        cases("TC.01"),
        "repeats only the low byte of the transaction id",
        "content",
        lambda d: d.but(say=_low_byte_id),
    ),
    Fault(
        "modbus-protocol-1",
        cases("TC.01"),
        "answers with protocol id 1",
        "content",
        _put(2, b"\0\1"),
    ),
    Fault(
        "modbus-wrong-unit",
        cases("TC.01", "FC.03"),
        "answers with unit 255, whoever was asked",
        "content",
        _put(6, b"\xff"),
    ),
    Fault(
        "modbus-length-too-high",
        cases("TC.01"),
        "counts one byte too many in the length field",
        "content",
        lambda d: d.but(say=_long_length),
    ),
    Fault(
        "modbus-any-protocol",
        cases("TC.02"),
        "answers frames of any protocol id",
        "content",
        lambda d: d.but(hear=_any_protocol),
    ),
    Fault(
        "modbus-length-guessed",
        cases("TC.03"),
        "answers what comes in a segment, whatever its length field says",
        "robustness",
        lambda d: d.but(hear=_guessed_length),
    ),
    Fault(
        "modbus-length-hangs",
        cases("TC.03"),
        "answers nobody any more after an impossible length field",
        "robustness",
        lambda d: d.but(dies=_dies_of_length),
    ),
    Fault(
        "modbus-one-per-segment",
        cases("TC.04"),
        "answers only the first request of a segment",
        "robustness",
        lambda d: d.but(hear=_first_frame),
    ),
    Fault(
        "modbus-one-at-a-time",
        cases("TC.04"),
        "loses requests that come while it answers",
        "robustness",
        lambda d: d.but(one_at_a_time=True),
    ),
    Fault(
        "modbus-whole-segments",
        cases("TC.05"),
        "loses requests that come in several segments",
        "robustness",
        lambda d: d.but(hear=_whole),
    ),
    Fault(
        "modbus-idle-early",
        cases("TC.06"),
        "closes connections that are idle for 20 s",
        "timing",
        lambda d: d.but(idle_close=s(20)),
    ),
    Fault(
        "modbus-idle-never",
        cases("TC.06", "TC.07"),
        "never closes an idle connection",
        "recovery",
        lambda d: d.but(idle_close=0),
    ),
    Fault(
        "modbus-fewer-clients",
        cases("TC.08"),
        "serves one client less than its map says",
        "content",
        lambda d: d.but(clients=d.clients - 1),
    ),
    Fault(
        "modbus-keeps-half",
        cases("TC.09"),
        "keeps half a request for the next connection",
        "recovery",
        lambda d: d.but(one_buffer=True),
    ),
    Fault(
        "modbus-answers-latest",
        cases("TC.10"),
        "answers the latest client, whoever asked",
        "robustness",
        lambda d: d.but(answers_latest=True),
    ),
    Fault(
        "modbus-answers-twice",
        cases("TC.11"),
        "answers twice",
        "content",
        lambda d: d.but(say=_twice),
    ),
)
