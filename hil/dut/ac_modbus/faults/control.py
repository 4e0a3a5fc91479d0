"""Seeded faults of what the charger makes of writes to its registers."""

from __future__ import annotations

from hil.dut.ac_modbus.fault import Fault, profiles, registers
from hil.units import s

FAULTS = (
    Fault(
        "ac-limit-ignored",
        (*registers("MB.03"), *profiles("AP.01")),
        "answers a limit and does not take it",
        "content",
        lambda f: f.but(obeys=False),
    ),
    Fault(
        "ac-limit-in-tenths",
        (*registers("MB.03"), *profiles("AP.01")),
        "takes a limit 1.1 times as high",
        "content",
        lambda f: f.but(takes=lambda ampere: 1.1 * ampere),
    ),
    Fault(
        "ac-limit-out-of-range-lost",
        registers("MB.04"),
        "answers a limit above its rating and offers 6 A",
        "content",
        lambda f: f.but(checks_range=False, takes=lambda ampere: 6.0 if ampere > 32.0 else ampere),
    ),
    Fault(
        "ac-refuses-and-obeys",
        registers("MB.04"),
        "refuses a limit below its range and pauses by it",
        "content",
        lambda f: f.but(obeys_refused=True),
    ),
    Fault(
        "ac-reads-keep-alive",
        (*registers("MB.05"), *profiles("AP.05")),
        "takes any request for a repeated limit",
        "timing",
        lambda f: f.but(feed="anything"),
    ),
    Fault(
        "ac-repeats-do-not-count",
        (*registers("MB.05", "MB.06"), *profiles("AP.06")),
        "falls back although the limit is repeated",
        "timing",
        lambda f: f.but(feed="nothing"),
    ),
    Fault(
        "ac-validity-late-over-modbus",
        registers("MB.06"),
        "falls back 3 s later than the client has set",
        "timing",
        lambda f: f.but(validity_error=s(3)),
    ),
    Fault(
        "ac-safe-current-unset",
        registers("MB.06"),
        "keeps its own safe current",
        "content",
        lambda f: f.but(obeys_safe=False),
    ),
    Fault(
        "ac-no-pause-over-modbus",
        registers("MB.07"),
        "goes on charging where a pause is written",
        "sequence",
        lambda f: f.but(obeys_release=False, takes=lambda ampere: max(ampere, 6.0)),
    ),
    Fault(
        "ac-no-resume-over-modbus",
        registers("MB.07"),
        "stays in the pause",
        "recovery",
        lambda f: f.but(resumes=False),
    ),
)
