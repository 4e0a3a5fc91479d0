"""What the stand-in vehicle says: the contents of its messages, from spec, orders and plant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hil.codec.frame import CanFrame
from hil.codec.message import Message
from hil.units import Instant

if TYPE_CHECKING:
    from hil.tester.gbt27930.vehicle import Vehicle

_MESSAGES = ("BHM", "BRM", "BCP", "BRO", "BCL", "BCS", "BSM", "BMV", "BMT", "BSP", "BST", "BSD", "BEM")
_BUILT = (2024, 6, 15)
_LONGEST_MINUTES = 600
_CELLS_PER_GROUP = 32


class Saying:
    """One message of the vehicle: where its values come from, and what it was when it was last sent.

    ``frame`` is None for what goes by the transport protocol.
    """

    __slots__ = ("data", "declared", "frame", "told", "values")

    def __init__(self, declared: type[Message], values: Callable[[str, Instant], dict[str, Any]]) -> None:
        self.declared = declared
        self.values = values
        self.told: dict[str, Any] | None = None
        self.data = b""
        self.frame: CanFrame | None = None


class VehicleComposer:
    """Composes the payloads of one vehicle."""

    def __init__(self, vehicle: Vehicle) -> None:
        self._vehicle = vehicle
        self._demand = vehicle.demand
        self._demanded: dict[str, Any] | None = None
        """What BCL says of it."""
        self._sayings = {
            name: Saying(vehicle.messages.by_name[name], getattr(self, f"_{name.lower()}")) for name in _MESSAGES
        }

    def saying(self, name: str, now: Instant) -> Saying:
        """What to send now under the name that states use, such as ``BRO00``."""
        vehicle = self._vehicle
        message_name = name[:3]
        saying = self._sayings[message_name]
        values = saying.values(name, now)
        if vehicle.spec.content or vehicle.altered:
            fixed, altered = vehicle.spec.content.get(message_name, {}), vehicle.altered.get(message_name, {})
            values = {**values, **fixed, **altered}
        if values is not saying.told and values != saying.told:
            declared = saying.declared
            data = self._habits(message_name, declared(**values).encode(), short=not declared.transport)
            saying.told, saying.data = values, data
            saying.frame = None if declared.can_id is None else CanFrame(declared.can_id, data)
        return saying

    def _habits(self, name: str, data: bytes, *, short: bool) -> bytes:
        spec = self._vehicle.spec
        if short and spec.padded:
            data = data.ljust(8, b"\xff")
        mask = spec.clear_bits.get(name)
        if mask is not None:
            data = bytes(byte & ~bits for byte, bits in zip(data, mask.ljust(len(data), b"\0"), strict=True))
        return data

    def _bhm(self, name: str, now: Instant) -> dict[str, Any]:
        return {"max_total_voltage": self._vehicle.spec.max_total_voltage}

    def _brm(self, name: str, now: Instant) -> dict[str, Any]:
        spec = self._vehicle.spec
        year, month, day = _BUILT
        return {
            "version": 0x000101,
            "battery_type": spec.battery_type,
            "rated_capacity": spec.rated_capacity,
            "rated_voltage": spec.rated_voltage,
            "battery_maker": spec.maker,
            "pack_serial": bytes(4),
            "production_year": year,
            "production_month": month,
            "production_day": day,
            "charge_count": 120,
            "ownership": 1,
            "vin": spec.vin,
            "software_number": 1,
            "software_day": day,
            "software_month": month,
            "software_year": year,
        }

    def _bcp(self, name: str, now: Instant) -> dict[str, Any]:
        vehicle = self._vehicle
        spec = vehicle.spec
        return {
            "max_cell_voltage": spec.max_cell_voltage,
            "max_current": -spec.max_current,
            "nominal_energy": spec.nominal_energy,
            "max_total_voltage": spec.max_total_voltage,
            "max_temperature": spec.max_temperature,
            "soc": vehicle.sense("soc", now),
            "present_voltage": vehicle.sense("pack_voltage", now),
        }

    def _bro(self, name: str, now: Instant) -> dict[str, Any]:
        return {"ready": 0xAA if name == "BROAA" else 0x00}

    def _bcl(self, name: str, now: Instant) -> dict[str, Any]:
        vehicle = self._vehicle
        demand = vehicle.demand if vehicle.course is None else vehicle.course.demand(now)
        if demand != self._demand or self._demanded is None:
            volts, amperes, mode = self._demand = demand
            self._demanded = {"voltage_demand": volts, "current_demand": amperes, "mode": mode}
        return self._demanded

    def _bcs(self, name: str, now: Instant) -> dict[str, Any]:
        sense = self._vehicle.sense
        amperes = sense("pack_current", now)
        soc = sense("soc", now)
        spec = self._vehicle.spec
        left = spec.rated_capacity * (100.0 - soc) / 100.0
        remaining = round(left / amperes * 60) if amperes > 1.0 else _LONGEST_MINUTES
        return {
            "voltage": sense("inlet_voltage", now),
            "current": -amperes,
            "max_cell_voltage": sense("cell_voltage_max", now),
            "max_cell_group": int(sense("cell_number_max", now) - 1) // _CELLS_PER_GROUP,
            "soc": int(soc),
            "remaining_time": min(remaining, _LONGEST_MINUTES),
        }

    def _bsm(self, name: str, now: Instant) -> dict[str, Any]:
        sense = self._vehicle.sense
        return {
            "max_cell_number": int(sense("cell_number_max", now)),
            "max_temperature": sense("temperature_max", now),
            "max_temperature_sensor": 1,
            "min_temperature": sense("temperature_min", now),
            "min_temperature_sensor": 2,
            "cell_voltage_state": 0,
            "soc_state": 0,
            "overcurrent": 0,
            "overtemperature": 0,
            "insulation": 0,
            "connector": 0,
            "charging_permission": 1,
        }

    def _bmv(self, name: str, now: Instant) -> dict[str, Any]:
        sense = self._vehicle.sense
        lowest, highest = sense("cell_voltage_min", now), sense("cell_voltage_max", now)
        number = int(sense("cell_number_max", now))
        volts = (highest if cell == number else lowest for cell in range(1, self._vehicle.spec.optional[name] + 1))
        return {"entries": tuple((each, (cell // _CELLS_PER_GROUP) % 16) for cell, each in enumerate(volts))}

    def _bmt(self, name: str, now: Instant) -> dict[str, Any]:
        sense = self._vehicle.sense
        ends = sense("temperature_max", now), sense("temperature_min", now)
        return {"entries": tuple((ends[number % 2],) for number in range(self._vehicle.spec.optional[name]))}

    def _bsp(self, name: str, now: Instant) -> dict[str, Any]:
        return {"entries": ((0xFF,),) * self._vehicle.spec.optional[name]}

    def _bst(self, name: str, now: Instant) -> dict[str, Any]:
        return dict(self._vehicle.bst)

    def _bsd(self, name: str, now: Instant) -> dict[str, Any]:
        sense = self._vehicle.sense
        return {
            "soc": int(sense("soc", now)),
            "min_cell_voltage": sense("cell_voltage_min", now),
            "max_cell_voltage": sense("cell_voltage_max", now),
            "min_temperature": sense("temperature_min", now),
            "max_temperature": sense("temperature_max", now),
        }

    def _bem(self, name: str, now: Instant) -> dict[str, Any]:
        return dict(self._vehicle.bem)
