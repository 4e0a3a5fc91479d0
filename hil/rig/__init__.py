"""Rig files: what is on the bench, what the DUT claims, by what it is judged."""

from hil.rig.applicability import applicability, lacks_besides, lacks_role, lacks_transport
from hil.rig.load import find_rig, load_rig
from hil.rig.ports import (
    CanPortSettings,
    DutProcessSettings,
    PortSettings,
    SerialPortSettings,
    SignalsPortSettings,
    TcpPortSettings,
)
from hil.rig.rig import BenchSettings, Dut, Rig, told_claims

__all__ = [
    "BenchSettings",
    "CanPortSettings",
    "Dut",
    "DutProcessSettings",
    "PortSettings",
    "Rig",
    "SerialPortSettings",
    "SignalsPortSettings",
    "TcpPortSettings",
    "applicability",
    "find_rig",
    "lacks_besides",
    "lacks_role",
    "lacks_transport",
    "load_rig",
    "told_claims",
]
