"""Faults in what queries tell."""

from __future__ import annotations

from hil.dut.rapi.fault import Fault, cases

FAULTS = (
    Fault(
        "rapi-limits-short",
        cases("GT.01", "AG.02"),
        "leaves the configured maximum out of GC",
        "content",
        lambda c: c.answering("GC", "OK 6 32 24"),
    ),
    Fault(
        "rapi-counters-decimal",
        cases("GT.01"),
        "tells of a fault counter that is no number",
        "content",
        lambda c: c.answering("GF", "OK 0 0 --"),
    ),
    Fault(
        "rapi-state-upper-case",
        cases("GT.01"),
        "tells states in upper case",
        "content",
        lambda c: c.answering("GS", "OK FD 0 0B 0000"),
    ),
    Fault(
        "rapi-state-stuck",
        cases("AG.01", "FN.01", "FN.02", "FS.01", "FS.02", "FS.03", "FS.04"),
        "always tells state A",
        "content",
        lambda c: c.answering("GS", "OK 01 0 01 0000"),
    ),
    Fault(
        "rapi-always-connected",
        cases("AG.01"),
        "always tells that a vehicle is connected",
        "content",
        lambda c: c.answering("G0", "OK 1"),
    ),
    Fault(
        "rapi-limits-stuck",
        cases("AG.02", "SC.01", "SC.02", "SC.03", "HB.01", "HB.03"),
        "always tells a limit of 32 A",
        "content",
        lambda c: c.answering("GC", "OK 6 32 32 32"),
    ),
    Fault(
        "rapi-settings-stuck",
        cases("AG.02"),
        "tells another limit in GE than in GC",
        "content",
        lambda c: c.answering("GE", "OK 10 0001"),
    ),
    Fault(
        "rapi-counters-stuck",
        cases("FS.01", "FS.02", "FS.04"),
        "counts no fault",
        "content",
        lambda c: c.answering("GF", "OK 0 0 0"),
    ),
    Fault(
        "rapi-energy-high",
        cases("AG.03"),
        "tells a tenth too much energy",
        "content",
        lambda c: c.misreading("energy", 1.1),
    ),
    Fault(
        "rapi-current-low",
        cases("AG.03"),
        "tells a twentieth too little current",
        "content",
        lambda c: c.misreading("current", 0.95),
    ),
    Fault(
        "rapi-voltage-high",
        cases("AG.03"),
        "tells 2 % too much voltage",
        "content",
        lambda c: c.misreading("voltage", 1.02),
    ),
)
