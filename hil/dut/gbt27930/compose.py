"""What the reference charger says: message contents and the frames they become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hil.codec.frame import CanFrame
from hil.codec.message import Message
from hil.protocol.gbt27930 import BMS_ADDRESS, CCS, CHARGER_ADDRESS, can_id
from hil.units import SECOND, Instant

if TYPE_CHECKING:
    from hil.dut.gbt27930.charger import Charger

_MESSAGES = {"CRM00": "CRM", "CRMAA": "CRM", "CRO00": "CRO", "CROAA": "CRO"}
_STEPS = CCS.signals["voltage"].divisor
_ZERO = CCS.signals["current"].shift
"""CCS tells tenths of a volt and of an ampere, the latter from an offset on (sheet 3.11)."""
_WITHIN = 0.499
"""Of a step: nearer than that to a value of the wire, and rounding finds it whatever floats do in their last digits."""
_START = datetime(2024, 3, 9, 14, 5, 30)
"""The charger's clock when its world begins; there is no wall clock in a world."""


class _Sending:
    """How one kind of frame is made, and the last one that was."""

    __slots__ = ("declared", "edit", "forced", "frame", "identifier", "stale", "told", "values")

    def __init__(
        self,
        declared: type[Message],
        values: Callable[[str, Instant], dict[str, Any]],
        forced: Mapping[str, Any],
        identifier: int,
        edit: Any,
    ) -> None:
        self.declared = declared
        self.values = values
        self.forced = forced
        self.identifier = identifier
        self.edit = edit
        self.stale = edit is not None and edit.stale
        self.told: dict[str, Any] | None = None
        self.frame = CanFrame(identifier, b"")


class _Output:
    """What CCS says of the output, in the steps of the wire, rounded as the codec does: most say what the last said."""

    __slots__ = ("_amperes", "_minutes", "_permitted", "_volts", "values")

    def __init__(self, volts: float, amperes: float, minutes: int, permitted: bool) -> None:
        volts = max(volts, 0.0)
        steps, current = round(volts * _STEPS), round(-amperes * _STEPS - _ZERO) + _ZERO
        self.values: dict[str, Any] = {
            "voltage": steps / _STEPS,
            "current": current / _STEPS,
            "charging_time": minutes,
            "charging_permitted": 1 if permitted else 0,
        }
        self._volts = (steps - _WITHIN) / _STEPS, (steps + _WITHIN) / _STEPS
        self._amperes = (-current - _WITHIN) / _STEPS, (-current + _WITHIN) / _STEPS
        self._minutes = minutes
        self._permitted = permitted

    def still(self, volts: float, amperes: float, minutes: int, permitted: bool) -> bool:
        """Whether these are rounded to the same values; False also where that is not certain."""
        low, high = self._volts
        if not low < volts < high or minutes != self._minutes or permitted != self._permitted:
            return False
        low, high = self._amperes
        return low < amperes < high


class Composer:
    """Composes the frames of one charger, with the edits of its spec."""

    def __init__(self, charger: Charger) -> None:
        self._charger = charger
        self._sendings: dict[str, _Sending] = {}
        self._output: _Output | None = None

    def frame(self, name: str, now: Instant) -> CanFrame:
        """The frame to send under the name that states use, such as ``CRM00``."""
        sending = self._sendings.get(name) or self._prepare(name)
        values = sending.values(name, now)
        if values is sending.told or values == sending.told or (sending.stale and sending.told is not None):
            return sending.frame  # it says what the last one said, as most do
        sending.told = values
        data = sending.declared(**{**values, **sending.forced}).encode()
        if sending.edit is not None and all(values.get(signal) == value for signal, value in sending.edit.only):
            data = _edited(data, sending.edit)
        sending.frame = frame = CanFrame(sending.identifier, data)
        return frame

    def _prepare(self, name: str) -> _Sending:
        spec = self._charger.spec
        message_name = _MESSAGES.get(name, name)
        declared = self._charger.messages.by_name[message_name]
        sending = self._sendings[name] = _Sending(
            declared,
            getattr(self, f"_{message_name.lower()}"),
            spec.content.get(name, {}),
            self._identifier(name, declared),
            spec.wire.get(name),
        )
        return sending

    def _identifier(self, name: str, declared: Any) -> int:
        edit = self._charger.spec.wire.get(name)
        priority, pgn, source = declared.priority, declared.pgn, CHARGER_ADDRESS
        if edit is not None:
            priority = priority if edit.priority is None else edit.priority
            pgn = pgn if edit.pgn is None else edit.pgn
            source = source if edit.source is None else edit.source
        return can_id(priority, pgn, BMS_ADDRESS, source)

    def _chm(self, name: str, now: Instant) -> dict[str, Any]:
        return {"version": self._charger.spec.version}

    def _crm(self, name: str, now: Instant) -> dict[str, Any]:
        spec = self._charger.spec
        result = 0xAA if name == "CRMAA" else 0x00
        return {"result": result, "charger_number": spec.number, "region": spec.region}

    def _cts(self, name: str, now: Instant) -> dict[str, Any]:
        at = _START + timedelta(seconds=now // SECOND)
        return {each: getattr(at, each) for each in ("year", "month", "day", "hour", "minute", "second")}

    def _cml(self, name: str, now: Instant) -> dict[str, Any]:
        power = self._charger.spec.power
        return {
            "max_voltage": power.max_voltage,
            "min_voltage": power.min_voltage,
            "max_current": -power.max_current,
            "min_current": -power.min_current,
        }

    def _cro(self, name: str, now: Instant) -> dict[str, Any]:
        return {"ready": 0xAA if name == "CROAA" else 0x00}

    def _ccs(self, name: str, now: Instant) -> dict[str, Any]:
        charger = self._charger
        power = charger.spec.power
        volts, amperes = charger.power.measure(now)
        volts = volts * power.voltage_gain + power.voltage_offset
        amperes = amperes * power.current_gain + power.current_offset
        minutes = charger.power.minutes(now)
        told = self._output
        if told is None or not told.still(volts, amperes, minutes, charger.permitted):
            self._output = told = _Output(volts, amperes, minutes, charger.permitted)
        return told.values

    def _cst(self, name: str, now: Instant) -> dict[str, Any]:
        return dict(self._charger.cause)

    def _csd(self, name: str, now: Instant) -> dict[str, Any]:
        charger = self._charger
        return {
            "charging_time": charger.power.minutes(now),
            "energy": charger.power.energy(now),
            "charger_number": charger.spec.number,
        }

    def _cem(self, name: str, now: Instant) -> dict[str, Any]:
        return dict(self._charger.cem)


def _edited(data: bytes, edit: Any) -> bytes:
    if edit.length is not None:
        data = data[: edit.length].ljust(edit.length, b"\xff")
    if edit.swap:
        exchanged = bytearray(data)
        for one, other in edit.swap:
            exchanged[one - 1], exchanged[other - 1] = data[other - 1], data[one - 1]
        data = bytes(exchanged)
    if edit.set_bits or edit.clear_bits:
        set_bits = edit.set_bits.ljust(len(data), b"\0")
        clear_bits = edit.clear_bits.ljust(len(data), b"\0")
        data = bytes((b | s) & ~c & 0xFF for b, s, c in zip(data, set_bits, clear_bits, strict=False))
    return data
