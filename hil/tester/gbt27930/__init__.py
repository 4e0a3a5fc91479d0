"""The vehicle (BMS) that stands around a DC charger under test."""

from hil.tester.gbt27930.spec import MISFITS, VEHICLES, VehicleSpec
from hil.tester.gbt27930.vehicle import Vehicle

__all__ = ["MISFITS", "VEHICLES", "Vehicle", "VehicleSpec"]
