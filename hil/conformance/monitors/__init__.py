"""Passive monitors: requirements that are judged from observations alone, live or recorded."""

from hil.conformance.monitors.declarations import Monitor, monitors
from hil.conformance.monitors.ledger import Tally
from hil.conformance.monitors.monitor_set import MonitorSet, Remark
from hil.conformance.monitors.session import Report, Run

__all__ = ["Monitor", "MonitorSet", "Remark", "Report", "Run", "Tally", "monitors"]
