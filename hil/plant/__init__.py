"""The physical plant of a bench: battery, power stage, contactors, insulation, meter and supply.

One model in the bench's world. Controllers and stand-ins meet it through the declared list of
sensors and actuators, the rig through stimuli, the judge through samples.
"""

from hil.plant.observe import Sample
from hil.plant.pack import PRESETS, PackSpec
from hil.plant.plant import Plant
from hil.plant.signals import SIGNALS, PlantSignal

__all__ = ["PRESETS", "SIGNALS", "PackSpec", "Plant", "PlantSignal", "Sample"]
