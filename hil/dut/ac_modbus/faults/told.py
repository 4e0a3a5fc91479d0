"""Seeded faults of what the registers tell."""

from __future__ import annotations

from hil.dut.ac_modbus.fault import Fault, profiles, registers
from hil.units import s

FAULTS = (
    Fault(
        "ac-meter-voltage",
        registers("MB.01"),
        "tells 2 % too much voltage in its registers",
        "content",
        lambda f: f.telling(voltage=1.02),
    ),
    Fault(
        "ac-meter-current",
        registers("MB.01"),
        "tells 2 % too little current in its registers",
        "content",
        lambda f: f.telling(current=0.98),
    ),
    Fault(
        "ac-meter-power",
        registers("MB.01"),
        "tells the power of one phase",
        "content",
        lambda f: f.telling(power=1 / 3),
    ),
    Fault(
        "ac-meter-energy",
        (*registers("MB.01"), *profiles("AP.07")),
        "counts 3 % too much energy",
        "content",
        lambda f: f.telling(energy=1.03),
    ),
    Fault(
        "ac-meter-stale",
        (*registers("MB.01"), *profiles("AP.07")),
        "reads its meter every five minutes",
        "timing",
        lambda f: f.but(meter_period=s(300)),
    ),
    Fault(
        "ac-state-without-pwm",
        registers("MB.02"),
        "tells B1 and C1 with PWM too",
        "content",
        lambda f: f.but(tells_state=lambda state: state.replace("2", "1")),
    ),
    Fault(
        "ac-state-error-hidden",
        registers("MB.02", "MB.08"),
        "tells state A in a fault",
        "content",
        lambda f: f.but(tells_state=lambda state: "A" if state in "EF" else state),
    ),
    Fault(
        "ac-state-late",
        registers("MB.02"),
        "tells a state 10 s late",
        "timing",
        lambda f: f.but(state_delay=s(10)),
    ),
    Fault("ac-alarm-hidden", registers("MB.08"), "tells no alarm", "content", lambda f: f.but(tells_alarms=False)),
    Fault(
        "ac-alarm-stays",
        registers("MB.08"),
        "tells an alarm for ever",
        "recovery",
        lambda f: f.but(keeps_alarms=True),
    ),
)
