"""The bench's sides of a DL/T 645 line: a reader for a meter, a stand-in for a charger that reads one."""

from hil.tester.dlt645.reader import MeterReader
from hil.tester.dlt645.stand_in import MeterStandIn

__all__ = ["MeterReader", "MeterStandIn"]
