"""The stand-in vehicle of an AC charging point."""

from hil.tester.ac.vehicle import AcVehicle, AcVehicleSpec

__all__ = ["AcVehicle", "AcVehicleSpec"]
