"""The declared list of sensors, actuators and stimuli: all that anyone may know or do of the plant.

A signals port carries exactly this list, so that a controller in another process meets the same
plant. Limits of stimuli guard against our own misuse; actuators are clamped, as hardware would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Literal, NamedTuple

from hil.errors import UsageError


class PlantSignal(NamedTuple):
    """One signal. ``side`` tells who reads a sensor or drives an actuator."""

    name: str
    kind: Literal["sensor", "actuator", "stimulus"]
    side: Literal["charger", "vehicle", "rig"]
    unit: str
    low: float
    high: float
    doc: str
    stepped: bool = False
    """It only changes in steps: between two samples it stays what it was."""

    @property
    def steps(self) -> bool:
        """Whether it changes in steps, as every signal that is on or off does."""
        return self.stepped or (self.unit == "" and self.high == 1)


def _sensor(
    name: str, side: Literal["charger", "vehicle"], unit: str, low: float, high: float, doc: str
) -> PlantSignal:
    return PlantSignal(name, "sensor", side, unit, low, high, doc)


def _flag(name: str, side: Literal["charger", "vehicle"], doc: str) -> PlantSignal:
    return PlantSignal(name, "sensor", side, "", 0, 1, doc)


SIGNALS: tuple[PlantSignal, ...] = (
    _sensor("output_voltage", "charger", "V", 0, 2000, "power-stage side of K1/K2"),
    _sensor("battery_side_voltage", "charger", "V", 0, 2000, "vehicle side of K1/K2"),
    _sensor("output_current", "charger", "A", -1000, 4000, "positive charges"),
    _sensor("insulation_resistance", "charger", "ohm", 0, 1e9, "DC+ or DC- to earth, the lower one"),
    _sensor("cc1_voltage", "charger", "V", 0, 15, "detection point 1"),
    _flag("k1k2_closed", "charger", "feedback of the output contactors"),
    _flag("k3k4_closed", "charger", "feedback of the auxiliary supply's contactors"),
    _flag("lock_engaged", "charger", "feedback of the plug's lock"),
    _flag("ac_present", "charger", "AC supply"),
    _flag("pe_ok", "charger", "protective earth continuous"),
    _flag("emergency_stop", "charger", "emergency stop pressed (latched)"),
    _flag("stop_button", "charger", "stop button pressed"),
    _flag("start_request", "charger", "session authorised, as by card or app"),
    _sensor("charger_temperature", "charger", "°C", -50, 200, "inside the cabinet, held at ambient"),
    _sensor("meter_energy", "charger", "kWh", 0, 1e9, "energy delivered at the output"),
    _sensor("inrush_current", "charger", "A", 0, 10000, "peak when the output was last joined to the pack"),
    _sensor("k1k2_open_current", "charger", "A", 0, 4000, "output current when K1/K2 last opened"),
    PlantSignal("voltage_setpoint", "actuator", "charger", "V", 0, 2000, "power stage, voltage limit"),
    PlantSignal("current_setpoint", "actuator", "charger", "A", 0, 4000, "power stage, current limit"),
    PlantSignal("output_enable", "actuator", "charger", "", 0, 1, "power stage on"),
    PlantSignal("k1k2_command", "actuator", "charger", "", 0, 1, "output contactors"),
    PlantSignal("k3k4_command", "actuator", "charger", "", 0, 1, "auxiliary supply's contactors"),
    PlantSignal("lock_command", "actuator", "charger", "", 0, 1, "plug's lock"),
    PlantSignal("discharge_command", "actuator", "charger", "", 0, 1, "discharge of the output"),
    _sensor("aux_voltage", "vehicle", "V", 0, 15, "auxiliary supply at the vehicle"),
    _sensor("cc2_voltage", "vehicle", "V", 0, 15, "detection point 2"),
    _sensor("pack_voltage", "vehicle", "V", 0, 2000, "battery side of K5/K6"),
    _sensor("inlet_voltage", "vehicle", "V", 0, 2000, "inlet side of K5/K6"),
    _sensor("pack_current", "vehicle", "A", -1000, 4000, "positive charges"),
    _sensor("cell_voltage_max", "vehicle", "V", 0, 5, "highest cell"),
    _sensor("cell_voltage_min", "vehicle", "V", 0, 5, "lowest cell"),
    _sensor("cell_number_max", "vehicle", "", 1, 256, "number of the highest cell"),
    _sensor("temperature_max", "vehicle", "°C", -50, 200, "hottest sensor"),
    _sensor("temperature_min", "vehicle", "°C", -50, 200, "coldest sensor"),
    _sensor("soc", "vehicle", "%", 0, 100, "state of charge"),
    _flag("k5k6_closed", "vehicle", "feedback of the vehicle's contactors"),
    _sensor("charge_current_limit", "vehicle", "A", 0, 4000, "by temperature and SOC"),
    PlantSignal("k5k6_command", "actuator", "vehicle", "", 0, 1, "vehicle's contactors"),
    PlantSignal("plugged", "stimulus", "rig", "", 0, 1, "plug fully inserted"),
    PlantSignal("switch_s_closed", "stimulus", "rig", "", 0, 1, "switch S in the plug"),
    PlantSignal("cc1_broken", "stimulus", "rig", "", 0, 1, "line of detection point 1 open"),
    PlantSignal("cc1_forced", "stimulus", "rig", "V", 0, 15, "detection point 1 driven from outside; 0 = not"),
    PlantSignal("pe_broken", "stimulus", "rig", "", 0, 1, "protective earth open"),
    PlantSignal("ac_supply", "stimulus", "rig", "", 0, 1, "AC supply on"),
    PlantSignal("insulation", "stimulus", "rig", "ohm", 0, 1e9, "insulation resistance"),
    PlantSignal("stop_press", "stimulus", "rig", "", 0, 1, "press the stop button for half a second"),
    PlantSignal("emergency_press", "stimulus", "rig", "", 0, 1, "emergency stop, latched until 0"),
    PlantSignal("start_press", "stimulus", "rig", "", 0, 1, "authorise a session for half a second"),
    PlantSignal("pack_soc", "stimulus", "rig", "%", 0, 100, "set the pack's SOC"),
    PlantSignal("pack_temperature", "stimulus", "rig", "°C", -50, 100, "set the pack's temperature"),
    PlantSignal("heating_power", "stimulus", "rig", "W", 0, 20000, "heater in the pack"),
    PlantSignal("over_voltage_fault", "stimulus", "rig", "V", 0, 500, "a failed power stage adds this"),
)

SAFE_STATE: tuple[tuple[str, float], ...] = (
    ("output_enable", 0),
    ("current_setpoint", 0),
    ("voltage_setpoint", 0),
    ("k1k2_command", 0),
    ("k5k6_command", 0),
    ("discharge_command", 1),
    ("k3k4_command", 0),
)
"""Actuators in their safe state, in the order in which they are set: source off, contactors open, output
discharged, the plug's supply off. The lock is left alone: whoever stands beside decides on the plug."""

