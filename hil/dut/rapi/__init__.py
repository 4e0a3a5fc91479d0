"""The reference console of an AC charger (OpenEVSE RAPI) and its seeded-fault hooks."""

from hil.dut.rapi.charger import Charger, PilotCharger, Status
from hil.dut.rapi.console import Console
from hil.dut.rapi.spec import ACTUATORS, SENSORS, ConsoleSpec, PilotSpec, reference

__all__ = [
    "ACTUATORS",
    "SENSORS",
    "Charger",
    "Console",
    "ConsoleSpec",
    "PilotCharger",
    "PilotSpec",
    "Status",
    "reference",
]
