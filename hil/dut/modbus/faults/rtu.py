"""Faults on the serial line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hil.dut.modbus.device import RTU, Asked, DeviceSpec, Pieces
from hil.dut.modbus.fault import Fault, cases, checked
from hil.dut.modbus.reference import UNIT

_READ = 8
"""Bytes of a request that reads."""
_MOST, _LEAST = 256, 4


def _mended(line: str, frame: bytes) -> bytes:
    return checked(frame[:-2]) if line == RTU else frame


def _found_in_junk(line: str, frame: bytes) -> bytes:
    """Hunts for its own address."""
    at = frame.find(bytes((UNIT,)))
    return frame[at:] if line == RTU and at > 0 else frame


def _rest_ignored(line: str, frame: bytes) -> bytes:
    return frame[:_READ] if line == RTU else frame


def _broadcast_as_own(line: str, unit: int, pdu: bytes) -> Asked:
    return (UNIT if line == RTU and unit == 0 else unit), pdu


def _timing(inner: float | None = None, between: float | None = None) -> Callable[[DeviceSpec], DeviceSpec]:
    """The edit that gives a device other silences, in characters."""

    def edit(device: DeviceSpec) -> DeviceSpec:
        timing = device.timing
        if inner is not None:
            timing = replace(timing, inner=round(inner * timing.character))
        if between is not None:
            timing = replace(timing, between=round(between * timing.character))
        return device.but(timing=timing)

    return edit


def _in_two(device: DeviceSpec) -> DeviceSpec:
    """Answers with a gap of 20 characters behind the third byte."""

    def say(line: str, asked: bytes, reply: bytes) -> Pieces:
        if line != RTU:
            return ((0, reply),)
        return (0, reply[:3]), (23 * device.timing.character, reply[3:])

    return device.but(say=say)


def _made_of(change: Callable[[bytes], bytes]) -> Callable[[DeviceSpec], DeviceSpec]:
    """The edit that changes whole frames of replies."""

    def say(line: str, asked: bytes, reply: bytes) -> Pieces:
        return ((0, change(reply) if line == RTU else reply),)

    return lambda device: device.but(say=say)


def _dies_of(meant: Callable[[bytes], bool]) -> Callable[[DeviceSpec], DeviceSpec]:
    return lambda device: device.but(dies=lambda line, data: line == RTU and meant(data))


FAULTS = (
    Fault(
        "modbus-crc-ignored",
        cases("RT.01"),
        "does not look at the CRC",
        "robustness",
        lambda d: d.but(frame=_mended),
    ),
    Fault(
        "modbus-broadcast-ignored",
        cases("RT.02"),
        "does not carry out broadcasts",
        "content",
        lambda d: d.serving(broadcast=frozenset()),
    ),
    Fault(
        "modbus-broadcast-answered",
        cases("RT.02", "RT.03"),
        "answers broadcasts",
        "content",
        lambda d: d.serving(broadcast=frozenset()).but(take=_broadcast_as_own),
    ),
    Fault("modbus-inner-gap-allowed", cases("RT.04"), "allows gaps inside a frame", "timing", _timing(inner=100.0)),
    Fault(
        "modbus-inner-gap-strict",
        cases("RT.05"),
        "drops frames with a gap of half a character",
        "timing",
        _timing(inner=0.5),
    ),
    Fault(
        "modbus-between-long",
        cases("RT.06"),
        "needs a silence of 10 characters between frames",
        "timing",
        _timing(between=10.0),
    ),
    Fault(
        "modbus-answers-early",
        cases("RT.07"),
        "answers at once, without a silence",
        "timing",
        lambda d: _timing(between=2.0)(d).serving(latency=0),
    ),
    Fault(
        "modbus-crc-high-first",
        cases("RT.07", "FC.03"),
        "sends the high byte of the CRC first",
        "content",
        _made_of(lambda frame: frame[:-2] + frame[:-3:-1]),
    ),
    Fault(
        "modbus-junk-before-answer",
        cases("RT.07", "FC.03"),
        "begins its answers with a stray byte",
        "content",
        _made_of(lambda frame: b"\0" + frame),
    ),
    Fault(
        "modbus-junk-behind-answer",
        cases("RT.07", "FC.03"),
        "ends its answers with a stray byte",
        "content",
        _made_of(lambda frame: frame + b"\0"),
    ),
    Fault("modbus-answers-in-two", cases("RT.07"), "answers with a gap", "timing", _in_two),
    Fault(
        "modbus-parity-ignored",
        cases("RT.08"),
        "does not look at parity errors",
        "robustness",
        lambda d: d.but(sees_flaws=False),
    ),
    Fault(
        "modbus-hunts-in-junk",
        cases("RT.09"),
        "finds a request behind junk",
        "robustness",
        lambda d: d.but(frame=_found_in_junk),
    ),
    Fault(
        "modbus-junk-hangs",
        cases("RT.09"),
        "hears nothing any more after junk",
        "robustness",
        _dies_of(lambda data: data[:1] == b"\x55"),
    ),
    Fault(
        "modbus-rest-ignored",
        cases("RT.10"),
        "does not look at what stands behind a request",
        "robustness",
        lambda d: d.but(frame=_rest_ignored),
    ),
    Fault(
        "modbus-hears-itself",
        cases("RT.11"),
        "takes the echo of its own answer for a request",
        "robustness",
        lambda d: d.but(hears_itself=True),
    ),
    Fault(
        "modbus-long-frame-hangs",
        cases("RT.13"),
        "hears nothing any more after a frame of more than 256 bytes",
        "robustness",
        _dies_of(lambda data: len(data) > _MOST),
    ),
    Fault(
        "modbus-collision-hangs",
        cases("RT.14"),
        "hears nothing any more after a collision",
        "robustness",
        _dies_of(lambda data: data[:_LEAST] == bytes(_LEAST)),
    ),
    Fault(
        "modbus-short-frame-hangs",
        cases("RT.15"),
        "hears nothing any more after a frame of less than 4 bytes",
        "robustness",
        _dies_of(lambda data: len(data) < _LEAST),
    ),
)
