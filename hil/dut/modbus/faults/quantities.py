"""Faults in the quantities that a request may ask for."""

from __future__ import annotations

from hil.dut.modbus.fault import Fault, cases

FAULTS = (
    Fault(
        "modbus-124-holding",
        cases("QT.03"),
        "reads no more than 124 holding registers",
        "content",
        lambda d: d.serving(quantities={**d.server.quantities, 0x03: 124}),
    ),
)
