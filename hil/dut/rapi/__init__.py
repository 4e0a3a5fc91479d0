"""The reference console of an AC charger (OpenEVSE RAPI) and its seeded-fault hooks."""

from hil.dut.rapi.charger import Charger, Status
from hil.dut.rapi.console import Console
from hil.dut.rapi.spec import SENSORS, ConsoleSpec, reference

__all__ = [
    "SENSORS",
    "Charger",
    "Console",
    "ConsoleSpec",
    "Status",
    "reference",
]
