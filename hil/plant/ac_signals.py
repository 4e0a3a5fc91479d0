"""The declared list of sensors, actuators and stimuli of an AC charging point (sheet iec61851_control_pilot.md)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from hil.plant.signals import PlantSignal

Side = Literal["charger", "vehicle"]
LIMIT, NO_LIMIT = "limit_set", 200.0
"""The stimulus that asks for a current limit at the charger's input, and its value that asks for none."""


def _sensor(name: str, side: Side, unit: str, low: float, high: float, doc: str) -> PlantSignal:
    return PlantSignal(name, "sensor", side, unit, low, high, doc, stepped=name != "meter_energy")


def _flag(name: str, side: Side, doc: str) -> PlantSignal:
    return PlantSignal(name, "sensor", side, "", 0, 1, doc)


def _actuator(name: str, side: Side, unit: str, low: float, high: float, doc: str) -> PlantSignal:
    return PlantSignal(name, "actuator", side, unit, low, high, doc)


def _stimulus(name: str, unit: str, low: float, high: float, doc: str) -> PlantSignal:
    return PlantSignal(name, "stimulus", "rig", unit, low, high, doc)


AC_SIGNALS: tuple[PlantSignal, ...] = (
    _sensor("cp_high", "charger", "V", -15, 15, "control pilot: positive half, or the steady level"),
    _sensor("cp_low", "charger", "V", -15, 15, "control pilot: negative half, or the steady level"),
    _sensor(
        "cp_duty", "charger", "%", 0, 100, "duty cycle of the generator; 100 is steady +12 V, 0 steady -12 V or none"
    ),
    _sensor("cp_frequency", "charger", "Hz", 0, 5000, "0 without oscillation"),
    _sensor("pp_resistance", "charger", "ohm", 0, 1e9, "proximity to earth; 1e9 is open"),
    _flag("contactor_closed", "charger", "feedback of the output contactor"),
    _flag("lock_engaged", "charger", "feedback of the plug's lock"),
    _flag("ventilation_on", "charger", "feedback of the ventilation"),
    _flag("mains_present", "charger", "AC supply"),
    _flag("pe_ok", "charger", "protective earth continuous"),
    _flag("start_request", "charger", "session authorised, as by card or app"),
    _flag("stop_request", "charger", "stop pressed"),
    _sensor(
        "limit_request", "charger", "A", 0, 200, "current limit asked for, as by an energy management; 200 is none"
    ),
    _flag("limit_alive", "charger", "whoever asks for the limit goes on asking"),
    _sensor("mains_voltage", "charger", "V", 0, 500, "line to neutral at the input"),
    _sensor("output_voltage", "charger", "V", 0, 500, "line to neutral behind the contactor"),
    _sensor("line_current", "charger", "A", 0, 200, "each phase"),
    _sensor("residual_dc", "charger", "mA", 0, 1000, "DC residual current"),
    _sensor("residual_ac", "charger", "mA", 0, 1000, "AC residual current"),
    _sensor("meter_power", "charger", "W", 0, 1e6, "all phases"),
    _sensor("meter_energy", "charger", "kWh", 0, 1e9, "energy delivered since the start"),
    _sensor("supply_voltage", "vehicle", "V", 0, 500, "line to neutral at the vehicle"),
    _sensor("pilot_duty", "vehicle", "%", 0, 100, "duty cycle at the vehicle; 100 is steady, 0 is none"),
    _actuator("cp_mode", "charger", "", 0, 3, "0 steady +12 V, 1 PWM, 2 steady -12 V (F), 3 none (E)"),
    _actuator("cp_duty_set", "charger", "%", 0, 100, "duty cycle of the generator"),
    _actuator("cp_frequency_set", "charger", "Hz", 0, 5000, "frequency of the generator"),
    _actuator("contactor_command", "charger", "", 0, 1, "output contactor"),
    _actuator("lock_command", "charger", "", 0, 1, "plug's lock"),
    _actuator("ventilation_command", "charger", "", 0, 1, "ventilation"),
    _actuator("s2_command", "vehicle", "", 0, 1, "vehicle's switch S2"),
    _actuator(
        "draw_current", "vehicle", "A", 0, 200, "current that the vehicle draws where it is supplied, each phase"
    ),
    _stimulus("plugged", "", 0, 1, "vehicle connected to the cable"),
    _stimulus("cable", "", 0, 1, "the cable's plug in the charger's socket; a fixed cable always is"),
    _stimulus("r3", "ohm", 1, 1e6, "vehicle's resistor that shows state B; nominal 2740"),
    _stimulus("r2", "ohm", 1, 1e6, "vehicle's resistor behind S2: 1300 for C, 270 for D"),
    _stimulus("s2_stuck", "", 0, 2, "0 follows the vehicle, 1 stuck closed, 2 stuck open"),
    _stimulus("diode_shorted", "", 0, 1, "vehicle's diode conducts both ways"),
    _stimulus("cp_shorted", "", 0, 1, "control pilot shorted to earth"),
    _stimulus("cp_open", "", 0, 1, "control pilot open between charger and vehicle"),
    _stimulus("pp", "ohm", 0, 1e9, "resistance in the cable's plug; 1e9 is open"),
    _stimulus("pe_broken", "", 0, 1, "protective earth open"),
    _stimulus("mains", "", 0, 1, "AC supply on"),
    _stimulus("mains_volts", "V", 0, 300, "line to neutral"),
    _stimulus("leak_dc", "mA", 0, 1000, "DC residual current while the output is on"),
    _stimulus("leak_ac", "mA", 0, 1000, "AC residual current while the output is on"),
    _stimulus("contactor_welded", "", 0, 1, "the contactor's contacts stick together"),
    _stimulus("contactor_stuck", "", 0, 1, "the contactor does not close"),
    _stimulus("limit_set", "A", 0, 200, "ask for a current limit; 200 is none"),
    _stimulus("limit_silent", "", 0, 1, "whoever asks for the limit has fallen silent"),
    _stimulus("start_press", "", 0, 1, "authorise a session for half a second"),
    _stimulus("stop_press", "", 0, 1, "press stop for half a second"),
)

AC_BY_NAME: Mapping[str, PlantSignal] = MappingProxyType({signal.name: signal for signal in AC_SIGNALS})

AC_SAFE_STATE: tuple[tuple[str, float], ...] = (
    ("contactor_command", 0),
    ("cp_mode", 0),
    ("draw_current", 0),
    ("s2_command", 0),
)
"""Actuators in their safe state, in the order in which they are set: output off, no charging offered."""


def limit_name(number: int, limit: float | None) -> str:
    """How the stimulus of a profile's segment is named that asks for a limit in A, or for none any more (silence)."""
    return f"segments[{number}] limit {'none' if limit is None else f'{limit:g}'}"


def limit_of(name: str) -> tuple[bool, float | None]:
    """Whether a stimulus is so named, and the limit; None for silence."""
    head, _, told = name.rpartition(" limit ")
    if not head.startswith("segments["):
        return False, None
    return True, None if told == "none" else float(told)
