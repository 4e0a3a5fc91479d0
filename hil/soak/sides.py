"""Legal parameters of both sides."""

from __future__ import annotations

import random
import string
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hil.conformance.catalogue import timeout
from hil.dut.gbt27930.spec import ChargerSpec, Power
from hil.tester.gbt27930 import VehicleSpec
from hil.units import Span, ms, s

_ASCII = string.ascii_uppercase + string.digits
_TIMEOUTS = ("T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11")
_RESERVED = {"BSM": "000000000000C0", "BST": "000000F0", "BEM": "F0F0F0FC"}
"""Reserved bits of the vehicle's messages that have some (sheet 3.12, 3.14, 3.18), from byte 1."""
_BATTERIES = (1, 2, 3, 4, 5, 6, 7, 8, 0xFF)
_UNTRUSTED = ("overcurrent", "overtemperature", "insulation", "connector")
"""Items of BSM whose "untrusted" is no reason to act (sheet 3.12)."""


def _span(rng: random.Random, low: Span, high: Span) -> Span:
    return rng.randint(low, high)


def draw_charger(rng: random.Random, reference: ChargerSpec, vehicle: VehicleSpec) -> ChargerSpec:
    """Another charger that is as good as the reference: identity, capability, habits, reaction times."""
    power = replace(
        reference.power,
        max_voltage=round(rng.uniform(vehicle.max_total_voltage, 1000.0), 1),
        min_voltage=round(rng.uniform(50.0, 250.0), 1),
        max_current=round(rng.uniform(20.0, 400.0), 1),
        min_current=round(rng.uniform(0.5, 5.0), 1),
        test_current=round(rng.uniform(1.0, 3.0), 1),
        discharge_below=rng.uniform(20.0, 55.0),
        precharge_below=rng.uniform(3.5, 7.5),
        open_below=rng.uniform(1.0, 4.5),
        rise_ramp=rng.choice((0.0, rng.uniform(25.0, 90.0))),
        fall_ramp=rng.choice((0.0, rng.uniform(30.0, 300.0))),
        stop_ramp=rng.choice((0.0, rng.uniform(150.0, 350.0))),
        set_voltage_gain=rng.uniform(0.997, 1.002),
        set_current_gain=rng.uniform(0.995, 1.005),
    )
    spans = {name: _late(rng, name) for name in _TIMEOUTS}
    spec = reference.but(
        number=rng.choice((0, 1, rng.getrandbits(32), 0xFFFFFFFF)),
        region="".join(rng.choices(_ASCII, k=3)),
        power=power,
    ).timing(
        **spans,
        insulation=_span(rng, ms(200), s(rng.choice((1, 15)))),
        cem=_span(rng, ms(1500), s(10)),
        bem_pause=_span(rng, ms(500), s(10)),
        statistics=_span(rng, ms(600), s(7)),
        poll=_span(rng, ms(1), ms(20)),
        demand_poll=_span(rng, ms(5), ms(20)),
    )
    habit = rng.random()
    if habit < 0.25:
        sends = tuple(send for send in spec.states["configure"].sends if send != "CTS")
        return spec.stating("configure", sends=sends)
    if habit < 0.4:
        unsupplied = dict.fromkeys(("second", "minute", "hour", "day", "month", "year"))
        return spec.saying("CTS", **unsupplied)
    return spec


def _late(rng: random.Random, name: str) -> Span:
    """A reaction time inside the window of a time-out, with room for the frame that tells it."""
    window = timeout(name)
    return _span(rng, window.low + ms(10), window.high - (window.high - window.low) // 4)


def draw_vehicle(rng: random.Random, vehicle: VehicleSpec, power: Power, readings: Mapping[str, str]) -> VehicleSpec:
    """Another vehicle of the same pack: identity, limits, demand, habits."""
    most = round(rng.uniform(10.0, 400.0), 1)
    lenient = readings["dlc"] == "padded"
    unset = readings["reserved-bits"] == "any" and rng.random() < 0.5
    return replace(
        vehicle,
        max_current=most,
        demand_current=round(rng.uniform(power.min_current, min(most, power.max_current)), 1),
        max_cell_voltage=round(rng.uniform(3.65, 4.5), 2),
        max_temperature=float(rng.randint(45, 70)),
        content=_content(rng, vehicle),
        padded=lenient and rng.random() < 0.5,
        clear_bits={name: bytes.fromhex(mask) for name, mask in _RESERVED.items()} if unset else {},
        spans={
            **vehicle.spans,
            "self_test": _span(rng, ms(50), s(rng.choice((1, 1, 20)))),
            "stop_answer": _span(rng, ms(20), s(rng.choice((0.4, 0.4, 3)))),
            "early_end": rng.choice((0, 0, _span(rng, ms(10), ms(280)))),
            "contactors": _span(rng, ms(100), s(2)),
        },
    )


def _content(rng: random.Random, vehicle: VehicleSpec) -> dict[str, dict[str, Any]]:
    def maybe(value: Any) -> Any:
        return rng.choice((value, value, None))

    brm = {
        "battery_type": rng.choice(_BATTERIES),
        "battery_maker": maybe("".join(rng.choices(_ASCII, k=4))),
        "pack_serial": maybe(rng.randbytes(4)),
        "production_year": maybe(rng.randint(1985, 2030)),
        "production_month": maybe(rng.randint(1, 12)),
        "production_day": maybe(rng.randint(1, 31)),
        "charge_count": maybe(rng.randint(0, 5000)),
        "ownership": maybe(rng.randint(0, 1)),
        "vin": maybe("".join(rng.choices(_ASCII, k=17))),
        "software_number": maybe(rng.randint(1, 0xFE)),
        "software_day": maybe(rng.randint(1, 31)),
        "software_month": maybe(rng.randint(1, 12)),
        "software_year": maybe(rng.randint(2001, 2090)),
    }
    bsm: dict[str, Any] = {
        "max_temperature_sensor": rng.randint(1, 128),
        "min_temperature_sensor": rng.randint(1, 128),
    }
    return {
        "BHM": {"max_total_voltage": round(vehicle.max_total_voltage + rng.choice((0.0, rng.uniform(0.0, 100.0))), 1)},
        "BRM": brm,
        "BCP": {"nominal_energy": maybe(vehicle.nominal_energy)},
        "BSM": bsm,
    }
