"""The vehicle (BMS) that stands around a DC charger under test."""

from hil.tester.gbt27930.spec import VEHICLES, VehicleSpec
from hil.tester.gbt27930.vehicle import Vehicle

__all__ = ["VEHICLES", "Vehicle", "VehicleSpec"]
