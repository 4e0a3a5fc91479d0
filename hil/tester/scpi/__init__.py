"""A simulated SCPI instrument that moves the plant, and the bench's driver of instruments."""

from hil.tester.scpi.driver import ScpiDriver
from hil.tester.scpi.instrument import Instrument
from hil.tester.scpi.spec import InstrumentSpec

__all__ = ["Instrument", "InstrumentSpec", "ScpiDriver"]