BY_NAME: Mapping[str, PlantSignal] = {each.name: each for each in SIGNALS}


def declared(name: str, *kinds: str, among: Mapping[str, PlantSignal] = BY_NAME) -> PlantSignal:
    """The signal of that name and one of the kinds; otherwise :class:`UsageError` with the near names."""
    found = among.get(name)
    if found is None or found.kind not in kinds:
        names = [each.name for each in among.values() if each.kind in kinds]
        near = get_close_matches(name, names, n=5, cutoff=0.5) or names
        raise UsageError(f"the plant has no {' or '.join(kinds)} {name!r}; near are {', '.join(near)}")
    return found


def on_port(signals: Iterable[PlantSignal], side: str, names: Mapping[str, str]) -> dict[str, PlantSignal]:
    """Sensors and actuators of a side by their names on a signals port: their own, or those that ``names`` gives.

    A name that is none of theirs, or that two of them share, raises :class:`UsageError`.
    """
    known = {each.name: each for each in signals if each.side == side and each.kind != "stimulus"}
    for name in names:
        declared(name, "sensor", "actuator", among=known)
    renamed: dict[str, PlantSignal] = {}
    for name, signal in known.items():
        other = renamed.setdefault(names.get(name, name), signal)
        if other is not signal:
            raise UsageError(f"{other.name} and {name} cannot both be {names.get(name, name)!r} on the port")
    return renamed
