"""Faults in what the console switches, keeps and does by itself."""

from __future__ import annotations

from hil.dut.rapi.fault import Fault, cases

FAULTS = (
    Fault(
        "rapi-display-mute",
        cases("ST.01"),
        "does not acknowledge what it prints",
        "robustness",
        lambda c: c.silent_on("FP"),
    ),
    Fault(
        "rapi-boot-lock-untold",
        cases("ST.01"),
        "does not tell whether the boot lock is off",
        "content",
        lambda c: c.answering("SB", "OK"),
    ),
    Fault(
        "rapi-features-turned",
        cases("ST.02"),
        "switches a feature on where off is asked for",
        "content",
        lambda c: c.but(features_turned=True),
    ),
    Fault(
        "rapi-features-kept",
        cases("ST.02"),
        "leaves features as they are",
        "content",
        lambda c: c.ignoring("FF"),
    ),
    Fault("rapi-level-kept", cases("ST.03"), "leaves the service level", "content", lambda c: c.ignoring("SL")),
    Fault(
        "rapi-level-any-letter",
        cases("ST.03"),
        "takes any letter for a service level",
        "robustness",
        lambda c: c.but(any_level=True),
    ),
    Fault(
        "rapi-level-1-unlimited",
        cases("ST.03"),
        "allows 30 A at level 1",
        "content",
        lambda c: c.but(max_level1=30),
    ),
    Fault(
        "rapi-limits-endless",
        cases("ST.04"),
        "goes on charging beyond the limits of a session",
        "sequence",
        lambda c: c.but(limits_end=False),
    ),
    Fault(
        "rapi-timer-idle",
        cases("ST.05"),
        "keeps the delay timer and does not obey it",
        "sequence",
        lambda c: c.but(timer_acts=False),
    ),
    Fault("rapi-no-echo", cases("ST.06"), "does not echo", "content", lambda c: c.but(echoes=False)),
    Fault(
        "rapi-button-untold",
        cases("AT.08"),
        "obeys the button although it is switched off",
        "sequence",
        lambda c: c.ignoring("FF"),
    ),
    Fault(
        "rapi-calibration-kept",
        cases("FN.05"),
        "does not take another calibration",
        "content",
        lambda c: c.ignoring("SA", "SM", "S5"),
    ),
)
