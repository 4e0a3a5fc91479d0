"""Rig files: what is on the bench, what the DUT claims, by what it is judged."""

from hil.rig.applicability import applicability
from hil.rig.load import find_rig, load_rig
from hil.rig.rig import BenchSettings, Dut, Rig

__all__ = ["BenchSettings", "Dut", "Rig", "applicability", "find_rig", "load_rig"]
